//! Sorts any number of lines by their bytes, in bounded memory.
//!
//! Lines are gathered in runs; each run is sorted on its own thread. The first runs stay in memory, later ones are spilled to files
//! without a name (gone with the process, however it ends), and all of them are merged as they are read.

mod merge;
mod run;
mod spill;

use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use merge::Input;
pub use merge::Sorted;
use run::Run;
use spill::Spill;

use crate::meter::{Meter, Stopped};

/// Memory a sort takes when nothing is said: 256 MiB.
pub const MEMORY: usize = 256 << 20;
/// Spill files that are merged at once; more are merged in steps.
const FAN_IN: usize = 256;
/// A run smaller than this would spill crumbs.
const SMALLEST_RUN: usize = 64 << 10;

/// How to sort.
#[derive(Debug, Clone)]
pub struct SortOptions {
    /// Bytes of memory for lines, index and buffers.
    pub memory: usize,
    /// Threads that sort.
    pub threads: usize,
    /// The folder of spill files.
    pub spill: PathBuf,
    /// Counts the rows, and stops the sort.
    pub meter: Arc<Meter>,
}

impl Default for SortOptions {
    fn default() -> Self {
        Self {
            memory: MEMORY,
            threads: thread::available_parallelism().map_or(2, NonZero::get),
            spill: std::env::temp_dir(),
            meter: Arc::default(),
        }
    }
}

/// Why a sort ended early.
#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// The spill folder is full.
    #[error("the spill folder {} is full: make room, name another folder, or allow more memory", folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
    },
    /// Spilling failed otherwise.
    #[error("cannot spill to {}", folder.display())]
    Spill {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is longer than the memory allows.
    #[error("a row of {bytes} bytes does not fit into the memory of the sort: allow more")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A thread of the sort ended by itself.
    #[error("a thread of the sort failed")]
    Thread,
    /// Told to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl SortError {
    /// A file in the spill folder cannot be written or read.
    #[must_use]
    pub fn spill(folder: &Path, source: io::Error) -> Self {
        let folder = folder.to_owned();
        if no_room(&source) { Self::Full { folder } } else { Self::Spill { folder, source } }
    }
}

/// Whether a write failed because there is no room.
pub(crate) fn no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

enum Done {
    Kept(Run),
    Spilled(io::Result<Spill>, Run),
}

/// Takes lines in any order.
#[derive(Debug)]
pub struct Sorter {
    options: SortOptions,
    run: Run,
    run_bytes: usize,
    idle: Vec<Run>,
    flying: usize,
    started: usize,
    keep: usize,
    kept: Vec<Run>,
    spills: Vec<Spill>,
    done: (Sender<Done>, Receiver<Done>),
    lines: u64,
    told: (u64, u64),
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kept(_) => "Kept",
            Self::Spilled(..) => "Spilled",
        })
    }
}

impl Sorter {
    /// A sorter without lines.
    #[must_use]
    pub fn new(options: SortOptions) -> Self {
        let threads = options.threads.max(1);
        // Of the memory, threads + 1 runs are being filled and sorted; the rest stays full until the merge. Fine parts, so that
        // little of it stands empty.
        let parts = 4 * (threads + 2);
        let run_bytes = (options.memory / parts).clamp(SMALLEST_RUN, 1 << 30);
        let keep = (options.memory / run_bytes).saturating_sub(threads + 2).max(1);
        Self {
            run: Run::with_room(run_bytes),
            run_bytes,
            idle: Vec::new(),
            flying: 0,
            started: 0,
            keep,
            kept: Vec::new(),
            spills: Vec::new(),
            done: channel(),
            lines: 0,
            told: (0, 0),
            options: SortOptions { threads, ..options },
        }
    }

    /// Takes one line; it may hold any bytes.
    ///
    /// # Errors
    /// Spilling failed, the line is too long, or the meter says stop.
    pub fn push(&mut self, line: &[u8]) -> Result<(), SortError> {
        if self.run.bytes() + line.len() + run::OVERHEAD > self.run_bytes {
            if line.len() > self.run_bytes.max(self.options.memory / 4) {
                return Err(SortError::TooLong { bytes: line.len() });
            }
            self.start()?;
        }
        self.run.push(line);
        self.lines += 1;
        self.told.0 += 1;
        self.told.1 += line.len() as u64;
        if self.told.0 == 4096 {
            let (rows, bytes) = std::mem::take(&mut self.told);
            self.options.meter.add(rows, bytes)?;
        }
        Ok(())
    }

    /// How many lines came in.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// No more lines: gives them back in the order of their bytes.
    ///
    /// # Errors
    /// Spilling failed, or the meter says stop.
    pub fn finish(mut self) -> Result<Sorted, SortError> {
        let mut last = std::mem::take(&mut self.run);
        while self.flying > 0 {
            self.collect()?;
        }
        last.sort();
        self.kept.push(last);
        let (rows, bytes) = std::mem::take(&mut self.told);
        self.options.meter.add(rows, bytes)?;
        self.idle.clear();
        while self.spills.len() > FAN_IN {
            // No more than must be: all of these lines are written once more.
            let some = (self.spills.len() - FAN_IN + 1).min(FAN_IN);
            let some = self.spills.drain(..some).map(Input::Spill).collect();
            let mut merged = Sorted::new(some, &self.options)?;
            let mut writer = spill::Writer::create(&self.options.spill)
                .map_err(|error| SortError::spill(&self.options.spill, error))?;
            while let Some(line) = merged.next_line()? {
                writer.push(line).map_err(|error| SortError::spill(&self.options.spill, error))?;
            }
            let spill = writer.finish().map_err(|error| SortError::spill(&self.options.spill, error))?;
            self.spills.push(spill);
        }
        let kept = self.kept.into_iter().filter(|run| !run.is_empty()).map(Input::Run);
        let inputs = kept.chain(self.spills.into_iter().map(Input::Spill)).collect();
        Sorted::new(inputs, &self.options)
    }

    /// Hands the full run to a thread and takes an empty one.
    fn start(&mut self) -> Result<(), SortError> {
        if self.run.is_empty() {
            return Ok(());
        }
        while self.flying >= self.options.threads {
            self.collect()?;
        }
        let next = self.idle.pop().unwrap_or_else(|| Run::with_room(self.run_bytes));
        let mut run = std::mem::replace(&mut self.run, next);
        let keep = self.started < self.keep;
        self.started += 1;
        self.flying += 1;
        let done = self.done.0.clone();
        let folder = self.options.spill.clone();
        let sort = move || {
            run.sort();
            let outcome = if keep {
                Done::Kept(run)
            } else {
                let spilled = spill::write(&folder, &run);
                run.clear();
                Done::Spilled(spilled, run)
            };
            // Nobody waits for it when the sorter was dropped.
            let _unheard = done.send(outcome);
        };
        thread::Builder::new().name("sort".to_owned()).spawn(sort).map_err(|_| SortError::Thread)?;
        Ok(())
    }

    fn collect(&mut self) -> Result<(), SortError> {
        let done = self.done.1.recv_timeout(std::time::Duration::from_secs(600));
        self.flying -= 1;
        match done.map_err(|_| SortError::Thread)? {
            Done::Kept(run) => self.kept.push(run),
            Done::Spilled(spill, run) => {
                self.spills.push(spill.map_err(|error| SortError::spill(&self.options.spill, error))?);
                self.idle.push(run);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
