//! Changes of control, and what processes say of themselves.

use haulier_core::ProcessId;
use haulier_core::control::{Change, Report, Turn};

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::report;

const AFTER: &str = "SELECT version, at, by, reason, key, value, previous, forced, expires FROM control \
                     WHERE run = $1 AND version > $2 ORDER BY version";

/// Adds changes while nobody else has.
#[derive(Debug)]
pub(crate) struct ChangeControl {
    pub(crate) run: i64,
    pub(crate) known: u64,
    pub(crate) changes: Vec<Change>,
}

impl Work for ChangeControl {
    type Out = bool;
    const DOING: &'static str = "changing the control";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<bool, Fault> {
        let newer = read(conn, self.run, self.known).await?;
        if !newer.is_empty() {
            // The same call once more, after its answer was lost, is no other's change.
            return Ok(newer == self.changes);
        }
        let sql = "INSERT INTO control (run, version, at, by, reason, key, value, previous, forced, expires) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (run, version) DO NOTHING";
        for change in &self.changes {
            let value = change.turn.value();
            let args = Args::of([
                self.run.into(),
                number(change.version)?.into(),
                change.at.into(),
                change.by.as_str().into(),
                change.reason.as_deref().into(),
                change.turn.key().into(),
                value.as_str().into(),
                change.previous.as_str().into(),
                i64::from(change.forced).into(),
                change.expires.into(),
            ]);
            if conn.run(sql, args).await? == 0 {
                return Err(Fault::Again);
            }
        }
        Ok(true)
    }
}

/// The changes after a version.
#[derive(Debug)]
pub(crate) struct ReadChanges {
    pub(crate) run: i64,
    pub(crate) after: u64,
}

impl Work for ReadChanges {
    type Out = Vec<Change>;
    const DOING: &'static str = "reading the control";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Change>, Fault> {
        read(conn, self.run, self.after).await
    }
}

async fn read<C: Conn>(conn: &mut C, run: i64, after: u64) -> Result<Vec<Change>, Fault> {
    let rows = conn.rows(AFTER, Args::of([run.into(), number(after)?.into()])).await?;
    rows.iter()
        .map(|row| {
            let (key, value) = (row.word(4)?, row.word(5)?);
            let turn = Turn::from_words(&key, &value)
                .ok_or_else(|| Fault::corrupt(format!("the control says {key} = {value}")))?;
            Ok(Change {
                version: u64::try_from(row.number(0)?)
                    .map_err(|_| Fault::corrupt("a version is negative"))?,
                at: row.number(1)?,
                by: row.word(2)?,
                reason: row.text(3)?,
                turn,
                previous: row.word(6)?,
                forced: row.number(7)? != 0,
                expires: row.int(8)?,
            })
        })
        .collect()
}

fn number(version: u64) -> Result<i64, Fault> {
    i64::try_from(version).map_err(|_| Fault::corrupt("a version is out of range"))
}

/// What a process says of itself.
#[derive(Debug)]
pub(crate) struct KeepReport {
    pub(crate) process: ProcessId,
    pub(crate) report: Report,
}

impl Work for KeepReport {
    type Out = ();
    const DOING: &'static str = "keeping a process's report";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let text = report::encode(&self.report);
        let args = Args::of([self.process.as_str().into(), text.as_str().into()]);
        conn.run("UPDATE process SET report = $2 WHERE name = $1", args).await.map(drop)
    }
}
