//! What the source's rows say about keys and references: duplicates, NULLs, and rows whose parent is not there.

use haulier_core::SourceKey;
use haulier_core::plan::{Entity, NaturalPart, OrphanPolicy, Plan, Relation, TenantPath};
use haulier_core::port::{KeyRange, SightingIntent, Source};
use haulier_core::schema::{ForeignKey, Schema, Table};
use haulier_producer::mapping::Mapper;
use haulier_validator::sort::{SortOptions, Sorter};

use super::{Finding, bad, good};
use crate::error::CliError;
use crate::ui::grouped;

/// Rows of one read.
const CHUNK: u32 = 2000;
/// What the search for doubled keys may hold in memory.
const MEMORY: usize = 32 << 20;
/// Doubled rows that are named.
const NAMED: usize = 3;

/// What was found about one entity.
pub(super) async fn of(
    source: &dyn Source,
    schema: &Schema,
    plan: &Plan,
    entity: &Entity,
) -> Result<Vec<Finding>, CliError> {
    let Some(table) = table_of(schema, entity) else { return Ok(Vec::new()) };
    let key = source_key(source, table, entity).await?;
    let walkable = key.ok;
    let mut findings = vec![key];
    if entity.deferred_of.is_none() && walkable {
        // Only a walk knows how the producer folds and maps.
        findings.extend(Walk::over(source, entity).await?.findings(entity));
    }
    for reference in &entity.refs {
        let parent = plan.entities.iter().find(|other| other.name == reference.entity);
        let Some((parent, there)) = parent.and_then(|parent| Some((parent, table_of(schema, parent)?)))
        else {
            continue;
        };
        let key = ForeignKey {
            columns: reference.by.clone(),
            table: there.name.clone(),
            referenced: parent.key.clone(),
        };
        let orphans = source.orphans(table, &key).await?;
        let what = format!("source: {}.{} ({})", entity.name, reference.field, reference.by.join(", "));
        let says = format!("{} rows refer to a {} that is not there", grouped(orphans), parent.name);
        findings.push(if orphans == 0 { good(what, says) } else { bad(what, says) });
    }
    Ok(findings)
}

/// The table of an entity; none of a query.
fn table_of<'s>(schema: &'s Schema, entity: &Entity) -> Option<&'s Table> {
    let Relation::Table { name, .. } = &entity.relation else { return None };
    schema.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
}

async fn source_key(source: &dyn Source, table: &Table, entity: &Entity) -> Result<Finding, CliError> {
    let (rows, distinct, nulls) = source.key_quality(table, &entity.key).await?;
    let duplicates = rows.saturating_sub(nulls).saturating_sub(distinct);
    let what = format!("source: key of {} ({})", entity.name, entity.key.join(", "));
    Ok(judged(what, rows, duplicates, nulls, ""))
}

fn judged(what: String, rows: u64, duplicates: u64, nulls: u64, more: &str) -> Finding {
    let says =
        format!("{} rows, {} duplicates, {} NULLs{more}", grouped(rows), grouped(duplicates), grouped(nulls));
    if duplicates + nulls == 0 { good(what, says) } else { bad(what, says) }
}

/// What a walk over all rows has counted.
#[derive(Debug, Default)]
struct Walk {
    rows: u64,
    /// Rows beyond the first of each natural key.
    duplicates: u64,
    /// Keys of the first of them, each with that of the row that it doubles.
    named: Vec<(String, String)>,
    nulls: u64,
    unmapped: u64,
    without_tenant: u64,
}

impl Walk {
    async fn over(source: &dyn Source, entity: &Entity) -> Result<Self, CliError> {
        let mapper = Mapper::new(entity).map_err(CliError::bug)?;
        let mut walk = Self::default();
        // Digest, then source key: equal natural keys come one after the other, whatever their number.
        let mut sorter = Sorter::new(SortOptions { memory: MEMORY, threads: 1, ..SortOptions::default() });
        let mut after: Option<SourceKey> = None;
        loop {
            let rows = source.chunk(entity, &KeyRange::default(), after.as_ref(), CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            for row in &rows {
                walk.rows += 1;
                let led = row.tenant.is_some() || entity.tenant == TenantPath::None;
                walk.without_tenant += u64::from(!led);
                let sighting = mapper.map(row).sighting;
                match (&sighting.intent, sighting.natural) {
                    (_, Some(natural)) => {
                        let mut line = natural.0.to_vec();
                        line.extend_from_slice(sighting.key.as_str().as_bytes());
                        sorter.push(&line).map_err(CliError::bug)?;
                    }
                    (SightingIntent::Skip(_), None) => {}
                    (SightingIntent::Refuse(_), None) => walk.unmapped += u64::from(led),
                    (SightingIntent::Send | SightingIntent::SendIfLanded, None) => {
                        walk.nulls += u64::from(!entity.natural_key.is_empty());
                    }
                }
            }
        }
        let mut sorted = sorter.finish().map_err(CliError::bug)?;
        let mut first: (Vec<u8>, String) = (Vec::new(), String::new());
        while let Some(line) = sorted.next_line().map_err(CliError::bug)? {
            let Some((digest, key)) = line.split_first_chunk::<16>() else { continue };
            let key = String::from_utf8_lossy(key).into_owned();
            if first.0 == digest {
                walk.duplicates += 1;
                if walk.named.len() < NAMED {
                    walk.named.push((first.1.clone(), key));
                }
            } else {
                first = (digest.to_vec(), key);
            }
        }
        Ok(walk)
    }

    fn findings(&self, entity: &Entity) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !entity.natural_key.is_empty() {
            let parts: Vec<String> = entity.natural_key.iter().map(|part| part_of(entity, part)).collect();
            let folds = [(entity.fold.trim, "blanks at the ends"), (entity.fold.case, "letter case")];
            let folds: Vec<&str> = folds.into_iter().filter_map(|(set, word)| set.then_some(word)).collect();
            let mut more =
                if folds.is_empty() { String::new() } else { format!(" (without {})", folds.join(" and ")) };
            more.extend(self.named.iter().map(|(one, other)| format!("; {other} doubles {one}")));
            if self.unmapped > 0 {
                more.extend([format!("; {} rows cannot be mapped", grouped(self.unmapped))]);
            }
            let what = format!("source: natural key of {} ({})", entity.name, parts.join(", "));
            findings.push(judged(what, self.rows, self.duplicates, self.nulls, &more));
        }
        if matches!(entity.tenant, TenantPath::Parent { .. }) {
            let what = format!("source: tenant of {}", entity.name);
            let count = grouped(self.without_tenant);
            findings.push(match &entity.orphans {
                OrphanPolicy::Stop if self.without_tenant > 0 => {
                    bad(what, format!("{count} rows lead to no tenant, and the plan stops at such rows"))
                }
                OrphanPolicy::Stop => good(what, "every row leads to one"),
                OrphanPolicy::Skip => good(what, format!("{count} rows lead to none and are left out")),
                OrphanPolicy::Attach(to) => {
                    good(what, format!("{count} rows lead to none and are given to {to}"))
                }
            });
        }
        findings
    }
}

fn part_of(entity: &Entity, part: &NaturalPart) -> String {
    match part {
        NaturalPart::Column(column) => column.clone(),
        NaturalPart::Reference { index, column } => {
            let of = entity.refs.get(*index).map(|reference| reference.entity.to_string());
            format!("{}.{column}", of.unwrap_or_default())
        }
    }
}
