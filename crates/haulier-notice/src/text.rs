//! The words of a notice.

use std::time::Duration;

use haulier_core::calendar::{Zone, lead};
use haulier_core::notice::{Impact, Kind};
use jiff::Timestamp;

/// What a text is made of.
#[derive(Debug, Clone)]
pub struct Words<'w> {
    /// The plan's name.
    pub plan: &'w str,
    /// What it is about: `wave first`, `window release`.
    pub what: String,
    /// What people will notice.
    pub impact: Option<Impact>,
    /// Its start, where it is known.
    pub start: Option<Timestamp>,
    /// Its end, where it is known.
    pub end: Option<Timestamp>,
    /// How much longer it may take.
    pub allowance: Duration,
    /// Where people find help.
    pub support: Option<&'w str>,
    /// What it is good for.
    pub benefit: Option<&'w str>,
    /// Why, where somebody said so.
    pub reason: Option<&'w str>,
    /// The start that was told before.
    pub was: Option<Timestamp>,
    /// Whom it concerns.
    pub tenants: Vec<&'w str>,
    /// Who did it.
    pub by: Option<&'w str>,
    /// The zones in which times are told, beside UTC.
    pub zones: Vec<&'w Zone>,
}

impl Words<'_> {
    /// A time in UTC and in each zone, each but once.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        let mut said: Vec<String> = Vec::new();
        for text in self.zones.iter().map(|zone| zone.say(at)).chain([Zone::utc().say(at)]) {
            if !said.contains(&text) {
                said.push(text);
            }
        }
        said.join(" = ")
    }

    fn word(&self, name: &str) -> String {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "not known yet".to_owned(), |at| self.time(at));
        let or = |text: Option<&str>, otherwise: &str| text.unwrap_or(otherwise).to_owned();
        match name {
            "plan" => self.plan.to_owned(),
            "what" => self.what.clone(),
            "impact" => or(self.impact.map(Impact::say), "what you will notice is not known"),
            "start" => time(self.start),
            "end" => time(self.end),
            "allowance" if self.allowance.is_zero() => "no longer".to_owned(),
            "allowance" => format!("up to {} longer", lead::say(self.allowance)),
            "support" => or(self.support, "the operators"),
            "benefit" => or(self.benefit, ""),
            "reason" => or(self.reason, "no reason was given"),
            "was" => time(self.was),
            "tenants" => self.tenants.join(", "),
            "by" => or(self.by, "the operators"),
            _ => String::new(),
        }
    }

    /// A text with its placeholders filled.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, next)) = after.split_once("}}") else {
                filled.push_str("{{");
                rest = after;
                break;
            };
            filled.push_str(&self.word(name.trim()));
            rest = next;
        }
        filled.push_str(rest);
        filled
    }
}

/// The title and the text of a kind, where the plan has none of its own.
#[must_use]
pub fn usual(kind: Kind, has_benefit: bool) -> (&'static str, String) {
    let (title, text) = match kind {
        Kind::Planned => (
            "{{plan}}: {{what}} on {{start}}",
            "We plan {{what}} of {{plan}}.\n\nStart: {{start}}\nEnd: {{end}}; it may take {{allowance}}.\nMeanwhile \
             {{impact}}.\nConcerned: {{tenants}}\n",
        ),
        Kind::Reminder => (
            "{{plan}}: {{what}} soon, on {{start}}",
            "A reminder: {{what}} of {{plan}} is near.\n\nStart: {{start}}\nEnd: {{end}}; it may take \
             {{allowance}}.\nMeanwhile {{impact}}.\nConcerned: {{tenants}}\n",
        ),
        Kind::Start => (
            "{{plan}}: {{what}} has begun",
            "{{what}} of {{plan}} has begun.\n\nStart: {{start}}\nPlanned end: {{end}}; it may take \
             {{allowance}}.\nMeanwhile {{impact}}.\n",
        ),
        Kind::End => (
            "{{plan}}: {{what}} is over",
            "{{what}} of {{plan}} is over. Everything can be used as usual.\n\nEnd: {{end}}\n",
        ),
        Kind::Extended => (
            "{{plan}}: {{what}} takes longer, until {{end}}",
            "{{what}} of {{plan}} takes longer than was planned: {{reason}}.\n\nNew end: {{end}}; it may take \
             {{allowance}}.\nMeanwhile {{impact}}.\n",
        ),
        Kind::Digest => {
            ("{{plan}}: how far {{what}} is", "{{what}} of {{plan}} goes on.\n\nSo far: {{reason}}.\n")
        }
        Kind::Incident => (
            "{{plan}}: an incident in {{what}}",
            "There is an incident in {{what}} of {{plan}}: {{reason}}.\n\nOpened by {{by}}. We tell you as soon as it is \
             over.\n",
        ),
        Kind::Resolved => (
            "{{plan}}: the incident in {{what}} is over",
            "The incident in {{what}} of {{plan}} is over: {{reason}}.\n\nClosed by {{by}}.\n",
        ),
        Kind::Moved => (
            "{{plan}}: {{what}} moved to {{start}}",
            "{{what}} of {{plan}} moved.\n\nIt was: {{was}}\nNew start: {{start}}\nNew end: {{end}}; it may take \
             {{allowance}}.\nMeanwhile {{impact}}.\nConcerned: {{tenants}}\n",
        ),
        Kind::Cancelled => (
            "{{plan}}: {{what}} is cancelled",
            "{{what}} of {{plan}}, which was planned for {{was}}, will not take place. You need not do anything.\n",
        ),
    };
    let benefit =
        if has_benefit && kind == Kind::Planned { "\nWhat it is good for: {{benefit}}\n" } else { "" };
    (title, format!("{text}{benefit}\nHelp: {{{{support}}}}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::notice::placeholders;

    fn words<'w>(zones: &'w [Zone]) -> Words<'w> {
        Words {
            plan: "network",
            what: "wave first".to_owned(),
            impact: Some(Impact::ReadOnly),
            start: Some("2026-05-05T20:00Z".parse().unwrap()),
            end: Some("2026-05-06T02:00Z".parse().unwrap()),
            allowance: Duration::from_mins(60),
            support: Some("help@example.org"),
            benefit: None,
            reason: None,
            was: None,
            tenants: vec!["Belgium"],
            by: None,
            zones: zones.iter().collect(),
        }
    }

    #[test]
    fn a_text_tells_its_times_in_every_zone_that_matters() {
        let zones = [Zone::named("America/St_Johns").unwrap(), Zone::named("Europe/Brussels").unwrap()];
        let words = words(&zones);
        assert_eq!(
            words.fill("from {{start}}, {{ impact }}, {{allowance}}; help: {{support}}"),
            "from 2026-05-05 17:30 NDT = 2026-05-05 22:00 CEST = 2026-05-05 20:00 UTC, it can be read, but nothing can be \
             changed, up to 1h longer; help: help@example.org"
        );
        assert_eq!(words.fill("{{broken"), "{{broken");
        assert_eq!(Words { start: None, ..words }.fill("{{start}}"), "not known yet");
    }

    #[test]
    fn every_usual_text_holds_known_places_and_those_before_a_date_all_that_they_must() {
        for (_, kind) in Kind::ALL {
            let (title, text) = usual(kind, true);
            assert!(placeholders(title).is_ok(), "{kind:?}");
            let found = placeholders(&text).unwrap();
            assert!(found.contains(&"support"), "{kind:?}");
            if kind.is_dated() {
                assert!(
                    ["impact", "start", "end", "allowance"].iter().all(|must| found.contains(must)),
                    "{kind:?}"
                );
            }
        }
    }
}
