//! How a column of each PostgreSQL type is read, compared and bound.

use crate::catalogue::{Around, BindAs, DescribedColumn, Form};
use crate::sql::Dialect;

const D: Dialect = Dialect::Postgres;

/// A column before its type is looked up.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) oid: i64,
    pub(super) nullable: bool,
    pub(super) shown: String,
}

/// A type, with its domains taken off.
pub(super) struct Base {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) is_array: bool,
    /// Whether elements are parted by a comma.
    pub(super) comma: bool,
}

const CAST: Around = Around::new("", "::text");

/// How a column of that type is read, compared and bound.
pub(super) fn described(column: Seen, base: Option<&Base>) -> DescribedColumn {
    let builtin = base.filter(|base| base.namespace == "pg_catalog").map_or("", |base| &*base.name);
    let (form, read) = match builtin {
        "bool" => (Form::Boolean, Around::PLAIN),
        "int2" | "int4" | "int8" => (Form::Integer, Around::PLAIN),
        "oid" => (Form::Integer, Around::new("", "::int8")),
        "float4" => (Form::Single, Around::PLAIN),
        "float8" => (Form::Double, Around::PLAIN),
        "numeric" => (Form::Number, CAST),
        "money" => (Form::Number, Around::new("", "::numeric::text")),
        "text" | "varchar" => (Form::Text, Around::PLAIN),
        "bytea" => (Form::Bytes, Around::PLAIN),
        "timestamptz" => (Form::Timestamp, CAST),
        "timestamp" => (Form::LocalTimestamp, CAST),
        "date" => (Form::Date, CAST),
        "time" => (Form::Time, CAST),
        "json" | "jsonb" => (Form::Json, CAST),
        _ if base.is_some_and(|base| base.is_array && base.comma) => (Form::Array, CAST),
        _ => (Form::Text, CAST),
    };
    let place = base.map_or(Around::PLAIN, |base| {
        Around::ending("", format!("::{}.{}", D.quoted(&base.namespace), D.quoted(&base.name)))
    });
    let as_text = match builtin {
        "text" | "varchar" => Around::PLAIN,
        "money" => Around::new("", "::numeric::text"),
        "timestamptz" => Around::new("replace(replace(", "::text, ' ', 'T'), '+00', 'Z')"),
        "timestamp" => Around::new("replace(", "::text, ' ', 'T')"),
        _ => CAST,
    };
    let generation = match form {
        Form::Integer => Some((read.clone(), form)),
        Form::Timestamp | Form::LocalTimestamp => {
            Some((Around::new("(extract(epoch from ", ") * 1000000)::int8"), Form::Integer))
        }
        Form::Number => Some((Around::new("", "::int8"), Form::Integer)),
        Form::Boolean
        | Form::Natural
        | Form::Unsigned
        | Form::Bits
        | Form::Single
        | Form::Double
        | Form::Text
        | Form::Bytes
        | Form::Date
        | Form::Time
        | Form::Json
        | Form::Array
        | Form::Set
        | Form::Any(_) => None,
    };
    let bind = if form == Form::Integer {
        BindAs::Digits
    } else if form == Form::Array {
        // Its text as a key does not tell its elements apart.
        BindAs::Never
    } else {
        BindAs::Text
    };
    DescribedColumn {
        name: column.name,
        type_name: column.shown,
        nullable: column.nullable,
        form,
        read,
        as_text,
        order: Around::PLAIN,
        place,
        bind,
        generation,
    }
}
