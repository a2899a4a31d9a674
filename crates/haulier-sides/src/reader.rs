//! One side read to its end: as batches of neutral lines, and as what others need to refer to its records.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use haulier_core::{EntityName, Row};
use haulier_validator::neutral::{CellError, Changed, Neutral};
use tokio::sync::mpsc;

use crate::agree::Agreed;
use crate::entry::Entry;
use crate::gather::Gather;
use crate::list::Lists;
use crate::naturals::{Item, Naturals};
use crate::source::{Database, Plan};
use crate::{RowProblem, SidesError};

/// Problems that are kept; all are counted.
const KEPT: usize = 10_000;

/// Where one side's rows come from.
#[derive(Debug, Clone)]
pub enum Reader {
    /// The source's database.
    Source(Database),
    /// The target's lists.
    Lists(Lists),
    /// The target's own database.
    Stored(Database),
}

/// What is read.
#[derive(Debug, Clone)]
pub struct Job {
    /// The entity.
    pub agreed: Arc<Agreed>,
    /// The natural keys of the entities that it needs.
    pub naturals: Arc<Naturals>,
    /// Makes the lines; nothing where no lines are wanted.
    pub neutral: Option<Neutral>,
    /// Collects what those need who refer to the entity's records.
    pub index: Option<Arc<Gather>>,
    /// Only rows of these tenants, by their ids on this side.
    pub tenants: Option<Arc<HashSet<String>>>,
    /// Entities with an extract: the natural keys that are not among `naturals` are asked of the source, for each chunk of rows.
    /// Only for the source.
    pub ask: Option<Arc<[Arc<Agreed>]>>,
    /// Where the lines go.
    pub out: Option<mpsc::Sender<Batch>>,
    /// Counts the rows as they are read.
    pub rows: Arc<AtomicU64>,
}

/// Lines, without their line feeds.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    text: Vec<u8>,
    ends: Vec<usize>,
    tenants: Vec<Option<String>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Read {
    /// Rows that became lines.
    pub rows: u64,
    /// What was changed on the way, a column each.
    pub changed: Vec<Changed>,
    /// Rows that have no neutral form; the first of them.
    pub problems: Vec<RowProblem>,
    /// How many there were.
    pub problem_count: u64,
    /// Records that a list showed more than once because it moved while it was read.
    pub twice: u64,
}

impl Batch {
    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// The tenant of each line, by its id on its side; of none where all tenants are read.
    pub fn tenants(&self) -> impl Iterator<Item = Option<&str>> {
        self.tenants.iter().map(Option::as_deref).chain(std::iter::repeat(None))
    }

    /// Bytes of all lines.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }
}

impl Reader {
    /// Reads an entity to its end. Lines come in no order.
    pub async fn read(&self, job: &Job) -> Result<Read, SidesError> {
        match self {
            Self::Source(database) => database.read(job, false).await,
            Self::Stored(database) => database.read(job, true).await,
            Self::Lists(lists) => lists.read(job).await,
        }
    }

    /// How many records an entity has: by asking, where the side can tell, else by reading them.
    pub async fn count(&self, agreed: &Arc<Agreed>) -> Result<u64, SidesError> {
        match self {
            Self::Source(database) => Ok(database.source.count(&agreed.entity).await?),
            Self::Stored(database) => database.count_stored(agreed).await,
            Self::Lists(lists) => lists.count(agreed).await,
        }
    }

    /// Makes the natural keys known that stand in an entity's rows. `all` are the entities with an extract.
    pub async fn learn(
        &self,
        naturals: &mut Naturals,
        all: &[Arc<Agreed>],
        wanted: &Agreed,
        rows: &Arc<AtomicU64>,
    ) -> Result<(), SidesError> {
        self.learn_all(naturals, all, wanted.needs().cloned().collect(), rows).await
    }

    /// Makes the natural keys of these entities known, and those that they are made of.
    pub async fn learn_all(
        &self,
        naturals: &mut Naturals,
        all: &[Arc<Agreed>],
        mut open: Vec<EntityName>,
        rows: &Arc<AtomicU64>,
    ) -> Result<(), SidesError> {
        let mut asked: HashSet<EntityName> = HashSet::new();
        while let Some(name) = open.pop() {
            if !asked.insert(name.clone()) {
                continue;
            }
            let Some(agreed) = all.iter().find(|agreed| agreed.entity.name == name) else { continue };
            open.extend(agreed.needs().cloned());
            if naturals.knows(&name) {
                continue;
            }
            let gather = naturals.gather();
            let job = Job {
                agreed: Arc::clone(agreed),
                naturals: Arc::default(),
                neutral: None,
                index: Some(Arc::clone(&gather)),
                tenants: None,
                ask: None,
                out: None,
                rows: Arc::clone(rows),
            };
            self.read(&job).await?;
            naturals.keep(agreed, &gather).await?;
        }
        Ok(())
    }
}

