//! Questions that change nothing. Entities and runs are numbers in the answers.

use std::collections::BTreeMap;

use haulier_core::port::{IdOrder, Judgement, Micros, Survey};
use haulier_core::{Origin, RecordState, SourceKey, TargetId, TenantKey};

use crate::conn::{Args, Cells, Conn, Fault, Work};
use crate::record::{Record, kind_code, origin_of, state_code, state_of};
use crate::sql::columns;
use crate::store;

/// Target ids by entity and key.
#[derive(Debug)]
pub(crate) struct ReadTargetIds(pub(crate) BTreeMap<i64, Vec<SourceKey>>);

impl Work for ReadTargetIds {
    type Out = Vec<(i64, SourceKey, TargetId)>;
    const DOING: &'static str = "reading target ids";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Self::Out, Fault> {
        let mut ids = Vec::new();
        for (entity, keys) in &self.0 {
            let args = Args::of([(*entity).into()]).texts(keys.iter().map(|key| Some(key.as_str())));
            for row in conn.rows(C::SQL.target_ids, args).await? {
                let key = SourceKey::from_canonical(&row.word(0)?);
                ids.push((*entity, key, TargetId::new(row.word(1)?)));
            }
        }
        Ok(ids)
    }
}

/// Records whose time has come: entity, key, attempt, state, due time.
#[derive(Debug)]
pub(crate) struct ReadDue {
    pub(crate) run: i64,
    pub(crate) now: Micros,
    pub(crate) limit: u32,
}

impl Work for ReadDue {
    type Out = Vec<(i64, SourceKey, u32, RecordState, Micros)>;
    const DOING: &'static str = "reading what is due";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Self::Out, Fault> {
        let sql = "SELECT entity, key, attempts, state, due FROM record \
                   WHERE run = $1 AND due IS NOT NULL AND due <= $2 ORDER BY due, entity, key LIMIT $3";
        let args = Args::of([self.run.into(), self.now.into(), i64::from(self.limit).into()]);
        let rows = conn.rows(sql, args).await?;
        rows.iter()
            .map(|row| {
                let state = state_of(row.number(3)?).ok_or_else(|| Fault::corrupt("an unknown state"))?;
                let attempts = u32::try_from(row.number(2)?)
                    .map_err(|_| Fault::corrupt("a number of attempts is out of range"))?;
                Ok((
                    row.number(0)?,
                    SourceKey::from_canonical(&row.word(1)?),
                    attempts,
                    state,
                    row.number(4)?,
                ))
            })
            .collect()
    }
}

/// What people decided about one record, oldest first.
#[derive(Debug)]
pub(crate) struct ReadJudgements {
    pub(crate) entity: i64,
    pub(crate) key: SourceKey,
}

impl Work for ReadJudgements {
    type Out = Vec<Judgement>;
    const DOING: &'static str = "reading what people decided";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Self::Out, Fault> {
        let sql = "SELECT at, by, waived FROM judgement WHERE entity = $1 AND key = $2 ORDER BY id";
        let rows = conn.rows(sql, Args::of([self.entity.into(), self.key.as_str().into()])).await?;
        rows.iter()
            .map(|row| Ok(Judgement { at: row.number(0)?, by: row.word(1)?, waived: row.text(2)? }))
            .collect()
    }
}

#[derive(Debug)]
pub(crate) struct NextDue(pub(crate) i64);

impl Work for NextDue {
    type Out = Option<Micros>;
    const DOING: &'static str = "reading when the next record is due";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Option<Micros>, Fault> {
        let sql = "SELECT MIN(due) FROM record WHERE run = $1 AND due IS NOT NULL";
        let rows = conn.rows(sql, Args::of([self.0.into()])).await?;
        rows.first().map_or(Ok(None), |row| row.int(0))
    }
}

#[derive(Debug)]
pub(crate) struct WrittenSince(pub(crate) Micros);

impl Work for WrittenSince {
    type Out = u64;
    const DOING: &'static str = "counting what was written since";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        // A record that landed again has its first landing in `landed_at`, and its last in `since`.
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM record WHERE landed_at >= $1 OR (state = $2 AND since >= $1)";
        let args = Args::of([self.0.into(), state_code(RecordState::Landed).into()]);
        let rows = conn.rows(sql, args).await?;
        let count = rows.first().map_or(Ok(0), |row| row.number(0))?;
        u64::try_from(count).map_err(|_| Fault::corrupt("a count is negative"))
    }
}

