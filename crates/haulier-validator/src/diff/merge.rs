//! Merges two sorted tables: one pass, a few rows in memory.

use std::cmp::Ordering;

use super::{ChangedCell, DiffError, Difference, Doubled, Form, Lines, Shape, Sink, Summary};
use crate::line;
use crate::meter::Meter;

/// Doubled keys that are told one by one; all are counted.
pub const LISTED: usize = 1000;
/// Rows of one key that are matched with each other; beyond it they are taken as they come.
const GROUP: usize = 1000;

/// Compares two sorted tables of the same shape and tells the differences.
///
/// # Errors
/// A side cannot be read, the result cannot be written, or the meter says stop.
pub fn merge(
    shape: &Shape,
    a: &mut dyn Lines,
    b: &mut dyn Lines,
    sink: &mut dyn Sink,
    meter: &Meter,
) -> Result<Summary, DiffError> {
    let mut merge = Merge {
        shape,
        sink,
        summary: Summary { columns: vec![0; shape.columns.len()], ..Summary::default() },
        keys: [Key::default(), Key::default()],
        doubled: Vec::new(),
    };
    let mut told = 0;
    let mut left = a.next_line()?;
    let mut right = b.next_line()?;
    loop {
        told += 1;
        if told == 8192 {
            meter.add(told, 0)?;
            told = 0;
        }
        let order = match (left, right) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a_line), Some(b_line)) if a_line == b_line => {
                merge.equal(a_line);
                left = a.next_line()?;
                right = b.next_line()?;
                continue;
            }
            (Some(a_line), Some(b_line)) => merge.order(a_line, b_line),
        };
        match (order, left, right) {
            (Ordering::Less, Some(line), _) => {
                merge.alone(line, 0)?;
                left = a.next_line()?;
            }
            (Ordering::Greater, _, Some(line)) => {
                merge.alone(line, 1)?;
                right = b.next_line()?;
            }
            (Ordering::Equal, Some(a_line), Some(b_line)) => {
                let key = merge.prefix(a_line).to_vec();
                let mut groups = [vec![a_line.to_vec()], vec![b_line.to_vec()]];
                left = a.next_line()?;
                while let Some(line) = left.filter(|line| merge.prefix(line) == key)
                    && groups[0].len() < GROUP
                {
                    groups[0].push(line.to_vec());
                    left = a.next_line()?;
                }
                right = b.next_line()?;
                while let Some(line) = right.filter(|line| merge.prefix(line) == key)
                    && groups[1].len() < GROUP
                {
                    groups[1].push(line.to_vec());
                    right = b.next_line()?;
                }
                merge.groups(groups)?;
            }
            _ => break,
        }
    }
    meter.add(told, 0)?;
    merge.end()
}

/// The last key of a side, and how often it came.
#[derive(Debug, Default)]
struct Key {
    text: Vec<u8>,
    count: u64,
}

struct Merge<'m> {
    shape: &'m Shape,
    sink: &'m mut dyn Sink,
    summary: Summary,
    keys: [Key; 2],
    doubled: Vec<(Vec<u8>, [u64; 2])>,
}

