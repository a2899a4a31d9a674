//! `list`: how the target lists its records, page by page.

use haulier_core::plan::{Listing, Paging, Part, Template};

use super::template;
use crate::node::{Node, Table};
use crate::{scalar, shape};

/// Reads `list`.
pub(crate) fn read(node: &Node<'_>) -> Option<Listing> {
    let table = node.table(&shape::LIST)?;
    let path = table.need("path", "").and_then(|node| path(&node));
    let pointer = |key| table.get(key).and_then(|node| scalar::pointer(&node));
    let paging = match table.get("page") {
        Some(node) => paging(&node),
        None => Some(Paging::Single),
    };
    Some(Listing {
        path: path?,
        items: pointer("items").unwrap_or_default(),
        paging: paging?,
        total: pointer("total"),
        truncated: pointer("truncated"),
        also: also(&table),
        id: pointer("id").unwrap_or_else(|| "/id".to_owned()),
    })
}

fn also(table: &Table<'_>) -> Vec<Template> {
    let Some(node) = table.get("also") else { return Vec::new() };
    if node.value.is_str() {
        return path(&node).into_iter().collect();
    }
    node.items().unwrap_or_default().iter().filter_map(path).collect()
}

/// A list is not about one record, so its path has no places.
fn path(node: &Node<'_>) -> Option<Template> {
    let draft = template::read_path(node)?;
    if let Some(place) = draft.places().next() {
        node.notes.hinted(
            place.at,
            format!("a list's path cannot hold `{{{}}}`: there is no record to take it from", place.value),
            "list all records of the entity",
        );
        return None;
    }
    Some(Template { parts: vec![Part::Literal(node.text()?.value.replace("{{", "{").replace("}}", "}"))] })
}

fn paging(node: &Node<'_>) -> Option<Paging> {
    if node.value.is_str() {
        let link = node.word(&[("single", false), ("link-header", true)])?;
        return Some(if link { Paging::LinkHeader } else { Paging::Single });
    }
    let Some(entries) = node.value.as_table() else {
        return node.unfit("\"single\", \"link-header\" or a table");
    };
    // The key that only one kind has says which it is. `limit` is a parameter's name in three of them.
    if entries.contains_key("offset") {
        let table = node.table(&shape::PAGE_OFFSET)?;
        return Some(Paging::Offset {
            offset: table.owned("offset")?,
            limit: limit(&table),
            size: size(&table),
            first: table.number("first", 0, 1, 0),
        });
    }
    if entries.contains_key("page") {
        let table = node.table(&shape::PAGE_NUMBER)?;
        return Some(Paging::Page {
            page: table.owned("page")?,
            limit: limit(&table),
            size: size(&table),
            first: table.number("first", 0, 1, 1),
        });
    }
    if entries.contains_key("cursor") {
        let table = node.table(&shape::PAGE_CURSOR)?;
        let sized = table.has("limit") || table.has("size");
        return Some(Paging::Cursor {
            pointer: scalar::pointer(&table.get("cursor")?)?,
            parameter: table.owned("parameter").unwrap_or_else(|| "cursor".to_owned()),
            limit: sized.then(|| (limit(&table), size(&table))),
        });
    }
    if entries.contains_key("next_url") {
        let table = node.table(&shape::PAGE_NEXT_URL)?;
        return Some(Paging::NextUrl { pointer: scalar::pointer(&table.get("next_url")?)? });
    }
    node.wrong(
        "`page` does not say how the next page is found",
        Some(
            "give one of `offset`, `page` (a parameter's name), `cursor`, `next_url` (a JSON pointer), or \"link-header\""
                .to_owned(),
        ),
    )
}

fn limit(table: &Table<'_>) -> String {
    table.owned("limit").unwrap_or_else(|| "limit".to_owned())
}

fn size(table: &Table<'_>) -> u32 {
    table.number("size", 1, 10_000, 100)
}
