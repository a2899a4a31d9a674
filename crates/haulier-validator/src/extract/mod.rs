//! Writes an extract: rows in any order in, a sorted file and its manifest out.

mod manifest;
mod part;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use haulier_core::form;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use manifest::{Manifest, ManifestColumn, VERSION};
pub use part::{Part, Sealed, sha256};

use crate::line;
use crate::neutral::{Cell, CellError, Changed, Columns, Neutral, NoHashKey, Side, hash_key_mark, key_text};
use crate::sort::{SortError, SortOptions, Sorted, Sorter, no_room};

/// Bytes of lines that are hashed and written at once.
const BUFFER: usize = 256 << 10;
/// Doubled keys that an error lists; it counts all of them.
const LISTED: usize = 20;

/// What an extract is of, and where it goes.
#[derive(Debug, Clone)]
pub struct ExtractSpec {
    /// The file; with `compress` its name should end in `.zst`.
    pub path: PathBuf,
    /// The entity.
    pub entity: String,
    /// The tenant, where it is of one alone.
    pub tenant: Option<String>,
    /// The side.
    pub side: Side,
    /// The column set.
    pub columns: Columns,
    /// Digest of the plan.
    pub plan: String,
    /// What is read; no secret.
    pub fingerprint: String,
    /// The secret of hashed columns.
    pub hash_key: Option<Vec<u8>>,
    /// Whether to compress with zstd.
    pub compress: bool,
    /// How to sort.
    pub sort: SortOptions,
}

