//! The addresses of the sandbox itself: what it counts, its switches, a clean start.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::access::Right;
use crate::book::Book;
use crate::fault::Faults;
use crate::pipeline::{BODY_LIMIT, Shared, plain, refuse_right};
use crate::reply::Reply;
use crate::route::Control;

/// Answers a request to the sandbox itself.
pub(crate) async fn control(shared: Arc<Shared>, task: Control, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let right = shared.access.right(&parts.headers);
    let needed = match task {
        Control::OpenApi | Control::Health => None,
        Control::Stats | Control::ReadFaults => Some(Right::Read),
        Control::SetFaults | Control::Reset => Some(Right::Write),
    };
    if let Some(refusal) = refuse_right(needed, right) {
        return plain(refusal);
    }
    let reply = match task {
        Control::OpenApi => {
            let mut reply = Reply::empty(200);
            reply.body = include_str!("../openapi.json").into();
            reply
        }
        Control::Health => Reply::json(200, &json!({ "ok": true })),
        Control::Stats => Reply::json(200, &shared.stats()),
        Control::ReadFaults => Reply::json(200, &shared.switches.faults()),
        Control::SetFaults => {
            let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
            match changed_faults(&shared.switches.faults(), &body) {
                Ok(faults) => {
                    tracing::info!(?faults, "faults set");
                    shared.switches.set(faults.clone());
                    Reply::json(200, &faults)
                }
                Err(message) => Reply::json(422, &json!({ "error": "invalid", "message": message })),
            }
        }
        Control::Reset => {
            let ((), ticket) = shared.store.with(Book::wipe);
            shared.counters.reset();
            match shared.store.held(ticket).await {
                Ok(()) => Reply::json(200, &json!({ "ok": true })),
                Err(_) => Reply::error(500, "store_failed"),
            }
        }
    };
    plain(reply)
}

/// The switches after a change that names some of them.
fn changed_faults(faults: &Faults, body: &[u8]) -> Result<Faults, String> {
    let changes: Map<String, Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut all = serde_json::to_value(faults).map_err(|error| error.to_string())?;
    if let Value::Object(all) = &mut all {
        all.extend(changes);
    }
    let faults: Faults = serde_json::from_value(all).map_err(|error| error.to_string())?;
    faults.check()?;
    Ok(faults)
}
