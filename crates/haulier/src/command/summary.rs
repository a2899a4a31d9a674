//! What a run came to.

use haulier_core::RecordState;
use haulier_core::port::{EntityTally, Run, Tally};
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{self, grouped};

/// A run's counts, as `--json` prints them.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    entity: String,
    planned: u64,
    landed: u64,
    dead: u64,
    held: u64,
    skipped: u64,
    queued: u64,
    sending: u64,
    retry: u64,
    unknown: u64,
}

impl Counts {
    fn new(entity: &str, tally: &EntityTally) -> Self {
        Self {
            entity: entity.to_owned(),
            planned: tally.planned,
            landed: tally.of(RecordState::Landed),
            dead: tally.of(RecordState::Dead),
            held: tally.of(RecordState::Held),
            skipped: tally.of(RecordState::Skipped),
            queued: tally.of(RecordState::Queued),
            sending: tally.of(RecordState::Sending),
            retry: tally.of(RecordState::Retry),
            unknown: tally.of(RecordState::Unknown),
        }
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        let open = self.queued + self.sending + self.retry + self.unknown;
        format!(
            "planned {} = landed {} + dead {} + held {} + skipped {} + open {}",
            grouped(self.planned),
            grouped(self.landed),
            grouped(self.dead),
            grouped(self.held),
            grouped(self.skipped),
            grouped(open),
        )
    }

    fn row(&self) -> Vec<String> {
        let numbers = [
            self.planned,
            self.landed,
            self.dead,
            self.held,
            self.skipped,
            self.queued,
            self.sending,
            self.retry,
            self.unknown,
        ];
        std::iter::once(self.entity.clone()).chain(numbers.map(grouped)).collect()
    }
}

/// Counts of every entity, and of all.
pub(crate) fn counts(tally: &Tally) -> (Vec<Counts>, Counts) {
    let each = tally.entities.iter().map(|(name, tally)| Counts::new(name.as_str(), tally)).collect();
    (each, Counts::new("all", &tally.total()))
}

/// The counts as a table.
pub(crate) fn counts_table(tally: &Tally) -> String {
    let (each, all) = counts(tally);
    let head =
        ["entity", "planned", "landed", "dead", "held", "skipped", "queued", "sending", "retry", "unknown"];
    ui::table(&head, each.iter().chain([&all]).map(Counts::row))
}

#[derive(Debug, Serialize)]
struct Ended<'a> {
    event: &'a str,
    run: &'a str,
    seconds: f64,
    moved: u64,
    entities: Vec<Counts>,
    all: Counts,
}

/// Tells what a drained run came to, and answers by dead and held records.
pub(crate) fn drained(run: &Run, tally: &Tally, seconds: f64, as_json: bool) -> Result<Exit, CliError> {
    let total = tally.total();
    let (landed, dead, held) =
        (total.of(RecordState::Landed), total.of(RecordState::Dead), total.of(RecordState::Held));
    if as_json {
        let (entities, all) = counts(tally);
        let ended = Ended { event: "drained", run: run.id.as_str(), seconds, moved: landed, entities, all };
        ui::json(&ended)?;
    } else {
        let moved = match landed {
            0 if total.of(RecordState::Skipped) == total.planned => {
                "nothing to do, every record landed before and is unchanged, or is left out".to_owned()
            }
            _ => format!("{} records moved", grouped(landed)),
        };
        ui::line(format!("run {} is drained after {seconds:.1} s: {moved}", run.id))?;
        ui::line(counts_table(tally))?;
        ui::line(format!(
            "planned {} = landed {} + dead {} + held {} + skipped {}: every record is accounted for",
            grouped(total.planned),
            grouped(landed),
            grouped(dead),
            grouped(held),
            grouped(total.of(RecordState::Skipped)),
        ))?;
    }
    if dead + held == 0 {
        return Ok(Exit::Done);
    }
    ui::note(format!(
        "{} dead and {} held records need a person: `haulier dead list`",
        grouped(dead),
        grouped(held)
    ));
    Ok(Exit::No)
}
