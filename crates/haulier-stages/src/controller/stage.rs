//! One stage, once it is entered: hooks, work, proof, hooks.

use haulier_core::plan::{ProofLevel, Stage, StageKind};
use haulier_core::stage::{
    CheckResult, Fact, Finding, StageEvent, StageState, Standing, TenantEvent, TenantState, Weight,
};
use haulier_core::{StageName, TenantKey};

use super::{Controller, Facts, Step};
use crate::Trouble;
use crate::hook::{self, Hooked};

/// What a stage's work or proof came to.
pub(super) enum Done {
    /// It is done.
    Yes(Option<String>),
    /// It is not, and why.
    No(String),
    /// It cannot be told.
    Doubt(String),
    /// A window is shut, or somebody stops it: the run itself says what follows.
    Later(Step),
}

impl Controller {
    /// Does the next thing of a stage that was entered.
    pub(super) async fn work(&self, stage: &Stage, standing: &mut Standing) -> Result<Step, Trouble> {
        let name = &stage.name;
        match standing.stage(name).state {
            StageState::Entering => match self.hooks(name, &stage.enter, standing).await? {
                Hooked::Done => self.moves(standing, name, StageEvent::Begin, None).await,
                Hooked::Failed(why) => self.fails(standing, name, why).await,
                Hooked::Moved => Ok(Step::On),
            },
            StageState::Running => match self.does(stage, standing).await? {
                Done::Yes(saw) => self.moves(standing, name, StageEvent::Verify, saw).await,
                Done::No(why) | Done::Doubt(why) => self.fails(standing, name, why).await,
                Done::Later(step) => Ok(step),
            },
            StageState::Draining | StageState::Inconclusive => {
                self.moves(standing, name, StageEvent::Verify, None).await
            }
            StageState::Held => self.moves(standing, name, StageEvent::Release, None).await,
            StageState::Verifying => match self.proves(stage, standing).await? {
                Done::Yes(saw) => match self.hooks(name, &stage.leave, standing).await? {
                    Hooked::Done => self.succeeds(stage, saw, standing).await,
                    Hooked::Failed(why) => self.fails(standing, name, why).await,
                    Hooked::Moved => Ok(Step::On),
                },
                Done::No(why) => self.fails(standing, name, why).await,
                Done::Doubt(why) => {
                    let facts = vec![
                        (Fact::Stage(name.clone(), StageEvent::Doubt), Some(why.clone())),
                        (
                            Fact::Run(haulier_core::stage::RunEvent::Pause),
                            Some(format!("stage `{name}`: {why}")),
                        ),
                    ];
                    self.keep(standing, facts).await
                }
                Done::Later(step) => Ok(step),
            },
            StageState::Pending
            | StageState::Succeeded
            | StageState::Failed
            | StageState::Skipped
            | StageState::RolledBack
            | StageState::Cancelled => Ok(Step::On),
        }
    }

    async fn hooks(
        &self,
        stage: &StageName,
        names: &[String],
        standing: &mut Standing,
    ) -> Result<Hooked, Trouble> {
        hook::run_all(&self.desk, &*self.hands, &self.plan, &self.folder, stage, names, standing).await
    }

    async fn moves(
        &self,
        standing: &mut Standing,
        name: &StageName,
        event: StageEvent,
        note: Option<String>,
    ) -> Result<Step, Trouble> {
        self.keep(standing, vec![(Fact::Stage(name.clone(), event), note)]).await
    }

    /// A stage that failed pauses its run; a resume enters it once more.
    async fn fails(&self, standing: &mut Standing, name: &StageName, why: String) -> Result<Step, Trouble> {
        self.hands.tell(&format!("stage `{name}` failed: {why}"));
        let pause = Fact::Run(haulier_core::stage::RunEvent::Pause);
        let facts = vec![
            (Fact::Stage(name.clone(), StageEvent::Fail), Some(why.clone())),
            (pause, Some(format!("stage `{name}` failed: {why}"))),
        ];
        self.keep(standing, facts).await
    }

    async fn succeeds(
        &self,
        stage: &Stage,
        saw: Option<String>,
        standing: &mut Standing,
    ) -> Result<Step, Trouble> {
        let mut facts: Facts = Vec::new();
        for tenant in self.proven(stage, standing) {
            facts.push((Fact::Tenant(tenant.clone(), TenantEvent::Validate), None));
            facts.push((Fact::Tenant(tenant, TenantEvent::Accept), None));
        }
        let saw = saw.or_else(|| standing.stage(&stage.name).note);
        facts.push((Fact::Stage(stage.name.clone(), StageEvent::Pass), saw));
        self.hands.tell(&format!("stage `{}` succeeded", stage.name));
        self.keep(standing, facts).await
    }

