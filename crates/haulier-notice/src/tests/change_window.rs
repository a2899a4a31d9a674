//! A change window of five hours: begun, overrun and extended, an incident, over; each told once, also over a crash.

use std::time::Duration;

use haulier_core::notice::PostState;
use haulier_testkit::mail::{Fault, MailServer};

use super::*;

const PLAN: &str = r#"
name = "release"
tenant = "account"
[schedule]
zone = "Europe/Paris"
t0 = "2026-05-05T07:00"
committed = true
support = "help@example.org"
impact = "down"
[durations]
snapshot = "2h30m"
restore = "1h"
smoke = "20m"
[[window]]
name = "release"
zone = "Europe/Paris"
at = "2026-05-05T07:00/2026-05-05T12:00"
max_extension = "60m"
[audiences]
everybody = ["all@example.org"]
[[notice]]
name = "planned"
template = "planned"
at = "T-3w"
of = "window:release"
audience = "everybody"
channels = ["mail"]
[[notice]]
name = "began"
template = "start"
of = "window:release"
audience = "everybody"
channels = ["mail"]
[[notice]]
name = "longer"
template = "extended"
of = "window:release"
audience = "everybody"
channels = ["mail"]
[[notice]]
name = "trouble"
template = "incident"
of = "run"
audience = "everybody"
channels = ["mail"]
[[notice]]
name = "over"
template = "end"
of = "window:release"
audience = "everybody"
channels = ["mail"]
[[entity]]
name = "account"
source = { table = "accounts", key = "id" }
fields = { name = "name" }
push = { shape = "put", path = "/a/{id}", id = "/id" }
"#;

#[tokio::test]
async fn a_change_window_is_told_from_three_weeks_before_to_its_end() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    // Three weeks before 07:00 in Paris is 07:00 in Paris.
    let mut desk = Desk::open(PLAN, "2026-04-14T04:59Z").await;
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());
    desk.turn("2026-04-14T05:00Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await.accepted, 1);

    // It begins twelve minutes early by hand, and the notice follows what happened.
    desk.turn("2026-05-05T04:48Z");
    desk.happen("r-1:7", Kind::Start, "window:release", None);
    desk.look().await;
    desk.send(&channels).await;
    // 40 minutes more.
    desk.turn("2026-05-05T09:30Z");
    let start = "2026-05-05T05:00:00Z".parse().unwrap();
    desk.amend(Amendment::Extend { window: "release".to_owned(), start, by: Duration::from_mins(40) }).await;
    desk.look().await;
    desk.send(&channels).await;
    // An incident; the snapshot is put back.
    desk.turn("2026-05-05T10:05Z");
    desk.happen("r-1:21", Kind::Incident, "run", Some("the restore takes longer"));
    desk.look().await;
    desk.send(&channels).await;
    desk.turn("2026-05-05T10:50Z");
    desk.happen("r-1:30", Kind::End, "window:release", None);
    for _ in 0..3 {
        desk.look().await;
        desk.send(&channels).await;
    }
    let mails = server.mails();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.header("Subject").unwrap()).collect();
    assert_eq!(subjects.len(), 5, "{subjects:?}");
    for (mail, says) in mails.iter().zip([
        "End: 2026-05-05 12:00 CEST",
        "Start: 2026-05-05 06:48 CEST",
        "New end: 2026-05-05 12:40 CEST",
        "the restore takes longer",
        "End: 2026-05-05 12:50 CEST",
    ]) {
        // Long lines are folded on the way.
        let content = mail.content.replace("=\n", "").replace("=3D", "=");
        assert!(content.contains(says), "{says}: {content}");
        assert_eq!(mail.to, ["all@example.org"]);
    }
    assert!(mails[2].content.contains("20m longer"), "{}", mails[2].content);
}

#[tokio::test]
async fn a_crash_between_a_change_and_its_notice_loses_nothing_and_doubles_nothing() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    let mut desk = Desk::open(PLAN, "2026-05-05T05:00Z").await;
    desk.happen("r-1:7", Kind::Start, "window:release", None);
    // Kept, and then the process dies: the next one works out the same post.
    let first = desk.look().await;
    let second = desk.look().await;
    assert_eq!(first.new, second.new);
    assert_eq!(desk.posts().await.len(), 1);
    // Taken, and then the sender dies before it says what became of it.
    desk.ledger.take_posts(desk.micros(), 1).await.unwrap();
    desk.turn("2026-05-05T05:04Z");
    assert_eq!(desk.send(&channels).await, Sent::default(), "another sender may still be at it");
    desk.turn("2026-05-05T05:06Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default(), "nobody knows, so nobody sends it by itself");
    let doubtful = desk.posts().await;
    assert_eq!(doubtful[0].state, PostState::Doubtful);
    assert!(server.mails().is_empty());
    // A person says that it did not go out.
    let event = haulier_core::notice::PostEvent::Again;
    let (id, now) = (doubtful[0].id, desk.micros());
    assert!(desk.ledger.settle_post(id, event, Some("sam: it is not there"), now, now).await.unwrap());
    assert_eq!(desk.send(&channels).await.accepted, 1);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_refused_notice_goes_out_later_and_a_lost_answer_is_in_doubt() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    let mut desk = Desk::open(PLAN, "2026-05-05T05:00Z").await;
    desk.happen("r-1:7", Kind::Start, "window:release", None);
    desk.look().await;
    server.fault(Fault::Busy);
    assert_eq!(desk.send(&channels).await.refused, 1);
    assert_eq!(desk.send(&channels).await, Sent::default(), "not before its time");
    desk.turn("2026-05-05T05:01Z");
    server.fault(Fault::SilentAfterData);
    assert_eq!(desk.send(&channels).await.lost, 1);
    // The server has it, though it never said so: sent again, it would come twice.
    assert_eq!(server.mails().len(), 1);
    desk.turn("2026-05-05T07:01Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());
    assert_eq!(desk.posts().await[0].state, PostState::Doubtful);
    assert_eq!(desk.posts().await[0].attempts, 2);
}

#[tokio::test]
async fn a_mail_server_that_is_away_holds_nothing_back_for_good() {
    let mut desk = Desk::open(PLAN, "2026-05-05T05:00Z").await;
    desk.happen("r-1:7", Kind::Start, "window:release", None);
    desk.look().await;
    let gone = {
        let server = MailServer::start().await;
        mail(server.port)
    };
    assert_eq!(desk.send(&gone).await.refused, 1);
    assert_eq!(desk.send(&BTreeMap::new()).await, Sent::default());
    desk.turn("2026-05-05T05:02Z");
    assert_eq!(desk.send(&BTreeMap::new()).await.refused, 1);
    assert_eq!(desk.posts().await[0].said.as_deref(), Some("the site has no channel `mail`"));
    let server = MailServer::start().await;
    desk.turn("2026-05-05T05:10Z");
    assert_eq!(desk.send(&mail(server.port)).await.accepted, 1);
}
