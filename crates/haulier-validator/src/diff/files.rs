//! The difference of two files, whoever wrote them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::digest::{self, Side};
use super::{DiffError, Shape, Sink, SortedFile, Summary, merge};
use crate::extract::Manifest;
use crate::foreign::{CsvError, Dialect, Foreign, Layout};
use crate::meter::Meter;
use crate::sort::{MEMORY, SortOptions};

/// How two files are compared.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Names of the key columns; empty: those of the manifests, and without them a row is known by all of it.
    pub key: Vec<String>,
    /// Only these columns beside the key; empty: all.
    pub columns: Vec<String>,
    /// Not these columns.
    pub ignore: Vec<String>,
    /// The column that holds the tenant, for reports.
    pub tenant: Option<String>,
    /// How each file is written.
    pub dialects: [Dialect; 2],
    /// Whether both files are sorted by the bytes of their lines, with the key in front and the same order of columns.
    pub sorted: bool,
    /// Whether every row is sorted and compared byte by byte, in place of digests: see [`super`].
    pub exact: bool,
    /// Bytes of memory.
    pub memory: usize,
    /// Threads.
    pub threads: usize,
    /// The folder of spill files.
    pub spill: PathBuf,
    /// Counts what is read, and stops the work.
    pub meter: Arc<Meter>,
}

impl Default for FileOptions {
    fn default() -> Self {
        let SortOptions { threads, spill, meter, .. } = SortOptions::default();
        Self {
            key: Vec::new(),
            columns: Vec::new(),
            ignore: Vec::new(),
            tenant: None,
            dialects: [Dialect::default(); 2],
            sorted: false,
            exact: false,
            memory: MEMORY,
            threads,
            spill,
            meter,
        }
    }
}

/// Two files that can be compared: their headers fit.
#[derive(Debug)]
pub struct Files {
    a: Foreign,
    b: Foreign,
    options: FileOptions,
    shape: Shape,
    rows: Option<u64>,
    /// For each column of the shape, its place in each file.
    places: [Vec<usize>; 2],
}

impl Files {
    /// Opens both files and matches their columns by name.
    ///
    /// # Errors
    /// A file cannot be read or is broken in its header, or the columns do not fit.
    pub fn open(a: &Path, b: &Path, mut options: FileOptions) -> Result<Self, DiffError> {
        let manifest = |path: &Path| {
            Manifest::read(path).map_err(|source| CsvError::Read { path: Manifest::path(path), source })
        };
        let manifests = (manifest(a)?, manifest(b)?);
        if manifests.0.is_some() && manifests.1.is_some() {
            // Extracts have one dialect, and say NULL in their own way.
            options.dialects = [Dialect::default(); 2];
        }
        let a = Foreign::open(a, options.dialects[0])?;
        let b = Foreign::open(b, options.dialects[1])?;
        let mut escaped = options.dialects.iter().any(|dialect| dialect.unquoted_null);
        let mut entity = file_name(a.path());
        let mut rows = None;
        let mut hashed = Vec::new();
        if let (Some(left), Some(right)) = manifests {
            hashed = apart(&left, &right);
            rows = Some(left.rows + right.rows);
            escaped = true;
            let own: Vec<String> =
                left.columns.iter().take(left.key).map(|column| column.name.clone()).collect();
            let alike = left.column_set == right.column_set && a.header() == b.header();
            let whole = options.columns.is_empty() && options.ignore.is_empty();
            if alike && whole && !options.exact && (options.key.is_empty() || options.key == own) {
                options.sorted = true;
            }
            if options.key.is_empty() {
                options.key = own;
            }
            if left.entity == right.entity {
                entity = left.entity;
            }
        }
        let (mut shape, places) = columns(&a, &b, &options)?;
        hashed.retain(|name| shape.columns.contains(name));
        if !hashed.is_empty() {
            let (a, b) = (a.path().to_owned(), b.path().to_owned());
            return Err(DiffError::HashKeys { a, b, columns: hashed });
        }
        if options.sorted
            && (places[0] != places[1] || places[0].iter().enumerate().any(|(at, from)| at != *from))
        {
            let reason = "sorted files need the same columns in the same order, the key first";
            return Err(b.line(1, reason).into());
        }
        shape.entity = entity;
        shape.escaped = escaped;
        Ok(Self { a, b, options, shape, rows, places })
    }

