//! The push programs of one record.

use bytes::Bytes;
use haulier_core::plan::{ReplyClass, UnknownPolicy};
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, Origin};
use hyper::header::{HeaderName, HeaderValue};

use crate::adapter::Http;
use crate::http::{Call, Reply, Trouble};
use crate::lookup::Found;
use crate::program::{Finder, Id, Program, Shape, Step};
use crate::reply::{self, shorten};
use crate::template::Facts;
use crate::{body, json};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What became of a record: its id, and whether this push created it.
type Landed = (String, Origin);

/// What a write's reply means, failures apart.
#[derive(Debug)]
pub(crate) enum Answer {
    Ok(Reply),
    Exists(Reply),
    Missing(Reply),
}

/// What travels with every step of a program.
#[derive(Debug, Clone, Copy)]
struct Errand<'a> {
    program: &'a Program,
    push: &'a Push<'a>,
    throttle: &'a dyn Throttle,
}

impl Http {
    /// Runs the entity's program for one record.
    pub(crate) async fn run(
        &self,
        program: &Program,
        push: &Push<'_>,
        throttle: &dyn Throttle,
    ) -> Result<Landed, Failure> {
        let errand = Errand { program, push, throttle };
        match &program.shape {
            Shape::Put(write) => self.put(errand, write).await,
            Shape::Link(write) => self.link(errand, write).await,
            Shape::Update(write) => self.update_landed(errand, write).await,
            Shape::Create { create, lookup, update } => {
                self.create(errand, create, lookup.as_ref(), update.as_ref(), false).await
            }
            Shape::LookupThenWrite { lookup, create, update } => {
                self.create(errand, create, Some(lookup), update.as_ref(), true).await
            }
            Shape::Bulk(_) => Err(Program::unfit("a bulk program has no single write")),
        }
    }

    async fn put(&self, errand: Errand<'_>, write: &Step) -> Result<Landed, Failure> {
        let known = errand.push.known.map(haulier_core::TargetId::as_str);
        match self.write(errand, write, known).await? {
            Answer::Ok(reply) => {
                let id = self.id(errand, write, &reply, known).await?;
                self.prove(errand.program, write, errand.push, &id, &reply, errand.throttle).await?;
                // Only a 201 tells that there was nothing before.
                let origin = if reply.status == 201 { Origin::Created } else { Origin::Adopted };
                Ok((id, origin))
            }
            Answer::Exists(reply) => Ok((existing_id(errand, write, &reply)?, Origin::Adopted)),
            Answer::Missing(reply) => Err(refused(errand, write, &reply)),
        }
    }

    async fn link(&self, errand: Errand<'_>, write: &Step) -> Result<Landed, Failure> {
        let known = errand.push.known.map(haulier_core::TargetId::as_str);
        match self.write(errand, write, known).await? {
            Answer::Ok(reply) => {
                let id = self.id(errand, write, &reply, known).await?;
                self.prove(errand.program, write, errand.push, &id, &reply, errand.throttle).await?;
                // 200 and 204 are said of a link that was there, too.
                let origin = if reply.status == 201 { Origin::Created } else { Origin::Adopted };
                Ok((id, origin))
            }
            Answer::Exists(reply) => Ok((existing_id(errand, write, &reply)?, Origin::Adopted)),
            Answer::Missing(reply) => Err(refused(errand, write, &reply)),
        }
    }

    /// Changes a record that landed as another entity's: its id is the first reference.
    async fn update_landed(&self, errand: Errand<'_>, write: &Step) -> Result<Landed, Failure> {
        let own = errand.push.known.or_else(|| errand.push.refs.first().and_then(Option::as_ref));
        let Some(own) = own.map(haulier_core::TargetId::as_str) else {
            return Err(Program::unfit("the record to update has no target id"));
        };
        match self.write(errand, write, Some(own)).await? {
            Answer::Ok(reply) => {
                self.prove(errand.program, write, errand.push, own, &reply, errand.throttle).await?;
                Ok((own.to_owned(), Origin::Adopted))
            }
            Answer::Exists(_) => Ok((own.to_owned(), Origin::Adopted)),
            Answer::Missing(reply) => Err(refused(errand, write, &reply)),
        }
    }

    async fn create(
        &self,
        errand: Errand<'_>,
        create: &Step,
        lookup: Option<&Finder>,
        update: Option<&Step>,
        look_first: bool,
    ) -> Result<Landed, Failure> {
        let push = errand.push;
        let mut look = look_first || push.unsure;
        if let Some(known) = push.known {
            match self.change(errand, update, known.as_str()).await? {
                Some(landed) => return Ok(landed),
                // It was there once and is gone: it may stand there under another id.
                None => look = true,
            }
        }
        if look {
            match lookup {
                Some(finder) => {
                    if let Some(found) = self.find(errand.program, finder, push, errand.throttle).await? {
                        return self.adopt(errand, update, found).await;
                    }
                }
                None if push.unsure && errand.program.unknown == UnknownPolicy::Hold => {
                    let reason = format!(
                        "{}: an earlier attempt may have been stored, and the plan names no lookup that could tell",
                        create.label
                    );
                    return Err(Failure::new(FailureKind::Conflict, reason));
                }
                None => {}
            }
        }
        match self.write(errand, create, None).await? {
            Answer::Ok(reply) => {
                let id = self.id(errand, create, &reply, None).await?;
                self.prove(errand.program, create, push, &id, &reply, errand.throttle).await?;
                Ok((id, Origin::Created))
            }
            Answer::Exists(_) => {
                let conflict = |words: &str| {
                    Failure::new(
                        FailureKind::Conflict,
                        format!("{}: the target says it is there already, {words}", create.label),
                    )
                };
                let Some(finder) = lookup else {
                    return Err(conflict("and the plan names no lookup that could find it"));
                };
                match self.find(errand.program, finder, push, errand.throttle).await? {
                    Some(found) => self.adopt(errand, update, found).await,
                    None => Err(conflict("but the lookup does not find it")),
                }
            }
            Answer::Missing(reply) => Err(refused(errand, create, &reply)),
        }
    }

