//! Hands that note what they were asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::calendar::{Calendar, Selector, Wave, Window};
use haulier_core::plan::ProofLevel;
use haulier_core::stage::{CheckResult, Finding, Standing, Weight};
use haulier_core::{StageName, TenantKey};

use super::Hour;
use crate::{Carried, Carry, Halt, Hands, Trouble};

/// Hands that note what they were asked, and answer yes unless they are told otherwise.
#[derive(Debug, Default)]
pub(in crate::tests) struct Told {
    pub(in crate::tests) carried: Mutex<Vec<Carry>>,
    pub(in crate::tests) called: Mutex<Vec<String>>,
    /// What does not pass: a check, `empty`, `deep`, `diff`.
    pub(in crate::tests) wrong: Mutex<BTreeSet<String>>,
    pub(in crate::tests) print: Mutex<String>,
    pub(in crate::tests) dead: AtomicUsize,
    pub(in crate::tests) open: AtomicUsize,
    /// Tenants with dead records.
    pub(in crate::tests) failed: Mutex<BTreeSet<TenantKey>>,
    /// What the plan's waves are made into.
    pub(in crate::tests) waves: Mutex<Option<fn(&mut Wave)>>,
    /// Windows that stages have, and no wave.
    pub(in crate::tests) all_windows: Mutex<Vec<Window>>,
    /// The windows of the first wave.
    pub(in crate::tests) windows: Mutex<Vec<Window>>,
    pub(in crate::tests) said: Mutex<Vec<String>>,
    /// How legs were halted.
    pub(in crate::tests) halted: Mutex<Vec<&'static str>>,
    /// Lets a leg come to its end that would wait to be halted.
    pub(in crate::tests) done: tokio::sync::Notify,
    /// What the clock stands at after a call to this address.
    pub(in crate::tests) takes: Mutex<BTreeMap<String, i64>>,
    /// The clock that such calls move.
    pub(in crate::tests) clock: Arc<Hour>,
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
            parallel: None,
            soak: Duration::ZERO,
            max_failed: None,
            not_before: None,
            not_after: None,
            audience: None,
        };
        let windows = self.windows.lock().unwrap().clone();
        let first = Wave {
            windows: windows.iter().map(|window| window.name.clone()).collect(),
            ..wave("w1", Selector::Keys(vec!["3".to_owned(), "4".to_owned()]))
        };
        let mut waves = vec![first, wave("w2", Selector::Rest)];
        if let Some(change) = *self.waves.lock().unwrap() {
            waves.iter_mut().for_each(change);
        }
        let windows = [windows, self.all_windows.lock().unwrap().clone()].concat();
        let calendar = Calendar { windows, waves, ..Calendar::default() };
        Ok(calendar.with_tenants((1..=6).map(|key| TenantKey::new(key.to_string()))))
    }

    async fn failed(&self) -> Result<BTreeSet<TenantKey>, Trouble> {
        Ok(self.failed.lock().unwrap().clone())
    }

    async fn carry(&self, carry: Carry, halt: &Halt) -> Result<Carried, Trouble> {
        self.carried.lock().unwrap().push(carry);
        if self.wrong.lock().unwrap().contains("carry") {
            tokio::select! {
                () = halt.stop.cancelled() => self.halted.lock().unwrap().push("stop"),
                () = halt.drain.cancelled() => self.halted.lock().unwrap().push("drain"),
                () = self.done.notified() => return Ok(Carried::Drained),
            }
            return Ok(Carried::Stopped);
        }
        Ok(Carried::Drained)
    }

    async fn open(&self) -> Result<u64, Trouble> {
        Ok(u64::try_from(self.open.load(Ordering::SeqCst)).unwrap())
    }

    async fn dead(&self) -> Result<u64, Trouble> {
        Ok(u64::try_from(self.dead.load(Ordering::SeqCst)).unwrap())
    }

    async fn prove(&self, level: ProofLevel, _: &[TenantKey]) -> (CheckResult, String) {
        self.answer(level.as_str())
    }

    async fn look(&self, check: &str, _: &StageName, _: &Standing) -> (CheckResult, String) {
        self.answer(check)
    }

    async fn empty(&self, _: Duration) -> (CheckResult, String) {
        self.answer("empty")
    }

    async fn call(&self, url: &str, body: String) -> Result<(), String> {
        assert!(body.contains("\"attempt\""), "{body}");
        self.called.lock().unwrap().push(url.to_owned());
        let takes = self.takes.lock().unwrap().get(url).copied().unwrap_or(0);
        self.clock.0.fetch_add(takes, Ordering::SeqCst);
        if self.wrong.lock().unwrap().contains(url) {
            return Err("it answered 503".to_owned());
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), Trouble> {
        Ok(())
    }

    fn tell(&self, line: &str) {
        self.said.lock().unwrap().push(line.to_owned());
    }
}
