//! A request's way: rights, limits and faults, the work, the file, the log, the answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, RawPathParams, Request};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode, request::Parts};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::{Access, Right};
use crate::cut::CutBody;
use crate::fault::{Mishap, Switches};
use crate::journal::{Entry, Journal};
use crate::operation::Call;
use crate::record::Collection;
use crate::reply::Reply;
use crate::route::Operation;
use crate::saved::fingerprint;
use crate::stats::{CollectionStats, Counters, Stats};
use crate::store::Store;

/// Most bytes of a request's body.
pub(crate) const BODY_LIMIT: usize = 1 << 20;
/// Most bytes of an `Idempotency-Key`.
const KEY_LIMIT: usize = 255;

/// Everything that requests share.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) access: Access,
    pub(crate) switches: Switches,
    pub(crate) counters: Counters,
    pub(crate) journal: Journal,
}

/// Marks an answer that is not to be sent: the connection is closed in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

impl Shared {
    pub(crate) fn stats(&self) -> Stats {
        let count = |collection: Collection| {
            let ((records, duplicates, created), _) = self.store.with(|book| book.counts(collection));
            (collection.as_str(), CollectionStats { records, duplicates, created })
        };
        self.counters.stats(Collection::ALL.into_iter().map(count).collect::<BTreeMap<_, _>>())
    }
}

/// Answers a request to the API.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    operation: Operation,
    places: Option<RawPathParams>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.ok();
    let places = Call::places_of(places.as_ref());
    // On its own, so that a client that hangs up does not stop what it asked for.
    let work = tokio::spawn(async move {
        let _in_flight = shared.counters.in_flight.enter();
        let began = Instant::now();
        let (reply, mishap) = pass(&shared, operation, places, &parts, body).await;
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        shared.journal.write(&Entry {
            method: parts.method.as_str(),
            path,
            idempotency_key: idempotency_key(&parts.headers),
            mishap,
            reply: &reply,
            took: began.elapsed(),
        });
        shared.counters.count(reply.status);
        respond(&shared, reply, mishap)
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request broke off");
        plain(Reply::error(500, "broken"))
    })
}

async fn pass(
    shared: &Shared,
    operation: Operation,
    places: Vec<(String, String)>,
    parts: &Parts,
    body: Option<Bytes>,
) -> (Reply, Option<Mishap>) {
    let needed = if operation.writes() { Right::Write } else { Right::Read };
    let needed = (operation != Operation::Login).then_some(needed);
    if let Some(refusal) = refuse_right(needed, shared.access.right(&parts.headers)) {
        return (refusal, None);
    }
    if let Err(seconds) = shared.switches.admit() {
        let reply = Reply::error(429, "too_many_requests");
        return (reply.with_header("retry-after", seconds.to_string()), None);
    }
    let _slot = shared.switches.slot().await;
    let _in_service = shared.counters.in_service.enter();
    shared.switches.linger().await;
    if shared.switches.draw_error() {
        return (Reply::error(503, "unavailable"), None);
    }
    let reply = match read(operation, places, parts, body) {
        Err(reply) => reply,
        Ok(call) if operation == Operation::Login => login(&shared.access, &call.object),
        Ok(call) => {
            let (reply, ticket) = shared.store.with(|book| call.perform(book));
            match shared.store.held(ticket).await {
                Ok(()) => reply,
                Err(_) => Reply::error(500, "store_failed"),
            }
        }
    };
    (reply, shared.switches.draw_mishap())
}

/// Checks what can be checked without the book.
fn read(
    operation: Operation,
    places: Vec<(String, String)>,
    parts: &Parts,
    body: Option<Bytes>,
) -> Result<Call, Reply> {
    let body = body.ok_or_else(|| Reply::error(413, "body_too_large"))?;
    let mut object = Map::new();
    if operation.takes_body() {
        if !is_json(&parts.headers) {
            return Err(Reply::error(415, "json_expected"));
        }
        object = match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(Reply::error(400, "object_expected")),
            Err(_) => return Err(Reply::error(400, "malformed_json")),
        };
    }
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let Query(query) = query.map_err(|_| Reply::error(400, "malformed_query"))?;
    let key = parts.headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default());
    if key.is_some_and(|key| key.is_empty() || key.len() > KEY_LIMIT) {
        return Err(Reply::error(400, "bad_idempotency_key"));
    }
    let key = key.map(|key| {
        let path = parts.uri.path().as_bytes();
        (key.to_owned(), fingerprint(&[parts.method.as_str().as_bytes(), path, &body]))
    });
    Ok(Call { operation, places, query, object, key })
}

/// Why a caller with this right may not do what needs that one.
pub(crate) fn refuse_right(needed: Option<Right>, right: Option<Right>) -> Option<Reply> {
    match (needed?, right) {
        (_, None) => {
            Some(Reply::error(401, "unauthorized").with_header("www-authenticate", "Bearer".to_owned()))
        }
        (Right::Write, Some(Right::Read)) => Some(Reply::error(403, "read_only_token")),
        (Right::Write | Right::Read, Some(_)) => None,
    }
}

fn login(access: &Access, object: &Map<String, Value>) -> Reply {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Credentials {
        user: String,
        password: String,
    }
    match Credentials::deserialize(object) {
        Err(_) => Reply::error(400, "user_and_password_expected"),
        Ok(credentials) => match access.login(&credentials.user, &credentials.password) {
            None => Reply::error(401, "unauthorized"),
            Some((token, lifetime)) => {
                Reply::json(200, &json!({ "token": token, "expires_in": lifetime.as_secs() }))
            }
        },
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn idempotency_key(headers: &HeaderMap) -> Option<&str> {
    headers.get("idempotency-key")?.to_str().ok()
}

fn respond(shared: &Shared, reply: Reply, mishap: Option<Mishap>) -> Response {
    if reply.headers.iter().any(|(name, _)| *name == "idempotency-replayed") {
        shared.counters.replays.fetch_add(1, Ordering::Relaxed);
    }
    // An answer without a body has no middle to be cut in.
    let lost = mishap == Some(Mishap::LostAnswer) || reply.body.len() < 2;
    let cut = mishap.filter(|_| !lost).map(|_| CutBody::new(Bytes::from(reply.body.clone())));
    let mut response = plain(reply);
    if let Some(cut) = cut {
        shared.counters.half_replies.fetch_add(1, Ordering::Relaxed);
        *response.body_mut() = Body::new(cut);
    } else if mishap.is_some() {
        shared.counters.lost_answers.fetch_add(1, Ordering::Relaxed);
        response.extensions_mut().insert(HangUp);
    }
    response
}

/// A reply as a response.
pub(crate) fn plain(reply: Reply) -> Response {
    let has_body = !reply.body.is_empty();
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if has_body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
