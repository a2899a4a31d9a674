//! What people found and reported while a run is under way: kept with its severity until somebody closes it.

use super::incident::Severity;
use super::{CheckResult, Fact, Standing};
use crate::port::Micros;

/// What the ledger calls a report.
const KIND: &str = "finding";
const OPENED: &str = "opened";
const CLOSED: &str = "closed";

/// Something that somebody found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its name, `F-1`, `F-2` and so on in the run.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub text: String,
    /// When something of it was noted last.
    pub at: Micros,
    /// Whether it is open.
    pub open: bool,
    /// Why it was closed.
    pub note: Option<String>,
}

impl Reported {
    /// The next one of a run, as the stage log keeps it.
    #[must_use]
    pub fn next(standing: &Standing, severity: Severity, text: &str) -> (String, Fact) {
        let id = format!("F-{}", reported(standing).len() + 1);
        (id.clone(), fact(&id, OPENED, severity, text))
    }

    /// That it is closed, as the stage log keeps it.
    #[must_use]
    pub fn closed(&self) -> Fact {
        fact(&self.id, CLOSED, self.severity, &self.text)
    }
}

fn fact(id: &str, word: &str, severity: Severity, text: &str) -> Fact {
    Fact::Other {
        kind: KIND.to_owned(),
        subject: id.to_owned(),
        word: word.to_owned(),
        data: format!("{severity}\t{text}"),
    }
}

/// Everything that was found in a run, oldest first.
#[must_use]
pub fn reported(standing: &Standing) -> Vec<Reported> {
    let of = |((kind, id), mark): (&(String, String), &super::Mark)| {
        let (severity, text) = mark.data.split_once('\t').filter(|_| kind == KIND)?;
        Some(Reported {
            id: id.clone(),
            severity: Severity::named(severity)?,
            text: text.to_owned(),
            at: mark.at,
            open: mark.word == OPENED,
            note: mark.note.clone(),
        })
    };
    let mut found: Vec<Reported> = standing.marks.iter().filter_map(of).collect();
    found.sort_by_key(|one| one.id.trim_start_matches("F-").parse::<u64>().unwrap_or(u64::MAX));
    found
}

/// Whether nothing of that severity or worse is open.
#[must_use]
pub fn none_open(standing: &Standing, severity: Severity) -> (CheckResult, String) {
    let open: Vec<String> = reported(standing)
        .into_iter()
        .filter(|one| one.open && one.severity <= severity)
        .map(|one| format!("{} ({})", one.id, one.severity))
        .collect();
    if open.is_empty() {
        return (CheckResult::Pass, format!("nothing of {severity} or worse is open"));
    }
    (CheckResult::Fail, format!("open: {}; `haulier finding list`", open.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Entry;

    #[test]
    fn a_report_stands_until_it_is_closed_and_counts_by_its_severity() {
        let mut standing = Standing::default();
        let keep = |standing: &mut Standing, fact: Fact| {
            let version = standing.version + 1;
            standing.apply(&Entry { version, at: 1, by: "sam".to_owned(), note: None, fact }).unwrap();
        };
        for (severity, text) in [(Severity::S3, "a typo"), (Severity::S1, "wrong\tbalance")] {
            let (_, fact) = Reported::next(&standing, severity, text);
            // It goes through the ledger's words.
            let words = fact.words();
            keep(&mut standing, Fact::from_words(words.each_ref().map(String::as_str)).unwrap());
        }
        let all = reported(&standing);
        let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids, all[1].text.as_str()), (vec!["F-1", "F-2"], "wrong\tbalance"));
        for severity in Severity::ALL {
            assert_eq!(none_open(&standing, *severity).0, CheckResult::Fail, "{severity}");
        }
        keep(&mut standing, all[1].closed());
        assert_eq!(none_open(&standing, Severity::S1).0, CheckResult::Pass);
        assert_eq!(none_open(&standing, Severity::S2).0, CheckResult::Pass);
        assert_eq!(none_open(&standing, Severity::S3).0, CheckResult::Fail);
        assert_eq!(Reported::next(&standing, Severity::S2, "more").0, "F-3");
    }
}
