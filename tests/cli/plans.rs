//! Plans that do not fit the source, the ledger or an unfinished run; two producers.

use super::refused;
use crate::support::evidence::number;
use crate::support::{Case, Setting, field, process, services};

async fn case() -> Case {
    Case::small(Setting::default(), 3).await
}

#[tokio::test]
async fn a_plan_that_the_source_does_not_fit_is_refused_with_the_nearest_name() {
    let case = case().await;
    case.edit("plan.toml", "source.table = \"accounts\"", "source.table = \"acounts\"");
    refused(&case, &["run"], 3, &["error: entity `account`", "`acounts`", "hint: ", "accounts"]).await;
    case.write_files();
    case.edit("plan.toml", "locale = \"locale\"", "locale = \"lokale\"");
    refused(&case, &["run"], 3, &["error: entity `user`", "`lokale`", "hint: ", "locale"]).await;
    let checked = case.haulier(&["check"]).run().await.expect(3);
    assert!(
        checked.stderr.contains("`lokale`") && checked.stdout.contains("NO  source: user"),
        "{}",
        checked.stdout
    );
    case.write_files();
    case.edit(
        "plan.toml",
        "source.key = [\"project_id\", \"user_id\"]",
        "source.key = [\"project_id\", \"usr_id\"]",
    );
    refused(&case, &["run"], 3, &["error: entity `membership`", "usr_id"]).await;
    // Nothing was sent meanwhile, not even what comes before the wrong entity.
    assert_eq!(case.stored(), 0);
    case.end().await;
}

#[tokio::test]
async fn a_key_that_repeats_or_is_null_is_found_by_check_and_stops_the_run() {
    let case = case().await;
    case.edit(
        "plan.toml",
        "source.table = \"users\"\nsource.key = [\"id\"]",
        "source.table = \"users\"\nsource.key = [\"account_id\"]",
    );
    let checked = case.haulier(&["check", "--keys"]).run().await.expect(1);
    assert!(checked.stdout.contains("NO  source: key of user (account_id)"), "{}", checked.stdout);
    let ended = case.haulier(&["run"]).run().await.expect(3);
    assert!(ended.stderr.contains("error: entity `user`: the key (account_id) repeats"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);

    case.write_files();
    case.edit(
        "plan.toml",
        "source.table = \"users\"\nsource.key = [\"id\"]",
        "source.table = \"users\"\nsource.key = [\"locale\"]",
    );
    case.execute("update users set locale = null where id = (select min(id) from users)").await;
    let ended = case.haulier(&["run", "--accept-plan-change"]).run().await.expect(3);
    assert!(ended.stderr.contains("key column `locale` is NULL in some row"), "{}", ended.stderr);
    case.end().await;
}

#[tokio::test]
async fn check_folds_keys_as_the_plan_does_and_finds_rows_without_parent_or_tenant() {
    let case = case().await;
    let checked = case.haulier(&["check", "--keys"]).run().await.expect(0);
    assert!(checked.stdout.contains("natural key of user (email)"), "{}", checked.stdout);
    // The same address in capitals: the plan says that letter case does not count. A membership of nobody. A user of no account.
    case.execute(
        "pragma foreign_keys = off;
         insert into users select 99001, account_id, upper(email), full_name, locale, created_at from users where id = 1;
         insert into users select 99002, 99999, 'of.nobody@x.example', full_name, locale, created_at from users where id = 1;
         insert into memberships select project_id, 99003, role, joined_at from memberships limit 1",
    )
    .await;
    let checked = case.haulier(&["check", "--keys", "--json"]).run().await.expect(1).json();
    let wrong: Vec<(&str, &str)> = checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["ok"] == false)
        .map(|finding| (finding["what"].as_str().unwrap(), finding["says"].as_str().unwrap()))
        .collect();
    let rows = field::rows(&case.field, "users", &["id"]).await.len();
    let natural = format!("{rows} rows, 1 duplicates, 0 NULLs (without letter case); 99001 doubles 1");
    for wanted in [
        ("source: natural key of user (email)", natural.as_str()),
        ("source: tenant of user", "1 rows lead to no tenant, and the plan stops at such rows"),
        ("source: user.account_id (account_id)", "1 rows refer to a account that is not there"),
        ("source: membership.user_id (user_id)", "1 rows refer to a user that is not there"),
    ] {
        assert!(wrong.contains(&wanted), "{wanted:?} is not among {wrong:#?}");
    }
    case.end().await;
}

