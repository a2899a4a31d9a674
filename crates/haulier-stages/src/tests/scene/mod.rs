//! A plan, a log in memory, a clock that is set, and hands that note what they were asked.

mod hands;
mod log;
mod plan;

use std::path::PathBuf;
use std::sync::Arc;

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, StageLog};
use haulier_core::stage::{Reported, RunKind, Severity, Standing, Verb, Wish, reported};
use haulier_core::{ProcessId, RunId, StageName};
use tokio_util::sync::CancellationToken;

pub(super) use hands::Told;
pub(super) use log::{Hour, Log};
pub(super) use plan::{gate, plan, window};

use crate::{Carry, Controller, Desk, Ending, Hands, Options, Trouble, Whose, Wrote, decide};

/// Everything a controller needs, again and again.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) log: Arc<Log>,
    pub(super) clock: Arc<Hour>,
    pub(super) hands: Arc<Told>,
    pub(super) plan: Arc<Plan>,
    pub(super) kind: RunKind,
}

impl Scene {
    pub(super) fn new() -> Self {
        let clock = Arc::<Hour>::default();
        Self {
            log: Arc::new(Log::new()),
            clock: Arc::clone(&clock),
            hands: Arc::new(Told { clock, ..Told::default() }),
            plan: Arc::new(plan()),
            kind: RunKind::Production,
        }
    }

    pub(super) fn desk(&self, by: &str) -> Desk {
        Desk {
            log: Arc::clone(&self.log) as Arc<dyn StageLog>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            run: RunId::new("r-1"),
            by: by.to_owned(),
        }
    }

    pub(super) fn controller(&self, options: Options) -> Controller {
        Controller {
            desk: self.desk("sam@ops"),
            hands: Arc::clone(&self.hands) as Arc<dyn Hands>,
            plan: Arc::clone(&self.plan),
            folder: PathBuf::new(),
            process: ProcessId::new("c-1"),
            person: "sam".to_owned(),
            kind: self.kind,
            options,
            stop: CancellationToken::new(),
        }
    }

    /// Walks until something waits.
    pub(super) async fn walk(&self, resume: bool) -> Result<Ending, Trouble> {
        self.controller(Options { no_wait: true, resume, ..Options::default() }).run().await
    }

    /// What somebody decides, from another shell.
    pub(super) async fn decide(&self, gate: &str, verb: Verb) -> Result<bool, Trouble> {
        let desk = self.desk("pierre@home");
        let mut standing = desk.standing().await?;
        let wish = Wish {
            verb,
            person: "pierre",
            note: "seen",
            evidence: None,
            overrides: false,
            plan: &self.plan.digest,
            now: self.clock.micros(),
        };
        let gate = self.plan.stages.gate(&StageName::new(gate)).unwrap();
        decide(&desk, &self.plan, gate, &wish, &mut standing).await.map(|(_, moved)| moved)
    }

    pub(super) async fn standing(&self) -> Standing {
        self.desk("test").standing().await.unwrap()
    }

    /// Closes what somebody found.
    pub(super) async fn close(&self, id: &str) {
        let desk = self.desk("lin@ops");
        let mut standing = desk.standing().await.unwrap();
        let found = reported(&standing).into_iter().find(|one| one.id == id).unwrap();
        let facts = vec![(found.closed(), Some("mended".to_owned()))];
        assert_eq!(desk.write(&mut standing, facts).await.unwrap(), Wrote::Kept);
    }

    /// The legs that were carried: number and tenants.
    pub(super) fn legs(&self) -> Vec<(u32, Vec<String>)> {
        let carried = self.hands.carried.lock().unwrap();
        let of = |carry: &Carry| {
            let (Whose::Only(tenants) | Whose::AllBut(tenants)) = &carry.whose;
            (carry.number, tenants.iter().map(|tenant| tenant.as_str().to_owned()).collect())
        };
        carried.iter().map(of).collect()
    }
}

/// Records what somebody found.
pub(super) async fn report(scene: &Scene, severity: Severity, text: &str) -> String {
    let desk = scene.desk("lin@ops");
    let mut standing = desk.standing().await.unwrap();
    let (id, fact) = Reported::next(&standing, severity, text);
    assert_eq!(desk.write(&mut standing, vec![(fact, None)]).await.unwrap(), Wrote::Kept);
    id
}
