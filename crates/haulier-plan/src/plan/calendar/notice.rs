//! `[audiences]` and `[[notice]]`: who is told what.

use haulier_core::calendar::{Calendar, Lead};
use haulier_core::notice::{CONTACTS, Impact, Kind, Notice, Notices, Subject, placeholders};
use jiff::civil::Time;

use super::{name, tables};
use crate::near;
use crate::node::{Node, Table, Text};
use crate::shape;

/// Names of groups, and their addresses.
pub(super) fn audiences(plan: &Table<'_>) -> Vec<(String, Vec<String>)> {
    let entries = plan.get("audiences").map(|node| node.entries()).unwrap_or_default();
    let audience = |(key, node): &(Text<'_>, Node<'_>)| {
        if key.value == CONTACTS {
            node.notes.hinted(
                key.at,
                "the audience \"contacts\" is made of the tenants' own `contacts`",
                "give this one another name",
            );
        }
        (key.value.to_owned(), node.texts().iter().map(|text| text.value.to_owned()).collect())
    };
    entries.iter().map(audience).collect()
}

/// The name of an audience.
pub(super) fn audience(node: &Node<'_>, all: &Notices) -> Option<String> {
    let text = node.text()?;
    let named: Vec<&str> = all.audiences.iter().map(|(name, _)| name.as_str()).chain([CONTACTS]).collect();
    if named.contains(&text.value) {
        return Some(text.value.to_owned());
    }
    node.wrong(
        format!("`audience` is \"{}\", which `[audiences]` does not have", text.value),
        near::hint(text.value, &named, "audiences"),
    )
}

/// Reads the notices.
pub(super) fn read(plan: &Table<'_>, calendar: &Calendar, notices: &mut Notices) {
    let mut known = Vec::new();
    for node in tables(plan, "notice") {
        if let Some(notice) = notice(&node, calendar, notices, &mut known) {
            notices.all.push(notice);
        }
    }
}

fn notice<'d>(
    node: &Node<'d>,
    calendar: &Calendar,
    all: &Notices,
    known: &mut Vec<&'d str>,
) -> Option<Notice> {
    let table = node.table(&shape::NOTICE)?;
    let name = name(&table, "the outbox knows it by that: `name = \"planned\"`", known);
    let kinds: Vec<(&str, Kind)> =
        Kind::ALL.into_iter().filter(|(_, kind)| !matches!(kind, Kind::Moved | Kind::Cancelled)).collect();
    let template =
        table.need("template", "planned, reminder, start, end, extended, digest, incident or resolved");
    let kind = template.as_ref().and_then(|node| node.word(&kinds));
    let of = match table.get("of") {
        Some(node) => subject(&node, calendar),
        None if kind == Some(Kind::Digest) => Some(Subject::Run),
        None => Some(if calendar.waves.is_empty() { Subject::Run } else { Subject::Waves }),
    };
    let audience = table.need("audience", "whom it reaches: a name of `[audiences]`, or \"contacts\"");
    let audience = audience.and_then(|node| self::audience(&node, all));
    let channels = table.need("channels", "names of the site's `[channels]`: `channels = [\"mail\"]`");
    let channels: Vec<String> = channels
        .map(|node| node.texts())
        .unwrap_or_default()
        .iter()
        .map(|text| text.value.to_owned())
        .collect();
    let notice = Notice {
        at: kind.and_then(|kind| lead(&table, kind)),
        every: kind.and_then(|kind| every(&table, kind)),
        title: wording(&table, "title"),
        text: wording(&table, "text"),
        impact: table.get("impact").and_then(|node| node.word(&Impact::ALL)),
        benefit: table.owned("benefit"),
        name: name?.to_owned(),
        kind: kind?,
        of: of?,
        audience: audience?,
        channels,
    };
    check_dated(&table, &notice, calendar, all);
    Some(notice)
}

