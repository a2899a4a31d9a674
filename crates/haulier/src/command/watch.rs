//! `haulier status --watch`: follows a run from any shell.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use haulier_core::port::{Run, Survey, Tally};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::control::View;
use super::live::{Besides, Live, Waiting};
use super::summary::{self, Counts};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui;

/// Tenants are counted no more often.
const SURVEY_EVERY: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The recent rate is taken over so long.
const RECENT: Duration = Duration::from_mins(10);

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'a str,
    run: &'a str,
    state: &'a str,
    all: &'a Counts,
    #[serde(flatten)]
    live: &'a Live,
}

pub(super) async fn watch(global: &Global, at: &Neighbours, run: Run) -> Result<Exit, CliError> {
    let (waiting, survey) = (Cell::new(None), Cell::new(None));
    tokio::select! {
        ended = follow(global, at, run, &waiting, &survey) => ended,
        () = measure(at, &waiting) => Ok(Exit::Bug),
        () = count_tenants(at, &survey) => Ok(Exit::Bug),
    }
}

/// Counts tenants again and again, for a small part of the time: it looks at every record.
async fn count_tenants(at: &Neighbours, survey: &Cell<Option<Survey>>) {
    loop {
        let began = Instant::now();
        let asked = async { Ok::<_, CliError>(at.ledger.survey(&at.latest_run().await?.id).await?) };
        match asked.await {
            Ok(found) => survey.set(Some(found)),
            Err(error) => tracing::debug!(error = error.message(), "the tenants are not counted"),
        }
        tokio::time::sleep((20 * began.elapsed()).max(SURVEY_EVERY)).await;
    }
}

/// Asks the queue again and again; one that is away takes its time, and nothing is known of it then.
async fn measure(at: &Neighbours, waiting: &Cell<Option<Waiting>>) {
    loop {
        let found = count(at).await;
        if let Err(error) = &found {
            tracing::debug!(error = error.message(), "the queue does not say what it holds");
        }
        waiting.set(found.ok());
        tokio::time::sleep(LOOK).await;
    }
}

async fn count(at: &Neighbours) -> Result<Waiting, CliError> {
    let queue = at.queue(Role::Consume).await?;
    Ok(match queue.depth().await {
        Ok(depth) => Waiting { ready: depth.ready, unsettled: Some(depth.unsettled) },
        Err(error) => {
            tracing::debug!(%error, "the queue does not say what is unsettled");
            Waiting { ready: queue.ready().await?, unsettled: None }
        }
    })
}

async fn follow(
    global: &Global,
    at: &Neighbours,
    mut run: Run,
    waiting: &Cell<Option<Waiting>>,
    survey: &Cell<Option<Survey>>,
) -> Result<Exit, CliError> {
    let stop = process::end_on_signal()?;
    let mut screen = Screen::new(global);
    let mut samples: VecDeque<(Instant, u64)> = VecDeque::new();
    let mut told = false;
    while !stop.is_cancelled() {
        let besides = Besides { waiting: waiting.get(), recent: None, survey: survey.get() };
        match look(at, &mut run, &mut samples, besides).await {
            Ok((tally, live)) => {
                told = false;
                screen.show(&run, &tally, &live)?;
                if run.finished_at.is_some() {
                    break;
                }
            }
            // The ledger may be away for a while; what is seen then is that it is.
            Err(error) if !std::mem::replace(&mut told, true) => {
                ui::note(format!("{}; looking again", error.message()));
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
    screen.end();
    Ok(Exit::Done)
}

async fn look(
    at: &Neighbours,
    run: &mut Run,
    samples: &mut VecDeque<(Instant, u64)>,
    besides: Besides,
) -> Result<(Tally, Live), CliError> {
    let latest = at.latest_run().await?;
    if latest.id != run.id {
        samples.clear();
    }
    *run = latest;
    let tally = at.ledger.tally(&run.id).await?;
    let view = View::of(at, run).await?;
    let total = tally.total();
    let settled = total.planned - total.open().min(total.planned);
    let now = Instant::now();
    samples.push_back((now, settled));
    while samples.front().is_some_and(|(at, _)| now.duration_since(*at) > RECENT) {
        samples.pop_front();
    }
    let recent = samples.front().and_then(|(from, before)| {
        let seconds = now.duration_since(*from).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = settled.saturating_sub(*before) as f64 / seconds;
        (seconds >= 10.0).then_some(rate)
    });
    let survey = match run.finished_at {
        // The last word is the whole one.
        Some(_) => at.ledger.survey(&run.id).await.ok(),
        None => besides.survey,
    };
    let live = Live::of(run, &tally, &view, Besides { recent, survey, ..besides });
    Ok((tally, live))
}

enum Screen {
    Bars { all: MultiProgress, bar: ProgressBar, lines: Vec<ProgressBar> },
    Lines { last: Option<Instant> },
    Json,
}

impl Screen {
    fn new(global: &Global) -> Self {
        if global.json {
            return Self::Json;
        }
        if global.no_progress || !std::io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        // The templates are constants of ours; if one did not parse the plain default style would serve.
        let style = ProgressStyle::with_template("[{bar:40}] {human_pos:>9}/{human_len:9} {percent:>3}%")
            .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "));
        let line =
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = all.add(ProgressBar::new(0).with_style(style));
        let lines = (0..5).map(|_| all.add(ProgressBar::new_spinner().with_style(line.clone()))).collect();
        Self::Bars { all, bar, lines }
    }

    fn show(&mut self, run: &Run, tally: &Tally, live: &Live) -> Result<(), CliError> {
        let (_, counts) = summary::counts(tally);
        let (settled, expected) = live.progress();
        let words = || {
            let first = format!("run {}: {}", run.id, counts.words());
            std::iter::once(first).chain(live.lines())
        };
        match self {
            Self::Json => {
                let event = Event {
                    event: "status",
                    run: run.id.as_str(),
                    state: live.run_state(),
                    all: &counts,
                    live,
                };
                ui::json(&event)?;
            }
            Self::Bars { bar, lines, .. } => {
                bar.set_length(expected);
                bar.set_position(settled);
                for (line, words) in lines.iter().zip(words()) {
                    line.set_message(words);
                }
            }
            Self::Lines { last } => {
                if run.finished_at.is_some() || last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
                    *last = Some(Instant::now());
                    let words: Vec<String> = words().collect();
                    ui::line(words.join(" | "))?;
                }
            }
        }
        Ok(())
    }

    fn end(self) {
        if let Self::Bars { all, bar, lines } = self {
            bar.abandon();
            lines.iter().for_each(ProgressBar::abandon);
            drop(all);
        }
    }
}
