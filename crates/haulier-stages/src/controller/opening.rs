//! How a walk begins: a new run is opened, an old one is taken up, and neighbours that look other than before hold it.

use haulier_core::TenantKey;
use haulier_core::plan::StageKind;
use haulier_core::stage::{Fact, Live, RunEvent, RunState, Standing, TenantEvent, may_roll_back};

use super::{Controller, Facts};
use crate::{Trouble, Wrote};

impl Controller {
    /// Opens the history of a new run, or takes up that of an old one.
    pub(super) async fn open(&self, standing: &mut Standing) -> Result<(), Trouble> {
        loop {
            let mut facts: Facts = Vec::new();
            if standing.version == 0 {
                facts.push((Fact::Opened(self.kind, self.person.clone()), None));
                facts.push((Fact::Plan(1, self.plan.digest.clone()), None));
                facts.extend(self.chosen());
                facts.extend(self.accepted());
            } else if standing.plan != self.plan.digest {
                return Err(Trouble::Told(format!(
                    "run {} walks another version of the plan: put it back, or `haulier plan amend --reason TEXT`",
                    self.desk.run
                )));
            }
            if self.options.roll_back {
                may_roll_back(&self.plan.stages, standing)?;
                facts.extend(crate::back::facts(standing));
            } else if standing.run.is_live() {
                if !self.options.resume {
                    return Err(Trouble::Told(format!(
                        "run {} is {} and has no controller: `haulier run --resume` takes it up, `haulier abort` ends it",
                        self.desk.run, standing.run
                    )));
                }
                if standing.run.live().is_some() {
                    let why = "its controller died without a word".to_owned();
                    facts.push((Fact::Run(RunEvent::Interrupt), Some(why)));
                }
                facts.push((Fact::Run(RunEvent::TakeUp), Some(format!("resumed by {}", self.person))));
                // Taking up is also what lets a pause go on: a person asked for it.
                let paused = matches!(
                    standing.run,
                    RunState::Pausing
                        | RunState::Paused
                        | RunState::Interrupted(Live::Pausing | Live::Paused)
                );
                if paused {
                    facts.push((Fact::Run(RunEvent::Resume), Some(format!("resumed by {}", self.person))));
                }
            }
            if facts.is_empty() || self.desk.write(standing, facts).await? == Wrote::Kept {
                return Ok(());
            }
        }
    }

    /// The tenants that the operator chose for the smoke, kept once for the whole run.
    fn chosen(&self) -> Option<(Fact, Option<String>)> {
        let smoke = self.plan.stages.of_kind(StageKind::Smoke).filter(|_| !self.options.smoke.is_empty())?;
        let keys: Vec<&str> = self.options.smoke.iter().map(TenantKey::as_str).collect();
        let fact = Fact::Other {
            kind: "tenants".to_owned(),
            subject: smoke.name.to_string(),
            word: "chosen".to_owned(),
            data: keys.join("\n"),
        };
        Some((fact, Some(format!("chosen by {}", self.person))))
    }

    /// What an earlier run accepted, as this one takes it over.
    fn accepted(&self) -> Facts {
        use TenantEvent::{Accept, Moved, Queue, Validate};
        let taken = Some("accepted by the run that this one continues".to_owned());
        let of = |tenant: &TenantKey| {
            let (tenant, taken) = (tenant.clone(), taken.clone());
            [Queue, Moved, Validate, Accept].map(|event| (Fact::Tenant(tenant.clone(), event), taken.clone()))
        };
        self.options.accepted.iter().flat_map(of).collect()
    }

    /// Holds the run where a neighbour looks other than it did, unless the operator accepts it. The answer says so.
    pub(super) async fn check_drift(&self, standing: &mut Standing) -> Result<Option<String>, Trouble> {
        if standing.fingerprints.is_empty() || !matches!(standing.run, RunState::Running) {
            return Ok(None);
        }
        let now = self.hands.fingerprints().await?;
        let other: Vec<&(String, String)> = now
            .iter()
            .filter(|(name, print)| standing.fingerprints.get(name).is_some_and(|was| was != print))
            .collect();
        if other.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = other.iter().map(|(name, _)| name.as_str()).collect();
        let said = format!("drift: {} looks other than at the preflight", names.join(", "));
        if self.options.accept_drift {
            let accepted = Some(format!("accepted by {}", self.person));
            let facts = other
                .iter()
                .map(|(name, print)| (Fact::Fingerprint(name.clone(), print.clone()), accepted.clone()));
            self.desk.write(standing, facts.collect()).await?;
            return Ok(Some(format!("{said}; accepted")));
        }
        let said = format!("{said}; `haulier run --resume --accept-drift` goes on");
        self.desk.write(standing, vec![(Fact::Run(RunEvent::Pause), Some(said.clone()))]).await?;
        Ok(Some(said))
    }
}
