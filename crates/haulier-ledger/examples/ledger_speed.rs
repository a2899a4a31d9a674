//! Measures what a record costs: admitted, claimed and landed in batches of 100, and seen unchanged in the next run.
//!
//! `cargo run --release -p haulier-ledger --example ledger_speed -- sqlite FILE [RECORDS]`, or
//! `... -- postgres HOST PORT USER DATABASE [RECORDS]`. Prints wall and processor time a record, for each call.

#![expect(clippy::print_stdout, reason = "it reports to a person")]

use std::sync::Arc;
use std::time::Instant;

use haulier_core::port::{
    Admission, Admit, Claim, Ledger, RunRequest, Settled, Settlement, Sighting, SightingIntent, Wanted,
};
use haulier_core::{Digest, EntityName, Origin, ProcessId, RunId, SourceKey, TargetId};
use haulier_ledger::postgres::{self, PostgresOptions};
use haulier_ledger::sqlite::{self, SqliteOptions};

const BATCH: usize = 100;
const AT_ONCE: usize = 4;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (ledger, rest): (Arc<dyn Ledger>, _) = match args.as_slice() {
        ["sqlite", file, rest @ ..] => (sqlite::open(file.as_ref(), SqliteOptions::default()).await?, rest),
        ["postgres", host, port, user, database, rest @ ..] => {
            let options =
                PostgresOptions { port: port.parse()?, ..PostgresOptions::new(*host, *user, *database) };
            (postgres::open(&options).await?, rest)
        }
        _ => return Err("sqlite FILE [RECORDS] | postgres HOST PORT USER DATABASE [RECORDS]".into()),
    };
    let records = rest.first().map_or(Ok(200_000), |text| text.parse())?;
    for (name, natural, random_ids) in
        [("plain", false, false), ("natural keys", true, false), ("natural keys, random ids", true, true)]
    {
        measure(&ledger, name, records, natural, random_ids).await?;
    }
    Ok(())
}

async fn measure(
    ledger: &Arc<dyn Ledger>,
    name: &str,
    records: usize,
    natural: bool,
    random_ids: bool,
) -> Result<(), Failure> {
    let entity = EntityName::new(&name.replace([' ', ','], "-"))?;
    println!("{name}: {records} records");
    let run = open_run(ledger, &format!("{name}-1")).await?;
    let mut desk = Desk { ledger: Arc::clone(ledger), run, entity, natural, random_ids };
    let mut sum = 0.0;
    for call in [Call::Admit, Call::Claim, Call::Settle, Call::SeeAgain] {
        if call == Call::SeeAgain {
            println!("  together: {sum:.2} us processor a record");
            desk.run = open_run(ledger, &format!("{name}-2")).await?;
        }
        let (wall, busy) = (Instant::now(), processor_micros()?);
        let mut tasks = tokio::task::JoinSet::new();
        for part in 0..AT_ONCE {
            let desk = desk.clone();
            tasks.spawn(async move {
                let batches = (0..records / BATCH).filter(|batch| batch % AT_ONCE == part);
                for batch in batches {
                    desk.call(call, batch).await?;
                }
                Ok::<(), Failure>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let each = |micros: f64| micros / f64::from(u32::try_from(records).unwrap_or(u32::MAX));
        let wall = each(wall.elapsed().as_secs_f64() * 1e6);
        let busy = each(processor_micros()? - busy);
        sum += busy;
        println!("  {call:?}: {wall:.2} us wall, {busy:.2} us processor a record");
    }
    Ok(())
}

async fn open_run(ledger: &Arc<dyn Ledger>, name: &str) -> Result<RunId, Failure> {
    if let Some(last) = ledger.latest_run().await? {
        ledger.finish_run(&last.id, 1).await?;
    }
    let id = RunId::new(format!("{}-{name}", std::process::id()));
    let request = RunRequest { id: &id, plan: "speed", digest: "d", accept_plan: false, now: 1 };
    Ok(ledger.open_run(request).await?.id)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Admit,
    Claim,
    Settle,
    SeeAgain,
}

#[derive(Clone)]
struct Desk {
    ledger: Arc<dyn Ledger>,
    run: RunId,
    entity: EntityName,
    natural: bool,
    random_ids: bool,
}

impl Desk {
    async fn call(&self, call: Call, batch: usize) -> Result<(), Failure> {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let me = ProcessId::new("speed");
        let good = match call {
            Call::Admit | Call::SeeAgain => {
                let wanted = if call == Call::Admit { Admission::Publish } else { Admission::Unchanged };
                let sightings: Vec<Sighting> = numbers.map(|number| self.sighting(number)).collect();
                let admit = Admit {
                    run: &self.run,
                    entity: &self.entity,
                    sightings: &sightings,
                    again: false,
                    now: 2,
                };
                self.ledger.admit(admit).await?.iter().all(|admission| *admission == wanted)
            }
            Call::Claim => {
                let wanted: Vec<Wanted> = numbers
                    .map(|number| Wanted { key: key(number), generation: 0, hash: digest(number, 1) })
                    .collect();
                let claims = self.ledger.claim(&self.run, &self.entity, &me, &wanted).await?;
                claims.iter().all(|claim| matches!(claim, Claim::Send { .. }))
            }
            Call::Settle => {
                let settled: Vec<Settled> = numbers.map(|number| self.settled(number)).collect();
                self.ledger.settle(&self.run, &self.entity, &me, &settled).await?.iter().all(|kept| *kept)
            }
        };
        if good { Ok(()) } else { Err("the ledger was not fresh".into()) }
    }

    fn sighting(&self, number: usize) -> Sighting {
        Sighting {
            key: key(number),
            tenant: None,
            generation: 0,
            hash: digest(number, 1),
            natural: self.natural.then(|| digest(number, 2)),
            path_key: None,
            intent: SightingIntent::Send,
        }
    }

    fn settled(&self, number: usize) -> Settled {
        let id = if self.random_ids {
            TargetId::new(digest(number, 3).to_hex())
        } else {
            TargetId::new((number + 500_000).to_string())
        };
        let how = Settlement::Landed { id, origin: Origin::Created, hash: digest(number, 1), generation: 0 };
        Settled { key: key(number), attempt: 1, how, now: 3 }
    }
}

fn key(number: usize) -> SourceKey {
    SourceKey::from_canonical(&(number + 1_000_000).to_string())
}

/// Looks random, as digests do.
fn digest(number: usize, salt: u64) -> Digest {
    let mut bytes = [0; 16];
    let mut state = (number as u64).wrapping_mul(4).wrapping_add(salt);
    for half in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        half.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    Digest(bytes)
}

/// What this process has used of the processors, user and system, as Linux counts it.
fn processor_micros() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<&str> = after_name.split_whitespace().skip(11).take(2).collect();
    let ticks: f64 = ticks.iter().map(|text| text.parse::<f64>().unwrap_or(0.0)).sum();
    Ok(ticks * 10_000.0)
}
