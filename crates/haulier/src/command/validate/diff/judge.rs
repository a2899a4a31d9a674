//! Takes differences apart: those that the ledger explains, and those that nothing explains.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter};
use std::path::Path;

use haulier_validator::diff::{Difference, DifferenceKind, Doubled, Shape, Sink, Summary};
use haulier_validator::extract::Part;
use haulier_validator::line::{self, Field};
use haulier_validator::report::{CsvReport, JsonReport, PageReport, Reports, safe_cell};
use serde::Serialize;

use crate::error::CliError;
use crate::sides::Standing;

/// Why records are not in the target, by their neutral keys.
pub(crate) type Explanations = HashMap<Vec<u8>, Standing>;

/// The files of a validation.
#[derive(Debug)]
pub(crate) struct Files {
    unexplained: Reports,
    explained: csv::Writer<BufWriter<Part>>,
}

/// Unexplained differences of one tenant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct OfTenant {
    missing: u64,
    extra: u64,
    changed: u64,
}

/// One entity's differences, as they come.
pub(crate) struct Judge<'f> {
    files: &'f mut Files,
    /// Asked when the first difference comes.
    ask: Option<Box<dyn FnOnce() -> Result<Explanations, CliError> + Send + 'f>>,
    known: Explanations,
    /// Why the explanations could not be had.
    pub(crate) failed: Option<CliError>,
    /// Explained differences by their word.
    pub(crate) explained: BTreeMap<String, u64>,
    /// Unexplained differences.
    pub(crate) unexplained: OfTenant,
    /// The same by tenant.
    pub(crate) tenants: BTreeMap<String, OfTenant>,
}

impl Files {
    /// Opens the reports in a folder.
    pub(crate) fn create(folder: &Path, note: &str) -> Result<Self, CliError> {
        let mut unexplained = Reports::default();
        unexplained.push(CsvReport::create(&folder.join("differences.csv"), false)?);
        unexplained.push(CsvReport::create(&folder.join("differences.for-people.csv"), true)?);
        unexplained.push(JsonReport::create(&folder.join("differences.json"))?);
        unexplained.push(PageReport::create(
            &folder.join("differences.html"),
            "haulier validate diff",
            note,
        )?);
        let mut explained =
            csv::Writer::from_writer(BufWriter::new(Part::create(&folder.join("explained.csv"))?));
        explained
            .write_record(["entity", "tenant", "difference", "key", "state", "reason"])
            .map_err(crate::command::idmap::csv_error)?;
        Ok(Self { unexplained, explained })
    }

    /// Gives every file its name.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        self.unexplained.finish()?;
        let explained = self.explained.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(explained.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?)
    }

    /// A record that cannot be mapped, and why that is known.
    pub(crate) fn explained(&mut self, cells: [&str; 6]) -> io::Result<()> {
        Ok(self.explained.write_record(cells.map(safe_cell).iter().map(|cell| cell.as_bytes()))?)
    }
}

impl<'f> Judge<'f> {
    pub(crate) fn new(
        files: &'f mut Files,
        known: Explanations,
        ask: impl FnOnce() -> Result<Explanations, CliError> + Send + 'f,
    ) -> Self {
        Self {
            files,
            ask: Some(Box::new(ask)),
            known,
            failed: None,
            explained: BTreeMap::new(),
            unexplained: OfTenant::default(),
            tenants: BTreeMap::new(),
        }
    }
}

/// The key's cells as they stand in a line.
fn key_line(shape: &Shape, row: &[Field<'static>]) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, field) in row.iter().take(shape.key_cells()).enumerate() {
        if index > 0 {
            text.push(b',');
        }
        match field {
            Field::Null => text.extend_from_slice(line::NULL),
            Field::Missing => text.extend_from_slice(line::MISSING),
            Field::Text(value) => line::push_text(&mut text, value),
        }
    }
    line::close(&mut text, 0);
    text
}

impl Sink for Judge<'_> {
    fn begin(&mut self, shape: &Shape) -> io::Result<()> {
        self.files.unexplained.begin(shape)
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        if let Some(ask) = self.ask.take() {
            match ask() {
                Ok(found) => self.known.extend(found),
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::Error::other("the ledger does not explain"));
                }
            }
        }
        let row = difference.row();
        let key = key_line(shape, row);
        let tenant = match shape.tenant.and_then(|column| row.get(column)) {
            Some(Field::Text(tenant)) => tenant.to_string(),
            Some(Field::Null | Field::Missing) | None => String::new(),
        };
        // What only the target has is nothing that the source's records explain.
        let standing = self.known.get(&key).filter(|_| difference.kind() != DifferenceKind::Extra);
        if let Some(standing) = standing {
            *self.explained.entry(standing.word.to_owned()).or_default() += 1;
            let key = String::from_utf8_lossy(&key);
            return self.files.explained([
                &shape.entity,
                &tenant,
                difference.kind().as_str(),
                &key,
                standing.word,
                &standing.reason,
            ]);
        }
        let of = self.tenants.entry(tenant).or_default();
        for counts in [of, &mut self.unexplained] {
            match difference.kind() {
                DifferenceKind::Missing => counts.missing += 1,
                DifferenceKind::Extra => counts.extra += 1,
                DifferenceKind::Changed => counts.changed += 1,
            }
        }
        self.files.unexplained.difference(shape, difference)
    }

    fn doubled(&mut self, shape: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.files.unexplained.doubled(shape, doubled)
    }

    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()> {
        let told = Summary {
            missing: self.unexplained.missing,
            extra: self.unexplained.extra,
            changed: self.unexplained.changed,
            ..summary.clone()
        };
        self.files.unexplained.end(shape, &told)
    }
}

impl OfTenant {
    /// All of them.
    pub(crate) fn sum(&self) -> u64 {
        self.missing + self.extra + self.changed
    }
}
