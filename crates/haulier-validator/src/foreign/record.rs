//! Records of a chunk, each as one canonical line in the order of columns that is asked for.

use super::{Dialect, Problem};
use crate::line;

/// How a file's cells become a line.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dialect: Dialect,
    /// Cells of a record.
    width: usize,
    /// For each cell of the line, the cell of the record.
    order: Vec<usize>,
    /// Whether the line is the record as it stands, where nothing is quoted.
    as_is: bool,
    /// Whether a cell without quotes stands in the line as it stands in the record.
    plain: bool,
    /// For each cell of the key, the cell of the record.
    key: Vec<usize>,
    /// The key's cell, where it is one alone.
    key_alone: Option<usize>,
}

impl Layout {
    pub(crate) fn new(dialect: Dialect, width: usize, order: Vec<usize>, key: Vec<usize>) -> Self {
        let whole = order.len() == width && order.iter().enumerate().all(|(index, from)| index == *from);
        let plain = dialect.delimiter == b',' && !dialect.unquoted_null;
        let as_is = whole && plain;
        let key_alone = if let [only] = key.as_slice() { Some(*only) } else { None };
        Self { dialect, width, order, as_is, plain, key, key_alone }
    }

    pub(super) fn header(dialect: Dialect) -> Self {
        Self::new(dialect, 0, Vec::new(), Vec::new())
    }
}

/// One cell of a record: where its text is, and whether it was quoted.
#[derive(Debug, Clone, Copy)]
struct Cell {
    from: usize,
    to: usize,
    quoted: bool,
    /// Whether its text is in the scratch memory, without its doubled quotes.
    copied: bool,
}

/// Reads the records of a chunk.
#[derive(Debug)]
pub(crate) struct Records<'t> {
    text: &'t [u8],
    layout: &'t Layout,
    at: usize,
    /// The next quote that is not yet passed.
    quote: usize,
    cells: Vec<Cell>,
    scratch: Vec<u8>,
    line: Vec<u8>,
    key: Vec<u8>,
    record: (usize, usize),
    /// Whether the record holds a quote.
    odd: bool,
}

impl<'t> Records<'t> {
    pub(crate) fn new(text: &'t [u8], layout: &'t Layout) -> Self {
        let mut this = Self {
            text,
            layout,
            at: 0,
            quote: 0,
            cells: Vec::new(),
            scratch: Vec::new(),
            line: Vec::new(),
            key: Vec::new(),
            record: (0, 0),
            odd: false,
        };
        this.quote = this.find(b'"', 0);
        this
    }

    /// Whether the chunk is UTF-8, and has no line break but LF and CRLF.
    pub(crate) fn check(text: &[u8], dialect: Dialect) -> Result<(), Problem> {
        if let Err(error) = std::str::from_utf8(text) {
            return Err(Problem::at(error.valid_up_to() as u64, "it is not UTF-8 here"));
        }
        if dialect.bare_quotes {
            // What stands within quotes cannot be told by counting them.
            return Ok(());
        }
        let (mut quotes, mut counted) = (0, 0);
        for at in memchr::memchr_iter(b'\r', text).filter(|at| text.get(at + 1) != Some(&b'\n')) {
            quotes += memchr::memchr_iter(b'"', text.get(counted..at).unwrap_or_default()).count();
            counted = at;
            if quotes.is_multiple_of(2) {
                return Err(Problem::at(
                    at as u64,
                    "it has a carriage return outside quotes that ends no line",
                ));
            }
        }
        Ok(())
    }

    /// How far the chunk is read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The cells of the first record, as texts.
    pub(super) fn header(&mut self) -> Result<Option<Vec<String>>, Problem> {
        if !self.split()? {
            return Ok(None);
        }
        // Only the header: what comes behind is told with its own place.
        Self::check(self.text.get(..self.at).unwrap_or_default(), self.layout.dialect)?;
        let text = |cell: &Cell| {
            String::from_utf8(self.bytes(*cell).to_vec())
                .map_err(|_| Problem::at(cell.from as u64, "it is not UTF-8 here"))
        };
        self.cells.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Moves on to the next record; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, Problem> {
        if !self.split()? {
            return Ok(false);
        }
        if self.cells.len() != self.layout.width {
            let (has, width) = (self.cells.len(), self.layout.width);
            let cells = if has == 1 { "cell" } else { "cells" };
            let reason = format!("the row has {has} {cells}, the header {width}");
            return Err(Problem::at(self.record.0 as u64, reason));
        }
        Ok(true)
    }

    /// The record as one canonical line.
    pub(crate) fn line(&mut self) -> &[u8] {
        if self.layout.as_is && !self.odd {
            let raw = self.text.get(self.record.0..self.record.1).unwrap_or_default();
            if !raw.is_empty() {
                return raw;
            }
        }
        let mut out = std::mem::take(&mut self.line);
        self.write(&self.layout.order, &mut out);
        line::close(&mut out, 0);
        self.line = out;
        &self.line
    }

    /// The key's cells, as they stand in the line.
    pub(crate) fn key(&mut self) -> &[u8] {
        if let Some(cell) = self.layout.key_alone.and_then(|index| self.cells.get(index))
            && !self.odd
            && self.layout.plain
        {
            return self.text.get(cell.from..cell.to).unwrap_or_default();
        }
        let mut out = std::mem::take(&mut self.key);
        self.write(&self.layout.key, &mut out);
        self.key = out;
        &self.key
    }

    fn write(&self, order: &[usize], out: &mut Vec<u8>) {
        out.clear();
        for (index, from) in order.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let Some(cell) = self.cells.get(*from) else { continue };
            let bytes = self.bytes(*cell);
            if !self.layout.dialect.unquoted_null {
                push(out, bytes);
            } else if bytes.is_empty() && !cell.quoted {
                out.extend_from_slice(line::NULL);
            } else {
                line::push_text(out, &String::from_utf8_lossy(bytes));
            }
        }
    }

