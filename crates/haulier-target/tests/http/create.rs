//! Create, and look up before creating: every way that the answers lead.

use haulier_core::plan::{Method, PushProgram};
use haulier_core::{Origin, Outcome};
use haulier_testkit::fake_target::{Reply, entity, lookup, record, request};

use crate::bench::{Bench, With, landed};

const ADA: &str = r#"{"email":"ada@example.org","name":"Ada"}"#;

/// What the target answers, what must have been asked, and what it comes to.
struct Case {
    name: &'static str,
    known: Option<&'static str>,
    unsure: bool,
    answers: &'static [(&'static str, &'static str, u16, &'static str)],
    asked: &'static [&'static str],
    /// `id created`, `id adopted`, or the failure's kind.
    outcome: &'static str,
}

const NONE: &str = r#"{"items":[]}"#;
const ONE: &str = r#"{"items":[{"id":4,"email":"ada@example.org"},{"id":5,"email":"other@example.org"}]}"#;
const TWO: &str = r#"{"items":[{"id":4,"email":"ada@example.org"},{"id":5,"email":"ada@example.org"}]}"#;
const OTHERS: &str = r#"{"items":[{"id":8,"email":"x@example.org"},{"id":9,"email":"ADA@example.org"}]}"#;
const FIND: &str = "GET /users?email=ada%40example.org";

async fn run(push: impl Fn() -> PushProgram, cases: &[Case]) {
    for case in cases {
        let bench = Bench::new().await;
        // The latest script answers first.
        for (method, path, status, body) in case.answers.iter().rev() {
            bench.fake.on(method, path).reply(*status, body);
        }
        let entity = entity("user", push());
        let with = With { known: case.known, unsure: case.unsure, ..With::default() };
        let outcome = bench.push_with(&entity, &record("1", ADA, &["ada@example.org", "Ada"]), with).await;
        let short = match &outcome {
            Outcome::Landed { id, origin } => format!("{id} {}", origin.as_str()),
            Outcome::Failed(failure) => failure.kind.as_str().to_owned(),
        };
        assert_eq!(short, case.outcome, "{}: {outcome:?}", case.name);
        assert_eq!(bench.fake.lines(), case.asked, "{}", case.name);
    }
}

fn create() -> PushProgram {
    PushProgram::Create {
        create: request(Method::Post, "/users"),
        lookup: Some(lookup("/users?email={v0}", &[("email", "/email")])),
        update: Some(request(Method::Patch, "/users/{id}")),
    }
}

fn look_first() -> PushProgram {
    PushProgram::LookupThenWrite {
        lookup: lookup("/users?email={v0}", &[("email", "/email")]),
        create: request(Method::Post, "/users"),
        update: Some(request(Method::Patch, "/users/{id}")),
    }
}

