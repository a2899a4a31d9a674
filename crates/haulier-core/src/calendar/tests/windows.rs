//! Openings, blackouts, cutoffs, extensions, deadlines.

use jiff::civil::Weekday;

use super::*;

/// The change window of a maintenance: 07:00 to 12:00 in Paris.
fn release() -> Calendar {
    let when = When::once("2026-05-05T07:00/2026-05-05T12:00").unwrap();
    let mut release = window("release", "Europe/Paris", when);
    release.cutoff = Some(minutes(45));
    release.decision_point = minutes(90);
    release.max_extension = minutes(60);
    Calendar {
        zone: zone("Europe/Paris"),
        windows: vec![release],
        durations: Durations {
            snapshot: Some(minutes(150)),
            snapshot_check: Some(minutes(5)),
            restore: Some(hours(1)),
            smoke: Some(minutes(20)),
            ..Durations::default()
        },
        ..Calendar::default()
    }
}

fn deny(name: &str, tenants: &str, zone_name: &str, at: &str) -> Blackout {
    Blackout {
        name: name.to_owned(),
        tenants: Selector::parse(tenants).unwrap(),
        place: Place::Zone(zone(zone_name)),
        when: When::once(at).unwrap(),
        said_by: None,
    }
}

#[test]
fn the_deadlines_of_a_change_window_are_counted_back_from_its_end() {
    let calendar = release();
    let window = calendar.window("release").unwrap();
    let opening = calendar.next_opening(window, None, at("2026-05-01T00:00Z")).unwrap();
    let deadlines = Deadlines::of(&opening, window, &calendar.durations, Some(minutes(45)));
    // Paris is two hours ahead of UTC.
    assert_eq!(deadlines.snapshot_start_by, Some(at("2026-05-05T02:25Z")));
    assert_eq!(deadlines.last_safe_start, Some(at("2026-05-05T08:55Z")));
    assert_eq!(deadlines.last_safe_rollback, Some(at("2026-05-05T08:40Z")));
    assert_eq!(deadlines.decision_point, at("2026-05-05T08:30Z"));
    assert_eq!(deadlines.cutoff, Some(at("2026-05-05T09:15Z")));
    assert_eq!(deadlines.end, at("2026-05-05T10:00Z"));
    assert_eq!(deadlines.latest_end, at("2026-05-05T11:00Z"));
    assert!(deadlines.can_go_back());
    let words: Vec<&str> = deadlines.listed().into_iter().map(|(_, what)| what).collect();
    assert_eq!(words.first(), Some(&"start the snapshot by"));
    assert_eq!(words.last(), Some(&"latest end, extended as far as allowed"));
}

#[test]
fn a_decision_half_an_hour_before_the_end_is_too_late_for_a_restore_of_an_hour() {
    let mut calendar = release();
    calendar.windows[0].decision_point = DECISION_POINT;
    let window = calendar.window("release").unwrap();
    let opening = calendar.next_opening(window, None, at("2026-05-01T00:00Z")).unwrap();
    let deadlines = Deadlines::of(&opening, window, &calendar.durations, None);
    assert!(!deadlines.can_go_back());
    let back = deadline::way_back(deadlines.decision_point, hours(1), minutes(20), deadlines.end);
    assert_eq!((back.fits, back.done_at, back.spare), (false, at("2026-05-05T10:50Z"), Duration::ZERO));
    let early = deadline::way_back(at("2026-05-05T08:00Z"), hours(1), minutes(20), deadlines.end);
    assert_eq!((early.fits, early.spare), (true, minutes(40)));
}

#[test]
fn an_extension_moves_the_end_and_every_deadline_but_not_beyond_what_is_allowed() {
    let mut calendar = release();
    let start = at("2026-05-05T05:00Z");
    let extend = |by| change(Amendment::Extend { window: "release".to_owned(), start, by });
    calendar.amend(&extend(minutes(40))).unwrap();
    let window = calendar.window("release").unwrap();
    let opening = calendar.next_opening(window, None, at("2026-05-05T06:00Z")).unwrap();
    assert_eq!(opening.span.end, at("2026-05-05T10:40Z"));
    let deadlines = Deadlines::of(&opening, window, &calendar.durations, None);
    assert_eq!(deadlines.last_safe_rollback, Some(at("2026-05-05T09:20Z")));
    assert_eq!(deadlines.latest_end, at("2026-05-05T11:00Z"));
    let refused = calendar.amend(&extend(minutes(30))).unwrap_err().to_string();
    assert_eq!(refused, "window release may be extended by 1h in all, and 40m are taken");
    calendar.amend(&extend(minutes(20))).unwrap();
    // Work that runs after the window's own end is still inside.
    let window = calendar.window("release").unwrap();
    assert!(calendar.verdict(&[window], None, at("2026-05-05T10:10Z"), Duration::ZERO).is_open());
    let no_opening = change(Amendment::Extend {
        window: "release".to_owned(),
        start: at("2026-05-06T05:00Z"),
        by: minutes(5),
    });
    assert!(calendar.amend(&no_opening).is_err());
}

