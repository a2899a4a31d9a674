//! How MySQL and MariaDB are asked for their lag, their load and our oldest transaction.

use crate::gauge::{Gauge, Reading};

/// The newer form first; older servers know only the second.
const LAG: &[&str] = &["show replica status", "show slave status"];
const LAG_COLUMNS: &[&str] = &["Seconds_Behind_Source", "Seconds_Behind_Master"];

const LOAD: &[&str] = &["show global status like 'Threads_running'"];

/// Ours are those of this user in this database.
const OLDEST: &str = "select coalesce(max(timestampdiff(second, t.trx_started, now())), 0) as age \
  from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id \
  where p.user = substring_index(current_user(), '@', 1) and p.db = database() and p.id <> connection_id()";

pub(super) fn reading(gauge: &Gauge) -> Reading {
    match gauge {
        Gauge::Lag => Reading::Shown(LAG, LAG_COLUMNS),
        Gauge::Load => Reading::Shown(LOAD, &["Value"]),
        Gauge::OldestTransaction => Reading::Query(OLDEST),
        Gauge::Query(_) => Reading::Missing("it is the operator's own query"),
    }
}
