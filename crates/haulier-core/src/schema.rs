//! What a source database declares about itself, for `init`, `scan` and `check`.

/// A database's tables and views.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Tables and views, by name.
    pub tables: Vec<Table>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema, where the engine has schemas and it is not the default one.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub view: bool,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The primary key's columns; empty without one.
    pub primary_key: Vec<String>,
    /// Other unique column sets.
    pub unique: Vec<Vec<String>>,
    /// Its references.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The engine's own name of its type.
    pub type_name: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// What its values are read as.
    pub kind: ColumnKind,
}

/// What a column's values are read as. SQLite decides by value, so its kind is a hint only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Booleans.
    Boolean,
    /// Integers of at most 64 bits, signed.
    Integer,
    /// Decimals, money, unsigned 64-bit integers.
    Number,
    /// Binary floating point.
    Float,
    /// Text and everything read as text.
    Text,
    /// Bytes.
    Bytes,
    /// A point in time, with a zone.
    Timestamp,
    /// A point in time, without a zone.
    LocalTimestamp,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// JSON.
    Json,
    /// An array or set.
    List,
}

/// A declared reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns here.
    pub columns: Vec<String>,
    /// The table they refer to.
    pub table: String,
    /// That table's columns.
    pub referenced: Vec<String>,
}
