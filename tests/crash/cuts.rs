//! Connections are reset, or carry nothing for a while: everything goes on by itself.

use std::time::Duration;

use haulier_testkit::proxy::{Mode, Proxy};

use super::scene::{self, Fleet, REPEATS_A_KILL};
use crate::support::services::address;
use crate::support::{Engine, LedgerKind, QueueKind, Setting};

/// How long nothing gets through.
const HOLE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_be_cut_off() {
    // Claims are what they were: nothing is sent twice.
    cut("HAULIER_TEST_AMQP_URL", scene::setting(QueueKind::Rabbit, LedgerKind::Sqlite), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_may_be_cut_off() {
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    cut("HAULIER_TEST_POSTGRES_URL", Setting { source: Engine::Postgres, ..setting }, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_may_be_cut_off() {
    // Both workers may have dropped what they held, twice.
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Postgres);
    cut("HAULIER_TEST_POSTGRES_URL", setting, 4 * REPEATS_A_KILL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_may_be_cut_off() {
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    // A request that waits in the hole acts when it opens: within the grace, as the site says.
    let push = setting.push.replace("zombie_grace = \"1s\"", "zombie_grace = \"4s\"");
    let setting = Setting { push, target: "timeout = \"2s\"".to_owned(), ..setting };
    // What was in flight, twice, in both workers.
    cut("", setting, 4 * 4).await;
}

/// Cuts what stands between haulier and the server of this address, or the target.
async fn cut(server: &str, setting: Setting, most_repeats: usize) {
    let (case, rows) = scene::larger(setting).await;
    let at = if server.is_empty() {
        case.sandbox.address().to_string()
    } else {
        let url = address(server);
        url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned()
    };
    let proxy = Proxy::start(at.clone()).await.unwrap();
    case.edit("site.toml", &at, &proxy.at().to_string());
    let fleet = Fleet::start(&case, 2, None);
    scene::requests(&case, rows / 6).await;
    proxy.cut().await;
    scene::requests(&case, rows / 3).await;
    proxy.set(Mode::BlackHole);
    // Nothing gets through meanwhile; it ends early only if everything was through before.
    drop(tokio::time::timeout(HOLE, scene::requests(&case, rows)).await);
    proxy.set(Mode::Forward);
    let said = fleet.ends().await;
    scene::assert_once(&case, most_repeats, &said).await;
    case.end().await;
}
