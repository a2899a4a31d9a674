//! A run as it is seen: followed from another shell, and read by Prometheus.

use serde_json::Value;

use super::scene::{Fleet, in_flight, said, setting};
use crate::support::http;
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_from_another_shell_to_its_end() {
    let case =
        Case::small(setting(QueueKind::Rabbit, LedgerKind::Postgres, 30, "workers = 4\nrate = 100"), 10)
            .await;
    let fleet = Fleet::start(&case, 2);
    in_flight(&case, 3).await;
    let watch = case.haulier(&["status", "--watch", "--json", "-vv"]).start();
    let lines = case.haulier(&["status", "--watch"]).start();
    let first = wait_for("a measured status", async || {
        let status = case.status().await;
        let measured = status["requests_per_second"].as_f64().unwrap() > 10.0 && status["p95_ms"].is_number();
        measured.then_some(status)
    })
    .await;
    assert_eq!(first["workers"]["set"], "4", "{first:#}");
    assert_eq!(first["push_rate"]["set"], "100", "{first:#}");
    assert!(first["binds"].as_str().unwrap().starts_with("push."), "{first:#}");
    // Each second one look: by then the watch has seen the queue.
    let until = case.sandbox.stats().requests + 300;
    wait_for("more requests", async || (case.sandbox.stats().requests >= until).then_some(())).await;
    said(&case, &["tune", "push.workers=x2", "push.rate=none", "--force"]).await;
    fleet.ends(&case).await;
    let watched = watch.ended().await.expect(0);
    let events: Vec<Value> = watched.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = events.last().unwrap();
    assert_eq!((&last["state"], &last["event"]), (&"finished".into(), &"status".into()), "{last:#}");
    assert_eq!(last["settled"], last["expected"], "{last:#}");
    assert_eq!((&last["tenants"], &last["tenants_done"]), (&10.into(), &10.into()), "{last:#}");
    assert!(events.iter().any(|event| event["queue_ready"].is_u64()), "{}", watched.stderr);
    let told = lines.ended().await.expect(0).stdout;
    assert!(told.contains("push: workers") && told.contains("flow: finished"), "{told}");
    assert!(told.contains("10 of 10 tenants done"), "{told}");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_processs_lines_of_progress_name_what_holds_the_run() {
    let push = "workers = 4\nrate = 100\n[produce]\nrate = 50\nchunk = 20";
    let case = Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 20, push), 20).await;
    let fleet = Fleet::start(&case, 1);
    fleet.producer.until_said("; bound by ").await;
    fleet.workers[0].until_said("requests/s; bound by ").await;
    said(&case, &["pause", "push", "--reason", "db backup"]).await;
    for process in [&fleet.producer, &fleet.workers[0]] {
        process.until_said("; push paused by ").await;
        process.until_said("\"db backup\" since ").await;
    }
    said(&case, &["resume"]).await;
    said(&case, &["tune", "push.rate=none", "produce.rate=none", "--force"]).await;
    fleet.ends(&case).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_by_producer_and_workers() {
    let case =
        Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 30, "workers = 4\nrate = 60"), 10).await;
    let ports: Vec<u16> = (0..2)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    let at = |port: u16| format!("127.0.0.1:{port}");
    let producer = case.haulier(&["produce", "--metrics", &at(ports[0])]).start();
    let worker = case.haulier(&["work", "--metrics", &at(ports[1])]).start();
    for port in &ports {
        wait_for("the metrics", async || tokio::net::TcpStream::connect(at(*port)).await.ok()).await;
    }
    let page = async |port: u16| http::request("GET", &format!("http://{}/metrics", at(port)), &[], "").await;
    let (status, pushed) = wait_for("a latency", async || {
        let (status, text) = page(ports[1]).await;
        text.contains("quantile=\"0.95\"").then_some((status, text))
    })
    .await;
    assert_eq!(status, 200);
    let value = |text: &str, name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!((value(&pushed, "haulier_push_workers") - 4.0).abs() < f64::EPSILON, "{pushed}");
    assert!((value(&pushed, "haulier_push_rate_limit") - 60.0).abs() < f64::EPSILON, "{pushed}");
    assert!(value(&pushed, "haulier_requests_total") >= 1.0, "{pushed}");
    let (_, produced) = page(ports[0]).await;
    assert!(value(&produced, "haulier_produced_total") >= 1.0, "{produced}");
    assert_eq!(http::request("GET", &format!("http://{}/", at(ports[0])), &[], "").await.0, 404);
    let taken = case.haulier(&["work", "--metrics", &at(ports[1])]).run().await.expect(2);
    assert!(taken.stderr.contains("the address cannot be used"), "{}", taken.stderr);
    said(&case, &["tune", "push.rate=none", "--force"]).await;
    Fleet { producer, workers: vec![worker] }.ends(&case).await;
    case.end().await;
}
