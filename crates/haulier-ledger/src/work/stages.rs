//! The history of a run's stages, and its controller's lease.

use haulier_core::ProcessId;
use haulier_core::port::{ControllerLease, Micros};
use haulier_core::stage::{Entry, Fact};

use crate::conn::{Args, Cells, Conn, Fault, Work};

const AFTER: &str = "SELECT version, at, by, note, kind, subject, word, data FROM stage_log \
                     WHERE run = $1 AND version > $2 ORDER BY version";

/// Adds entries while nobody else has.
#[derive(Debug)]
pub(crate) struct AppendEntries {
    pub(crate) run: i64,
    pub(crate) known: u64,
    pub(crate) entries: Vec<Entry>,
}

impl Work for AppendEntries {
    type Out = bool;
    const DOING: &'static str = "adding to the stage log";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<bool, Fault> {
        let newer = read(conn, self.run, self.known).await?;
        if !newer.is_empty() {
            // The same call once more, after its answer was lost, is no other's entry.
            return Ok(newer == self.entries);
        }
        let sql = "INSERT INTO stage_log (run, version, at, by, note, kind, subject, word, data) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (run, version) DO NOTHING";
        for entry in &self.entries {
            let [kind, subject, word, data] = entry.fact.words();
            let args = Args::of([
                self.run.into(),
                number(entry.version)?.into(),
                entry.at.into(),
                entry.by.as_str().into(),
                entry.note.as_deref().into(),
                kind.as_str().into(),
                subject.as_str().into(),
                word.as_str().into(),
                data.as_str().into(),
            ]);
            if conn.run(sql, args).await? == 0 {
                return Err(Fault::Again);
            }
        }
        Ok(true)
    }
}

/// The entries after a version.
#[derive(Debug)]
pub(crate) struct ReadEntries {
    pub(crate) run: i64,
    pub(crate) after: u64,
}

impl Work for ReadEntries {
    type Out = Vec<Entry>;
    const DOING: &'static str = "reading the stage log";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Entry>, Fault> {
        read(conn, self.run, self.after).await
    }
}

async fn read<C: Conn>(conn: &mut C, run: i64, after: u64) -> Result<Vec<Entry>, Fault> {
    let rows = conn.rows(AFTER, Args::of([run.into(), number(after)?.into()])).await?;
    rows.iter()
        .map(|row| {
            let words = [row.word(4)?, row.word(5)?, row.word(6)?, row.word(7)?];
            let fact = Fact::from_words(words.each_ref().map(String::as_str))
                .ok_or_else(|| Fault::corrupt(format!("the stage log says {} {}", words[0], words[2])))?;
            Ok(Entry {
                version: u64::try_from(row.number(0)?)
                    .map_err(|_| Fault::corrupt("a version is negative"))?,
                at: row.number(1)?,
                by: row.word(2)?,
                note: row.text(3)?,
                fact,
            })
        })
        .collect()
}

fn number(version: u64) -> Result<i64, Fault> {
    i64::try_from(version).map_err(|_| Fault::corrupt("a version is out of range"))
}

/// Takes or renews the lease.
#[derive(Debug)]
pub(crate) struct HoldController {
    pub(crate) run: i64,
    pub(crate) process: ProcessId,
    pub(crate) now: Micros,
    pub(crate) until: Micros,
}

impl Work for HoldController {
    type Out = ControllerLease;
    const DOING: &'static str = "taking the controller's lease";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<ControllerLease, Fault> {
        // One statement decides: who comes second sees what the first made of the row.
        let take = "INSERT INTO controller (run, holder, held_since, held_until) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT (run) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until, \
                    held_since = CASE WHEN controller.holder = excluded.holder THEN controller.held_since \
                    ELSE excluded.held_since END \
                    WHERE controller.holder = excluded.holder OR controller.held_until <= excluded.held_since";
        let args =
            Args::of([self.run.into(), self.process.as_str().into(), self.now.into(), self.until.into()]);
        conn.run(take, args).await?;
        lease(conn, self.run).await?.ok_or_else(|| Fault::corrupt("a lease is gone"))
    }
}

/// Gives the lease back.
#[derive(Debug)]
pub(crate) struct ReleaseController {
    pub(crate) run: i64,
    pub(crate) process: ProcessId,
}

impl Work for ReleaseController {
    type Out = ();
    const DOING: &'static str = "giving the controller's lease back";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = "DELETE FROM controller WHERE run = $1 AND holder = $2";
        conn.run(sql, Args::of([self.run.into(), self.process.as_str().into()])).await.map(drop)
    }
}

/// Who holds the lease.
#[derive(Debug)]
pub(crate) struct ReadController {
    pub(crate) run: i64,
}

impl Work for ReadController {
    type Out = Option<ControllerLease>;
    const DOING: &'static str = "reading the controller's lease";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Option<ControllerLease>, Fault> {
        lease(conn, self.run).await
    }
}

async fn lease<C: Conn>(conn: &mut C, run: i64) -> Result<Option<ControllerLease>, Fault> {
    let sql = "SELECT holder, held_since, held_until FROM controller WHERE run = $1";
    let rows = conn.rows(sql, Args::of([run.into()])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(ControllerLease {
        holder: ProcessId::new(row.word(0)?),
        since: row.number(1)?,
        until: row.number(2)?,
    }))
}
