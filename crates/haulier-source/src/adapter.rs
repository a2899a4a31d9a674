//! The port over any engine.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::plan::Entity;
use haulier_core::port::{KeyRange, Source, SourceError};
use haulier_core::schema::{Column, ForeignKey, Schema, Table};
use haulier_core::{EntityName, Row, SourceKey, Value};

use crate::catalogue::Form;
use crate::driver::Driver;
use crate::fault::Fault;
use crate::range::{cut, whole};
use crate::relation::{describe, find};
use crate::row::{self, Binds, RowProblem};
use crate::sql::{self, Statement};
use crate::walk::{self, Walk};

/// How many keys one statement asks for, where the engine has no arrays: few texts, so that they stay prepared.
const BATCHES: [usize; 3] = [100, 10, 1];
/// How many keys one statement asks for, where it has.
const ARRAY: usize = 1000;
/// How many forms of an entity stay prepared.
const KEPT: usize = 4;

/// The port over an engine.
#[derive(Debug)]
pub(crate) struct Adapter<D> {
    driver: D,
    limit: Duration,
    /// Of each entity the last few, newest first: it may be read whole and narrowed in turn.
    walks: RwLock<HashMap<EntityName, Vec<Arc<Walk>>>>,
}

impl<D: Driver> Adapter<D> {
    pub(crate) fn new(driver: D, limit: Duration) -> Self {
        Self { driver, limit, walks: RwLock::default() }
    }

    /// The entity made ready, from the last time where the plan is still the same.
    async fn walk(&self, entity: &Entity) -> Result<Arc<Walk>, SourceError> {
        {
            let walks = self.walks.read().unwrap_or_else(PoisonError::into_inner);
            let known = walks.get(&entity.name).and_then(|known| known.iter().find(|w| w.entity == *entity));
            if let Some(walk) = known {
                return Ok(Arc::clone(walk));
            }
        }
        let walk = walk::prepare(&self.driver, entity).await.map_err(|fault| self.about(entity, fault))?;
        let walk = Arc::new(walk);
        let mut walks = self.walks.write().unwrap_or_else(PoisonError::into_inner);
        let known = walks.entry(entity.name.clone()).or_default();
        known.retain(|old| old.entity != *entity);
        known.insert(0, Arc::clone(&walk));
        known.truncate(KEPT);
        Ok(walk)
    }

    fn about(&self, entity: &Entity, fault: Fault) -> SourceError {
        fault.about(entity, self.driver.at(), self.limit)
    }

