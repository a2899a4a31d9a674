//! Collects mistakes while a file is read, so that all of them are told at once.

use std::cell::RefCell;
use std::path::Path;

use crate::{Problem, Problems};

/// Most mistakes that are told one by one.
const MOST: usize = 200;

/// A mistake at a byte offset.
#[derive(Debug)]
struct Note {
    at: usize,
    message: String,
    hint: Option<String>,
}

/// The mistakes of one file so far.
#[derive(Debug)]
pub(crate) struct Notes<'d> {
    file: &'d Path,
    text: &'d str,
    found: RefCell<Vec<Note>>,
}

impl<'d> Notes<'d> {
    /// No mistakes yet.
    pub(crate) fn new(file: &'d Path, text: &'d str) -> Self {
        Self { file, text, found: RefCell::new(Vec::new()) }
    }

    /// The file that is read.
    pub(crate) fn file(&self) -> &'d Path {
        self.file
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> &'d str {
        self.text
    }

    /// Notes a mistake.
    pub(crate) fn add(&self, at: usize, message: impl Into<String>) {
        self.add_hinted(at, message, None);
    }

    /// Notes a mistake and the way out.
    pub(crate) fn hinted(&self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.add_hinted(at, message, Some(hint.into()));
    }

    /// Notes a mistake, and the way out where there is one.
    pub(crate) fn add_hinted(&self, at: usize, message: impl Into<String>, hint: Option<String>) {
        self.found.borrow_mut().push(Note { at, message: message.into(), hint });
    }

    /// Line and column of an offset, from 1, columns in characters.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at.min(self.text.len())).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// Everything found, in the order of the file; `Ok` when that is nothing.
    pub(crate) fn finish(&self) -> Result<(), Problems> {
        let mut found = self.found.take();
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|note| note.at);
        found.dedup_by(|later, first| later.at == first.at && later.message == first.message);
        let more = found.len().saturating_sub(MOST);
        let problems = found.into_iter().take(MOST).map(|note| Problem {
            file: self.file.to_owned(),
            place: Some(self.place(note.at)),
            message: note.message,
            hint: note.hint,
        });
        let mut problems: Vec<Problem> = problems.collect();
        if more > 0 {
            let message = format!("there are {more} more mistakes");
            problems.push(Problem { file: self.file.to_owned(), place: None, message, hint: None });
        }
        Err(Problems::new(problems))
    }

    /// For a reader that stopped without a word, which would be a mistake of its own.
    pub(crate) fn unfinished(&self) -> Problems {
        Problems::from(Problem {
            file: self.file.to_owned(),
            place: None,
            message: "the file could not be read to its end".to_owned(),
            hint: Some("this is a bug in haulier: please report it with the file".to_owned()),
        })
    }
}
