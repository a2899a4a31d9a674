//! Both sides of the migration, opened for reading, and what they have agreed on.

mod spill;
mod standing;
mod stream;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use haulier_core::plan::{Entity, Plan, TenantPath};
use haulier_core::{EntityName, SourceKey};
use haulier_sides::{Agreed, Database, Lists, Naturals, Reader, Types};
use haulier_validator::neutral::{Columns, Neutral, Side};

use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui::grouped;

pub(crate) use spill::sort_options;
pub(crate) use standing::{Standing, each, standings};
pub(crate) use stream::stream;

/// Problems that an error lists.
const LISTED: usize = 20;

/// Ids of tenants on one side, and their keys in the source.
pub(crate) type Ids = HashMap<String, SourceKey>;

/// Both sides.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) plan: Arc<Plan>,
    /// Every entity that has an extract, in the plan's order.
    pub(crate) agreed: Vec<Arc<Agreed>>,
    /// The source's database.
    pub(crate) database: Database,
    source: Reader,
    target: Reader,
    /// What the source reads the columns as.
    pub(crate) types: Types,
    pub(crate) hash_key: Option<Vec<u8>>,
    pub(crate) memory: usize,
    /// The state folder.
    pub(crate) state: PathBuf,
    fingerprints: [String; 2],
}

/// One side while its entities are read one after the other: what it has learnt of their natural keys.
#[derive(Debug)]
pub(crate) struct OneSide<'s> {
    pub(crate) all: &'s Sides,
    pub(crate) side: Side,
    pub(crate) reader: &'s Reader,
    pub(crate) naturals: Naturals,
    pub(crate) rows: Arc<AtomicU64>,
}

impl Sides {
    /// Opens both. The target is not asked yet.
    pub(crate) async fn open(at: &Neighbours) -> Result<Self, CliError> {
        let plan = Arc::clone(&at.plan);
        let source = at.source().await?;
        let proven: Vec<&Entity> = plan.entities.iter().filter(|entity| entity.extract.is_some()).collect();
        if proven.is_empty() {
            return Err(CliError::new(Exit::Plan, "no entity of the plan has an `extract`").hint(
                "name the columns whose agreement is the proof: `extract = [\"external_id\", \"name\"]`",
            ));
        }
        let mut types = Types::new();
        for entity in &proven {
            types.insert(entity.name.clone(), source.columns(entity).await?);
        }
        let agreed = proven.iter().map(|entity| haulier_sides::agree(&plan, entity, &types).map(Arc::new));
        let agreed = agreed.collect::<Result<_, _>>()?;
        let settings = at.produce_settings();
        let database = |source| Database { source, fibres: settings.fibres, chunk: at.chunk() };
        // Beside what the sorts and the natural keys take.
        let listed = sort_options(at.state(), at.validate_memory() / 16, 1, &Arc::default())?;
        let target = match at.target_database().await? {
            Some(source) => Reader::Stored(database(source)),
            None => Reader::Lists(Lists {
                target: at.target()?,
                throttle: Arc::new(haulier_throttle::Flow::new(at.push_rate())),
                pages: at.validate_pages(),
                retry: plan.retry,
                memory: listed.memory,
                spill: listed.spill,
            }),
        };
        Ok(Self {
            agreed,
            types,
            source: Reader::Source(database(Arc::clone(&source))),
            database: database(source),
            target,
            hash_key: at.hash_key()?,
            memory: at.validate_memory(),
            state: at.state().to_owned(),
            fingerprints: at.fingerprints(),
            plan,
        })
    }

    /// What sorts may take of the memory: three quarters. Natural keys of parents take the rest, an eighth on each side.
    pub(crate) fn sort_memory(&self) -> usize {
        self.memory / 4 * 3
    }

    /// One of them.
    pub(crate) fn side(&self, side: Side) -> Result<OneSide<'_>, CliError> {
        let reader = match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        };
        let memory = self.memory / 8;
        let mut sort = sort_options(&self.state, memory, 1, &Arc::default())?;
        sort.threads = 1;
        Ok(OneSide { all: self, side, reader, naturals: Naturals::new(memory, sort), rows: Arc::default() })
    }

    /// What is read on a side; no secret.
    pub(crate) fn fingerprint(&self, side: Side) -> &str {
        let [source, target] = &self.fingerprints;
        match side {
            Side::Source => source,
            Side::Target => target,
        }
    }

    /// How many rows the source has of an entity: of these tenants, or of all when none is named. Nothing where that takes reading
    /// them.
    pub(crate) async fn count(
        &self,
        entity: &Entity,
        tenants: &[SourceKey],
    ) -> Result<Option<u64>, CliError> {
        Ok(Some(match narrow(entity, tenants) {
            Narrow::All => self.database.source.count(entity).await?,
            Narrow::To(entity) => self.database.source.count(&entity).await?,
            Narrow::Nothing => 0,
            Narrow::ByReading => return Ok(None),
        }))
    }

    /// The entities of these names, in the plan's order; all of them when none is named.
    pub(crate) fn chosen(&self, names: &[String]) -> Result<Vec<Arc<Agreed>>, CliError> {
        for name in names {
            if !self.agreed.iter().any(|agreed| agreed.entity.name.as_str() == name) {
                let known: Vec<&str> = self.agreed.iter().map(|agreed| agreed.entity.name.as_str()).collect();
                return Err(CliError::new(
                    Exit::Usage,
                    format!("the plan has no entity `{name}` with an `extract`"),
                )
                .hint(format!("it has {}", known.join(", "))));
            }
        }
        let wanted = |agreed: &&Arc<Agreed>| {
            names.is_empty() || names.iter().any(|name| agreed.entity.name.as_str() == name)
        };
        Ok(self.agreed.iter().filter(wanted).cloned().collect())
    }

    /// A normaliser of an entity's rows.
    pub(crate) fn neutral(&self, agreed: &Agreed, side: Side) -> Result<Neutral, CliError> {
        self.normaliser(agreed, agreed.columns.clone(), side)
    }

    /// A normaliser of an entity's keys.
    pub(crate) fn key_neutral(&self, agreed: &Agreed, side: Side) -> Result<Neutral, CliError> {
        self.normaliser(agreed, agreed.key_columns(), side)
    }

    fn normaliser(&self, agreed: &Agreed, columns: Columns, side: Side) -> Result<Neutral, CliError> {
        Neutral::new(columns, side, self.hash_key.as_deref()).map_err(|error| {
            CliError::new(Exit::Plan, format!("entity `{}`: {error}", agreed.entity.name))
                .hint("`[validate] pii_key = { file = \"...\" }` in the site, of at least 16 bytes")
        })
    }
}