#[tokio::test]
async fn create_goes_every_way_that_the_answers_lead() {
    let case =
        |name, answers, asked, outcome| Case { name, known: None, unsure: false, answers, asked, outcome };
    run(
        create,
        &[
            case("new", &[("POST", "/users", 201, r#"{"id":1}"#)], &["POST /users"], "1 created"),
            case(
                "there already",
                &[
                    ("POST", "/users", 409, "{}"),
                    ("GET", "/users", 200, ONE),
                    ("PATCH", "/users/4", 200, "{}"),
                ],
                &["POST /users", FIND, "PATCH /users/4"],
                "4 adopted",
            ),
            case(
                "there twice",
                &[("POST", "/users", 409, "{}"), ("GET", "/users", 200, TWO)],
                &["POST /users", FIND],
                "duplicate",
            ),
            case(
                "there but not found",
                &[("POST", "/users", 409, "{}"), ("GET", "/users", 200, OTHERS)],
                &["POST /users", FIND],
                "conflict",
            ),
            case(
                "there, lookup broken",
                &[("POST", "/users", 409, "{}"), ("GET", "/users", 500, "")],
                &["POST /users", FIND],
                "transient",
            ),
            case("refused", &[("POST", "/users", 422, "{}")], &["POST /users"], "refused"),
            case(
                "an id that not every ledger can keep",
                &[("POST", "/users", 201, r#"{"id":"a\u0000b"}"#), ("GET", "/users", 200, ONE)],
                &["POST /users", FIND],
                "4 created",
            ),
            Case {
                name: "known",
                known: Some("7"),
                unsure: false,
                answers: &[("PATCH", "/users/7", 204, "")],
                asked: &["PATCH /users/7"],
                outcome: "7 adopted",
            },
            Case {
                name: "known and gone, found elsewhere",
                known: Some("7"),
                unsure: false,
                answers: &[
                    ("PATCH", "/users/7", 404, "{}"),
                    ("GET", "/users", 200, ONE),
                    ("PATCH", "/users/4", 200, ""),
                ],
                asked: &["PATCH /users/7", FIND, "PATCH /users/4"],
                outcome: "4 adopted",
            },
            Case {
                name: "known and gone for good",
                known: Some("7"),
                unsure: false,
                answers: &[
                    ("PATCH", "/users/7", 410, "{}"),
                    ("GET", "/users", 200, NONE),
                    ("POST", "/users", 201, r#"{"id":"n"}"#),
                ],
                asked: &["PATCH /users/7", FIND, "POST /users"],
                outcome: "n created",
            },
            Case {
                name: "unsure, stored",
                known: None,
                unsure: true,
                answers: &[("GET", "/users", 200, ONE), ("PATCH", "/users/4", 200, "{}")],
                asked: &[FIND, "PATCH /users/4"],
                outcome: "4 adopted",
            },
            Case {
                name: "unsure, not stored",
                known: None,
                unsure: true,
                answers: &[("GET", "/users", 200, NONE), ("POST", "/users", 201, r#"{"id":1}"#)],
                asked: &[FIND, "POST /users"],
                outcome: "1 created",
            },
        ],
    )
    .await;
}

#[tokio::test]
async fn lookup_then_write_looks_before_it_creates() {
    let case =
        |name, answers, asked, outcome| Case { name, known: None, unsure: false, answers, asked, outcome };
    run(
        look_first,
        &[
            case(
                "new",
                &[("GET", "/users", 200, OTHERS), ("POST", "/users", 201, r#"{"id":1}"#)],
                &[FIND, "POST /users"],
                "1 created",
            ),
            case(
                "there",
                &[("GET", "/users", 200, ONE), ("PATCH", "/users/4", 200, "{}")],
                &[FIND, "PATCH /users/4"],
                "4 adopted",
            ),
            case("twice", &[("GET", "/users", 200, TWO)], &[FIND], "duplicate"),
            case(
                "created by another meanwhile",
                &[
                    ("GET", "/users", 200, NONE),
                    ("POST", "/users", 409, "{}"),
                    ("GET", "/users", 200, ONE),
                    ("PATCH", "/users/4", 200, "{}"),
                ],
                &[FIND, "POST /users", FIND, "PATCH /users/4"],
                "4 adopted",
            ),
            case("lookup refused", &[("GET", "/users", 400, "{}")], &[FIND], "refused"),
            case("lookup path wrong", &[("GET", "/users", 404, "{}")], &[FIND], "refused"),
            case("no list in the reply", &[("GET", "/users", 200, r#"{"users":[]}"#)], &[FIND], "refused"),
            case("no JSON in the reply", &[("GET", "/users", 200, "<html>")], &[FIND], "refused"),
            case("a list without an id", &[("GET", "/users", 200, r#"{"items":[{"email":"ada@example.org"}]}"#)], &[FIND], "refused"),
            case(
                "an empty list left out",
                &[("GET", "/users", 200, r#"{"totalResults":0}"#), ("POST", "/users", 201, r#"{"id":1}"#)],
                &[FIND, "POST /users"],
                "1 created",
            ),
            case(
                "the same candidate twice",
                &[
                    ("GET", "/users", 200, r#"{"items":[{"id":4,"email":"ada@example.org"},{"id":4,"email":"ada@example.org"}]}"#),
                    ("PATCH", "/users/4", 200, "{}"),
                ],
                &[FIND, "PATCH /users/4"],
                "4 adopted",
            ),
            Case {
                name: "known",
                known: Some("7"),
                unsure: true,
                answers: &[("PATCH", "/users/7", 204, "")],
                asked: &["PATCH /users/7"],
                outcome: "7 adopted",
            },
        ],
    )
    .await;
}

#[tokio::test]
async fn the_lookups_own_words_decide_what_is_not_there() {
    let mut user = entity("user", look_first());
    user.outcomes = vec![haulier_core::plan::OutcomeRule {
        status: Some(403),
        body: None,
        header: None,
        is: haulier_core::plan::ReplyClass::Missing,
    }];
    let bench = Bench::new().await;
    bench.fake.on("GET", "/users").then(Reply::json(403, "{}"));
    bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
    let outcome = bench.push(&user, &record("1", ADA, &["ada@example.org", ""])).await;
    assert_eq!(landed(outcome), ("1".to_owned(), Origin::Created));
}
