//! Pages of lists: a cursor or an offset, and a limit that is capped.

use serde::Serialize;

use crate::reply::Refusal;

/// Most items of a page.
const LIMIT_CAP: usize = 500;
/// Items of a page where nobody says how many.
const LIMIT_DEFAULT: usize = 100;

/// The query of a request, each parameter once.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Refuses a parameter that is not among `known`, and one that comes twice: a filter is never ignored.
    pub(crate) fn checked(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Refusal> {
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::BadRequest("unknown_parameter"));
            }
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return Err(Refusal::BadRequest("repeated_parameter"));
            }
        }
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Which part of a list is asked for.
#[derive(Debug)]
pub(crate) struct Window {
    /// Rows up to this number were seen already.
    pub(crate) after: u64,
    offset: usize,
    limit: usize,
}

impl Window {
    pub(crate) fn of(query: &Query) -> Result<Self, Refusal> {
        let number = |name| query.get(name).map(str::parse::<usize>).transpose();
        let limit = number("limit").map_err(|_| Refusal::BadRequest("bad_limit"))?;
        let offset = number("offset").map_err(|_| Refusal::BadRequest("bad_offset"))?;
        if limit == Some(0) {
            return Err(Refusal::BadRequest("bad_limit"));
        }
        let after = match query.get("cursor") {
            None => 0,
            Some(_) if offset.is_some() => return Err(Refusal::BadRequest("cursor_and_offset")),
            Some(cursor) => read_cursor(cursor).ok_or(Refusal::BadRequest("bad_cursor"))?,
        };
        Ok(Self { after, offset: offset.unwrap_or(0), limit: limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_CAP) })
    }

    /// Cuts the page out of the rows that follow `after`; `total` counts the whole list.
    pub(crate) fn cut<'a, R>(&self, rows: impl Iterator<Item = (u64, &'a R)>, total: usize) -> Page<'a, R> {
        let mut rows = rows.skip(self.offset).peekable();
        let mut page = Page { items: Vec::new(), next: None, total };
        let mut last = self.after;
        while page.items.len() < self.limit {
            let Some((number, row)) = rows.next() else { return page };
            page.items.push(row);
            last = number;
        }
        if rows.peek().is_some() {
            page.next = Some(write_cursor(last));
        }
        page
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<'a, R> {
    items: Vec<&'a R>,
    next: Option<String>,
    total: usize,
}

impl<R> Page<'_, R> {
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), next: None, total: 0 }
    }
}

fn write_cursor(number: u64) -> String {
    format!("c{number:x}")
}

fn read_cursor(text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text.strip_prefix('c')?, 16).ok()?;
    // The largest number would have no successor.
    (write_cursor(number) == text && number < u64::MAX).then_some(number)
}
