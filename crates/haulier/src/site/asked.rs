//! What a plan's own checks and hooks ask of the world.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::calendar::Calendar;
use haulier_core::plan::CheckSide;
use haulier_core::port::{Clock, Probe};
use haulier_core::{SourceKey, TenantKey};
use haulier_plan::site::Database;
use haulier_source::Gauge;

use super::{Neighbours, wire};
use crate::error::CliError;
use crate::exit::Exit;

/// How long the question for rights may take.
const RIGHTS: Duration = Duration::from_secs(10);
const RIGHTS_POSTGRES: &str = "select (select count(*) from information_schema.role_table_grants \
    where privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') and table_schema not in ('pg_catalog', 'information_schema')) \
    + (select count(*) from pg_roles where rolname = current_user and rolsuper)";
const RIGHTS_MYSQL: &str = "select (select count(*) from information_schema.user_privileges where privilege_type in ('INSERT', 'UPDATE', 'DELETE')) \
    + (select count(*) from information_schema.schema_privileges where privilege_type in ('INSERT', 'UPDATE', 'DELETE')) \
    + (select count(*) from information_schema.table_privileges where privilege_type in ('INSERT', 'UPDATE', 'DELETE'))";

/// Keys read at once.
const PAGE: u32 = 10_000;

impl Neighbours {
    /// A query of one number, on either database.
    pub(crate) fn number(
        &self,
        on: CheckSide,
        sql: &str,
        within: Duration,
    ) -> Result<Arc<dyn Probe>, CliError> {
        let options = match (on, &self.site.target.sql) {
            (CheckSide::Source, _) => wire::source(&self.site)?,
            (CheckSide::Target, Some(sql)) => wire::database(&self.site, sql)?,
            (CheckSide::Target, None) => {
                return Err(CliError::new(
                    Exit::Plan,
                    "a check asks the target's database, and the site names none",
                )
                .hint("`[target.sql]` in the site file"));
            }
        };
        let options = haulier_source::Options { statement_timeout: within, ..options };
        let probes = haulier_source::probes(&options, vec![Gauge::Query(sql.to_owned())]);
        probes.into_iter().next().ok_or_else(|| CliError::new(Exit::Bug, "no gauge for a query"))
    }

    /// How many rights to write the source's user has, where the engine knows users.
    pub(crate) async fn rights_to_write(&self) -> Result<Option<f64>, String> {
        let sql = match &self.site.source.database {
            Database::Postgres(_) => RIGHTS_POSTGRES,
            Database::MySql(_) => RIGHTS_MYSQL,
            Database::Sqlite(_) => return Ok(None),
        };
        let probe = self.number(CheckSide::Source, sql, RIGHTS).map_err(|error| error.told())?;
        probe.read().await.map(Some).map_err(|error| format!("the question {error}"))
    }

    /// Every tenant of the source, and what people changed of the calendar.
    pub(crate) async fn calendar(&self) -> Result<Calendar, CliError> {
        let (calendar, _) = self.plan.calendar.amended(&self.ledger.amendments().await?);
        let Some(root) = self.plan.entity(&self.plan.tenant) else { return Ok(calendar) };
        let source = self.source().await?;
        let range = haulier_core::port::KeyRange::default();
        let (mut keys, mut after): (Vec<TenantKey>, Option<SourceKey>) = (Vec::new(), None);
        loop {
            let rows = source.chunk(root, &range, after.as_ref(), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            keys.extend(rows.iter().map(|row| TenantKey::new(row.key.as_str())));
        }
        Ok(calendar.with_tenants(keys))
    }

    /// Writes the marked record that the plan's preflight asks for, and removes it; `None` where it asks for none.
    pub(crate) async fn write_probe(&self) -> Option<Result<String, String>> {
        let probe = self.plan.stages.write_probe.as_ref()?;
        match wire::target_options(&self.site) {
            Ok(options) => Some(haulier_target::write_probe(&options, probe).await),
            Err(error) => Some(Err(error.told())),
        }
    }

    /// Whether the site is one to rehearse on.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.site.rehearsal
    }

    /// How a drill kills its neighbours.
    pub(crate) fn drill(&self) -> &haulier_plan::site::DrillSite {
        &self.site.drill
    }

    /// Now, in microseconds.
    pub(crate) fn micros(&self) -> i64 {
        crate::clock::SystemClock.micros()
    }
}

/// An address that is asked or told something.
pub(crate) fn address(url: &str, within: Duration) -> haulier_target::Options {
    let mut options = haulier_target::Options::new(url.to_owned());
    (options.timeout, options.connect_timeout) = (within, within);
    options
}
