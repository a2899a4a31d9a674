//! A server of our own is killed in the middle and comes back: everything goes on by itself.

use super::scene::{self, Fleet, REPEATS_A_KILL};
use crate::support::server::{Server, place};
use crate::support::services::address;
use crate::support::{LedgerKind, QueueKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_while_it_is_published_to_loses_nothing() {
    let broker = Server::start("rabbitmq", &[]).await;
    let setting = scene::setting(QueueKind::Rabbit, LedgerKind::Sqlite);
    // Slowly, so that there is something to publish all the time.
    let push = setting.push.replace("[produce]", "[produce]\nrate = 60");
    let (case, rows) = scene::larger(crate::support::Setting { push, ..setting }).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_URL")), &broker.at(0));
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_API_URL")), &broker.at(5));
    let fleet = Fleet::start(&case, 2, None);
    scene::requests(&case, rows / 4).await;
    assert!(case.status().await["produced_at"].is_null(), "everything was published already");
    broker.kill_and_restart().await;
    let said = fleet.ends().await;
    assert!(said.contains("publishing is interrupted"), "the broker's end went unnoticed:\n{said}");
    assert!(!said.contains("never came out of it"), "the broker lost what it had confirmed:\n{said}");
    // Its claims stay a worker's own without the broker.
    scene::assert_once(&case, 0, &said).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_killed_comes_back_with_all_that_it_said() {
    let server = Server::start("postgres", &[]).await;
    let (case, rows) = scene::larger(scene::setting(QueueKind::Embedded, LedgerKind::Postgres)).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_POSTGRES_URL")), &server.at(11));
    let fleet = Fleet::start(&case, 2, None);
    scene::requests(&case, rows / 3).await;
    server.kill_and_restart().await;
    let said = fleet.ends().await;
    // Both workers may have dropped what they held.
    scene::assert_once(&case, 2 * REPEATS_A_KILL, &said).await;
    case.end().await;
}
