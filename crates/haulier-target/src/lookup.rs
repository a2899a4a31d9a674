//! Finds a record by its natural key and believes no filter: every candidate is compared on our side.

use bytes::Bytes;
use haulier_core::plan::ReplyClass;
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, TargetId};
use hyper::header::HeaderValue;
use serde_json::Value;

use crate::adapter::Http;
use crate::compare::{Sent, same_key};
use crate::http::{Call, Reply, Trouble};
use crate::json;
use crate::program::{Finder, Id, Program, keepable};
use crate::reply;
use crate::template::Facts;

/// A record that the target holds.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) record: Value,
}

impl Http {
    /// The one record with this natural key, or none. Several are a failure.
    pub(crate) async fn find(
        &self,
        program: &Program,
        finder: &Finder,
        push: &Push<'_>,
        throttle: &dyn Throttle,
    ) -> Result<Option<Found>, Failure> {
        let facts = Facts { vars: &push.record.vars, refs: push.refs, own: None };
        let candidates = self.candidates(program, finder, facts, &push.record.body, Some(throttle)).await?;
        let mut found: Option<Found> = None;
        for candidate in candidates {
            let matches = finder.matches.iter().all(|(field, at)| {
                let held = candidate.pointer(at.as_str());
                same_key(sent(program, push, field), held, program.fold)
            });
            if !matches {
                continue;
            }
            let id = id_of(finder, &candidate, facts)?;
            match &found {
                Some(first) if first.id == id => {}
                Some(_) => {
                    return Err(Failure::new(
                        FailureKind::Duplicate,
                        format!("{}: several records of the target have this natural key", finder.label),
                    ));
                }
                None => found = Some(Found { id, record: candidate }),
            }
        }
        Ok(found)
    }

    /// What the target answers to a lookup, compared with nothing yet.
    pub(crate) async fn candidates(
        &self,
        program: &Program,
        finder: &Finder,
        facts: Facts<'_>,
        sent: &str,
        throttle: Option<&dyn Throttle>,
    ) -> Result<Vec<Value>, Failure> {
        let unfit = |problem: String| Program::unfit(&problem);
        let mut path = String::with_capacity(96);
        finder.path.fill(facts, &mut path).map_err(unfit)?;
        let mut body = String::new();
        if let Some(template) = &finder.body {
            template.fill(facts, &mut body).map_err(unfit)?;
        }
        let call = Call {
            method: finder.method.clone(),
            path: &path,
            headers: Vec::new(),
            content_type: finder.body.is_some().then(|| HeaderValue::from_static("application/json")),
            body: Bytes::from(body),
            limit: self.max_reply,
        };
        let reply = match self.client.send(&call, throttle).await {
            Ok(reply) => reply,
            Err(Trouble::Unsent(failure)) => return Err(failure),
            // A lookup changes nothing, so it does not matter whether it arrived.
            Err(Trouble::Lost(reason)) => {
                let reason = format!("{}: {reason}", finder.label);
                return Err(Failure::new(FailureKind::Transient, reply::shorten(reason)));
            }
        };
        match program.rules.read(finder.purpose(), reply.status, &reply.headers, &reply.body) {
            ReplyClass::Ok | ReplyClass::Exists => listed(finder, &reply),
            ReplyClass::Missing => Ok(Vec::new()),
            ReplyClass::Failed(kind) => Err(reply::failure(kind, &finder.label, &reply, sent)),
        }
    }
}

fn listed(finder: &Finder, reply: &Reply) -> Result<Vec<Value>, Failure> {
    let strange = |problem: String| {
        Failure::new(FailureKind::Refused, format!("{}: {problem}", finder.label)).with_status(reply.status)
    };
    if finder.items.is_none() && reply.body.is_empty() {
        return Ok(Vec::new());
    }
    let document: Value = serde_json::from_slice(&reply.body)
        .map_err(|_| strange(format!("the reply ({}) is not JSON", reply.media_type())))?;
    let Some(items) = &finder.items else {
        return Ok(if document.is_null() { Vec::new() } else { vec![document] });
    };
    match document.pointer(items.as_str()) {
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::Null) => Ok(Vec::new()),
        // Some targets leave an empty list out, but then they tell a total; anything else is no answer, and must
        // not be taken for "not there", which would create the record a second time.
        None if tells_zero(&document) => Ok(Vec::new()),
        Some(_) | None => Err(strange(format!("the reply has no list at `{}`", items.as_str()))),
    }
}

fn tells_zero(document: &Value) -> bool {
    let total = |name: &str| {
        name.to_ascii_lowercase().contains("total") || name.to_ascii_lowercase().contains("count")
    };
    document
        .as_object()
        .is_some_and(|object| object.iter().any(|(name, value)| total(name) && value.as_u64() == Some(0)))
}

fn id_of(finder: &Finder, candidate: &Value, facts: Facts<'_>) -> Result<String, Failure> {
    let id = match &finder.id {
        Id::Pointer(at) => candidate.pointer(at.as_str()).and_then(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }),
        Id::Made(text) => {
            let mut id = String::new();
            text.fill(facts, &mut id).map_err(|problem| Program::unfit(&problem))?;
            Some(id)
        }
        Id::Header(_) | Id::Location => None,
    };
    id.filter(|id| keepable(id)).ok_or_else(|| {
        let reason = format!("{}: the record that was found has not {}", finder.label, finder.id.expected());
        Failure::new(FailureKind::Refused, reason)
    })
}

/// A field as it is sent: from the body, or the id of the referenced record.
pub(crate) fn sent<'a>(program: &Program, push: &Push<'a>, field: &str) -> Sent<'a> {
    match program.refs.iter().position(|reference| reference.name == field) {
        Some(index) => Sent::Id(push.refs.get(index).and_then(Option::as_ref).map(TargetId::as_str)),
        None => Sent::Raw(json::member(&push.record.body, field).unwrap_or("null")),
    }
}