#[derive(Debug)]
pub(crate) struct ReadPace {
    pub(crate) run: i64,
    pub(crate) bucket: Micros,
}

impl Work for ReadPace {
    type Out = Vec<(Micros, u64)>;
    const DOING: &'static str = "reading how fast records landed";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Self::Out, Fault> {
        let sql = "SELECT since / $3 * $3, CAST(COUNT(*) AS BIGINT) FROM record WHERE run = $1 AND state = $2 \
                   GROUP BY since / $3 ORDER BY 1";
        let args =
            Args::of([self.run.into(), state_code(RecordState::Landed).into(), self.bucket.max(1).into()]);
        let rows = conn.rows(sql, args).await?;
        let stretch = |row: &C::Row| {
            let count = u64::try_from(row.number(1)?).map_err(|_| Fault::corrupt("a count is negative"))?;
            Ok((row.number(0)?, count))
        };
        rows.iter().map(stretch).collect()
    }
}

/// Counts by entity and state, [`crate::record::PLANNED`] among them.
#[derive(Debug)]
pub(crate) struct ReadCounts {
    pub(crate) run: i64,
}

impl Work for ReadCounts {
    type Out = Vec<(i64, i64, i64)>;
    const DOING: &'static str = "counting records";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Self::Out, Fault> {
        let sql = "SELECT entity, state, CAST(SUM(n) AS BIGINT) FROM tally WHERE run = $1 \
                   GROUP BY entity, state HAVING SUM(n) <> 0 ORDER BY entity, state";
        let rows = conn.rows(sql, Args::of([self.run.into()])).await?;
        rows.iter().map(|row| Ok((row.number(0)?, row.number(1)?, row.number(2)?))).collect()
    }
}

/// Tenants, and skipped records by why. A waived record keeps the kind of its failure, one that is left out only a reason.
#[derive(Debug)]
pub(crate) struct ReadSurvey(pub(crate) i64);

impl Work for ReadSurvey {
    type Out = Survey;
    const DOING: &'static str = "counting tenants";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Survey, Fault> {
        macro_rules! sum {
            ($condition:literal) => {
                concat!("CAST(COALESCE(SUM(CASE WHEN ", $condition, " THEN 1 ELSE 0 END), 0) AS BIGINT)")
            };
        }
        let sql = concat!(
            "SELECT COUNT(tenant), ",
            sum!("tenant IS NOT NULL AND pending = 0"),
            ", CAST(COALESCE(SUM(skipped), 0) AS BIGINT), CAST(COALESCE(SUM(waived), 0) AS BIGINT), \
             CAST(COALESCE(SUM(left_out), 0) AS BIGINT), \
             CAST(COALESCE(SUM(CASE WHEN tenant IS NULL THEN left_out ELSE 0 END), 0) AS BIGINT) \
             FROM (SELECT tenant, ",
            sum!("state NOT IN (5, 7)"),
            " AS pending, ",
            sum!("state = 7"),
            " AS skipped, ",
            sum!("state = 7 AND failure_kind IS NOT NULL"),
            " AS waived, ",
            sum!("state = 7 AND failure_kind IS NULL AND failure_reason IS NOT NULL"),
            " AS left_out FROM record WHERE run = $1 GROUP BY tenant) AS each_tenant"
        );
        let rows = conn.rows(sql, Args::of([self.0.into()])).await?;
        let row = rows.first().ok_or_else(|| Fault::corrupt("an answer is missing"))?;
        let count = |column| row.number(column).map(|count| u64::try_from(count).unwrap_or(0));
        let (skipped, waived, left_out, without_tenant) = (count(2)?, count(3)?, count(4)?, count(5)?);
        Ok(Survey {
            tenants: count(0)?,
            tenants_done: count(1)?,
            unchanged: skipped.saturating_sub(waived + left_out),
            without_tenant,
            empty: left_out.saturating_sub(without_tenant),
            waived,
        })
    }
}

/// Records of one entity in some states, in key order.
#[derive(Debug)]
pub(crate) struct ListRecords {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) states: Vec<RecordState>,
    pub(crate) kinds: Vec<haulier_core::FailureKind>,
    pub(crate) tenant: Option<TenantKey>,
    pub(crate) after: Option<SourceKey>,
    pub(crate) limit: u32,
}

