//! The fast statements, and whole transactions of them that need one trip to the connection's thread.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::statements::SQLITE;
use crate::conn::{Each, Quick};

macro_rules! pass {
    () => {
        "UPDATE OR IGNORE record SET run = $2, state = 7, since = $3 FROM (SELECT key, value AS tenant, \
         CAST(substr($4, rowid * 52 + 1, 20) AS INTEGER) AS generation, substr($4, rowid * 52 + 21, 16) AS hash, \
         NULLIF(substr($4, rowid * 52 + 37, 16), zeroblob(16)) AS natural_hash FROM json_each($5)) AS s \
         WHERE record.entity = $1 AND record.key = s.key AND record.run <> $2 AND record.state IN (5, 7) \
         AND record.generation = s.generation AND record.hash = s.hash AND record.landed_at IS NOT NULL \
         AND record.landed_generation IS NULL AND record.failure_reason IS NULL \
         AND record.natural_hash IS s.natural_hash AND record.tenant IS s.tenant"
    };
}

macro_rules! claimable {
    () => {
        " WHERE entity = $1 AND (key, generation, hash) IN \
         (SELECT key, CAST(substr($4, rowid * 36 + 1, 20) AS INTEGER), substr($4, rowid * 36 + 21, 16) \
         FROM json_each($5)) AND run = $2 AND state = 0 AND next_hash IS NULL"
    };
}

/// The owner's records that were sent with the content that they have.
macro_rules! sent {
    () => {
        " FROM (SELECT key, value AS id, CAST(substr($4, rowid * 112 + 1, 20) AS INTEGER) AS attempt, \
         CAST(substr($4, rowid * 112 + 21, 20) AS INTEGER) AS origin, substr($4, rowid * 112 + 41, 16) AS hash, \
         CAST(substr($4, rowid * 112 + 57, 20) AS INTEGER) AS generation, \
         CAST(substr($4, rowid * 112 + 77, 20) AS INTEGER) AS at, substr($4, rowid * 112 + 97, 16) AS id_hash \
         FROM json_each($5)) AS s \
         WHERE record.entity = $1 AND record.key = s.key AND record.run = $2 AND record.state = 1 \
         AND record.owner = $3 AND record.attempts = s.attempt AND record.generation = s.generation \
         AND record.hash = s.hash AND record.next_hash IS NULL"
    };
}

macro_rules! land {
    () => {
        concat!(
            "UPDATE OR IGNORE record SET state = 5, owner = NULL, unsure = 0, target_id = s.id, target_hash = s.id_hash, origin = s.origin, \
             landed_run = $2, landed_at = s.at, failure_kind = NULL, failure_status = NULL, failure_reason = NULL, \
             failure_wait = NULL, since = s.at",
            sent!(),
            // The index does not see an id that is a natural key beside one that is none.
            " AND record.target_id IS NULL AND CASE WHEN record.natural_hash IS s.id_hash THEN \
             NOT EXISTS (SELECT 1 FROM record AS other WHERE other.entity = $1 \
             AND other.target_id = s.id AND other.target_hash IS NOT other.natural_hash) ELSE \
             NOT EXISTS (SELECT 1 FROM record AS other WHERE other.entity = $1 \
             AND other.natural_hash = s.id_hash AND other.target_hash = other.natural_hash) END"
        )
    };
}

/// The statements: entity, run, and now or owner come first; then the packed rows, and their texts.
///
/// Texts are a JSON object, of the key and the row's other text. Everything else of a row stands in one blob, at the place
/// that the row's number tells: digests as they are, numbers as 20 digits. Nothing is parsed twice.
fn change(quick: Quick) -> &'static str {
    match quick {
        Quick::Admit => {
            "INSERT OR IGNORE INTO record \
             (entity, key, run, state, generation, hash, natural_hash, tenant, attempts, unsure, since) \
             SELECT $1, key, $2, 0, CAST(substr($4, rowid * 52 + 1, 20) AS INTEGER), substr($4, rowid * 52 + 21, 16), \
             NULLIF(substr($4, rowid * 52 + 37, 16), zeroblob(16)), value, 0, 0, $3 FROM json_each($5)"
        }
        Quick::Pass => pass!(),
        Quick::Claim => concat!(
            "UPDATE OR IGNORE record SET state = 1, owner = $3, attempts = 1",
            claimable!(),
            " AND attempts = 0 AND unsure = 0 AND target_id IS NULL"
        ),
        Quick::Land => land!(),
    }
}

