//! `kill -9` at random moments.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::scene::{self, Fleet, REPEATS_A_KILL, Who};
use crate::support::{LedgerKind, QueueKind};

/// Kills in one run.
const KILLS: u64 = 10;
/// Worker processes.
const WORKERS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_with_the_embedded_queue_and_a_sqlite_ledger_lose_and_double_nothing() {
    kills(QueueKind::Embedded, LedgerKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_with_rabbitmq_and_a_postgres_ledger_lose_and_double_nothing() {
    kills(QueueKind::Rabbit, LedgerKind::Postgres).await;
}

async fn kills(queue: QueueKind, ledger: LedgerKind) {
    let seed = std::env::var("HAULIER_TEST_SEED")
        .map_or_else(|_| RandomState::new().build_hasher().finish(), |seed| seed.parse().unwrap());
    eprintln!("HAULIER_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let (case, rows) = scene::larger(scene::setting(queue, ledger)).await;
    let mut fleet = Fleet::start(&case, usize::try_from(WORKERS).unwrap(), None);
    // One in each stretch of the run, so that the last one comes before the end.
    let stretch = rows / (KILLS + 1);
    for kill in 0..KILLS {
        let at = kill * stretch + 1 + dice.roll(stretch);
        let who = match dice.roll(WORKERS + 1) {
            WORKERS => Who::Producer,
            worker => Who::Worker(usize::try_from(worker).unwrap()),
        };
        scene::requests(&case, at).await;
        eprintln!("kill {who:?} after {at} requests");
        fleet.kill_and_restart(who).await;
    }
    let said = fleet.ends().await;
    scene::assert_once(&case, usize::try_from(KILLS).unwrap() * REPEATS_A_KILL, &said).await;
    case.end().await;
}

/// The same numbers for the same seed: splitmix64.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
