//! Differences as one JSON document.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Report;
use crate::diff::{Difference, Doubled, Shape, Sink, Summary};
use crate::extract::Part;
use crate::line::Field;

/// `{"haulier_diff": 1, "tables": [{.., "differences": [..], "doubled": [..], "summary": {..}}]}`, written as it comes.
#[derive(Debug)]
pub struct JsonReport {
    out: BufWriter<Part>,
    tables: u64,
    rows: u64,
    doubled: Vec<Value>,
}

impl JsonReport {
    /// Opens the file's part.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut out = BufWriter::new(Part::create(path)?);
        out.write_all(b"{\"haulier_diff\":1,\"tables\":[")?;
        Ok(Self { out, tables: 0, rows: 0, doubled: Vec::new() })
    }
}

/// A cell: a text, `null` for NULL, `{"missing": true}` for what a side does not send.
fn cell(field: &Field<'_>) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Missing => json!({ "missing": true }),
        Field::Text(text) => Value::String(text.clone().into_owned()),
    }
}

fn cells(row: &[Field<'static>]) -> Value {
    row.iter().map(cell).collect()
}

/// The figures of a table, as reports and the command line print them.
#[must_use]
pub fn summary_json(shape: &Shape, summary: &Summary) -> Value {
    let columns: serde_json::Map<String, Value> = shape
        .columns
        .iter()
        .zip(&summary.columns)
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| (name.clone(), json!(count)))
        .collect();
    json!({
        "rows_a": summary.a, "rows_b": summary.b, "equal": summary.equal, "missing": summary.missing,
        "extra": summary.extra, "changed": summary.changed, "form_only": summary.form_only,
        "doubled_a": summary.doubled_a, "doubled_b": summary.doubled_b, "changed_columns": columns,
    })
}

impl Sink for JsonReport {
    fn begin(&mut self, shape: &Shape) -> io::Result<()> {
        if self.tables > 0 {
            self.out.write_all(b",")?;
        }
        self.tables += 1;
        self.rows = 0;
        self.doubled.clear();
        let key: Vec<&String> = shape.columns.iter().take(shape.key_cells()).collect();
        write!(
            self.out,
            "\n{{\"entity\":{},\"a\":{},\"b\":{},\"columns\":{},\"key\":{},\"differences\":[",
            json!(shape.entity),
            json!(shape.a),
            json!(shape.b),
            json!(shape.columns),
            json!(key)
        )
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        let row = difference.row();
        let kind = difference.kind();
        let mut value = json!({ "difference": kind.as_str(), "key": cells(super::key(shape, row)) });
        if let Value::Object(members) = &mut value {
            if let Some(tenant) = shape.tenant.and_then(|column| row.get(column)) {
                members.insert("tenant".to_owned(), cell(tenant));
            }
            match (&difference.a, &difference.b) {
                (Some(a), Some(b)) => {
                    let changed: Vec<Value> = difference
                        .cells
                        .iter()
                        .map(|changed| {
                            let side = |row: &[Field<'static>]| row.get(changed.column).map_or(Value::Null, cell);
                            let only = changed.form.map(|form| form.to_string());
                            json!({
                                "column": shape.columns.get(changed.column), "a": side(a), "b": side(b), "only": only,
                            })
                        })
                        .collect();
                    members.insert("cells".to_owned(), Value::Array(changed));
                }
                _ => {
                    members.insert("row".to_owned(), cells(row));
                }
            }
        }
        let comma = if self.rows > 0 { "," } else { "" };
        self.rows += 1;
        write!(self.out, "{comma}\n{value}")
    }

    fn doubled(&mut self, _: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.doubled.push(json!({ "key": cells(&doubled.key), "a": doubled.a, "b": doubled.b }));
        Ok(())
    }

    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()> {
        let doubled = Value::Array(std::mem::take(&mut self.doubled));
        write!(self.out, "],\"doubled\":{doubled},\"summary\":{}}}", summary_json(shape, summary))
    }
}

impl Report for JsonReport {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.write_all(b"]}\n")?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}
