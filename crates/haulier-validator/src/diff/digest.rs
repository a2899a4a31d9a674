//! Compares two unsorted files by digests: two passes over each, and only rows that may differ are ever sorted.
//!
//! The first pass keeps, of every row, a 64-bit digest of its key and one of the whole row: 16 bytes in place of the row. Keys whose
//! rows have the same digests on both sides, once each, are equal. The second pass picks the rows of all other keys, and these are
//! sorted and compared byte by byte. The digests are SipHash with keys of this process alone, so no data can be made to collide:
//! a changed row goes unseen with a probability of 2^-64. Two keys with one digest cost a needless look, nothing else.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::bucket::{BLOCK, BUCKETS, Buckets, Entry, bucket, suspects};
use super::scan::{Fault, Worker, scan};
use super::{DiffError, FileOptions};
use crate::foreign::{Chunk, Foreign, Layout, Records};
use crate::sort::{SortError, SortOptions, Sorted, Sorter};

/// Suspects that are kept apart; beyond it every row is taken for one.
const MOST: usize = 2 << 20;
/// Lines that are handed to a sorter at once.
const HANDFUL: usize = 64 << 10;

/// One of the two files, and how its records become lines.
#[derive(Debug)]
pub(super) struct Side<'f> {
    pub(super) file: &'f Foreign,
    /// In the first file's order of columns: for digests.
    pub(super) plain: Layout,
    /// Key first: for the sort.
    pub(super) keyed: Layout,
}

/// The rows that may differ, sorted, and how many rows are left out because they are the same.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) sorted: [Sorted; 2],
    pub(super) equal: u64,
}

/// Picks the rows that may differ; with `exact`, all of them, so that bytes alone decide.
pub(super) fn pick(sides: &[Side<'_>; 2], options: &FileOptions) -> Result<Picked, DiffError> {
    let hash = Hash::new(options.key.is_empty());
    let (filter, rows) = if options.exact { (Filter::All, None) } else { digests(sides, options, &hash)? };
    let sorters = [(); 2].map(|()| {
        Mutex::new(Sorter::new(SortOptions {
            memory: options.memory / 2 - options.memory / 16,
            threads: options.threads.div_ceil(2),
            spill: options.spill.clone(),
            ..SortOptions::default()
        }))
    });
    if !filter.is_empty() {
        let files = [sides[0].file, sides[1].file];
        scan(files, options.threads, &options.meter, || Picker {
            sides,
            hash: &hash,
            filter: &filter,
            sorters: &sorters,
            lines: [Vec::new(), Vec::new()],
            ends: [Vec::new(), Vec::new()],
        })?;
    }
    let [a, b] = sorters.map(|sorter| sorter.into_inner().map_err(|_| DiffError::Thread));
    let (a, b) = (a?, b?);
    let equal = rows.map_or(0, |rows| rows.saturating_sub(a.lines()));
    let sorted = std::thread::scope(|scope| {
        let other = scope.spawn(|| b.finish());
        let a = a.finish();
        Ok::<_, DiffError>([a?, other.join().map_err(|_| DiffError::Thread)??])
    })?;
    Ok(Picked { sorted, equal })
}

/// Digests by two keys that only this process knows.
#[derive(Debug)]
struct Hash {
    key: RandomState,
    row: RandomState,
    whole_rows: bool,
}

impl Hash {
    fn new(whole_rows: bool) -> Self {
        Self { key: RandomState::new(), row: RandomState::new(), whole_rows }
    }

    fn of(state: &RandomState, bytes: &[u8]) -> u64 {
        let mut hasher = state.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    fn key(&self, records: &mut Records<'_>) -> u64 {
        Self::of(&self.key, if self.whole_rows { records.line() } else { records.key() })
    }

    fn row(&self, records: &mut Records<'_>) -> u64 {
        Self::of(&self.row, records.line())
    }
}

/// The keys whose rows may differ.
#[derive(Debug)]
enum Filter {
    All,
    Some { keys: Vec<u64>, bits: Vec<u64>, mask: u64 },
}

impl Filter {
    fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        let size = (keys.len() * 16).next_power_of_two().max(1 << 16);
        let mask = size as u64 - 1;
        let mut bits = vec![0_u64; size / 64];
        for key in &keys {
            if let Some(word) = bits.get_mut(Self::word(key & mask)) {
                *word |= 1 << (key & 63);
            }
        }
        Self::Some { keys, bits, mask }
    }

    fn word(bit: u64) -> usize {
        usize::try_from(bit / 64).unwrap_or(usize::MAX)
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Some { keys, .. } if keys.is_empty())
    }

    fn has(&self, key: u64) -> bool {
        match self {
            Self::All => true,
            Self::Some { keys, bits, mask } => {
                bits.get(Self::word(key & mask)).is_some_and(|word| word & (1 << (key & 63)) != 0)
                    && keys.binary_search(&key).is_ok()
            }
        }
    }
}