impl OneSide<'_> {
    /// Makes everything known that the rows of an entity need.
    pub(crate) async fn learn(&mut self, agreed: &Agreed) -> Result<(), CliError> {
        Ok(self.reader.learn(&mut self.naturals, &self.all.agreed, agreed, &self.rows).await?)
    }

    /// Whether others of the chosen entities refer to this one, so that its natural keys are kept on the way.
    pub(crate) fn is_needed(&self, agreed: &Agreed, chosen: &[Arc<Agreed>]) -> bool {
        !self.naturals.knows(&agreed.entity.name)
            && chosen.iter().any(|other| other.needs().any(|name| *name == agreed.entity.name))
    }

    /// The ids on this side of tenants that are named by their source keys.
    pub(crate) async fn tenant_ids(&mut self, keys: &[SourceKey]) -> Result<Ids, CliError> {
        let all = self.all;
        let root: &EntityName = &all.plan.tenant;
        let agreed = all.agreed.iter().find(|agreed| agreed.entity.name == *root).cloned();
        let agreed = agreed.ok_or_else(|| {
            CliError::new(Exit::Plan, format!("the tenants' entity `{root}` has no `extract`"))
        })?;
        let mut neutral = all.key_neutral(&agreed, Side::Source)?;
        let lines = all.database.key_lines(&all.agreed, &agreed, &mut neutral, keys).await?;
        for key in keys {
            if !lines.iter().any(|(found, _)| found == key) {
                return Err(CliError::new(Exit::No, format!("the source has no tenant {key}"))
                    .hint(format!("a tenant is named by its key in the source, as `{root}` has it")));
            }
        }
        if self.side == Side::Source {
            return Ok(keys.iter().map(|key| (key.as_str().to_owned(), key.clone())).collect());
        }
        self.reader.learn_all(&mut self.naturals, &all.agreed, vec![root.clone()], &self.rows).await?;
        let mut neutral = all.key_neutral(&agreed, Side::Target)?;
        let wanted: HashMap<Vec<u8>, SourceKey> = lines.into_iter().map(|(key, line)| (line, key)).collect();
        Ok(self.naturals.ids_of(&agreed, &mut neutral, &wanted)?)
    }
}

/// How the reading of an entity's rows is narrowed to tenants.
pub(crate) enum Narrow {
    /// It is not: no tenant is named.
    All,
    /// The database does it.
    To(Box<Entity>),
    /// The entity has no tenants.
    Nothing,
    /// There are too many tenants to ask for.
    ByReading,
}

/// Narrows the reading of an entity's rows to these tenants.
pub(crate) fn narrow(entity: &Entity, tenants: &[SourceKey]) -> Narrow {
    if tenants.is_empty() {
        return Narrow::All;
    }
    if entity.tenant == TenantPath::None {
        return Narrow::Nothing;
    }
    let narrowed = entity.of_tenants(tenants.iter().cloned());
    narrowed.map_or(Narrow::ByReading, |entity| Narrow::To(Box::new(entity)))
}

/// The error of a column that the target does not show in any record: it is called otherwise there, or not sent at all.
pub(crate) fn refuse_lacking(
    agreed: &Agreed,
    side: Side,
    read: &haulier_sides::Read,
) -> Result<(), CliError> {
    let columns = agreed.columns.all().iter().zip(&read.changed);
    let lacking: Vec<&str> = columns
        .filter(|(_, changed)| read.rows > 0 && changed.lacking == read.rows)
        .map(|(column, _)| column.name.as_str())
        .collect();
    let [first, ..] = lacking.as_slice() else { return Ok(()) };
    Err(CliError::new(
        Exit::Plan,
        format!(
            "entity `{}`: the {} shows nothing that is called {} in any of its {} records",
            agreed.entity.name,
            side.as_str(),
            lacking.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            grouped(read.rows)
        ),
    )
    .hint(format!(
        "in `extract`, `{{ column = \"{first}\", at = \"...\" }}` says how the target calls it; `missing_is_null = true` that it leaves out what is NULL"
    )))
}

/// The error of rows that have no neutral form.
pub(crate) fn refused(problems: &[haulier_sides::RowProblem], count: u64) -> CliError {
    let listed: Vec<String> = problems.iter().take(LISTED).map(ToString::to_string).collect();
    let more = count.saturating_sub(u64::try_from(listed.len()).unwrap_or(0));
    let more = if more > 0 { format!("\n... and {more} more") } else { String::new() };
    CliError::new(Exit::No, format!("rows that cannot be compared:\n{}{more}", listed.join("\n")))
        .hint("mend the rows, or declare in the plan's `extract` what the column holds")
}

/// Ids on a side, for a reader's filter.
pub(crate) fn id_set(ids: &HashMap<String, SourceKey>) -> Arc<HashSet<String>> {
    Arc::new(ids.keys().cloned().collect())
}
