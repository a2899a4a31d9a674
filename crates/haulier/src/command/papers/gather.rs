//! Everything that papers are made of, read once.

use haulier_core::RecordState;
use haulier_core::control;
use haulier_core::notice::Post;
use haulier_core::port::{Clock, DeadFilter, Micros, Run, Tally};
use haulier_core::stage::{Entry, HookTimings, StageTiming, Standing, timings};
use std::collections::BTreeMap;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::site::dates::{Dates, Seen};

/// A page of dead letters.
const PAGE: u32 = 1_000;
/// Points of a plot.
const POINTS: i64 = 120;

/// A run with everything that is known of it; without a run, only the plan.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) dates: Dates,
    pub(super) run: Option<Run>,
    pub(super) entries: Vec<Entry>,
    pub(super) standing: Option<Standing>,
    pub(super) stages: Vec<StageTiming>,
    pub(super) hooks: HookTimings,
    pub(super) tally: Option<Tally>,
    /// Dead and held records by state, entity and kind of failure.
    pub(super) dead: BTreeMap<(String, String, String), u64>,
    /// Records that landed, by stretch; and how long a stretch is.
    pub(super) pace: (Vec<(Micros, u64)>, Micros),
    /// What processes measured while it went on.
    pub(super) samples: Vec<control::Sample>,
    pub(super) controls: Vec<control::Change>,
    pub(super) posts: Vec<Post>,
}

impl Paper {
    pub(super) async fn read(global: &Global, seen: &Seen) -> Result<Self, CliError> {
        let dates = Dates::read(global, seen).await?;
        let mut paper = Self {
            dates,
            run: None,
            entries: Vec::new(),
            standing: None,
            stages: Vec::new(),
            hooks: HookTimings::new(),
            tally: None,
            dead: BTreeMap::new(),
            pace: (Vec::new(), 1),
            samples: Vec::new(),
            controls: Vec::new(),
            posts: Vec::new(),
        };
        let Some(ledger) = paper.dates.ledger.clone() else { return Ok(paper) };
        paper.posts = ledger.posts().await?;
        let Some(run) = ledger.latest_run().await? else { return Ok(paper) };
        let now = run.finished_at.unwrap_or_else(|| SystemClock.micros());
        paper.entries = ledger.entries(&run.id, 0).await?;
        paper.standing = Standing::of(&paper.entries).ok().filter(|_| !paper.entries.is_empty());
        (paper.stages, paper.hooks) = timings(&paper.entries, now);
        paper.tally = Some(ledger.tally(&run.id).await?);
        paper.samples = ledger.samples(&run.id).await?;
        paper.controls = ledger.changes(&run.id, 0).await?;
        let bucket = (now.saturating_sub(run.started_at) / POINTS).max(1_000_000);
        paper.pace = (ledger.pace(&run.id, bucket).await?, bucket);
        let filter = DeadFilter {
            states: vec![RecordState::Dead, RecordState::Held],
            entity: None,
            kinds: Vec::new(),
            tenant: None,
        };
        let mut after = None;
        loop {
            let rows = ledger.list(&run.id, &filter, after.as_ref(), PAGE).await?;
            for row in &rows {
                let kind = row.failure.as_ref().map_or("", |failure| failure.kind.as_str());
                let key = (row.state.as_str().to_owned(), row.record.entity.to_string(), kind.to_owned());
                *paper.dead.entry(key).or_default() += 1;
            }
            let Some(last) = rows.last() else { break };
            after = Some(last.record.clone());
        }
        paper.run = Some(run);
        Ok(paper)
    }

    /// Where the run stands, in a word.
    pub(super) fn state(&self) -> String {
        match (&self.standing, &self.run) {
            (Some(standing), _) => standing.run.to_string(),
            (None, Some(run)) if run.finished_at.is_some() => "finished".to_owned(),
            (None, Some(_)) => "not finished".to_owned(),
            (None, None) => "no run yet".to_owned(),
        }
    }
}