/// `at`, which notices before a date have and others have not.
fn lead(table: &Table<'_>, kind: Kind) -> Option<Lead> {
    if !kind.is_dated() {
        return table.get("at").and_then(|node| {
            node.wrong(
                format!(
                    "a notice with the template \"{}\" goes out when it happens, so it has no `at`",
                    kind.as_str()
                ),
                None,
            )
        });
    }
    let node = table.need("at", "how long before its date: `at = \"T-1w\"`")?;
    let text = node.text()?;
    match Lead::parse(text.value) {
        Some(lead) if lead.is_before() => Some(lead),
        _ => node.wrong(
            format!("`at`: \"{}\" is no time before a date", text.value),
            Some("write `T-3w`, `T-1d` or `T-2h`; days and weeks are the calendar's".to_owned()),
        ),
    }
}

/// `every`, which a digest has and others have not.
fn every(table: &Table<'_>, kind: Kind) -> Option<Time> {
    if kind != Kind::Digest {
        return table.get("every").and_then(|node| {
            node.wrong("only a notice with the template \"digest\" goes out every day", None)
        });
    }
    let node =
        table.need("every", "at which hour of each day, in the schedule's zone: `every = \"09:00\"`")?;
    let text = node.text()?;
    text.value.parse().ok().or_else(|| {
        let hint = "hours and minutes in the schedule's zone, such as \"09:00\"".to_owned();
        node.wrong(format!("`every`: \"{}\" is no time of a day", text.value), Some(hint))
    })
}

fn subject(node: &Node<'_>, calendar: &Calendar) -> Option<Subject> {
    let text = node.text()?;
    let Some(subject) = Subject::parse(text.value) else {
        return node.wrong(
            format!("`of`: \"{}\" is nothing that a notice is about", text.value),
            Some("\"run\", \"waves\", \"wave:NAME\" or \"window:NAME\"".to_owned()),
        );
    };
    let waves: Vec<&str> = calendar.waves.iter().map(|wave| wave.name.as_str()).collect();
    let windows: Vec<&str> = calendar.windows.iter().map(|window| window.name.as_str()).collect();
    let (wanted, known, what) = match &subject {
        Subject::Run | Subject::Waves => return Some(subject),
        Subject::Wave(name) => (name, waves, "waves"),
        Subject::Window(name) => (name, windows, "windows"),
    };
    if known.contains(&wanted.as_str()) {
        return Some(subject);
    }
    let hint = near::hint(wanted, &known, what);
    node.wrong(format!("`of` names \"{wanted}\", which the plan does not have"), hint)
}

/// A title or text of one's own; its placeholders must be known.
fn wording(table: &Table<'_>, key: &'static str) -> Option<String> {
    let node = table.get(key)?;
    let text = node.text()?;
    match placeholders(text.value) {
        Ok(_) => Some(text.value.to_owned()),
        Err(error) => {
            let known = haulier_core::notice::PLACEHOLDERS.join(", ");
            node.wrong(format!("`{key}`: {error}"), Some(format!("it can hold {known}, each in `{{{{ }}}}`")))
        }
    }
}

/// What a notice before a date must say, and the date that it needs.
fn check_dated(table: &Table<'_>, notice: &Notice, calendar: &Calendar, all: &Notices) {
    if !notice.kind.is_dated() {
        return;
    }
    let notes = table.notes;
    if all.support.is_none() {
        notes.hinted(
            table.at,
            format!("notice \"{}\" does not say where people find help", notice.name),
            "`support = \"help@example.org\"` in `[schedule]`",
        );
    }
    if notice.impact.or(all.impact).is_none() {
        notes.hinted(
            table.at,
            format!("notice \"{}\" does not say what people will notice", notice.name),
            "`impact = \"none\"`, \"degraded\", \"read-only\" or \"down\", here or in `[schedule]`",
        );
    }
    if let Some(text) = &notice.text {
        let found = placeholders(text).unwrap_or_default();
        for must in ["impact", "start", "end", "allowance", "support"] {
            if !found.contains(&must) {
                notes.hinted(
                    table.get("text").map_or(table.at, |node| node.at),
                    format!("notice \"{}\" lacks `{{{{{must}}}}}`", notice.name),
                    "a notice before a date tells impact, start, end, allowance and support",
                );
            }
        }
    }
    if notice.of == Subject::Run && calendar.t0.is_none() {
        notes.hinted(
            table.at,
            format!("notice \"{}\" is about the run, which has no date", notice.name),
            "`t0 = \"2026-05-05T07:00\"` in `[schedule]`, or `of = \"waves\"`",
        );
    }
}
