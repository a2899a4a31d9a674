//! `plan.toml`: read as drafts first, each with its places, then looked up in each other and checked as a whole.

mod agree;
mod assemble;
mod book;
mod calendar;
mod convert;
mod entity;
mod extract;
mod field;
mod listing;
mod order;
mod program;
mod push;
mod reply;
mod scope;
mod search;
mod source;
mod stages;
mod stored;
mod template;

use std::path::Path;
use std::time::Duration;

use haulier_core::EntityName;
use haulier_core::plan::Plan;
use haulier_core::retry::RetryPolicy;
use toml::de::DeTable;

use self::book::Book;
use self::entity::EntityDraft;
use crate::node::{Node, Table};
use crate::notes::Notes;
use crate::{Problems, digest, shape, text};

/// Most entities of a plan.
const MOST_ENTITIES: usize = 1_000;

/// How long a result of the validator is good where the plan says nothing.
const FRESH_FOR: Duration = Duration::from_hours(24);

/// Reads a plan's text.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Plan, Problems> {
    let notes = Notes::new(file, text);
    let tables = text::tables(&notes);
    let plan = tables.as_ref().and_then(|tables| read(&notes, tables));
    notes.finish()?;
    plan.ok_or_else(|| notes.unfinished())
}

fn read<'d>(notes: &'d Notes<'d>, tables: &'d DeTable<'d>) -> Option<Plan> {
    let table = Table::new(notes, 0, &shape::PLAN, tables);
    let name = table.need("name", "a ledger serves one plan name: `name = \"field-to-hq\"`");
    let name = name.and_then(|node| plan_name(&node));
    let tenant =
        table.need("tenant", "name the entity whose records are the tenants: `tenant = \"account\"`");
    let tenant = tenant.and_then(|node| node.text());
    let retry = table.get("retry").and_then(|node| node.table(&shape::RETRY)).map(|table| retry(&table));
    let validate = table.get("validate").and_then(|node| node.table(&shape::VALIDATE));
    let fresh_for = validate.map_or(FRESH_FOR, |table| table.duration("fresh_for", FRESH_FOR));
    let dates = calendar::read(&table);
    let stages = stages::read(&table, &dates.calendar);
    let drafts = entities(&table);
    let book = Book::new(notes, &drafts, tenant);
    book.check();
    let order = order::of(&book);
    let entities = assemble::all(&book, &order?);
    Some(Plan {
        name: name?,
        tenant: EntityName::new(tenant?.value).ok()?,
        entities: entities?,
        retry: retry.unwrap_or_default(),
        fresh_for,
        calendar: dates.calendar,
        notices: dates.notices,
        stages,
        digest: digest::of(tables),
    })
}

fn plan_name(node: &Node<'_>) -> Option<String> {
    let name = node.text()?.value;
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !fits {
        return node.wrong(
            format!("\"{name}\" is not a plan's name"),
            Some("at most 64 letters, digits, `-`, `_` and `.`, the first a letter or digit".to_owned()),
        );
    }
    Some(name.to_owned())
}

fn retry(table: &Table<'_>) -> RetryPolicy {
    let usual = RetryPolicy::default();
    let retry = RetryPolicy {
        attempts: table.number("attempts", 1, 100, usual.attempts),
        base: table.duration("base", usual.base),
        cap: table.duration("cap", usual.cap),
        retry_after_cap: table.duration("retry_after_cap", usual.retry_after_cap),
    };
    if retry.base > retry.cap || retry.base == Duration::ZERO {
        table.notes.hinted(
            table.at,
            "`retry`: `base` must be more than nothing and at most `cap`",
            "the waits double from `base` up to `cap`",
        );
    }
    retry
}

fn entities<'d>(table: &Table<'d>) -> Vec<EntityDraft<'d>> {
    let Some(node) = table.need("entity", "a plan needs at least one `[[entity]]`") else {
        return Vec::new();
    };
    if node.value.is_table() {
        node.notes.hinted(node.at, "`entity` is a list of tables", "write `[[entity]]` with two brackets");
        return Vec::new();
    }
    let items = node.items().unwrap_or_default();
    if items.is_empty() && node.value.is_array() {
        node.notes.add(node.at, "a plan needs at least one `[[entity]]`");
    }
    if items.len() > MOST_ENTITIES {
        node.notes
            .add(node.at, format!("a plan has at most {MOST_ENTITIES} entities, this one {}", items.len()));
        return Vec::new();
    }
    items.iter().filter_map(entity::read).collect()
}
