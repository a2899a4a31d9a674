//! The push programs of one record.

use haulier_core::plan::UnknownPolicy;
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, Origin, TargetId};

use crate::adapter::Http;
use crate::lookup::Found;
use crate::program::{Finder, Program, Shape, Step};
use crate::write::{Answer, Errand, existing_id, refused};

/// What became of a record: its id, and whether this push created it.
type Landed = (String, Origin);

impl Http {
    /// Runs the entity's program for one record.
    pub(crate) async fn run(
        &self,
        program: &Program,
        push: &Push<'_>,
        throttle: &dyn Throttle,
    ) -> Result<Landed, Failure> {
        let errand = Errand { program, push, throttle, again: false };
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
        let known = errand.push.known.map(TargetId::as_str);
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
        let known = errand.push.known.map(TargetId::as_str);
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
        let Some(own) = own.map(TargetId::as_str) else {
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
        mut errand: Errand<'_>,
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
                None => {
                    look = true;
                    errand.again = true;
                }
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
}
