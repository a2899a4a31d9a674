//! Notices: what is told to whom, after what has really happened, or before a date that is promised.

mod machine;
mod post;

pub use machine::{PostEvent, PostState};
pub use post::{NewPost, Post};

use jiff::civil::Time;

use crate::calendar::Lead;

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Something will happen.
    Planned,
    /// It will happen soon.
    Reminder,
    /// It has begun.
    Start,
    /// It is over.
    End,
    /// It takes longer.
    Extended,
    /// How far it is, day by day.
    Digest,
    /// It went wrong.
    Incident,
    /// What went wrong is right again.
    Resolved,
    /// It will happen at another time than was told.
    Moved,
    /// It will not happen.
    Cancelled,
}

impl Kind {
    /// Each with its word.
    pub const ALL: [(&'static str, Self); 10] = [
        ("planned", Self::Planned),
        ("reminder", Self::Reminder),
        ("start", Self::Start),
        ("end", Self::End),
        ("extended", Self::Extended),
        ("digest", Self::Digest),
        ("incident", Self::Incident),
        ("resolved", Self::Resolved),
        ("moved", Self::Moved),
        ("cancelled", Self::Cancelled),
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Reminder => "reminder",
            Self::Start => "start",
            Self::End => "end",
            Self::Extended => "extended",
            Self::Digest => "digest",
            Self::Incident => "incident",
            Self::Resolved => "resolved",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, kind)| kind)
    }

    /// Whether it goes out before a date, rather than after an event.
    #[must_use]
    pub fn is_dated(self) -> bool {
        match self {
            Self::Planned | Self::Reminder => true,
            Self::Start
            | Self::End
            | Self::Extended
            | Self::Digest
            | Self::Incident
            | Self::Resolved
            | Self::Moved
            | Self::Cancelled => false,
        }
    }
}

/// What people will notice of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Impact {
    /// Nothing.
    None,
    /// It is slower.
    Degraded,
    /// Nothing can be changed.
    ReadOnly,
    /// It cannot be used.
    Down,
}

impl Impact {
    /// Each with its word.
    pub const ALL: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("degraded", Self::Degraded),
        ("read-only", Self::ReadOnly),
        ("down", Self::Down),
    ];

    /// As it is told.
    #[must_use]
    pub fn say(self) -> &'static str {
        match self {
            Self::None => "no interruption is expected",
            Self::Degraded => "it may be slower than usual",
            Self::ReadOnly => "it can be read, but nothing can be changed",
            Self::Down => "it cannot be used",
        }
    }
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The whole run; its date is T0.
    Run,
    /// Each wave for itself.
    Waves,
    /// One wave; its date is its first opening.
    Wave(String),
    /// A window; its date is its next opening.
    Window(String),
}

impl Subject {
    /// Reads `run`, `waves`, `wave:NAME`, `window:NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "run" => Some(Self::Run),
            None if text == "waves" => Some(Self::Waves),
            Some(("wave", name)) if !name.is_empty() => Some(Self::Wave(name.to_owned())),
            Some(("window", name)) if !name.is_empty() => Some(Self::Window(name.to_owned())),
            None | Some(_) => None,
        }
    }

    /// Whether a notice about this is also one about `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other || (*self == Self::Waves && matches!(other, Self::Wave(_)))
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run => f.write_str("run"),
            Self::Waves => f.write_str("waves"),
            Self::Wave(name) => write!(f, "wave:{name}"),
            Self::Window(name) => write!(f, "window:{name}"),
        }
    }
}

/// The audience that a plan need not name: the contacts of the tenants concerned.
pub const CONTACTS: &str = "contacts";

/// A notice of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its name.
    pub name: String,
    /// What it says.
    pub kind: Kind,
    /// When it goes out before its date.
    pub at: Option<Lead>,
    /// At which hour of each day it goes out, while a run goes on.
    pub every: Option<Time>,
    /// What it is about.
    pub of: Subject,
    /// Whom it reaches.
    pub audience: String,
    /// How.
    pub channels: Vec<String>,
    /// Its title, where it is not the usual one.
    pub title: Option<String>,
    /// Its text, where it is not the usual one.
    pub text: Option<String>,
    /// What people will notice.
    pub impact: Option<Impact>,
    /// What it is good for.
    pub benefit: Option<String>,
}

/// All notices of a plan, and what they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notices {
    /// Where people find help.
    pub support: Option<String>,
    /// What people will notice.
    pub impact: Option<Impact>,
    /// What it is good for.
    pub benefit: Option<String>,
    /// Names of groups, and their addresses.
    pub audiences: Vec<(String, Vec<String>)>,
    /// The notices.
    pub all: Vec<Notice>,
}

/// The placeholders that a title or text may hold.
pub const PLACEHOLDERS: [&str; 12] = [
    "plan",
    "what",
    "impact",
    "start",
    "end",
    "allowance",
    "support",
    "benefit",
    "reason",
    "was",
    "tenants",
    "by",
];

/// The placeholders of a text, `{{start}}`; the first that is none, or is not closed, is the error.
///
/// # Errors
/// An unknown or unclosed placeholder.
pub fn placeholders(text: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, next)) = after.split_once("}}") else {
            return Err("`{{` without `}}`".to_owned());
        };
        let name = name.trim();
        if !PLACEHOLDERS.contains(&name) {
            return Err(format!("`{{{{{name}}}}}` stands for nothing"));
        }
        found.push(name);
        rest = next;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_and_waves_cover_each() {
        for text in ["run", "waves", "wave:first", "window:release"] {
            assert_eq!(Subject::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "wave:", "tenant:7", "wave"] {
            assert_eq!(Subject::parse(text), None, "{text}");
        }
        assert!(Subject::Waves.covers(&Subject::Wave("first".to_owned())));
        assert!(!Subject::Waves.covers(&Subject::Run));
    }

    #[test]
    fn a_placeholder_is_one_of_those_that_are_known() {
        assert_eq!(placeholders("from {{start}} to {{ end }}"), Ok(vec!["start", "end"]));
        assert_eq!(placeholders("from {{strat}}"), Err("`{{strat}}` stands for nothing".to_owned()));
        assert!(placeholders("from {{start").is_err());
    }
}
