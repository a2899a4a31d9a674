//! A plan, a log in memory, a clock that is set, and hands that note what they were asked.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::calendar::{
    AtEnd, Calendar, DECISION_POINT, MaxFailed, Place, Selector, Wave, When, Window, Zone,
};
use haulier_core::plan::{
    Approvers, Gate, Hook, HookAct, OnTimeout, Person, Plan, ProofLevel, Stage, StageKind, Stages,
};
use haulier_core::port::{Clock, ControllerLease, LedgerError, Micros, StageLog};
use haulier_core::stage::{CheckResult, Entry, Finding, RunKind, Standing, Verb, Weight, Wish};
use haulier_core::{EntityName, ProcessId, RunId, StageName, TenantKey};
use tokio_util::sync::CancellationToken;

use crate::{Carried, Carry, Controller, Desk, Ending, Hands, Options, Trouble, Whose, decide};

/// A log in memory, which loses its writer at the wanted entry: before it is kept, or after.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Mutex<Vec<Entry>>,
    lease: Mutex<Option<ControllerLease>>,
    /// Appends that are still let through; the next one fails.
    pub(super) left: AtomicUsize,
    /// Whether the one that fails was kept all the same.
    pub(super) kept: std::sync::atomic::AtomicBool,
}

fn dead() -> LedgerError {
    LedgerError::Failed { doing: "dying", cause: "the process was killed".to_owned() }
}

#[async_trait]
impl StageLog for Log {
    async fn append(&self, _: &RunId, known: u64, entries: &[Entry]) -> Result<bool, LedgerError> {
        let mut all = self.entries.lock().unwrap();
        if u64::try_from(all.len()).unwrap() != known {
            return Ok(false);
        }
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.kept.load(Ordering::SeqCst) {
                all.extend_from_slice(entries);
            }
            return Err(dead());
        }
        self.left.store(left - 1, Ordering::SeqCst);
        all.extend_from_slice(entries);
        Ok(true)
    }

    async fn entries(&self, _: &RunId, after: u64) -> Result<Vec<Entry>, LedgerError> {
        let all = self.entries.lock().unwrap();
        Ok(all.iter().filter(|entry| entry.version > after).cloned().collect())
    }

    async fn hold_controller_lease(
        &self,
        _: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ControllerLease, LedgerError> {
        let mut lease = self.lease.lock().unwrap();
        if let Some(held) = lease.as_ref().filter(|held| held.holder != *process && held.is_live(now)) {
            return Ok(held.clone());
        }
        Ok(lease.insert(ControllerLease { holder: process.clone(), until, since: now }).clone())
    }

    async fn release_controller_lease(&self, _: &RunId, _: &ProcessId) -> Result<(), LedgerError> {
        *self.lease.lock().unwrap() = None;
        Ok(())
    }

    async fn controller_lease(&self, _: &RunId) -> Result<Option<ControllerLease>, LedgerError> {
        Ok(self.lease.lock().unwrap().clone())
    }
}

#[derive(Debug, Default)]
pub(super) struct Hour(pub(super) AtomicI64);

impl Clock for Hour {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(1_700_000_000_000_000 + self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Hands that note what they were asked, and answer yes unless they are told otherwise.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) carried: Mutex<Vec<Carry>>,
    pub(super) called: Mutex<Vec<String>>,
    /// What does not pass: a check, `empty`, `deep`, `diff`.
    pub(super) wrong: Mutex<BTreeSet<String>>,
    pub(super) print: Mutex<String>,
    pub(super) dead: AtomicUsize,
    /// The windows of the first wave.
    pub(super) windows: Mutex<Vec<Window>>,
    pub(super) said: Mutex<Vec<String>>,
}

impl Told {
    fn answer(&self, what: &str) -> (CheckResult, String) {
        let wrong = self.wrong.lock().unwrap().contains(what);
        (if wrong { CheckResult::Fail } else { CheckResult::Pass }, what.to_owned())
    }
}

#[async_trait]
impl Hands for Told {
    async fn preflight(&self) -> Vec<Finding> {
        let (result, saw) = self.answer("source");
        vec![Finding { check: "source".to_owned(), weight: Weight::Must, result, saw }]
    }

    async fn fingerprints(&self) -> Result<Vec<(String, String)>, Trouble> {
        Ok(vec![("source schema".to_owned(), self.print.lock().unwrap().clone())])
    }

    async fn calendar(&self) -> Result<Calendar, Trouble> {
        let wave = |name: &str, tenants: Selector| Wave {
            name: name.to_owned(),
            tenants,
            windows: Vec::new(),
            parallel: 1,
            soak: Duration::ZERO,
            max_failed: MaxFailed::Tenants(0),
            not_before: None,
            not_after: None,
            audience: None,
        };
        let windows = self.windows.lock().unwrap().clone();
        let first = Wave {
            windows: windows.iter().map(|window| window.name.clone()).collect(),
            ..wave("w1", Selector::Keys(vec!["3".to_owned(), "4".to_owned()]))
        };
        let calendar =
            Calendar { windows, waves: vec![first, wave("w2", Selector::Rest)], ..Calendar::default() };
        Ok(calendar.with_tenants((1..=6).map(|key| TenantKey::new(key.to_string()))))
    }

