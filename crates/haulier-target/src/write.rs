//! One write of a program: how it leaves, and the id that it brings.

use bytes::Bytes;
use haulier_core::plan::ReplyClass;
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, TargetId};
use hyper::header::{HeaderName, HeaderValue};

use crate::adapter::Http;
use crate::body;
use crate::http::{Call, Reply, Trouble};
use crate::program::{Id, Program, Step};
use crate::reply::{self, shorten};
use crate::template::Facts;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a write's reply means, failures apart.
#[derive(Debug)]
pub(crate) enum Answer {
    Ok(Reply),
    Exists(Reply),
    Missing(Reply),
}

/// What travels with every step of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) program: &'a Program,
    pub(crate) push: &'a Push<'a>,
    pub(crate) throttle: &'a dyn Throttle,
    /// The record was there and is gone: a target that keeps answers by key must not give the one of back then.
    pub(crate) again: bool,
}

impl Http {
    /// Sends one write for one record; what its reply means, failures apart.
    pub(crate) async fn write(
        &self,
        errand: Errand<'_>,
        step: &Step,
        own: Option<&str>,
    ) -> Result<Answer, Failure> {
        let Errand { program, push, throttle, again } = errand;
        let body = if step.empty { String::new() } else { body::body(program, step, push)? };
        let facts = Facts { vars: &push.record.vars, refs: push.refs, own };
        let reply = self
            .send_step(step, facts, (push.idempotency_key, if again { ".again" } else { "" }), body, throttle)
            .await?;
        match program.rules.read(step.purpose, reply.status, &reply.headers, &reply.body) {
            ReplyClass::Ok => Ok(Answer::Ok(reply)),
            ReplyClass::Exists => Ok(Answer::Exists(reply)),
            ReplyClass::Missing => Ok(Answer::Missing(reply)),
            ReplyClass::Failed(kind) => Err(failed(errand, step, kind, &reply)),
        }
    }

    /// Sends one write.
    pub(crate) async fn send_step(
        &self,
        step: &Step,
        facts: Facts<'_>,
        (key, suffix): (&str, &str),
        body: String,
        throttle: &dyn Throttle,
    ) -> Result<Reply, Failure> {
        let unfit = |problem: String| Program::unfit(&problem);
        let mut path = String::with_capacity(96);
        step.path.fill(facts, &mut path).map_err(unfit)?;
        let mut headers = Vec::with_capacity(step.headers.len() + 1);
        let mut value = String::with_capacity(key.len() + suffix.len() + step.suffix.len());
        value.push_str(key);
        value.push_str(suffix);
        value.push_str(step.suffix);
        if !key.is_empty() {
            headers.push((IDEMPOTENCY_KEY, header_value(value, &IDEMPOTENCY_KEY)?));
        }
        for (name, text) in &step.headers {
            let mut value = String::new();
            text.fill(facts, &mut value).map_err(unfit)?;
            headers.push((name.clone(), header_value(value, name)?));
        }
        let call = Call {
            method: step.method.clone(),
            path: &path,
            headers,
            content_type: step.content_type.clone(),
            body: Bytes::from(body),
            limit: self.max_reply,
        };
        self.client.send(&call, Some(throttle)).await.map_err(|trouble| match trouble {
            Trouble::Unsent(failure) => failure,
            Trouble::Lost(reason) => {
                Failure::new(FailureKind::Unknown, shorten(format!("{}: {reason}", step.label)))
            }
        })
    }

    /// The id that a successful reply tells, or that a lookup finds where it tells none.
    pub(crate) async fn id(
        &self,
        errand: Errand<'_>,
        step: &Step,
        reply: &Reply,
        known: Option<&str>,
    ) -> Result<String, Failure> {
        let Some(source) = &step.id else { return own_id(errand, step) };
        if let Some(id) = source
            .told(facts(errand, known), reply)
            .map_err(|problem| strange_reply(step, reply, &problem))?
        {
            return Ok(id);
        }
        if let Some(known) = known {
            return Ok(known.to_owned());
        }
        let silent = |words: &str| {
            let reason = format!("{}: the target answers yes, but {words} {}", step.label, source.expected());
            Failure::new(FailureKind::SilentLoss, reason).with_status(reply.status)
        };
        let Some(finder) = errand.program.shape.lookup() else {
            return Err(silent("the reply has not"));
        };
        let found = Box::pin(self.find(errand.program, finder, errand.push, errand.throttle)).await;
        match found {
            Ok(Some(found)) => Ok(found.id),
            Ok(None) => Err(silent("a lookup does not find it and the reply has not")),
            Err(failure) if failure.kind == FailureKind::Duplicate => Err(failure),
            // It is stored: the next attempt must look before it creates.
            Err(failure) => Err(Failure {
                kind: FailureKind::Unknown,
                reason: shorten(format!("stored, but its id is not known: {}", failure.reason)),
                ..failure
            }),
        }
    }
}

fn facts<'a>(errand: Errand<'a>, own: Option<&'a str>) -> Facts<'a> {
    Facts { vars: &errand.push.record.vars, refs: errand.push.refs, own }
}

/// The id where no reply tells one: known already, made by the plan's template, or the source key.
fn own_id(errand: Errand<'_>, step: &Step) -> Result<String, Failure> {
    if let Some(Id::Made(text)) = &step.id {
        let own = errand.push.known.map(TargetId::as_str);
        let mut id = String::new();
        text.fill(facts(errand, own), &mut id).map_err(|problem| Program::unfit(&problem))?;
        return Ok(id);
    }
    Ok(errand.push.known.map_or_else(|| errand.push.record.key.as_str(), TargetId::as_str).to_owned())
}

/// The id of a record that the target says is there already.
pub(crate) fn existing_id(errand: Errand<'_>, step: &Step, reply: &Reply) -> Result<String, Failure> {
    let known = errand.push.known.map(TargetId::as_str);
    let (Some(source), None) = (&step.id, known) else { return own_id(errand, step) };
    if let Ok(Some(id)) = source.told(facts(errand, known), reply) {
        return Ok(id);
    }
    let reason = format!(
        "{}: the target says it is there already, but the reply has not {}",
        step.label,
        source.expected()
    );
    Err(Failure::new(FailureKind::Conflict, reason).with_status(reply.status))
}

/// A yes that is none, such as a login page: nobody knows what happened to the record.
fn strange_reply(step: &Step, reply: &Reply, problem: &str) -> Failure {
    let reason = shorten(format!("{}: {problem}", step.label));
    Failure::new(FailureKind::Unknown, reason).with_status(reply.status)
}

pub(crate) fn refused(errand: Errand<'_>, step: &Step, reply: &Reply) -> Failure {
    failed(errand, step, FailureKind::Refused, reply)
}

fn failed(errand: Errand<'_>, step: &Step, kind: FailureKind, reply: &Reply) -> Failure {
    reply::failure(kind, &step.label, reply, &errand.push.record.body)
}

fn header_value(value: String, name: &HeaderName) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(value).map_err(|_| {
        Program::unfit(&format!("the value of the header `{name}` holds characters no header may hold"))
    })
}
