//! Each connection is broken in each phase that uses it: by a reset, an end, half an answer, and silence.

use std::time::Duration;

use haulier_testkit::proxy::{Break, Mode, Proxy};
use tokio::task::JoinSet;

use super::scene::{self, Fleet, REPEATS_A_KILL};
use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::server::place;
use crate::support::services::address;
use crate::support::{Case, Engine, LedgerKind, QueueKind, Setting};

/// Whose connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    Source,
    Broker,
    Ledger,
    Target,
}

/// What goes on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Rows are read, admitted and published; nobody takes them.
    Filling,
    /// Everything is in the queue; messages are taken, records sent and settled.
    Draining,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_may_break_while_it_is_walked() {
    all(Party::Source, Phase::Filling).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_may_break_while_rows_are_admitted() {
    all(Party::Ledger, Phase::Filling).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_break_while_it_is_published_to() {
    all(Party::Broker, Phase::Filling).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_break_while_it_is_consumed() {
    all(Party::Broker, Phase::Draining).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_may_break_while_it_is_written() {
    all(Party::Target, Phase::Draining).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_may_break_while_outcomes_are_settled() {
    all(Party::Ledger, Phase::Draining).await;
}

async fn all(party: Party, phase: Phase) {
    let mut cells = JoinSet::new();
    for what in [Break::Reset, Break::End, Break::Half, Break::Silence] {
        cells.spawn(async move {
            eprintln!("{party:?}, {phase:?}: {what:?}");
            one(party, phase, what).await;
        });
    }
    while let Some(ended) = cells.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn one(party: Party, phase: Phase, what: Break) {
    let setting = scene::setting(QueueKind::Rabbit, LedgerKind::Postgres);
    let faults = hq_sandbox::Faults { latency_ms: 30, ..setting.faults };
    // A request that waits in the silence acts when it is over: within the grace, as the site says.
    let push = setting.push.replace("zombie_grace = \"1s\"", "zombie_grace = \"4s\"");
    let push = push.replace("[produce]", "[produce]\nrate = 120").replace("chunk = 40", "chunk = 20");
    let target = "timeout = \"2s\"".to_owned();
    let case = scene::small(Setting { source: Engine::Postgres, faults, push, target, ..setting }).await;
    // A stranded statement is given up ten seconds after the server should have.
    case.edit("site.toml", "[source]", "[source]\nstatement_timeout = \"1s\"");
    let proxy = before(&case, party).await;
    let mut fleet = Fleet::start(&case, 0, None);
    // `status` asks the ledger, too: nobody does while a break waits.
    until(&case, "rows in the queue", |status| number(&status["all"], "queued") > 20).await;
    if phase == Phase::Filling {
        breaks(&proxy, party, what).await;
    }
    until(&case, "the end of the source", |status| !status["produced_at"].is_null()).await;
    fleet.start_worker();
    fleet.start_worker();
    scene::requests(&case, 20).await;
    if phase == Phase::Draining {
        breaks(&proxy, party, what).await;
    }
    let said = fleet.ends().await;
    scene::assert_once(&case, 2 * REPEATS_A_KILL, &said).await;
    case.end().await;
}

/// Puts a proxy before a party.
async fn before(case: &Case, party: Party) -> Proxy {
    let (at, key) = match party {
        Party::Source => (place(&address("HAULIER_TEST_POSTGRES_URL")), "[source]"),
        Party::Broker => (place(&address("HAULIER_TEST_AMQP_URL")), "[queue]"),
        Party::Ledger => (place(&address("HAULIER_TEST_POSTGRES_URL")), "[ledger]"),
        Party::Target => (case.sandbox.address().to_string(), "[target]"),
    };
    let proxy = Proxy::start(at.clone()).await.unwrap();
    let site = std::fs::read_to_string(case.path("site.toml")).unwrap();
    let (start, rest) = site.split_once(key).unwrap();
    std::fs::write(
        case.path("site.toml"),
        format!("{start}{key}{}", rest.replacen(&at, &proxy.at().to_string(), 1)),
    )
    .unwrap();
    proxy
}

/// Breaks a connection at the server's next words, and gives way again where silence has no end by itself.
async fn breaks(proxy: &Proxy, party: Party, what: Break) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        if what == Break::Silence && matches!(party, Party::Ledger | Party::Target) {
            // Both wait long for an answer that may still come: this one comes, late.
            proxy.set(Mode::BlackHole);
            drop(tokio::time::timeout(Duration::from_secs(3), std::future::pending::<()>()).await);
            proxy.set(Mode::Forward);
        } else {
            proxy.break_next(what).await;
        }
    });
    waited.await.expect("nothing went over the connection that should break");
}

async fn until(case: &Case, what: &str, fits: impl Fn(&serde_json::Value) -> bool) {
    wait_for(what, async || {
        let status = case.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && fits(&status.json())).then_some(())
    })
    .await;
}