impl Job {
    pub(crate) async fn send(&self, batch: Batch) -> Result<(), SidesError> {
        match &self.out {
            Some(out) if !batch.ends.is_empty() => out.send(batch).await.map_err(|_| SidesError::Stopped),
            Some(_) | None => Ok(()),
        }
    }
}

impl Read {
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.twice += other.twice;
        self.problem_count += other.problem_count;
        self.problems.extend(other.problems);
        self.problems.truncate(KEPT);
        if self.changed.is_empty() {
            self.changed = other.changed;
        } else {
            for (sum, more) in self.changed.iter_mut().zip(&other.changed) {
                sum.add(more);
            }
        }
    }
}

/// Makes lines of rows, for one task.
#[derive(Debug)]
pub(crate) struct Desk {
    agreed: Arc<Agreed>,
    naturals: Arc<Naturals>,
    neutral: Option<Neutral>,
    index: Option<Arc<Gather>>,
    /// What goes there next.
    entries: Vec<(Box<str>, Entry)>,
    tenants: Option<Arc<HashSet<String>>>,
    /// Records that came once more.
    pub(crate) twice: u64,
    read: Read,
}

impl Desk {
    pub(crate) fn new(job: &Job) -> Self {
        Self {
            agreed: Arc::clone(&job.agreed),
            naturals: Arc::clone(&job.naturals),
            neutral: job.neutral.clone(),
            index: job.index.clone(),
            entries: Vec::new(),
            tenants: job.tenants.clone(),
            twice: 0,
            read: Read::default(),
        }
    }

    /// The natural keys of the next rows' parents are these.
    pub(crate) fn knows(&mut self, naturals: Naturals) {
        self.naturals = Arc::new(naturals);
    }

    pub(crate) fn chunk<'a>(&mut self, items: impl Iterator<Item = Item<'a>>) -> Result<Batch, SidesError> {
        let mut batch = Batch::default();
        for item in items {
            self.item(&item, &mut batch)?;
        }
        self.index()?;
        Ok(batch)
    }

    /// A row of a database. [`Desk::index`] comes behind the last of a page.
    pub(crate) fn row(&mut self, plan: &Plan, row: &Row, batch: &mut Batch) -> Result<(), SidesError> {
        let alone = self.agreed.refs.is_empty() && self.index.is_none() && self.tenants.is_none();
        if !alone {
            return self.item(&plan.item(row), batch);
        }
        if let Some(neutral) = &mut self.neutral {
            let pushed = neutral.push(plan.cells(row), &mut batch.text);
            self.pushed(pushed, || plan.id(row).into_owned(), batch);
        }
        Ok(())
    }

    fn item(&mut self, item: &Item<'_>, batch: &mut Batch) -> Result<(), SidesError> {
        if self.index.is_some() {
            self.entries.push(((*item.id).into(), Entry::of(&self.agreed, item)));
        }
        let Some(neutral) = &mut self.neutral else { return Ok(()) };
        // Whose it is matters only where not all are wanted.
        let mut tenant = None;
        if let Some(wanted) = &self.tenants {
            let id = self.naturals.tenant_id(&self.agreed, item)?;
            if !id.as_ref().is_some_and(|id| wanted.contains(&**id)) {
                return Ok(());
            }
            tenant = id.map(Cow::into_owned);
        }
        let pushed = neutral.push(self.naturals.cells(&self.agreed, item)?, &mut batch.text);
        if self.pushed(pushed, || item.id.to_string(), batch) && self.tenants.is_some() {
            batch.tenants.push(tenant);
        }
        Ok(())
    }

    /// Whether the row became a line.
    fn pushed(
        &mut self,
        pushed: Result<(), CellError>,
        id: impl FnOnce() -> String,
        batch: &mut Batch,
    ) -> bool {
        match pushed {
            Ok(()) => {
                batch.ends.push(batch.text.len());
                self.read.rows += 1;
                true
            }
            Err(error) => {
                self.read.problem_count += 1;
                if self.read.problems.len() < KEPT {
                    self.read.problems.push(RowProblem {
                        entity: self.agreed.entity.name.clone(),
                        id: id(),
                        column: error.column,
                        reason: error.reason,
                    });
                }
                false
            }
        }
    }

    /// Gives what others need of the rows to who collects it.
    pub(crate) fn index(&mut self) -> Result<(), SidesError> {
        match &self.index {
            Some(index) if !self.entries.is_empty() => Ok(index.add(std::mem::take(&mut self.entries))?),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn done(mut self) -> Read {
        self.read.twice = self.twice;
        if let Some(neutral) = &self.neutral {
            self.read.changed = neutral.changed().to_vec();
        }
        self.read
    }
}
