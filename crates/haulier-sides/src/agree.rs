//! An entity's extract made ready: the neutral column set, and which value each column takes.

use std::collections::HashMap;

use haulier_core::EntityName;
use haulier_core::plan::{
    BinaryText, Entity, Extract, ExtractColumn, ExtractFrom, Neutral, NeutralRules, Plan, Reference,
    TenantPath,
};
use haulier_core::schema::{Column as SourceColumn, ColumnKind};
use haulier_validator::neutral::{BytesAs, Column, Columns, Excess, Kind, Rule, Spelling};

use crate::SidesError;

/// The name of the column that says whose a row is, where no other column does.
const TENANT: &str = "tenant";

/// What one entity's rows are compared by.
#[derive(Debug, Clone)]
pub struct Agreed {
    /// The entity.
    pub entity: Entity,
    /// The neutral columns, the key's first.
    pub columns: Columns,
    /// Which of them names the tenant.
    pub tenant: Option<usize>,
    /// One for each of the columns.
    pub(crate) slots: Vec<Slot>,
    /// What the slots go through, each once.
    pub(crate) refs: Vec<Reach>,
    /// Which of `refs` leads to the tenant.
    pub(crate) up: Option<usize>,
    /// Whether the entity's records are the tenants.
    pub(crate) is_tenant: bool,
}

/// Where one column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The row itself: the column of the extract at this position.
    Own(ExtractFrom, Option<String>),
    /// A part of the natural key of what `refs` at this position points to.
    Parent { reach: usize, part: usize },
    /// The natural key of the record's tenant.
    Tenant,
}

/// A reference, and where the target tells its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) reference: Reference,
    pub(crate) at: Option<String>,
}

impl Agreed {
    /// The key's columns alone.
    #[must_use]
    pub fn key_columns(&self) -> Columns {
        let key = self.columns.all().iter().take(self.columns.key()).cloned().collect();
        // A part of a column set is one.
        Columns::new(key, Vec::new()).unwrap_or_else(|_| self.columns.clone())
    }

    /// Entities whose natural keys stand in these rows, or lead to their tenant.
    pub fn needs(&self) -> impl Iterator<Item = &EntityName> {
        self.refs.iter().map(|reach| &reach.reference.entity)
    }
}

/// What the source reads the columns of each entity as.
pub type Types = HashMap<EntityName, Vec<SourceColumn>>;

/// Makes an entity's extract ready.
pub fn agree(plan: &Plan, entity: &Entity, types: &Types) -> Result<Agreed, SidesError> {
    let extract = entity.extract.as_ref().ok_or_else(|| SidesError::NoExtract(entity.name.clone()))?;
    let wrong = |problem: String| SidesError::Columns { entity: entity.name.clone(), problem };
    let mut refs: Vec<Reach> = Vec::new();
    let (mut columns, mut slots) = (Vec::new(), Vec::new());
    for column in &extract.columns {
        let kind = kind(plan, entity, column, types).ok_or_else(|| {
            wrong(format!(
                "nobody says what the column `{0}` of its extract holds: write {{ column = \"{0}\", as = \"...\" }}",
                column.name
            ))
        })?;
        columns.push(neutral(&column.name, &kind, &column.rules));
        slots.push(match &column.from {
            ExtractFrom::Parent { reference, part } => {
                let other = of(plan, &reference.entity).and_then(|other| other.extract.as_ref());
                let part = other.and_then(|other| position(other, part)).ok_or_else(|| {
                    wrong(format!("`{}` is not in the extract of entity `{}`", part, reference.entity))
                })?;
                Slot::Parent { reach: reach(&mut refs, reference, column.at.as_ref()), part }
            }
            from @ (ExtractFrom::Field(_) | ExtractFrom::Column(_)) => {
                Slot::Own(from.clone(), column.at.clone())
            }
        });
    }
    let is_tenant = entity.tenant == TenantPath::Own;
    let mut up = None;
    let mut tenant = is_tenant.then_some(0);
    if let Some(reference) = leads_up(plan, entity) {
        let index = reach(&mut refs, reference, None);
        up = Some(index);
        let root = of(plan, &plan.tenant).and_then(|root| root.extract.as_ref());
        let direct = slots.iter().position(|slot| {
            matches!(slot, Slot::Parent { reach, .. } if *reach == index) && reference.entity == plan.tenant
        });
        match root {
            Some(root) if root.key == 1 && direct.is_some() => tenant = direct,
            Some(root) if !extract.columns.iter().any(|column| column.name == TENANT) => {
                // One part is written as the tenant's own extract writes it; several are joined as they are.
                let kind = match (root.key, root.columns.first()) {
                    (1, Some(part)) => {
                        let root = of(plan, &plan.tenant).unwrap_or(entity);
                        let kind = kind(plan, root, part, types).unwrap_or(Neutral::Text);
                        neutral(TENANT, &kind, &part.rules)
                    }
                    _ => neutral(TENANT, &Neutral::Text, &NeutralRules::default()),
                };
                tenant = Some(columns.len());
                columns.push(kind);
                slots.push(Slot::Tenant);
            }
            Some(_) | None => {}
        }
    }
    let others = columns.split_off(extract.key);
    let columns = Columns::new(columns, others).map_err(|error| wrong(error.to_string()))?;
    Ok(Agreed { entity: entity.clone(), columns, tenant, slots, refs, up, is_tenant })
}

