//! Rows of a database: the source's, mapped as they would be sent, or the target's own, as it holds them.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use haulier_core::plan::{Entity, ExtractFrom, Stored, TenantPath};
use haulier_core::port::{KeyRange, Source, SourceError};
use haulier_core::{Row, SourceKey, Value};
use haulier_producer::mapping::Mapper;
use haulier_validator::neutral::{Cell, Neutral};
use tokio::task::JoinSet;

use crate::SidesError;
use crate::agree::{Agreed, Slot};
use crate::ask;
use crate::naturals::Item;
use crate::reader::{Batch, Desk, Job, Read};

/// A database that is read in key order, several ranges at a time.
#[derive(Debug, Clone)]
pub struct Database {
    /// The database.
    pub source: Arc<dyn Source>,
    /// Ranges at a time.
    pub fibres: usize,
    /// Rows of one read.
    pub chunk: u32,
}

/// Rows of a page at most, and bytes of its lines, about: what is in memory at once stays small.
const PAGE: u32 = 20_000;
const PAGE_BYTES: u64 = 1 << 20;

/// How a row's values are found.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) entity: Entity,
    mapper: Option<Mapper>,
    own: Vec<Option<Get>>,
    refs: Vec<Vec<usize>>,
    /// The column that holds the id; `None` where the key is the id.
    id: Option<usize>,
}

#[derive(Debug)]
enum Get {
    Field(usize),
    Column(usize),
}

impl Database {
    /// Reads an entity to its end. `stored`: as the target's database holds it.
    pub(crate) async fn read(&self, job: &Job, stored: bool) -> Result<Read, SidesError> {
        let mut plan = if stored { as_stored(&job.agreed)? } else { as_mapped(&job.agreed)? };
        let wanted = job.tenants.as_ref().filter(|_| !stored).and_then(|tenants| {
            plan.entity.of_tenants(tenants.iter().map(|key| SourceKey::from_canonical(key)))
        });
        let ranges = match wanted {
            Some(entity) => {
                plan.entity = entity;
                vec![KeyRange::default()]
            }
            None => self.source.ranges(&plan.entity, self.fibres.max(1)).await?,
        };
        let plan = Arc::new(plan);
        let mut walks: JoinSet<Result<Read, SidesError>> = JoinSet::new();
        for range in ranges {
            let (source, plan, job, limit) =
                (Arc::clone(&self.source), Arc::clone(&plan), job.clone(), self.chunk.max(1));
            walks.spawn(async move { walk(&*source, &plan, &job, &range, limit).await });
        }
        let mut all = Read::default();
        while let Some(ended) = walks.join_next().await {
            all.add(ended.map_err(|error| SidesError::Panicked(error.to_string()))??);
        }
        Ok(all)
    }
}

impl Database {
    /// How many rows the target's own database holds.
    pub(crate) async fn count_stored(&self, agreed: &Agreed) -> Result<u64, SidesError> {
        Ok(self.source.count(&as_stored(agreed)?.entity).await?)
    }

    /// The neutral keys of the source's rows with these source keys. `neutral` is one of [`Agreed::key_columns`]; `all` are the
    /// entities with an extract. A row that is gone, or whose key cannot be made, is left out.
    pub async fn key_lines(
        &self,
        all: &[Arc<Agreed>],
        agreed: &Agreed,
        neutral: &mut Neutral,
        keys: &[SourceKey],
    ) -> Result<Vec<(SourceKey, Vec<u8>)>, SidesError> {
        let plan = as_mapped(agreed)?;
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(1000) {
            let rows = self.source.rows(&plan.entity, keys).await?;
            let items: Vec<Item<'_>> = rows.iter().map(|row| plan.item(row)).collect();
            let naturals = ask::parents(&*self.source, all, agreed, &items).await?;
            for (row, item) in rows.iter().zip(&items) {
                let mut cells = naturals.cells(agreed, item)?;
                cells.truncate(agreed.columns.key());
                let mut line = Vec::new();
                if neutral.push(cells, &mut line).is_ok() {
                    found.push((row.key.clone(), line));
                }
            }
        }
        Ok(found)
    }
}

