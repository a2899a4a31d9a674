//! Lookups and bulk writes, made ready.

use haulier_core::plan::{BulkResults, BulkWrite, Lookup};
use hyper::Method;

use super::step::{address, method};
use super::{Id, Step};
use crate::json::Pointer;
use crate::reply::Purpose;
use crate::template::{Text, Use};

/// A lookup.
#[derive(Debug)]
pub(crate) struct Finder {
    pub(crate) method: Method,
    pub(crate) path: Text,
    pub(crate) label: String,
    pub(crate) body: Option<Text>,
    pub(crate) items: Option<Pointer>,
    pub(crate) matches: Vec<(String, Pointer)>,
    pub(crate) id: Id,
}

/// Many records in one request.
#[derive(Debug)]
pub(crate) struct Bulk {
    pub(crate) write: Step,
    pub(crate) max: usize,
    pub(crate) items: Pointer,
    /// Where an item tells its status; without it the reply holds for all.
    pub(crate) status: Option<Pointer>,
    pub(crate) id: Pointer,
}

impl Finder {
    pub(super) fn new(lookup: &Lookup) -> Result<Self, String> {
        let method = method(lookup.method);
        let path = address(&lookup.path)?;
        let matches = lookup.matches.iter().map(|(field, at)| Ok((field.clone(), Pointer::new(at)?)));
        let matches: Vec<_> = matches.collect::<Result<_, String>>()?;
        if matches.is_empty() {
            return Err("the lookup names no field to compare, so that any candidate would do".to_owned());
        }
        Ok(Self {
            label: format!("lookup {} {}", method, path.shape()),
            method,
            path,
            body: lookup.body.as_ref().map(|body| Text::new(body, Use::Json)),
            items: lookup.items.as_deref().map(Pointer::new).transpose()?,
            matches,
            id: Id::new(&lookup.id)?,
        })
    }

    pub(crate) fn purpose(&self) -> Purpose {
        if self.items.is_some() { Purpose::Search } else { Purpose::Read }
    }
}

impl Bulk {
    pub(super) fn new(bulk: &BulkWrite) -> Result<Self, String> {
        let (items, status, id) = match &bulk.results {
            BulkResults::PerItem { items, status, id } => (items, Some(status), id),
            BulkResults::AllOrNothing { items, id } => (items, None, id),
        };
        Ok(Self {
            write: Step::new(Purpose::Bulk, &bulk.write, "")?,
            max: bulk.max.max(1),
            items: Pointer::new(items)?,
            status: status.map(|text| Pointer::new(text)).transpose()?,
            id: Pointer::new(id)?,
        })
    }
}
