//! Time and tenants in a plan: what is read, and what is printed for each mistake.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use haulier_core::calendar::{MaxFailed, Selector, Span, When};
use haulier_core::notice::{Impact, Kind, Subject};

use super::{NO_MISTAKE, changed, plan_mistakes};

/// A good plan with dates, which every case spoils in its own way.
const GOOD: &str = r#"name = "network"
tenant = "hub"

[schedule]
zone = "Europe/Paris"
t0 = "2026-05-05T07:00"
support = "help@example.org"
impact = "read-only"

[durations]
snapshot = "2h30m"
snapshot_check = "5m"
restore = "1h"
smoke = "20m"
stages = { bulk = ["2h58m", "3h05m"] }

[tenants.be]
name = "Belgium"
zone = "Europe/Brussels"
tags = ["size:small", "host:eu"]
contacts = ["be@example.org"]

[tenants.ca]
zone = "America/Toronto"
tags = ["size:small", "host:us"]
usage = [0, 0, 0, 0, 0, 0, 1, 5, 9, 9, 9, 9, 9, 9, 9, 9, 9, 5, 3, 2, 1, 0, 0, 0.5]
events = [{ name = "order cycles close", at = "2026-05-06T06:00/2026-05-06T12:00" }]

[tenants.fr]
zone = "Europe/Paris"
tags = ["size:large"]

[tenants.test]
excluded = "a playground"

[[window]]
name = "release"
zone = "Europe/Paris"
at = "2026-05-05T07:00/2026-05-05T12:00"
cutoff = "45m"
at_end = "overrun"
decision_point = "90m"
max_extension = "60m"

[[window]]
name = "night"
zone = "tenant"
days = ["mon", "tue"]
from = "22:00"
to = "04:00"

[[blackout]]
name = "month end"
tenants = "host:us & size:small"
zone = "America/Toronto"
at = "2026-04-30T00:00/2026-05-02T00:00"
said_by = "theodore"

[[wave]]
name = "first"
tenants = "size:small"
windows = ["night"]
parallel = 2
soak = "7d"
max_failed = "2%"
audience = "contacts"

[[wave]]
name = "second"
tenants = "rest"
not_before = "2026-06-30"
not_after = "2026-08-15"

[audiences]
operators = ["sam@example.org", "lin@example.org"]

[[notice]]
name = "planned"
template = "planned"
at = "T-1w"
of = "waves"
audience = "contacts"
channels = ["mail"]

[[notice]]
name = "started"
template = "start"
audience = "operators"
channels = ["chat"]

[[entity]]
name = "hub"
source = { table = "hubs", key = "id" }
fields = { name = "name" }
push = { shape = "put", path = "/hubs/{id}", id = "/id" }
"#;

#[test]
fn dates_are_read_as_they_are_written() {
    let plan = crate::parse_plan(Path::new("plan.toml"), GOOD).unwrap_or_else(|error| panic!("{error}"));
    let calendar = &plan.calendar;
    assert_eq!(calendar.t0, Some("2026-05-05T05:00Z".parse().unwrap()));
    assert_eq!(calendar.durations.snapshot, Some(Duration::from_mins(150)));
    assert_eq!(calendar.durations.stage("bulk"), Some(Duration::from_mins(185)));
    assert_eq!(calendar.tenants.len(), 4);
    let first = calendar.wave("first").unwrap();
    assert_eq!((first.parallel, first.max_failed), (Some(2), Some(MaxFailed::Percent(2))));
    assert_eq!(calendar.wave("second").unwrap().tenants, Selector::Rest);
    let release = calendar.window("release").unwrap();
    let around =
        Span { start: "2026-05-01T00:00Z".parse().unwrap(), end: "2026-06-01T00:00Z".parse().unwrap() };
    let openings = calendar.openings(release, None, around);
    assert_eq!(openings[0].span.length(), Duration::from_hours(5));
    assert!(matches!(calendar.window("night").unwrap().when, When::Weekly(_)));
    let [planned, started] = plan.notices.all.as_slice() else { panic!("two notices") };
    assert_eq!((planned.kind, &planned.of), (Kind::Planned, &Subject::Waves));
    assert_eq!((started.kind, &started.of), (Kind::Start, &Subject::Waves));
    assert_eq!(plan.notices.impact, Some(Impact::ReadOnly));
}