    /// The tenants that a stage's proof accepts: those of a smoke by the deep level, everybody who moved by a whole comparison.
    fn proven(&self, stage: &Stage, standing: &Standing) -> Vec<TenantKey> {
        let moved = |tenant: &&TenantKey| standing.tenant(tenant) == TenantState::Migrated;
        let whole = stage.proof.contains(&ProofLevel::Diff);
        match stage.kind {
            StageKind::Smoke if !stage.proof.is_empty() => {
                self.tenants_of(stage, standing).iter().filter(moved).cloned().collect()
            }
            StageKind::Validate | StageKind::Bulk if whole => {
                standing.tenants.keys().filter(moved).cloned().collect()
            }
            StageKind::Preflight
            | StageKind::Smoke
            | StageKind::Bulk
            | StageKind::Drained
            | StageKind::Validate
            | StageKind::Freeze
            | StageKind::Release
            | StageKind::FinalSmoke
            | StageKind::Watch => Vec::new(),
        }
    }

    /// A stage's tenants: its own; of a final smoke without any, those of the smoke. What the operator chose comes first.
    pub(super) fn tenants_of(&self, stage: &Stage, standing: &Standing) -> Vec<TenantKey> {
        let chosen = standing.marks.get(&("tenants".to_owned(), stage.name.to_string()));
        if let Some(mark) = chosen {
            return mark.data.lines().map(TenantKey::new).collect();
        }
        if stage.kind == StageKind::FinalSmoke && stage.tenants.is_empty() {
            let smoke = self.plan.stages.of_kind(StageKind::Smoke);
            return smoke.map(|smoke| self.tenants_of(smoke, standing)).unwrap_or_default();
        }
        stage.tenants.clone()
    }

    async fn does(&self, stage: &Stage, standing: &mut Standing) -> Result<Done, Trouble> {
        match stage.kind {
            StageKind::Preflight => {
                let findings = self.hands.preflight().await;
                let not = |weight| {
                    let of = move |finding: &&Finding| {
                        finding.weight == weight && finding.result != CheckResult::Pass
                    };
                    findings.iter().filter(of).map(|bad| format!("{}: {}", bad.check, bad.saw))
                };
                if let Some(bad) = not(Weight::Must).next() {
                    return Ok(Done::No(bad));
                }
                let prints = self.hands.fingerprints().await?;
                let facts = prints.into_iter().map(|(name, print)| (Fact::Fingerprint(name, print), None));
                self.desk.write(standing, facts.collect()).await?;
                // What only warns stands here, and in the evidence of a gate that asks for it.
                let warnings: Vec<String> =
                    not(Weight::Should).map(|bad| format!("warning: {bad}")).collect();
                let passed = format!("{} checks passed", findings.len() - warnings.len());
                for warning in &warnings {
                    self.hands.tell(warning);
                }
                Ok(Done::Yes(Some([vec![passed], warnings].concat().join("; "))))
            }
            StageKind::Smoke | StageKind::Bulk => self.carries(stage, standing).await,
            StageKind::Drained => Ok(match self.hands.empty(stage.lasts).await {
                (CheckResult::Pass, saw) => Done::Yes(Some(saw)),
                (CheckResult::Fail, saw) => Done::No(saw),
                // A broker that gives no answer is asked again: that is neither empty nor a failure.
                (CheckResult::Inconclusive | CheckResult::Error, saw) => {
                    self.hands.tell(&format!("stage `{}` asks again: {saw}", stage.name));
                    Done::Later(Step::Wait)
                }
            }),
            StageKind::Watch => {
                let lasts = i64::try_from(stage.lasts.as_micros()).unwrap_or(i64::MAX);
                let since = standing.stage(&stage.name).since;
                if self.desk.clock.micros().saturating_sub(since) < lasts {
                    return Ok(Done::Later(Step::Wait));
                }
                Ok(Done::Yes(None))
            }
            StageKind::Validate | StageKind::Freeze | StageKind::Release | StageKind::FinalSmoke => {
                Ok(Done::Yes(None))
            }
        }
    }

    async fn proves(&self, stage: &Stage, standing: &mut Standing) -> Result<Done, Trouble> {
        let tenants = match stage.kind {
            StageKind::Smoke | StageKind::FinalSmoke => self.tenants_of(stage, standing),
            StageKind::Preflight
            | StageKind::Bulk
            | StageKind::Drained
            | StageKind::Validate
            | StageKind::Freeze
            | StageKind::Release
            | StageKind::Watch => Vec::new(),
        };
        let mut saw = Vec::new();
        for level in &stage.proof {
            let (result, said) = self.hands.prove(*level, &tenants).await;
            let said = format!("{}: {said}", level.as_str());
            match result {
                CheckResult::Pass => saw.push(said),
                CheckResult::Fail => return Ok(Done::No(said)),
                CheckResult::Inconclusive | CheckResult::Error => return Ok(Done::Doubt(said)),
            }
        }
        Ok(Done::Yes(Some(saw.join("; ")).filter(|saw| !saw.is_empty())))
    }
}
