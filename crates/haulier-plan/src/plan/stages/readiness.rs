//! `[[question]]` and `[preflight]`: what is open, and what is tried before anything moves.

use haulier_core::plan::{Method, Question, WriteProbe};
use toml::de::DeValue;

use crate::node::{Node, Table};
use crate::plan::calendar::tables;
use crate::{scalar, shape};

pub(super) fn questions(plan: &Table<'_>) -> Vec<Question> {
    let question = |node: &Node<'_>| {
        let table = node.table(&shape::QUESTION)?;
        let ask = table.need("ask", "what nobody knows yet: `ask = \"who tells the resellers?\"`");
        Some(Question {
            owner: table.owned("owner").filter(|owner| !owner.trim().is_empty()),
            blocks: table.flag("blocks", true),
            ask: ask?.text()?.value.to_owned(),
        })
    };
    tables(plan, "question").iter().filter_map(question).collect()
}

pub(super) fn write_probe(plan: &Table<'_>) -> Option<WriteProbe> {
    let preflight = plan.get("preflight")?.table(&shape::PLAN_PREFLIGHT)?;
    let table = preflight.get("write_probe")?.table(&shape::WRITE_PROBE)?;
    let words = [("POST", Method::Post), ("PUT", Method::Put)];
    let method = table.word("method", &words, Method::Post);
    let path = table.need("path", "where the marked record is created: `path = \"/accounts\"`");
    let path = path.and_then(|node| self::path(&node));
    let hint = "a record that says what it is: `body = { name = \"haulier probe, to be removed\" }`";
    let body = table.need("body", hint).and_then(|node| match node.value {
        DeValue::Table(_) => scalar::json(&node),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_) => node.unfit("a table"),
    });
    let id = table.get("id").and_then(|node| scalar::pointer(&node));
    let remove = table.get("remove").and_then(|node| self::path(&node));
    if let (true, None, Some(node)) =
        (remove.as_ref().is_some_and(|path| path.contains("{id}")), table.get("id"), table.get("remove"))
    {
        node.notes.hinted(
            node.at,
            "`remove` takes the new `{id}`, and nothing says where the reply holds it",
            "`id = \"/id\"` beside it",
        );
    }
    Some(WriteProbe { method, path: path?, body: body?, id, remove })
}

fn path(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    if text.starts_with('/') && !text.contains([' ', '#']) {
        return Some(text.to_owned());
    }
    node.wrong(
        format!("`{}`: \"{text}\" is not a path", node.key),
        Some("it begins with `/`, and goes behind the site's `base_url`".to_owned()),
    )
}
