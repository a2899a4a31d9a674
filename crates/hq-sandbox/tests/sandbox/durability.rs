//! What was acknowledged is there, whatever happens to the process.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hq_sandbox::{Config, Sandbox, StoreKind, Sync};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::client::{Bench, Client, TOKEN, account, project, user};

struct Program {
    child: Child,
    client: Client,
    _lines: Lines<BufReader<ChildStderr>>,
}

async fn start(folder: &Path) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hq-sandbox"))
        .args(["--listen", "127.0.0.1:0", "--db"])
        .arg(folder.join("hq.db"))
        .arg("--log")
        .arg(folder.join("log.jsonl"))
        .env("HQ_SANDBOX_TOKEN", TOKEN)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready =
        tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let (_, url) = ready.split_once("hq-sandbox listens on http://").expect("the ready line");
    let address = url.strip_suffix("/api/v1").unwrap().parse().unwrap();
    Program { child, client: Client { address, token: Some(TOKEN.to_owned()) }, _lines: lines }
}

#[tokio::test]
async fn every_acknowledged_write_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = start(folder.path()).await;
    let dying = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (client, dying) = (program.client.clone(), Arc::clone(&dying));
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                while !dying.load(Ordering::Relaxed) {
                    let external_id = format!("{writer}-{}", acknowledged.len());
                    let body = account(&external_id).to_string();
                    let key = format!("key-{external_id}");
                    let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
                    match quiet_send(&client, &headers, body.as_bytes()).await {
                        Some(id) => acknowledged.push((external_id, id)),
                        None => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    let log = folder.path().join("log.jsonl");
    let enough = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while std::fs::read_to_string(&log).unwrap_or_default().lines().count() < 400 {
            turn.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough).await.expect("400 writes");
    program.child.kill().await.unwrap();
    dying.store(true, Ordering::Relaxed);

    let program = start(folder.path()).await;
    let text = std::fs::read_to_string(&log).unwrap();
    let mut count = 0;
    for writer in writers {
        for (external_id, id) in writer.await.unwrap() {
            count += 1;
            let found = program.client.get(&format!("/accounts?external_id={external_id}")).await.json();
            assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!(id)), "{external_id}");
            assert!(
                text.contains(&format!("\"natural_key\":\"{external_id}\",\"id\":\"{id}\"")),
                "{external_id}"
            );
        }
    }
    assert!(count >= 392, "all but those under way: {count}");
    let key = [("idempotency-key", "key-0-0")];
    let again = program.client.ask_with("POST", "/accounts", Some(&account("0-0")), &key).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, Some("true")),
        "kept answers survive too"
    );
}

/// The new record's id, or nothing once the process is gone.
async fn quiet_send(client: &Client, headers: &[(&str, &str)], body: &[u8]) -> Option<String> {
    let (client, body) = (client.clone(), body.to_vec());
    let headers: Vec<(String, String)> =
        headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    // A connection that is refused or cut is what the kill brings: the task's panic is the answer.
    let task = tokio::spawn(async move {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = client.send("POST", "/accounts", &headers, &body).await?;
        let id: Value = serde_json::from_slice(&answer.body).ok()?;
        id["id"].as_str().map(str::to_owned)
    });
    task.await.ok().flatten()
}

