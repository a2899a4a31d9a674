//! The tolerance law at work: one process of a run merges what all measured, judges it, and reports what follows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::control::{Bounds, History, Knob, Limit, RampReport, Setting, Turn};
use haulier_core::port::{Clock, Ledger, LedgerError, Micros, ProcessBeat};
use haulier_core::tolerance::{Law, Ramp, Step, Tolerance, Verdict, Window};
use tokio::sync::watch;
use tokio::time::sleep;

/// How often what was measured is read; processes report as often.
const LOOK: Duration = Duration::from_secs(1);

/// Leads a run's ramp. Whoever holds the producer's lease does; the next holder goes on from the last report.
#[derive(Debug)]
pub struct Leader {
    /// Where the reports are.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The run.
    pub run: RunId,
    /// The bounds of the target.
    pub tolerance: Tolerance,
    /// Who raises, until an operator says otherwise.
    pub ramp: Ramp,
    /// Start value and ceiling of `push.workers`.
    pub workers: Bounds,
}

/// What the leader knows between two looks.
#[derive(Debug)]
struct Course {
    law: Law,
    ramp: Ramp,
    operator: u32,
    /// What each process had measured in all when it was last looked at.
    seen: HashMap<String, Window>,
    throughput: Option<f64>,
}

impl Leader {
    /// Leads until it is dropped.
    pub async fn lead(self, found: watch::Sender<Option<RampReport>>) {
        let mut history = History::default();
        let mut course: Option<Course> = None;
        loop {
            match self.look(&mut history, &mut course).await {
                Ok(Some(report)) => {
                    found.send_replace(Some(report));
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "the ledger does not tell what was measured"),
            }
            sleep(LOOK).await;
        }
    }

    async fn look(
        &self,
        history: &mut History,
        course: &mut Option<Course>,
    ) -> Result<Option<RampReport>, LedgerError> {
        history.extend(self.ledger.changes(&self.run, history.version()).await?);
        let beats = self.ledger.processes(&self.run).await?;
        let now = self.clock.micros();
        let ramp = history.ramp(now).map_or(self.ramp, |(ramp, _)| ramp);
        let operator = self.operator(history, now);
        let Some(course) = course else {
            let begun = self.begin(&beats, history, ramp, now);
            let report = begun.1;
            *course = Some(begun.0);
            return Ok(Some(report));
        };
        let before = course.law.state().clone();
        if course.ramp != ramp {
            course.law.set_ramp(ramp);
            course.ramp = ramp;
        }
        if course.operator != operator {
            course.law.set_operator(operator, course.throughput);
            course.operator = operator;
        }
        let measured = course.measured(&beats);
        let verdict = course.law.observe(&measured, now);
        if let Some(verdict) = &verdict {
            course.throughput = Some(verdict.evidence.throughput);
            tell(verdict, ramp);
        }
        let state = course.law.state();
        Ok((verdict.is_some() || *state != before).then(|| RampReport {
            at: now,
            state: state.clone(),
            colour: verdict.as_ref().map(|verdict| verdict.colour),
            words: verdict.map_or_else(|| "not judged since it was changed".to_owned(), |v| v.to_string()),
            throughput: course.throughput,
        }))
    }

    /// Goes on where the last leader was, or begins anew.
    fn begin(
        &self,
        beats: &[ProcessBeat],
        history: &History,
        ramp: Ramp,
        now: Micros,
    ) -> (Course, RampReport) {
        let operator = self.operator(history, now);
        let tolerance = Tolerance { ceiling: self.workers.ceiling.whole(), ..self.tolerance };
        let reports = beats.iter().filter_map(|beat| beat.report.as_ref()?.ramp.as_ref());
        let last = reports.max_by_key(|report| report.at).cloned();
        let law = match &last {
            Some(last) => {
                // A step that was taken after the last report is taken now.
                let then = self.operator(&history.until(last.at), last.at);
                let mut law = Law::resume(tolerance, ramp, then, last.state.clone(), now);
                if operator != then {
                    law.set_operator(operator, None);
                }
                law
            }
            None => Law::new(tolerance, ramp, operator, now),
        };
        let report = RampReport {
            at: now,
            state: law.state().clone(),
            colour: None,
            words: "not judged yet".to_owned(),
            throughput: None,
        };
        let mut course = Course { law, ramp, operator, seen: HashMap::new(), throughput: None };
        // What was measured before this leader came was judged by another, or is too old.
        course.measured(beats);
        (course, report)
    }

    /// What the operator allows: his value or the start value, under the ceiling unless he forced it.
    fn operator(&self, history: &History, now: Micros) -> u32 {
        let change = history.knob(Knob::Workers, now);
        let (set, forced) = match change.map(|change| (change.turn, change.forced)) {
            Some((Turn::Knob(_, Setting::To(limit)), forced)) => (limit, forced),
            Some((Turn::Knob(_, Setting::Default) | Turn::Valve(..) | Turn::Ramp(_), _)) | None => {
                (self.workers.start, false)
            }
        };
        let ceiling = if forced { Limit::None } else { self.workers.ceiling };
        set.min(ceiling).whole()
    }
}

impl Course {
    /// What all processes measured since the last look.
    fn measured(&mut self, beats: &[ProcessBeat]) -> Window {
        let mut all = Window::default();
        for beat in beats {
            let Some(attempts) = beat.report.as_ref().and_then(|report| report.attempts.as_ref()) else {
                continue;
            };
            let name = beat.process.to_string();
            if let Some(before) = self.seen.insert(name, attempts.clone()) {
                all.merge(&attempts.since(&before));
            }
        }
        all
    }
}

fn tell(verdict: &Verdict, ramp: Ramp) {
    match verdict.step {
        Step::Stay => tracing::debug!(%ramp, "{verdict}"),
        Step::Raise { .. } => tracing::info!(%ramp, "{verdict}"),
        Step::Cut { .. } | Step::StepBack { .. } => {
            tracing::warn!(%ramp, "{verdict}");
        }
    }
}