/// The same for a part of a batch: these answer for each record that they changed.
pub(crate) fn each(each: Each) -> &'static str {
    match each {
        Each::Pass => concat!(pass!(), " RETURNING key"),
        Each::Claim => concat!(
            "UPDATE OR IGNORE record SET state = 1, owner = $3, attempts = attempts + 1",
            claimable!(),
            " RETURNING key, attempts, target_id, unsure"
        ),
        Each::Land => concat!(land!(), " RETURNING key"),
        Each::Update => concat!(
            "UPDATE OR IGNORE record SET state = 5, owner = NULL, unsure = 0, landed_generation = NULL, \
             landed_hash = NULL, failure_kind = NULL, failure_status = NULL, failure_reason = NULL, \
             failure_wait = NULL, since = s.at",
            sent!(),
            " AND record.target_id = s.id RETURNING key"
        ),
    }
}

/// Whether others wait for what was changed.
fn waiting(quick: Quick) -> &'static str {
    match quick {
        Quick::Admit | Quick::Pass | Quick::Claim => "0",
        Quick::Land => {
            "EXISTS (SELECT 1 FROM record WHERE waits_entity = $1 \
             AND waits_key IN (SELECT key FROM json_each($5)))"
        }
    }
}

/// Queues all rows, or as many as are new; answers with their number.
pub(crate) static ADMIT: LazyLock<String> =
    LazyLock::new(|| format!("{}; SELECT changes()", change(Quick::Admit)));

/// Parameters of a fast statement.
const PARAMETERS: usize = 5;

/// A part of a transaction that travels to the connection's thread at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Trip {
    pub(crate) quicks: Vec<Quick>,
    /// Begins the transaction.
    pub(crate) first: bool,
    /// Counts what the transaction changed, and commits it.
    pub(crate) last: bool,
}

/// The texts of trips that were made so far: there are few.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    made: HashMap<Trip, Arc<str>>,
}

impl Texts {
    /// The trip's statements, which fail wherever one of them did not change as many records as its sixth parameter says,
    /// or others wait for those. The counts' parameters come last.
    pub(crate) fn of(&mut self, trip: Trip) -> Arc<str> {
        if let Some(text) = self.made.get(&trip) {
            return Arc::clone(text);
        }
        let mut text = String::new();
        if trip.first {
            text.push_str("BEGIN IMMEDIATE; ");
        }
        for (index, quick) in trip.quicks.iter().enumerate() {
            let before = index * (PARAMETERS + 1);
            let (change, waiting) = (change(*quick), waiting(*quick));
            // SQLite has no other way to stop in the middle of a script than an error.
            let check =
                format!("SELECT iif(changes() = $6 AND NOT {waiting}, 0, abs(-9223372036854775807 - 1))");
            append(&mut text, change, before);
            append(&mut text, &check, before);
        }
        if trip.last {
            append(&mut text, SQLITE.tally, trip.quicks.len() * (PARAMETERS + 1));
            text.push_str("COMMIT");
        }
        let text: Arc<str> = text.into();
        self.made.insert(trip, Arc::clone(&text));
        text
    }
}

/// Appends a statement whose parameters are counted on.
fn append(text: &mut String, statement: &str, before: usize) {
    let mut parts = statement.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let number = number.parse::<usize>().unwrap_or(0) + before;
        // Writing to a text cannot fail.
        let _done = write!(text, "${number}{rest}");
    }
    text.push_str("; ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_whole_are_counted_on() {
        let trip = Trip { quicks: vec![Quick::Claim, Quick::Land], first: true, last: true };
        let text = Texts::default().of(trip);
        assert!(
            text.starts_with("BEGIN IMMEDIATE; UPDATE OR IGNORE record SET state = 1, owner = $3,"),
            "{text}"
        );
        assert!(text.contains("landed_run = $8, "), "{text}");
        assert!(text.contains("changes() = $12 AND NOT EXISTS"), "{text}");
        assert!(text.contains("FROM json_each($14) WHERE true"), "{text}");
        assert!(text.ends_with("; COMMIT"), "{text}");
    }
}
