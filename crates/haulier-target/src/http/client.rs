//! Sends requests over kept connections and says exactly what is known when one breaks.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use haulier_core::port::{Answer, Throttle};
use haulier_core::{Failure, FailureKind};
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use tokio::time::{Instant, timeout};

use super::connection::{Broken, Connection, Payload};
use super::dial::Dialer;
use super::session::Session;
use super::{Address, Reply};
use crate::reply::shorten;
use crate::{Auth, OpenError, Options, Secret};

/// A client of one target.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) address: Address,
    dialer: Dialer,
    session: Session,
    /// The oldest first.
    idle: Mutex<VecDeque<Connection>>,
    idle_timeout: Duration,
    timeout: Duration,
    /// What every request carries.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What no message may repeat, though the target says it.
    secrets: Vec<Secret>,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Path and query, without the target's leading path.
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
    /// Longest reply.
    pub(crate) limit: usize,
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The request did not leave.
    Unsent(Failure),
    /// It may have arrived; the reason.
    Lost(String),
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let address = Address::new(&options.base_url)?;
        let dialer = Dialer::new(&address, options.ca_file.as_deref(), options.connect_timeout)?;
        let agent = HeaderValue::from_static(concat!("haulier/", env!("CARGO_PKG_VERSION")));
        let mut headers = vec![
            (HOST, address.authority.clone()),
            (USER_AGENT, agent),
            (ACCEPT, HeaderValue::from_static("application/json, */*;q=0.1")),
        ];
        for (name, value) in &options.headers {
            headers.push(header(name, value, false)?);
        }
        Ok(Self {
            address,
            dialer,
            session: Session::new(&options.auth)?,
            idle: Mutex::new(VecDeque::new()),
            idle_timeout: options.idle_timeout,
            timeout: options.timeout,
            headers,
            secrets: secrets(options),
        })
    }

    /// Asks for something. Asking twice does no harm, so an answer that is lost may come the next time; `what` says what it was of.
    pub(crate) async fn get(
        &self,
        path: &str,
        limit: usize,
        throttle: Option<&dyn Throttle>,
        what: &str,
    ) -> Result<Reply, Failure> {
        let (headers, body) = (Vec::new(), Bytes::new());
        let call = Call { method: Method::GET, path, headers, content_type: None, body, limit };
        self.send(&call, throttle).await.map_err(|trouble| match trouble {
            Trouble::Unsent(failure) => failure,
            Trouble::Lost(reason) if what.is_empty() => Failure::new(FailureKind::Transient, reason),
            Trouble::Lost(reason) => {
                Failure::new(FailureKind::Transient, shorten(format!("{what}: {reason}")))
            }
        })
    }

    /// Sends the request, once the throttle lets it through, with the session's credentials.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Reply, Trouble> {
        let pass = self.session.pass(self, throttle).await.map_err(Trouble::Unsent)?;
        let reply = self.send_with(call, pass.header(), throttle).await?;
        if reply.status != 401 || !self.session.can_renew() {
            return Ok(reply);
        }
        // A 401 says that nothing was done, so the same request may go again with a new token.
        let pass = self.session.renew(self, &pass, throttle).await.map_err(Trouble::Unsent)?;
        Box::pin(self.send_with(call, pass.header(), throttle)).await
    }

    /// Sends the request with this credential.
    pub(super) async fn send_with(
        &self,
        call: &Call<'_>,
        credential: Option<(&HeaderName, &HeaderValue)>,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Reply, Trouble> {
        let mut request = Some(self.request(call, credential).map_err(Trouble::Unsent)?);
        if let Some(throttle) = throttle {
            throttle.pass().await;
        }
        let (mut leaving, left) = (false, Instant::now());
        let ended = match timeout(self.timeout, self.exchange(&mut request, call.limit, &mut leaving)).await {
            Ok(result) => result.map(|reply| self.without_secrets(reply, credential)),
            Err(_) => {
                let reason = format!("no complete reply within {} ms", self.timeout.as_millis());
                Err(if leaving { Trouble::Lost(reason) } else { unsent(reason) })
            }
        };
        if let Some(throttle) = throttle {
            let reply = ended.as_ref().ok();
            throttle.answered(Answer {
                took: left.elapsed(),
                status: reply.map(|reply| reply.status),
                retry_after: reply.and_then(crate::reply::retry_after),
            });
        }
        ended
    }

    /// A refusal's words go into messages and the ledger, and some targets repeat the credentials that they refuse.
    fn without_secrets(&self, mut reply: Reply, credential: Option<(&HeaderName, &HeaderValue)>) -> Reply {
        if reply.status < 400 || reply.body.is_empty() {
            return reply;
        }
        let sent = credential.and_then(|(_, value)| value.to_str().ok());
        let token = sent.and_then(|whole| whole.rsplit(' ').next());
        let text = String::from_utf8_lossy(&reply.body);
        let kept = self.secrets.iter().map(Secret::expose);
        let mut masked = None;
        // Shorter texts would strike out words that the message needs.
        for secret in sent.into_iter().chain(token).chain(kept).filter(|secret| secret.len() >= 6) {
            let now: &str = masked.as_deref().unwrap_or(&text);
            if now.contains(secret) {
                masked = Some(now.replace(secret, "***"));
            }
        }
        if let Some(masked) = masked {
            reply.body = Bytes::from(masked);
        }
        reply
    }

    /// Sends over a kept connection, or over a new one; a request that comes back unsent goes over the next.
    async fn exchange(
        &self,
        request: &mut Option<Request<Payload>>,
        limit: usize,
        leaving: &mut bool,
    ) -> Result<Reply, Trouble> {
        loop {
            *leaving = false;
            let (mut connection, fresh) = match self.take() {
                Some(connection) => (connection, false),
                // Rare, and larger than all the rest.
                None => (Box::pin(self.dialer.dial()).await.map_err(unsent)?, true),
            };
            *leaving = true;
            match connection.exchange(request, limit).await {
                Ok(reply) => {
                    self.keep(connection).await;
                    return Ok(reply);
                }
                Err(Broken::Lost(reason)) => return Err(Trouble::Lost(reason)),
                Err(Broken::Unsent) if fresh => {
                    let place = self.address.place();
                    return Err(unsent(format!("{place} closed the new connection before the request")));
                }
                Err(Broken::Unsent) => {}
            }
        }
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest is the least likely to be closed already.
        let connection = idle.pop_back().filter(|connection| !connection.is_stale(self.idle_timeout));
        if connection.is_none() {
            idle.clear();
        }
        connection
    }

    async fn keep(&self, mut connection: Connection) {
        if connection.is_over().await {
            return;
        }
        connection.rest();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.front().is_some_and(|oldest| oldest.is_stale(self.idle_timeout)) {
            idle.pop_front();
        }
        idle.push_back(connection);
    }

    fn request(
        &self,
        call: &Call<'_>,
        credential: Option<(&HeaderName, &HeaderValue)>,
    ) -> Result<Request<Payload>, Failure> {
        let mut path = String::with_capacity(self.address.prefix.len() + call.path.len() + 1);
        path.push_str(&self.address.prefix);
        if !call.path.starts_with('/') && (path.is_empty() || !call.path.is_empty()) {
            path.push('/');
        }
        path.push_str(call.path);
        let cannot = |_| Failure::new(FailureKind::Mapping, "the filled path is not one that HTTP can carry");
        let uri = hyper::http::uri::PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(cannot)?;
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri.into();
        let headers = request.headers_mut();
        headers.reserve(self.headers.len() + call.headers.len() + 2);
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(content_type) = &call.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        // hyper leaves the length of nothing out, which some servers refuse with 411.
        if call.body.is_empty() && matches!(call.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        for (name, value) in &call.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some((name, value)) = credential {
            headers.insert(name.clone(), value.clone());
        }
        Ok(request)
    }
}

/// The credentials as they stand in the site; which of its headers are secret is not known here.
fn secrets(options: &Options) -> Vec<Secret> {
    let mut secrets: Vec<Secret> =
        options.headers.iter().map(|(_, value)| Secret::new(value.clone())).collect();
    match &options.auth {
        Auth::None => {}
        Auth::Header { value: secret, .. } | Auth::Bearer(secret) | Auth::Basic { password: secret, .. } => {
            secrets.push(secret.clone());
        }
        Auth::Login(login) => secrets.extend(login.values.iter().map(|(_, secret)| secret.clone())),
    }
    secrets
}

/// A header of the site file, checked.
pub(super) fn header(name: &str, value: &str, secret: bool) -> Result<(HeaderName, HeaderValue), OpenError> {
    let wrong = |problem| OpenError::Header { name: name.to_owned(), problem };
    let key = HeaderName::try_from(name).map_err(|_| wrong("its name is not one"))?;
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| wrong("its value holds characters that no header may hold"))?;
    value.set_sensitive(secret);
    Ok((key, value))
}

fn unsent(reason: String) -> Trouble {
    Trouble::Unsent(Failure::new(FailureKind::Transient, reason))
}
