//! Promises about notices on their way, and about changes of the calendar.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::sync::Arc;

use haulier_core::calendar::{Amendment, Change};
use haulier_core::notice::{Kind, NewPost, PostEvent, PostState};

use super::Bench;
use super::fixture::NOW;

fn change(version: u64, reason: &str, what: Amendment) -> Change {
    Change { version, at: NOW, by: "sam".to_owned(), reason: reason.to_owned(), what }
}

fn post(key: &str) -> NewPost {
    NewPost {
        key: key.to_owned(),
        notice: "planned".to_owned(),
        kind: Kind::Planned,
        subject: "wave:first".to_owned(),
        date: Some(NOW + 7),
        audience: "contacts".to_owned(),
        channel: "mail".to_owned(),
        to: vec!["be@example.org".to_owned(), "fr@example.org".to_owned()],
        title: "what will happen".to_owned(),
        text: "two lines,\n'quoted' \u{e4}".to_owned(),
    }
}

/// With who, when and why; what does not follow what is known is refused.
pub async fn changes_of_the_calendar_are_kept_in_order(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    assert_eq!(ledger.amendments().await, Ok(Vec::new()));
    let moved = Amendment::Move { tenant: "be".to_owned(), wave: "first".to_owned() };
    let changes = [change(1, "their fair", moved), change(2, "", Amendment::Commit)];
    for (known, change) in changes.iter().enumerate() {
        let known = u64::try_from(known).unwrap();
        assert_eq!(ledger.amend(known, &Change { version: 0, ..change.clone() }).await, Ok(true));
        // The same once more, as after a lost answer.
        assert_eq!(ledger.amend(known, change).await, Ok(true));
    }
    assert_eq!(ledger.amend(1, &change(2, "late", Amendment::Commit)).await, Ok(false));
    assert_eq!(bench.open().await.unwrap().amendments().await, Ok(changes.to_vec()));
}

/// The others are told, and decide anew.
pub async fn one_of_racing_changes_of_the_calendar_wins(bench: &dyn Bench) {
    let mut racers = Vec::new();
    for racer in 0..6 {
        let ledger = bench.open().await.unwrap();
        racers.push(tokio::spawn(async move {
            let what = Amendment::Exclude { tenant: format!("t{racer}") };
            ledger.amend(0, &change(0, "race", what)).await.unwrap()
        }));
    }
    let mut won = 0;
    for racer in racers {
        won += usize::from(racer.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(bench.open().await.unwrap().amendments().await.unwrap().len(), 1);
}

/// However often it is asked for, also by two at once.
pub async fn a_post_is_kept_once_under_its_key(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    assert_eq!(ledger.post(&[post("a"), post("b"), post("a")], NOW).await, Ok(2));
    let other = NewPost { text: "another text".to_owned(), ..post("a") };
    assert_eq!(ledger.post(&[other], NOW + 5).await, Ok(0));
    let (one, two) = (bench.open().await.unwrap(), bench.open().await.unwrap());
    let twice = [post("c"), post("d")];
    let (one, two) = tokio::join!(one.post(&twice, NOW), two.post(&twice, NOW));
    assert_eq!(one.unwrap() + two.unwrap(), 2);
    let kept = ledger.posts().await.unwrap();
    assert_eq!(kept.iter().map(|post| post.what.key.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(kept[0].what, post("a"));
    assert_eq!(
        (kept[0].state, kept[0].at, kept[0].attempts, kept[0].said.clone()),
        (PostState::Due, NOW, 0, None)
    );
}

/// Also where several ask at once.
pub async fn a_post_is_taken_by_one_sender(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    let posts: Vec<NewPost> = (0..20).map(|number| post(&format!("{number:02}"))).collect();
    ledger.post(&posts, NOW).await.unwrap();
    assert_eq!(ledger.take_posts(NOW - 1, 10).await.unwrap(), []);
    let mut senders = Vec::new();
    for sender in 0..4 {
        let ledger = if sender % 2 == 0 { Arc::clone(&ledger) } else { bench.open().await.unwrap() };
        senders.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let found = ledger.take_posts(NOW, 3).await.unwrap();
                if found.is_empty() {
                    return taken;
                }
                taken.extend(found);
            }
        }));
    }
    let mut taken = Vec::new();
    for sender in senders {
        taken.extend(sender.await.unwrap());
    }
    // A sender that came second to all of what it saw ends early.
    taken.extend(ledger.take_posts(NOW, 100).await.unwrap());
    assert!(taken.iter().all(|post| (post.state, post.attempts) == (PostState::Sending, 1)));
    let mut ids: Vec<i64> = taken.iter().map(|post| post.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), taken.len()), (20, 20));
}

/// What is unlawful changes nothing.
pub async fn a_post_goes_only_where_its_law_leads(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    ledger.post(&[post("a")], NOW).await.unwrap();
    let id = ledger.posts().await.unwrap()[0].id;
    let settle = |event, said: &'static str, now| {
        let ledger = Arc::clone(&ledger);
        async move { ledger.settle_post(id, event, Some(said), now, now + 60).await.unwrap() }
    };
    assert!(!settle(PostEvent::Accepted, "too early", NOW + 1).await);
    ledger.take_posts(NOW, 1).await.unwrap();
    assert!(settle(PostEvent::Refused, "mailbox full", NOW + 2).await);
    let failed = ledger.posts().await.unwrap().remove(0);
    assert_eq!(
        (failed.state, failed.due, failed.said.as_deref()),
        (PostState::Failed, NOW + 62, Some("mailbox full"))
    );
    assert_eq!(ledger.take_posts(NOW + 61, 1).await.unwrap(), []);
    let again = ledger.take_posts(NOW + 62, 1).await.unwrap();
    assert_eq!(again[0].attempts, 2);
    assert!(settle(PostEvent::Accepted, "250 ok", NOW + 63).await);
    assert!(settle(PostEvent::Accepted, "250 ok", NOW + 63).await, "the same once more");
    assert!(!settle(PostEvent::Again, "no", NOW + 64).await);
    let sent = ledger.posts().await.unwrap().remove(0);
    assert_eq!((sent.state, sent.said.as_deref()), (PostState::Sent, Some("250 ok")));
    assert!(!ledger.settle_post(id + 1, PostEvent::Taken, None, NOW, NOW).await.unwrap());
}

/// It is not sent again by itself.
pub async fn what_a_dead_sender_had_in_hand_is_doubtful(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    ledger.post(&[post("a"), post("b")], NOW).await.unwrap();
    let taken = ledger.take_posts(NOW, 1).await.unwrap();
    assert_eq!(ledger.doubt_posts(NOW, NOW + 10).await, Ok(0));
    assert_eq!(ledger.doubt_posts(NOW + 1, NOW + 10).await, Ok(1));
    let states: Vec<PostState> = ledger.posts().await.unwrap().iter().map(|post| post.state).collect();
    assert_eq!(states, [PostState::Doubtful, PostState::Due]);
    let next = ledger.take_posts(NOW + 10, 10).await.unwrap();
    assert_eq!(next.iter().map(|post| post.what.key.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(
        ledger.settle_post(taken[0].id, PostEvent::Again, Some("sam"), NOW + 11, NOW + 11).await.unwrap()
    );
    assert_eq!(ledger.take_posts(NOW + 11, 10).await.unwrap().len(), 1);
}
