//! The adapter: one target, reached over HTTP, for all entities of a plan.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use haulier_core::plan::Entity;
use haulier_core::port::{PageRequest, Push, Target, TargetPage, Throttle};
use haulier_core::{EntityName, Failure, Outcome};

use crate::http::Client;
use crate::program::{Program, Shape};
use crate::{OpenError, Options};

/// Opens a target. No request is sent yet.
///
/// An entity's program is made ready once: a name stands for the same entity as long as the target is open.
pub fn open(options: &Options) -> Result<Arc<dyn Target>, OpenError> {
    Ok(Arc::new(Http {
        client: Client::new(options)?,
        max_reply: options.max_reply_bytes,
        max_page: options.max_page_bytes,
        check_path: options.check_path.clone().unwrap_or_default(),
        programs: RwLock::default(),
    }))
}

/// A target behind HTTP.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) client: Client,
    pub(crate) max_reply: usize,
    pub(crate) max_page: usize,
    pub(crate) check_path: String,
    programs: RwLock<HashMap<EntityName, Ready>>,
}

/// A program, or what makes it impossible.
type Ready = Result<Arc<Program>, String>;

impl Http {
    /// The entity's program.
    pub(crate) fn program(&self, entity: &Entity) -> Result<Arc<Program>, Failure> {
        let known = self.programs.read().unwrap_or_else(PoisonError::into_inner).get(&entity.name).cloned();
        let ready = known.unwrap_or_else(|| {
            let ready: Ready = Program::new(entity).map(Arc::new);
            let mut programs = self.programs.write().unwrap_or_else(PoisonError::into_inner);
            programs.insert(entity.name.clone(), ready.clone());
            ready
        });
        ready.map_err(|problem| Program::unfit(&format!("entity `{}`: {problem}", entity.name)))
    }
}

#[async_trait]
impl Target for Http {
    async fn push(&self, push: Push<'_>, throttle: &dyn Throttle) -> Outcome {
        let program = match self.program(push.entity) {
            Ok(program) => program,
            Err(failure) => return Outcome::Failed(failure),
        };
        if let Shape::Bulk(bulk) = &program.shape {
            let outcome = Box::pin(self.push_bulk(&program, bulk, &[push], throttle)).await.pop();
            return outcome
                .unwrap_or_else(|| Outcome::Failed(Program::unfit("the bulk write has no record")));
        }
        match self.run(&program, &push, throttle).await {
            Ok((id, origin)) => Outcome::Landed { id: haulier_core::TargetId::new(id), origin },
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn push_many(&self, pushes: &[Push<'_>], throttle: &dyn Throttle) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(pushes.len());
        if let Some(first) = pushes.first()
            && let Ok(program) = self.program(first.entity)
            && let Shape::Bulk(bulk) = &program.shape
        {
            for chunk in pushes.chunks(bulk.max) {
                outcomes.extend(self.push_bulk(&program, bulk, chunk, throttle).await);
            }
            return outcomes;
        }
        for push in pushes {
            outcomes.push(self.push(*push, throttle).await);
        }
        outcomes
    }

    async fn check(&self) -> Result<(), Failure> {
        self.check_target().await
    }

    async fn check_lookup(&self, entity: &Entity) -> Result<(), Failure> {
        let program = self.program(entity)?;
        self.check_finder(&program, entity).await
    }

    async fn read(&self, push: Push<'_>, throttle: &dyn Throttle) -> Result<Option<String>, Failure> {
        let program = self.program(push.entity)?;
        self.read_again(&program, &push, throttle).await
    }

    async fn page(&self, request: PageRequest<'_>, throttle: &dyn Throttle) -> Result<TargetPage, Failure> {
        let program = self.program(request.entity)?;
        self.list_page(&program, request.list, request.at, throttle).await
    }
}