    /// What both have in common.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Bytes that will be read, as the meter counts them, where the files are not compressed: files that are neither sorted nor to be
    /// compared exactly are read twice.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        let passes = if self.options.sorted || self.options.exact { 1 } else { 2 };
        Some((self.a.text_size()? + self.b.text_size()?) * passes)
    }

    /// Rows of both files, where their manifests tell.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    fn side<'f>(&self, file: &'f Foreign, side: usize) -> Side<'f> {
        let places = self.places.get(side).map(Vec::as_slice).unwrap_or_default();
        let first = self.places.first().map(Vec::as_slice).unwrap_or_default();
        // The line in the first file's own order, so that most of its rows need not be written anew.
        let mut order: Vec<(usize, usize)> = first.iter().copied().zip(places.iter().copied()).collect();
        order.sort_unstable();
        let width = file.header().len();
        let key: Vec<usize> = places.iter().take(self.shape.key).copied().collect();
        let plain = order.into_iter().map(|(_, place)| place).collect();
        let plain = Layout::new(file.dialect(), width, plain, key.clone());
        let keyed = Layout::new(file.dialect(), width, places.to_vec(), key);
        Side { file, plain, keyed }
    }
}

/// Compares two files and tells the differences in the order of their keys.
///
/// # Errors
/// A file is broken or changes meanwhile, there is no room to spill, the result cannot be written, or the meter says stop.
pub fn diff_files(files: &Files, sink: &mut dyn Sink) -> Result<Summary, DiffError> {
    let Files { a, b, options, shape, .. } = files;
    sink.begin(shape).map_err(DiffError::Sink)?;
    let summary = if options.sorted {
        let mut left = SortedFile::new(a, Arc::clone(&options.meter))?;
        let mut right = SortedFile::new(b, Arc::clone(&options.meter))?;
        merge(shape, &mut left, &mut right, sink, &options.meter)?
    } else {
        let sides = [files.side(a, 0), files.side(b, 1)];
        let digest::Picked { sorted: [mut left, mut right], equal } = digest::pick(&sides, options)?;
        let mut summary = merge(shape, &mut left, &mut right, sink, &options.meter)?;
        summary.a += equal;
        summary.b += equal;
        summary.equal += equal;
        summary
    };
    for file in [a, b] {
        if !file.unchanged() {
            return Err(DiffError::Moving { path: file.path().to_owned() });
        }
    }
    sink.end(shape, &summary).map_err(DiffError::Sink)?;
    Ok(summary)
}

/// The hashed columns of two extracts whose hashes are of other keys.
fn apart(a: &Manifest, b: &Manifest) -> Vec<String> {
    if a.hash_key.is_none() || b.hash_key.is_none() || a.hash_key == b.hash_key {
        return Vec::new();
    }
    let hashed = a.columns.iter().chain(&b.columns).filter(|column| column.is_hashed());
    let mut names: Vec<String> = hashed.map(|column| column.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Matches the columns of both files by name: the key first, then the others in the first file's order.
fn columns(a: &Foreign, b: &Foreign, options: &FileOptions) -> Result<(Shape, [Vec<usize>; 2]), DiffError> {
    let place = |file: &Foreign, name: &str| {
        file.header().iter().position(|column| column == name).ok_or_else(|| DiffError::NoColumn {
            path: file.path().to_owned(),
            name: name.to_owned(),
            near: file.header().iter().find(|column| column.eq_ignore_ascii_case(name)).cloned(),
        })
    };
    let mut names = options.key.clone();
    for name in &names {
        // Before all else: a file whose key is not found was most likely read with the wrong delimiter.
        place(a, name)?;
        place(b, name)?;
    }
    if options.columns.is_empty() {
        let left_out = |name: &&String| options.ignore.contains(name);
        for (only_a, one, other) in [(true, a, b), (false, b, a)] {
            let only: Vec<String> = one
                .header()
                .iter()
                .filter(|name| !other.header().contains(name) && !left_out(name))
                .cloned()
                .collect();
            if !only.is_empty() {
                return Err(DiffError::Columns { only_a, only, path: one.path().to_owned() });
            }
        }
        names
            .extend(a.header().iter().filter(|name| !options.key.contains(name) && !left_out(name)).cloned());
        for name in &options.ignore {
            // A name that neither file has is a slip of the pen.
            if place(a, name).is_err() {
                place(b, name)?;
            }
        }
    } else {
        names.extend(options.columns.iter().filter(|name| !options.key.contains(name)).cloned());
    }
    let places = |file: &Foreign| names.iter().map(|name| place(file, name)).collect::<Result<Vec<_>, _>>();
    let both = [places(a)?, places(b)?];
    let tenant = options
        .tenant
        .as_ref()
        .map(|name| {
            names.iter().position(|column| column == name).ok_or_else(|| DiffError::NoColumn {
                path: a.path().to_owned(),
                name: name.clone(),
                near: None,
            })
        })
        .transpose()?;
    let shape = Shape {
        entity: String::new(),
        a: a.path().display().to_string(),
        b: b.path().display().to_string(),
        key: options.key.len(),
        columns: names,
        tenant,
        escaped: false,
    };
    Ok((shape, both))
}
