//! What people change, and what they may not.

use super::*;

fn calendar() -> Calendar {
    let when = When::once("2026-04-29T10:00/2026-04-29T12:00").unwrap();
    Calendar {
        windows: vec![window("canada", "America/Toronto", when)],
        tenants: vec![
            tenant("be", "Europe/Brussels", &[]),
            tenant("ca", "America/Toronto", &[]),
            tenant("uk", "Europe/London", &[]),
        ],
        waves: vec![wave("first", "ca"), wave("second", "rest")],
        ..Calendar::default()
    }
}

fn own(text: &str) -> String {
    text.to_owned()
}

#[test]
fn every_change_reads_back_as_it_was_kept() {
    for what in [
        Amendment::Move { tenant: own("be"), wave: own("first") },
        Amendment::Exclude { tenant: own("be") },
        Amendment::Include { tenant: own("be") },
        Amendment::Defer { tenant: own("be"), until: at("2026-05-06T10:00:00Z") },
        Amendment::Date { wave: own("first"), day: jiff::civil::date(2026, 5, 11) },
        Amendment::Reschedule { window: own("canada"), at: own("2026-05-06T10:00/2026-05-06T12:00") },
        Amendment::Extend { window: own("canada"), start: at("2026-04-29T14:00:00Z"), by: minutes(40) },
        Amendment::Blackout {
            name: own("fair"),
            tenants: own("be"),
            zone: own("Europe/Brussels"),
            at: own("2026-05-06T10:00/2026-05-06T12:00"),
        },
        Amendment::Commit,
    ] {
        let (word, parts) = what.words();
        assert_eq!(Amendment::read(word, &parts), Some(what.clone()), "{}", what.say());
        assert_eq!(Amendment::read(word, &vec![own("a"); 5]), None);
    }
    assert_eq!(Amendment::read("burn", &[]), None);
}

#[test]
fn changes_hold_in_their_order_and_what_no_longer_fits_is_told() {
    let moved = |tenant: &str, wave: &str| Amendment::Move { tenant: own(tenant), wave: own(wave) };
    let changes: Vec<Change> = [
        moved("be", "first"),
        moved("ca", "second"),
        Amendment::Exclude { tenant: own("nl") },
        Amendment::Reschedule { window: own("canada"), at: own("2026-05-06T10:00/2026-05-06T12:00") },
        Amendment::Commit,
    ]
    .into_iter()
    .zip(1..)
    .map(|(what, version)| Change { version, ..change(what) })
    .collect();
    let (amended, unfit) = calendar().amended(&changes);
    assert_eq!(amended.roster().wave_of("be").map(|wave| wave.name.as_str()), Some("first"));
    assert_eq!(amended.roster().wave_of("ca").map(|wave| wave.name.as_str()), Some("second"));
    assert!(amended.committed);
    assert_eq!(unfit.len(), 1);
    assert_eq!((unfit[0].0, unfit[0].1.to_string()), (3, own("there is no tenant `nl`")));
    let opening = amended.next_opening(&amended.windows[0], None, at("2026-04-01T00:00Z")).unwrap();
    // 10:00 in Toronto is 16:00 in Madrid.
    assert_eq!(opening.span.start, at("2026-05-06T14:00Z"));
    assert_eq!(zone("Europe/Madrid").say(opening.span.start), "2026-05-06 16:00 CEST");
}

#[test]
fn what_would_break_the_calendar_is_refused() {
    let refuse = |what: Amendment| calendar().amend(&change(what)).unwrap_err().to_string();
    assert_eq!(
        refuse(Amendment::Move { tenant: own("ca"), wave: own("second") }),
        "wave first would be empty without tenant ca"
    );
    assert_eq!(refuse(Amendment::Move { tenant: own("be"), wave: own("third") }), "there is no wave `third`");
    assert_eq!(
        refuse(Amendment::Move { tenant: own("be"), wave: own("second") }),
        "tenant be is in wave second already"
    );
    assert_eq!(
        refuse(Amendment::Include { tenant: own("be") }),
        "tenant be is neither excluded nor deferred"
    );
    let shift = |at: &str| Amendment::Reschedule { window: own("canada"), at: own(at) };
    assert_eq!(
        refuse(shift("2026-03-08T02:30/2026-03-08T05:00")),
        "2026-03-08T02:30:00 does not exist in America/Toronto: the clocks go forward"
    );
    assert_eq!(refuse(shift("2026-04-29T10:00/2026-04-29T12:00")), "window canada is at that time already");
    let mut out = calendar();
    out.amend(&change(Amendment::Exclude { tenant: own("be") })).unwrap();
    let again = out.amend(&change(Amendment::Exclude { tenant: own("be") })).unwrap_err().to_string();
    assert_eq!(again, "tenant be is excluded already: because");
    let moved = out.amend(&change(Amendment::Move { tenant: own("be"), wave: own("first") }));
    assert_eq!(moved.unwrap_err().to_string(), "tenant be is excluded, so it goes with no wave");
}
