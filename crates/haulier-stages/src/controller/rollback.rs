//! Carrying a rollback out: the restore hook, noted before it begins.

use haulier_core::StageName;
use haulier_core::stage::{Fact, ROLLBACK, RunEvent, StageEvent, StageState, Standing};

use super::{Controller, Facts, Step};
use crate::Trouble;
use crate::hook::{self, Hooked};

impl Controller {
    pub(super) async fn roll_back(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let restore = self.plan.stages.snapshot.as_ref().and_then(|snapshot| snapshot.restore.clone());
        let Some(restore) = restore else {
            let why = Some("the plan has no `restore` hook any more".to_owned());
            return self.keep(standing, vec![(Fact::Run(RunEvent::RollbackFailed), why)]).await;
        };
        let (back, hooks) = (StageName::new(ROLLBACK), [restore]);
        let ended =
            hook::run_all(&self.desk, &*self.hands, &self.plan, &self.folder, &back, &hooks, standing)
                .await?;
        match ended {
            Hooked::Moved => Ok(Step::On),
            Hooked::Failed(why) => {
                self.hands.tell(&format!("the rollback failed: {why}"));
                self.keep(standing, vec![(Fact::Run(RunEvent::RollbackFailed), Some(why))]).await
            }
            Hooked::Done => {
                self.hands.tell("the target is as it was at the snapshot");
                let mut facts: Facts = Vec::new();
                for stage in &self.plan.stages.stages {
                    let state = standing.stage(&stage.name).state;
                    if state.is_final() {
                        continue;
                    }
                    let failed = state == StageState::Failed;
                    let event = if failed { StageEvent::RollBack } else { StageEvent::Cancel };
                    facts.push((Fact::Stage(stage.name.clone(), event), None));
                }
                facts.push((Fact::Run(RunEvent::RolledBack), None));
                self.keep(standing, facts).await
            }
        }
    }
}
