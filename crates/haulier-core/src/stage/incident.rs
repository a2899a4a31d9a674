//! Incidents: what went wrong, how badly, and whether it is over. They stand in the run's history.

use super::words::words;
use super::{Fact, Mark, Standing};
use crate::port::Micros;

/// What entries of incidents are called.
pub const INCIDENT: &str = "incident";
/// What happens to one first,
pub const OPENED: &str = "opened";
/// and last.
pub const CLOSED: &str = "closed";

words! {
    /// How bad it is.
    Severity {
        /// People cannot work, or data is at risk: nothing may go on.
        S1 = "s1",
        /// It hurts, and can be lived with for now.
        S2 = "s2",
        /// It is ugly.
        S3 = "s3",
    }
}

/// An incident of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident<'s> {
    /// Its name.
    pub name: &'s str,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it goes on.
    pub open: bool,
    /// When it was opened or closed.
    pub at: Micros,
    /// Why, as was said then.
    pub note: Option<&'s str>,
}

impl<'s> Incident<'s> {
    /// The entry that opens one.
    #[must_use]
    pub fn opened(name: &str, severity: Severity) -> Fact {
        fact(name, OPENED, severity)
    }

    /// The entry that closes it.
    #[must_use]
    pub fn closed(name: &str, severity: Severity) -> Fact {
        fact(name, CLOSED, severity)
    }

    /// All incidents of a run, by their names.
    pub fn all(standing: &'s Standing) -> impl Iterator<Item = Self> {
        standing.marks.iter().filter(|((kind, _), _)| kind == INCIDENT).filter_map(
            |((_, name), Mark { word, data, at, note })| {
                let severity = Severity::named(data)?;
                Some(Self { name, severity, open: word == OPENED, at: *at, note: note.as_deref() })
            },
        )
    }
}

fn fact(name: &str, word: &str, severity: Severity) -> Fact {
    Fact::Other {
        kind: INCIDENT.to_owned(),
        subject: name.to_owned(),
        word: word.to_owned(),
        data: severity.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Entry;

    #[test]
    fn an_incident_is_open_until_it_is_closed() {
        let facts = [
            Incident::opened("api", Severity::S1),
            Incident::opened("slow", Severity::S3),
            Incident::closed("api", Severity::S1),
        ];
        let entry = |(version, fact)| Entry { version, at: 7, by: "sam".to_owned(), note: None, fact };
        let entries: Vec<Entry> = (1..).zip(facts).map(entry).collect();
        let open = |length: usize| -> Vec<(String, Severity)> {
            let standing = Standing::of(&entries[..length]).unwrap();
            let all = Incident::all(&standing).filter(|incident| incident.open);
            all.map(|incident| (incident.name.to_owned(), incident.severity)).collect()
        };
        assert_eq!(open(2), [("api".to_owned(), Severity::S1), ("slow".to_owned(), Severity::S3)]);
        assert_eq!(open(3), [("slow".to_owned(), Severity::S3)]);
    }
}
