//! What every target adapter must do, tried on a scripted system.
//!
//! [`crate::target_contract!`] turns each promise into a test.

#![expect(clippy::panic, reason = "a suite fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use haulier_core::plan::{Entity, Listing, Method, Paging, PushProgram};
use haulier_core::port::{PageRequest, Push, Target};
use haulier_core::{Failure, FailureKind, Origin, Outcome, Record, TargetId};

use crate::fake_target::{
    CountingThrottle, FakeTarget, Fault, Gate, Reply, entity, lookup, record, request, template,
};

/// Makes one test of every promise. `$open` takes the base address of a target and gives an `Arc<dyn Target>`.
#[macro_export]
macro_rules! target_contract {
    ($open:path) => {
        $crate::target_contract! { @tests $open:
            a_record_lands_with_the_id_that_the_target_gives
            every_request_waits_for_the_throttle_once
            a_refusal_is_an_outcome
            many_records_get_one_outcome_each_in_order
            a_lost_answer_is_unknown_and_the_next_attempt_creates_nothing
            nobody_listening_is_transient
            a_known_record_is_updated_and_not_created
            a_dropped_push_leaves_the_target_usable
            checks_write_nothing
            pages_make_up_the_whole_list
            pages_behind_the_first_may_be_asked_for_at_once
            further_lists_show_what_the_first_one_hides
            a_record_is_read_by_its_own_path_or_found
        }
    };
    (@tests $open:path: $($promise:ident)*) => {$(
        #[tokio::test]
        async fn $promise() {
            let fake = $crate::fake_target::FakeTarget::start().await;
            let target = $open(fake.url());
            $crate::contract::target::$promise(fake, target).await;
        }
    )*};
}

/// A create with a lookup and an update.
#[must_use]
pub fn users() -> Entity {
    entity(
        "user",
        PushProgram::Create {
            create: request(Method::Post, "/users"),
            lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
            update: Some(request(Method::Patch, "/users/{id}")),
        },
    )
}

fn user(key: &str) -> Record {
    let email = format!("u{key}@example.org");
    record(key, &format!(r#"{{"email":"{email}"}}"#), &[&email, ""])
}

fn push<'a>(entity: &'a Entity, record: &'a Record) -> Push<'a> {
    Push { entity, record, refs: &[], known: None, unsure: false, idempotency_key: record.key.as_str() }
}

fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Landed { .. } => panic!("it landed"),
    }
}

fn landed(outcome: Outcome) -> (String, Origin) {
    match outcome {
        Outcome::Landed { id, origin } => (id.as_str().to_owned(), origin),
        Outcome::Failed(failure) => panic!("{failure}"),
    }
}