/// Why there is no extract. Nothing is left under its final name.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// A row has no neutral form.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// A hashed column has no hash key.
    #[error(transparent)]
    NoHashKey(#[from] NoHashKey),
    /// Rows share a key, so nothing says which of them is meant.
    #[error("{count} {} more than once: {}{}", if *count == 1 { "key comes" } else { "keys come" }, keys.join("; "), if *count > keys.len() as u64 { "; ..." } else { "" })]
    Doubled {
        /// How many keys.
        count: u64,
        /// The first of them, as they stand in the file.
        keys: Vec<String>,
    },
    /// The sort failed.
    #[error(transparent)]
    Sort(#[from] SortError),
    /// The disk is full.
    #[error("no room to write {}: make room, or name another folder", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written otherwise.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Takes rows in any order.
#[derive(Debug)]
pub struct ExtractWriter {
    spec: ExtractSpec,
    neutral: Neutral,
    changed: Vec<Changed>,
    sorter: Sorter,
    line: Vec<u8>,
    part: Part,
}

impl ExtractWriter {
    /// Opens the file's part, so that a folder that cannot be written is known before anything is read.
    ///
    /// # Errors
    /// The file cannot be written, another process writes it, or a hashed column has no hash key.
    pub fn create(spec: ExtractSpec) -> Result<Self, ExtractError> {
        let neutral = Neutral::new(spec.columns.clone(), spec.side, spec.hash_key.as_deref())?;
        let part = Part::create(&spec.path).map_err(|error| write_error(&spec.path, error))?;
        let sorter = Sorter::new(spec.sort.clone());
        let changed = vec![Changed::default(); spec.columns.all().len()];
        Ok(Self { spec, neutral, changed, sorter, line: Vec::new(), part })
    }

    /// Takes a row, its cells in the order of [`Columns::all`].
    ///
    /// # Errors
    /// It has no neutral form, or the sort failed.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<(), ExtractError> {
        self.line.clear();
        self.neutral.push(cells, &mut self.line)?;
        Ok(self.sorter.push(&self.line)?)
    }

    /// Takes a line that a [`Neutral`] of the same column set made, on another thread.
    ///
    /// # Errors
    /// The sort failed.
    pub fn line(&mut self, line: &[u8]) -> Result<(), ExtractError> {
        Ok(self.sorter.push(line)?)
    }

    /// Adds what a [`Neutral`] on another thread changed.
    pub fn add_changed(&mut self, changed: &[Changed]) {
        for (sum, more) in self.changed.iter_mut().zip(changed) {
            sum.add(more);
        }
    }

    /// No more rows: sorts, writes the file, gives it its name, and the manifest beside it. `when` is when the reading began.
    ///
    /// # Errors
    /// Keys come more than once, the sort failed, or the file cannot be written.
    pub fn finish(self, when: Timestamp) -> Result<Manifest, ExtractError> {
        let mut lines = self.into_lines()?;
        while lines.next_line()?.is_some() {}
        lines.finish(when)
    }

    /// No more rows: gives back the sorted lines, each of which is written as it is read, for a diff in the same go.
    ///
    /// # Errors
    /// The sort failed, or the file cannot be written.
    pub fn into_lines(mut self) -> Result<ExtractLines, ExtractError> {
        let changed = self.neutral.changed().to_vec();
        self.add_changed(&changed);
        let sorted = self.sorter.finish()?;
        let fail = |error| write_error(&self.spec.path, error);
        let out = if self.spec.compress {
            let mut encoder = zstd::Encoder::new(self.part, 3).map_err(fail)?;
            encoder.include_checksum(true).map_err(fail)?;
            Out::Zstd(encoder)
        } else {
            Out::Plain(self.part)
        };
        let mut lines = ExtractLines {
            sorted,
            writer: Writer {
                out,
                lines: Vec::with_capacity(BUFFER + (4 << 10)),
                hash: Sha256::new(),
                bytes: 0,
                path: self.spec.path.clone(),
            },
            spec: self.spec,
            changed: self.changed,
            rows: 0,
            last: Vec::new(),
            again: false,
            doubled: (0, Vec::new()),
        };
        let mut header = Vec::new();
        for (index, column) in lines.spec.columns.all().iter().enumerate() {
            if index > 0 {
                header.push(b',');
            }
            line::push_text(&mut header, &column.name);
        }
        lines.writer.line(&header)?;
        Ok(lines)
    }
}

enum Out {
    Plain(Part),
    Zstd(zstd::Encoder<'static, Part>),
}

/// The file on its way.
struct Writer {
    out: Out,
    /// Hashed and written together.
    lines: Vec<u8>,
    hash: Sha256,
    bytes: u64,
    path: PathBuf,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Writer {
    fn line(&mut self, line: &[u8]) -> Result<(), ExtractError> {
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        if self.lines.len() < BUFFER {
            return Ok(());
        }
        self.flush().map_err(|error| write_error(&self.path, error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hash.update(&self.lines);
        self.bytes += self.lines.len() as u64;
        match &mut self.out {
            Out::Plain(out) => out.write_all(&self.lines),
            Out::Zstd(out) => out.write_all(&self.lines),
        }?;
        self.lines.clear();
        Ok(())
    }

    /// Gives the file its name. Everything is flushed.
    fn finish(self) -> io::Result<()> {
        match self.out {
            Out::Plain(part) => part,
            Out::Zstd(encoder) => encoder.finish()?,
        }
        .finish()
    }
}

/// The sorted lines of an extract, written to its file as they are read.
#[derive(Debug)]
pub struct ExtractLines {
    sorted: Sorted,
    writer: Writer,
    spec: ExtractSpec,
    changed: Vec<Changed>,
    rows: u64,
    last: Vec<u8>,
    again: bool,
    doubled: (u64, Vec<String>),
}

impl ExtractLines {
    /// The next line.
    ///
    /// # Errors
    /// The sort failed, or the file cannot be written.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, ExtractError> {
        let Some(line) = self.sorted.next_line()? else { return Ok(None) };
        let key = self.spec.columns.key();
        let end = line::prefix(line, key);
        let this = line.get(..end).unwrap_or_default();
        if self.rows > 0 && this == self.last.as_slice() {
            if !std::mem::replace(&mut self.again, true) {
                self.doubled.0 += 1;
                if self.doubled.1.len() < LISTED {
                    self.doubled.1.push(key_text(Some(line), key));
                }
            }
        } else {
            self.again = false;
            self.last.clear();
            self.last.extend_from_slice(this);
        }
        self.rows += 1;
        self.writer.line(line)?;
        Ok(Some(line))
    }

    /// All lines are read: gives the file its name, and the manifest beside it.
    ///
    /// # Errors
    /// Keys come more than once, or the file cannot be written.
    pub fn finish(mut self, when: Timestamp) -> Result<Manifest, ExtractError> {
        let (count, keys) = self.doubled;
        if count > 0 {
            return Err(ExtractError::Doubled { count, keys });
        }
        let spec = self.spec;
        let hashes = spec.columns.all().iter().any(|column| column.hashed);
        self.writer.flush().map_err(|error| write_error(&spec.path, error))?;
        let manifest = Manifest {
            haulier_extract: VERSION,
            entity: spec.entity,
            side: spec.side.as_str().to_owned(),
            tenant: spec.tenant,
            when: when.to_string(),
            plan: spec.plan,
            fingerprint: spec.fingerprint,
            column_set: spec.columns.digest(),
            key: spec.columns.key(),
            columns: Manifest::columns(&spec.columns, &self.changed),
            rows: self.rows,
            bytes: self.writer.bytes,
            sha256: form::hex(&self.writer.hash.clone().finalize()),
            compressed: spec.compress,
            hash_key: spec.hash_key.as_deref().filter(|_| hashes).map(hash_key_mark),
        };
        // An old manifest must not stand beside a new file, should the process end between the two.
        let old = Manifest::path(&spec.path);
        if let Err(error) = std::fs::remove_file(&old)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(write_error(&old, error));
        }
        self.writer.finish().map_err(|error| write_error(&spec.path, error))?;
        manifest.write(&spec.path).map_err(|error| write_error(&old, error))?;
        Ok(manifest)
    }
}

fn write_error(path: &Path, source: io::Error) -> ExtractError {
    let path = path.to_owned();
    if no_room(&source) { ExtractError::Full { path } } else { ExtractError::Write { path, source } }
}

#[cfg(test)]
mod tests;