    fn bytes(&self, cell: Cell) -> &[u8] {
        let from = if cell.copied { self.scratch.as_slice() } else { self.text };
        from.get(cell.from..cell.to).unwrap_or_default()
    }

    fn find(&self, byte: u8, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        memchr::memchr(byte, rest).map_or(self.text.len(), |at| from + at)
    }

    /// Splits the next record into cells; false at the end.
    fn split(&mut self) -> Result<bool, Problem> {
        loop {
            self.cells.clear();
            let start = self.at;
            if start >= self.text.len() {
                return Ok(false);
            }
            let feed = self.find(b'\n', start);
            self.odd = self.quote < feed;
            if self.odd {
                self.scratch.clear();
                self.quoted(start)?;
                self.quote = self.find(b'"', self.at);
                return Ok(true);
            }
            self.at = (feed + 1).min(self.text.len());
            let mut end = feed;
            if self.text.get(start..end).is_some_and(|line| line.ends_with(b"\r")) {
                end -= 1;
            }
            self.record = (start, end);
            // A line of nothing is no record, except where a record is one cell.
            if start == end && self.layout.width != 1 {
                continue;
            }
            let line = self.text.get(start..end).unwrap_or_default();
            let mut from = start;
            for at in memchr::memchr_iter(self.layout.dialect.delimiter, line) {
                self.cells.push(Cell { from, to: start + at, quoted: false, copied: false });
                from = start + at + 1;
            }
            self.cells.push(Cell { from, to: end, quoted: false, copied: false });
            return Ok(true);
        }
    }

    /// Splits a record that holds a quote, byte by byte.
    fn quoted(&mut self, start: usize) -> Result<(), Problem> {
        let delimiter = self.layout.dialect.delimiter;
        let mut at = start;
        loop {
            let (cell, end) =
                if self.text.get(at) == Some(&b'"') { self.inside(at)? } else { self.plain(at)? };
            self.cells.push(cell);
            match self.text.get(end) {
                Some(byte) if *byte == delimiter => at = end + 1,
                Some(b'\r') if self.text.get(end + 1) == Some(&b'\n') => {
                    self.record = (start, end);
                    self.at = end + 2;
                    return Ok(());
                }
                Some(b'\n') | None => {
                    self.record = (start, end);
                    self.at = (end + 1).min(self.text.len());
                    return Ok(());
                }
                Some(_) => {
                    return Err(Problem::at(
                        end as u64,
                        "text behind a closing quote: quotes within a cell are doubled",
                    ));
                }
            }
        }
    }

    fn inside(&mut self, at: usize) -> Result<(Cell, usize), Problem> {
        let from = at + 1;
        let mut end = self.find(b'"', from);
        if self.text.get(end + 1) != Some(&b'"') && end < self.text.len() {
            return Ok((Cell { from, to: end, quoted: true, copied: false }, end + 1));
        }
        let begin = self.scratch.len();
        let mut piece = from;
        loop {
            if end >= self.text.len() {
                return Err(Problem::at(at as u64, "a quote is opened here and not closed"));
            }
            self.scratch.extend_from_slice(self.text.get(piece..end).unwrap_or_default());
            if self.text.get(end + 1) != Some(&b'"') {
                let cell = Cell { from: begin, to: self.scratch.len(), quoted: true, copied: true };
                return Ok((cell, end + 1));
            }
            self.scratch.push(b'"');
            piece = end + 2;
            end = self.find(b'"', piece);
        }
    }

    fn plain(&self, at: usize) -> Result<(Cell, usize), Problem> {
        let delimiter = self.layout.dialect.delimiter;
        let rest = self.text.get(at..).unwrap_or_default();
        let found = if self.layout.dialect.bare_quotes {
            memchr::memchr2(delimiter, b'\n', rest)
        } else {
            memchr::memchr3(delimiter, b'\n', b'"', rest)
        };
        let end = found.map_or(self.text.len(), |found| at + found);
        if self.text.get(end) == Some(&b'"') {
            return Err(Problem::at(end as u64, "a quote within a cell that does not begin with one"));
        }
        let mut to = end;
        if self.text.get(end) != Some(&delimiter)
            && self.text.get(at..end).is_some_and(|cell| cell.ends_with(b"\r"))
        {
            to -= 1;
        }
        Ok((Cell { from: at, to, quoted: false, copied: false }, if to < end { to } else { end }))
    }
}

/// Appends a cell as it is, quoted where it must be; line breaks stay in their quotes.
fn push(out: &mut Vec<u8>, cell: &[u8]) {
    if !cell.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
