//! Credentials: sent as the site says, renewed by one login however many requests need it, never shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use haulier_core::plan::{Entity, Method, PushProgram};
use haulier_core::{FailureKind, Outcome};
use haulier_target::{Auth, Login, Options, Secret, TokenSource, open};
use haulier_testkit::fake_target::{FakeTarget, Reply, entity, record, request};

use crate::bench::{Bench, landed};

fn user() -> Entity {
    entity(
        "user",
        PushProgram::Create { create: request(Method::Post, "/users"), lookup: None, update: None },
    )
}

fn login(token: TokenSource) -> Login {
    Login {
        path: "/login".to_owned(),
        body: r#"{"user":"{user}","password":"{password}"}"#.to_owned(),
        values: vec![
            ("user".to_owned(), Secret::new("m{password}")),
            ("password".to_owned(), Secret::new("p\"w")),
        ],
        media_type: "application/json".to_owned(),
        token,
        header: "X-Auth-Token".to_owned(),
        format: "T {token}".to_owned(),
        lifetime: None,
    }
}

#[tokio::test]
async fn credentials_are_sent_as_the_site_says() {
    let secret = || Secret::new("s3cret");
    let cases = [
        (Auth::None, "authorization", None),
        (Auth::Header { name: "X-Api-Key".to_owned(), value: secret() }, "x-api-key", Some("s3cret")),
        (Auth::Bearer(secret()), "authorization", Some("Bearer s3cret")),
        (
            Auth::Basic { user: "ada".to_owned(), password: secret() },
            "authorization",
            Some("Basic YWRhOnMzY3JldA=="),
        ),
    ];
    for (auth, header, expected) in cases {
        let shown = format!("{:?}", Options::new("http://x").with_auth(auth.clone()));
        assert!(!shown.contains("s3cret"), "{shown}");
        let bench = Bench::with(|options| options.auth = auth).await;
        bench.fake.on("POST", "/users").reply(201, r#"{"id":1}"#).reply(401, "{}");
        landed(bench.push(&user(), &record("1", "{}", &["", ""])).await);
        assert_eq!(bench.fake.log()[0].header(header), expected);
        let refused = bench.failure(&user(), &record("1", "{}", &["", ""])).await;
        assert_eq!(refused.kind, FailureKind::Credential, "a fixed credential is not tried twice");
        assert_eq!(bench.fake.log().len(), 2);
    }
}

#[tokio::test]
async fn a_refusal_that_repeats_the_credential_is_told_without_it() {
    let secret = || Secret::new("s3cret-1");
    let cases = [
        Auth::Header { name: "X-Api-Key".to_owned(), value: secret() },
        Auth::Bearer(secret()),
        Auth::Basic { user: "ada".to_owned(), password: secret() },
    ];
    for auth in cases {
        let bench = Bench::with(|options| {
            options.auth = auth;
            options.headers = vec![("X-Gate".to_owned(), "g4te-secret".to_owned())];
        })
        .await;
        bench.fake.on("POST", "/users").with(|seen| {
            let told: Vec<&str> = ["authorization", "x-api-key", "x-gate"]
                .iter()
                .filter_map(|name| seen.header(name))
                .collect();
            Reply::json(401, &format!(r#"{{"error":"not you: {} s3cret-1"}}"#, told.join(" ")))
        });
        let refused = bench.failure(&user(), &record("1", "{}", &["", ""])).await;
        assert!(refused.reason.contains("not you"), "{}", refused.reason);
        for secret in ["s3cret-1", "YWRhOnMzY3JldC0x", "g4te-secret"] {
            assert!(!refused.reason.contains(secret), "{}", refused.reason);
        }
    }
}

/// A target that takes the newest token only.
fn guarded(fake: &FakeTarget, good: &Arc<AtomicUsize>) {
    let issued = Arc::clone(good);
    fake.on("POST", "/login").with(move |_| {
        let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
        Reply::json(200, &format!(r#"{{"token":"t{number}"}}"#))
            .header("X-Subject-Token", &format!("h{number}"))
    });
    let current = Arc::clone(good);
    fake.on("POST", "/users").with(move |seen| {
        let number = current.load(Ordering::SeqCst);
        let good = [format!("T t{number}"), format!("T h{number}")];
        match seen.header("x-auth-token") {
            Some(token) if good.iter().any(|good| good == token) => Reply::json(201, r#"{"id":1}"#),
            _ => Reply::json(401, "{}"),
        }
    });
}

#[tokio::test]
async fn a_login_gives_the_token_from_body_or_header() {
    for token in
        [TokenSource::Pointer("/token".to_owned()), TokenSource::Header("X-Subject-Token".to_owned())]
    {
        let bench = Bench::with(|options| options.auth = Auth::Login(login(token))).await;
        guarded(&bench.fake, &Arc::default());
        for _ in 0..3 {
            landed(bench.push(&user(), &record("1", "{}", &["", ""])).await);
        }
        assert_eq!(bench.fake.lines(), ["POST /login", "POST /users", "POST /users", "POST /users"]);
        assert_eq!(bench.fake.log()[0].body, r#"{"user":"m{password}","password":"p\"w"}"#);
        assert_eq!(bench.throttle.count(), 4);
    }
}

#[tokio::test]
async fn one_login_serves_all_requests_that_need_it() {
    let good = Arc::<AtomicUsize>::default();
    let bench =
        Bench::with(|options| options.auth = Auth::Login(login(TokenSource::Pointer("/token".to_owned()))))
            .await;
    guarded(&bench.fake, &good);
    let (user, ada) = (user(), record("1", "{}", &["", ""]));
    for round in 1..=3 {
        let pushes = [(); 5].map(|()| bench.push(&user, &ada));
        let [a, b, c, d, e] = pushes;
        let (a, b, c, d, e) = tokio::join!(a, b, c, d, e);
        for outcome in [a, b, c, d, e] {
            landed(outcome);
        }
        let logins = bench.fake.lines().iter().filter(|line| *line == "POST /login").count();
        assert_eq!(logins, round, "{:?}", bench.fake.lines());
        // The target forgets the token: the next login's number is the one after.
        good.fetch_add(1, Ordering::SeqCst);
        bench.fake.on("POST", "/login").with({
            let good = Arc::clone(&good);
            move |_| Reply::json(200, &format!(r#"{{"token":"t{}"}}"#, good.load(Ordering::SeqCst)))
        });
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let mut short = login(TokenSource::Pointer("/token".to_owned()));
    short.lifetime = Some(Duration::ZERO);
    let bench = Bench::with(|options| options.auth = Auth::Login(short)).await;
    guarded(&bench.fake, &Arc::default());
    for _ in 0..2 {
        landed(bench.push(&user(), &record("1", "{}", &["", ""])).await);
    }
    assert_eq!(bench.fake.lines(), ["POST /login", "POST /users", "POST /login", "POST /users"]);
}

#[tokio::test]
async fn a_refused_login_is_a_credential_failure_and_tried_once_for_all() {
    let bench =
        Bench::with(|options| options.auth = Auth::Login(login(TokenSource::Pointer("/token".to_owned()))))
            .await;
    bench
        .fake
        .on("POST", "/login")
        .reply(403, r#"{"error":"p\"w"}"#)
        .reply(200, "{}")
        .reply(503, "{}")
        .reply(429, "{}");
    let (user, ada) = (user(), record("1", "{}", &["", ""]));
    let (a, b, c) = tokio::join!(bench.push(&user, &ada), bench.push(&user, &ada), bench.push(&user, &ada));
    for outcome in [a, b, c] {
        let Outcome::Failed(refused) = outcome else { panic!("{outcome:?}") };
        assert_eq!((refused.kind, refused.status), (FailureKind::Credential, Some(403)));
        assert!(refused.reason.starts_with("login") && !refused.reason.contains("p\"w"), "{refused}");
    }
    assert_eq!(bench.fake.lines(), ["POST /login"]);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(bench.failure(&user, &ada).await.kind);
    }
    assert_eq!(kinds, [FailureKind::Credential, FailureKind::Transient, FailureKind::Throttled]);
    assert_eq!(
        bench.target.check().await.unwrap_err().kind,
        FailureKind::Transient,
        "the fake has no more answers"
    );
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_is_a_credential_failure() {
    let bench =
        Bench::with(|options| options.auth = Auth::Login(login(TokenSource::Pointer("/token".to_owned()))))
            .await;
    bench.fake.on("POST", "/login").always(200, r#"{"token":"t"}"#);
    bench.fake.on("POST", "/users").always(401, "{}");
    let refused = bench.failure(&user(), &record("1", "{}", &["", ""])).await;
    assert_eq!(refused.kind, FailureKind::Credential);
    assert_eq!(bench.fake.lines(), ["POST /login", "POST /users", "POST /login", "POST /users"]);
}

#[tokio::test]
async fn a_check_tells_unreachable_from_refused() {
    let bench = Bench::with(|options| options.check_path = Some("/me".to_owned())).await;
    let asked = [
        (200, None),
        (404, None),
        (302, None),
        (401, Some(FailureKind::Credential)),
        (403, Some(FailureKind::Credential)),
        (500, Some(FailureKind::Transient)),
    ];
    for (status, kind) in asked {
        bench.fake.on("GET", "/me").reply(status, "{}");
        assert_eq!(bench.target.check().await.err().map(|failure| failure.kind), kind, "{status}");
    }
}

#[tokio::test]
async fn a_site_that_cannot_work_is_refused_before_anything_is_sent() {
    let header = |name: &str, value: &str| {
        Options::new("http://127.0.0.1:1")
            .with_auth(Auth::Header { name: name.to_owned(), value: Secret::new(value) })
    };
    for options in [
        header("X Key", "v"),
        header("X-Key", "s3cret\n"),
        Options::new("127.0.0.1:1"),
        Options::new("http://u:s3cret@127.0.0.1:1"),
    ] {
        let error = open(&options).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
    let mut options = Options::new("https://127.0.0.1:1");
    options.ca_file = Some("/nowhere/ca.pem".into());
    assert!(open(&options).unwrap_err().to_string().contains("/nowhere/ca.pem"));
}