fn of<'p>(plan: &'p Plan, name: &EntityName) -> Option<&'p Entity> {
    plan.entity(name)
}

/// The position of a part among an extract's key columns.
fn position(extract: &Extract, part: &str) -> Option<usize> {
    extract.columns.iter().take(extract.key).position(|column| column.name == part)
}

/// The reference that leads to the tenant, where every record on the way has an extract.
fn leads_up<'e>(plan: &Plan, entity: &'e Entity) -> Option<&'e Reference> {
    let mut path = &entity.tenant;
    let TenantPath::Parent { entity: parent, by, .. } = path else { return None };
    while let TenantPath::Parent { entity, next, .. } = path {
        of(plan, entity)?.extract.as_ref()?;
        path = next;
    }
    entity.refs.iter().find(|reference| reference.entity == *parent && reference.by == *by)
}

fn reach(refs: &mut Vec<Reach>, reference: &Reference, at: Option<&String>) -> usize {
    if let Some(known) = refs.iter().position(|known| known.reference.field == reference.field) {
        if let (Some(known), Some(_)) = (refs.get_mut(known), at) {
            known.at = at.cloned();
        }
        return known;
    }
    refs.push(Reach { reference: reference.clone(), at: at.cloned() });
    refs.len() - 1
}

/// The declared type, or the one that follows from what the source reads.
fn kind(plan: &Plan, entity: &Entity, column: &ExtractColumn, types: &Types) -> Option<Neutral> {
    if let Some(kind) = &column.kind {
        return Some(kind.clone());
    }
    let name = match &column.from {
        ExtractFrom::Field(index) => match &entity.fields.get(*index)?.source {
            haulier_core::plan::FieldSource::Column { column, .. } => column,
            haulier_core::plan::FieldSource::Constant(_) => return None,
        },
        ExtractFrom::Column(name) => name,
        ExtractFrom::Parent { reference, part } => {
            let other = of(plan, &reference.entity)?;
            let column = other.extract.as_ref()?.columns.iter().find(|column| column.name == *part)?;
            return kind(plan, other, column, types);
        }
    };
    read_as(entity, name, types)
}

/// What the source reads a column as.
pub(crate) fn read_as(entity: &Entity, name: &str, types: &Types) -> Option<Neutral> {
    let column = types.get(&entity.name)?.iter().find(|column| column.name == *name)?;
    Some(match column.kind {
        ColumnKind::Boolean => Neutral::Boolean,
        ColumnKind::Integer => Neutral::Integer,
        ColumnKind::Number => Neutral::Decimal(None),
        ColumnKind::Float => Neutral::Float,
        ColumnKind::Text => Neutral::Text,
        ColumnKind::Bytes => Neutral::Binary(BinaryText::Base64),
        ColumnKind::Timestamp | ColumnKind::LocalTimestamp => {
            Neutral::Timestamp { precision: 6, cut: false, zone: None }
        }
        ColumnKind::Date => Neutral::Date,
        ColumnKind::Time => Neutral::Time,
        ColumnKind::Json => Neutral::Json,
        ColumnKind::List => Neutral::List { set: false, separator: None },
    })
}

/// The validator's column.
pub(crate) fn neutral(name: &str, kind: &Neutral, rules: &NeutralRules) -> Column {
    let mut spelling = Spelling::default();
    let kind = match kind {
        Neutral::Integer => Kind::Integer,
        Neutral::Decimal(scale) => Kind::Decimal(*scale),
        Neutral::Float => Kind::Float,
        Neutral::Boolean => Kind::Boolean,
        Neutral::Timestamp { precision, cut, zone } => {
            spelling.zone.clone_from(zone);
            Kind::Timestamp { precision: *precision, excess: if *cut { Excess::Cut } else { Excess::Refuse } }
        }
        Neutral::Date => Kind::Date,
        Neutral::Time => Kind::Time,
        Neutral::Text => Kind::Text,
        Neutral::Json => {
            spelling.json_in_text = true;
            Kind::Json
        }
        Neutral::List { set, separator } => {
            spelling.separator = *separator;
            Kind::List { set: *set, numbers: false }
        }
        Neutral::Uuid => Kind::Uuid,
        Neutral::Binary(BinaryText::Base64) => {
            spelling.bytes = BytesAs::Base64;
            Kind::Binary
        }
        Neutral::Binary(BinaryText::Hex) => {
            spelling.bytes = BytesAs::Hex;
            Kind::Binary
        }
    };
    let flags = [
        (rules.missing_is_null, Rule::MissingAsNull),
        (rules.nfc, Rule::Nfc),
        (rules.trim, Rule::Trim),
        (rules.lower, Rule::Lower),
        (rules.empty_is_null, Rule::EmptyAsNull),
    ];
    Column {
        name: name.to_owned(),
        kind,
        rules: flags.into_iter().filter_map(|(set, rule)| set.then_some(rule)).collect(),
        hashed: rules.pii,
        source: spelling.clone(),
        // The source's values are mapped by the plan's `fields` already.
        target: Spelling { map: rules.map.clone(), ..spelling },
    }
}
