//! `[[entity]]`: one kind of record, before anything outside it is looked up.

use haulier_core::plan::{
    Filter, KeyFold, Listing, OrphanPolicy, OutcomeRule, Relation, Stored, UnknownPolicy, Verify,
};
use haulier_core::{EntityName, SourceKey, TenantKey};

use super::extract::{self, ExtractDraft};
use super::field::{self, Fields};
use super::push::{self, PushDraft};
use super::{listing, reply, source, stored};
use crate::node::{Node, Table, Text};
use crate::shape;

/// An entity as it is written.
#[derive(Debug)]
pub(crate) struct EntityDraft<'d> {
    pub(crate) name: Text<'d>,
    pub(crate) parent: Option<Text<'d>>,
    pub(crate) source: SourceDraft<'d>,
    pub(crate) natural_key: Vec<Text<'d>>,
    pub(crate) fold: KeyFold,
    pub(crate) fields: Fields<'d>,
    /// `None` when it is so wrong that nothing more can be said about it.
    pub(crate) push: Option<PushDraft<'d>>,
    pub(crate) outcomes: Vec<OutcomeRule>,
    pub(crate) verify: Verify,
    /// Where `verify` stands.
    pub(crate) verify_at: usize,
    pub(crate) unknown: UnknownPolicy,
    pub(crate) target_unique: bool,
    pub(crate) orphans: OrphanPolicy,
    pub(crate) listing: Option<Listing>,
    pub(crate) stored: Option<Stored>,
    pub(crate) extract: ExtractDraft<'d>,
}

/// Where the rows come from, as it is written.
#[derive(Debug)]
pub(crate) struct SourceDraft<'d> {
    pub(crate) relation: Relation,
    pub(crate) key: Vec<Text<'d>>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) generation: Option<Text<'d>>,
    pub(crate) columns: Vec<Text<'d>>,
}

/// Reads an entity; `None` without a name, when nothing can refer to it.
pub(crate) fn read<'d>(node: &Node<'d>) -> Option<EntityDraft<'d>> {
    let table = node.table(&shape::ENTITY)?;
    let name = table.need("name", "").and_then(|node| name(&node));
    let source =
        table.need("source", "name a table and its key: `source = { table = \"accounts\", key = [\"id\"] }`");
    let fields = table.need("fields", "`fields = { name = \"name\" }`").map(|node| field::read(&node));
    let push =
        table.need("push", "`push = { shape = \"put\", path = \"/accounts/{external_id}\", id = \"/id\" }`");
    let draft = EntityDraft {
        name: name.unwrap_or(Text { at: table.at, value: "" }),
        parent: table.text("parent"),
        source: source.and_then(|node| source::read(&node)).unwrap_or_else(SourceDraft::none),
        natural_key: table.texts("natural_key"),
        fold: fold(&table),
        fields: fields.unwrap_or_default(),
        push: push.and_then(|node| push::read(&node)),
        outcomes: table.get("outcomes").map(|node| reply::read(&node)).unwrap_or_default(),
        verify: table.word(
            "verify",
            &[("echo", Verify::Echo), ("reread", Verify::Reread), ("none", Verify::None)],
            Verify::Echo,
        ),
        verify_at: table.get("verify").map_or(table.at, |node| node.at),
        unknown: table.word(
            "unknown",
            &[("hold", UnknownPolicy::Hold), ("resend", UnknownPolicy::Resend)],
            UnknownPolicy::Hold,
        ),
        target_unique: table.flag("target_unique", false),
        orphans: table.get("orphans").and_then(|node| orphans(&node)).unwrap_or(OrphanPolicy::Stop),
        listing: table.get("list").and_then(|node| listing::read(&node)),
        stored: table.get("stored").and_then(|node| stored::read(&node)),
        extract: table.get("extract").map(|node| extract::read(&node)).unwrap_or_default(),
    };
    name.map(|_| draft)
}

impl SourceDraft<'_> {
    /// Stands in for a source that could not be read.
    fn none() -> Self {
        Self {
            relation: Relation::Query(String::new()),
            key: Vec::new(),
            filters: Vec::new(),
            generation: None,
            columns: Vec::new(),
        }
    }
}

fn name<'d>(node: &Node<'d>) -> Option<Text<'d>> {
    let text = node.text()?;
    if text.value.contains('.') {
        return node.wrong(
            format!("\"{}\" is not an entity's name: the dot is kept for deferred fields", text.value),
            None,
        );
    }
    match EntityName::new(text.value) {
        Ok(_) => Some(text),
        Err(error) => node.wrong(error.to_string().replace('`', "\""), None),
    }
}

fn fold(table: &Table<'_>) -> KeyFold {
    let mut fold = KeyFold { trim: false, case: false };
    let Some(node) = table.get("fold") else { return fold };
    for item in if node.value.is_str() { vec![node] } else { node.items().unwrap_or_default() } {
        match item.word(&[("trim", false), ("case", true)]) {
            Some(true) => fold.case = true,
            Some(false) => fold.trim = true,
            None => {}
        }
    }
    fold
}

fn orphans(node: &Node<'_>) -> Option<OrphanPolicy> {
    if !node.value.is_table() {
        let word = node.text()?.value;
        return match word {
            "stop" => Some(OrphanPolicy::Stop),
            "skip" => Some(OrphanPolicy::Skip),
            _ => node.wrong(
                format!("`orphans` cannot be \"{word}\""),
                Some("it can be: \"stop\", \"skip\", { attach = \"KEY\" }".to_owned()),
            ),
        };
    }
    let table = node.table(&shape::ORPHANS)?;
    let key = table.need("attach", "`orphans = { attach = \"17\" }` names the tenant's source key")?.texts();
    let parts: Vec<&str> = key.iter().map(|part| part.value).collect();
    Some(OrphanPolicy::Attach(TenantKey::new(SourceKey::from_parts(&parts).as_str())))
}
