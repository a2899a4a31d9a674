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
        let operator = operator(&self.workers, history, now);
        let Some(course) = course else {
            let (begun, report) = Course::begin(self.tolerance, &self.workers, &beats, history, ramp, now);
            *course = Some(begun);
            return Ok(Some(report));
        };
        let before = course.law.state().clone();
        if course.ramp != ramp {
            course.law.set_ramp(ramp);
            course.ramp = ramp;
        }
        if course.operator != operator {
            course.law.set_operator(operator, course.throughput, now);
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
}

/// What the operator allows: his value or the start value, under the ceiling unless he forced it.
fn operator(workers: &Bounds, history: &History, now: Micros) -> u32 {
    let change = history.knob(Knob::Workers, now);
    let (set, forced) = match change.map(|change| (change.turn, change.forced)) {
        Some((Turn::Knob(_, Setting::To(limit)), forced)) => (limit, forced),
        Some((Turn::Knob(_, Setting::Default) | Turn::Valve(..) | Turn::Ramp(_), _)) | None => {
            (workers.start, false)
        }
    };
    let ceiling = if forced { Limit::None } else { workers.ceiling };
    set.min(ceiling).whole()
}

impl Course {
    /// Goes on where the last leader was, or begins anew.
    fn begin(
        tolerance: Tolerance,
        workers: &Bounds,
        beats: &[ProcessBeat],
        history: &History,
        ramp: Ramp,
        now: Micros,
    ) -> (Self, RampReport) {
        let allowed = operator(workers, history, now);
        let tolerance = Tolerance { ceiling: workers.ceiling.whole(), ..tolerance };
        let reports = beats.iter().filter_map(|beat| beat.report.as_ref()?.ramp.as_ref());
        let last = reports.max_by_key(|report| report.at).cloned();
        let law = match &last {
            Some(last) => {
                // A step that was taken after the last report is taken now.
                let then = operator(workers, &history.until(last.at), last.at);
                let mut law = Law::resume(tolerance, ramp, then, last.state.clone(), now);
                if allowed != then {
                    law.set_operator(allowed, None, now);
                }
                law
            }
            None => Law::new(tolerance, ramp, allowed, now),
        };
        let report = RampReport {
            at: now,
            state: law.state().clone(),
            colour: None,
            words: "not judged yet".to_owned(),
            throughput: None,
        };
        let mut course = Self { law, ramp, operator: allowed, seen: HashMap::new(), throughput: None };
        // What was measured before this leader came was judged by another, or is too old.
        course.measured(beats);
        (course, report)
    }

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

#[cfg(test)]
mod tests {
    use haulier_core::ProcessId;
    use haulier_core::control::{Change, Report};
    use haulier_core::tolerance::{Attempt, LawState};

    use super::*;

    const SECOND: Micros = 1_000_000;

    fn workers() -> Bounds {
        Bounds::new(Limit::At(4.0), Limit::At(16.0))
    }

    fn set(version: u64, at: Micros, workers: f64) -> Change {
        let turn = Turn::Knob(Knob::Workers, Setting::To(Limit::At(workers)));
        let (by, previous) = ("ana".to_owned(), String::new());
        Change { version, at, by, reason: None, turn, previous, forced: false, expires: None }
    }

    fn beat(name: &str, report: Report) -> ProcessBeat {
        ProcessBeat {
            process: ProcessId::new(name),
            run: RunId::new("r"),
            role: "run".to_owned(),
            host: "h".to_owned(),
            pid: 1,
            at: 0,
            in_flight: 0,
            ended: false,
            report: Some(report),
        }
    }

    /// A leader reported at this time that the law had come to so many workers.
    fn led(name: &str, at: Micros, workers: u32) -> ProcessBeat {
        let state = LawState::new(workers, Some(Duration::from_millis(80)));
        let ramp = RampReport { at, state, colour: None, words: "GREEN".to_owned(), throughput: Some(9.0) };
        beat(name, Report { ramp: Some(ramp), ..Report::default() })
    }

    fn begin(beats: &[ProcessBeat], changes: Vec<Change>, ramp: Ramp) -> Course {
        let history = History::new(changes);
        let now = 100 * SECOND;
        let (course, report) = Course::begin(Tolerance::default(), &workers(), beats, &history, ramp, now);
        assert_eq!((report.at, &report.state, report.colour), (now, course.law.state(), None));
        course
    }

    #[test]
    fn a_law_without_a_past_begins_with_few_workers_or_with_the_operators() {
        assert_eq!(begin(&[], Vec::new(), Ramp::Auto).law.workers(), Tolerance::default().start);
        assert_eq!(begin(&[], Vec::new(), Ramp::Advise).law.workers(), 4);
        assert_eq!(begin(&[], vec![set(1, 0, 9.0)], Ramp::Advise).law.workers(), 9);
    }

    #[test]
    fn the_next_leader_goes_on_from_the_newest_report() {
        let beats = [led("a", 10 * SECOND, 3), led("b", 20 * SECOND, 7), led("c", 15 * SECOND, 5)];
        let course = begin(&beats, vec![set(1, 0, 12.0)], Ramp::Auto);
        assert_eq!(course.law.workers(), 7);
        assert_eq!(course.law.state().baseline, Some(Duration::from_millis(80)));
    }

    #[test]
    fn a_step_that_was_taken_after_the_last_report_is_taken() {
        let beats = [led("a", 20 * SECOND, 8)];
        let before = begin(&beats, vec![set(1, 0, 8.0)], Ramp::Advise);
        assert_eq!(before.law.workers(), 8);
        let taken = begin(&beats, vec![set(1, 0, 8.0), set(2, 30 * SECOND, 12.0)], Ramp::Advise);
        assert_eq!(taken.law.workers(), 12);
        let lowered = begin(&beats, vec![set(1, 0, 8.0), set(2, 30 * SECOND, 2.0)], Ramp::Auto);
        assert_eq!(lowered.law.workers(), 2);
    }

    #[test]
    fn what_was_measured_before_is_not_judged_again() {
        let mut attempts = Window::default();
        (0..50).for_each(|_| attempts.note(Attempt::Failed, true));
        let beats = [beat("w", Report { attempts: Some(attempts.clone()), ..Report::default() })];
        let mut course = begin(&beats, Vec::new(), Ramp::Auto);
        assert_eq!(course.measured(&beats), Window::default());
        attempts.note(Attempt::Failed, true);
        let later = [beat("w", Report { attempts: Some(attempts), ..Report::default() })];
        assert_eq!(course.measured(&later).failed, 1);
    }
}