    async fn carry(&self, carry: Carry, stop: &CancellationToken) -> Result<Carried, Trouble> {
        self.carried.lock().unwrap().push(carry);
        if self.wrong.lock().unwrap().contains("carry") {
            stop.cancelled().await;
            return Ok(Carried::Stopped);
        }
        Ok(Carried::Drained)
    }

    async fn dead(&self) -> Result<u64, Trouble> {
        Ok(u64::try_from(self.dead.load(Ordering::SeqCst)).unwrap())
    }

    async fn prove(&self, level: ProofLevel, _: &[TenantKey]) -> (CheckResult, String) {
        self.answer(level.as_str())
    }

    async fn look(&self, check: &str, _: &Standing) -> (CheckResult, String) {
        self.answer(check)
    }

    async fn empty(&self, _: Duration) -> (CheckResult, String) {
        self.answer("empty")
    }

    async fn call(&self, url: &str, body: String) -> Result<(), String> {
        assert!(body.contains("\"attempt\""), "{body}");
        self.called.lock().unwrap().push(url.to_owned());
        Ok(())
    }

    async fn finish(&self) -> Result<(), Trouble> {
        Ok(())
    }

    fn tell(&self, line: &str) {
        self.said.lock().unwrap().push(line.to_owned());
    }
}

fn stage(name: &str, kind: StageKind, needs: &[&str]) -> Stage {
    Stage {
        name: StageName::new(name),
        kind,
        needs: needs.iter().map(|need| StageName::new(*need)).collect(),
        tenants: Vec::new(),
        waves: Vec::new(),
        window: None,
        optional: kind == StageKind::Freeze,
        point_of_no_return: false,
        owner: None,
        start: Vec::new(),
        enter: Vec::new(),
        leave: Vec::new(),
        proof: Vec::new(),
        most_dead: 0,
        lasts: Duration::ZERO,
        expect: None,
    }
}

pub(super) fn gate(before: &str) -> Gate {
    Gate {
        before: StageName::new(before),
        checks: vec![(Weight::Must, "queue.empty".to_owned())],
        approvers: Approvers { role: "approver".to_owned(), min: 1, not_the_starter: true },
        override_role: "approver".to_owned(),
        fresh_for: Duration::from_hours(1),
        expires: Duration::from_hours(1),
        due: None,
        on_timeout: OnTimeout::Hold,
        auto: false,
    }
}

/// A window in UTC.
pub(super) fn window(name: &str, at: &str) -> Window {
    Window {
        name: name.to_owned(),
        place: Place::Zone(Zone::utc()),
        when: When::once(at).unwrap(),
        cutoff: Some(Duration::ZERO),
        at_end: AtEnd::Drain,
        decision_point: DECISION_POINT,
        max_extension: Duration::ZERO,
        restore_may_overrun: false,
        extended: Vec::new(),
    }
}

/// The usual stages: smoke of two, two waves, release behind a gate, and a hook at each end of the release.
pub(super) fn plan() -> Plan {
    let hook = |name: &str| Hook {
        name: name.to_owned(),
        act: HookAct::Webhook(format!("https://{name}")),
        expect: None,
        timeout: Duration::from_secs(5),
        retries: 0,
    };
    let smoke = Stage {
        tenants: vec![TenantKey::new("1"), TenantKey::new("2")],
        proof: vec![ProofLevel::Deep],
        ..stage("smoke", StageKind::Smoke, &["look"])
    };
    let bulk =
        Stage { waves: vec!["w1".to_owned(), "w2".to_owned()], ..stage("bulk", StageKind::Bulk, &["smoke"]) };
    let validate =
        Stage { proof: vec![ProofLevel::Diff], ..stage("validate", StageKind::Validate, &["bulk"]) };
    let release = Stage {
        enter: vec!["flag-on".to_owned()],
        leave: vec!["tell".to_owned()],
        ..stage("release", StageKind::Release, &["validate"])
    };
    let last = Stage { proof: vec![ProofLevel::Deep], ..stage("final", StageKind::FinalSmoke, &["release"]) };
    Plan {
        name: "field-to-hq".to_owned(),
        tenant: EntityName::new("account").unwrap(),
        entities: Vec::new(),
        retry: haulier_core::retry::RetryPolicy::default(),
        fresh_for: Duration::from_hours(24),
        calendar: Calendar::default(),
        notices: haulier_core::notice::Notices::default(),
        stages: Stages {
            stages: vec![
                stage("look", StageKind::Preflight, &[]),
                smoke,
                bulk,
                stage("empty", StageKind::Drained, &["bulk"]),
                validate,
                stage("freeze", StageKind::Freeze, &[]),
                release,
                last,
            ],
            gates: vec![gate("bulk"), gate("release")],
            people: vec![Person { name: "pierre".to_owned(), roles: vec!["approver".to_owned()] }],
            hooks: vec![hook("flag-on"), hook("tell")],
            checks: Vec::new(),
            snapshot: None,
        },
        digest: "p1".to_owned(),
    }
}

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
        let log = Log { left: AtomicUsize::new(usize::MAX), ..Log::default() };
        Self {
            log: Arc::new(log),
            clock: Arc::default(),
            hands: Arc::default(),
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
