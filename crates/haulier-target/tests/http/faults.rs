//! What is known when a request breaks, and what is said about it.

use std::time::Duration;

use haulier_core::FailureKind;
use haulier_core::plan::{Entity, IdSource, Method, PushProgram};
use haulier_testkit::fake_target::{
    FakeTarget, Fault, Gate, Reply, entity, lookup, record, request, template,
};

use crate::bench::{Bench, failure, kind, landed};

const BODY: &str = r#"{"email":"ada@example.org"}"#;

fn user() -> Entity {
    entity(
        "user",
        PushProgram::Create { create: request(Method::Post, "/users"), lookup: None, update: None },
    )
}

fn ada() -> haulier_core::Record {
    record("1", BODY, &["ada@example.org", ""])
}

#[tokio::test]
async fn a_write_that_left_and_brought_no_whole_reply_is_unknown() {
    let whole = || Reply::json(201, r#"{"id":1,"and":"more"}"#);
    let gate = Gate::default();
    let cases = [
        ("cut", Fault::Cut),
        ("reset", Fault::Reset),
        ("half a body", Fault::HalfBody),
        ("a wrong length", Fault::WrongLength),
        ("held", Fault::Hold(gate.clone())),
        ("drip", Fault::Drip(Duration::from_millis(40))),
    ];
    for (name, fault) in cases {
        let bench = Bench::with(|options| options.timeout = Duration::from_millis(300)).await;
        bench.fake.on("POST", "/users").then(whole().fault(fault)).always(201, r#"{"id":2}"#);
        let lost = bench.failure(&user(), &ada()).await;
        assert_eq!(lost.kind, FailureKind::Unknown, "{name}: {lost}");
        assert!(lost.reason.starts_with("create POST /users: "), "{name}: {lost}");
        assert_eq!(lost.status, None, "{name}");
        // The broken connection is not used again.
        assert_eq!(landed(bench.push(&user(), &ada()).await).0, "2", "{name}");
        assert_eq!(bench.fake.log().len(), 2, "{name}: nothing is sent twice by itself");
    }
    gate.open();
}

#[tokio::test]
async fn a_lookup_that_brought_no_whole_reply_is_transient() {
    let push = || PushProgram::LookupThenWrite {
        lookup: lookup("/users?email={v0}", &[("email", "/email")]),
        create: request(Method::Post, "/users"),
        update: None,
    };
    for fault in [Fault::Cut, Fault::Reset, Fault::HalfBody, Fault::Hold(Gate::default())] {
        let bench = Bench::with(|options| options.timeout = Duration::from_millis(200)).await;
        bench.fake.on("GET", "/users").then(Reply::json(200, r#"{"items":[]}"#).fault(fault.clone()));
        let lost = bench.failure(&entity("user", push()), &ada()).await;
        assert_eq!(lost.kind, FailureKind::Transient, "{fault:?}: {lost}");
        assert_eq!(bench.fake.lines(), ["GET /users?email=ada%40example.org"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_reply_that_is_longer_than_allowed_is_unknown() {
    let long = format!(r#"{{"id":1,"padding":"{}"}}"#, "x".repeat(3000));
    for fault in [Fault::None, Fault::Chunked] {
        let bench = Bench::with(|options| options.max_reply_bytes = 2000).await;
        bench.fake.on("POST", "/users").then(Reply::json(201, &long).fault(fault));
        let lost = bench.failure(&user(), &ada()).await;
        assert_eq!(lost.kind, FailureKind::Unknown);
        assert!(lost.reason.contains("longer than 2000 bytes"), "{lost}");
    }
}

#[tokio::test]
async fn replies_of_every_framing_are_read_whole() {
    let bench = Bench::new().await;
    let body = format!(r#"{{"padding":"{}","id":1}}"#, "x".repeat(100_000));
    for fault in [Fault::Chunked, Fault::SayClose, Fault::CloseAfter, Fault::None] {
        bench.fake.on("POST", "/users").then(Reply::json(201, &body).fault(fault.clone()));
        assert_eq!(landed(bench.push(&user(), &ada()).await).0, "1", "{fault:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_rested_costs_nothing() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").ever(Reply::json(201, r#"{"id":1}"#).fault(Fault::CloseAfter));
    for _ in 0..20 {
        assert_eq!(landed(bench.push(&user(), &ada()).await).0, "1");
        // Lets the close arrive; whether it does before the next request must not matter to what is stored.
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.fake.log().len(), 20);
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").always(201, r#"{"id":1}"#);
    let (user, ada) = (user(), ada());
    for _ in 0..5 {
        landed(bench.push(&user, &ada).await);
    }
    assert!(
        bench.fake.log().iter().all(|seen| seen.connection == 0),
        "one after the other needs one connection"
    );
    let gate = Gate::default();
    bench.fake.on("POST", "/users").ever(Reply::json(201, r#"{"id":1}"#).fault(Fault::Hold(gate.clone())));
    let (first, second, ()) = tokio::join!(bench.push(&user, &ada), bench.push(&user, &ada), async {
        bench.fake.wait_for(7, Duration::from_secs(10)).await;
        gate.open();
    });
    landed(first);
    landed(second);
    assert_eq!(bench.fake.log().iter().map(|seen| seen.connection).max(), Some(1));
}

#[tokio::test]
async fn a_connection_that_rested_too_long_is_not_used() {
    let bench = Bench::with(|options| options.idle_timeout = Duration::ZERO).await;
    bench.fake.on("POST", "/users").always(201, r#"{"id":1}"#);
    for _ in 0..3 {
        landed(bench.push(&user(), &ada()).await);
    }
    let used: Vec<usize> = bench.fake.log().iter().map(|seen| seen.connection).collect();
    assert_eq!(used, [0, 1, 2]);
}

#[tokio::test]
async fn no_connection_is_transient_and_names_the_place() {
    let url = FakeTarget::nobody().await;
    let bench = Bench::with(|options| options.base_url.clone_from(&url)).await;
    let lost = bench.failure(&user(), &ada()).await;
    assert_eq!(lost.kind, FailureKind::Transient);
    assert!(lost.reason.contains(url.trim_start_matches("http://")), "{lost}");
    let unreachable = bench.target.check().await.unwrap_err();
    assert_eq!(unreachable.kind, FailureKind::Transient);
    assert!(unreachable.reason.contains("cannot connect"), "{unreachable}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_transient() {
    let bench = Bench::with(|options| options.base_url = "http://nobody.invalid".to_owned()).await;
    let lost = bench.failure(&user(), &ada()).await;
    assert_eq!(lost.kind, FailureKind::Transient, "{lost}");
    assert!(lost.reason.contains("nobody.invalid:80"), "{lost}");
}

#[tokio::test]
async fn a_yes_that_is_a_page_for_people_is_unknown() {
    let bench = Bench::new().await;
    let page = Reply::new(200, "text/html; charset=utf-8", "<html>Please log in</html>");
    bench.fake.on("POST", "/users").then(page);
    let strange = bench.failure(&user(), &ada()).await;
    assert_eq!((strange.kind, strange.status), (FailureKind::Unknown, Some(200)));
    assert!(strange.reason.contains("text/html"), "{strange}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::new().await;
    let elsewhere = format!("{}/other", bench.fake.url());
    for status in [301, 302, 303, 307, 308] {
        bench.fake.on("POST", "/users").then(Reply::empty(status).header("Location", &elsewhere));
        let refused = bench.failure(&user(), &ada()).await;
        assert_eq!((refused.kind, refused.status), (FailureKind::Refused, Some(status)));
        assert!(refused.reason.contains("redirects are not followed"), "{refused}");
    }
    assert_eq!(bench.fake.lines(), vec!["POST /users"; 5]);
}

#[tokio::test]
async fn a_pause_that_the_target_asks_for_is_told() {
    let bench = Bench::new().await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    bench
        .fake
        .on("POST", "/users")
        .then(Reply::json(429, "{}").header("Retry-After", "7"))
        .then(
            Reply::json(503, "{}")
                .header("Date", date)
                .header("Retry-After", "Sun, 06 Nov 1994 08:49:57 GMT"),
        )
        .then(Reply::json(429, "{}"))
        .then(Reply::json(503, "{}"));
    let mut told = Vec::new();
    for _ in 0..4 {
        let busy = bench.failure(&user(), &ada()).await;
        told.push((busy.kind, busy.retry_after.map(|wait| wait.as_secs())));
    }
    let (throttled, transient) = (FailureKind::Throttled, FailureKind::Transient);
    assert_eq!(told, [(throttled, Some(7)), (throttled, Some(20)), (throttled, None), (transient, None)]);
}

#[tokio::test]
async fn ids_are_read_where_the_plan_says() {
    let made = IdSource::Made(template("{v0}/{v1}"));
    let pointer = |at: &str| IdSource::Pointer(at.to_owned());
    let header = |name: &str| IdSource::Header(name.to_owned());
    let cases = [
        (pointer("/id"), Reply::json(201, r#"{"id":17}"#), Some("17")),
        (pointer("/id"), Reply::json(201, r#"{"id":"é\n\"x"}"#), Some("é\n\"x")),
        (
            pointer("/data/0/uid"),
            Reply::json(200, r#"{"data":[{"uid":12345678901234567890}]}"#),
            Some("12345678901234567890"),
        ),
        (pointer("/id"), Reply::json(201, r#"{"id":null}"#), None),
        (pointer("/id"), Reply::json(201, r#"{"id":{"a":1}}"#), None),
        (pointer("/id"), Reply::json(201, r#"{"id":""}"#), None),
        (pointer("/id"), Reply::empty(204), None),
        (header("X-Id"), Reply::empty(204).header("x-id", "h 1"), Some("h 1")),
        (header("X-Id"), Reply::empty(204), None),
        (
            IdSource::Location,
            Reply::empty(201).header("Location", "https://x.example/v2/users/a%20b?x=1#f"),
            Some("a b"),
        ),
        (IdSource::Location, Reply::empty(201).header("Location", "/users/9/"), Some("9")),
        (IdSource::Location, Reply::empty(201), None),
        (made, Reply::new(200, "text/html", "<html>"), Some("ada@example.org/two")),
    ];
    for (id, reply, expected) in cases {
        let bench = Bench::new().await;
        let name = format!("{id:?} {reply:?}");
        bench.fake.on("POST", "/users").then(reply);
        let create = haulier_core::plan::RequestSpec { id: Some(id), ..request(Method::Post, "/users") };
        let user = entity("user", PushProgram::Create { create, lookup: None, update: None });
        let outcome = bench.push(&user, &record("1", BODY, &["ada@example.org", "two"])).await;
        match expected {
            Some(expected) => assert_eq!(landed(outcome).0, expected, "{name}"),
            None => {
                let silent = failure(outcome);
                assert_eq!(silent.kind, FailureKind::SilentLoss, "{name}: {silent}");
                assert!(silent.reason.contains("an id "), "{name}: {silent}");
            }
        }
    }
}

#[tokio::test]
async fn an_id_that_the_reply_does_not_tell_is_looked_up() {
    let push = PushProgram::Create {
        create: request(Method::Post, "/users"),
        lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
        update: None,
    };
    let user = entity("user", push);
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").ever(Reply::empty(204));
    bench
        .fake
        .on("GET", "/users")
        .reply(200, r#"{"items":[{"id":6,"email":"ada@example.org"}]}"#)
        .reply(200, r#"{"items":[]}"#)
        .reply(500, "");
    assert_eq!(landed(bench.push(&user, &ada()).await).0, "6");
    assert_eq!(kind(bench.push(&user, &ada()).await), FailureKind::SilentLoss);
    // It is stored, so a plain retry would store it twice.
    assert_eq!(kind(bench.push(&user, &ada()).await), FailureKind::Unknown);
}