/// A case's name and what it changes.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    ("a window without a zone", &[("name = \"release\"\nzone = \"Europe/Paris\"\n", "name = \"release\"\n")]),
    (
        "a window in an unknown zone",
        &[("name = \"release\"\nzone = \"Europe/Paris\"", "name = \"release\"\nzone = \"Europe/Pris\"")],
    ),
    (
        "a local time that does not exist",
        &[("2026-05-05T07:00/2026-05-05T12:00", "2026-03-29T02:30/2026-03-29T12:00")],
    ),
    (
        "a local time that comes twice",
        &[("2026-05-05T07:00/2026-05-05T12:00", "2026-10-25T02:30/2026-10-25T12:00")],
    ),
    (
        "a window that ends before it starts",
        &[("2026-05-05T07:00/2026-05-05T12:00", "2026-05-05T12:00/2026-05-05T07:00")],
    ),
    ("a time that is none", &[("2026-05-05T07:00/2026-05-05T12:00", "5 May 2026, 7 to 12")]),
    ("a window both once and weekly", &[("cutoff = \"45m\"", "days = [\"mon\"]")]),
    ("a window without hours", &[("at = \"2026-05-05T07:00/2026-05-05T12:00\"\n", "")]),
    ("a weekday that is none", &[("days = [\"mon\", \"tue\"]", "days = [\"mon\", \"tues\"]")]),
    ("a time of day that is none", &[("from = \"22:00\"", "from = \"10 pm\"")]),
    (
        "a decision point later than the last safe rollback",
        &[("decision_point = \"90m\"", "decision_point = \"30m\"")],
    ),
    (
        "two windows of one name",
        &[("name = \"night\"", "name = \"release\""), ("windows = [\"night\"]", "windows = [\"release\"]")],
    ),
    ("an end that is none", &[("at_end = \"overrun\"", "at_end = \"stop\"")]),
    ("a cutoff that is none", &[("cutoff = \"45m\"", "cutoff = \"45 minutes\"")]),
    ("a blackout of nobody", &[("host:us & size:small", "host:uk & size:small")]),
    ("a selector that is none", &[("host:us & size:small", "host:us & ")]),
    ("a blackout for the rest", &[("host:us & size:small", "rest")]),
    ("a wave that selects nobody", &[("tenants = \"size:small\"", "tenants = \"size:smal\"")]),
    ("a wave of nobody who is not excluded", &[("tenants = \"size:small\"", "tenants = [\"test\"]")]),
    ("a tenant in two waves", &[("tenants = \"rest\"", "tenants = \"host:eu | size:large\"")]),
    (
        "tenants in no wave",
        &[("tenants = \"rest\"", "tenants = [\"fr\"]"), ("tenants = \"size:small\"", "tenants = [\"be\"]")],
    ),
    ("two waves for the rest", &[("tenants = \"size:small\"", "tenants = \"rest\"")]),
    ("a wave of a stranger", &[("tenants = \"size:small\"", "tenants = [\"be\", \"cc\"]")]),
    ("a wave in a window that is not there", &[("windows = [\"night\"]", "windows = [\"nights\"]")]),
    ("a share that is none", &[("max_failed = \"2%\"", "max_failed = \"two\"")]),
    ("days that are none", &[("not_before = \"2026-06-30\"", "not_before = \"2026-06-31\"")]),
    ("days in the wrong order", &[("not_after = \"2026-08-15\"", "not_after = \"2026-06-15\"")]),
    (
        "a wave for an audience that is not there",
        &[("audience = \"contacts\"\n\n[[wave]]", "audience = \"contact\"\n\n[[wave]]")],
    ),
    (
        "a notice for an audience that is not there",
        &[("audience = \"operators\"", "audience = \"operator\"")],
    ),
    ("a notice without its distance", &[("at = \"T-1w\"\n", "")]),
    ("a notice after its date", &[("at = \"T-1w\"", "at = \"T+1w\"")]),
    ("a start at a distance", &[("template = \"start\"", "template = \"start\"\nat = \"T-1d\"")]),
    ("a notice without support", &[("support = \"help@example.org\"\n", "")]),
    ("a notice without impact", &[("impact = \"read-only\"\n", "")]),
    (
        "a notice that hides its end",
        &[(
            "at = \"T-1w\"",
            "at = \"T-1w\"\ntext = \"{{impact}} from {{start}}, {{allowance}}, {{support}}\"",
        )],
    ),
    ("a placeholder for nothing", &[("at = \"T-1w\"", "at = \"T-1w\"\ntitle = \"on {{date}}\"")]),
    ("a notice about nothing", &[("of = \"waves\"", "of = \"tenant:be\"")]),
    ("a notice about a wave that is not there", &[("of = \"waves\"", "of = \"wave:frist\"")]),
    ("an unknown template", &[("template = \"start\"", "template = \"strat\"")]),
    ("an event without a time", &[(", at = \"2026-05-06T06:00/2026-05-06T12:00\"", "")]),
    ("figures of half a day", &[("usage = [0, 0, 0, 0, 0, 0, 1, 5, 9, 9, 9, 9, ", "usage = [")]),
    ("a tag that no selector can name", &[("\"host:eu\"]", "\"host eu\"]")]),
    ("an audience of a taken name", &[("operators = [", "contacts = [\"x@example.org\"]\noperators = [")]),
    ("a start each day", &[("template = \"start\"", "template = \"start\"\nevery = \"09:00\"")]),
    ("a digest without an hour", &[("template = \"start\"", "template = \"digest\"")]),
    ("a digest at no hour", &[("template = \"start\"", "template = \"digest\"\nevery = \"1d\"")]),
    ("a task that nobody owns", &[("[audiences]", "[[task]]\nname = \"ask\"\nat = \"T-3w\"\n[audiences]")]),
    (
        "a task at no date",
        &[("[audiences]", "[[task]]\nname = \"ask\"\nat = \"soon\"\nowner = \"sam\"\n[audiences]")],
    ),
    (
        "a task before a day that has no date",
        &[
            ("t0 = \"2026-05-05T07:00\"\n", ""),
            ("[audiences]", "[[task]]\nname = \"ask\"\nat = \"T-3w\"\nowner = \"sam\"\n[audiences]"),
        ],
    ),
    ("a t0 that does not exist", &[("t0 = \"2026-05-05T07:00\"", "t0 = \"2026-03-29T02:30\"")]),
];

#[test]
fn every_mistake_of_time_is_told_with_its_place_and_the_way_out() {
    let mut told = String::new();
    for (name, changes) in CASES {
        write!(told, "# {name}\n{}\n\n", plan_mistakes(&changed(GOOD, changes))).unwrap();
    }
    insta::assert_snapshot!(told);
    assert!(!told.contains(NO_MISTAKE));
}

#[test]
fn a_restore_may_end_after_the_window_where_the_plan_says_so() {
    let late = changed(
        GOOD,
        &[("decision_point = \"90m\"", "decision_point = \"30m\"\nrestore_may_overrun = true")],
    );
    assert_eq!(plan_mistakes(&late), NO_MISTAKE);
    // A point that nobody named is early enough.
    let usual = changed(GOOD, &[("decision_point = \"90m\"\n", "")]);
    let plan = crate::parse_plan(Path::new("plan.toml"), &usual).unwrap();
    assert_eq!(plan.calendar.window("release").unwrap().decision_point, Duration::from_mins(80));
}
