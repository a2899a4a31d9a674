//! An iCalendar file (RFC 5545): times in UTC, lines folded at 75 bytes, texts escaped.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::calendar::Entry;
use crate::site::dates::Dates;

/// The whole file. The same entry has the same UID in every file, so that a calendar program replaces it.
pub(super) fn text(dates: &Dates, entries: &[Entry]) -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//haulier//calendar//EN");
    line(&mut text, &format!("X-WR-CALNAME:{}", escaped(&dates.plan.name)));
    let status = if dates.calendar.committed { "CONFIRMED" } else { "TENTATIVE" };
    for entry in entries {
        let (start, end) = entry.span;
        line(&mut text, "BEGIN:VEVENT");
        let uid = format!("{}-{}-{}-{}@haulier", dates.plan.name, entry.kind, entry.what, stamp(start));
        line(&mut text, &format!("UID:{}", escaped(&uid.replace(' ', "-"))));
        line(&mut text, &format!("DTSTAMP:{}", stamp(dates.now)));
        line(&mut text, &format!("DTSTART:{}", stamp(start)));
        // An event without a length has no end.
        if end > start {
            line(&mut text, &format!("DTEND:{}", stamp(end)));
        }
        line(
            &mut text,
            &format!("SUMMARY:{}", escaped(&format!("{}: {} {}", dates.plan.name, entry.kind, entry.what))),
        );
        if !entry.notes.is_empty() {
            line(&mut text, &format!("DESCRIPTION:{}", escaped(&entry.notes)));
        }
        line(&mut text, &format!("STATUS:{status}"));
        line(&mut text, "END:VEVENT");
    }
    line(&mut text, "END:VCALENDAR");
    text
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// One content line: at most 75 bytes each, what is longer goes on after a line break and a blank.
fn line(text: &mut String, content: &str) {
    let mut used = 0;
    for c in content.chars() {
        if used + c.len_utf8() > 75 {
            text.push_str("\r\n ");
            used = 1;
        }
        text.push(c);
        used += c.len_utf8();
    }
    let _infallible = write!(text, "\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let mut text = String::new();
        line(&mut text, &format!("SUMMARY:{}", "ä".repeat(50)));
        let parts: Vec<&str> = text.split("\r\n").collect();
        assert!(parts.iter().all(|part| part.len() <= 75), "{parts:?}");
        assert_eq!(parts[1].chars().next(), Some(' '));
        assert_eq!(text.replace("\r\n ", "").trim_end(), format!("SUMMARY:{}", "ä".repeat(50)));
    }

    #[test]
    fn what_would_end_a_text_is_escaped() {
        assert_eq!(escaped("a, b; c\\d\ne"), "a\\, b\\; c\\\\d\\ne");
    }
}
