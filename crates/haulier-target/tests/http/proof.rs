//! A yes is compared with what was sent.

use haulier_core::plan::{
    Convert, Entity, Field, FieldSource, Method, NullBytes, OddNumbers, PushProgram, Verify, ZeroDates,
};
use haulier_core::{FailureKind, Outcome, TargetId};
use haulier_testkit::fake_target::{entity, lookup, record, reference, request};

use crate::bench::{Bench, With, failure, landed};

const BODY: &str =
    r#"{"email":"ada@example.org","price":"12.50","at":"2024-03-30T20:30:00Z","on":true,"none":null}"#;

fn decimal(name: &str) -> Field {
    let source = FieldSource::Column {
        column: name.to_owned(),
        convert: Convert::Decimal(None),
        text: Vec::new(),
        default: None,
        zero_dates: ZeroDates::Error,
        odd_numbers: OddNumbers::Error,
        null_bytes: NullBytes::Keep,
    };
    Field { name: name.to_owned(), source }
}

fn user(verify: Verify) -> Entity {
    let push = PushProgram::Create {
        create: request(Method::Post, "/users"),
        lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
        update: Some(request(Method::Patch, "/users/{id}")),
    };
    let mut user = entity("user", push);
    user.verify = verify;
    user.fields = vec![decimal("price")];
    user.refs = vec![reference("team", "team")];
    user
}

async fn push(bench: &Bench, user: &Entity) -> Outcome {
    let refs = [Some(TargetId::new("9"))];
    bench
        .push_with(
            user,
            &record("1", BODY, &["ada@example.org", ""]),
            With { refs: &refs, ..With::default() },
        )
        .await
}

/// What the target echoes, and the field that is lost.
const ECHOES: [(&str, Option<&str>); 9] = [
    (r#"{"id":1}"#, None),
    (
        r#"{"id":1,"email":"ada@example.org","price":12.5,"at":"2024-03-30T22:30:00+02:00","on":1,"team":9,"none":null}"#,
        None,
    ),
    (r#"{"id":1,"price":"12.500"}"#, None),
    (r#"{"id":1,"none":"filled in by the target"}"#, None),
    (r#"{"id":1,"email":"Ada@example.org"}"#, Some("email")),
    (r#"{"id":1,"price":12.05}"#, Some("price")),
    (r#"{"id":1,"at":"2024-03-30T20:30:00+02:00"}"#, Some("at")),
    (r#"{"id":1,"on":null}"#, Some("on")),
    (r#"{"id":1,"team":"8"}"#, Some("team")),
];

#[tokio::test]
async fn an_echo_of_other_content_is_a_silent_loss() {
    for (echo, lost) in ECHOES {
        let bench = Bench::new().await;
        bench.fake.on("POST", "/users").reply(201, echo);
        let outcome = push(&bench, &user(Verify::Echo)).await;
        match lost {
            None => assert_eq!(landed(outcome).0, "1", "{echo}"),
            Some(field) => {
                let silent = failure(outcome);
                assert_eq!(silent.kind, FailureKind::SilentLoss, "{echo}: {silent}");
                assert!(silent.reason.contains(&format!("`{field}`")), "{echo}: {silent}");
                assert!(!silent.reason.contains("ada@") && !silent.reason.contains("12."), "{silent}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_is_read_again_must_have_every_field() {
    let full =
        r#"{"id":1,"email":"ada@example.org","price":12.5,"at":"2024-03-30T20:30:00Z","on":true,"team":"9"}"#;
    let cases = [
        (full.to_owned(), None),
        (full.replace(r#","on":true"#, ""), Some("`on`")),
        (full.replace(r#","team":"9""#, ""), Some("`team`")),
        (full.replace("12.5", "12.4"), Some("`price`")),
        (full.replace("ada@", "eve@"), Some("not there")),
    ];
    for (held, lost) in cases {
        let bench = Bench::new().await;
        bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
        bench.fake.on("GET", "/users").reply(200, &format!(r#"{{"items":[{held}]}}"#));
        let outcome = push(&bench, &user(Verify::Reread)).await;
        match lost {
            None => assert_eq!(landed(outcome).0, "1"),
            Some(words) => {
                let silent = failure(outcome);
                assert_eq!(silent.kind, FailureKind::SilentLoss, "{held}: {silent}");
                assert!(silent.reason.contains(words), "{silent}");
            }
        }
        assert_eq!(bench.throttle.count(), 2);
    }
}

#[tokio::test]
async fn an_update_is_read_again_too() {
    let bench = Bench::new().await;
    bench.fake.on("PATCH", "/users/1").reply(204, "");
    bench.fake.on("GET", "/users").reply(200, r#"{"items":[{"id":1,"email":"ada@example.org"}]}"#);
    let refs = [Some(TargetId::new("9"))];
    let with = With { refs: &refs, known: Some("1"), ..With::default() };
    let outcome =
        bench.push_with(&user(Verify::Reread), &record("1", BODY, &["ada@example.org", ""]), with).await;
    assert_eq!(failure(outcome).kind, FailureKind::SilentLoss);
}

#[tokio::test]
async fn a_put_is_read_again_on_its_own_path() {
    let bench = Bench::new().await;
    bench.fake.on("PUT", "/users/a").always(200, r#"{"id":"a"}"#);
    bench
        .fake
        .on("GET", "/users/a")
        .reply(200, r#"{"user":{"id":"a","n":1}}"#)
        .reply(404, "")
        .reply(200, r#"{"user":{"id":"a"}}"#);
    let mut write = request(Method::Put, "/users/{v0}");
    write.wrap = Some("user".to_owned());
    let mut user = entity("user", PushProgram::Put { write });
    user.verify = Verify::Reread;
    let record = record("1", r#"{"n":1}"#, &["a", ""]);
    assert_eq!(landed(bench.push(&user, &record).await).0, "a");
    assert_eq!(bench.failure(&user, &record).await.kind, FailureKind::SilentLoss);
    assert_eq!(bench.failure(&user, &record).await.kind, FailureKind::SilentLoss);
}

#[tokio::test]
async fn what_is_stored_but_cannot_be_read_again_is_unknown() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
    bench.fake.on("GET", "/users").reply(503, "");
    let failure = failure(push(&bench, &user(Verify::Reread)).await);
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(failure.reason.starts_with("stored, but not read again"), "{failure}");
}
