//! What others need of a record: its natural key, and who leads to its tenant. In memory, and as bytes for a file.

use std::borrow::Cow;

use haulier_validator::neutral::Cell;

use crate::agree::{Agreed, Slot};
use crate::naturals::{Id, Item, key_of};

/// What a record costs in memory beside its texts, about.
const OVERHEAD: usize = 160;

/// One record, as others refer to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its natural key; a part that stands for another record is that record's id here.
    pub(crate) parts: Box<[Cell<'static>]>,
    /// The id of the record that leads to its tenant.
    pub(crate) up: Option<Box<str>>,
}

impl Entry {
    /// What others need of a row.
    pub(crate) fn of(agreed: &Agreed, item: &Item<'_>) -> Self {
        let key = agreed.slots.iter().enumerate().take(agreed.columns.key());
        let parts = key.map(|(index, slot)| {
            let cell = match slot {
                Slot::Parent { reach, .. } => item.refs.get(*reach),
                Slot::Own(..) | Slot::Tenant => item.cells.get(index),
            };
            cell.map_or(Cell::Missing, owned)
        });
        let up = agreed.up.and_then(|up| item.refs.get(up)).and_then(|id| match key_of(id) {
            Id::Is(id) => Some(id.into()),
            Id::Null | Id::Missing | Id::Odd => None,
        });
        Self { parts: parts.collect(), up }
    }

    /// Bytes in memory, about.
    pub(crate) fn size(&self, id: &str) -> usize {
        let part = |part: &Cell<'_>| match part {
            Cell::Missing | Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => 0,
            Cell::Text(text) | Cell::Json(text) | Cell::Unreadable(text) => text.len(),
            Cell::Bytes(bytes) => bytes.len(),
            Cell::List(items) => items.iter().map(|item| 24 + item.as_ref().map_or(0, String::len)).sum(),
        };
        let parts: usize = self.parts.iter().map(|cell| size_of::<Cell<'_>>() + part(cell)).sum();
        OVERHEAD + id.len() + parts + self.up.as_ref().map_or(0, |up| up.len())
    }

    /// Appends the record as bytes; those of [`head`] come first, so that lines are found by them.
    pub(crate) fn write(&self, id: &str, out: &mut Vec<u8>) {
        out.extend(head(id));
        out.push(u8::from(self.up.is_some()));
        text(out, self.up.as_deref().unwrap_or("").as_bytes());
        for part in &self.parts {
            match part {
                Cell::Missing => out.push(0),
                Cell::Null => out.push(1),
                Cell::Bool(value) => out.extend([2, u8::from(*value)]),
                Cell::Int(value) => {
                    out.push(3);
                    out.extend(value.to_le_bytes());
                }
                Cell::Float(value) => {
                    out.push(4);
                    out.extend(value.to_le_bytes());
                }
                Cell::Text(value) => tagged(out, 5, value.as_bytes()),
                Cell::Json(value) => tagged(out, 6, value.as_bytes()),
                Cell::Unreadable(value) => tagged(out, 7, value.as_bytes()),
                Cell::Bytes(value) => tagged(out, 8, value),
                Cell::List(items) => {
                    out.push(9);
                    out.extend(count(items.len()));
                    for item in items.iter() {
                        out.push(u8::from(item.is_some()));
                        text(out, item.as_deref().unwrap_or("").as_bytes());
                    }
                }
            }
        }
    }

    /// Reads what [`Entry::write`] wrote; `None` where it did not.
    pub(crate) fn read(line: &[u8]) -> Option<(String, Self)> {
        let mut rest = Rest(line);
        let length = u32::from_be_bytes(rest.array()?);
        let id = String::from_utf8(rest.take(usize::try_from(length).ok()?)?.to_vec()).ok()?;
        let led = rest.byte()? == 1;
        let up = rest.text()?;
        let mut parts = Vec::new();
        while !rest.0.is_empty() {
            parts.push(rest.cell()?);
        }
        Some((id, Self { parts: parts.into(), up: led.then(|| up.into()) }))
    }
}