async fn walk(
    source: &dyn Source,
    plan: &Plan,
    job: &Job,
    range: &KeyRange,
    chunk: u32,
) -> Result<Read, SidesError> {
    let mut desk = Desk::new(job);
    let mut pace = Pace { least: chunk, limit: chunk, most: PAGE.max(chunk) };
    let mut at: Option<SourceKey> = None;
    loop {
        let after = at.clone();
        let (read, batch) = match &job.ask {
            None => scan(source, plan, &mut desk, range, after.as_ref(), pace.limit, &mut at).await?,
            Some(all) => match source.chunk(&plan.entity, range, after.as_ref(), pace.limit).await {
                Ok(rows) => {
                    at = rows.last().map(|row| row.key.clone());
                    let items: Vec<Item<'_>> = rows.iter().map(|row| plan.item(row)).collect();
                    desk.knows(ask::parents(source, all, &job.agreed, &items).await?);
                    let count = u64::try_from(rows.len()).unwrap_or(0);
                    (Ok(count), desk.chunk(items.into_iter())?)
                }
                Err(error) => (Err(error), Batch::default()),
            },
        };
        let bytes = batch.bytes();
        job.send(batch).await?;
        match read {
            Ok(0) => return Ok(desk.done()),
            Ok(rows) => {
                job.rows.fetch_add(rows, Ordering::Relaxed);
                pace.read(rows, bytes);
            }
            // What came before it was taken; the next page begins behind it.
            Err(SourceError::Timeout { .. }) if pace.limit > 1 => pace.slower(),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads one page, whose rows become lines as they arrive. `at` is the key of the last one.
async fn scan(
    source: &dyn Source,
    plan: &Plan,
    desk: &mut Desk,
    range: &KeyRange,
    after: Option<&SourceKey>,
    limit: u32,
    at: &mut Option<SourceKey>,
) -> Result<(Result<u64, SourceError>, Batch), SidesError> {
    let mut batch = Batch::default();
    let mut failed = None;
    let mut take = |row: &Row| {
        *at = Some(row.key.clone());
        if failed.is_none() {
            failed = desk.row(plan, row, &mut batch).err();
        }
    };
    let read = source.scan(&plan.entity, range, after, limit, &mut take).await;
    if let Some(error) = failed {
        return Err(error);
    }
    desk.index()?;
    Ok((read, batch))
}

/// Rows of the next page: from what the site allows to what a page's memory holds.
struct Pace {
    least: u32,
    limit: u32,
    most: u32,
}

impl Pace {
    fn read(&mut self, rows: u64, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).max(1);
        let fit = rows.saturating_mul(PAGE_BYTES) / bytes;
        let fit = u32::try_from(fit).unwrap_or(u32::MAX).min(self.limit.saturating_mul(4));
        self.limit = fit.max(self.least).min(self.most);
    }

    fn slower(&mut self) {
        self.limit = self.limit.div_ceil(2);
        self.most = self.limit;
    }
}

impl Plan {
    /// The row's own columns, in the order of the slots.
    pub(crate) fn cells<'r>(&self, row: &'r Row) -> impl Iterator<Item = Cell<'r>> {
        let value = |index: usize| row.values.get(index).unwrap_or(&Value::Null);
        self.own.iter().map(move |get| match get {
            None => Cell::Missing,
            Some(Get::Column(index)) => Cell::from(value(*index)),
            Some(Get::Field(index)) => {
                self.mapper.as_ref().map_or(Cell::Null, |mapper| field(mapper, row, *index))
            }
        })
    }

    /// The id by which others refer to a row.
    pub(crate) fn id<'r>(&self, row: &'r Row) -> Cow<'r, str> {
        let value = |index: usize| row.values.get(index).unwrap_or(&Value::Null);
        self.id.map_or(Cow::Borrowed(row.key.as_str()), |index| {
            Cow::Owned(value(index).key_text().unwrap_or_default())
        })
    }

    pub(crate) fn item<'r>(&self, row: &'r Row) -> Item<'r> {
        let value = |index: usize| row.values.get(index).unwrap_or(&Value::Null);
        let refs = self.refs.iter().map(|by| {
            for index in by {
                if let Value::Unreadable(problem) = value(*index) {
                    return Cell::Unreadable(Cow::Borrowed(problem));
                }
            }
            let parts: Option<Vec<String>> = by.iter().map(|index| value(*index).key_text()).collect();
            parts.map_or(Cell::Null, |parts| {
                Cell::Text(Cow::Owned(SourceKey::from_parts(&parts).as_str().to_owned()))
            })
        });
        let tenant = row.tenant.as_ref().map(|tenant| Cow::Borrowed(tenant.as_str()));
        Item { id: self.id(row), cells: self.cells(row).collect(), refs: refs.collect(), tenant }
    }
}