    async fn each(
        &self,
        walk: &Walk,
        statement: &Statement,
        binds: &Binds<'_>,
        take: &mut (dyn for<'v> FnMut(&'v mut Vec<Value>) + Send),
    ) -> Result<(), SourceError> {
        let entity = &walk.entity;
        let Some(list) = binds.list(statement) else {
            return Err(SourceError::Plan {
                entity: entity.name.to_string(),
                problem: "a key has not the parts that the plan's key has, or not of their types".to_owned(),
                hint: Some("the plan's key changed since that key was stored".to_owned()),
            });
        };
        let read = self.driver.each(statement, list, &walk.forms, take).await;
        read.map_err(|fault| {
            // The catalogue may have changed under a prepared walk: look again next time.
            self.walks.write().unwrap_or_else(PoisonError::into_inner).remove(&entity.name);
            self.about(entity, fault)
        })
    }

    /// One row of integers.
    async fn integers(
        &self,
        statement: &Statement,
        binds: Vec<crate::driver::Bind>,
        count: usize,
    ) -> Result<Vec<u64>, Fault> {
        let forms = vec![Form::Integer; count];
        let rows = self.driver.fetch(statement, binds, &forms).await?;
        let first = rows.first().map_or(&[][..], Vec::as_slice);
        let numbers: Option<Vec<u64>> = first.iter().map(|value| u64::try_from(whole(value)?).ok()).collect();
        numbers
            .filter(|numbers| numbers.len() == count)
            .ok_or_else(|| Fault::Failed("the count is no number".to_owned()))
    }

    async fn one_count(
        &self,
        walk: &Walk,
        statement: &Statement,
        after: &[String],
    ) -> Result<u64, SourceError> {
        let binds = Binds { walk, after, upto: &[], limit: 0, keys: &[] };
        let list = binds.list(statement).unwrap_or_default();
        let counted = self.integers(statement, list, 1).await;
        counted.map(|counts| counts[0]).map_err(|fault| self.about(&walk.entity, fault))
    }

    /// Reads a page and shows each of its rows to `take`, which gives back the memory of the values where it does not keep them.
    /// Tells how many rows there were.
    async fn page(
        &self,
        entity: &Entity,
        range: &KeyRange,
        after: Option<&SourceKey>,
        limit: u32,
        take: &mut (dyn FnMut(Row) -> Vec<Value> + Send),
    ) -> Result<u64, SourceError> {
        let walk = self.walk(entity).await?;
        let after = after.or(range.after.as_ref());
        if after.is_none() {
            for (column, statement) in &walk.nulls {
                if self.one_count(&walk, statement, &[]).await? > 0 {
                    let problem = RowProblem::Key { column: column.clone(), problem: "is NULL in some row" };
                    return Err(problem.about(entity.name.as_str()));
                }
            }
        }
        let index = usize::from(after.is_some()) + 2 * usize::from(range.upto.is_some());
        let after_parts = after.map(SourceKey::parts).unwrap_or_default();
        let upto_parts = range.upto.as_ref().map(SourceKey::parts).unwrap_or_default();
        let binds =
            Binds { walk: &walk, after: &after_parts, upto: &upto_parts, limit: limit.max(1), keys: &[] };
        let mut twins = Twins::new(&walk, after);
        let mut failed = None;
        self.each(&walk, &walk.chunks[index], &binds, &mut |values| {
            if failed.is_some() {
                return;
            }
            let row = row::row(&walk, std::mem::take(values));
            let row = row.map_err(|problem| problem.about(entity.name.as_str()));
            match row.and_then(|row| twins.note(&row.key).map(|()| row)) {
                Ok(row) => *values = take(row),
                Err(error) => failed = Some(error),
            }
        })
        .await?;
        if let Some(error) = failed {
            return Err(error);
        }
        // Only a full page can end between twins.
        if let (Some(statement), Some(last)) = (&walk.twin, &twins.last)
            && twins.rows >= u64::from(binds.limit)
            && self.one_count(&walk, statement, &last.parts()).await? > 1
        {
            return Err(repeats(&walk, last));
        }
        Ok(twins.rows)
    }
}

/// Looks for a key that repeats: it would lose rows at the seams of pages.
struct Twins<'w> {
    walk: &'w Walk,
    after: Option<&'w SourceKey>,
    rows: u64,
    /// The keys of the page, and the last of them: only where no index proves that none comes twice.
    seen: HashSet<SourceKey>,
    last: Option<SourceKey>,
}

impl<'w> Twins<'w> {
    fn new(walk: &'w Walk, after: Option<&'w SourceKey>) -> Self {
        Self { walk, after, rows: 0, seen: HashSet::new(), last: None }
    }

    fn note(&mut self, key: &SourceKey) -> Result<(), SourceError> {
        self.rows += 1;
        if self.rows == 1 && self.after == Some(key) {
            return Err(repeats(self.walk, key));
        }
        if self.walk.twin.is_some() {
            if !self.seen.insert(key.clone()) {
                return Err(repeats(self.walk, key));
            }
            self.last = Some(key.clone());
        }
        Ok(())
    }
}

fn repeats(walk: &Walk, key: &SourceKey) -> SourceError {
    SourceError::Plan {
        entity: walk.entity.name.to_string(),
        problem: format!("the key ({}) repeats: more than one row has {key}", walk.entity.key.join(", ")),
        hint: Some("choose columns that are unique together; a parent's key must be unique, too".to_owned()),
    }
}

#[async_trait]
impl<D: Driver> Source for Adapter<D> {
    async fn check(&self, entity: &Entity) -> Result<(), SourceError> {
        self.walks.write().unwrap_or_else(PoisonError::into_inner).remove(&entity.name);
        let walk = self.walk(entity).await?;
        let [_, _, _, statement] = &walk.chunks;
        self.driver.prepare(statement).await.map_err(|fault| self.about(entity, fault))?;
        self.driver.prepare(&walk.pages.rows(1)).await.map_err(|fault| self.about(entity, fault))
    }

    async fn ranges(&self, entity: &Entity, want: usize) -> Result<Vec<KeyRange>, SourceError> {
        let entire = vec![KeyRange::default()];
        let walk = self.walk(entity).await?;
        let [part] = &*walk.key else { return Ok(entire) };
        let cuttable = matches!(part.form, Form::Integer | Form::Natural | Form::Unsigned | Form::Any(_));
        if want < 2 || !cuttable {
            return Ok(entire);
        }
        let statement = sql::bounds(self.driver.dialect(), &walk.pages.relation, &part.column);
        let rows = self.driver.fetch(&statement, Vec::new(), &[part.form, part.form]).await;
        let rows = rows.map_err(|fault| self.about(entity, fault))?;
        let bounds = rows.first().and_then(|row| Some((whole(row.first()?)?, whole(row.get(1)?)?)));
        Ok(bounds.map_or(entire, |(low, high)| cut(low, high, want)))
    }

