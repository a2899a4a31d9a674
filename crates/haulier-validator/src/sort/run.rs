//! A run: many lines in one piece of memory, with an index that is what gets sorted.

use std::cmp::Ordering;

/// What a line costs beside its bytes.
pub(super) const OVERHEAD: usize = size_of::<Entry>();

/// Where a line is, and its first eight bytes (behind what all lines of the run share) as a number that compares as they do.
#[derive(Debug, Clone, Copy)]
struct Entry {
    head: u64,
    at: u32,
    length: u32,
}

/// Lines in memory.
#[derive(Debug, Default)]
pub(super) struct Run {
    text: Vec<u8>,
    index: Vec<Entry>,
}

impl Run {
    /// Empty, with room for so many bytes: memory that grows by doubling would take up to twice of that.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), index: Vec::with_capacity(bytes / (4 * OVERHEAD)) }
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        let at = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
        self.text.extend_from_slice(line);
        self.index.push(Entry { head: 0, at, length });
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.index.len() * OVERHEAD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.index.clear();
    }

    /// The line at that place of the order.
    pub(super) fn line(&self, place: usize) -> Option<&[u8]> {
        self.index.get(place).map(|entry| line(&self.text, *entry))
    }

    pub(super) fn sort(&mut self) {
        let Self { text, index } = self;
        let shared = shared(text, index);
        for entry in index.iter_mut() {
            entry.head = head(line(text, *entry), shared);
        }
        index.sort_unstable_by(|a, b| match a.head.cmp(&b.head) {
            Ordering::Equal => line(text, *a).cmp(line(text, *b)),
            decided @ (Ordering::Less | Ordering::Greater) => decided,
        });
    }
}

fn line(text: &[u8], entry: Entry) -> &[u8] {
    let at = entry.at as usize;
    text.get(at..at + entry.length as usize).unwrap_or_default()
}

/// Eight bytes from there as a big-endian number; a line that ends earlier is filled up with zeros.
///
/// Zeros make a line that ends equal to one that goes on with NUL: the whole lines decide then.
pub(super) fn head(line: &[u8], from: usize) -> u64 {
    let rest = line.get(from..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*eight);
    }
    let mut bytes = [0; 8];
    for (byte, given) in bytes.iter_mut().zip(rest) {
        *byte = *given;
    }
    u64::from_be_bytes(bytes)
}

/// How many first bytes all lines share.
fn shared(text: &[u8], index: &[Entry]) -> usize {
    let Some(first) = index.first().map(|entry| line(text, *entry)) else { return 0 };
    let mut shared = first.len();
    for entry in index {
        let same = first.iter().take(shared).zip(line(text, *entry)).take_while(|(a, b)| a == b).count();
        shared = shared.min(same);
        if shared == 0 {
            break;
        }
    }
    shared
}
