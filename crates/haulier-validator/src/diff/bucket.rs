//! Digests of rows by the first bits of their key's digest: in memory while there is room, then on disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Digest of the key, digest of the row.
pub(super) type Entry = (u64, u64);

/// Buckets a side has.
pub(super) const BUCKETS: usize = 256;
/// Entries a block has: 8 KiB.
pub(super) const BLOCK: usize = 512;
const ENTRY: usize = size_of::<Entry>();

/// Which bucket a key's digest belongs to.
pub(super) fn bucket(key: u64) -> usize {
    usize::try_from(key >> 56).unwrap_or(0)
}

#[derive(Debug, Default)]
struct Bucket {
    blocks: Vec<Vec<Entry>>,
    /// Where its spilled blocks are: offset and entries.
    spilled: Vec<(u64, usize)>,
}

/// The digests of one side.
#[derive(Debug)]
pub(super) struct Buckets {
    all: Vec<Mutex<Bucket>>,
    room: usize,
    used: AtomicUsize,
    file: Mutex<Option<(File, u64)>>,
    folder: PathBuf,
}

impl Buckets {
    /// Empty, with room for so many bytes in memory.
    pub(super) fn new(room: usize, folder: &Path) -> Self {
        let all = (0..BUCKETS).map(|_| Mutex::default()).collect();
        Self { all, room, used: AtomicUsize::new(0), file: Mutex::new(None), folder: folder.to_owned() }
    }

    /// Takes a block of one bucket.
    pub(super) fn push(&self, bucket: usize, block: Vec<Entry>) -> io::Result<()> {
        let Some(place) = self.all.get(bucket) else { return Ok(()) };
        let size = block.capacity() * ENTRY;
        let used = self.used.fetch_add(size, Ordering::Relaxed) + size;
        let mut place = place.lock().map_err(|_| io::ErrorKind::Other)?;
        place.blocks.push(block);
        if used <= self.room {
            return Ok(());
        }
        let blocks = std::mem::take(&mut place.blocks);
        let mut bytes = Vec::new();
        for (key, row) in blocks.iter().flatten() {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&row.to_le_bytes());
        }
        self.used.fetch_sub(blocks.iter().map(|block| block.capacity() * ENTRY).sum(), Ordering::Relaxed);
        drop(blocks);
        let mut file = self.file.lock().map_err(|_| io::ErrorKind::Other)?;
        if file.is_none() {
            *file = Some((tempfile::tempfile_in(&self.folder)?, 0));
        }
        if let Some((file, end)) = file.as_mut() {
            file.seek(SeekFrom::Start(*end))?;
            file.write_all(&bytes)?;
            place.spilled.push((*end, bytes.len() / ENTRY));
            *end += bytes.len() as u64;
        }
        Ok(())
    }

    /// Takes a bucket out, sorted.
    pub(super) fn take(&self, bucket: usize) -> io::Result<Vec<Entry>> {
        let Some(place) = self.all.get(bucket) else { return Ok(Vec::new()) };
        let place = std::mem::take(&mut *place.lock().map_err(|_| io::ErrorKind::Other)?);
        let count = place.blocks.iter().map(Vec::len).sum::<usize>()
            + place.spilled.iter().map(|(_, entries)| entries).sum::<usize>();
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for block in place.blocks {
            entries.extend_from_slice(&block);
        }
        let mut bytes = Vec::new();
        for (offset, count) in place.spilled {
            bytes.resize(count * ENTRY, 0);
            if let Some((file, _)) = self.file.lock().map_err(|_| io::ErrorKind::Other)?.as_mut() {
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(&mut bytes)?;
            }
            entries.extend(bytes.chunks_exact(ENTRY).filter_map(|entry| {
                let (key, row) = entry.split_first_chunk::<8>()?;
                Some((u64::from_le_bytes(*key), u64::from_le_bytes(*row.first_chunk::<8>()?)))
            }));
        }
        entries.sort_unstable();
        Ok(entries)
    }
}

/// Keys whose rows are not the same on both sides, or that come more than once on one. Both are sorted.
pub(super) fn suspects(a: &[Entry], b: &[Entry], whole_rows: bool, found: &mut Vec<u64>) {
    let (mut left, mut right) = (a, b);
    loop {
        let key = match (left.first(), right.first()) {
            (None, None) => return,
            (Some((key, _)), None) | (None, Some((key, _))) => *key,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let of = |side: &[Entry]| side.iter().take_while(|(other, _)| *other == key).count();
        let (count_a, count_b) = (of(left), of(right));
        let (rows_a, rest_a) = left.split_at(count_a);
        let (rows_b, rest_b) = right.split_at(count_b);
        if rows_a != rows_b || (count_a > 1 && !whole_rows) {
            found.push(key);
        }
        left = rest_a;
        right = rest_b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spilled_buckets_come_back_whole() {
        for room in [0, 20_000, usize::MAX] {
            let buckets = Buckets::new(room, &std::env::temp_dir());
            for n in 0..10_u64 {
                for half in 0..2 {
                    buckets.push(7, vec![(n, half); 3]).unwrap();
                }
            }
            let taken = buckets.take(7).unwrap();
            assert_eq!(taken.len(), 60);
            assert!(taken.is_sorted());
            assert!(buckets.take(7).unwrap().is_empty() && buckets.take(8).unwrap().is_empty());
        }
    }

    #[test]
    fn only_what_differs_or_is_doubled_is_suspect() {
        let a = [(1, 1), (2, 2), (3, 3), (5, 1), (5, 2), (6, 6), (6, 6)];
        let b = [(1, 1), (3, 4), (4, 4), (5, 1), (5, 2), (6, 6), (6, 6)];
        let of = |whole| {
            let mut found = Vec::new();
            suspects(&a, &b, whole, &mut found);
            found
        };
        assert_eq!(of(false), [2, 3, 4, 5, 6]);
        assert_eq!(of(true), [2, 3, 4]);
    }
}
