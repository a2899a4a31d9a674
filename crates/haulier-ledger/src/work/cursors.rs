//! How far each walk has come.

use haulier_core::EntityName;
use haulier_core::SourceKey;
use haulier_core::port::{Cursor, WalkId};

use crate::conn::{Args, Cells, Conn, Fault, Work};

#[derive(Debug)]
pub(crate) struct ReadCursors {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) entity_name: EntityName,
}

impl Work for ReadCursors {
    type Out = Vec<Cursor>;
    const DOING: &'static str = "reading cursors";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Cursor>, Fault> {
        let sql = "SELECT part, after_key, upto_key, at_key, done FROM walk \
                   WHERE run = $1 AND entity = $2 ORDER BY part";
        let rows = conn.rows(sql, Args::of([self.run.into(), self.entity.into()])).await?;
        let key = |text: Option<String>| text.map(|text| SourceKey::from_canonical(&text));
        rows.iter()
            .map(|row| {
                let range = u32::try_from(row.number(0)?)
                    .map_err(|_| Fault::corrupt("the number of a range is out of range"))?;
                Ok(Cursor {
                    walk: WalkId { entity: self.entity_name.clone(), range },
                    after: key(row.text(1)?),
                    upto: key(row.text(2)?),
                    at: key(row.text(3)?),
                    done: row.number(4)? != 0,
                })
            })
            .collect()
    }
}

/// Cursors with the numbers of their entities.
#[derive(Debug)]
pub(crate) struct AdvanceCursors {
    pub(crate) run: i64,
    pub(crate) cursors: Vec<(i64, Cursor)>,
}

impl Work for AdvanceCursors {
    type Out = ();
    const DOING: &'static str = "storing cursors";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = "INSERT INTO walk (run, entity, part, after_key, upto_key, at_key, done) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run, entity, part) DO UPDATE SET \
                   after_key = excluded.after_key, upto_key = excluded.upto_key, \
                   at_key = excluded.at_key, done = excluded.done";
        for (entity, cursor) in &self.cursors {
            let args = Args::of([
                self.run.into(),
                (*entity).into(),
                i64::from(cursor.walk.range).into(),
                cursor.after.as_ref().map(SourceKey::as_str).into(),
                cursor.upto.as_ref().map(SourceKey::as_str).into(),
                cursor.at.as_ref().map(SourceKey::as_str).into(),
                i64::from(cursor.done).into(),
            ]);
            conn.run(sql, args).await?;
        }
        Ok(())
    }
}