#[tokio::test]
async fn everything_is_read_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        store: StoreKind::Sqlite { path: folder.path().join("hq.db"), sync: Sync::Full },
        ..Config::in_memory(TOKEN)
    };
    let bench = Bench::with(config()).await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("\u{1}'\"\\\n\u{10ffff}🚀e\u{301}")).await;
    let gone = client.create("/accounts", &account("gone")).await;
    let p = client.create("/projects", &project(&a, "NULL")).await;
    let mut child = project(&a, "child");
    child["parent_id"] = json!(p);
    child["budget"] = Value::Null;
    client.create("/projects", &child).await;
    let u = client.create("/users", &user(&a, "U@example.com")).await;
    client.patch(&format!("/users/{u}"), &json!({ "locale": "de-DE" })).await;
    let member = json!({ "role": "owner", "joined_at": "2024-01-01T00:00:00Z" });
    assert_eq!(client.put(&format!("/projects/{p}/members/{u}"), &member).await.status, 201);
    assert_eq!(client.delete(&format!("/accounts/{gone}")).await.status, 204);
    let lists = ["/accounts", "/projects", "/users", "/memberships"];
    let mut before = Vec::new();
    for list in lists {
        before.push(client.get(list).await.json());
    }
    bench.sandbox.stop().await.unwrap();

    let bench = Bench::with(config()).await;
    for (list, before) in lists.into_iter().zip(before) {
        assert_eq!(bench.client.get(list).await.json(), before, "{list}");
    }
    assert_eq!(bench.client.create("/accounts", &account("new")).await, "acc_000003", "ids go on");
    assert_eq!(bench.client.post("/_sandbox/reset", &json!({})).await.status, 200);
    bench.sandbox.stop().await.unwrap();
    let bench = Bench::with(config()).await;
    assert_eq!(bench.client.get("/accounts").await.json()["total"], 0, "a reset reaches the file");
    bench.sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_acknowledged_once_the_store_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hq.db");
    let store = StoreKind::Sqlite { path: path.clone(), sync: Sync::Normal };
    let bench = Bench::with(Config { store, ..Config::in_memory(TOKEN) }).await;
    let a = bench.client.create("/accounts", &account("A")).await;
    let mut other =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::raw_sql("drop table users").execute(&mut other).await.unwrap();
    let answer = bench.client.post("/users", &user(&a, "u@example.com")).await;
    assert_eq!((answer.status, &answer.json()["error"]), (500, &json!("store_failed")));
    assert_eq!(bench.client.get("/users").await.status, 500, "what was not stored is not shown either");
    assert_eq!(bench.client.post("/accounts", &account("B")).await.status, 500);
    bench.sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_process_is_turned_away_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreKind::Sqlite { path: folder.path().join("hq.db"), sync: Sync::Normal };
    let config = Config { store, ..Config::in_memory(TOKEN) };
    let bench = Bench::with(config.clone()).await;
    let refused = Sandbox::start(config.clone()).await.unwrap_err();
    assert!(format!("{refused:#}").contains("another process"), "{refused:#}");
    bench.sandbox.stop().await.unwrap();
    Bench::with(config).await.sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_log_tells_of_every_record_and_hides_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let bench = Bench::with(Config { log: Some(log.clone()), ..Config::in_memory(TOKEN) }).await;
    let items = json!({ "items": [account("A"), account("B"), account("A")] });
    bench.client.ask_with("POST", "/bulk/accounts", Some(&items), &[("idempotency-key", "k")]).await;
    bench.client.get("/users?limit=x").await;
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains(TOKEN));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for (line, (status, key)) in lines.iter().zip([(201, json!("A")), (201, json!("B")), (409, Value::Null)])
    {
        assert_eq!((&line["status"], &line["record"]["natural_key"]), (&json!(status), &key));
        assert_eq!((&line["idempotency_key"], &line["path"]), (&json!("k"), &json!("/api/v1/bulk/accounts")));
    }
    assert_eq!((&lines[3]["method"], &lines[3]["status"]), (&json!("GET"), &json!(400)));
}

#[tokio::test]
async fn stopping_lets_open_requests_end() {
    let bench = Bench::start().await;
    bench.client.post("/_sandbox/faults", &json!({ "latency_ms": 150 })).await;
    let client = bench.client.clone();
    let open = tokio::spawn(async move { client.post("/accounts", &account("A")).await.status });
    let begun = async {
        let mut turn = tokio::time::interval(Duration::from_millis(2));
        while bench.sandbox.stats().in_flight == 0 {
            turn.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), begun).await.unwrap();
    bench.sandbox.stop().await.unwrap();
    assert_eq!(open.await.unwrap(), 201);
}
