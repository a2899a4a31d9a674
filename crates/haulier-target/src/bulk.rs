//! Many records in one request.

use haulier_core::plan::{ReplyClass, UnknownPolicy, Verify};
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, Origin, Outcome, TargetId};
use serde_json::Value;

use crate::adapter::Http;
use crate::body;
use crate::http::Reply;
use crate::program::{Bulk, Id, Program};
use crate::proof;
use crate::reply;
use crate::template::Facts;

impl Http {
    /// Pushes records in one request; one outcome each, in order. A refused request is halved until the record that
    /// it is refused for stands alone.
    pub(crate) async fn push_bulk(
        &self,
        program: &Program,
        bulk: &Bulk,
        pushes: &[Push<'_>],
        throttle: &dyn Throttle,
    ) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        outcomes.resize_with(pushes.len(), || None);
        let mut open = Vec::with_capacity(pushes.len());
        for (index, push) in pushes.iter().enumerate() {
            if push.unsure && program.unknown == UnknownPolicy::Hold {
                let reason = format!(
                    "{}: an earlier attempt may have been stored, and a bulk write has no lookup that could tell",
                    bulk.write.label
                );
                if let Some(slot) = outcomes.get_mut(index) {
                    *slot = Some(Outcome::Failed(Failure::new(FailureKind::Conflict, reason)));
                }
            } else {
                open.push(index);
            }
        }
        // The last of the stack goes next; halves are pushed so that order is kept.
        let mut stack = vec![open];
        while let Some(part) = stack.pop() {
            let chosen: Vec<Push<'_>> = part.iter().filter_map(|index| pushes.get(*index).copied()).collect();
            if chosen.is_empty() {
                continue;
            }
            match self.one_bulk(program, bulk, &chosen, throttle).await {
                Sent::Each(results) => {
                    for (index, outcome) in part.iter().zip(results) {
                        if let Some(slot) = outcomes.get_mut(*index) {
                            *slot = Some(outcome);
                        }
                    }
                }
                Sent::Halve if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    stack.push(second.to_vec());
                    stack.push(first.to_vec());
                }
                Sent::Halve => {}
            }
        }
        let missing =
            || Outcome::Failed(Failure::new(FailureKind::Unknown, "the bulk reply says nothing about it"));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
    }

    async fn one_bulk(
        &self,
        program: &Program,
        bulk: &Bulk,
        pushes: &[Push<'_>],
        throttle: &dyn Throttle,
    ) -> Sent {
        let all =
            |failure: &Failure| Sent::Each(pushes.iter().map(|_| Outcome::Failed(failure.clone())).collect());
        let body = match body::list(program, &bulk.write, pushes) {
            Ok(body) => body,
            Err(_) if pushes.len() > 1 => return Sent::Halve,
            Err(failure) => return all(&failure),
        };
        let keys = bulk_key(pushes);
        let facts = Facts { vars: &[], refs: &[], own: None };
        let reply = match self.send_step(&bulk.write, facts, (&keys, ""), body, throttle).await {
            Ok(reply) => reply,
            Err(failure) => return all(&failure),
        };
        let class = program.rules.read(bulk.write.purpose, reply.status, &reply.headers, &reply.body);
        let kind = match class {
            ReplyClass::Ok => return Sent::Each(self.results(program, bulk, pushes, &reply)),
            ReplyClass::Exists => FailureKind::Conflict,
            ReplyClass::Missing => FailureKind::Refused,
            ReplyClass::Failed(kind) => kind,
        };
        // A path or a method that the target does not know is no single record's fault.
        let about_a_record = !matches!(reply.status, 300..=399 | 404 | 405 | 410 | 415)
            && match kind {
                FailureKind::Refused
                | FailureKind::Duplicate
                | FailureKind::Conflict
                | FailureKind::KeyChanged
                | FailureKind::MissingParent
                | FailureKind::Mapping => true,
                FailureKind::Credential
                | FailureKind::Throttled
                | FailureKind::Transient
                | FailureKind::Unknown
                | FailureKind::SilentLoss => false,
            };
        // Without rights on one tenant, the others may still be let in.
        let first = pushes.first().map(|push| &push.record.tenant);
        let about_a_tenant =
            reply.status == 403 && pushes.iter().any(|push| Some(&push.record.tenant) != first);
        if (about_a_record || about_a_tenant) && pushes.len() > 1 {
            return Sent::Halve;
        }
        let sent: String = pushes.iter().map(|push| push.record.body.as_str()).collect::<Vec<_>>().join(",");
        all(&reply::failure(kind, &bulk.write.label, &reply, &format!("[{sent}]")))
    }

    fn results(&self, program: &Program, bulk: &Bulk, pushes: &[Push<'_>], reply: &Reply) -> Vec<Outcome> {
        let label = &bulk.write.label;
        let all = |kind, problem: String| {
            let failure = Failure::new(kind, format!("{label}: {problem}")).with_status(reply.status);
            pushes.iter().map(|_| Outcome::Failed(failure.clone())).collect()
        };
        let made = match &bulk.write.id {
            Some(Id::Made(text)) => Some(text),
            Some(Id::Pointer(_) | Id::Header(_) | Id::Location) | None => None,
        };
        if let (Some(text), None) = (made, &bulk.status) {
            let id = |push: &Push<'_>| {
                let own = push.known.map(TargetId::as_str);
                let mut id = String::new();
                text.fill(Facts { vars: &push.record.vars, refs: push.refs, own }, &mut id).map(|()| id)
            };
            let origin = if reply.status == 201 { Origin::Created } else { Origin::Adopted };
            let outcome = |push: &Push<'_>| match id(push) {
                Ok(id) => Outcome::Landed { id: TargetId::new(id), origin },
                Err(problem) => Outcome::Failed(Program::unfit(&problem)),
            };
            return pushes.iter().map(outcome).collect();
        }
        let Ok(document) = serde_json::from_slice::<Value>(&reply.body) else {
            return all(FailureKind::Unknown, format!("the reply ({}) is not JSON", reply.media_type()));
        };
        let Some(Value::Array(items)) = document.pointer(bulk.items.as_str()) else {
            return all(
                FailureKind::SilentLoss,
                format!("the reply has no list at `{}`", bulk.items.as_str()),
            );
        };
        if items.len() != pushes.len() {
            let problem =
                format!("{} records were sent, but the reply tells of {}", pushes.len(), items.len());
            return all(FailureKind::Unknown, problem);
        }
        pushes.iter().zip(items).map(|(push, item)| self.result(program, bulk, push, item, reply)).collect()
    }

    fn result(
        &self,
        program: &Program,
        bulk: &Bulk,
        push: &Push<'_>,
        item: &Value,
        reply: &Reply,
    ) -> Outcome {
        let label = &bulk.write.label;
        let status = match &bulk.status {
            None => Some(reply.status),
            Some(at) => item.pointer(at.as_str()).and_then(status_of),
        };
        let Some(status) = status else {
            let reason = format!("{label}: the record's result has no status that can be read");
            return Outcome::Failed(Failure::new(FailureKind::Unknown, reason));
        };
        let text = item.to_string();
        let class = program.rules.read(bulk.write.purpose, status, &reply.headers, text.as_bytes());
        let id = item.pointer(bulk.id.as_str()).and_then(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let id = id.or_else(|| push.known.map(|known| known.as_str().to_owned()));
        let failed = |kind| {
            let part = Reply { status, headers: reply.headers.clone(), body: text.clone().into() };
            Outcome::Failed(reply::failure(kind, label, &part, &push.record.body))
        };
        match (class, id) {
            (ReplyClass::Ok, Some(id)) => {
                let record = item.pointer(bulk.id.parent()).filter(|record| record.is_object());
                if let (Verify::Echo, Some(record)) = (program.verify, record)
                    && let Err(failure) = proof::compare(program, &bulk.write, push, record, false)
                {
                    return Outcome::Failed(failure);
                }
                let origin = if status == 201 { Origin::Created } else { Origin::Adopted };
                Outcome::Landed { id: TargetId::new(id), origin }
            }
            (ReplyClass::Exists, Some(id)) => {
                Outcome::Landed { id: TargetId::new(id), origin: Origin::Adopted }
            }
            (ReplyClass::Ok, None) => {
                let reason = format!("{label}: the record's result has no id at `{}`", bulk.id.as_str());
                Outcome::Failed(Failure::new(FailureKind::SilentLoss, reason).with_status(status))
            }
            (ReplyClass::Exists, None) => failed(FailureKind::Conflict),
            (ReplyClass::Missing, _) => failed(FailureKind::Refused),
            (ReplyClass::Failed(kind), _) => failed(kind),
        }
    }
}

/// What became of one bulk request.
enum Sent {
    Each(Vec<Outcome>),
    Halve,
}

/// A status as number (`201`) or as text (`"201"`, `"201 Created"`).
fn status_of(value: &Value) -> Option<u16> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    text.split_whitespace().next()?.parse().ok().filter(|status| (100..600).contains(status))
}

/// One key for all records of the request: constant for the same records, another for others (FNV-1a, 128 bits).
fn bulk_key(pushes: &[Push<'_>]) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for push in pushes {
        for byte in push.idempotency_key.bytes().chain([0]) {
            hash ^= u128::from(byte);
            hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("bulk-{hash:032x}")
}