    async fn chunk(
        &self,
        entity: &Entity,
        range: &KeyRange,
        after: Option<&SourceKey>,
        limit: u32,
    ) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        let mut keep = |row| {
            rows.push(row);
            Vec::new()
        };
        self.page(entity, range, after, limit, &mut keep).await?;
        Ok(rows)
    }

    async fn scan(
        &self,
        entity: &Entity,
        range: &KeyRange,
        after: Option<&SourceKey>,
        limit: u32,
        take: &mut (dyn for<'r> FnMut(&'r Row) + Send),
    ) -> Result<u64, SourceError> {
        let mut show = |row: Row| {
            take(&row);
            row.values
        };
        self.page(entity, range, after, limit, &mut show).await
    }

    async fn rows(&self, entity: &Entity, keys: &[SourceKey]) -> Result<Vec<Row>, SourceError> {
        let walk = self.walk(entity).await?;
        // A key that no row can have, such as text where the column is a number, is a key that is gone.
        let parts: Vec<Vec<String>> =
            keys.iter().map(SourceKey::parts).filter(|parts| row::fits(&walk, parts)).collect();
        let mut wanted: HashSet<&SourceKey> = keys.iter().collect();
        let mut rows = Vec::with_capacity(parts.len());
        let mut rest = &*parts;
        while !rest.is_empty() {
            let size = if self.driver.dialect().has_arrays() {
                rest.len().min(ARRAY)
            } else {
                BATCHES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1)
            };
            let (batch, later) = rest.split_at(size);
            rest = later;
            let statement = walk.pages.rows(batch.len());
            let binds = Binds { walk: &walk, after: &[], upto: &[], limit: 0, keys: batch };
            let mut found = Vec::with_capacity(batch.len());
            self.each(&walk, &statement, &binds, &mut |values| found.push(std::mem::take(values))).await?;
            for values in found {
                let row = row::row(&walk, values).map_err(|problem| problem.about(entity.name.as_str()))?;
                // The database's collation may call more keys equal than are equal.
                if wanted.remove(&row.key) {
                    rows.push(row);
                }
            }
        }
        Ok(rows)
    }

    async fn count(&self, entity: &Entity) -> Result<u64, SourceError> {
        let walk = self.walk(entity).await?;
        self.one_count(&walk, &walk.count, &[]).await
    }

    async fn columns(&self, entity: &Entity) -> Result<Vec<Column>, SourceError> {
        let described = describe(&self.driver, &entity.relation, None).await;
        let described = described.map_err(|fault| self.about(entity, fault))?;
        let column = |name: &String| find(&described, name).map(Into::into);
        entity.columns.iter().map(column).collect::<Result<_, _>>().map_err(|fault| self.about(entity, fault))
    }

    async fn schema(&self) -> Result<Schema, SourceError> {
        let schema = self.driver.schema().await;
        schema.map_err(|fault| fault.reading("the catalogue", self.driver.at(), self.limit))
    }

    async fn key_quality(&self, table: &Table, columns: &[String]) -> Result<(u64, u64, u64), SourceError> {
        if columns.is_empty() {
            return Ok((0, 0, 0));
        }
        let statement = sql::key_quality(self.driver.dialect(), table, columns);
        let counts = self.integers(&statement, Vec::new(), 3).await;
        let counts = counts.map_err(|fault| fault.reading(&table.name, self.driver.at(), self.limit))?;
        Ok((counts[0], counts[1], counts[2]))
    }

    async fn orphans(&self, table: &Table, reference: &ForeignKey) -> Result<u64, SourceError> {
        let dialect = self.driver.dialect();
        let parent = match reference.table.split_once('.') {
            Some((schema, name)) if dialect != sql::Dialect::Sqlite => dialect.table(Some(schema), name),
            _ => dialect.table(table.schema.as_deref(), &reference.table),
        };
        let statement = sql::orphans(dialect, table, &parent, reference);
        let counts = self.integers(&statement, Vec::new(), 1).await;
        counts
            .map(|counts| counts[0])
            .map_err(|fault| fault.reading(&table.name, self.driver.at(), self.limit))
    }
}
