//! The producer's lease.

use haulier_core::port::{LedgerError, Micros, ProducerLease};
use haulier_core::{ProcessId, RunId};

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::store::count;

#[derive(Debug)]
pub(crate) struct HoldLease {
    pub(crate) run: i64,
    pub(crate) run_id: RunId,
    pub(crate) process: ProcessId,
    pub(crate) now: Micros,
    pub(crate) until: Micros,
}

impl Work for HoldLease {
    type Out = ProducerLease;
    const DOING: &'static str = "taking the producer's lease";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<ProducerLease, Fault> {
        // One statement decides: who comes second sees what the first made of the row.
        let take = "UPDATE run SET lease_until = $4, lease_holder = $2, lease_epoch = lease_epoch + \
                    CASE WHEN lease_holder IS NOT NULL AND lease_holder = $2 THEN 0 ELSE 1 END \
                    WHERE id = $1 AND (lease_holder IS NULL OR lease_holder = $2 OR lease_until <= $3)";
        let args =
            Args::of([self.run.into(), self.process.as_str().into(), self.now.into(), self.until.into()]);
        let taken = conn.run(take, args).await? == count(1);
        let read = "SELECT r.lease_epoch, r.lease_holder, p.host, p.pid FROM run r \
                    LEFT JOIN process p ON p.name = r.lease_holder WHERE r.id = $1";
        let rows = conn.rows(read, Args::of([self.run.into()])).await?;
        let row = rows.first().ok_or_else(|| Fault::corrupt("a run is gone"))?;
        if taken {
            let epoch = u64::try_from(row.number(0)?).map_err(|_| Fault::corrupt("an epoch is negative"))?;
            return Ok(ProducerLease { epoch });
        }
        Err(LedgerError::LeaseHeld {
            run: self.run_id.clone(),
            holder: ProcessId::new(row.text(1)?.unwrap_or_default()),
            host: row.text(2)?.unwrap_or_default(),
            pid: row.int(3)?.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0),
        }
        .into())
    }
}

#[derive(Debug)]
pub(crate) struct ReleaseLease {
    pub(crate) run: i64,
    pub(crate) process: ProcessId,
}

impl Work for ReleaseLease {
    type Out = ();
    const DOING: &'static str = "giving the producer's lease back";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = "UPDATE run SET lease_holder = NULL, lease_until = 0 WHERE id = $1 AND lease_holder = $2";
        conn.run(sql, Args::of([self.run.into(), self.process.as_str().into()])).await.map(drop)
    }
}
