//! Who may do what: two fixed tokens, and those that a login gave.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header::AUTHORIZATION};

use crate::config::{Config, Login};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Write,
    Read,
}

/// The tokens that are good now.
pub(crate) struct Access {
    token: String,
    read_only: Option<String>,
    login: Option<Login>,
    sessions: Mutex<HashMap<String, Instant>>,
}

impl Access {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            token: config.token.clone(),
            read_only: config.read_only_token.clone(),
            login: config.login.clone(),
            sessions: Mutex::default(),
        }
    }

    /// The right of the caller who sent these headers, if the token is good.
    pub(crate) fn right(&self, headers: &HeaderMap) -> Option<Right> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let token = token.trim();
        if token == self.token {
            return Some(Right::Write);
        }
        if self.read_only.as_deref() == Some(token) {
            return Some(Right::Read);
        }
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(token).filter(|end| Instant::now() < **end).map(|_| Right::Write)
    }

    /// A new token and its lifetime, for the right name and password.
    pub(crate) fn login(&self, user: &str, password: &str) -> Option<(String, Duration)> {
        let login = self.login.as_ref().filter(|login| login.user == user && login.password == password)?;
        // The hasher's keys come from the system's random source: good enough for a system that guards nothing.
        let token: String =
            (0..3).map(|round| format!("{:016x}", RandomState::new().hash_one(round))).collect();
        let now = Instant::now();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, end| now < *end);
        sessions.insert(token.clone(), now + login.lifetime);
        Some((token, login.lifetime))
    }
}
