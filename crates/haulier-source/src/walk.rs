//! An entity made ready to be read: checked against the catalogue, its statements written once.

use haulier_core::SourceKey;
use haulier_core::plan::{Entity, Filter};

use crate::catalogue::{Around, BindAs, Described, DescribedColumn, Form};
use crate::driver::{Bind, Driver};
use crate::fault::Fault;
use crate::relation::{describe, find, refused};
use crate::row::{bound, moment};
use crate::sql::{Condition, Dialect, KeyColumn, Pages, Statement, Tenants, Test};
use crate::tenant::{self, Parents};

/// An entity made ready.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What it was made of.
    pub(crate) entity: Entity,
    /// What each read column looks like: the entity's columns, then what else is read of a row.
    pub(crate) forms: Vec<Form>,
    /// The key's columns.
    pub(crate) key: Vec<KeyPart>,
    /// Where the generation stands in a row as read.
    pub(crate) generation: Option<usize>,
    pub(crate) tenant: TenantRead,
    /// Values of the filters, as they are bound.
    pub(crate) filters: Vec<Bind>,
    /// The same of the tenants' keys.
    pub(crate) tenants: Vec<Bind>,
    pub(crate) pages: Pages,
    /// `chunk` without ends; behind a key; up to a key; between two keys.
    pub(crate) chunks: [Statement; 4],
    pub(crate) count: Statement,
    /// Tells whether the last key of a page has a twin; `None` where an index rules that out.
    pub(crate) twin: Option<Statement>,
    /// Tell whether a key column that may be NULL is.
    pub(crate) nulls: Vec<(String, Statement)>,
}

/// A column of the key.
#[derive(Debug)]
pub(crate) struct KeyPart {
    pub(crate) column: String,
    /// Its position in a row as read.
    pub(crate) position: usize,
    pub(crate) bind: BindAs,
    pub(crate) form: Form,
}

/// Where a row's tenant stands.
#[derive(Debug)]
pub(crate) enum TenantRead {
    None,
    /// The row's own key.
    Own,
    /// These positions in a row as read.
    At(Vec<usize>),
}

/// Looks everything up that the entity names.
pub(crate) async fn prepare(driver: &dyn Driver, entity: &Entity) -> Result<Walk, Fault> {
    let relation = describe(driver, &entity.relation, None).await?;
    let mut draft = Draft { dialect: driver.dialect(), select: Vec::new(), forms: Vec::new() };
    for name in &entity.columns {
        let column = find(&relation, name)?;
        let operand = draft.operand(name);
        draft.read(&column.read, &operand, column.form);
    }
    let (key, key_columns, nullable) = draft.key(&relation, entity)?;
    let generation = draft.generation(&relation, entity)?;
    let mut proven = relation.proves_unique(&entity.key);
    let mut joins = String::new();
    let mut holders = Vec::new();
    let tenant = match tenant::parents(driver, &relation, &entity.tenant).await? {
        Parents::None => TenantRead::None,
        Parents::Own => {
            for name in &entity.key {
                holders.push((find(&relation, name)?.clone(), draft.operand(name)));
            }
            TenantRead::Own
        }
        Parents::Joined { from, root, proven: single } => {
            joins = from;
            proven &= single;
            let read = |(column, operand): &(DescribedColumn, String)| {
                draft.read(&column.read, operand, column.form)
            };
            let at = root.iter().map(read).collect();
            holders = root;
            TenantRead::At(at)
        }
    };
    let (chosen, tenants) = choose(entity, &holders).unzip();
    let (conditions, filters) = draft.conditions(&relation, entity)?;
    let relation = format!("{} as r", relation.from);
    let Draft { dialect, select, forms } = draft;
    let pages = Pages { dialect, select, relation, joins, conditions, key: key_columns, tenants: chosen };
    let nulls = key.iter().enumerate().filter(|(index, _)| nullable[*index]);
    Ok(Walk {
        entity: entity.clone(),
        forms,
        generation,
        tenant,
        filters,
        tenants: tenants.unwrap_or_default(),
        chunks: [
            pages.chunk(false, false),
            pages.chunk(true, false),
            pages.chunk(false, true),
            pages.chunk(true, true),
        ],
        count: pages.count(),
        twin: (!proven).then(|| pages.same_key()),
        nulls: nulls
            .filter_map(|(index, part)| Some((part.column.clone(), pages.null_key(index)?)))
            .collect(),
        key,
        pages,
    })
}

