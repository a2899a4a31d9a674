//! Tools that are not ours on both extracts: they find the same differences as haulier.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::extracts::{ENTITIES, change, extract_both, send};
use crate::support::{Case, Setting, field};

/// Python's `csv` reads both files and compares them by key: missing, extra and changed keys, each a JSON list.
const PYTHON: &str = r#"
import csv, json, sys
def rows(path, key):
    with open(path, newline='', encoding='utf-8') as file:
        lines = csv.reader(file)
        next(lines)
        return {tuple(line[:key]): line for line in lines}
key = int(sys.argv[3])
a, b = rows(sys.argv[1], key), rows(sys.argv[2], key)
print(json.dumps([sorted(a.keys() - b.keys()), sorted(b.keys() - a.keys()), sorted(k for k in a.keys() & b.keys() if a[k] != b[k])]))
"#;

#[tokio::test]
async fn cmp_diff_comm_and_another_csv_reader_find_what_haulier_finds() {
    let case = Case::small(Setting::default(), 6).await;
    case.haulier(&["run"]).run().await.expect(0);
    // Changed, missing and extra records of the target, with commas, quotes and line breaks among them.
    let users = case.id_map(&["--entity", "user"]).await;
    for (user, name) in users.iter().zip(["Somebody, Else", "x \\\"y\\\"", "two\\nlines"]) {
        change(&case, &format!("/users/{}", user.id), &format!(r#"{{"full_name":"{name}"}}"#)).await;
    }
    let account = case.id_map(&["--entity", "account"]).await.remove(0);
    let body = serde_json::json!({ "account_id": account.id, "email": "a.stranger@x.example", "full_name": "S",
        "created_at": "2024-01-01T00:00:00Z" });
    assert_eq!(send(&case, "POST", "/users", &body.to_string()).await.0, 201);
    case.execute(&format!(
        "insert into users select 99001, account_id, 'new, one@x.example', full_name, locale, created_at from users where id = {}",
        users[3].key
    ))
    .await;
    extract_both(&case).await;
    let files = |entity: &str| ["source", "target"].map(|side| format!("{side}/{entity}.csv"));
    let tool = |name: &str, args: &[&str]| {
        let out =
            Command::new(name).args(args).current_dir(case.dir.path()).env("LC_ALL", "C").output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    for entity in ENTITIES {
        let [a, b] = files(entity);
        let own = case.haulier(&["diff", &a, &b, "--json", "--out", &format!("result-{entity}")]).run().await;
        let json = own.json();
        let count = |name: &str| usize::try_from(json[name].as_u64().unwrap()).unwrap();
        let wanted = if entity == "user" { [1, 1, 3] } else { [0, 0, 0] };
        assert_eq!(["missing", "extra", "changed"].map(count), wanted, "{entity}: {json:#}");
        let equal = wanted == [0, 0, 0];
        assert_eq!(own.code, Some(i32::from(!equal)));
        assert_eq!(tool("cmp", &["-s", &a, &b]).0, Some(i32::from(!equal)));
        let (code, lines) = tool("diff", &[&a, &b]);
        assert_eq!(code, Some(i32::from(!equal)));
        let lines = lines.lines().filter(|line| line.starts_with(['<', '>'])).count();
        assert_eq!(lines, count("missing") + count("extra") + 2 * count("changed"));
        let (_, alone) = tool("comm", &["-3", "--nocheck-order", &a, &b]);
        assert_eq!(alone.lines().count(), lines);
        let manifest = std::fs::read_to_string(case.path(&format!("{a}.manifest.json"))).unwrap();
        let key = serde_json::from_str::<Value>(&manifest).unwrap()["key"].to_string();
        let (code, found) = tool("python3", &["-c", PYTHON, &a, &b, &key]);
        assert_eq!(code, Some(0));
        let found: [Vec<Vec<String>>; 3] = serde_json::from_str(&found).unwrap();
        assert_eq!(found.each_ref().map(Vec::len), wanted, "{entity}");
        // Not only as many: the same records.
        let report = std::fs::read_to_string(case.path(&format!("result-{entity}/differences.csv"))).unwrap();
        for key in found.iter().flatten() {
            let last = key.last().unwrap();
            assert!(report.contains(last.as_str()), "{last} is not in {report}");
        }
        let kinds: BTreeSet<&str> =
            ["missing", "extra", "changed"].into_iter().filter(|kind| report.contains(kind)).collect();
        assert_eq!(kinds.len(), if equal { 0 } else { 3 }, "{report}");
    }
    assert!(field::rows(&case.field, "users", &["id"]).await.len() > 3);
    case.end().await;
}
