//! Local times, and the hours that clocks skip or show twice.

use jiff::civil::Weekday;

use super::*;

#[test]
fn a_window_lasts_as_long_as_it_really_lasts() {
    let every = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    for (zone_name, from, to, day, starts, lasts) in [
        ("America/Toronto", "22:00", "04:00", "2026-03-06", "2026-03-07T03:00Z", minutes(360)),
        ("America/Toronto", "22:00", "04:00", "2026-03-07", "2026-03-08T03:00Z", minutes(300)),
        ("America/Toronto", "22:00", "04:00", "2026-10-31", "2026-11-01T02:00Z", minutes(420)),
        ("Europe/Paris", "22:00", "04:00", "2026-03-28", "2026-03-28T21:00Z", minutes(300)),
        ("Europe/Paris", "22:00", "04:00", "2026-10-24", "2026-10-24T20:00Z", minutes(420)),
        ("Asia/Shanghai", "22:00", "04:00", "2026-03-28", "2026-03-28T14:00Z", minutes(360)),
        ("Australia/Lord_Howe", "00:00", "06:00", "2026-04-05", "2026-04-04T13:00Z", minutes(390)),
        ("Australia/Lord_Howe", "00:00", "06:00", "2026-10-04", "2026-10-03T13:30Z", minutes(330)),
        // A whole day of 23 hours.
        ("Europe/Paris", "00:00", "00:00", "2026-03-29", "2026-03-28T23:00Z", hours(23)),
    ] {
        let place = zone(zone_name);
        let date: jiff::civil::Date = day.parse().unwrap();
        let noon = place.rules().to_timestamp(date.at(12, 0, 0, 0)).unwrap();
        let around = Span { start: span::earlier(noon, hours(48)), end: span::later(noon, hours(48)) };
        // Each day for itself: touching days would be one span.
        let when = weekly(&[date.weekday()], from, to);
        let found = when.spans(&place, Side::Allow, around);
        let starts = at(starts);
        let found = found.iter().find(|span| span.start == starts);
        assert_eq!(found.map(|span| span.length()), Some(lasts), "{zone_name} {day} {from}-{to}");
        let all = weekly(&every, from, to);
        assert!(!all.spans(&place, Side::Allow, around).is_empty());
    }
}

#[test]
fn what_is_allowed_is_read_narrowly_and_what_is_denied_widely() {
    let toronto = zone("America/Toronto");
    // 01:00 to 02:00 comes twice on 2026-11-01, at 05:00Z and at 06:00Z.
    let around = span("2026-11-01T00:00Z", "2026-11-02T00:00Z");
    let from_doubled = weekly(&[Weekday::Sunday], "01:30", "03:00");
    let allowed = from_doubled.spans(&toronto, Side::Allow, around);
    let denied = from_doubled.spans(&toronto, Side::Deny, around);
    assert_eq!(allowed, [span("2026-11-01T06:30Z", "2026-11-01T08:00Z")]);
    assert_eq!(denied, [span("2026-11-01T05:30Z", "2026-11-01T08:00Z")]);
    let to_doubled = weekly(&[Weekday::Sunday], "00:30", "01:30");
    assert_eq!(
        to_doubled.spans(&toronto, Side::Allow, around),
        [span("2026-11-01T04:30Z", "2026-11-01T05:30Z")]
    );
    assert_eq!(
        to_doubled.spans(&toronto, Side::Deny, around),
        [span("2026-11-01T04:30Z", "2026-11-01T06:30Z")]
    );
    // 02:00 to 03:00 is skipped on 2026-03-08: there is nothing of it.
    let around = span("2026-03-08T00:00Z", "2026-03-09T00:00Z");
    let skipped = weekly(&[Weekday::Sunday], "02:10", "02:50");
    assert_eq!(skipped.spans(&toronto, Side::Allow, around), []);
    assert_eq!(skipped.spans(&toronto, Side::Deny, around), []);
    let over = weekly(&[Weekday::Sunday], "02:30", "05:00");
    assert_eq!(over.spans(&toronto, Side::Allow, around), [span("2026-03-08T07:00Z", "2026-03-08T09:00Z")]);
}

