//! `stored`: where the target's own database holds the records.

use haulier_core::plan::Stored;

use super::book::owned;
use super::source;
use crate::node::Node;
use crate::shape;

/// Reads `stored`.
pub(crate) fn read(node: &Node<'_>) -> Option<Stored> {
    let table = node.table(&shape::STORED)?;
    let relation = source::relation(&table);
    let key = table.need("key", "name the columns that together tell every row apart").map(|key| key.texts());
    let key = key.map(|key| owned(&key));
    let id = table.owned("id").or_else(|| key.as_ref()?.first().cloned());
    Some(Stored { relation: relation?, filters: source::filters(&table), key: key?, id: id? })
}