    /// Takes a record that was found: changed where the plan can change it, as it is otherwise.
    async fn adopt(
        &self,
        errand: Errand<'_>,
        update: Option<&Step>,
        found: Found,
    ) -> Result<Landed, Failure> {
        match self.change(errand, update, &found.id).await? {
            Some(landed) => Ok(landed),
            None => Err(Failure::new(
                FailureKind::Transient,
                "the lookup finds the record, but the target says it is not there to be updated",
            )),
        }
    }

    /// Updates the record with this id; `None` when it is not there.
    async fn change(
        &self,
        errand: Errand<'_>,
        update: Option<&Step>,
        id: &str,
    ) -> Result<Option<Landed>, Failure> {
        let landed = (id.to_owned(), Origin::Adopted);
        let Some(step) = update else { return Ok(Some(landed)) };
        match self.write(errand, step, Some(id)).await? {
            Answer::Ok(reply) => {
                self.prove(errand.program, step, errand.push, id, &reply, errand.throttle).await?;
                Ok(Some(landed))
            }
            Answer::Exists(_) => Ok(Some(landed)),
            Answer::Missing(_) => Ok(None),
        }
    }

    async fn write(&self, errand: Errand<'_>, step: &Step, own: Option<&str>) -> Result<Answer, Failure> {
        let Errand { program, push, throttle } = errand;
        let body = if step.empty { String::new() } else { body::body(program, step, push)? };
        let facts = Facts { vars: &push.record.vars, refs: push.refs, own };
        let reply = self.send_step(step, facts, push.idempotency_key, body, throttle).await?;
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
        key: &str,
        body: String,
        throttle: &dyn Throttle,
    ) -> Result<Reply, Failure> {
        let unfit = |problem: String| Program::unfit(&problem);
        let mut path = String::with_capacity(96);
        step.path.fill(facts, &mut path).map_err(unfit)?;
        let mut headers = Vec::with_capacity(step.headers.len() + 1);
        let mut value = String::with_capacity(key.len() + step.suffix.len());
        value.push_str(key);
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
    async fn id(
        &self,
        errand: Errand<'_>,
        step: &Step,
        reply: &Reply,
        known: Option<&str>,
    ) -> Result<String, Failure> {
        let Some(source) = &step.id else { return own_id(errand, step) };
        if let Some(id) = told(source, facts(errand, known), reply)
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
        let own = errand.push.known.map(haulier_core::TargetId::as_str);
        let mut id = String::new();
        text.fill(facts(errand, own), &mut id).map_err(|problem| Program::unfit(&problem))?;
        return Ok(id);
    }
    Ok(errand
        .push
        .known
        .map_or_else(|| errand.push.record.key.as_str(), haulier_core::TargetId::as_str)
        .to_owned())
}

/// The id of a record that the target says is there already.
fn existing_id(errand: Errand<'_>, step: &Step, reply: &Reply) -> Result<String, Failure> {
    let known = errand.push.known.map(haulier_core::TargetId::as_str);
    let (Some(source), None) = (&step.id, known) else { return own_id(errand, step) };
    if let Ok(Some(id)) = told(source, facts(errand, known), reply) {
        return Ok(id);
    }
    let reason = format!(
        "{}: the target says it is there already, but the reply has not {}",
        step.label,
        source.expected()
    );
    Err(Failure::new(FailureKind::Conflict, reason).with_status(reply.status))
}

/// The id that the reply tells; `None` when it tells none, an error when it is not what the target should send.
fn told(source: &Id, facts: Facts<'_>, reply: &Reply) -> Result<Option<String>, String> {
    Ok(match source {
        Id::Pointer(_) if reply.body.is_empty() => None,
        Id::Pointer(at) => at
            .pick(&reply.body)
            .map_err(|_| format!("the reply ({}) is not JSON", reply.media_type()))?
            .and_then(|raw| json::scalar_text(raw.get()))
            .filter(|text| !text.is_empty() && *text != "true" && *text != "false")
            .map(std::borrow::Cow::into_owned),
        Id::Header(name) => reply.header(name).filter(|text| !text.is_empty()).map(str::to_owned),
        Id::Location => reply.header("location").and_then(last_segment),
        Id::Made(text) => {
            let mut id = String::new();
            text.fill(facts, &mut id)?;
            Some(id)
        }
    })
}

fn last_segment(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let (_, last) = path.rsplit_once('/').unwrap_or(("", path));
    let decoded = percent_encoding::percent_decode_str(last).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

/// A yes that is none, such as a login page: nobody knows what happened to the record.
fn strange_reply(step: &Step, reply: &Reply, problem: &str) -> Failure {
    let reason = shorten(format!("{}: {problem}", step.label));
    Failure::new(FailureKind::Unknown, reason).with_status(reply.status)
}

fn refused(errand: Errand<'_>, step: &Step, reply: &Reply) -> Failure {
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
