//! A run that takes days is told of each morning, once.

use haulier_testkit::mail::MailServer;

use super::*;

const PLAN: &str = include_str!("../../../../tests/cases/network/plan.toml");
const DAILY: &str = r#"
[[notice]]
name = "daily"
template = "digest"
every = "09:00"
of = "run"
audience = "operators"
channels = ["mail"]
"#;

#[tokio::test]
async fn a_long_run_is_told_of_each_morning_while_it_goes_on() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    let mut desk = Desk::open(&format!("{PLAN}\n{DAILY}"), "2026-05-04T06:00Z").await;
    // No run goes on.
    desk.turn("2026-05-05T08:00Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());
    // It begins at noon in Paris, after the hour of that day.
    desk.turn("2026-05-05T10:00Z");
    desk.happen("r-1:1", Kind::Start, "run", None);
    desk.progress = Some("100 of 7,400 records have landed".to_owned());
    for (now, told) in [
        ("2026-05-05T20:00Z", 0),
        ("2026-05-06T06:59Z", 0),
        ("2026-05-06T07:00Z", 1),
        ("2026-05-06T07:01Z", 1),
        // Nobody was there for two days: only the newest is told.
        ("2026-05-08T12:00Z", 2),
        ("2026-05-09T06:00Z", 2),
    ] {
        desk.turn(now);
        desk.look().await;
        desk.look().await;
        desk.send(&channels).await;
        assert_eq!(server.mails().len(), told, "{now}");
    }
    let mail = server.mails().remove(0);
    assert_eq!(mail.to, ["ops@network.example"]);
    assert!(mail.content.contains("So far: 100 of 7,400 records have landed."), "{}", mail.content);
    // It is over.
    desk.progress = None;
    desk.turn("2026-05-10T12:00Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());
}