/// The chosen tenants, and their keys as they are bound; nothing where the reading is not narrowed.
fn choose(entity: &Entity, holders: &[(DescribedColumn, String)]) -> Option<(Tenants, Vec<Bind>)> {
    let keys = entity.filters.iter().find_map(|filter| match filter {
        Filter::Tenants(keys) => Some(keys),
        Filter::In { .. } | Filter::NotIn { .. } | Filter::IsNull(_) | Filter::NotNull(_) => None,
    })?;
    // What does not compare reliably narrows nothing: who asked looks at each row's tenant anyway.
    if holders.iter().any(|(column, _)| column.bind == BindAs::Never) {
        return None;
    }
    let of = |key: &SourceKey| {
        let parts = key.parts();
        let fits = parts.len() == holders.len() && !holders.is_empty();
        let part = |((column, _), text): (&(DescribedColumn, String), &String)| bound(column.bind, text);
        // A key that no row can have is that of no tenant.
        if fits { holders.iter().zip(&parts).map(part).collect::<Option<Vec<Bind>>>() } else { None }
    };
    let binds: Vec<Vec<Bind>> = keys.iter().filter_map(of).collect();
    let key = holders.iter().map(|(column, operand)| KeyColumn {
        operand: column.order.put(operand),
        place: column.place.clone(),
    });
    Some((Tenants { key: key.collect(), count: binds.len() }, binds.concat()))
}

/// What is read of a row, while it is being put together.
struct Draft {
    dialect: Dialect,
    select: Vec<String>,
    forms: Vec<Form>,
}

impl Draft {
    fn operand(&self, name: &str) -> String {
        format!("r.{}", self.dialect.quoted(name))
    }

    /// Adds a column and returns its position.
    fn read(&mut self, around: &Around, operand: &str, form: Form) -> usize {
        self.select.push(around.put(operand));
        self.forms.push(form);
        self.forms.len() - 1
    }

    #[expect(clippy::type_complexity, reason = "three lists of the same length, taken apart at once")]
    fn key(
        &mut self,
        relation: &Described,
        entity: &Entity,
    ) -> Result<(Vec<KeyPart>, Vec<KeyColumn>, Vec<bool>), Fault> {
        if entity.key.is_empty() {
            return Err(refused("the entity has no key".to_owned(), None));
        }
        let (mut parts, mut columns, mut nullable) = (Vec::new(), Vec::new(), Vec::new());
        for name in &entity.key {
            let column = find(relation, name)?;
            if column.bind == BindAs::Never {
                let problem =
                    format!("{} has the key column `{name}` of type {}", relation.label, column.type_name);
                return Err(refused(problem, Some("values of this type do not compare exactly".to_owned())));
            }
            let operand = self.operand(name);
            let position = match entity.column(name) {
                Some(position) => position,
                None => self.read(&column.read, &operand, column.form),
            };
            parts.push(KeyPart { column: name.clone(), position, bind: column.bind, form: column.form });
            columns.push(KeyColumn { operand: column.order.put(&operand), place: column.place.clone() });
            nullable.push(column.nullable);
        }
        Ok((parts, columns, nullable))
    }

    fn generation(&mut self, relation: &Described, entity: &Entity) -> Result<Option<usize>, Fault> {
        let Some(name) = &entity.generation else { return Ok(None) };
        let column = find(relation, name)?;
        let Some((around, form)) = &column.generation else {
            let problem =
                format!("{} has the generation `{name}` of type {}", relation.label, column.type_name);
            return Err(refused(
                problem,
                Some("a generation is an integer that grows, or a timestamp".to_owned()),
            ));
        };
        let operand = self.operand(name);
        Ok(Some(self.read(around, &operand, *form)))
    }

    /// The filters' tests, and their values as they are bound.
    fn conditions(
        &self,
        relation: &Described,
        entity: &Entity,
    ) -> Result<(Vec<Condition>, Vec<Bind>), Fault> {
        let (mut conditions, mut binds) = (Vec::new(), Vec::new());
        for filter in &entity.filters {
            let (name, values, test) = match filter {
                Filter::In { column, values } => (column, &**values, Test::In(values.len())),
                Filter::NotIn { column, values } => (column, &**values, Test::NotIn(values.len())),
                Filter::IsNull(column) => (column, &[][..], Test::IsNull),
                Filter::NotNull(column) => (column, &[][..], Test::NotNull),
                Filter::Tenants(_) => continue,
            };
            let (column, operand) = (find(relation, name)?, self.operand(name));
            if matches!(test, Test::IsNull | Test::NotNull) {
                conditions.push(Condition { operand, test });
                continue;
            }
            if values.is_empty() {
                return Err(refused(format!("the filter on `{name}` has no values"), None));
            }
            conditions.push(Condition { operand: column.as_text.put(&operand), test });
            if self.dialect.has_arrays() {
                binds.push(Bind::Texts(values.to_vec()));
            } else if column.bind == BindAs::Moment {
                binds.extend(values.iter().map(|value| Bind::Text(moment(value))));
            } else {
                binds.extend(values.iter().map(|value| Bind::Text(value.clone())));
            }
        }
        Ok((conditions, binds))
    }
}
