//! Which records of a list came already: in memory while they are few, else in sorted files without a name.
//!
//! A record is known by a digest of its id: 128 bits of SipHash under keys of this process alone, so no two ids are taken for one.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use haulier_validator::sort::SortError;

use crate::SidesError;

/// Bytes of a digest, and of what it costs in memory, about.
const DIGEST: usize = size_of::<u128>();
const COST: usize = 4 * DIGEST;
/// Digests of a block, which is what one look reads.
const BLOCK: usize = 256;

/// The records so far.
#[derive(Debug)]
pub(crate) struct Seen {
    keys: [RandomState; 2],
    few: HashSet<u128>,
    /// How many of them stay in memory.
    room: usize,
    /// Each at least twice as long as the next.
    files: Vec<Sorted>,
    folder: PathBuf,
}

/// Digests in their order. Memory holds the first of each block.
#[derive(Debug)]
struct Sorted {
    file: File,
    blocks: Vec<u128>,
    count: usize,
}

impl Seen {
    /// None yet. They may take so much memory; what does not fit goes to files in that folder.
    pub(crate) fn new(memory: usize, folder: PathBuf) -> Self {
        let keys = [RandomState::new(), RandomState::new()];
        Self { keys, few: HashSet::new(), room: (memory / COST).max(BLOCK), files: Vec::new(), folder }
    }

    /// Notes a record; false where it came before.
    pub(crate) fn insert(&mut self, id: &str) -> Result<bool, SidesError> {
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(id)));
        let digest = high << 64 | low;
        if self.few.contains(&digest) {
            return Ok(false);
        }
        for file in &self.files {
            if file.has(digest).map_err(|error| self.failed(error))? {
                return Ok(false);
            }
        }
        self.few.insert(digest);
        if self.few.len() >= self.room {
            self.spill().map_err(|error| self.failed(error))?;
        }
        Ok(true)
    }

    fn failed(&self, error: io::Error) -> SidesError {
        SortError::spill(&self.folder, error).into()
    }

    /// Writes what is in memory, and merges files until none is less than twice as long as the next: so there are few to look at.
    fn spill(&mut self) -> io::Result<()> {
        let mut digests: Vec<u128> = self.few.drain().collect();
        digests.sort_unstable();
        let mut last = self.write(digests.into_iter().map(Ok))?;
        while let Some(before) = self.files.pop_if(|before| before.count < 2 * last.count) {
            last = self.write(Merged::new(before, last)?)?;
        }
        self.files.push(last);
        Ok(())
    }

    fn write(&self, digests: impl Iterator<Item = io::Result<u128>>) -> io::Result<Sorted> {
        let mut out = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(&self.folder)?);
        let (mut blocks, mut count) = (Vec::new(), 0);
        for digest in digests {
            let digest = digest?;
            if blocks.len() * BLOCK == count {
                blocks.push(digest);
            }
            out.write_all(&digest.to_le_bytes())?;
            count += 1;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Sorted { file, blocks, count })
    }
}

impl Sorted {
    fn has(&self, digest: u128) -> io::Result<bool> {
        let behind = self.blocks.partition_point(|first| *first <= digest);
        let Some(block) = behind.checked_sub(1) else { return Ok(false) };
        let from = block * BLOCK;
        let mut bytes = [0; BLOCK * DIGEST];
        let bytes = bytes.get_mut(..(self.count - from).min(BLOCK) * DIGEST).unwrap_or_default();
        self.file.read_exact_at(bytes, u64::try_from(from * DIGEST).map_err(io::Error::other)?)?;
        let (digests, _) = bytes.as_chunks::<DIGEST>();
        Ok(digests.binary_search_by_key(&digest, |bytes| u128::from_le_bytes(*bytes)).is_ok())
    }
}

/// Two files as one.
struct Merged {
    files: [BufReader<File>; 2],
    next: [Option<u128>; 2],
}

impl Merged {
    fn new(a: Sorted, b: Sorted) -> io::Result<Self> {
        let open = |mut sorted: Sorted| {
            sorted.file.rewind()?;
            Ok::<_, io::Error>(BufReader::with_capacity(256 << 10, sorted.file))
        };
        let mut files = [open(a)?, open(b)?];
        let next = [digest(&mut files[0])?, digest(&mut files[1])?];
        Ok(Self { files, next })
    }
}

impl Iterator for Merged {
    type Item = io::Result<u128>;

    fn next(&mut self) -> Option<Self::Item> {
        let side = match self.next {
            [Some(a), Some(b)] => usize::from(b < a),
            [Some(_), None] => 0,
            [None, Some(_)] => 1,
            [None, None] => return None,
        };
        let (file, next) = (self.files.get_mut(side)?, self.next.get_mut(side)?);
        match digest(file) {
            Ok(following) => std::mem::replace(next, following).map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The next digest; nothing at the end.
fn digest(file: &mut impl Read) -> io::Result<Option<u128>> {
    let mut bytes = [0; DIGEST];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u128::from_le_bytes(bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_fresh_once_however_little_fits_into_memory() {
        let mut seen = Seen::new(0, std::env::temp_dir());
        for round in 0..2 {
            for id in 0..10_000_u32 {
                assert_eq!(seen.insert(&id.to_string()).unwrap(), round == 0, "{id}");
                // Also while its neighbours are still in memory, or just spilled.
                assert!(!seen.insert(&(id / 2).to_string()).unwrap());
            }
        }
        let counts: Vec<usize> = seen.files.iter().map(|file| file.count).collect();
        assert_eq!(counts.iter().sum::<usize>() + seen.few.len(), 10_000);
        assert!(counts.windows(2).all(|pair| pair[0] >= 2 * pair[1]), "{counts:?}");
        assert!(seen.few.len() < BLOCK);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let mut seen = Seen::new(0, "/nonexistent/spill".into());
        let error = (0..1000).find_map(|id| seen.insert(&id.to_string()).err()).unwrap();
        assert_eq!(error.to_string(), "cannot spill to /nonexistent/spill");
    }
}
