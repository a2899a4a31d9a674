//! Extracts of both sides: equal data, equal files.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use crate::support::{Case, Setting, field, http};

const MEND_ROWS: &str = "hint: mend the rows, or declare in the plan's `extract` what the column holds\n";

pub(super) const ENTITIES: [&str; 4] = ["account", "project", "user", "membership"];

/// Writes both sides' extracts into `source` and `target`.
pub(super) async fn extract_both(case: &Case) {
    for side in ["source", "target"] {
        case.haulier(&["extract", "--side", side, "--out", side]).run().await.expect(0);
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Changes one record of the target by its API.
pub(super) async fn change(case: &Case, path: &str, body: &str) {
    let (status, answer) = send(case, "PATCH", path, body).await;
    assert_eq!(status, 200, "{answer}");
}

/// Sends a request to the target.
pub(super) async fn send(case: &Case, method: &str, path: &str, body: &str) -> (u16, String) {
    let url = format!("{}{path}", case.sandbox.base_url());
    let bearer = format!("Bearer {}", crate::support::TOKEN);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    http::request(method, &url, &headers, body).await
}

#[tokio::test]
async fn equal_data_gives_equal_files_and_one_change_another() {
    let case = Case::small(Setting::default(), 5).await;
    case.haulier(&["run"]).run().await.expect(0);
    extract_both(&case).await;
    for entity in ENTITIES {
        let name = format!("{entity}.csv");
        let (source, target) = (case.path("source").join(&name), case.path("target").join(&name));
        assert_eq!(read(&source), read(&target), "{entity}");
        let manifest: serde_json::Value =
            serde_json::from_str(&read(&case.path(&format!("source/{name}.manifest.json")))).unwrap();
        assert_eq!(manifest["rows"], read(&source).lines().count() - 1);
        let mode = std::os::unix::fs::PermissionsExt::mode(&source.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    // No id of either side is in any file, and the lines are in the order of their bytes.
    let memberships = read(&case.path("target/membership.csv"));
    assert!(memberships.starts_with("project.name,user.email,role,joined_at,tenant\n"), "{memberships}");
    assert!(memberships.lines().skip(1).is_sorted_by(|a, b| a.as_bytes() <= b.as_bytes()));
    for pair in case.id_map(&["--entity", "project"]).await {
        assert!(!memberships.contains(&pair.id), "{} is in the extract", pair.id);
    }

    let user = case.id_map(&["--entity", "user"]).await.remove(0);
    change(&case, &format!("/users/{}", user.id), r#"{"full_name":"Somebody Else"}"#).await;
    case.haulier(&["extract", "--side", "target", "--out", "target"]).run().await.expect(0);
    let (source, target) = (read(&case.path("source/user.csv")), read(&case.path("target/user.csv")));
    let other: Vec<(&str, &str)> =
        source.lines().zip(target.lines()).filter(|(source, target)| source != target).collect();
    assert_eq!(other.len(), 1, "{other:?}");
    assert!(other[0].1.contains("Somebody Else"));
    assert_eq!(read(&case.path("source/account.csv")), read(&case.path("target/account.csv")));
    case.end().await;
}

#[tokio::test]
async fn a_tenants_extract_holds_its_rows_alone() {
    let case = Case::small(Setting::default(), 4).await;
    case.haulier(&["run"]).run().await.expect(0);
    let accounts = field::rows(&case.field, "accounts", &["id", "external_id"]).await;
    let [id, external] = [0, 1].map(|column| accounts[1][column].clone().unwrap());
    for side in ["source", "target"] {
        let args =
            ["extract", "--side", side, "--out", side, "--tenant", &id, "--compress", "zstd", "--json"];
        let written = case.haulier(&args).run().await.expect(0).stdout;
        assert_eq!(written.lines().count(), ENTITIES.len(), "{written}");
        for line in written.lines() {
            let file: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(file["tenant"], *id);
            assert!(file["file"].as_str().unwrap().ends_with(".csv.zst"), "{file}");
        }
    }
    let hash = |side: &str, entity: &str| {
        let path = case.path(&format!("{side}/tenant-{id}/{entity}.csv.zst.manifest.json"));
        let manifest: serde_json::Value = serde_json::from_str(&read(&path)).unwrap();
        (manifest["rows"].as_u64().unwrap(), manifest["sha256"].as_str().unwrap().to_owned())
    };
    for entity in ENTITIES {
        assert_eq!(hash("source", entity), hash("target", entity), "{entity}");
    }
    assert_eq!(hash("source", "account").0, 1);
    case.haulier(&["extract", "--side", "source", "--out", "whole"]).run().await.expect(0);
    let whole = read(&case.path("whole/user.csv"));
    let own = whole.lines().filter(|line| line.split(',').any(|cell| cell == external)).count();
    assert_eq!(hash("source", "user").0, own as u64);
    let stranger = case.haulier(&["extract", "--side", "target", "--tenant", "4711"]).run().await.expect(1);
    assert!(stranger.stderr.contains("the source has no tenant 4711"), "{}", stranger.stderr);
    case.end().await;
}

#[tokio::test]
async fn rows_that_cannot_be_compared_are_named_with_their_column() {
    let case = Case::small(Setting::default(), 3).await;
    case.execute("update users set created_at = 'sekret' where id = (select min(id) from users)").await;
    let users = field::rows(&case.field, "users order by id limit 1", &["id"]).await;
    let id = users[0][0].clone().unwrap();
    let refused = case.haulier(&["extract", "--side", "source", "--out", "x"]).run().await.expect(1);
    let wanted = format!(
        "rows that cannot be compared:\nuser/{id}, column `created_at`: column `created_at` for field `created_at`: \
         it is not a point in time\n\n{MEND_ROWS}"
    );
    assert_eq!(refused.stderr, wanted);
    let left: Vec<_> =
        std::fs::read_dir(case.path("x")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("user.")), "{left:?}");

    // A natural key that comes twice is told, whatever the order of the rows.
    case.execute(
        "update users set created_at = '2024-01-01T00:00:00Z'; delete from memberships;
         update projects set name = 'same' where id in (select min(id) from projects group by account_id);
         insert into memberships select id, (select min(id) from users), 'viewer', '2024-01-01T00:00:00Z'
             from projects where name = 'same'",
    )
    .await;
    let doubled = case.haulier(&["extract", "--side", "source", "--out", "x"]).run().await.expect(1);
    let first =
        field::rows(&case.field, "users order by id limit 1", &["email"]).await[0][0].clone().unwrap();
    let (note, told) = doubled.stderr.split_once('\n').unwrap();
    assert!(note.starts_with("begins anew; `--resume` would have kept what was finished since "), "{note}");
    assert_eq!(
        told,
        format!(
            "error: 1 key comes more than once: same,{first}\n\n\
             hint: a natural key must be the key of one record: mend the records, or name more columns in `natural_key`\n"
        )
    );
    assert!(!case.path("x/membership.csv").exists());
    case.end().await;
}

#[tokio::test]
async fn a_key_that_is_null_and_a_column_that_is_not_there_are_told() {
    let case = Case::small(Setting::default(), 2).await;
    case.edit(
        "plan.toml",
        "extract = [\"account.external_id\", \"email\"",
        "extract = [\"locale\", \"email\"",
    );
    case.edit(
        "plan.toml",
        "natural_key = [\"email\"]\nfold = [\"case\"]",
        "natural_key = [\"email\", \"locale\"]",
    );
    case.edit("plan.toml", "\"full_name\", \"locale\", \"created_at\"]", "\"full_name\", \"created_at\"]");
    case.edit(
        "plan.toml",
        "natural_key = [\"project.name\", \"user.email\"]",
        "natural_key = [\"project.name\", \"user.email\"]\norphans = \"skip\"",
    );
    case.execute("update users set locale = 'x'; update users set locale = null where id = (select min(id) from users)").await;
    let users = field::rows(&case.field, "users order by id limit 1", &["id"]).await;
    let id = users[0][0].clone().unwrap();
    let null = case
        .haulier(&["extract", "--side", "source", "--entity", "user", "--out", "x"])
        .run()
        .await
        .expect(1);
    let wanted = format!(
        "rows that cannot be compared:\nuser/{id}, column `locale`: it is part of the key, and NULL or missing\n\n{MEND_ROWS}"
    );
    assert_eq!(null.stderr, wanted);
    case.edit("plan.toml", "full_name = \"full_name\"", "full_name = \"ful_name\"");
    let lacking = case.haulier(&["extract", "--side", "source", "--entity", "user"]).run().await.expect(3);
    assert_eq!(
        lacking.stderr,
        "error: entity `user`: table `users` has no column `ful_name`\n\nhint: did you mean `full_name`?\n"
    );
    case.end().await;
}

#[tokio::test]
async fn the_targets_own_database_gives_the_same_files_as_its_lists() {
    let case = Case::small(Setting::default(), 3).await;
    case.haulier(&["run"]).run().await.expect(0);
    extract_both(&case).await;
    // What the lists show, as tables of a database.
    let file = case.path("hq.sqlite");
    let mut at = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    for entity in ENTITIES {
        let items = http::all_items(case.sandbox.base_url(), &format!("{entity}s")).await;
        let names: Vec<String> = items[0].as_object().unwrap().keys().cloned().collect();
        let columns = names.iter().map(|name| format!("{name} text")).collect::<Vec<_>>().join(", ");
        let create = format!("create table {entity}s ({columns}, unique (id))");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut at).await.unwrap();
        for item in &items {
            let places = vec!["?"; names.len()].join(", ");
            let insert = format!("insert into {entity}s values ({places})");
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert));
            for name in &names {
                let text = item[name].as_str().map(str::to_owned);
                query = query.bind(text.or_else(|| (!item[name].is_null()).then(|| item[name].to_string())));
            }
            query.execute(&mut at).await.unwrap();
        }
        let list = format!("list = {{ path = \"/{entity}s\"");
        case.edit(
            "plan.toml",
            &list,
            &format!("stored = {{ table = \"{entity}s\", key = [\"id\"] }}\n{list}"),
        );
    }
    at.close().await.unwrap();
    case.edit("site.toml", "[push]", "[target.sql]\nurl = \"sqlite:hq.sqlite\"\n[push]");
    case.haulier(&["extract", "--side", "target", "--out", "stored"]).run().await.expect(0);
    for entity in ENTITIES {
        let file = |side: &str| read(&case.path(&format!("{side}/{entity}.csv")));
        assert_eq!(file("stored"), file("source"), "{entity}");
    }
    case.edit("plan.toml", "stored = { table = \"users\"", "stored = { table = \"people\"");
    let lacking = case.haulier(&["extract", "--side", "target", "--entity", "user"]).run().await.expect(3);
    assert!(lacking.stderr.contains("no table or view `people`"), "{}", lacking.stderr);
    case.end().await;
}

#[tokio::test]
async fn a_stop_leaves_no_half_file() {
    let case = Case::small(Setting::default(), 2).await;
    case.haulier(&["run"]).run().await.expect(0);
    let slow = hq_sandbox::Faults { latency_ms: 60_000, ..hq_sandbox::Faults::default() };
    case.sandbox.set_faults(slow).unwrap();
    let running = case.haulier(&["extract", "--side", "target", "--out", "x"]).start();
    crate::support::process::wait_for("the first part", async || {
        case.path("x/account.csv.part").exists().then_some(())
    })
    .await;
    running.signal("TERM").await;
    let ended = running.ended().await.expect(5);
    assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(case.path("x")).unwrap().count(), 0);
    case.end().await;
}
