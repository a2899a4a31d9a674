//! What is known of a run's control at one time: its history, its processes, and what each knob comes to.

use std::collections::BTreeMap;

use haulier_core::brake::Holding;
use haulier_core::control::{
    Bounds, Effective, History, Hold, Knob, Limit, Measured, RampReport, Setting, Side, Turn, adaptive,
    effective,
};
use haulier_core::port::{Clock, Micros, ProcessBeat, Run};
use haulier_core::tolerance::Ramp;

use crate::clock::SystemClock;
use crate::error::CliError;
use crate::site::Neighbours;

/// A run's control, seen from a shell.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) now: Micros,
    pub(crate) history: History,
    pub(crate) beats: Vec<ProcessBeat>,
    pub(crate) bounds: BTreeMap<Knob, Bounds>,
    /// Whether the emergency file is there, as seen from here.
    pub(crate) emergency: bool,
    pub(crate) silent_after: Micros,
    /// Who raises, until an operator says otherwise.
    pub(crate) site_ramp: Ramp,
    /// Workers that `auto` begins with.
    pub(crate) ramp_start: u32,
}

impl View {
    pub(crate) async fn of(at: &Neighbours, run: &Run) -> Result<Self, CliError> {
        Ok(Self {
            history: History::new(at.ledger.changes(&run.id, 0).await?),
            beats: at.ledger.processes(&run.id).await?,
            now: SystemClock.micros(),
            bounds: at.bounds(),
            emergency: tokio::fs::try_exists(at.emergency()).await.unwrap_or(true),
            silent_after: at.silent_after(),
            site_ramp: at.ramp(),
            ramp_start: at.tolerance().start,
        })
    }

    /// The processes that live.
    pub(crate) fn alive(&self) -> impl Iterator<Item = &ProcessBeat> {
        self.beats.iter().filter(|beat| is_alive(beat, self.now, self.silent_after))
    }

    /// The processes that live and have a part in a side.
    pub(crate) fn serving(&self, side: Side) -> impl Iterator<Item = &ProcessBeat> {
        self.alive().filter(move |beat| serves(beat, side))
    }

    /// What a knob is set to, by an operator or by the site.
    pub(crate) fn set(&self, knob: Knob) -> Limit {
        match self.history.knob(knob, self.now).map(|change| change.turn) {
            Some(Turn::Knob(_, Setting::To(limit))) => limit,
            Some(Turn::Knob(_, Setting::Default) | Turn::Valve(..) | Turn::Ramp(_)) | None => {
                self.start(knob)
            }
        }
    }

    /// The site's start value.
    pub(crate) fn start(&self, knob: Knob) -> Limit {
        self.bounds.get(&knob).map_or(Limit::None, |bounds| bounds.start)
    }

    /// The site's ceiling.
    pub(crate) fn ceiling(&self, knob: Knob) -> Limit {
        self.bounds.get(&knob).map_or(Limit::None, |bounds| bounds.ceiling)
    }

    /// What a knob comes to for the whole run.
    pub(crate) fn effective(&self, knob: Knob) -> Effective {
        let brakes = self.brakes().filter(|(_, side, _)| *side == knob.side());
        let brakes = brakes.map(|(_, _, holding)| Hold::Brake(holding.to_string()));
        let holds: Vec<Hold> = self.emergency.then_some(Hold::Emergency).into_iter().chain(brakes).collect();
        let mut bounds =
            self.bounds.get(&knob).cloned().unwrap_or_else(|| Bounds::new(Limit::None, Limit::None));
        bounds.adaptive = adaptive(knob, self.ramp(), self.found(), self.ramp_start);
        effective(knob, &self.history, self.now, &bounds, &holds)
    }

    /// What all living processes measured together.
    pub(crate) fn measured(&self) -> Measured {
        let mut all = Measured::default();
        for report in self.alive().filter_map(|beat| beat.report.as_ref()) {
            all.merge(&report.measured);
        }
        all
    }

    /// The brakes that hold a side, with the process that holds by them.
    pub(crate) fn brakes(&self) -> impl Iterator<Item = (&ProcessBeat, Side, &Holding)> {
        self.all_brakes().filter(|(_, _, holding)| !holding.part)
    }

    /// The brakes that hold only a part of a side, such as one tenant.
    pub(crate) fn brakes_of_parts(&self) -> impl Iterator<Item = (&ProcessBeat, Side, &Holding)> {
        self.all_brakes().filter(|(_, _, holding)| holding.part)
    }

    fn all_brakes(&self) -> impl Iterator<Item = (&ProcessBeat, Side, &Holding)> {
        self.alive().flat_map(move |beat| {
            let brakes = beat.report.as_ref().map_or(&[][..], |report| report.brakes.as_slice());
            brakes.iter().map(move |(side, holding)| (beat, *side, holding))
        })
    }

    /// Who raises the workers.
    pub(crate) fn ramp(&self) -> Ramp {
        self.history.ramp(self.now).map_or(self.site_ramp, |(ramp, _)| ramp)
    }

    /// What the tolerance law found last, also where the process that led is dead.
    pub(crate) fn found(&self) -> Option<&RampReport> {
        let reports = self.beats.iter().filter_map(|beat| beat.report.as_ref()?.ramp.as_ref());
        reports.max_by_key(|found| found.at)
    }

    /// What holds living processes although the ledger does not say so, by process.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&ProcessBeat, &str)> {
        self.alive().filter_map(|beat| Some((beat, beat.report.as_ref()?.held.as_deref()?)))
    }
}

/// Whether a process gave a sign of life of late and no good-bye.
pub(crate) fn is_alive(beat: &ProcessBeat, now: Micros, silent_after: Micros) -> bool {
    !beat.ended && now.saturating_sub(beat.at) <= silent_after
}

fn serves(beat: &ProcessBeat, side: Side) -> bool {
    match side {
        Side::Produce => beat.role == "producer" || beat.role == "run",
        Side::Push => beat.role == "worker" || beat.role == "run",
    }
}

/// Says since when nothing lives.
pub(crate) fn hint_of_none_alive(beats: &[ProcessBeat]) -> String {
    let since = beats
        .iter()
        .map(|beat| beat.at)
        .max()
        .map_or_else(|| "it began".to_owned(), super::super::status::stamp);
    format!("no process has given a sign of life since {since}; `haulier run` goes on from here")
}
