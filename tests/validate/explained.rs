//! What stands apart from differences: what the ledger explains; and what stands in no file: personal data.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Case, Setting, field};

/// Every file of the folder, with its subfolders.
fn texts(folder: &std::path::Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

async fn diff(case: &Case, code: i32) -> BTreeMap<String, Value> {
    let ended = case.haulier(&["validate", "diff", "--json", "--out", "proof"]).run().await.expect(code);
    let one = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        (value["entity"].as_str().unwrap().to_owned(), value)
    };
    ended.stdout.lines().map(one).collect()
}

#[tokio::test]
async fn dead_held_excluded_and_waived_records_stand_apart_each_with_its_reason() {
    let case = Case::small(Setting::default(), 4).await;
    // A user whom the target refuses, and a membership that waits for that user in vain; a project of no account, left out.
    let member =
        field::rows(&case.field, "memberships order by user_id limit 1", &["project_id", "user_id"]).await;
    let [_, user] = [0, 1].map(|column| member[0][column].clone().unwrap());
    let memberships = format!("memberships where user_id = {user}");
    let waiting = field::rows(&case.field, &memberships, &["project_id"]).await.len();
    case.execute(&format!("update users set email = 'nobody' where id = {user}")).await;
    case.execute(
        "pragma foreign_keys = off; insert into projects select 99001, 99001, null, 'of nobody', budget, status, created_at from projects limit 1",
    )
    .await;
    case.edit("plan.toml", "[[entity]]\nname = \"user\"", "[[entity]]\norphans = \"skip\"\nname = \"user\"");
    case.edit(
        "plan.toml",
        "[[entity]]\nname = \"project\"",
        "[[entity]]\norphans = \"skip\"\nname = \"project\"",
    );
    case.haulier(&["run"]).run().await.expect(1);
    let found = diff(&case, 0).await;
    let explained = |entity: &str| found[entity]["explained"].clone();
    assert_eq!(explained("account"), json!({}));
    assert_eq!(explained("user"), json!({ "dead": 1 }));
    assert_eq!(explained("membership"), json!({ "held": waiting }));
    assert_eq!(explained("project"), json!({ "skipped": 1 }), "{:#}", found["project"]);
    let nothing = json!({ "missing": 0, "extra": 0, "changed": 0 });
    assert!(found.values().all(|one| one["unexplained"] == nothing), "{found:#?}");
    let proof = texts(&case.path("proof"));
    let text = |name: &str| proof.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    assert_eq!(text("differences.csv").lines().count(), 1, "only the header");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(text("explained.csv").as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2 + waiting);
    for row in &rows {
        let (entity, state, reason) = (&row[0], &row[4], &row[5]);
        let wanted = match entity {
            "user" => ("dead", !reason.is_empty()),
            "membership" => ("held", reason == format!("waits for user/{user}")),
            _ => ("skipped", reason.contains("tenant")),
        };
        assert_eq!((state, true), wanted, "{row:?}");
    }
    // A person lets them go: they are waived, and still said.
    case.haulier(&["dead", "skip", "--all", "--reason", "left the company"]).run().await.expect(0);
    let found = diff(&case, 0).await;
    assert_eq!(found["user"]["explained"], json!({ "skipped": 1 }));
    assert_eq!(found["membership"]["explained"], json!({ "skipped": waiting }));
    let explained = std::fs::read_to_string(case.path("proof/explained.csv")).unwrap();
    assert_eq!(explained.matches("left the company").count(), 1 + waiting, "{explained}");
    case.end().await;
}

#[tokio::test]
async fn personal_data_is_hashed_alike_on_both_sides_and_stands_in_no_file() {
    let case = Case::small(Setting::default(), 4).await;
    case.edit(
        "plan.toml",
        "extract = [\"account.external_id\", \"email\", \"full_name\"",
        "extract = [\"account.external_id\", { column = \"email\", pii = true }, { column = \"full_name\", pii = true }",
    );
    let lacking = case.haulier(&["extract", "--side", "source"]).run().await.expect(3);
    assert!(
        lacking
            .stderr
            .contains("the column `email` is to be hashed, and no hash key of at least 16 bytes is given"),
        "{}",
        lacking.stderr
    );
    for (file, secret) in
        [("one.key", "sixteen bytes or more"), ("other.key", "another secret of many bytes")]
    {
        crate::support::process::write_secret(&case.path(file), secret);
    }
    case.edit("site.toml", "[push]", "[validate]\npii_key = { file = \"one.key\" }\n[push]");
    case.haulier(&["run"]).run().await.expect(0);
    let people = field::rows(&case.field, "users", &["email", "full_name"]).await;
    let found = diff(&case, 0).await;
    assert_eq!(found["user"]["figures"]["equal"], people.len());
    let user = |side: &str| std::fs::read_to_string(case.path(&format!("proof/{side}/user.csv"))).unwrap();
    assert_eq!(user("source"), user("target"));
    assert_eq!(user("source").matches("hmac-sha256:").count(), 2 * people.len());
    let id = case.id_map(&["--entity", "user"]).await.remove(0).id;
    super::extracts::change(&case, &format!("/users/{id}"), r#"{"full_name":"Somebody Else"}"#).await;
    assert_eq!(diff(&case, 1).await["user"]["unexplained"]["changed"], 1);
    // Accounts and projects hold the same names and addresses, and hash none.
    let of_people = |path: &String| !path.ends_with("account.csv") && !path.ends_with("project.csv");
    for (path, text) in texts(&case.path("proof")).into_iter().filter(|(path, _)| of_people(path)) {
        for cell in people.iter().flatten().flatten().filter(|cell| cell.len() > 3) {
            assert!(!text.contains(cell), "{cell} stands in {path}");
        }
        assert!(!text.contains("Somebody Else"), "{path}");
    }
    // Another secret, other hashes.
    let before = user("source");
    case.edit("site.toml", "one.key", "other.key");
    case.haulier(&["extract", "--side", "source", "--out", "proof/source"]).run().await.expect(0);
    let differing = before.lines().zip(user("source").lines()).filter(|(a, b)| a != b).count();
    assert_eq!(differing, people.len());
    // So that is no difference of the data, and said instead of told row by row.
    let files = ["diff", "proof/source/user.csv", "proof/target/user.csv"];
    let refused = case.haulier(&files).run().await.expect(2);
    assert!(refused.stderr.contains("hold hashes of other keys in email, full_name"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("write both extracts with one `[validate] pii_key`"),
        "{}",
        refused.stderr
    );
    case.end().await;
}
