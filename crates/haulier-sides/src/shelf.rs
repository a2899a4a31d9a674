//! Records of which there are too many for the memory: in a sorted file without a name, found by the first bytes of its blocks.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use haulier_validator::sort::{SortError, Sorted};

use crate::SidesError;
use crate::entry::{Entry, head};

/// A block is what one finding reads.
const BLOCK: u64 = 4096;

/// The file. Of each block, memory holds where it begins and with which id.
#[derive(Debug)]
pub(crate) struct Shelf {
    file: File,
    blocks: Vec<(Box<[u8]>, u64)>,
    end: u64,
}

impl Shelf {
    /// Writes the lines, which are records in the order of their bytes.
    pub(crate) fn write(sorted: &mut Sorted, folder: &Path) -> Result<Self, SidesError> {
        let fail = |error| SidesError::from(SortError::spill(folder, error));
        let mut out = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(folder).map_err(fail)?);
        let mut blocks: Vec<(Box<[u8]>, u64)> = Vec::new();
        let mut end = 0;
        while let Some(line) = sorted.next_line()? {
            if blocks.last().is_none_or(|(_, start)| end - start >= BLOCK) {
                blocks.push((first(line).into(), end));
            }
            let length = u32::try_from(line.len()).map_err(|error| fail(io::Error::other(error)))?;
            out.write_all(&length.to_le_bytes()).map_err(fail)?;
            out.write_all(line).map_err(fail)?;
            end += 4 + u64::from(length);
        }
        let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
        Ok(Self { file, blocks, end })
    }

    /// The record of that id.
    pub(crate) fn find(&self, id: &str) -> io::Result<Option<Entry>> {
        let wanted = head(id);
        let behind = self.blocks.partition_point(|(first, _)| **first <= *wanted);
        let Some(block) = behind.checked_sub(1) else { return Ok(None) };
        let found = self.block(block)?;
        let mut found = lines(&found);
        found.find(|line| first(line) == wanted).map(decoded).transpose().map(|found| found.map(|(_, e)| e))
    }

    /// Every record, block by block.
    pub(crate) fn each(&self, mut take: impl FnMut(String, Entry)) -> io::Result<()> {
        for block in 0..self.blocks.len() {
            for line in lines(&self.block(block)?) {
                let (id, entry) = decoded(line)?;
                take(id, entry);
            }
        }
        Ok(())
    }

    fn block(&self, index: usize) -> io::Result<Vec<u8>> {
        let start = |index: usize| self.blocks.get(index).map_or(self.end, |(_, start)| *start);
        let (from, upto) = (start(index), start(index + 1));
        let mut bytes = vec![0; usize::try_from(upto - from).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}

/// The part of a line that says whose it is.
fn first(line: &[u8]) -> &[u8] {
    let length = line.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
    line.get(..4 + usize::try_from(length).unwrap_or(0)).unwrap_or(line)
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (line, behind) = behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        rest = behind;
        Some(line)
    })
}

fn decoded(line: &[u8]) -> io::Result<(String, Entry)> {
    Entry::read(line)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a record cannot be read back"))
}