/// A field as it would be sent.
fn field<'r>(mapper: &Mapper, row: &'r Row, index: usize) -> Cell<'r> {
    if let Some(text) = mapper.plain(row, index) {
        return Cell::Text(Cow::Borrowed(text));
    }
    match mapper.field(row, index) {
        Ok(Some(json)) => encoded(json),
        Ok(None) => Cell::Null,
        Err(problem) => Cell::Unreadable(problem.into()),
    }
}

/// A mapped field: encoded JSON.
pub(crate) fn encoded(json: String) -> Cell<'static> {
    match json.as_bytes().first() {
        // Without an escape, what stands between the quotes is the text.
        Some(b'"') if json.len() > 1 && !json.contains('\\') => {
            let mut text = json;
            text.pop();
            text.remove(0);
            Cell::Text(Cow::Owned(text))
        }
        Some(b'"') => match serde_json::from_str::<String>(&json) {
            Ok(text) => Cell::Text(Cow::Owned(text)),
            Err(_) => Cell::Unreadable("it is mapped to what is no JSON".into()),
        },
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        Some(b'n') => Cell::Null,
        Some(b'{' | b'[') => Cell::Json(Cow::Owned(json)),
        Some(_) | None => Cell::Text(Cow::Owned(json)),
    }
}

fn unread(entity: &Entity, column: &str) -> SidesError {
    SidesError::Columns {
        entity: entity.name.clone(),
        problem: format!("the column `{column}` is not among those that are read"),
    }
}

/// The source's rows, as they would be sent.
pub(crate) fn as_mapped(agreed: &Agreed) -> Result<Plan, SidesError> {
    let entity = agreed.entity.clone();
    let find = |column: &str| entity.column(column).ok_or_else(|| unread(&entity, column));
    let mapper = Mapper::new(&entity)
        .map_err(|error| SidesError::Columns { entity: entity.name.clone(), problem: error.to_string() })?;
    let own = agreed.slots.iter().map(|slot| match slot {
        Slot::Own(ExtractFrom::Field(index), _) => Ok(Some(Get::Field(*index))),
        Slot::Own(ExtractFrom::Column(name), _) => find(name).map(|index| Some(Get::Column(index))),
        Slot::Own(ExtractFrom::Parent { .. }, _) | Slot::Parent { .. } | Slot::Tenant => Ok(None),
    });
    let own = own.collect::<Result<_, _>>()?;
    let refs = agreed.refs.iter().map(|reach| reach.reference.by.iter().map(|by| find(by)).collect());
    let refs = refs.collect::<Result<_, _>>()?;
    Ok(Plan { mapper: Some(mapper), own, refs, id: None, entity })
}

/// The rows of the target's own database.
fn as_stored(agreed: &Agreed) -> Result<Plan, SidesError> {
    let missing = || SidesError::NoPlace { entity: agreed.entity.name.clone(), key: "stored" };
    let Stored { relation, key, filters, id } = agreed.entity.stored.clone().ok_or_else(missing)?;
    let mut columns = key.clone();
    let mut read = |name: &str| {
        columns.iter().position(|column| column == name).unwrap_or_else(|| {
            columns.push(name.to_owned());
            columns.len() - 1
        })
    };
    let id = Some(read(&id));
    let called = |at: &Option<String>, name: &str| {
        at.as_deref().map_or_else(|| name.to_owned(), |at| at.trim_start_matches('/').to_owned())
    };
    let names = agreed.columns.all().iter().map(|column| column.name.as_str());
    let own = agreed.slots.iter().zip(names).map(|(slot, name)| match slot {
        Slot::Own(_, at) => Some(Get::Column(read(&called(at, name)))),
        Slot::Parent { .. } | Slot::Tenant => None,
    });
    let own = own.collect();
    let refs =
        agreed.refs.iter().map(|reach| vec![read(&called(&reach.at, &reach.reference.field))]).collect();
    let entity = Entity {
        relation,
        key,
        filters,
        generation: None,
        tenant: TenantPath::None,
        columns,
        ..agreed.entity.clone()
    };
    Ok(Plan { entity, mapper: None, own, refs, id })
}
