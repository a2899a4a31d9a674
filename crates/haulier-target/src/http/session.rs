//! The credentials that requests carry; a login is one flight, however many requests wait for it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haulier_core::port::Throttle;
use haulier_core::{Failure, FailureKind};
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Reply;
use super::client::{Call, Client, Trouble, header};
use crate::OpenError;
use crate::json::{self, Pointer};
use crate::options::{Auth, Login, TokenSource};

/// Longest reply to a login.
const LOGIN_REPLY: usize = 64 << 10;

/// How requests prove who sends them.
#[derive(Debug)]
pub(super) enum Session {
    Open,
    Fixed(HeaderName, HeaderValue),
    Login(Box<LoginSession>),
}

/// A session that begins with a login request.
pub(super) struct LoginSession {
    login: Login,
    body: Bytes,
    content_type: HeaderValue,
    header: HeaderName,
    pointer: Option<Pointer>,
    token: RwLock<Option<Arc<Token>>>,
    /// Held by the one login that runs; holds what the last one failed with.
    flight: Mutex<Option<(Instant, Failure)>>,
}

impl fmt::Debug for LoginSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSession").field("path", &self.login.path).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct Token {
    value: HeaderValue,
    born: Instant,
}

/// What one request is sent with.
#[derive(Debug)]
pub(super) enum Pass<'a> {
    None,
    Fixed(&'a HeaderName, &'a HeaderValue),
    Token(&'a HeaderName, Arc<Token>),
}

impl Pass<'_> {
    pub(super) fn header(&self) -> Option<(&HeaderName, &HeaderValue)> {
        match self {
            Self::None => None,
            Self::Fixed(name, value) => Some((name, value)),
            Self::Token(name, token) => Some((name, &token.value)),
        }
    }
}

impl Session {
    pub(super) fn new(auth: &Auth) -> Result<Self, OpenError> {
        let fixed = |(name, value)| Self::Fixed(name, value);
        Ok(match auth {
            Auth::None => Self::Open,
            Auth::Header { name, value } => fixed(header(name, value.expose(), true)?),
            Auth::Bearer(token) => {
                fixed(header(AUTHORIZATION.as_str(), &format!("Bearer {}", token.expose()), true)?)
            }
            Auth::Basic { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                fixed(header(AUTHORIZATION.as_str(), &format!("Basic {pair}"), true)?)
            }
            Auth::Login(login) => Self::Login(Box::new(LoginSession::new(login)?)),
        })
    }

    pub(super) fn can_renew(&self) -> bool {
        matches!(self, Self::Login(_))
    }

    /// The credential for one request; logs in first where there is no token or it is about to end.
    pub(super) async fn pass<'a>(
        &'a self,
        client: &Client,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Pass<'a>, Failure> {
        match self {
            Self::Open => Ok(Pass::None),
            Self::Fixed(name, value) => Ok(Pass::Fixed(name, value)),
            Self::Login(login) => {
                let current = login.current();
                if let Some(token) = current.as_ref().filter(|token| login.is_fresh(token)) {
                    return Ok(Pass::Token(&login.header, Arc::clone(token)));
                }
                let token = Box::pin(login.replace(current.as_ref(), client, throttle)).await?;
                Ok(Pass::Token(&login.header, token))
            }
        }
    }

    /// A credential other than the one that was refused.
    pub(super) async fn renew<'a>(
        &'a self,
        client: &Client,
        refused: &Pass<'_>,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Pass<'a>, Failure> {
        match (self, refused) {
            (Self::Login(login), Pass::Token(_, old)) => {
                let token = Box::pin(login.replace(Some(old), client, throttle)).await?;
                Ok(Pass::Token(&login.header, token))
            }
            (Self::Open | Self::Fixed(..) | Self::Login(_), _) => Box::pin(self.pass(client, throttle)).await,
        }
    }
}

