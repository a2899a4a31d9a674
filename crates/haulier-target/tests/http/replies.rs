//! What leaves: bodies, headers, paths; and how the plan's rules read what comes back.

use haulier_core::plan::{
    BodyMatch, Field, FieldSource, Method, NullFields, OutcomeRule, PushProgram, ReplyClass, RequestSpec,
};
use haulier_core::{FailureKind, TargetId};
use haulier_testkit::fake_target::{entity, lookup, record, reference, request, template};

use crate::bench::{Bench, With, kind, landed};

fn create(create: RequestSpec) -> PushProgram {
    PushProgram::Create { create, lookup: None, update: None }
}

fn field(name: &str) -> Field {
    Field { name: name.to_owned(), source: FieldSource::Constant("0".to_owned()) }
}

#[tokio::test]
async fn bodies_are_put_together_as_the_plan_says() {
    let plain = || request(Method::Post, "/users");
    let text = |text: &str| text.to_owned();
    let full = r#"{"a":1,"b":null,"at":{"x":null,"y":{"z":null}},"doc":{"n":null},"c":"é\"null"}"#;
    let cases: Vec<(&str, RequestSpec, &str, &str)> = vec![
        ("as it is", plain(), r#"{"a":1}"#, r#"{"a":1,"team":"t\"1","boss":7}"#),
        ("nothing of its own", plain(), "{}", r#"{"team":"t\"1","boss":7}"#),
        (
            "wrapped, with constants",
            RequestSpec {
                wrap: Some(text("user")),
                constants: vec![(text("schemas"), text(r#"["x"]"#)), (text("on"), text("true"))],
                ..plain()
            },
            r#"{"a":1}"#,
            r#"{"user":{"a":1,"team":"t\"1","boss":7,"schemas":["x"],"on":true}}"#,
        ),
        (
            "wrapped in a list of one",
            RequestSpec { wrap: Some(text("rows[]")), ..plain() },
            r#"{"a":1}"#,
            r#"{"rows":[{"a":1,"team":"t\"1","boss":7}]}"#,
        ),
        (
            "NULL left out, within objects of dotted names too, but not within documents",
            plain(),
            full,
            r#"{"a":1,"doc":{"n":null},"c":"é\"null","team":"t\"1","boss":7}"#,
        ),
        (
            "NULL sent",
            RequestSpec { nulls: NullFields::Send, ..plain() },
            full,
            r#"{"a":1,"b":null,"at":{"x":null,"y":{"z":null}},"doc":{"n":null},"c":"é\"null","team":"t\"1","boss":7,"none":null}"#,
        ),
        (
            "only some",
            RequestSpec {
                only: vec![text("c"), text("at.x"), text("boss")],
                nulls: NullFields::Send,
                ..plain()
            },
            full,
            r#"{"at":{"x":null},"c":"é\"null","boss":7}"#,
        ),
        ("none at all", RequestSpec { empty: true, ..plain() }, r#"{"a":1}"#, ""),
    ];
    for (name, spec, body, expected) in cases {
        let bench = Bench::new().await;
        let empty = spec.empty;
        bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
        let mut user = entity("user", create(spec));
        user.fields = ["a", "b", "at.x", "at.y.z", "doc", "c"].map(field).into();
        user.refs = vec![
            reference("team", "team"),
            reference("boss", "user"),
            reference("none", "user"),
            reference("path", "x"),
        ];
        user.refs[1].numeric = true;
        user.refs[3].in_body = false;
        let refs = [Some(TargetId::new("t\"1")), Some(TargetId::new("7")), None, Some(TargetId::new("p"))];
        landed(
            bench
                .push_with(&user, &record("1", body, &["", ""]), With { refs: &refs, ..With::default() })
                .await,
        );
        let seen = bench.fake.log().pop().unwrap();
        assert_eq!(seen.body, expected, "{name}");
        assert_eq!(seen.header("content-type"), (!empty).then_some("application/json"), "{name}");
        assert_eq!(seen.header("content-length").unwrap(), expected.len().to_string(), "{name}");
    }
}

#[tokio::test]
async fn headers_are_those_of_site_plan_and_attempt() {
    let bench = Bench::with(|options| {
        options.headers = vec![
            ("X-Site".to_owned(), "s1".to_owned()),
            ("Accept".to_owned(), "application/scim+json".to_owned()),
        ];
        options.base_url.push_str("/api/v2/");
    })
    .await;
    bench.fake.on("POST", "/api/v2/users").reply(409, "{}");
    bench.fake.on("GET", "/api/v2/users").reply(200, r#"{"items":[{"id":1,"email":"e"}]}"#);
    bench.fake.on("PATCH", "/api/v2/users/1").reply(200, "{}");
    let patch = RequestSpec {
        media_type: Some("application/merge-patch+json".to_owned()),
        headers: vec![("X-Actor".to_owned(), template("as {v1}, {id}"))],
        ..request(Method::Patch, "/users/{id}")
    };
    let push = PushProgram::Create {
        create: request(Method::Post, "/users"),
        lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
        update: Some(patch),
    };
    let (user, person) = (entity("user", push), record("1", r#"{"email":"e"}"#, &["e", "Zoë"]));
    landed(bench.push(&user, &person).await);
    bench.fake.on("POST", "/api/v2/users").reply(201, r#"{"id":2}"#);
    bench.fake.on("PATCH", "/api/v2/users/9").reply(404, "{}");
    bench.fake.on("GET", "/api/v2/users").reply(200, r#"{"items":[]}"#);
    let known = With { known: Some("9"), ..With::default() };
    landed(bench.push_with(&user, &person, known).await);
    let log = bench.fake.log();
    let keys: Vec<_> = log.iter().map(|seen| seen.header("idempotency-key")).collect();
    // A record that was there and is gone is created under another key than back then.
    let expected = ["key-1.create", "", "key-1.update", "key-1.update", "", "key-1.again.create"];
    assert_eq!(keys.iter().map(|key| key.unwrap_or_default()).collect::<Vec<_>>(), expected);
    assert!(log.iter().all(|seen| seen.header("x-site") == Some("s1")));
    assert!(log.iter().all(|seen| seen.header("accept") == Some("application/scim+json")));
    assert!(log.iter().all(|seen| seen.header("host").is_some_and(|host| host.starts_with("127.0.0.1:"))));
    assert_eq!(log[2].header("content-type"), Some("application/merge-patch+json"));
    assert_eq!(log[2].header("x-actor"), Some("as Zoë, 1"));
}

#[tokio::test]
async fn unicode_arrives_as_it_left() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/users").always(201, r#"{"id":1}"#);
    for text in ["Ω≈ç√∫", "田中さん", "👩‍👩‍👧", "\u{202e}test", "\\u0000", "a\u{0301}"]
    {
        let body = serde_json::json!({ "name": text }).to_string();
        landed(
            bench
                .push(
                    &entity("user", create(request(Method::Post, "/users"))),
                    &record("1", &body, &["", ""]),
                )
                .await,
        );
        assert_eq!(bench.fake.log().pop().unwrap().body, body);
    }
}

#[tokio::test]
async fn the_plans_rules_come_before_the_table() {
    let rule = |status, holds: &str, is| OutcomeRule {
        status: Some(status),
        body: Some(BodyMatch::Pointer { pointer: "/error".to_owned(), holds: holds.to_owned() }),
        header: None,
        is,
    };
    let push = PushProgram::Create {
        create: request(Method::Post, "/users"),
        lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
        update: None,
    };
    let mut user = entity("user", push);
    user.outcomes = vec![
        rule(400, "^UNIQUE constraint failed", ReplyClass::Exists),
        rule(500, "parent", ReplyClass::Failed(FailureKind::MissingParent)),
        rule(500, "NUL", ReplyClass::Failed(FailureKind::Refused)),
        rule(403, "gone", ReplyClass::Missing),
        rule(418, "fine", ReplyClass::Ok),
    ];
    let bench = Bench::new().await;
    let posts = bench.fake.on("POST", "/users");
    posts
        .reply(400, r#"{"error":"UNIQUE constraint failed: user.email"}"#)
        .reply(400, r#"{"error":"CHECK constraint failed"}"#)
        .reply(500, r#"{"error":"no such parent"}"#)
        .reply(500, r#"{"error":"NUL in text"}"#)
        .reply(500, r#"{"error":"out of memory"}"#)
        .reply(418, r#"{"error":"fine","id":5}"#);
    bench.fake.on("GET", "/users").always(200, r#"{"items":[{"id":4,"email":"e"}]}"#);
    let record = record("1", r#"{"email":"e"}"#, &["e", ""]);
    assert_eq!(landed(bench.push(&user, &record).await).0, "4");
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::Refused);
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::MissingParent);
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::Refused);
    assert_eq!(kind(bench.push(&user, &record).await), FailureKind::Transient);
    assert_eq!(landed(bench.push(&user, &record).await).0, "5");
}
