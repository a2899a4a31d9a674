//! Cuts a file into chunks of whole records.
//!
//! A line feed ends a record where the quotes before it are even in number. That holds for every file that is quoted rightly;
//! in one that is not, the records' reader finds the mistake in the first chunk that holds it, which started at a true border.

use std::io::Read;

use super::{Dialect, LONGEST, Problem};

const SIZE: usize = 1 << 20;

/// Whole records, and where they start in the text.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) text: Vec<u8>,
    pub(crate) offset: u64,
}

/// A file, chunk by chunk.
pub(crate) struct Chunks {
    reader: Box<dyn Read + Send>,
    rest: Vec<u8>,
    offset: u64,
    ended: bool,
    dialect: Dialect,
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Chunks {
    pub(crate) fn new(reader: Box<dyn Read + Send>, offset: u64, dialect: Dialect) -> Self {
        Self { reader, rest: Vec::new(), offset, ended: false, dialect }
    }

    /// The next chunk, in the memory of one that is done with.
    pub(crate) fn next(&mut self, memory: Vec<u8>) -> Result<Option<Chunk>, Problem> {
        let mut text = memory;
        text.clear();
        text.append(&mut self.rest);
        let mut quotes = 0;
        let mut counted = 0;
        loop {
            let have = text.len();
            if !self.ended {
                let want = if have < SIZE / 2 { SIZE - have } else { SIZE };
                let read =
                    self.reader.by_ref().take(want as u64).read_to_end(&mut text).map_err(Problem::Read)?;
                self.ended = read < want;
            }
            let border = if self.ended {
                Some(text.len())
            } else if self.dialect.bare_quotes {
                walked(&text, self.dialect.delimiter)
            } else {
                let fresh = text.get(counted..).unwrap_or_default();
                quotes += memchr::memchr_iter(b'"', fresh).count();
                counted = text.len();
                border(&text, quotes)
            };
            if let Some(border) = border {
                self.rest.extend_from_slice(text.get(border..).unwrap_or_default());
                text.truncate(border);
                let offset = self.offset;
                self.offset += text.len() as u64;
                return Ok(if text.is_empty() { None } else { Some(Chunk { text, offset }) });
            }
            if text.len() > LONGEST {
                let reason = format!("a row of more than {} MiB: is a quote not closed?", LONGEST >> 20);
                return Err(Problem::at(self.offset, reason));
            }
        }
    }
}

/// The same, cell by cell: quotes may stand anywhere, and say nothing by their number.
fn walked(text: &[u8], delimiter: u8) -> Option<usize> {
    let find = |byte: u8, from: usize| Some(from + memchr::memchr(byte, text.get(from..)?)?);
    let mut border = None;
    let mut at = 0;
    loop {
        let mut end = at;
        if text.get(at) == Some(&b'"') {
            end = find(b'"', at + 1).map_or(text.len(), |quote| quote + 1);
            while text.get(end) == Some(&b'"') {
                end = find(b'"', end + 1).map_or(text.len(), |quote| quote + 1);
            }
        }
        let rest = text.get(end..).unwrap_or_default();
        let Some(found) = memchr::memchr2(delimiter, b'\n', rest) else { return border };
        at = end + found + 1;
        if rest.get(found) == Some(&b'\n') {
            border = Some(at);
        }
    }
}

/// Behind the last line feed that ends a record.
fn border(text: &[u8], quotes: usize) -> Option<usize> {
    let mut end = text.len();
    let mut before = quotes;
    while let Some(at) = memchr::memrchr(b'\n', text.get(..end)?) {
        before -= memchr::memchr_iter(b'"', text.get(at..end)?).count();
        if before.is_multiple_of(2) {
            return Some(at + 1);
        }
        end = at;
    }
    None
}
