//! An entity made ready to be read: checked against the catalogue, its statements written once.

use haulier_core::plan::{Entity, Filter, Relation, TenantPath};

use crate::catalogue::{Around, BindAs, Described, DescribedColumn, Form, nearest};
use crate::driver::{Bind, Driver};
use crate::fault::Fault;
use crate::sql::{Condition, KeyColumn, Pages, Statement, Test};

/// An entity made ready.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What it was made of.
    pub(crate) entity: Entity,
    /// What each read column looks like: the entity's columns, then the generation, then the tenant's key.
    pub(crate) forms: Vec<Form>,
    /// The key's columns.
    pub(crate) key: Vec<KeyPart>,
    pub(crate) generation: Option<usize>,
    pub(crate) tenant: TenantRead,
    /// Values of the filters, as they are bound.
    pub(crate) filters: Vec<Bind>,
    pub(crate) pages: Pages,
    /// `chunk` without an end; with a beginning; with an end; with both.
    pub(crate) chunks: [Statement; 4],
    /// Tells whether the last key of a page has a twin; `None` where an index rules that out.
    pub(crate) twin: Option<Statement>,
    /// Tell whether a key column that may be NULL is.
    pub(crate) nulls: Vec<(String, Statement)>,
    /// The relation alone.
    pub(crate) from: String,
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

/// What is wrong with a plan, and what helps.
pub(crate) fn refused(problem: String, hint: Option<String>) -> Fault {
    Fault::Refused { cause: problem, hint }
}

/// Looks everything up that the entity names.
pub(crate) async fn prepare(driver: &dyn Driver, entity: &Entity) -> Result<Walk, Fault> {
    let relation = describe(driver, &entity.relation, None).await?;
    let dialect = driver.dialect();
    let column_of =
        |described: &Described, alias: &str, name: &str| -> Result<(DescribedColumn, String), Fault> {
            let column = find(described, name)?;
            Ok((column.clone(), format!("{alias}.{}", dialect.quoted(name))))
        };
    let mut select = Vec::new();
    let mut forms = Vec::new();
    for name in &entity.columns {
        let (column, operand) = column_of(&relation, "r", name)?;
        select.push(column.read.put(&operand));
        forms.push(column.form);
    }
    let mut key = Vec::new();
    let mut key_columns = Vec::new();
    if entity.key.is_empty() {
        return Err(refused("the entity has no key".to_owned(), None));
    }
    for name in &entity.key {
        let (column, operand) = column_of(&relation, "r", name)?;
        if column.bind == BindAs::Never {
            let problem =
                format!("{} has the key column `{name}` of type {}", relation.label, column.type_name);
            return Err(refused(problem, Some("values of this type do not compare exactly".to_owned())));
        }
        let position = if let Some(position) = entity.column(name) {
            position
        } else {
            select.push(column.read.put(&operand));
            forms.push(column.form);
            forms.len() - 1
        };
        key.push(KeyPart { column: name.clone(), position, bind: column.bind, form: column.form });
        key_columns
            .push((KeyColumn { operand: column.order.put(&operand), place: column.place }, column.nullable));
    }
    let generation = match &entity.generation {
        None => None,
        Some(name) => {
            let (column, operand) = column_of(&relation, "r", name)?;
            let Some((around, form)) = column.generation else {
                let problem =
                    format!("{} has the generation `{name}` of type {}", relation.label, column.type_name);
                return Err(refused(
                    problem,
                    Some("a generation is an integer that grows, or a timestamp".to_owned()),
                ));
            };
            select.push(around.put(&operand));
            forms.push(form);
            Some(forms.len() - 1)
        }
    };
    let mut from = format!("{} as r", relation.from);
    let mut proven = relation.proves_unique(&entity.key);
    let tenant = match root(&entity.tenant) {
        Root::None => TenantRead::None,
        Root::Own => TenantRead::Own,
        Root::Parents => {
            let joined = join(driver, &relation, &entity.tenant).await?;
            from.push_str(&joined.from);
            proven &= joined.proven;
            let first = forms.len();
            for (column, operand) in &joined.root {
                select.push(column.read.put(operand));
                forms.push(column.form);
            }
            TenantRead::At((first..forms.len()).collect())
        }
    };
    let mut filters = Vec::new();
    let mut conditions = Vec::new();
    for filter in &entity.filters {
        let (name, values, test) = match filter {
            Filter::In { column, values } => (column, &**values, Test::In(values.len())),
            Filter::NotIn { column, values } => (column, &**values, Test::NotIn(values.len())),
            Filter::IsNull(column) => (column, &[][..], Test::IsNull),
            Filter::NotNull(column) => (column, &[][..], Test::NotNull),
        };
        let (column, operand) = column_of(&relation, "r", name)?;
        let by_text = matches!(test, Test::In(_) | Test::NotIn(_));
        let around = if by_text { &column.as_text } else { &Around::PLAIN };
        if by_text && values.is_empty() {
            return Err(refused(format!("the filter on `{name}` has no values"), None));
        }
        conditions.push(Condition { operand: around.put(&operand), test });
        if by_text && dialect.has_arrays() {
            filters.push(Bind::Texts(values.to_vec()));
        } else {
            filters.extend(values.iter().map(|value| Bind::Text(value.clone())));
        }
    }
    let nullable: Vec<bool> = key_columns.iter().map(|(_, nullable)| *nullable).collect();
    let key_columns = key_columns.into_iter().map(|(column, _)| column).collect();
    let pages = Pages { dialect, select, from, conditions, key: key_columns };
    let mut nulls = Vec::new();
    for (index, part) in key.iter().enumerate() {
        if nullable[index]
            && let Some(statement) = pages.null_key(index)
        {
            nulls.push((part.column.clone(), statement));
        }
    }
    Ok(Walk {
        entity: entity.clone(),
        forms,
        key,
        generation,
        tenant,
        filters,
        chunks: [
            pages.chunk(false, false),
            pages.chunk(true, false),
            pages.chunk(false, true),
            pages.chunk(true, true),
        ],
        twin: (!proven).then(|| pages.same_key()),
        nulls,
        from: relation.from,
        pages,
    })
}

