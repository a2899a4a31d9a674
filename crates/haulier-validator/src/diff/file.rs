//! A sorted file, read line by line, and checked to be sorted.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::{DiffError, Lines};
use crate::foreign::{Chunk, Chunks, CsvError, Foreign, Records};
use crate::meter::Meter;

/// Chunks that are read ahead.
const AHEAD: usize = 2;

/// The rows of a file whose lines are in the order of their bytes already.
#[derive(Debug)]
pub struct SortedFile {
    file: Foreign,
    /// Read and checked by a thread of its own, which ends when nobody listens any more.
    chunks: Receiver<Result<Option<Chunk>, CsvError>>,
    /// The memory of chunks that are done with.
    spare: Sender<Vec<u8>>,
    chunk: Chunk,
    /// The line that was given out last, in the chunk.
    last: (usize, usize),
    /// The last line of the chunk before.
    carried: Vec<u8>,
    at: usize,
    quote: usize,
    fresh: bool,
    ended: bool,
    meter: Arc<Meter>,
}

impl SortedFile {
    /// Takes a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(file: &Foreign, meter: Arc<Meter>) -> Result<Self, DiffError> {
        let (send, chunks) = sync_channel(AHEAD);
        let (spare, spares) = channel();
        let (reader, of) = (file.chunks()?, file.clone());
        let read = move || read(&of, reader, &send, &spares);
        thread::Builder::new().name("read".to_owned()).spawn(read).map_err(|_| DiffError::Thread)?;
        Ok(Self {
            chunks,
            spare,
            file: file.clone(),
            chunk: Chunk { text: Vec::new(), offset: 0 },
            last: (0, 0),
            carried: Vec::new(),
            at: 0,
            quote: 0,
            fresh: true,
            ended: false,
            meter,
        })
    }

    fn refill(&mut self) -> Result<bool, DiffError> {
        if self.last.1 > self.last.0 {
            self.carried.clear();
            self.carried.extend_from_slice(self.chunk.text.get(self.last.0..self.last.1).unwrap_or_default());
        }
        self.meter.add(0, self.chunk.text.len() as u64)?;
        // Nobody takes it when the file is read to its end.
        let _over = self.spare.send(std::mem::take(&mut self.chunk.text));
        let next = self.chunks.recv().map_err(|_| DiffError::Thread)?;
        let Some(chunk) = next? else {
            self.ended = true;
            return Ok(false);
        };
        self.quote = memchr::memchr(b'"', &chunk.text).unwrap_or(chunk.text.len());
        self.chunk = chunk;
        self.at = 0;
        self.last = (0, 0);
        self.fresh = true;
        Ok(true)
    }

    /// The end of the line that starts there: its line feed, not one within quotes.
    fn end(&mut self, start: usize) -> usize {
        let text = &self.chunk.text;
        let find = |byte: u8, from: usize| {
            memchr::memchr(byte, text.get(from..).unwrap_or_default()).map_or(text.len(), |at| from + at)
        };
        let mut end = find(b'\n', start);
        if self.quote > end {
            return end;
        }
        let mut open = false;
        let mut from = self.quote;
        loop {
            let quotes = memchr::memchr_iter(b'"', text.get(from..end).unwrap_or_default()).count();
            open ^= quotes % 2 == 1;
            if !open || end >= text.len() {
                self.quote = find(b'"', end);
                return end;
            }
            from = end;
            end = find(b'\n', end + 1);
        }
    }
}

/// Reads chunk after chunk, up to the first that is broken.
fn read(
    file: &Foreign,
    mut chunks: Chunks,
    send: &SyncSender<Result<Option<Chunk>, CsvError>>,
    spares: &Receiver<Vec<u8>>,
) {
    loop {
        let next = chunks.next(spares.try_recv().unwrap_or_default()).map_err(|problem| file.told(problem));
        let next = next.and_then(|chunk| {
            if let Some(Chunk { text, offset }) = &chunk {
                Records::check(text, file.dialect())
                    .map_err(|problem| file.told(problem.shifted(*offset)))?;
            }
            Ok(chunk)
        });
        let last = !matches!(next, Ok(Some(_)));
        if send.send(next).is_err() || last {
            return;
        }
    }
}

impl Lines for SortedFile {
    fn next_line(&mut self) -> Result<Option<&[u8]>, DiffError> {
        loop {
            if self.at >= self.chunk.text.len() && (self.ended || !self.refill()?) {
                return Ok(None);
            }
            let start = self.at;
            let feed = self.end(start);
            self.at = feed + 1;
            let text = &self.chunk.text;
            let mut line = text.get(start..feed).unwrap_or_default();
            line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let last = if self.fresh {
                self.carried.as_slice()
            } else {
                text.get(self.last.0..self.last.1).unwrap_or_default()
            };
            if line < last {
                let offset = self.chunk.offset + start as u64;
                let reason = "the file is not in the order of its bytes here (that of `LC_ALL=C sort`)";
                return Err(self.file.told(crate::foreign::Problem::at(offset, reason)).into());
            }
            self.fresh = false;
            let length = line.len();
            self.last = (start, start + length);
            return Ok(self.chunk.text.get(start..start + length));
        }
    }
}
