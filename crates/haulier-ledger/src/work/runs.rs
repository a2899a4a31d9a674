//! Runs and the processes that work for them.

use haulier_core::port::{LedgerError, Micros, ProcessBeat, Run};
use haulier_core::{ProcessId, RunId};

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::report;

const RUN: &str = "SELECT name, plan, digest, started_at, produced_at, finished_at, id FROM run \
                   ORDER BY id DESC LIMIT 1";

#[derive(Debug)]
pub(crate) struct OpenRun {
    pub(crate) id: RunId,
    pub(crate) plan: String,
    pub(crate) digest: String,
    pub(crate) accept_plan: bool,
    pub(crate) now: Micros,
}

impl Work for OpenRun {
    type Out = Run;
    const DOING: &'static str = "opening a run";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Run, Fault> {
        // No entity has this number.
        conn.lock(0, true);
        let newest = conn.rows(RUN, Args::default()).await?;
        if let Some(row) = newest.first() {
            let run = run(row)?;
            if run.plan != self.plan {
                return Err(LedgerError::OtherPlan { found: run.plan, asked: self.plan.clone() }.into());
            }
            if run.finished_at.is_none() {
                return self.resume(conn, run, row.number(6)?).await;
            }
        }
        let insert = "INSERT INTO run (name, plan, digest, started_at, lease_epoch, lease_until) \
                      VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT (name) DO NOTHING";
        let args = Args::of([
            self.id.as_str().into(),
            self.plan.as_str().into(),
            self.digest.as_str().into(),
            self.now.into(),
        ]);
        if conn.run(insert, args).await? == 0 {
            let cause = format!("there was a run {} already", self.id);
            return Err(LedgerError::Failed { doing: Self::DOING, cause }.into());
        }
        Ok(Run {
            id: self.id.clone(),
            plan: self.plan.clone(),
            digest: self.digest.clone(),
            started_at: self.now,
            produced_at: None,
            finished_at: None,
            fresh: true,
        })
    }
}

impl OpenRun {
    async fn resume<C: Conn>(&self, conn: &mut C, mut run: Run, number: i64) -> Result<Run, Fault> {
        if run.digest != self.digest {
            if !self.accept_plan {
                return Err(LedgerError::PlanChanged { run: run.id }.into());
            }
            // Other keys, filters and mappings make other walks: everything is read again, and what landed with the
            // content that it has now is not sent again.
            conn.run("DELETE FROM walk WHERE run = $1", Args::of([number.into()])).await?;
            let sql = "UPDATE run SET digest = $2, produced_at = NULL WHERE id = $1";
            conn.run(sql, Args::of([number.into(), self.digest.as_str().into()])).await?;
            run.digest.clone_from(&self.digest);
            run.produced_at = None;
        }
        Ok(run)
    }
}

fn run<R: Cells>(row: &R) -> Result<Run, Fault> {
    Ok(Run {
        id: RunId::new(row.word(0)?),
        plan: row.word(1)?,
        digest: row.word(2)?,
        started_at: row.number(3)?,
        produced_at: row.int(4)?,
        finished_at: row.int(5)?,
        fresh: false,
    })
}

#[derive(Debug)]
pub(crate) struct LatestRun;

impl Work for LatestRun {
    type Out = Option<Run>;
    const DOING: &'static str = "reading the newest run";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Option<Run>, Fault> {
        conn.rows(RUN, Args::default()).await?.first().map(run).transpose()
    }
}

/// Which end of a run is noted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RunEnd {
    Produced,
    Finished,
}

/// Notes that a run came to an end; the first time stays.
#[derive(Debug)]
pub(crate) struct EndRun {
    pub(crate) run: i64,
    pub(crate) end: RunEnd,
    pub(crate) now: Micros,
}

impl Work for EndRun {
    type Out = ();
    const DOING: &'static str = "ending a run";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = match self.end {
            RunEnd::Produced => "UPDATE run SET produced_at = COALESCE(produced_at, $2) WHERE id = $1",
            RunEnd::Finished => "UPDATE run SET finished_at = COALESCE(finished_at, $2) WHERE id = $1",
        };
        conn.run(sql, Args::of([self.run.into(), self.now.into()])).await.map(drop)
    }
}

/// A sign of life, with the number of its run.
#[derive(Debug)]
pub(crate) struct Beat {
    pub(crate) run: i64,
    pub(crate) beat: ProcessBeat,
}

impl Work for Beat {
    type Out = ();
    const DOING: &'static str = "noting a sign of life";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = "INSERT INTO process (name, run, role, host, pid, beat_at, in_flight, ended) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET run = excluded.run, \
                   role = excluded.role, host = excluded.host, pid = excluded.pid, beat_at = excluded.beat_at, \
                   in_flight = excluded.in_flight, ended = excluded.ended";
        let beat = &self.beat;
        let args = Args::of([
            beat.process.as_str().into(),
            self.run.into(),
            beat.role.as_str().into(),
            beat.host.as_str().into(),
            i64::from(beat.pid).into(),
            beat.at.into(),
            i64::from(beat.in_flight).into(),
            i64::from(beat.ended).into(),
        ]);
        conn.run(sql, args).await.map(drop)
    }
}

/// The processes of a run.
#[derive(Debug)]
pub(crate) struct Processes {
    pub(crate) run: i64,
    pub(crate) run_id: RunId,
}

impl Work for Processes {
    type Out = Vec<ProcessBeat>;
    const DOING: &'static str = "reading processes";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<ProcessBeat>, Fault> {
        let sql = "SELECT name, role, host, pid, beat_at, in_flight, ended, report FROM process \
                   WHERE run = $1 ORDER BY beat_at DESC, name";
        let rows = conn.rows(sql, Args::of([self.run.into()])).await?;
        let small = |value: i64| {
            u32::try_from(value).map_err(|_| Fault::corrupt("a number of a process is out of range"))
        };
        rows.iter()
            .map(|row| {
                Ok(ProcessBeat {
                    process: ProcessId::new(row.word(0)?),
                    run: self.run_id.clone(),
                    role: row.word(1)?,
                    host: row.word(2)?,
                    pid: small(row.number(3)?)?,
                    at: row.number(4)?,
                    in_flight: small(row.number(5)?)?,
                    ended: row.number(6)? != 0,
                    report: row.text(7)?.as_deref().map(report::decode).transpose()?,
                })
            })
            .collect()
    }
}
