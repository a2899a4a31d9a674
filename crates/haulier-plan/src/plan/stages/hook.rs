//! `[hooks]` and `[checks]`: what is run and asked beside the stages.

use std::path::Path;
use std::time::Duration;

use haulier_core::plan::{CheckAsk, CheckSide, Hook, HookAct, OwnCheck};
use toml::de::DeValue;

use super::own;
use crate::node::{Node, Table, Text};
use crate::plan::calendar::when;
use crate::shape;

/// How long a hook may take where the plan says nothing.
const HOOK_TIMEOUT: Duration = Duration::from_mins(10);
/// How long a check may take where the plan says nothing.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn hooks(plan: &Table<'_>) -> Vec<Hook> {
    own(plan, "hooks").into_iter().filter_map(|(name, node)| hook(name, &node)).collect()
}

fn hook(name: Text<'_>, node: &Node<'_>) -> Option<Hook> {
    let table = node.table(&shape::HOOK)?;
    let act = match (table.get("exec"), table.get("webhook")) {
        (Some(exec), None) => program(&exec).map(HookAct::Exec),
        (None, Some(url)) => address(&url).map(HookAct::Webhook),
        (None, None) => {
            table.notes.hinted(
                name.at,
                format!("hook \"{}\" does nothing", name.value),
                "`exec = [\"./hooks/flag\", \"on\"]`, or `webhook = \"https://...\"`",
            );
            None
        }
        (Some(_), Some(second)) => second.wrong("a hook has either `exec` or `webhook`", None),
    };
    let timeout = when::duration_of(&table, "timeout").unwrap_or(HOOK_TIMEOUT);
    let expect = when::duration_of(&table, "expect");
    if expect.is_some_and(|expect| expect > timeout) {
        let at = table.get("expect").map_or(node.at, |node| node.at);
        table.notes.hinted(
            at,
            format!("hook \"{}\" is expected to take longer than its `timeout`", name.value),
            "raise `timeout` above `expect`",
        );
    }
    Some(Hook {
        name: name.value.to_owned(),
        expect,
        timeout,
        retries: table.number("retries", 0, 100, 0),
        act: act?,
    })
}

pub(super) fn checks(plan: &Table<'_>) -> Vec<OwnCheck> {
    own(plan, "checks").into_iter().filter_map(|(name, node)| check(name, &node)).collect()
}

fn check(name: Text<'_>, node: &Node<'_>) -> Option<OwnCheck> {
    let table = node.table(&shape::OWN_CHECK)?;
    let ways: Vec<&'static str> =
        ["exec", "sql", "http", "person"].into_iter().filter(|key| table.has(key)).collect();
    let sides = [("source", CheckSide::Source), ("target", CheckSide::Target)];
    let ask = match ways.as_slice() {
        ["exec"] => table.get("exec").and_then(|node| program(&node)).map(CheckAsk::Exec),
        ["http"] => table.get("http").and_then(|node| address(&node)).map(CheckAsk::Http),
        ["person"] => table.owned("person").map(CheckAsk::Person),
        ["sql"] => {
            let on = table.need("on", "which database: `on = \"source\"` or `on = \"target\"`");
            let (least, most) = (bound(&table, "least"), bound(&table, "most"));
            if least.is_none() && most.is_none() {
                table.notes.hinted(
                    name.at,
                    format!("check \"{}\" says of no number that it passes", name.value),
                    "`least = 1`, `most = 0`, or both",
                );
            }
            let on = on.and_then(|node| node.word(&sides));
            table.owned("sql").and_then(|sql| Some(CheckAsk::Sql { on: on?, sql, least, most }))
        }
        _ => {
            table.notes.hinted(
                name.at,
                format!("check \"{}\" asks nothing, or several things", name.value),
                "one of `exec`, `sql`, `http` and `person`",
            );
            None
        }
    };
    for key in ["on", "least", "most"] {
        if ways != ["sql"]
            && let Some(node) = table.get(key)
        {
            node.notes.add(node.at, format!("`{key}` belongs to a check by `sql`"));
        }
    }
    Some(OwnCheck {
        name: name.value.to_owned(),
        timeout: when::duration_of(&table, "timeout").unwrap_or(CHECK_TIMEOUT),
        ask: ask?,
    })
}

fn bound(table: &Table<'_>, key: &'static str) -> Option<f64> {
    let node = table.get(key)?;
    let text = match node.value {
        DeValue::Integer(integer) => integer.as_str(),
        DeValue::Float(float) => float.as_str(),
        DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return node.unfit("a number"),
    };
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Some(number),
        _ => node.wrong(format!("`{key}` is a finite number"), None),
    }
}

/// A program with its arguments. One that is named by a path is looked for beside the plan.
fn program(node: &Node<'_>) -> Option<Vec<String>> {
    let items = if node.value.is_str() { vec![*node] } else { node.items()? };
    let words: Vec<Text<'_>> = items.iter().map(Node::text).collect::<Option<_>>()?;
    let Some(first) = words.first() else {
        return node.wrong(format!("`{}` names no program", node.key), None);
    };
    if first.value.contains('/') {
        let beside = node.notes.file().parent().unwrap_or(Path::new("")).join(first.value);
        if let Some(problem) = unfit(&beside) {
            node.notes.hinted(
                first.at,
                format!("\"{}\" {problem}", first.value),
                format!(
                    "paths are looked for beside the plan: {}; `chmod +x` makes a file executable",
                    beside.display()
                ),
            );
            return None;
        }
    }
    Some(words.iter().map(|word| word.value.to_owned()).collect())
}

#[cfg(unix)]
fn unfit(file: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(file) {
        Err(_) => Some("is not there"),
        Ok(found) if !found.is_file() => Some("is not a file"),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Some("is not executable"),
        Ok(_) => None,
    }
}

#[cfg(not(unix))]
fn unfit(file: &Path) -> Option<&'static str> {
    (!file.is_file()).then_some("is not there")
}

fn address(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    let fits = text.starts_with("https://") || text.starts_with("http://");
    if !fits || text.contains('@') {
        return node.wrong(
            format!("`{}` is an address without credentials", node.key),
            Some("such as \"https://host/ready\"".to_owned()),
        );
    }
    Some(text.to_owned())
}