impl Work for ListRecords {
    type Out = Vec<Record>;
    const DOING: &'static str = "listing records";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Record>, Fault> {
        macro_rules! list {
            ($from:literal) => {
                concat!(
                    "SELECT ", columns!(), " FROM record WHERE entity = $1 AND run = $2 \
                     AND ((CAST(1 AS BIGINT) << state) & $3) <> 0 \
                     AND ($4 = 0 OR (failure_kind IS NOT NULL AND ((CAST(1 AS BIGINT) << failure_kind) & $4) <> 0)) \
                     AND ($5 = 0 OR tenant = $6) AND ", $from, " $7 ORDER BY key LIMIT $8"
                )
            };
        }
        // Dead and held records always have a failure, and there is an index on those.
        let failed = self.states.iter().all(|s| matches!(s, RecordState::Dead | RecordState::Held));
        let sql = match (failed, &self.after) {
            (true, Some(_)) => list!("failure_kind IS NOT NULL AND key >"),
            (true, None) => list!("failure_kind IS NOT NULL AND key >="),
            (false, Some(_)) => list!("key >"),
            (false, None) => list!("key >="),
        };
        let args = Args::of([
            self.entity.into(),
            self.run.into(),
            mask(self.states.iter().map(|state| state_code(*state))).into(),
            mask(self.kinds.iter().map(|kind| kind_code(*kind))).into(),
            i64::from(self.tenant.is_some()).into(),
            self.tenant.as_ref().map_or("", TenantKey::as_str).into(),
            self.after.as_ref().map_or("", SourceKey::as_str).into(),
            i64::from(self.limit).into(),
        ]);
        conn.rows(sql, args).await?.iter().map(store::record).collect()
    }
}

fn mask(codes: impl Iterator<Item = i64>) -> i64 {
    codes.fold(0, |mask, code| mask | (1 << code))
}

/// A row of the id map, or where its page begins.
#[derive(Debug, Clone)]
pub(crate) struct IdLine {
    pub(crate) entity: i64,
    pub(crate) key: SourceKey,
    pub(crate) target: TargetId,
    pub(crate) origin: Origin,
    pub(crate) run: i64,
    pub(crate) at: Micros,
}

#[derive(Debug)]
pub(crate) struct ReadIdMap {
    /// 0 for all.
    pub(crate) entity: i64,
    pub(crate) order: IdOrder,
    /// When, entity and key.
    pub(crate) after: Option<(Micros, i64, SourceKey)>,
    pub(crate) limit: u32,
}

impl Work for ReadIdMap {
    type Out = Vec<IdLine>;
    const DOING: &'static str = "reading the id map";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<IdLine>, Fault> {
        macro_rules! map {
            ($after:literal, $order:literal) => {
                concat!(
                    "SELECT entity, key, target_id, origin, landed_run, landed_at FROM record \
                     WHERE landed_at IS NOT NULL AND ($1 = 0 OR entity = $1) AND ",
                    $after,
                    " ORDER BY ",
                    $order
                )
            };
        }
        let sql = match self.order {
            IdOrder::Landed => {
                map!("(landed_at, entity, key) > ($2, $3, $4)", "landed_at, entity, key LIMIT $5")
            }
            IdOrder::Undo => map!(
                "origin = 0 AND (landed_at, entity, key) < ($2, $3, $4)",
                "landed_at DESC, entity DESC, key DESC LIMIT $5"
            ),
        };
        let end = match self.order {
            IdOrder::Landed => i64::MIN,
            IdOrder::Undo => i64::MAX,
        };
        let (at, entity, key) = match &self.after {
            Some((at, entity, key)) => (*at, *entity, key.as_str()),
            None => (end, 0, ""),
        };
        let args = Args::of([
            self.entity.into(),
            at.into(),
            entity.into(),
            key.into(),
            i64::from(self.limit).into(),
        ]);
        let rows = conn.rows(sql, args).await?;
        rows.iter()
            .map(|row| {
                Ok(IdLine {
                    entity: row.number(0)?,
                    key: SourceKey::from_canonical(&row.word(1)?),
                    target: TargetId::new(row.word(2)?),
                    origin: row
                        .int(3)?
                        .and_then(origin_of)
                        .ok_or_else(|| Fault::corrupt("an unknown origin"))?,
                    run: row.number(4)?,
                    at: row.number(5)?,
                })
            })
            .collect()
    }
}
