//! Measures a keyset walk: rows a second, and this process's processor time a row.
//!
//! `cargo run --release -p haulier-source --example walk_speed -- URL TABLE KEY COLUMN,COLUMN,... [CHUNK]`

#![expect(clippy::print_stdout, reason = "it reports to a person")]

use std::time::Instant;

use haulier_core::SourceKey;
use haulier_core::plan::Entity;
use haulier_core::port::{KeyRange, Source};
use haulier_source::Options;
use haulier_testkit::contract::source::entity;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [url, table, key, columns, rest @ ..] = args.as_slice() else {
        return Err("URL TABLE KEY COLUMN,COLUMN,... [CHUNK]".into());
    };
    let chunk: u32 = rest.first().map_or(Ok(5000), |text| text.parse())?;
    let columns: Vec<&str> = columns.split(',').collect();
    let source = haulier_source::open(Options::from_url(url, None)?).await?;
    let entity = entity(table, &[key], &columns);
    source.check(&entity).await?;
    let (begin, busy) = (Instant::now(), processor_seconds()?);
    let rows = walk(source.as_ref(), &entity, chunk).await?;
    let (wall, busy) = (begin.elapsed().as_secs_f64(), processor_seconds()? - busy);
    let rows_f = f64::from(u32::try_from(rows)?);
    println!(
        "walk {table}: {rows} rows in {wall:.2} s, {:.0} rows/s, {:.2} us processor a row",
        rows_f / wall,
        busy * 1e6 / rows_f
    );
    Ok(())
}

async fn walk(source: &dyn Source, entity: &Entity, chunk: u32) -> Result<usize, Failure> {
    let all = KeyRange::default();
    let (mut rows, mut after): (usize, Option<SourceKey>) = (0, None);
    loop {
        let read = source.chunk(entity, &all, after.as_ref(), chunk).await?;
        let Some(last) = read.last() else { return Ok(rows) };
        rows += read.len();
        after = Some(last.key.clone());
    }
}

/// What this process has used of the processors, user and system, as Linux counts it in hundredths of a second.
fn processor_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    Ok(ticks.map(|text| text.parse::<f64>().unwrap_or(0.0)).sum::<f64>() / 100.0)
}
