//! Texts that break software: each one arrives byte for byte, or is listed as dead with a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::{Engine, services, shared};

/// Ours, where no larger collection is at hand; it is always tried.
const NASTY: [&str; 62] = [
    "",
    " ",
    "  two  blanks  ",
    "\t",
    "\n",
    "\r\n",
    "\u{b}\u{c}",
    "\u{1}\u{2}\u{1f}",
    "\u{7f}",
    "\u{80}\u{9f}",
    "\u{a0}",
    "\u{feff}bom",
    "\u{200b}",
    "\u{200d}\u{200f}",
    "\u{202e}overridden",
    "\u{2028}\u{2029}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{10ffff}",
    "null",
    "NULL",
    "\\N",
    "None",
    "undefined",
    "true",
    "NaN",
    "-0",
    "1e400",
    "0x1F",
    "00123",
    "1,234.50",
    "\\",
    "\\\\n",
    "\"",
    "'",
    "''",
    "`",
    "\"quoted\" and 'quoted'",
    "a|b",
    "a\\|b",
    "{id}",
    "{{title}}",
    "%s%n%x",
    "%41%2F%00",
    "a/b?c=d&e#f",
    "../../etc/passwd",
    ".",
    "..",
    "<script>alert(1)</script>",
    "'; drop table strings; --",
    "$(reboot)",
    "${jndi:ldap://x}",
    "[1,{\"a\":null}]",
    "Ünïcödé ŧëxŧ",
    "Z͑ͫaͩl͌g̽o",
    "e\u{301} is not \u{e9}",
    "ﬀ ß ẞ İ ı ſ",
    "👩‍👩‍👧‍👦🏳️‍🌈🇦🇶",
    "العربية עברית",
    "田中さんに",
    "𝕿𝖍𝖊 𝖖𝖚𝖎𝖈𝖐",
    "line one\nline two\r\nline three",
];

const PLAN: &str = r#"
name = "strings"
tenant = "text"

[[entity]]
name = "text"
source = { table = "strings", key = ["id"] }
natural_key = ["id"]
fields = { value = "value" }
push = { shape = "put", path = "/texts/by-key/{id}", id = "/id" }

[[entity]]
name = "named"
parent = "text"
source = { table = "strings", key = ["id"] }
natural_key = ["value"]
fields = { text_id = { ref = "text", by = "id" }, value = "value" }
[entity.push]
shape = "lookup-then-write"
lookup = { path = "/nameds?value={value}", items = "/items", match = ["value"] }
create = { path = "/nameds", id = "/id" }
"#;

/// Ours, a long one, and those of others where they are at hand, in one order.
pub(crate) fn strings() -> Vec<String> {
    let mut strings: BTreeSet<String> = NASTY.iter().map(|text| (*text).to_owned()).collect();
    strings.insert("a long one ".repeat(9_000));
    if let Some(list) = shared::unpacked("blns/blns.json.gz") {
        let list: Vec<String> = serde_json::from_slice(&list).unwrap();
        assert_eq!(list.len(), 515);
        strings.extend(list);
    }
    strings.into_iter().collect()
}

async fn all_arrive(engine: Engine) {
    let strings = strings();
    // The numbers are kept apart from the strings, so that the engine's own idea of sameness plays no part.
    let kind = if engine == Engine::MariaDb {
        "mediumtext character set utf8mb4 collate utf8mb4_bin"
    } else {
        "text"
    };
    let script = format!("create table strings (id integer primary key, value {kind} not null)");
    let desk = Desk::new(engine, &script, PLAN, Collections::start(&[("nameds", &["value"])]).await).await;
    services::insert_strings(engine, desk.name(), &desk.path("source.sqlite"), &strings).await;

    let ended = desk.haulier(&["run"]).run().await;
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    let dead: BTreeMap<(String, usize), String> = desk
        .dead()
        .await
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            ((text("entity"), text("key").parse().unwrap()), text("reason"))
        })
        .collect();
    assert!(dead.values().all(|reason| !reason.is_empty()), "{dead:#?}");

    let texts: BTreeMap<usize, String> = desk
        .target
        .records("texts")
        .into_iter()
        .map(|stored| {
            (stored.key.unwrap().parse().unwrap(), stored.members["value"].as_str().unwrap().to_owned())
        })
        .collect();
    let named: Vec<String> = desk
        .target
        .records("nameds")
        .iter()
        .map(|stored| stored.members["value"].as_str().unwrap().to_owned())
        .collect();
    for (id, wanted) in strings.iter().enumerate() {
        match texts.get(&id) {
            Some(found) => assert_eq!(found, wanted, "string {id} was altered"),
            None => assert!(dead.contains_key(&("text".to_owned(), id)), "string {id} {wanted:?} is lost"),
        }
        let there = named.iter().filter(|found| *found == wanted).count();
        let expected = usize::from(!dead.contains_key(&("named".to_owned(), id)));
        assert_eq!(there, expected, "string {id} {wanted:?}; dead: {dead:#?}");
    }
    assert_eq!(named.len() + dead.keys().filter(|(entity, _)| entity == "named").count(), strings.len());
    // Only the text that is too long for a lookup's address could not be sent, and only where it is looked up.
    let long = strings.iter().position(|text| text.len() > 65_536).unwrap();
    let told = dead.get(&("named".to_owned(), long)).map(String::as_str);
    assert_eq!((dead.len(), told), (1, Some("the filled path is not one that HTTP can carry")), "{dead:#?}");
    desk.end().await;
}

#[tokio::test]
async fn nasty_strings_arrive_unaltered_from_sqlite() {
    all_arrive(Engine::Sqlite).await;
}

#[tokio::test]
async fn nasty_strings_arrive_unaltered_from_postgres() {
    all_arrive(Engine::Postgres).await;
}

#[tokio::test]
async fn nasty_strings_arrive_unaltered_from_mariadb() {
    all_arrive(Engine::MariaDb).await;
}