/// The target's id becomes the record's.
pub async fn a_record_lands_with_the_id_that_the_target_gives(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("POST", "/users").reply(201, r#"{"id":"a-7"}"#);
    let outcome = target.push(push(&users(), &user("1")), &CountingThrottle::default()).await;
    assert_eq!(landed(outcome), ("a-7".to_owned(), Origin::Created));
    assert_eq!(fake.bodies("POST"), [user("1").body]);
}

/// One token each: the create, the lookup, the update.
pub async fn every_request_waits_for_the_throttle_once(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("POST", "/users").reply(409, "{}");
    fake.on("GET", "/users").reply(200, r#"{"items":[{"id":3,"email":"u1@example.org"}]}"#);
    fake.on("PATCH", "/users/3").reply(200, r#"{"id":3}"#);
    let throttle = CountingThrottle::default();
    let outcome = target.push(push(&users(), &user("1")), &throttle).await;
    assert_eq!(landed(outcome), ("3".to_owned(), Origin::Adopted));
    assert_eq!(throttle.count(), fake.log().len());
    assert_eq!(throttle.count(), 3);
}

/// A refused record is data; its values are not in the reason.
pub async fn a_refusal_is_an_outcome(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("POST", "/users").reply(422, r#"{"email":"u1@example.org is no address"}"#);
    let failure = failure(target.push(push(&users(), &user("1")), &CountingThrottle::default()).await);
    assert_eq!((failure.kind, failure.status), (FailureKind::Refused, Some(422)));
    assert!(failure.reason.contains("is no address") && !failure.reason.contains("u1@"), "{failure}");
}

/// Whatever the program, the outcomes stand as the records did.
pub async fn many_records_get_one_outcome_each_in_order(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("POST", "/users").reply(201, r#"{"id":1}"#).reply(422, "{}").reply(201, r#"{"id":3}"#);
    let users = users();
    let records = ["1", "2", "3"].map(user);
    let pushes: Vec<Push<'_>> = records.iter().map(|record| push(&users, record)).collect();
    let outcomes = target.push_many(&pushes, &CountingThrottle::default()).await;
    let short = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Landed { id, .. } => id.as_str().to_owned(),
        Outcome::Failed(failure) => failure.kind.as_str().to_owned(),
    });
    assert_eq!(short.collect::<Vec<_>>(), ["1", "refused", "3"]);
}

/// The target stores, the answer is lost, the next attempt finds what was stored.
pub async fn a_lost_answer_is_unknown_and_the_next_attempt_creates_nothing(
    fake: FakeTarget,
    target: Arc<dyn Target>,
) {
    let stored: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let store = Arc::clone(&stored);
    fake.on("POST", "/users").with(move |seen| {
        *store.lock().unwrap_or_else(PoisonError::into_inner).entry(seen.body.clone()).or_default() += 1;
        Reply::json(201, r#"{"id":5}"#).fault(Fault::Cut)
    });
    fake.on("GET", "/users").reply(200, r#"{"items":[{"id":5,"email":"u1@example.org"}]}"#);
    fake.on("PATCH", "/users/5").reply(200, r#"{"id":5}"#);
    let (users, record) = (users(), user("1"));
    let first = failure(target.push(push(&users, &record), &CountingThrottle::default()).await);
    assert_eq!(first.kind, FailureKind::Unknown, "{first}");
    let again = Push { unsure: true, ..push(&users, &record) };
    let outcome = target.push(again, &CountingThrottle::default()).await;
    assert_eq!(landed(outcome), ("5".to_owned(), Origin::Adopted));
    let stored = stored.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(stored, BTreeMap::from([(record.body, 1)]));
}

/// Without a connection nothing was sent, so another attempt is safe.
pub async fn nobody_listening_is_transient(fake: FakeTarget, target: Arc<dyn Target>) {
    drop(fake);
    // The listener closes with its task; until then a connection is taken and cut, which is unknown.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let failure = failure(target.push(push(&users(), &user("1")), &CountingThrottle::default()).await);
        if failure.kind == FailureKind::Transient {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{failure}");
        tokio::task::yield_now().await;
    }
}

/// The id map knows it: no lookup, no create.
pub async fn a_known_record_is_updated_and_not_created(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("PATCH", "/users/9").reply(200, "{}");
    let known = TargetId::new("9");
    let (users, record) = (users(), user("1"));
    let outcome = target
        .push(Push { known: Some(&known), ..push(&users, &record) }, &CountingThrottle::default())
        .await;
    assert_eq!(landed(outcome).0, "9");
    assert_eq!(fake.lines(), ["PATCH /users/9"]);
}

/// A worker may stop waiting at any time.
pub async fn a_dropped_push_leaves_the_target_usable(fake: FakeTarget, target: Arc<dyn Target>) {
    let gate = Gate::default();
    let held = Reply::json(201, r#"{"id":1}"#).fault(Fault::Hold(gate.clone()));
    fake.on("POST", "/users").then(held).reply(201, r#"{"id":2}"#);
    let (users, record) = (users(), user("1"));
    let throttle = CountingThrottle::default();
    tokio::select! {
        outcome = target.push(push(&users, &record), &throttle) => panic!("{outcome:?}"),
        () = fake.wait_for(1, Duration::from_secs(10)) => {}
    }
    let outcome = target.push(push(&users, &record), &throttle).await;
    assert_eq!(landed(outcome).0, "2");
    gate.open();
}

/// The preflight only reads.
pub async fn checks_write_nothing(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("GET", "*").always(200, r#"{"items":[]}"#);
    target.check().await.unwrap_or_else(|failure| panic!("{failure}"));
    target.check_lookup(&users()).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(fake.log().iter().all(|seen| seen.method == "GET"), "{:?}", fake.lines());
    assert_eq!(fake.log().len(), 2);
}

/// A target that gives fewer than it was asked for is still read to its end.
pub async fn pages_make_up_the_whole_list(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("GET", "/users").with(|seen| {
        let offset: usize =
            seen.path.split(['=', '&']).nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        let items: Vec<String> = (offset..7).take(3).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        Reply::json(200, &format!(r#"{{"items":[{}]}}"#, items.join(",")))
    });
    let mut users = users();
    users.listing = Some(Listing {
        path: template("/users"),
        items: "/items".to_owned(),
        paging: Paging::Offset { offset: "offset".to_owned(), limit: "limit".to_owned(), size: 5, first: 0 },
        total: None,
        truncated: None,
        also: Vec::new(),
        id: "/id".to_owned(),
    });
    let mut items = Vec::new();
    let mut at = None;
    loop {
        let request = PageRequest { entity: &users, list: 0, at: at.as_ref() };
        let page = target.page(request, &CountingThrottle::default()).await;
        let page = page.unwrap_or_else(|failure| panic!("{failure}"));
        items.extend(page.items);
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..7).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    assert_eq!(items, expected);
}

fn listing(total: bool, also: &[&str]) -> Listing {
    Listing {
        path: template("/users"),
        items: "/items".to_owned(),
        paging: Paging::Offset { offset: "offset".to_owned(), limit: "limit".to_owned(), size: 5, first: 0 },
        total: total.then(|| "/total".to_owned()),
        truncated: None,
        also: also.iter().map(|path| template(path)).collect(),
        id: "/id".to_owned(),
    }
}

/// With a total, the first page says where all others start.
pub async fn pages_behind_the_first_may_be_asked_for_at_once(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("GET", "/users").with(|seen| {
        let offset: usize =
            seen.path.split(['=', '&']).nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        let items: Vec<String> = (offset..8).take(3).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        Reply::json(200, &format!(r#"{{"items":[{}],"total":8}}"#, items.join(",")))
    });
    let mut users = users();
    users.listing = Some(listing(true, &[]));
    let throttle = CountingThrottle::default();
    let page = |at| PageRequest { entity: &users, list: 0, at };
    let first = target.page(page(None), &throttle).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((first.items.len(), first.further.len(), first.total), (3, 2, Some(8)));
    let mut counts = Vec::new();
    for at in first.further.iter().rev() {
        let page = target.page(page(Some(at)), &throttle).await.unwrap_or_else(|failure| panic!("{failure}"));
        counts.push((page.items, page.next.is_none()));
    }
    let item = |id: u32| format!(r#"{{"id":{id}}}"#);
    assert_eq!(counts, [(vec![item(6), item(7)], true), (vec![item(3), item(4), item(5)], false)]);
}

/// Each of an entity's lists has its own path.
pub async fn further_lists_show_what_the_first_one_hides(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("GET", "/users?offset*").always(200, r#"{"items":[{"id":1}]}"#);
    fake.on("GET", "/users?state=locked").always(200, r#"{"items":[{"id":2}]}"#);
    let mut users = users();
    users.listing = Some(Listing { paging: Paging::Single, ..listing(false, &["/users?state=locked"]) });
    let throttle = CountingThrottle::default();
    let hidden = target.page(PageRequest { entity: &users, list: 1, at: None }, &throttle).await;
    assert_eq!(hidden.unwrap_or_else(|failure| panic!("{failure}")).items, [r#"{"id":2}"#]);
    let beyond = target.page(PageRequest { entity: &users, list: 2, at: None }, &throttle).await;
    assert!(beyond.is_err());
}

/// By the path of its update where its id is known, by the lookup where not; what is not there is not an error.
pub async fn a_record_is_read_by_its_own_path_or_found(fake: FakeTarget, target: Arc<dyn Target>) {
    fake.on("GET", "/users/7").reply(200, r#"{"id":7,"email":"u1@example.org"}"#).reply(404, "{}");
    fake.on("GET", "/users?email*")
        .always(200, r#"{"items":[{"id":8,"email":"u2@example.org"},{"id":7,"email":"u1@example.org"}]}"#);
    let (users, user, known) = (users(), user("1"), TargetId::new("7"));
    let throttle = CountingThrottle::default();
    let by_id = Push { known: Some(&known), ..push(&users, &user) };
    let held = Ok(Some(r#"{"id":7,"email":"u1@example.org"}"#.to_owned()));
    assert_eq!(target.read(by_id, &throttle).await, held);
    assert_eq!(target.read(by_id, &throttle).await, Ok(None));
    assert_eq!(target.read(push(&users, &user), &throttle).await, held);
    assert!(fake.log().iter().all(|seen| seen.method == "GET"));
    assert_eq!(throttle.count(), 3);
}