#[test]
fn a_blackout_ends_an_opening_and_keeps_it_from_being_extended() {
    let mut calendar = release();
    calendar.blackouts.push(deny("month end", "all", "Europe/Paris", "2026-05-05T11:00/2026-05-05T11:30"));
    let window = calendar.window("release").unwrap();
    let openings = calendar.openings(window, None, span("2026-05-05T00:00Z", "2026-05-06T00:00Z"));
    let spans: Vec<Span> = openings.iter().map(|opening| opening.span).collect();
    assert_eq!(
        spans,
        [span("2026-05-05T05:00Z", "2026-05-05T09:00Z"), span("2026-05-05T09:30Z", "2026-05-05T10:00Z")]
    );
    assert_eq!(openings[0].cut_by.as_deref(), Some("month end"));
    let verdict = calendar.verdict(&[window], None, at("2026-05-05T09:10Z"), Duration::ZERO);
    // The half hour that is left is shorter than the cutoff, so nothing begins in it.
    assert_eq!(verdict, Verdict::Denied { blackout: "month end".to_owned(), next: None });
    let extended = change(Amendment::Extend {
        window: "release".to_owned(),
        start: at("2026-05-05T05:00Z"),
        by: minutes(10),
    });
    let refused = calendar.amend(&extended).unwrap_err().to_string();
    assert_eq!(refused, "blackout month end ends window release");
}

#[test]
fn nothing_begins_after_the_cutoff() {
    let mut calendar = release();
    let night = weekly(&[Weekday::Monday, Weekday::Tuesday], "22:00", "04:00");
    calendar.windows.push(window("night", "America/Toronto", night));
    let night = calendar.window("night").unwrap();
    let needs = minutes(30);
    let verdict = |text: &str| calendar.verdict(&[night], None, at(text), needs);
    // Monday 2026-05-04 22:00 in Toronto is 02:00Z on Tuesday.
    assert_eq!(verdict("2026-05-05T01:59Z"), Verdict::Shut { next: Some(at("2026-05-05T02:00Z")) });
    let until = Some(at("2026-05-05T08:00Z"));
    assert_eq!(verdict("2026-05-05T02:00Z"), Verdict::Open { window: Some("night".to_owned()), until });
    assert!(verdict("2026-05-05T07:29Z").is_open());
    assert_eq!(
        verdict("2026-05-05T07:30Z"),
        Verdict::TooLate {
            window: "night".to_owned(),
            until: at("2026-05-05T08:00Z"),
            next: Some(at("2026-05-06T02:00Z")),
        }
    );
    // Any open window suffices.
    let release = calendar.window("release").unwrap();
    assert!(calendar.verdict(&[night, release], None, at("2026-05-05T07:45Z"), needs).is_open());
    // The window's own cutoff wins over what a tenant takes.
    assert!(!calendar.verdict(&[release], None, at("2026-05-05T09:20Z"), minutes(1)).is_open());
}

#[test]
fn without_any_window_only_blackouts_count() {
    let mut calendar = Calendar::default();
    let hub = tenant("hub-can", "America/Toronto", &["canada"]);
    calendar.blackouts.push(deny(
        "order cycles",
        "canada",
        "America/Toronto",
        "2026-05-06T06:00/2026-05-06T12:00",
    ));
    let ask = |tenant: Option<&Tenant>, text: &str| calendar.verdict(&[], tenant, at(text), Duration::ZERO);
    assert_eq!(ask(None, "2026-05-06T11:00Z"), Verdict::Open { window: None, until: None });
    assert_eq!(
        ask(Some(&hub), "2026-05-06T09:00Z"),
        Verdict::Open { window: None, until: Some(at("2026-05-06T10:00Z")) }
    );
    assert_eq!(
        ask(Some(&hub), "2026-05-06T11:00Z"),
        Verdict::Denied { blackout: "order cycles".to_owned(), next: Some(at("2026-05-06T16:00Z")) }
    );
}

#[test]
fn a_window_in_each_tenants_zone_opens_at_its_own_hour() {
    let mut night = window("night", "UTC", weekly(&[Weekday::Monday], "22:00", "04:00"));
    night.place = Place::Tenant;
    let calendar = Calendar { windows: vec![night], ..Calendar::default() };
    let night = calendar.window("night").unwrap();
    for (zone_name, opens) in [
        ("Asia/Shanghai", "2026-05-04T14:00Z"),
        ("Europe/Paris", "2026-05-04T20:00Z"),
        ("America/St_Johns", "2026-05-05T00:30Z"),
    ] {
        let hub = tenant("hub", zone_name, &[]);
        let opening = calendar.next_opening(night, Some(&hub), at("2026-05-02T00:00Z")).unwrap();
        assert_eq!(opening.span.start, at(opens), "{zone_name}");
    }
    assert_eq!(calendar.next_opening(night, None, at("2026-05-02T00:00Z")), None);
}
