//! A rollout over a network of twelve hubs: told a week before, moved, deferred, excluded, announced again.

use haulier_core::notice::PostState;
use haulier_testkit::mail::{Mail, MailServer};

use super::*;

const PLAN: &str = include_str!("../../../../tests/cases/network/plan.toml");

fn to(mails: &[Mail]) -> Vec<String> {
    let mut to: Vec<String> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort();
    to
}

fn day(wave: &str, day: &str) -> Amendment {
    Amendment::Date { wave: wave.to_owned(), day: day.parse().unwrap() }
}

#[tokio::test]
async fn nothing_is_told_before_the_dates_are_promised() {
    let desk = Desk::open(PLAN, "2026-05-10T12:00Z").await;
    desk.amend(day("first", "2026-05-11")).await;
    assert_eq!(desk.look().await, Called::default());
    desk.amend(Amendment::Commit).await;
    assert!(!desk.look().await.new.is_empty());
}

#[tokio::test]
async fn every_hub_is_told_its_own_hour_and_told_again_when_it_moves() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    let desk = Desk::open(PLAN, "2026-05-01T00:00Z").await;
    desk.amend(day("first", "2026-05-11")).await;
    desk.amend(Amendment::Commit).await;
    // Ten days before: nothing is due yet, and what is ahead is known.
    let ahead = desk.look().await.ahead;
    assert!(ahead.iter().any(|(_, notice, who)| notice == "planned" && who == "contacts:be"), "{ahead:?}");
    assert_eq!(desk.send(&channels).await, Sent::default());

    // A week before: the three hubs of the first wave, each at its own hour.
    desk.turn("2026-05-05T00:00Z");
    desk.look().await;
    desk.look().await;
    assert_eq!(desk.send(&channels).await.accepted, 3);
    let mails = server.mails();
    assert_eq!(to(&mails), ["hub@be.example", "hub@ie.example", "hub@lhi.example"]);
    let belgium = mails.iter().find(|mail| mail.to == ["hub@be.example"]).unwrap();
    assert!(belgium.content.contains("2026-05-11 22:00 CEST"), "{}", belgium.content);
    assert!(
        belgium.content.contains("support@network.example") && belgium.content.contains("nothing can be")
    );
    let lord_howe = mails.iter().find(|mail| mail.to == ["hub@lhi.example"]).unwrap();
    assert!(lord_howe.content.contains("2026-05-11 22:00 +10:30"), "{}", lord_howe.content);

    // Nothing is told twice, however often somebody looks.
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());

    // Ireland goes with a later wave, Lord Howe leaves, Belgium is put off by two days.
    desk.amend(day("second", "2026-05-25")).await;
    desk.amend(Amendment::Move { tenant: "ie".to_owned(), wave: "second".to_owned() }).await;
    desk.amend(Amendment::Exclude { tenant: "au-lhi".to_owned() }).await;
    let until = "2026-05-12T12:00:00Z".parse().unwrap();
    desk.amend(Amendment::Defer { tenant: "be".to_owned(), until }).await;
    desk.look().await;
    assert_eq!(desk.send(&channels).await.accepted, 3);
    let news: Vec<Mail> = server.mails().split_off(3);
    let of = |address: &str| news.iter().find(|mail| mail.to == [address]).unwrap();
    assert!(of("hub@be.example").header("Subject").unwrap().contains("moved"), "{news:?}");
    assert!(of("hub@be.example").content.contains("2026-05-12 22:00 CEST"));
    assert!(
        of("hub@ie.example").content.contains("2026-05-25 22:00 IST"),
        "{}",
        of("hub@ie.example").content
    );
    assert!(of("hub@lhi.example").header("Subject").unwrap().contains("cancelled"));
    desk.look().await;
    assert_eq!(desk.send(&channels).await, Sent::default());

    // A day before the new date comes the reminder, for Belgium alone; the third wave hears that it is a week away.
    desk.turn("2026-05-11T21:00Z");
    desk.look().await;
    assert_eq!(desk.send(&channels).await.accepted, 6);
    let mails = server.mails();
    let reminded: Vec<&Mail> = mails.iter().filter(|mail| mail.content.contains("reminder")).collect();
    assert_eq!((reminded.len(), reminded[0].to.as_slice()), (1, ["hub@be.example".to_owned()].as_slice()));
    assert!(desk.posts().await.iter().all(|post| post.state == PostState::Sent));
}

#[tokio::test]
async fn a_notice_that_waits_with_an_old_date_is_dropped() {
    let desk = Desk::open(PLAN, "2026-05-05T00:00Z").await;
    desk.amend(day("first", "2026-05-11")).await;
    desk.amend(Amendment::Commit).await;
    desk.look().await;
    // The wave moves before anything went out: nobody needs to hear of the old date.
    desk.amend(day("first", "2026-05-18")).await;
    desk.look().await;
    assert!(desk.posts().await.iter().all(|post| post.state == PostState::Dropped));
    desk.turn("2026-05-12T00:00Z");
    desk.look().await;
    let due: Vec<Post> = desk.posts().await.into_iter().filter(|post| post.state == PostState::Due).collect();
    let of_first = due.iter().filter(|post| post.what.subject == "wave:first").count();
    assert_eq!((of_first, due.len()), (3, 8), "the third wave has its own date");
    assert!(due.iter().all(|post| post.what.kind == Kind::Planned), "it is news, not a move");
}

#[tokio::test]
async fn a_hub_that_comes_back_is_told_again() {
    let server = MailServer::start().await;
    let channels = mail(server.port);
    let desk = Desk::open(PLAN, "2026-05-05T00:00Z").await;
    desk.amend(day("first", "2026-05-11")).await;
    desk.amend(Amendment::Commit).await;
    desk.look().await;
    desk.send(&channels).await;
    desk.amend(Amendment::Exclude { tenant: "be".to_owned() }).await;
    desk.look().await;
    desk.send(&channels).await;
    desk.amend(Amendment::Include { tenant: "be".to_owned() }).await;
    desk.look().await;
    desk.send(&channels).await;
    let kinds: Vec<Kind> = desk
        .posts()
        .await
        .iter()
        .filter(|post| post.what.audience == "contacts:be")
        .map(|post| post.what.kind)
        .collect();
    assert_eq!(kinds, [Kind::Planned, Kind::Cancelled, Kind::Moved]);
}
