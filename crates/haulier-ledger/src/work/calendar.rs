//! What people changed of the calendar.

use haulier_core::calendar::{Amendment, Change};

use crate::conn::{Args, Cells, Conn, Fault, Work};

const ALL: &str =
    "SELECT version, at, by, reason, word, parts FROM amendment WHERE version > $1 ORDER BY version";

/// Adds a change while nobody else has.
#[derive(Debug)]
pub(crate) struct Amend {
    pub(crate) known: u64,
    pub(crate) change: Change,
}

impl Work for Amend {
    type Out = bool;
    const DOING: &'static str = "changing the calendar";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<bool, Fault> {
        let kept = Change { version: self.known + 1, ..self.change.clone() };
        let newer = read(conn, self.known).await?;
        if !newer.is_empty() {
            // The same call once more, after its answer was lost, is no other's change.
            return Ok(newer == [kept]);
        }
        let sql = "INSERT INTO amendment (version, at, by, reason, word, parts) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (version) DO NOTHING";
        let (word, parts) = kept.what.words();
        let parts = parts.join("\n");
        let args = Args::of([
            number(kept.version)?.into(),
            kept.at.into(),
            kept.by.as_str().into(),
            kept.reason.as_str().into(),
            word.into(),
            parts.as_str().into(),
        ]);
        if conn.run(sql, args).await? == 0 {
            return Err(Fault::Again);
        }
        Ok(true)
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct ReadAmendments;

impl Work for ReadAmendments {
    type Out = Vec<Change>;
    const DOING: &'static str = "reading the calendar's changes";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Change>, Fault> {
        read(conn, 0).await
    }
}

async fn read<C: Conn>(conn: &mut C, after: u64) -> Result<Vec<Change>, Fault> {
    let rows = conn.rows(ALL, Args::of([number(after)?.into()])).await?;
    let change = |row: &C::Row| {
        let (word, parts) = (row.word(4)?, row.word(5)?);
        let list: Vec<String> = match parts.as_str() {
            "" => Vec::new(),
            parts => parts.split('\n').map(str::to_owned).collect(),
        };
        let what = Amendment::read(&word, &list)
            .ok_or_else(|| Fault::corrupt(format!("a change of the calendar says `{word}`")))?;
        Ok(Change {
            version: u64::try_from(row.number(0)?).map_err(|_| Fault::corrupt("a version is negative"))?,
            at: row.number(1)?,
            by: row.word(2)?,
            reason: row.word(3)?,
            what,
        })
    };
    rows.iter().map(change).collect()
}

fn number(version: u64) -> Result<i64, Fault> {
    i64::try_from(version).map_err(|_| Fault::corrupt("a version is out of range"))
}
