//! What the sweeper and people change.

use std::collections::BTreeMap;

use haulier_core::port::{Due, Micros};
use haulier_core::{RecordState, SourceKey};

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::record::state_code;
use crate::sheet::{self, Deltas, Sheet};
use crate::{law, store};

/// Due records that are published again; their entities are numbers.
#[derive(Debug)]
pub(crate) struct Republish {
    pub(crate) run: i64,
    pub(crate) records: BTreeMap<i64, Vec<Due>>,
}

impl Work for Republish {
    type Out = ();
    const DOING: &'static str = "noting what was published again";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        for (entity, due) in &self.records {
            let mut sheet =
                Sheet::of(store::load(conn, *entity, due.iter().map(|due| &due.record.key)).await?);
            for due in due {
                if let Some(mut record) = sheet.get(*entity, &due.record.key).cloned()
                    && law::republish(&mut record, self.run, due)?
                {
                    sheet.put(record);
                }
            }
            store::save(conn, &sheet).await?;
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Reap {
    pub(crate) run: i64,
    pub(crate) silent_since: Micros,
    pub(crate) due: Micros,
}

impl Work for Reap {
    type Out = u64;
    const DOING: &'static str = "taking claims from silent processes";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        // The counts say who holds claims; without any there is no need to look through the records.
        let silent = "SELECT t.owner FROM tally t JOIN process p ON p.id = t.owner \
                      WHERE t.run = $1 AND t.state = 1 AND (p.beat_at < $2 OR p.ended = 1) GROUP BY t.owner HAVING SUM(t.n) > 0";
        let owners = conn.rows(silent, Args::of([self.run.into(), self.silent_since.into()])).await?;
        if owners.is_empty() {
            return Ok(0);
        }
        let owners = owners.iter().map(|row| row.number(0)).collect::<Result<Vec<_>, _>>()?;
        let args = Args::of([self.run.into()]).ints(owners.into_iter().map(Some));
        let rows = conn.rows(C::SQL.claimed_by, args).await?;
        let mut sheet = Sheet::of(rows.iter().map(store::record).collect::<Result<Vec<_>, _>>()?);
        let records: Vec<_> = sheet.records().cloned().collect();
        let lost = store::count(records.len());
        for mut record in records {
            law::lose_owner(&mut record, self.due)?;
            sheet.put(record);
        }
        store::save(conn, &sheet).await?;
        Ok(lost)
    }
}

/// Queued records become due. No event leads from `Queued` to `Retry`; it stands for a claim that failed at once, since
/// that is what became of the message.
#[derive(Debug)]
pub(crate) struct Rescue {
    pub(crate) run: i64,
    pub(crate) now: Micros,
}

impl Work for Rescue {
    type Out = u64;
    const DOING: &'static str = "rescuing queued records";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        let (queued, retry) = (state_code(RecordState::Queued), state_code(RecordState::Retry));
        let entities =
            "SELECT entity FROM tally WHERE run = $1 AND state = 0 GROUP BY entity ORDER BY entity";
        let mut deltas = Deltas::new();
        let mut rescued = 0;
        for row in conn.rows(entities, Args::of([self.run.into()])).await? {
            let entity = row.number(0)?;
            let sql = "UPDATE record SET state = 2, due = $3, since = $3 \
                       WHERE entity = $1 AND run = $2 AND state = 0";
            let moved = conn.run(sql, Args::of([entity.into(), self.run.into(), self.now.into()])).await?;
            rescued += moved;
            let moved = usize::try_from(moved).unwrap_or(usize::MAX);
            sheet::add(&mut deltas, &sheet::moved(self.run, entity, (queued, 0), (retry, 0), moved));
        }
        conn.count(&deltas);
        Ok(rescued)
    }
}

/// A person's decision on dead or held records.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) run: i64,
    pub(crate) records: BTreeMap<i64, Vec<SourceKey>>,
    pub(crate) waive: Option<String>,
    pub(crate) by: String,
    pub(crate) now: Micros,
}

impl Work for Judge {
    type Out = u64;
    const DOING: &'static str = "judging records";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        let mut judged = 0;
        for (entity, keys) in &self.records {
            let mut sheet = Sheet::of(store::load(conn, *entity, keys.iter()).await?);
            let mut changed = Vec::new();
            for mut record in sheet.records().cloned().collect::<Vec<_>>() {
                if law::judge(&mut record, self.run, self.waive.as_deref(), &self.by, self.now)? {
                    changed.push(record.key.clone());
                    sheet.put(record);
                }
            }
            store::save(conn, &sheet).await?;
            if !changed.is_empty() {
                let args = Args::of([
                    self.run.into(),
                    self.by.as_str().into(),
                    self.waive.as_deref().into(),
                    self.now.into(),
                ])
                .ints(changed.iter().map(|_| Some(*entity)))
                .texts(changed.iter().map(|key| Some(key.as_str())));
                conn.run(C::SQL.judgement, args).await?;
            }
            judged += store::count(changed.len());
        }
        Ok(judged)
    }
}
