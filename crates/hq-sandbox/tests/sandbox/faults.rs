//! Misbehaviour on purpose.

use std::time::{Duration, Instant};

use hq_sandbox::{Config, Faults};
use serde_json::json;

use crate::client::{Bench, TOKEN, account};

async fn with(faults: Faults) -> Bench {
    Bench::with(Config { faults, ..Config::in_memory(TOKEN) }).await
}

#[tokio::test]
async fn a_lost_answer_was_stored_and_not_one_byte_comes_back() {
    let bench = with(Faults { lost_answer_share: 1.0, ..Faults::default() }).await;
    let body = account("A").to_string();
    let json = [("content-type", "application/json")];
    assert!(bench.client.send("POST", "/accounts", &json, body.as_bytes()).await.is_none());
    bench.sandbox.set_faults(Faults::default()).unwrap();
    assert_eq!(bench.client.post("/accounts", &account("A")).await.status, 409);
    assert_eq!(bench.sandbox.stats().lost_answers, 1);
}

#[tokio::test]
async fn a_half_reply_was_stored_and_ends_in_the_middle() {
    let bench = with(Faults { half_reply_share: 1.0, ..Faults::default() }).await;
    let body = account("A").to_string();
    let json = [("content-type", "application/json")];
    let answer = bench.client.send("POST", "/accounts", &json, body.as_bytes()).await.unwrap();
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!((answer.status, answer.body.len()), (201, promised / 2));
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
    assert_eq!(bench.sandbox.stats().half_replies, 1);
    assert_eq!(bench.sandbox.stats().collections["accounts"].records, 1);
}

#[tokio::test]
async fn an_error_is_answered_before_anything_is_done() {
    let bench = with(Faults { error_share: 1.0, ..Faults::default() }).await;
    assert_eq!(bench.client.post("/accounts", &account("A")).await.status, 503);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.collections["accounts"].records, stats.by_status[&503]), (0, 1));
    assert_eq!(
        bench.client.get("/_sandbox/stats").await.status,
        200,
        "the control addresses are free of faults"
    );
}

#[tokio::test]
async fn slots_bound_what_is_worked_on_and_the_others_wait() {
    let bench = with(Faults { latency_ms: 20, slots: 3, ..Faults::default() }).await;
    let start = Instant::now();
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let client = bench.client.clone();
            tokio::spawn(async move { client.get("/accounts").await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert!(start.elapsed() >= Duration::from_millis(80), "12 requests of 20 ms by 3 slots take 4 turns");
    let stats = bench.sandbox.stats();
    assert_eq!((stats.in_flight, stats.max_in_service), (0, 3));
    assert!(stats.max_in_flight > 3, "{stats:?}");
}

#[tokio::test]
async fn above_the_rate_it_asks_to_wait() {
    let bench = with(Faults { rate_per_s: 0.5, ..Faults::default() }).await;
    assert_eq!(bench.client.get("/accounts").await.status, 200);
    let answer = bench.client.get("/accounts").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("2")));
}

#[tokio::test]
async fn the_switches_can_be_set_while_it_runs() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let answer = client.post("/_sandbox/faults", &json!({ "error_share": 1, "latency_ms": 1 })).await;
    assert_eq!((answer.status, &answer.json()["error_share"]), (200, &json!(1.0)));
    let answer = client.post("/_sandbox/faults", &json!({ "slots": 2 })).await.json();
    assert_eq!((&answer["latency_ms"], &answer["slots"]), (&json!(1), &json!(2)), "what is not named stays");
    assert_eq!(client.get("/_sandbox/faults").await.json(), answer);
    assert_eq!(client.get("/accounts").await.status, 503);
    for bad in [json!({ "error_share": 1.5 }), json!({ "colour": 1 }), json!({ "slots": -1 }), json!([])] {
        assert_eq!(client.post("/_sandbox/faults", &bad).await.status, 422, "{bad}");
    }
    assert_eq!(client.get("/_sandbox/faults").await.json(), answer, "a bad change changes nothing");
}

#[tokio::test]
async fn a_request_lands_although_its_client_has_gone_away() {
    let bench = with(Faults { latency_ms: 100, ..Faults::default() }).await;
    let client = bench.client.clone();
    let impatient = tokio::time::timeout(Duration::from_millis(20), async move {
        client.post("/accounts", &account("A")).await;
    });
    assert!(impatient.await.is_err());
    let landed = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while bench.sandbox.stats().collections["accounts"].records == 0 {
            turn.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), landed).await.expect("it lands late");
}

#[tokio::test]
async fn a_reset_forgets_records_and_counts() {
    let bench = Bench::start().await;
    let client = &bench.client;
    client.ask_with("POST", "/accounts", Some(&account("A")), &[("idempotency-key", "k")]).await;
    assert_eq!(client.post("/_sandbox/reset", &json!({})).await.status, 200);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.requests, stats.collections["accounts"].records), (0, 0));
    let answer = client.ask_with("POST", "/accounts", Some(&account("A")), &[("idempotency-key", "k")]).await;
    assert_eq!((answer.status, answer.header("idempotency-replayed")), (201, None));
}
