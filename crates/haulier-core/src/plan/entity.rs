//! An entity: where its rows come from, whose they are, and how they are pushed and listed.

use super::{Extract, Field, KeyFold, OutcomeRule, PushProgram, UnknownPolicy, Var, Verify};
use crate::{EntityName, SourceKey, TenantKey};

/// A kind of record, read by one keyset walk and sent to one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its name.
    pub name: EntityName,
    /// Where the rows come from.
    pub relation: Relation,
    /// Key columns, in keyset order; unique together and never NULL.
    pub key: Vec<String>,
    /// Rows that are read; all of them when empty.
    pub filters: Vec<Filter>,
    /// The column that holds the generation, where the source keeps one.
    pub generation: Option<String>,
    /// How a row's tenant is found.
    pub tenant: TenantPath,
    /// What happens to a row whose tenant path ends in NULL.
    pub orphans: OrphanPolicy,
    /// Every source column that is read, key columns included, each once.
    pub columns: Vec<String>,
    /// What identifies a record on both sides; empty where the plan names nothing.
    pub natural_key: Vec<NaturalPart>,
    /// How natural keys are compared.
    pub fold: KeyFold,
    /// What is sent, references apart.
    pub fields: Vec<Field>,
    /// References to other records, resolved by the worker.
    pub refs: Vec<Reference>,
    /// Texts that the templates need beside fields and references.
    pub vars: Vec<Var>,
    /// How a record is pushed.
    pub push: PushProgram,
    /// Rules that say what a reply means, before the built-in table; the first match wins.
    pub outcomes: Vec<OutcomeRule>,
    /// How a success is proved.
    pub verify: Verify,
    /// What to do with an unknown outcome that cannot be looked up.
    pub unknown: UnknownPolicy,
    /// Whether the target itself refuses a second record with the same natural key.
    pub target_unique: bool,
    /// For an entity made of a deferred field: the entity whose record is updated.
    pub deferred_of: Option<EntityName>,
    /// How the target lists its records.
    pub listing: Option<Listing>,
    /// Where the target's own database holds its records.
    pub stored: Option<Stored>,
    /// The columns whose agreement on both sides is the proof.
    pub extract: Option<Extract>,
}

/// So many tenants are asked for by their keys; beyond, all rows are read and looked at.
const ASKED: usize = 100;

impl Entity {
    /// The position of a column in a row's `values`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The entity with the rows of these tenants alone; `None` where they are too many to ask for, or no way leads to them.
    /// A source may still give rows of others, where a tenant's key does not compare reliably: whoever reads looks at each row.
    #[must_use]
    pub fn of_tenants(&self, tenants: impl Iterator<Item = SourceKey>) -> Option<Self> {
        let mut keys: Vec<SourceKey> = tenants.take(ASKED + 1).collect();
        if keys.len() > ASKED || self.tenant == TenantPath::None {
            return None;
        }
        // In one order, so that the statement stays the same.
        keys.sort();
        let mut entity = self.clone();
        entity.filters.push(Filter::Tenants(keys));
        Some(entity)
    }
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// A table or view, with its schema where the plan names one.
    Table {
        /// Schema (PostgreSQL) or database (MySQL/MariaDB).
        schema: Option<String>,
        /// Table or view.
        name: String,
    },
    /// A `select` with named columns, used as a derived table. Read-only by the source's session.
    Query(String),
}

/// One condition on the rows that are read. Values are bound, never written into SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The column, as text, is one of these; a single one is equality.
    In {
        /// The column.
        column: String,
        /// The texts.
        values: Vec<String>,
    },
    /// The column, as text, is none of these, and not NULL.
    NotIn {
        /// The column.
        column: String,
        /// The texts.
        values: Vec<String>,
    },
    /// The column is NULL.
    IsNull(String),
    /// The column is not NULL.
    NotNull(String),
    /// The row belongs to one of these tenants, by the entity's path to them. No plan says so: it narrows one reading.
    Tenants(Vec<SourceKey>),
}

/// How a row's tenant is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantPath {
    /// The row is the tenant: its own key.
    Own,
    /// By the parent's tenant: the parent's relation and key, the columns here that hold that key, and the parent's own path.
    Parent {
        /// The parent's name.
        entity: EntityName,
        /// The parent's relation.
        relation: Relation,
        /// The parent's key columns.
        key: Vec<String>,
        /// The columns of this entity that hold it.
        by: Vec<String>,
        /// How the parent finds its tenant.
        next: Box<Self>,
    },
    /// The entity belongs to no tenant (shared vocabulary); it moves before all tenants.
    None,
}

/// What happens to a row whose tenant path ends in NULL. It is always counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrphanPolicy {
    /// Left out, with state skipped and a reason.
    Skip,
    /// Given to this tenant.
    Attach(TenantKey),
    /// The run stops and says which row.
    Stop,
}

/// One part of a natural key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NaturalPart {
    /// A column of the row.
    Column(String),
    /// The identity of the record that this reference points to: the natural key of the parent stands behind it.
    Reference {
        /// Position in [`Entity::refs`].
        index: usize,
        /// The column of the referenced entity that stands for it in extracts.
        column: String,
    },
}

/// A field that holds another record's target id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The target's field, or a name that only templates use.
    pub field: String,
    /// The referenced entity.
    pub entity: EntityName,
    /// Columns of this entity that hold the referenced record's key.
    pub by: Vec<String>,
    /// Whether it is written into the body.
    pub in_body: bool,
    /// Whether the id is a JSON number in the body.
    pub numeric: bool,
}

/// How the target lists its records, for the validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Path and query of the first page.
    pub path: super::Template,
    /// JSON pointer to the items; empty when the reply is the list.
    pub items: String,
    /// How the next page is found.
    pub paging: Paging,
    /// JSON pointer to the total, where the target tells one.
    pub total: Option<String>,
    /// JSON pointer to a flag that says the list was cut.
    pub truncated: Option<String>,
    /// Further lists of the same form: records in states that the first one hides. What both show counts once.
    pub also: Vec<super::Template>,
    /// JSON pointer, within an item, to its id.
    pub id: String,
}

/// Where the target's own database holds the records of an entity, for the validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The relation. Its columns are called as the extract's are, where `at` says nothing else.
    pub relation: Relation,
    /// Its key columns, in keyset order; unique together and never NULL.
    pub key: Vec<String>,
    /// Rows that are read; all of them when empty.
    pub filters: Vec<Filter>,
    /// The column of the id by which other records refer to this one.
    pub id: String,
}

/// How the next page of a list is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// Everything comes at once.
    Single,
    /// `offset` and `limit` parameters. The count that came back, not the one asked for, moves on.
    Offset {
        /// Parameter of the offset.
        offset: String,
        /// Parameter of the limit.
        limit: String,
        /// Rows asked for.
        size: u32,
        /// The first offset: 0, or 1 for `startIndex`.
        first: u32,
    },
    /// A page number.
    Page {
        /// Parameter of the page number.
        page: String,
        /// Parameter of the page size.
        limit: String,
        /// Rows asked for.
        size: u32,
        /// The first page's number.
        first: u32,
    },
    /// A token in the reply that goes into a parameter.
    Cursor {
        /// JSON pointer to the token.
        pointer: String,
        /// Parameter that takes it.
        parameter: String,
        /// Parameter of the page size, with the size.
        limit: Option<(String, u32)>,
    },
    /// A whole address in the reply, followed only on the target's own host.
    NextUrl {
        /// JSON pointer to the address.
        pointer: String,
    },
    /// The `Link` header with `rel="next"`, followed only on the target's own host.
    LinkHeader,
}
