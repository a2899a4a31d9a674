//! Entities, runs and processes are numbers in the records; here they get them.

use std::collections::HashMap;

use haulier_core::{EntityName, ProcessId, RunId};

use crate::conn::{Args, Cells, Conn, Fault, Work};

/// Gives an entity its number.
#[derive(Debug)]
pub(crate) struct InternEntity(pub(crate) EntityName);

impl Work for InternEntity {
    type Out = i64;
    const DOING: &'static str = "naming an entity";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<i64, Fault> {
        let insert = "INSERT INTO entity (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
        let find = "SELECT id FROM entity WHERE name = $1";
        number(conn, insert, find, self.0.as_str()).await
    }
}

/// Gives a process its number. One that never beat counts as silent.
#[derive(Debug)]
pub(crate) struct InternProcess(pub(crate) ProcessId);

impl Work for InternProcess {
    type Out = i64;
    const DOING: &'static str = "naming a process";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<i64, Fault> {
        let insert = "INSERT INTO process (name, beat_at) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
        let find = "SELECT id FROM process WHERE name = $1";
        number(conn, insert, find, self.0.as_str()).await
    }
}

async fn number<C: Conn>(
    conn: &mut C,
    insert: &'static str,
    find: &'static str,
    name: &str,
) -> Result<i64, Fault> {
    if let Some(row) = conn.rows(find, Args::of([name.into()])).await?.first() {
        return row.number(0);
    }
    conn.run(insert, Args::of([name.into()])).await?;
    let rows = conn.rows(find, Args::of([name.into()])).await?;
    rows.first().map_or(Err(Fault::Again), |row| row.number(0))
}

/// All entities and runs with their numbers.
#[derive(Debug)]
pub(crate) struct FindNames;

/// What [`FindNames`] finds.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    pub(crate) entities: HashMap<EntityName, i64>,
    pub(crate) runs: HashMap<RunId, i64>,
}

impl Work for FindNames {
    type Out = NameTable;
    const DOING: &'static str = "reading names";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<NameTable, Fault> {
        let mut names = NameTable::default();
        for row in conn.rows("SELECT id, name FROM entity", Args::default()).await? {
            let name = EntityName::new(&row.word(1)?).map_err(|error| Fault::corrupt(error.to_string()))?;
            names.entities.insert(name, row.number(0)?);
        }
        for row in conn.rows("SELECT id, name FROM run", Args::default()).await? {
            names.runs.insert(RunId::new(row.word(1)?), row.number(0)?);
        }
        Ok(names)
    }
}
