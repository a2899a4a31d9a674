//! One scripted target, opened, with what most tests ask of it.

use std::sync::Arc;

use haulier_core::plan::Entity;
use haulier_core::port::{Push, Target};
use haulier_core::{Failure, FailureKind, Origin, Outcome, Record, TargetId};
use haulier_target::{Options, open};
use haulier_testkit::fake_target::{CountingThrottle, FakeTarget};

pub(crate) struct Bench {
    pub(crate) fake: FakeTarget,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) throttle: CountingThrottle,
}

/// The adapter with its defaults.
pub(crate) fn plain(url: &str) -> Arc<dyn Target> {
    open(&Options::new(url)).unwrap()
}

/// What a push may be given besides entity and record.
#[derive(Default)]
pub(crate) struct With<'a> {
    pub(crate) refs: &'a [Option<TargetId>],
    pub(crate) known: Option<&'a str>,
    pub(crate) unsure: bool,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let fake = FakeTarget::start().await;
        let mut options = Options::new(fake.url());
        change(&mut options);
        Self { target: open(&options).unwrap(), fake, throttle: CountingThrottle::default() }
    }

    pub(crate) async fn push(&self, entity: &Entity, record: &Record) -> Outcome {
        self.push_with(entity, record, With::default()).await
    }

    pub(crate) async fn push_with(&self, entity: &Entity, record: &Record, with: With<'_>) -> Outcome {
        let known = with.known.map(TargetId::new);
        let push = Push {
            entity,
            record,
            refs: with.refs,
            known: known.as_ref(),
            unsure: with.unsure,
            idempotency_key: "key-1",
        };
        self.target.push(push, &self.throttle).await
    }

    pub(crate) async fn failure(&self, entity: &Entity, record: &Record) -> Failure {
        failure(self.push(entity, record).await)
    }
}

#[track_caller]
pub(crate) fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Landed { id, .. } => panic!("landed as {id}"),
    }
}

#[track_caller]
pub(crate) fn kind(outcome: Outcome) -> FailureKind {
    failure(outcome).kind
}

#[track_caller]
pub(crate) fn landed(outcome: Outcome) -> (String, Origin) {
    match outcome {
        Outcome::Landed { id, origin } => (id.as_str().to_owned(), origin),
        Outcome::Failed(failure) => panic!("{failure}"),
    }
}
