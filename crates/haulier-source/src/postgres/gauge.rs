//! How PostgreSQL is asked for its lag, its load and our oldest transaction.

use crate::gauge::{Gauge, Reading};

/// On a replica: how old the last replayed transaction is, or nothing when everything received is replayed. On a primary: the
/// slowest replica's replay lag, which is NULL while a replica is idle and up to date. Without the right to see them, NULL.
const LAG: &str = "select case when pg_catalog.pg_is_in_recovery() then \
    case when pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() then 0 \
      else extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())::float8 end \
  when exists (select 1 from pg_catalog.pg_stat_replication where state is null) then null \
  else coalesce((select max(extract(epoch from replay_lag))::float8 from pg_catalog.pg_stat_replication), 0) end as lag";

/// Without the right to see other users' backends their state is NULL, and so is the answer: a count of what is seen
/// would be too low.
const LOAD: &str = "select case when count(*) filter (where state is null and backend_type is null and usesysid is not null) > 0 \
    then null else count(*) filter (where state = 'active' and backend_type = 'client backend') end as load \
  from pg_catalog.pg_stat_activity where pid <> pg_catalog.pg_backend_pid()";

const OLDEST: &str = "select coalesce(max(extract(epoch from pg_catalog.clock_timestamp() - xact_start)), 0)::float8 as age \
  from pg_catalog.pg_stat_activity where usename = current_user and datname = pg_catalog.current_database() \
  and application_name = pg_catalog.current_setting('application_name') and pid <> pg_catalog.pg_backend_pid()";

pub(super) fn reading(gauge: &Gauge) -> Reading {
    match gauge {
        Gauge::Lag => Reading::Query(LAG),
        Gauge::Load => Reading::Query(LOAD),
        Gauge::OldestTransaction => Reading::Query(OLDEST),
        Gauge::Query(_) => Reading::Missing("it is the operator's own query"),
    }
}
