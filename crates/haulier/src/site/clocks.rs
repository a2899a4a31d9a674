//! How far the clocks of servers are off, by ours.

use std::time::Duration;

use haulier_core::port::{Clock, Micros};
use haulier_core::skew;
use haulier_plan::Site;
use haulier_plan::site::{Database, SourceSite};
use haulier_source::Gauge;

use super::wire;
use crate::clock::SystemClock;

/// What one answer may take.
const ANSWER: Duration = Duration::from_secs(10);
const POSTGRES: &str = "select extract(epoch from clock_timestamp())::float8";
const MYSQL: &str = "select unix_timestamp(sysdate(6))";

/// A server, and by how much its clock is off at least; nothing where it tells no time.
pub(crate) type Off = (&'static str, Result<Option<Micros>, String>);

/// Asks every server that knows the time: source, ledger and target. Files go by our clock.
pub(super) async fn read(site: &Site) -> Vec<Off> {
    let ledger =
        SourceSite { database: site.ledger.database.clone(), connections: 1, statement_timeout: ANSWER };
    let mut found = Vec::new();
    for (name, database) in [("source", &site.source), ("ledger", &ledger)] {
        if let Some(off) = server(site, database).await {
            found.push((name, off.map(Some)));
        }
    }
    found.push(("target", target(site).await));
    found
}

async fn server(site: &Site, at: &SourceSite) -> Option<Result<Micros, String>> {
    let sql = match &at.database {
        Database::Postgres(_) => POSTGRES,
        Database::MySql(_) => MYSQL,
        Database::Sqlite(_) => return None,
    };
    let asking = async {
        let options = wire::database(site, at).map_err(|error| error.told())?;
        let options = haulier_source::Options { statement_timeout: ANSWER, ..options };
        let probes = haulier_source::probes(&options, vec![Gauge::Query(sql.to_owned())]);
        let probe = probes.into_iter().next().ok_or("there is no gauge for a query")?;
        // The first reading connects; the second is as quick as the server.
        probe.read().await.map_err(|error| format!("the question {error}"))?;
        let asked = SystemClock.micros();
        let told = probe.read().await.map_err(|error| format!("the question {error}"))?;
        let told = Duration::try_from_secs_f64(told).map_err(|error| error.to_string())?;
        let told = Micros::try_from(told.as_micros()).map_err(|error| error.to_string())?;
        Ok(skew(asked, SystemClock.micros(), told, 1))
    };
    Some(asking.await)
}

async fn target(site: &Site) -> Result<Option<Micros>, String> {
    let options = wire::target_options(site).map_err(|error| error.told())?;
    let asked = SystemClock.micros();
    let told = haulier_target::date(&options).await.map_err(|error| format!("the question {error}"))?;
    let answered = SystemClock.micros();
    Ok(told.map(|told| skew(asked, answered, told.as_microsecond(), 1_000_000)))
}