/// How the bytes of a record begin: no two ids begin alike.
pub(crate) fn head(id: &str) -> Vec<u8> {
    let mut head = Vec::with_capacity(4 + id.len());
    // Big-endian, so that bytes are in the order of lengths.
    head.extend(u32::try_from(id.len()).unwrap_or(u32::MAX).to_be_bytes());
    head.extend_from_slice(id.as_bytes());
    head
}

fn count(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(count(bytes.len()));
    out.extend_from_slice(bytes);
}

fn tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    text(out, bytes);
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let length = self.count()?;
        Some(self.take(length)?.to_vec())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    fn cell(&mut self) -> Option<Cell<'static>> {
        Some(match self.byte()? {
            0 => Cell::Missing,
            1 => Cell::Null,
            2 => Cell::Bool(self.byte()? == 1),
            3 => Cell::Int(i64::from_le_bytes(self.array()?)),
            4 => Cell::Float(f64::from_le_bytes(self.array()?)),
            5 => Cell::Text(Cow::Owned(self.text()?)),
            6 => Cell::Json(Cow::Owned(self.text()?)),
            7 => Cell::Unreadable(Cow::Owned(self.text()?)),
            8 => Cell::Bytes(Cow::Owned(self.bytes()?)),
            9 => {
                let items = (0..self.count()?).map(|_| {
                    let some = self.byte()? == 1;
                    let text = self.text()?;
                    Some(some.then_some(text))
                });
                Cell::List(Cow::Owned(items.collect::<Option<Vec<_>>>()?))
            }
            _ => return None,
        })
    }
}

/// The same cell, borrowed.
pub(crate) fn borrowed<'a>(cell: &'a Cell<'_>) -> Cell<'a> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(*value),
        Cell::Int(value) => Cell::Int(*value),
        Cell::Float(value) => Cell::Float(*value),
        Cell::Text(text) => Cell::Text(Cow::Borrowed(text)),
        Cell::Bytes(bytes) => Cell::Bytes(Cow::Borrowed(bytes)),
        Cell::List(items) => Cell::List(Cow::Borrowed(items)),
        Cell::Json(text) => Cell::Json(Cow::Borrowed(text)),
        Cell::Unreadable(why) => Cell::Unreadable(Cow::Borrowed(why)),
    }
}

/// The same cell with a life of its own.
pub(crate) fn owned(cell: &Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(*value),
        Cell::Int(value) => Cell::Int(*value),
        Cell::Float(value) => Cell::Float(*value),
        Cell::Text(text) => Cell::Text(Cow::Owned(text.clone().into_owned())),
        Cell::Bytes(bytes) => Cell::Bytes(Cow::Owned(bytes.clone().into_owned())),
        Cell::List(items) => Cell::List(Cow::Owned(items.clone().into_owned())),
        Cell::Json(text) => Cell::Json(Cow::Owned(text.clone().into_owned())),
        Cell::Unreadable(why) => Cell::Unreadable(Cow::Owned(why.clone().into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_as_bytes() {
        let text = |text: &str| Cow::Owned(text.to_owned());
        let parts = vec![
            Cell::Missing,
            Cell::Null,
            Cell::Bool(true),
            Cell::Int(-7),
            Cell::Float(0.5),
            Cell::Text(text("Zo\u{eb}\0\n")),
            Cell::Json(text("{}")),
            Cell::Unreadable(text("why")),
            Cell::Bytes(Cow::Owned(vec![0, 255])),
            Cell::List(Cow::Owned(vec![Some("a".to_owned()), None])),
        ];
        for up in [None, Some(""), Some("41")] {
            let entry = Entry { parts: parts.clone().into(), up: up.map(Into::into) };
            for id in ["", "1", "a|b\0"] {
                let mut line = Vec::new();
                entry.write(id, &mut line);
                assert!(line.starts_with(&head(id)));
                assert_eq!(Entry::read(&line), Some((id.to_owned(), entry.clone())));
                assert_eq!(Entry::read(&line[..line.len() - 1]), None, "cut short");
            }
        }
        assert!(!head("12").starts_with(&head("1")));
    }
}
