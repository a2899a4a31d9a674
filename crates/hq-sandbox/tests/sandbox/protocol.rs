//! Rights, statuses, kept answers.

use std::time::Duration;

use hq_sandbox::{Config, Login};
use serde_json::json;

use crate::client::{Bench, Client, TOKEN, account};

#[tokio::test]
async fn tokens_decide_who_may_do_what() {
    let config = Config {
        read_only_token: Some("reader".to_owned()),
        login: Some(Login {
            user: "u".to_owned(),
            password: "p".to_owned(),
            lifetime: Duration::from_secs(60),
        }),
        ..Config::in_memory(TOKEN)
    };
    let bench = Bench::with(config).await;
    let with = |token: Option<&str>| Client { token: token.map(str::to_owned), ..bench.client.clone() };
    for token in [None, Some("wrong"), Some("")] {
        for path in ["/accounts", "/nothing", "/_sandbox/stats"] {
            let answer = with(token).get(path).await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        }
    }
    let reader = with(Some("reader"));
    assert_eq!(reader.get("/accounts").await.status, 200);
    assert_eq!(reader.get("/_sandbox/stats").await.status, 200);
    assert_eq!(reader.post("/accounts", &account("A")).await.status, 403);
    assert_eq!(reader.post("/_sandbox/reset", &json!({})).await.status, 403);
    assert_eq!(reader.delete("/accounts/acc_000001").await.status, 403);

    let nobody = with(None);
    assert_eq!(nobody.post("/login", &json!({ "user": "u", "password": "x" })).await.status, 401);
    assert_eq!(nobody.post("/login", &json!({ "user": "u" })).await.status, 400);
    let answer = nobody.post("/login", &json!({ "user": "u", "password": "p" })).await.json();
    assert_eq!(answer["expires_in"], 60);
    let logged_in = with(answer["token"].as_str());
    assert_eq!(logged_in.post("/accounts", &account("A")).await.status, 201);
}

#[tokio::test]
async fn a_login_token_ends_with_its_lifetime() {
    let lifetime = Duration::ZERO;
    let login = Login { user: "u".to_owned(), password: "p".to_owned(), lifetime };
    let bench = Bench::with(Config { login: Some(login), ..Config::in_memory(TOKEN) }).await;
    let answer = bench.client.post("/login", &json!({ "user": "u", "password": "p" })).await;
    assert_eq!(answer.status, 200);
    let late = Client { token: answer.json()["token"].as_str().map(str::to_owned), ..bench.client.clone() };
    assert_eq!(late.get("/accounts").await.status, 401);
}

#[tokio::test]
async fn a_wrong_request_gets_the_status_that_says_so() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let json = [("content-type", "application/json; charset=utf-8")];
    for (method, path, headers, body, status) in [
        ("GET", "/nothing", &json[..], &b""[..], 404),
        ("GET", "/accounts/acc_000001", &json, b"", 404),
        ("GET", "/accounts/1", &json, b"", 404),
        ("DELETE", "/accounts", &json, b"", 405),
        ("POST", "/accounts/acc_000001", &json, b"{}", 405),
        ("POST", "/accounts", &[], b"{}", 415),
        ("POST", "/accounts", &[("content-type", "text/plain")], b"{}", 415),
        ("POST", "/accounts", &json, b"{", 400),
        ("POST", "/accounts", &json, b"", 400),
        ("POST", "/accounts", &json, b"[]", 400),
        ("POST", "/accounts", &json, b"{\"name\":\"\xff\"}", 400),
        ("POST", "/accounts", &json, b"{}", 422),
    ] {
        let answer = client.send(method, path, headers, body).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path} {body:?}");
        assert!(answer.json()["error"].is_string(), "{method} {path}");
        if status == 405 {
            assert!(
                answer.header("allow").is_some_and(|allow| allow.contains("GET")),
                "{:?}",
                answer.headers
            );
        }
    }
    let size = |bytes: usize| format!("{{\"name\":\"{}\"}}", "x".repeat(bytes - 11));
    let limit = 1 << 20;
    assert_eq!(client.send("POST", "/accounts", &json, size(limit).as_bytes()).await.unwrap().status, 422);
    assert_eq!(
        client.send("POST", "/accounts", &json, size(limit + 1).as_bytes()).await.unwrap().status,
        413
    );
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let key = [("idempotency-key", "k-1")];
    let missing = json!({ "name": "n" });
    assert_eq!(client.ask_with("POST", "/accounts", Some(&missing), &key).await.status, 422);
    let first = client.ask_with("POST", "/accounts", Some(&account("A")), &key).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "a refusal is not kept");
    for _ in 0..2 {
        let again = client.ask_with("POST", "/accounts", Some(&account("A")), &key).await;
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    let other_body = client.ask_with("POST", "/accounts", Some(&account("B")), &key).await;
    assert_eq!((other_body.status, &other_body.json()["error"]), (422, &json!("idempotency_key_reused")));
    let other_path = client.ask_with("PATCH", "/accounts/acc_000001", Some(&account("A")), &key).await;
    assert_eq!(other_path.status, 422);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.collections["accounts"].records, stats.replays), (1, 2));
    let long = "k".repeat(256);
    let answer =
        client.ask_with("POST", "/accounts", Some(&account("B")), &[("idempotency-key", &long)]).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn requests_with_one_key_at_the_same_time_store_one_record() {
    let config = Config { unique: hq_sandbox::Uniqueness::None, ..Config::in_memory(TOKEN) };
    let bench = Bench::with(config).await;
    let ask = || {
        let client = bench.client.clone();
        async move {
            client
                .ask_with("POST", "/accounts", Some(&account("A")), &[("idempotency-key", "k")])
                .await
                .status
        }
    };
    let all: Vec<_> = (0..32).map(|_| tokio::spawn(ask())).collect();
    for task in all {
        assert_eq!(task.await.unwrap(), 201);
    }
    assert_eq!(bench.sandbox.stats().collections["accounts"].records, 1);
}

#[tokio::test]
async fn old_answers_make_room_for_new_ones() {
    let bench = Bench::with(Config { idempotency_keys: 2, ..Config::in_memory(TOKEN) }).await;
    let send = async |key: &str| {
        let body = account(key);
        bench.client.ask_with("POST", "/accounts", Some(&body), &[("idempotency-key", key)]).await.status
    };
    assert_eq!((send("1").await, send("2").await, send("3").await), (201, 201, 201));
    assert_eq!((send("3").await, send("2").await), (201, 201), "still kept");
    assert_eq!(send("1").await, 409, "forgotten, so it was tried again");
}
