//! Who goes when, and why.

use super::*;

fn network() -> Calendar {
    let mut belgium = tenant("be", "Europe/Brussels", &["size:small", "host:eu", "lang:fr"]);
    belgium.usage = vec![10.0; 24];
    let mut canada = tenant("ca", "America/Toronto", &["size:small", "host:us", "lang:en"]);
    canada.usage = (0..24).map(|hour| if hour < 12 { 0.0 } else { 40.0 }).collect();
    canada.events.push(Event {
        name: "order cycles close".to_owned(),
        when: When::once("2026-05-06T06:00/2026-05-06T12:00").unwrap(),
        zone: zone("America/Toronto"),
    });
    let france = tenant("fr", "Europe/Paris", &["size:large", "host:eu", "lang:fr"]);
    let britain = tenant("uk", "Europe/London", &["size:large", "host:eu", "lang:en"]);
    let mut test = tenant("test", "UTC", &["host:eu"]);
    test.excluded = Some("a playground".to_owned());
    Calendar {
        tenants: vec![belgium, canada, france, britain, test],
        waves: vec![wave("first", "size:small"), wave("second", "rest")],
        ..Calendar::default()
    }
}

fn keys(tenants: &[&Tenant]) -> Vec<String> {
    tenants.iter().map(|tenant| tenant.key.to_string()).collect()
}

#[test]
fn every_tenant_is_in_one_wave_or_excluded_with_its_reason() {
    let calendar = network();
    let roster = calendar.roster();
    assert_eq!(keys(&roster.waves[0].1), ["be", "ca"]);
    assert_eq!(keys(&roster.waves[1].1), ["fr", "uk"]);
    assert_eq!(roster.excluded.iter().map(|(_, why)| *why).collect::<Vec<_>>(), ["a playground"]);
    assert!(roster.left.is_empty() && roster.doubled.is_empty());
    assert_eq!(roster.wave_of("uk").map(|wave| wave.name.as_str()), Some("second"));
    // A tenant that the source has and the plan does not know goes with the rest.
    let wider = calendar.clone().with_tenants([TenantKey::new("jp"), TenantKey::new("be")]);
    assert_eq!(keys(&wider.roster().waves[1].1), ["fr", "uk", "jp"]);
}

#[test]
fn a_tenant_of_two_waves_or_none_is_told() {
    let mut calendar = network();
    calendar.waves = vec![wave("first", "size:small"), wave("second", "lang:fr")];
    let roster = calendar.roster();
    assert_eq!(keys(&roster.left), ["uk"]);
    let (tenant, waves) = &roster.doubled[0];
    assert_eq!((tenant.key.as_str(), waves.as_slice()), ("be", ["first", "second"].as_slice()));
}

#[test]
fn the_first_wave_is_steady_free_of_events_and_shows_what_is_new() {
    let mut calendar = network();
    calendar.waves.clear();
    let proposal = propose(&calendar, 2, None, at("2026-05-01T00:00Z"));
    let names: Vec<Vec<&str>> =
        proposal.waves.iter().map(|wave| wave.iter().map(|score| score.tenant.as_str()).collect()).collect();
    // Belgium: steady, small, no event. Canada has its order cycles five days later.
    assert_eq!(names, [vec!["be"], vec!["uk", "fr", "ca"]]);
    assert_eq!((proposal.covered.as_slice(), proposal.values), ([3, 6].as_slice(), 6));
    assert_eq!(proposal.missing_first, ["host:us", "lang:en", "size:large"]);
    let first = &proposal.waves[0][0];
    assert!(first.terms.iter().any(|term| term.name == "steady use" && term.why == "its hours vary by 0 %"));
    let canada = proposal.waves[1].iter().find(|score| score.tenant == "ca").unwrap();
    assert!(canada.terms.iter().any(|term| term.why == "order cycles close in 5 days"));
    assert!(canada.total() < first.total());
}

#[test]
fn a_wave_has_its_days_and_a_deferred_tenant_its_own() {
    let mut calendar = network();
    calendar.zone = zone("Europe/Paris");
    calendar.waves[1].not_before = Some(jiff::civil::date(2026, 6, 30));
    calendar.waves[1].not_after = Some(jiff::civil::date(2026, 8, 15));
    let may = |calendar: &Calendar, key: &str, text: &str| {
        let tenant = calendar.tenant(key).unwrap();
        calendar.may_begin(calendar.wave("second").unwrap(), tenant, at(text))
    };
    assert_eq!(
        may(&calendar, "fr", "2026-06-01T00:00Z"),
        Verdict::Shut { next: Some(at("2026-06-29T22:00Z")) }
    );
    assert_eq!(
        may(&calendar, "fr", "2026-08-15T20:00Z"),
        Verdict::Open { window: None, until: Some(at("2026-08-15T22:00Z")) }
    );
    assert_eq!(may(&calendar, "fr", "2026-08-15T22:00Z"), Verdict::Shut { next: None });
    let until = at("2026-07-10T00:00Z");
    calendar.amend(&change(Amendment::Defer { tenant: "fr".to_owned(), until })).unwrap();
    assert_eq!(may(&calendar, "fr", "2026-07-01T00:00Z"), Verdict::Shut { next: Some(until) });
    assert!(may(&calendar, "uk", "2026-07-01T00:00Z").is_open());
}

#[test]
fn failures_of_a_wave_are_counted_in_tenants() {
    assert_eq!(MaxFailed::Percent(2).of(118), 2);
    assert_eq!(MaxFailed::Percent(2).of(12), 0);
    assert_eq!(MaxFailed::Tenants(3).of(12), 3);
}

#[test]
fn slack_is_what_lies_between_a_windows_end_and_the_tenants_next_event() {
    let mut calendar = network();
    let when = When::once("2026-05-05T07:00/2026-05-05T12:00").unwrap();
    calendar.windows.push(window("release", "Europe/Paris", when));
    let opening =
        calendar.next_opening(calendar.window("release").unwrap(), None, at("2026-05-01T00:00Z")).unwrap();
    let canada = calendar.tenant("ca").unwrap();
    assert_eq!(calendar.slack(&opening, canada), Some(("order cycles close", hours(24))));
    assert_eq!(calendar.slack(&opening, calendar.tenant("be").unwrap()), None);
}

#[test]
fn a_wave_in_a_weekly_window_has_its_date_from_its_first_day_on() {
    let mut calendar = network();
    let nights = weekly(&[Weekday::Monday, Weekday::Tuesday], "22:00", "04:00");
    let mut night = window("night", "UTC", nights);
    night.place = Place::Tenant;
    calendar.windows.push(night);
    calendar.waves[0].windows = vec!["night".to_owned()];
    let date = |calendar: &Calendar, key: &str| {
        let opening = calendar.wave_date(calendar.wave("first").unwrap(), calendar.tenant(key));
        opening.map(|opening| opening.span.start)
    };
    assert_eq!(date(&calendar, "be"), None);
    let day = Amendment::Date { wave: "first".to_owned(), day: jiff::civil::date(2026, 5, 5) };
    calendar.amend(&change(day)).unwrap();
    // Tuesday 22:00 in Brussels; in Toronto Monday 22:00, when that day has begun in the schedule's zone.
    assert_eq!(date(&calendar, "be"), Some(at("2026-05-05T20:00Z")));
    assert_eq!(date(&calendar, "ca"), Some(at("2026-05-05T02:00Z")));
    let until = at("2026-05-06T00:00Z");
    calendar.amend(&change(Amendment::Defer { tenant: "be".to_owned(), until })).unwrap();
    assert_eq!(date(&calendar, "be"), Some(at("2026-05-11T20:00Z")));
}
