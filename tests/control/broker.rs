//! A broker with little patience, and one that runs out of memory.

use serde_json::Value;

use super::scene::{Fleet, explain, in_flight, said, setting};
use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::server::{Server, place};
use crate::support::services::address;
use crate::support::{Case, LedgerKind, QueueKind, http};

/// A case on a broker of its own.
async fn case_on(broker: &Server, push: &str) -> Case {
    let case = Case::small(setting(QueueKind::Rabbit, LedgerKind::Postgres, 60, push), 20).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_URL")), &broker.at(0));
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_API_URL")), &broker.at(5));
    case
}

/// What the broker says of one of the case's queues; its figures are a second old.
async fn queue(case: &Case, broker: &Server, suffix: &str) -> Value {
    let url = format!("http://{}/api/queues/%2F/{}{suffix}", broker.at(5), case.name());
    // `guest:guest`, as the broker has it.
    let login = [("authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")];
    let (status, body) = http::request("GET", &url, &login, "").await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_longer_than_the_brokers_patience_costs_no_channel_and_no_record() {
    // More than the five seconds after which a pause gives back what was taken, and less than the pause.
    let broker = Server::start("rabbitmq", &[("HAULIER_AMQP_CONSUMER_TIMEOUT", "10000")]).await;
    let case = case_on(&broker, "workers = 4").await;
    let fleet = Fleet::start(&case, 2);
    in_flight(&case, 4).await;
    said(&case, &["pause", "push", "--for", "20s", "--reason", "backup"]).await;
    in_flight(&case, 0).await;
    let stands = case.sandbox.stats().requests;
    wait_for("the consumers to take their leave before anything begins", async || {
        let queue = queue(&case, &broker, "").await;
        let left = queue["consumers"] == 0 && queue["messages_unacknowledged"] == 0;
        (left && case.sandbox.stats().requests == stands).then_some(())
    })
    .await;
    // It ends by itself.
    in_flight(&case, 4).await;
    for worker in &fleet.workers {
        assert!(!worker.said().contains("interrupted"), "a channel was lost:\n{}", worker.said());
    }
    let log = broker.log();
    assert!(!log.contains("timed out waiting for") && log.contains("accepting AMQP connection"), "{log}");
    assert_eq!(number(&queue(&case, &broker, ".dead").await, "messages"), 0);
    fleet.ends(&case).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brokers_alarm_holds_the_producer_by_name_while_the_workers_go_on() {
    let broker = Server::start("rabbitmq", &[]).await;
    let case = case_on(&broker, "workers = 4\n[produce]\nrate = 100\nchunk = 20").await;
    let fleet = Fleet::start(&case, 2);
    case.until_stored(20).await;
    broker.ctl(&["set_vm_memory_high_watermark", "0"]).await;
    let alarm = wait_for("the alarm", async || {
        let explained = explain(&case).await;
        explained["holds"].as_array().unwrap().iter().find(|hold| hold["name"] == "queue-alarm").cloned()
    })
    .await;
    assert_eq!(alarm["side"], "produce", "{alarm}");
    assert!(alarm["value"].as_str().unwrap().contains("memory"), "{alarm}");
    wait_for("the workers to empty the queue", async || {
        let queue = queue(&case, &broker, "").await;
        (queue["messages"] == 0).then_some(())
    })
    .await;
    let status = case.status().await;
    assert!(status["produced_at"].is_null(), "everything was read before the alarm");
    assert!(status["flow"].as_str().unwrap().contains("produce held by brake queue-alarm"), "{status:#}");
    broker.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    wait_for("the alarm to end", async || {
        explain(&case).await["holds"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    said(&case, &["tune", "produce.rate=none", "--force"]).await;
    fleet.ends(&case).await;
    case.end().await;
}
