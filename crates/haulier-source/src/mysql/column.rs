//! How a column of each MySQL and MariaDB type is read, compared and bound.

use crate::catalogue::{Around, BindAs, DescribedColumn, Form};

/// A column's type.
pub(super) struct Declared {
    /// The type's name alone.
    pub(super) kind: String,
    pub(super) unsigned: bool,
    /// Precision and scale.
    pub(super) digits: Option<(i64, i64)>,
    pub(super) is_json: bool,
    /// The type as the server shows it.
    pub(super) shown: String,
}

const CHARS: Around = Around::new("cast(", " as char)");
/// Bytes of the text form, so that neither case nor blanks are overlooked.
const BYTES: Around = Around::new("cast(cast(", " as char) as binary)");

/// How a column of that type is read, compared and bound.
pub(super) fn described(name: String, declared: Declared, nullable: bool) -> DescribedColumn {
    let plain = Around::PLAIN;
    let (form, read, bind) = match &*declared.kind {
        "tinyint" | "smallint" | "mediumint" | "int" if declared.unsigned => {
            (Form::Natural, plain, BindAs::Integer)
        }
        "bigint" if declared.unsigned => (Form::Unsigned, plain, BindAs::Unsigned),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => (Form::Integer, plain, BindAs::Integer),
        // The driver's word for TINYINT(1), of either sign, in a query.
        "boolean" => (Form::Integer, Around::new("cast(", " as signed)"), BindAs::Integer),
        "year" => (Form::Natural, plain, BindAs::Integer),
        "bit" => (Form::Bits, plain, BindAs::Unsigned),
        "decimal" => (Form::Number, plain, BindAs::Text),
        "float" => (Form::Single, plain, BindAs::Never),
        "double" => (Form::Double, plain, BindAs::Double),
        "date" => (Form::Date, CHARS, BindAs::Moment),
        "datetime" => (Form::LocalTimestamp, CHARS, BindAs::Moment),
        "timestamp" => (Form::Timestamp, CHARS, BindAs::Moment),
        "time" => (Form::Time, CHARS, BindAs::Text),
        "json" => (Form::Json, plain, BindAs::Never),
        "tinytext" | "text" | "mediumtext" | "longtext" if declared.is_json => {
            (Form::Json, plain, BindAs::Never)
        }
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" => {
            (Form::Text, plain, BindAs::Text)
        }
        "set" => (Form::Set, plain, BindAs::Text),
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            (Form::Bytes, plain, BindAs::Bytes)
        }
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => {
            (Form::Text, Around::new("st_astext(", ")"), BindAs::Never)
        }
        _ => (Form::Text, CHARS, BindAs::Text),
    };
    let (precision, scale) = declared.digits.unwrap_or((65, 30));
    // Compared with a text, a decimal would become a float.
    let place = if form == Form::Number {
        Around::ending("cast(", format!(" as decimal({precision}, {scale}))"))
    } else {
        Around::PLAIN
    };
    // These order by their number but compare with a text as text.
    let order = if matches!(&*declared.kind, "enum" | "set") { BYTES } else { Around::PLAIN };
    let generation = if matches!(form, Form::Integer | Form::Natural | Form::Unsigned) {
        Some((read.clone(), form))
    } else if matches!(form, Form::Timestamp | Form::LocalTimestamp) {
        Some((Around::new("timestampdiff(microsecond, '1970-01-01', ", ")"), Form::Integer))
    } else {
        None
    };
    DescribedColumn {
        as_text: as_text(form),
        name,
        type_name: declared.shown,
        nullable,
        form,
        read,
        order,
        place,
        bind,
        generation,
    }
}

fn as_text(form: Form) -> Around {
    match form {
        Form::Text | Form::Set | Form::Json => Around::new("cast(convert(", " using utf8mb4) as binary)"),
        Form::Bytes => Around::new("cast(concat('\\\\x', lower(hex(", "))) as binary)"),
        Form::Bits => Around::new("cast(cast(", " + 0 as char) as binary)"),
        Form::Boolean
        | Form::Integer
        | Form::Natural
        | Form::Unsigned
        | Form::Single
        | Form::Double
        | Form::Number
        | Form::Timestamp
        | Form::LocalTimestamp
        | Form::Date
        | Form::Time
        | Form::Array
        | Form::Any(_) => BYTES,
    }
}
