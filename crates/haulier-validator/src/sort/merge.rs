//! Merges sorted runs, from memory and from disk.

use std::cmp::Ordering;
use std::path::PathBuf;

use super::run::{Run, head};
use super::spill::{Reader, Spill};
use super::{SortError, SortOptions};

/// A sorted run, wherever it is.
#[derive(Debug)]
pub(super) enum Input {
    Run(Run),
    Spill(Spill),
}

#[derive(Debug)]
enum Stream {
    Run { run: Run, place: usize },
    Spill(Reader),
}

impl Stream {
    fn line(&self) -> &[u8] {
        match self {
            Self::Run { run, place } => run.line(*place).unwrap_or_default(),
            Self::Spill(reader) => reader.line(),
        }
    }
}

/// A stream's place in the heap: its line's first bytes, which mostly decide, and which stream it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    head: u64,
    stream: usize,
}

/// Lines in the order of their bytes.
#[derive(Debug)]
pub struct Sorted {
    streams: Vec<Stream>,
    /// A binary heap, the smallest first. Its first one's line was given out when `given`.
    heap: Vec<Place>,
    given: bool,
    folder: PathBuf,
}

impl Sorted {
    pub(super) fn new(inputs: Vec<Input>, options: &SortOptions) -> Result<Self, SortError> {
        let spilled = inputs.iter().filter(|input| matches!(input, Input::Spill(_))).count().max(1);
        let buffer = (options.memory / 8 / spilled).clamp(16 << 10, 1 << 20);
        let mut streams = Vec::with_capacity(inputs.len());
        let mut heap = Vec::with_capacity(inputs.len());
        for input in inputs {
            let (stream, some) = match input {
                Input::Run(run) => {
                    let some = !run.is_empty();
                    (Stream::Run { run, place: 0 }, some)
                }
                Input::Spill(spill) => {
                    let mut reader = Reader::new(spill, buffer);
                    let some = reader.advance().map_err(|error| SortError::spill(&options.spill, error))?;
                    (Stream::Spill(reader), some)
                }
            };
            if some {
                heap.push(Place { head: head(stream.line(), 0), stream: streams.len() });
            }
            streams.push(stream);
        }
        let mut sorted = Self { streams, heap, given: false, folder: options.spill.clone() };
        for place in (0..sorted.heap.len() / 2).rev() {
            sorted.sink(place);
        }
        Ok(sorted)
    }

    /// The next line.
    ///
    /// # Errors
    /// A spill file cannot be read.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, SortError> {
        if self.given {
            self.advance()?;
        }
        self.given = true;
        let Some(first) = self.heap.first() else { return Ok(None) };
        Ok(self.streams.get(first.stream).map(Stream::line))
    }

    /// Moves the first stream on, and the heap with it.
    fn advance(&mut self) -> Result<(), SortError> {
        let Some(first) = self.heap.first_mut() else { return Ok(()) };
        let Some(stream) = self.streams.get_mut(first.stream) else { return Ok(()) };
        let more = match stream {
            Stream::Run { run, place } => {
                *place += 1;
                run.line(*place).is_some()
            }
            Stream::Spill(reader) => {
                reader.advance().map_err(|error| SortError::spill(&self.folder, error))?
            }
        };
        if more {
            first.head = head(stream.line(), 0);
        } else {
            // Its memory or file is given back at once.
            *stream = Stream::Run { run: Run::default(), place: 0 };
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    fn before(&self, a: Place, b: Place) -> bool {
        match a.head.cmp(&b.head) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                let line = |place: Place| self.streams.get(place.stream).map(Stream::line);
                line(a) < line(b)
            }
        }
    }

    fn sink(&mut self, from: usize) {
        let mut at = from;
        loop {
            let mut child = 2 * at + 1;
            let (Some(&here), Some(&left)) = (self.heap.get(at), self.heap.get(child)) else { return };
            let mut smaller = left;
            if let Some(&right) = self.heap.get(child + 1)
                && self.before(right, left)
            {
                child += 1;
                smaller = right;
            }
            if !self.before(smaller, here) {
                return;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }
}
