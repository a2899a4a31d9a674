//! Texts that break software, out of three engines into extracts and back: none is altered, and both sides are the same bytes.

use std::collections::BTreeMap;

use crate::data::strings::strings;
use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::{Engine, services};

const PLAN: &str = r#"
name = "strings"
tenant = "text"

[[entity]]
name = "text"
source = { table = "strings", key = ["id"] }
natural_key = ["id"]
extract = [{ column = "id", at = "n" }, "value"]
list = { path = "/texts", items = "/items", page = "single" }
fields = { n = "id", value = "value" }
push = { shape = "put", path = "/texts/by-key/{id}", id = "/id" }
"#;

/// What an escaped cell stands for, read by the rules of docs/diff.md alone.
fn unescaped(cell: &str) -> String {
    let mut text = String::new();
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        let plain = match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('0')) => '\0',
            ('\\', Some('\\')) => '\\',
            ('\\', other) => panic!("{other:?} is no escape"),
            (other, _) => other,
        };
        text.push(plain);
    }
    text
}

/// The source's extract, after it was proved that the target's is the same.
async fn extracted(engine: Engine) -> String {
    let strings = strings();
    let kind = if engine == Engine::MariaDb {
        "mediumtext character set utf8mb4 collate utf8mb4_bin"
    } else {
        "text"
    };
    let script = format!("create table strings (id integer primary key, value {kind} not null)");
    let desk = Desk::new(engine, &script, PLAN, Collections::start(&[]).await).await;
    services::insert_strings(engine, desk.name(), &desk.path("source.sqlite"), &strings).await;
    desk.haulier(&["run"]).run().await.expect(0);
    let proved = desk.haulier(&["validate", "diff", "--out", "x", "--json"]).run().await.expect(0).json();
    assert_eq!(proved["figures"]["equal"], strings.len(), "{proved:#}");
    let read = |side: &str| std::fs::read(desk.path("x").join(side).join("text.csv")).unwrap();
    assert_eq!(read("source"), read("target"));
    let text = String::from_utf8(read("source")).unwrap();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let back: BTreeMap<usize, String> = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            (row[0].parse().unwrap(), unescaped(&row[1]))
        })
        .collect();
    assert_eq!(back.len(), strings.len());
    for (id, wanted) in strings.iter().enumerate() {
        assert_eq!(&back[&id], wanted, "string {id} was altered");
    }
    desk.end().await;
    text
}

#[tokio::test]
async fn every_string_comes_back_from_every_engine_and_all_give_the_same_bytes() {
    let (sqlite, postgres, mariadb) =
        tokio::join!(extracted(Engine::Sqlite), extracted(Engine::Postgres), extracted(Engine::MariaDb));
    assert!(sqlite == postgres && sqlite == mariadb);
}