impl Merge<'_> {
    fn prefix<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let end = if self.shape.key == 0 { line.len() } else { line::prefix(line, self.shape.key) };
        line.get(..end).unwrap_or(line)
    }

    /// The order of two lines that differ, by their keys.
    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.prefix(a).cmp(self.prefix(b))
    }

    fn equal(&mut self, line: &[u8]) {
        self.summary.a += 1;
        self.summary.b += 1;
        self.summary.equal += 1;
        if self.shape.key == 0 {
            return;
        }
        let prefix = self.prefix(line);
        if self.keys.iter().any(|key| key.count > 0 && key.text == prefix) {
            self.seen(line, 0);
            self.seen(line, 1);
            return;
        }
        for key in &mut self.keys {
            key.text.clear();
            key.text.extend_from_slice(prefix);
            key.count = 1;
        }
    }

    /// Notes a row's key, to see whether it came before.
    fn seen(&mut self, line: &[u8], side: usize) {
        let prefix = self.prefix(line);
        let Some(key) = self.keys.get_mut(side) else { return };
        if key.count == 0 || key.text != prefix {
            key.text.clear();
            key.text.extend_from_slice(prefix);
            key.count = 1;
            return;
        }
        key.count += 1;
        let count = key.count;
        if count == 2 {
            let total = if side == 0 { &mut self.summary.doubled_a } else { &mut self.summary.doubled_b };
            *total += 1;
        }
        let known = self.doubled.last_mut().filter(|(text, _)| text == prefix);
        if let Some((_, counts)) = known {
            if let Some(known) = counts.get_mut(side) {
                *known = count;
            }
        } else if self.doubled.len() < LISTED {
            let other =
                self.keys.get(1 - side).filter(|other| other.text == prefix).map_or(0, |other| other.count);
            let counts = if side == 0 { [count, other] } else { [other, count] };
            self.doubled.push((prefix.to_vec(), counts));
        }
    }

    /// A row that one side has alone.
    fn alone(&mut self, line: &[u8], side: usize) -> Result<(), DiffError> {
        if self.shape.key > 0 {
            self.seen(line, side);
        }
        let row = Some(self.shape.fields(line));
        let difference = if side == 0 {
            self.summary.a += 1;
            self.summary.missing += 1;
            Difference { a: row, b: None, cells: Vec::new() }
        } else {
            self.summary.b += 1;
            self.summary.extra += 1;
            Difference { a: None, b: row, cells: Vec::new() }
        };
        self.sink.difference(self.shape, &difference).map_err(DiffError::Sink)
    }

    /// Rows of one key: those that are the same go first, what is left is matched in order.
    fn groups(&mut self, groups: [Vec<Vec<u8>>; 2]) -> Result<(), DiffError> {
        let [mut a, mut b] = groups;
        let same: Vec<Vec<u8>> = {
            let mut rest = b.clone();
            let mut took = |line: &Vec<u8>| {
                let at = rest.iter().position(|other| other == line);
                at.map(|at| rest.swap_remove(at)).is_some()
            };
            a.iter().filter(|line| took(line)).cloned().collect()
        };
        for line in &same {
            self.equal(line);
            for side in [&mut a, &mut b] {
                if let Some(at) = side.iter().position(|other| other == line) {
                    side.remove(at);
                }
            }
        }
        let paired = a.len().min(b.len());
        for (left, right) in a.iter().zip(&b) {
            self.changed(left, right)?;
        }
        for line in a.iter().skip(paired) {
            self.alone(line, 0)?;
        }
        for line in b.iter().skip(paired) {
            self.alone(line, 1)?;
        }
        Ok(())
    }

    fn changed(&mut self, a: &[u8], b: &[u8]) -> Result<(), DiffError> {
        let (left, right) = (self.shape.fields(a), self.shape.fields(b));
        let cells: Vec<ChangedCell> = left
            .iter()
            .zip(&right)
            .enumerate()
            .filter(|(_, (left, right))| left != right)
            .map(|(column, (left, right))| ChangedCell { column, form: Form::between(left, right) })
            .collect();
        if cells.is_empty() && left.len() == right.len() {
            // Two spellings of the same cells, in a file that was not written canonically.
            self.equal(a);
            return Ok(());
        }
        self.seen(a, 0);
        self.seen(b, 1);
        self.summary.a += 1;
        self.summary.b += 1;
        self.summary.changed += 1;
        for cell in &cells {
            if let Some(count) = self.summary.columns.get_mut(cell.column) {
                *count += 1;
            }
        }
        let difference = Difference { a: Some(left), b: Some(right), cells };
        self.summary.form_only += u64::from(difference.form_only());
        self.sink.difference(self.shape, &difference).map_err(DiffError::Sink)
    }

    fn end(self) -> Result<Summary, DiffError> {
        for (text, [a, b]) in &self.doubled {
            let text = text.strip_suffix(b",").unwrap_or(text);
            let doubled = Doubled { key: self.shape.fields(text), a: *a, b: *b };
            self.sink.doubled(self.shape, &doubled).map_err(DiffError::Sink)?;
        }
        Ok(self.summary)
    }
}