impl LoginSession {
    fn new(login: &Login) -> Result<Self, OpenError> {
        let wrong = |name: &str, problem| OpenError::Header { name: name.to_owned(), problem };
        let pointer = match &login.token {
            TokenSource::Pointer(text) => Some(Pointer::new(text).map_err(OpenError::Address)?),
            TokenSource::Header(_) => None,
        };
        Ok(Self {
            body: Bytes::from(filled(login)),
            content_type: header("content-type", &login.media_type, false)?.1,
            header: HeaderName::try_from(&login.header)
                .map_err(|_| wrong(&login.header, "its name is not one"))?,
            pointer,
            token: RwLock::new(None),
            flight: Mutex::new(None),
            login: login.clone(),
        })
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_fresh(&self, token: &Token) -> bool {
        self.login.lifetime.is_none_or(|lifetime| {
            // A request that leaves just before the end may arrive after it.
            let margin = (lifetime / 10).min(Duration::from_secs(30));
            token.born.elapsed() + margin < lifetime
        })
    }

    /// A token other than `old`: the one that somebody else fetched meanwhile, or a new one.
    async fn replace(
        &self,
        old: Option<&Arc<Token>>,
        client: &Client,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Arc<Token>, Failure> {
        let asked = Instant::now();
        let mut flight = self.flight.lock().await;
        if let Some(token) = self.current()
            && old.is_none_or(|old| !Arc::ptr_eq(old, &token))
        {
            return Ok(token);
        }
        if let Some((ended, failure)) = &*flight
            && *ended >= asked
        {
            return Err(failure.clone());
        }
        match self.fetch(client, throttle).await {
            Ok(value) => {
                *flight = None;
                tracing::info!(target.place = %client.address.place(), "logged in to the target");
                let token = Arc::new(Token { value, born: Instant::now() });
                *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(failure) => {
                *flight = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    async fn fetch(&self, client: &Client, throttle: Option<&dyn Throttle>) -> Result<HeaderValue, Failure> {
        let call = Call {
            method: Method::POST,
            path: &self.login.path,
            headers: Vec::new(),
            content_type: Some(self.content_type.clone()),
            body: self.body.clone(),
            limit: LOGIN_REPLY,
        };
        let reply = match client.send_with(&call, None, throttle).await {
            Ok(reply) => reply,
            Err(Trouble::Unsent(failure)) => return Err(failure),
            Err(Trouble::Lost(reason)) => {
                return Err(Failure::new(FailureKind::Transient, format!("login: {reason}")));
            }
        };
        let failed =
            |kind, reason: &str| Failure::new(kind, format!("login: {reason}")).with_status(reply.status);
        match reply.status {
            200..=299 => {}
            408 | 425 | 429 | 500..=599 => {
                let kind = if reply.status == 429 { FailureKind::Throttled } else { FailureKind::Transient };
                let mut failure = failed(kind, "the target cannot answer now");
                failure.retry_after = crate::reply::retry_after(&reply);
                return Err(failure);
            }
            _ => return Err(failed(FailureKind::Credential, "the target refuses it")),
        }
        let Some(token) = self.token_of(&reply) else {
            let reason = match &self.login.token {
                TokenSource::Pointer(at) => {
                    format!("the reply ({}) holds no token at `{at}`", reply.media_type())
                }
                TokenSource::Header(name) => format!("the reply has no header `{name}`"),
            };
            return Err(failed(FailureKind::Credential, &reason));
        };
        let mut value = HeaderValue::try_from(self.login.format.replace("{token}", &token))
            .map_err(|_| failed(FailureKind::Credential, "the token cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn token_of(&self, reply: &Reply) -> Option<String> {
        match (&self.login.token, &self.pointer) {
            (TokenSource::Header(name), _) => reply.header(name).map(str::to_owned),
            (TokenSource::Pointer(_), pointer) => {
                let raw = pointer.as_ref()?.pick(&reply.body).ok()??;
                json::scalar_text(raw.get()).map(std::borrow::Cow::into_owned)
            }
        }
    }
}

/// The login's body with its values, each put in once: a value may hold what looks like another's place.
fn filled(login: &Login) -> String {
    let mut body = String::with_capacity(login.body.len() + 64);
    let mut rest = login.body.as_str();
    while let Some((before, from)) = rest.split_once('{') {
        body.push_str(before);
        let place = login.values.iter().find_map(|(name, value)| {
            let after = from.strip_prefix(name.as_str())?.strip_prefix('}')?;
            Some((value, after))
        });
        if let Some((value, after)) = place {
            json::push_escaped(&mut body, value.expose());
            rest = after;
        } else {
            body.push('{');
            rest = from;
        }
    }
    body.push_str(rest);
    body
}