#[test]
fn a_single_time_that_is_none_or_two_is_refused_with_both_candidates() {
    for (zone_name, text, says, hint) in [
        (
            "America/Toronto",
            "2026-03-08T02:30",
            "2026-03-08T02:30:00 does not exist in America/Toronto: the clocks go forward",
            "write 2026-03-08T01:30 or 2026-03-08T03:30",
        ),
        (
            "Europe/Paris",
            "2026-03-29T02:15",
            "2026-03-29T02:15:00 does not exist in Europe/Paris: the clocks go forward",
            "write 2026-03-29T01:15 or 2026-03-29T03:15",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04T02:10",
            "2026-10-04T02:10:00 does not exist in Australia/Lord_Howe: the clocks go forward",
            "write 2026-10-04T01:40 or 2026-10-04T02:40",
        ),
        (
            "America/Toronto",
            "2026-11-01T01:30",
            "2026-11-01T01:30:00 comes twice in America/Toronto: the clocks go back",
            "write 2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00",
        ),
        (
            "America/Toronto",
            "2026-06-01T01:30-05:00",
            "2026-06-01T01:30:00 has another offset in America/Toronto",
            "leave the offset out: 2026-06-01T01:30",
        ),
    ] {
        let error = Moment::parse(text).unwrap().exact(&zone(zone_name)).unwrap_err();
        assert_eq!(error.to_string(), says);
        assert_eq!(error.hint(), hint);
    }
    // Written with its offset, a doubled time is one.
    let first = Moment::parse("2026-11-01T01:30-04:00").unwrap();
    assert_eq!(first.exact(&zone("America/Toronto")), Ok(at("2026-11-01T05:30Z")));
}

#[test]
fn a_text_that_is_no_local_time_is_refused() {
    for text in [
        "",
        "2026-05-05",
        "07:00",
        "2026-05-05T07:00Z",
        "2026-05-05T07:00[Europe/Paris]",
        "2026-13-05T07:00",
        "2026-05-05T07:00+2",
        "tomorrow at 7",
        "2026-05-05T25:00",
    ] {
        assert!(Moment::parse(text).is_err(), "{text}");
    }
    assert!(When::once("2026-05-05T07:00").is_err());
    let backwards = When::once("2026-05-05T12:00/2026-05-05T07:00").unwrap();
    assert_eq!(backwards.check(&zone("Europe/Paris")), Err(WhenError::Backwards));
}

#[test]
fn weeks_before_a_date_are_steps_of_the_calendar() {
    let paris = zone("Europe/Paris");
    let t0 = at("2026-04-07T07:00Z");
    for (text, then) in [
        ("T-3w", "2026-03-17T08:00Z"),
        ("T-504h", "2026-03-17T07:00Z"),
        ("T-1d", "2026-04-06T07:00Z"),
        ("T-1d2h", "2026-04-06T05:00Z"),
        ("T", "2026-04-07T07:00Z"),
        ("T+30m", "2026-04-07T07:30Z"),
    ] {
        assert_eq!(Lead::parse(text).unwrap().from(t0, &paris), Some(at(then)), "{text}");
    }
    for text in ["", "1w", "T-", "T-1", "T-1y", "T*1d", "T-99999999w"] {
        assert!(Lead::parse(text).is_none(), "{text}");
    }
}

#[test]
fn durations_are_read_and_said() {
    for (text, lasts) in
        [("2h30m", minutes(150)), ("45m", minutes(45)), ("7d", hours(168)), ("90s", Duration::from_secs(90))]
    {
        assert_eq!(lead::duration(text), Some(lasts), "{text}");
    }
    for text in ["", "5", "h", "5 h", "1y", "400d", "-5m", "1.5h"] {
        assert_eq!(lead::duration(text), None, "{text}");
    }
    assert_eq!(lead::say(minutes(150)), "2h30m");
    assert_eq!(lead::say(Duration::ZERO), "0s");
}

#[test]
fn an_instant_is_said_in_the_zones_own_letters() {
    let instant = at("2026-05-05T05:00Z");
    assert_eq!(zone("Europe/Paris").say(instant), "2026-05-05 07:00 CEST");
    assert_eq!(zone("UTC").say(instant), "2026-05-05 05:00 UTC");
    assert_eq!(zone("America/Sao_Paulo").say(instant), "2026-05-05 02:00 -03:00");
}

#[test]
fn it_is_day_everywhere_at_once_for_a_few_hours() {
    let zones = [zone("Asia/Shanghai"), zone("America/New_York"), zone("Europe/Paris")];
    let every: Vec<Weekday> = (0..7).map(|day| Weekday::from_monday_zero_offset(day).unwrap()).collect();
    let within = span("2026-05-04T12:00Z", "2026-05-05T12:00Z");
    let found = overlap(&zones, &every, time("07:00"), time("23:00"), within);
    assert_eq!(
        found,
        [span("2026-05-04T12:00Z", "2026-05-04T15:00Z"), span("2026-05-05T11:00Z", "2026-05-05T12:00Z")]
    );
}
