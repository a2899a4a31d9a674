//! How far a reading is: rows, rows a second and the time that is left, of both sides; and a stop meanwhile.

use std::path::Path;

use serde_json::{Value, json};

use super::lists::{Lists, PEOPLE, number, page, people};
use crate::support::process::{Running, wait_for};

/// Files in a folder and all folders in it.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] })
        .collect()
}

/// The first two events: one of each side.
async fn events(running: &Running) -> [Value; 2] {
    wait_for("lines of progress", async || {
        let said = running.said();
        let mut events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Some([events.next()?, events.next()?])
    })
    .await
}

#[tokio::test]
async fn both_sides_tell_how_far_they_are_and_a_stop_leaves_no_half_file() {
    let list = "{ path = \"/people\", items = \"/items\", total = \"/total\", page = { offset = \"offset\", limit = \"limit\", size = 1 } }";
    let lists = Lists::new(list, |seen| {
        let offset = number(seen, "offset").unwrap();
        page(&people((offset..PEOPLE).take(1)), &json!({ "total": PEOPLE }))
    })
    .await;
    // Pages come one by one, more slowly than lines of progress.
    lists.site("[push]\nrate = 4\n[validate]\npages = 1\n");
    let told = lists.haulier(&["validate", "diff", "--json", "--out", "told"]).start();
    let shown = lists.haulier(&["validate", "diff", "--out", "shown"]).start();
    let extract = lists.haulier(&["extract", "--side", "target", "--json", "--out", "extract"]).start();

    let [source, target] = events(&told).await;
    assert_eq!((&source["event"], &source["what"]), (&json!("progress"), &json!("source")));
    assert_eq!((&source["rows"], &source["expected"]), (&json!(PEOPLE), &json!(PEOPLE)));
    assert_eq!((&target["what"], &target["expected"]), (&json!("target"), &json!(PEOPLE)));
    let figure = |name: &str| target[name].as_f64().unwrap_or_else(|| panic!("no {name} in {target}"));
    assert!(figure("rows") > 0.0 && figure("per_second") > 0.0 && figure("eta_s") > 0.0, "{target}");
    shown.until_said("  source 100/100 rows, ").await;
    let said = shown.said();
    let line = said.lines().find(|line| line.contains(" · target ")).unwrap();
    assert!(line.contains("/100 rows, ") && line.ends_with(" s left"), "{line}");
    wait_for("a line of the extract", async || extract.said().contains("\"what\":\"target\"").then_some(()))
        .await;

    for (running, folder) in [(told, "told"), (shown, "shown"), (extract, "extract")] {
        running.signal("INT").await;
        let ended = running.ended().await.expect(5);
        assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
        assert_eq!(files(&lists.path(folder)), Vec::<String>::new());
    }
}