/// The first pass: which keys may differ, and how many rows the first side has.
fn digests(
    sides: &[Side<'_>; 2],
    options: &FileOptions,
    hash: &Hash,
) -> Result<(Filter, Option<u64>), DiffError> {
    // What is left of the memory is for chunks, and for sorting two buckets a thread.
    let room = options.memory / 5 * 2;
    let buckets = [(); 2].map(|()| Buckets::new(room, &options.spill));
    let rows = AtomicU64::new(0);
    let fail = |error: io::Error| DiffError::Sort(SortError::spill(&options.spill, error));
    let files = [sides[0].file, sides[1].file];
    scan(files, options.threads, &options.meter, || Digester {
        sides,
        hash,
        buckets: &buckets,
        blocks: [blocks(), blocks()],
        rows: &rows,
        fail: &fail,
    })?;
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Ok(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= BUCKETS {
                        return;
                    }
                    let mut keys = Vec::new();
                    let both = buckets[0].take(at).and_then(|a| Ok((a, buckets[1].take(at)?)));
                    let Ok(mut found) = (match both {
                        Ok((a, b)) => {
                            suspects(&a, &b, hash.whole_rows, &mut keys);
                            found.lock()
                        }
                        Err(error) => found.lock().map(|mut found| {
                            *found = Err(fail(error));
                            found
                        }),
                    }) else {
                        return;
                    };
                    if let Ok(all) = found.as_mut() {
                        all.extend_from_slice(&keys);
                    }
                }
            });
        }
    });
    let keys = found.into_inner().map_err(|_| DiffError::Thread)??;
    let rows = rows.into_inner();
    Ok((if keys.len() > MOST { Filter::All } else { Filter::new(keys) }, Some(rows)))
}

fn blocks() -> Vec<Vec<Entry>> {
    (0..BUCKETS).map(|_| Vec::new()).collect()
}

/// A thread of the first pass.
struct Digester<'p> {
    sides: &'p [Side<'p>; 2],
    hash: &'p Hash,
    buckets: &'p [Buckets; 2],
    blocks: [Vec<Vec<Entry>>; 2],
    rows: &'p AtomicU64,
    fail: &'p (dyn Fn(io::Error) -> DiffError + Sync),
}

impl Worker for Digester<'_> {
    fn chunk(&mut self, side: usize, chunk: &Chunk) -> Result<u64, Fault> {
        let Some((layout, blocks)) = self.sides.get(side).zip(self.blocks.get_mut(side)) else {
            return Ok(0);
        };
        Records::check(&chunk.text, layout.file.dialect()).map_err(Fault::Text)?;
        let mut records = Records::new(&chunk.text, &layout.plain);
        let mut rows = 0;
        while records.advance().map_err(Fault::Text)? {
            rows += 1;
            let key = self.hash.key(&mut records);
            let row = self.hash.row(&mut records);
            let Some(block) = blocks.get_mut(bucket(key)) else { continue };
            if block.capacity() == 0 {
                block.reserve_exact(BLOCK);
            }
            block.push((key, row));
            if block.len() == BLOCK
                && let Some(buckets) = self.buckets.get(side)
            {
                buckets
                    .push(bucket(key), std::mem::take(block))
                    .map_err(|error| Fault::Other((self.fail)(error)))?;
            }
        }
        if side == 0 {
            self.rows.fetch_add(rows, Ordering::Relaxed);
        }
        Ok(rows)
    }

    fn finish(self) -> Result<(), DiffError> {
        for (blocks, buckets) in self.blocks.into_iter().zip(self.buckets) {
            for (index, mut block) in blocks.into_iter().enumerate() {
                block.shrink_to_fit();
                if !block.is_empty() {
                    buckets.push(index, block).map_err(self.fail)?;
                }
            }
        }
        Ok(())
    }
}

/// A thread of the second pass.
struct Picker<'p> {
    sides: &'p [Side<'p>; 2],
    hash: &'p Hash,
    filter: &'p Filter,
    sorters: &'p [Mutex<Sorter>; 2],
    lines: [Vec<u8>; 2],
    ends: [Vec<usize>; 2],
}

impl Picker<'_> {
    fn hand_over(&mut self, side: usize) -> Result<(), DiffError> {
        let (Some(lines), Some(ends), Some(sorter)) =
            (self.lines.get_mut(side), self.ends.get_mut(side), self.sorters.get(side))
        else {
            return Ok(());
        };
        let mut sorter = sorter.lock().map_err(|_| DiffError::Thread)?;
        let mut from = 0;
        for end in ends.drain(..) {
            sorter.push(lines.get(from..end).unwrap_or_default())?;
            from = end;
        }
        lines.clear();
        Ok(())
    }
}

impl Worker for Picker<'_> {
    fn chunk(&mut self, side: usize, chunk: &Chunk) -> Result<u64, Fault> {
        let Some(layout) = self.sides.get(side) else { return Ok(0) };
        Records::check(&chunk.text, layout.file.dialect()).map_err(Fault::Text)?;
        // Keys are digested as in the first pass: whole rows in the first file's order.
        let by_row = self.hash.whole_rows;
        let mut records = Records::new(&chunk.text, if by_row { &layout.plain } else { &layout.keyed });
        while records.advance().map_err(Fault::Text)? {
            if !matches!(self.filter, Filter::All) && !self.filter.has(self.hash.key(&mut records)) {
                continue;
            }
            let full = match (self.lines.get_mut(side), self.ends.get_mut(side)) {
                (Some(lines), Some(ends)) => {
                    lines.extend_from_slice(records.line());
                    ends.push(lines.len());
                    lines.len() > HANDFUL
                }
                _ => false,
            };
            if full {
                self.hand_over(side).map_err(Fault::Other)?;
            }
        }
        // The rows are counted by the first pass, or by the merge.
        Ok(0)
    }

    fn finish(mut self) -> Result<(), DiffError> {
        self.hand_over(0)?;
        self.hand_over(1)
    }
}