#[tokio::test]
async fn every_mistake_of_a_plan_is_told_at_once() {
    let case = case().await;
    case.edit("plan.toml", "name = \"user\"", "name = \"account\"");
    case.edit("plan.toml", "natural_key = [\"external_id\"]", "naturalkey = [\"external_id\"]");
    let ended =
        refused(&case, &["check", "--offline"], 3, &["plan.toml:", "natural_key", "\"account\""]).await;
    assert!(ended.stderr.matches("plan.toml:").count() >= 2, "{}", ended.stderr);

    case.write_files();
    case.edit("plan.toml", "credit = {", "main = { ref = \"project\", by = \"credit\" }\ncredit = {");
    refused(&case, &["run"], 3, &["plan.toml:", "deferred = true"]).await;
    case.end().await;
}

/// A run that was stopped in its middle.
async fn unfinished() -> Case {
    let case = Case::small(Setting::default(), 10).await;
    case.sandbox.set_faults(hq_sandbox::Faults { latency_ms: 20, ..Default::default() }).unwrap();
    let run = case.haulier(&["run"]).start();
    case.until_stored(150).await;
    run.signal("TERM").await;
    run.ended().await.expect(5);
    case.sandbox.set_faults(hq_sandbox::Faults::default()).unwrap();
    case
}

#[tokio::test]
async fn a_changed_plan_under_an_unfinished_run_needs_a_word() {
    let case = unfinished().await;
    let trimmed = "full_name = { column = \"full_name\", trim = true, lower = true }";
    case.edit("plan.toml", "full_name = \"full_name\"", trimmed);
    let says = ["is unfinished and was started with another version of the plan", "--accept-plan-change"];
    refused(&case, &["run"], 3, &says).await;
    refused(&case, &["produce"], 3, &says).await;
    refused(
        &case,
        &["work"],
        3,
        &["another version of the plan", "hint: give every process the same plan file"],
    )
    .await;
    // Looking is always allowed.
    assert_eq!(case.status().await["state"], "interrupted");
    case.haulier(&["run", "--accept-plan-change"]).run().await.expect(0);
    case.assert_accounted_for().await;
    // What had landed under the old plan was read again and changed where the new one makes something else of it.
    let users = crate::support::http::all_items(case.sandbox.base_url(), "users").await;
    let lower =
        |user: &serde_json::Value| user["full_name"].as_str().is_some_and(|name| name == name.to_lowercase());
    assert!(users.len() > 100 && users.iter().all(lower), "a name kept its capitals");
    // Comments and blanks change nothing.
    case.edit("plan.toml", "[retry]", "# a remark\n\n[retry]");
    assert_eq!(number(&case.haulier(&["run", "--json"]).run().await.expect(0).json(), "moved"), 0);
    case.end().await;
}

#[tokio::test]
async fn a_ledger_of_another_plan_or_a_newer_version_is_refused() {
    let case = case().await;
    case.haulier(&["run"]).run().await.expect(0);
    case.edit("plan.toml", "name = \"field-to-hq\"", "name = \"other\"");
    let says =
        ["the ledger belongs to the plan `field-to-hq`, not to `other`", "hint: a ledger serves one plan"];
    refused(&case, &["run"], 3, &says).await;
    case.write_files();
    let ledger = case.path("ledger.sqlite");
    services::execute(services::Engine::Sqlite, "", &ledger, "insert into ledger_version values (4711)")
        .await;
    let says = [
        "the ledger has version 4711, this haulier knows versions up to",
        "hint: use the haulier that wrote it",
    ];
    refused(&case, &["run"], 3, &says).await;
    refused(&case, &["status"], 3, &says).await;
    case.end().await;
}

#[tokio::test]
async fn a_second_producer_is_refused_naming_the_first() {
    let case = Case::small(Setting::default(), 10).await;
    case.edit("site.toml", "[push]", "[push]\nsilent_after = \"2s\"");
    let first = case.haulier(&["produce"]).start();
    let pid = first.pid().to_string();
    process::wait_for("the first producer's lease", async || {
        let status = case.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && number(&status.json()["all"], "planned") > 0).then_some(())
    })
    .await;
    assert_eq!(case.status().await["state"], "running");
    let says = ["already produces for run", &format!("(pid {pid})"), "hint: one producer at a time"];
    refused(&case, &["produce"], 4, &says).await;
    case.haulier(&["work", "--workers", "8"]).run().await.expect(0);
    first.ended().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.end().await;
}
