//! Measures the queue on RabbitMQ: publishing with confirms, then taking and acknowledging.
//!
//! `cargo run --release -p haulier-queue --example queue_speed -- HOST PORT USER PASSWORD [RECORDS]`. Uses the queue
//! `haulier-speed`, which must be new or empty, in the virtual host `/`.

#![expect(clippy::print_stdout, reason = "it reports to a person")]

use std::time::{Duration, Instant};

use haulier_core::port::Settle;
use haulier_core::{Digest, EntityName, Parcel, Record, RunId, SourceKey};
use haulier_queue::amqp::{self, Options, Password, Role};

/// Records in a parcel, and parcels in one call, as a producer's chunk of 5,000 makes them.
const PARCEL: usize = 100;
const CALL: usize = 50;
const PREFETCH: u16 = 64;
const DEADLINE: Duration = Duration::from_mins(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, rest @ ..] = args.as_slice() else {
        return Err("HOST PORT USER PASSWORD [RECORDS]".into());
    };
    let records: usize = rest.first().map_or(Ok(200_000), |text| text.parse())?;
    let options = Options {
        host: host.clone(),
        port: port.parse()?,
        user: user.clone(),
        password: Password(password.clone()),
        ..Options::new("haulier-speed", Role::Both)
    };
    let queue = amqp::open(options).await?;
    let parcels = records / PARCEL;
    let begin = Instant::now();
    for call in 0..parcels.div_ceil(CALL) {
        let made: Result<Vec<Parcel>, Failure> =
            (call * CALL..parcels.min((call + 1) * CALL)).map(parcel).collect();
        queue.publish(&made?).await?;
    }
    report("published and confirmed", parcels, begin);
    let begin = Instant::now();
    let consumer = queue.consumer(PREFETCH).await?;
    let mut taken = 0;
    while taken < parcels * PARCEL {
        let delivery = tokio::time::timeout(DEADLINE, consumer.next()).await??;
        taken += delivery.parcel.records.len();
        consumer.settle(delivery.receipt, Settle::Done).await?;
    }
    report("taken and acknowledged", parcels, begin);
    Ok(())
}

fn report(what: &str, parcels: usize, begin: Instant) {
    let (wall, parcels) =
        (begin.elapsed().as_secs_f64(), f64::from(u32::try_from(parcels).unwrap_or(u32::MAX)));
    let records = parcels * f64::from(u32::try_from(PARCEL).unwrap_or(u32::MAX));
    println!("{what}: {:.0} records/s, {:.0} parcels of {PARCEL} a second", records / wall, parcels / wall);
}

fn parcel(number: usize) -> Result<Parcel, Failure> {
    let record = |index: usize| {
        let key = number * PARCEL + index;
        Record {
            key: SourceKey::from_canonical(&key.to_string()),
            tenant: None,
            generation: 0,
            hash: Digest([7; 16]),
            body: format!(
                r#"{{"email":"user{key}@example.org","name":"Ada Lovelace","plan":"free","balance":"4336.28"}}"#
            ),
            vars: vec![key.to_string()],
            refs: Vec::new(),
        }
    };
    let entity = EntityName::new("account")?;
    let records = (0..PARCEL).map(record).collect();
    Ok(Parcel { run: RunId::new("speed"), entity, epoch: 1, records })
}
