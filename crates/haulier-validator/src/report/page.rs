//! Differences as one HTML page that needs nothing else, opened from a disk or a mail.
//!
//! Values stand in the page as JSON and reach the document only as text, and its content security policy allows no other script
//! and no other address. The page may hold personal data, as its extracts may: it is readable by its owner alone.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Report;
use super::json::summary_json;
use crate::diff::{Difference, Doubled, Shape, Sink, Summary};
use crate::extract::Part;
use crate::line::Field;

/// Rows a page holds; those beyond are counted and stand in CSV and JSON.
pub const PAGE_ROWS: u64 = 200_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page as differences come.
#[derive(Debug)]
pub struct PageReport {
    out: BufWriter<Part>,
    tables: u64,
    rows: u64,
    in_table: u64,
    left_out: u64,
    doubled: Vec<Value>,
}

impl PageReport {
    /// Opens the file's part. `title` heads the page; `note` says what was compared, and when.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, title: &str, note: &str) -> io::Result<Self> {
        let mut out = BufWriter::new(Part::create(path)?);
        let digest = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; \
             form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{note}</p>\n\
             <main id=\"main\"><noscript>This page needs its script; the same differences stand in the CSV.</noscript></main>\n\
             <script type=\"application/json\" id=\"data\">[",
            digest(SCRIPT),
            title = escaped(title),
            note = escaped(note),
        )?;
        Ok(Self { out, tables: 0, rows: 0, in_table: 0, left_out: 0, doubled: Vec::new() })
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        // Nothing in the data may end the script element that holds it.
        let text = value.to_string();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            self.out.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                write!(self.out, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        self.out.write_all(rest.as_bytes())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A cell: a text, `null` for NULL, `0` for what a side does not send.
fn cells(row: Option<&[Field<'static>]>) -> Value {
    let cell = |field: &Field<'_>| match field {
        Field::Null => Value::Null,
        Field::Missing => json!(0),
        Field::Text(text) => Value::String(text.clone().into_owned()),
    };
    row.map_or(Value::Null, |row| row.iter().map(cell).collect())
}

impl Sink for PageReport {
    fn begin(&mut self, shape: &Shape) -> io::Result<()> {
        if self.tables > 0 {
            self.out.write_all(b",")?;
        }
        self.tables += 1;
        self.in_table = 0;
        self.left_out = 0;
        self.doubled.clear();
        let head = json!({
            "entity": shape.entity, "a": shape.a, "b": shape.b, "columns": shape.columns,
            "key": shape.key_cells(), "tenant": shape.tenant,
        });
        self.out.write_all(b"\n{\"head\":")?;
        self.json(&head)?;
        self.out.write_all(b",\"rows\":[")
    }

    fn difference(&mut self, _: &Shape, difference: &Difference) -> io::Result<()> {
        if self.rows >= PAGE_ROWS {
            self.left_out += 1;
            return Ok(());
        }
        let changed: Vec<Value> = difference
            .cells
            .iter()
            .map(|cell| json!([cell.column, cell.form.map(|form| form.to_string())]))
            .collect();
        let row = json!([cells(difference.a.as_deref()), cells(difference.b.as_deref()), changed]);
        self.out.write_all(if self.in_table > 0 { b",\n" } else { b"\n" })?;
        self.rows += 1;
        self.in_table += 1;
        self.json(&row)
    }

    fn doubled(&mut self, _: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.doubled.push(json!([cells(Some(&doubled.key)), doubled.a, doubled.b]));
        Ok(())
    }

    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()> {
        let doubled = Value::Array(std::mem::take(&mut self.doubled));
        let end = json!({ "summary": summary_json(shape, summary), "left_out": self.left_out });
        self.out.write_all(b"],\"doubled\":")?;
        self.json(&doubled)?;
        self.out.write_all(b",\"end\":")?;
        self.json(&end)?;
        self.out.write_all(b"}")
    }
}

impl Report for PageReport {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        write!(self.out, "]</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}
