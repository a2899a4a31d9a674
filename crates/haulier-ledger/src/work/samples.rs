//! What processes measured while a run went on.

use haulier_core::ProcessId;
use haulier_core::control::Sample;

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::report;

/// Keeps one.
#[derive(Debug)]
pub(crate) struct KeepSample {
    pub(crate) run: i64,
    pub(crate) sample: Sample,
}

impl Work for KeepSample {
    type Out = ();
    const DOING: &'static str = "keeping what a process measured";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<(), Fault> {
        let sql = "INSERT INTO sample (run, at, process, measured) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (run, at, process) DO NOTHING";
        let measured = report::encode_measured(&self.sample.measured);
        let args = Args::of([
            self.run.into(),
            self.sample.at.into(),
            self.sample.process.as_str().into(),
            measured.as_str().into(),
        ]);
        conn.run(sql, args).await.map(drop)
    }
}

/// All of a run.
#[derive(Debug)]
pub(crate) struct ReadSamples {
    pub(crate) run: i64,
}

impl Work for ReadSamples {
    type Out = Vec<Sample>;
    const DOING: &'static str = "reading what processes measured";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Sample>, Fault> {
        let sql = "SELECT at, process, measured FROM sample WHERE run = $1 ORDER BY at, process";
        let rows = conn.rows(sql, Args::of([self.run.into()])).await?;
        let sample = |row: &C::Row| {
            Ok(Sample {
                at: row.number(0)?,
                process: ProcessId::new(row.word(1)?),
                measured: report::decode(&row.word(2)?)?.measured,
            })
        };
        rows.iter().map(sample).collect()
    }
}