enum Root {
    None,
    Own,
    Parents,
}

fn root(path: &TenantPath) -> Root {
    match path {
        TenantPath::None => Root::None,
        TenantPath::Own => Root::Own,
        TenantPath::Parent { next, .. } => match root(next) {
            Root::None => Root::None,
            Root::Own | Root::Parents => Root::Parents,
        },
    }
}

/// The parents of a tenant path, joined.
struct Joined {
    from: String,
    /// The root's key.
    root: Vec<(DescribedColumn, String)>,
    /// Whether no parent can double a row.
    proven: bool,
}

async fn join(driver: &dyn Driver, child: &Described, path: &TenantPath) -> Result<Joined, Fault> {
    let dialect = driver.dialect();
    let mut joined = Joined { from: String::new(), root: Vec::new(), proven: true };
    let (mut child, mut alias) = (child.clone(), "r".to_owned());
    let (mut path, mut level) = (path, 0);
    while let TenantPath::Parent { entity, relation, key, by, next } = path {
        let parent = describe(driver, relation, Some(entity.as_str())).await?;
        if key.is_empty() || key.len() != by.len() {
            let problem =
                format!("its parent `{entity}` has {} key columns, and {} refer to it", key.len(), by.len());
            return Err(refused(problem, None));
        }
        level += 1;
        let name = format!("t{level}");
        let mut pairs = Vec::new();
        joined.root.clear();
        for (there, here) in key.iter().zip(by) {
            let column = find(&parent, there)?.clone();
            find(&child, here)?;
            let operand = format!("{name}.{}", dialect.quoted(there));
            pairs.push(format!("{operand} = {alias}.{}", dialect.quoted(here)));
            joined.root.push((column, operand));
        }
        joined.from.push_str(
            &format_args!(" left join {} as {name} on {}", parent.from, pairs.join(" and ")).to_string(),
        );
        joined.proven &= parent.proves_unique(key);
        (child, alias, path) = (parent, name, &**next);
    }
    Ok(joined)
}

async fn describe(
    driver: &dyn Driver,
    relation: &Relation,
    parent: Option<&str>,
) -> Result<Described, Fault> {
    if let Some(described) = driver.describe(relation).await? {
        return Ok(described);
    }
    let (name, label) = match relation {
        Relation::Query(_) => return Err(refused("its query has no columns".to_owned(), None)),
        Relation::Table { schema: None, name } => (name.clone(), name.clone()),
        Relation::Table { schema: Some(schema), name } => (name.clone(), format!("{schema}.{name}")),
    };
    let known = driver.relations().await?;
    let hint = nearest(&name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    let whose = parent.map_or_else(String::new, |parent| format!(" of its parent `{parent}`"));
    Err(refused(format!("the source has no table or view `{label}`{whose}"), hint))
}

fn find<'a>(described: &'a Described, name: &str) -> Result<&'a DescribedColumn, Fault> {
    described.column(name).ok_or_else(|| {
        let names = described.columns.iter().map(|column| &*column.name);
        let hint = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
        refused(format!("{} has no column `{name}`", described.label), hint)
    })
}
