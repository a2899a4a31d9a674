//! CSV files that haulier did not write: read strictly, so that a broken file is an error and not a difference.

mod chunk;
mod mend;
mod record;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(crate) use chunk::{Chunk, Chunks};
pub(crate) use record::{Layout, Records};

/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A record longer than this is taken for one whose quote is not closed.
pub(crate) const LONGEST: usize = 64 << 20;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The delimiter: one ASCII character, neither quote nor line break.
    pub delimiter: u8,
    /// Whether an empty cell without quotes is NULL, and one with quotes the empty text.
    pub unquoted_null: bool,
    /// Whether a quote within a cell that does not begin with one is text, and no error.
    pub bare_quotes: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', unquoted_null: false, bare_quotes: false }
    }
}

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1; of a record of several lines, where the mistake is.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// A file with its header read.
#[derive(Debug, Clone)]
pub struct Foreign {
    path: PathBuf,
    dialect: Dialect,
    header: Vec<String>,
    /// Where the first record starts, in the text.
    body: u64,
    /// The file's size.
    size: u64,
    regular: bool,
}

impl Foreign {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// It cannot be read, is not UTF-8, has no header, or names a column twice.
    pub fn open(path: &Path, dialect: Dialect) -> Result<Self, CsvError> {
        let fail = |source| CsvError::Read { path: path.to_owned(), source };
        let meta = std::fs::metadata(path).map_err(fail)?;
        let mut this = Self {
            path: path.to_owned(),
            dialect,
            header: Vec::new(),
            body: 0,
            size: meta.len(),
            regular: meta.is_file(),
        };
        if !this.regular {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file");
            return Err(fail(source));
        }
        let mut chunks = Chunks::new(this.reader()?, 0, this.dialect);
        let first = chunks.next(Vec::new()).map_err(|problem| this.told(problem))?;
        let text = first.as_ref().map(|chunk| chunk.text.as_slice()).unwrap_or_default();
        let bom = match text {
            [0xef, 0xbb, 0xbf, ..] => 3,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(this.line(1, "it is UTF-16; save it as UTF-8"));
            }
            _ => 0,
        };
        let text = text.get(bom..).unwrap_or_default();
        let layout = Layout::header(dialect);
        let mut records = Records::new(text, &layout);
        let cells = records.header().map_err(|problem| this.told(problem.shifted(bom as u64)))?;
        let Some(header) = cells else { return Err(this.line(1, "it has no header line")) };
        for (index, name) in header.iter().enumerate() {
            if header.iter().take(index).any(|earlier| earlier == name) {
                return Err(this.line(1, &format!("the header names the column `{name}` twice")));
            }
        }
        this.header = header;
        this.body = (bom + records.at()) as u64;
        Ok(this)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of its columns.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Its size on disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The size of its text; `None` where it is compressed.
    pub(crate) fn text_size(&self) -> Option<u64> {
        let mut magic = [0; 4];
        let packed = File::open(&self.path).ok()?.read_exact(&mut magic).is_ok() && magic == ZSTD;
        (!packed).then_some(self.size)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Its records, in chunks, from the first again.
    pub(crate) fn chunks(&self) -> Result<Chunks, CsvError> {
        let mut reader = self.reader()?;
        io::copy(&mut reader.by_ref().take(self.body), &mut io::sink())
            .map_err(|source| CsvError::Read { path: self.path.clone(), source })?;
        Ok(Chunks::new(reader, self.body, self.dialect))
    }

    /// Whether size and time of change are as they were when it was opened.
    pub(crate) fn unchanged(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() == self.size)
    }

    fn reader(&self) -> Result<Box<dyn Read + Send>, CsvError> {
        let fail = |source| CsvError::Read { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(fail)?;
        let mut magic = [0; 4];
        let packed = file.read_exact(&mut magic).is_ok() && magic == ZSTD;
        io::Seek::rewind(&mut file).map_err(fail)?;
        Ok(if packed { Box::new(zstd::Decoder::new(file).map_err(fail)?) } else { Box::new(file) })
    }

    /// A mistake at its line, which is looked for only now.
    pub(crate) fn told(&self, problem: Problem) -> CsvError {
        match problem {
            Problem::Read(source) => CsvError::Read { path: self.path.clone(), source },
            Problem::At { offset, reason } => {
                let before = self.reader().and_then(|reader| {
                    newlines(reader.take(offset))
                        .map_err(|source| CsvError::Read { path: self.path.clone(), source })
                });
                match before {
                    Ok(count) => self.line(count + 1, &reason),
                    Err(error) => error,
                }
            }
        }
    }

    pub(crate) fn line(&self, line: u64, reason: &str) -> CsvError {
        CsvError::Line { path: self.path.clone(), line, reason: reason.to_owned() }
    }
}

fn newlines(mut reader: impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut count = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(count);
        }
        count += memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count() as u64;
    }
}

/// A mistake in a file, at its place in the text.
#[derive(Debug)]
pub(crate) enum Problem {
    Read(io::Error),
    At { offset: u64, reason: String },
}

impl Problem {
    pub(crate) fn at(offset: u64, reason: impl Into<String>) -> Self {
        Self::At { offset, reason: reason.into() }
    }

    /// The same, of a text that starts there.
    pub(crate) fn shifted(self, by: u64) -> Self {
        match self {
            Self::At { offset, reason } => Self::At { offset: offset + by, reason },
            read @ Self::Read(_) => read,
        }
    }
}

#[cfg(test)]
mod tests;
