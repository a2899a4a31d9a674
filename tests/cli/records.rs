//! Records that need a person: listed, shown, exported, mended and sent again, or left out for good.

use serde_json::Value;

use super::refused;
use crate::support::evidence::number;
use crate::support::{Case, Setting, field};

/// A user with memberships, as the source has it.
async fn joined_user(case: &Case) -> (String, usize) {
    let user = field::rows(&case.field, "memberships order by user_id limit 1", &["user_id"]).await;
    let user = user[0][0].clone().unwrap();
    let table = format!("memberships where user_id = {user}");
    let memberships = field::rows(&case.field, &table, &["project_id"]).await.len();
    (user, memberships)
}

async fn listed(case: &Case, args: &[&str]) -> Vec<Value> {
    let ended = case.haulier(&[&["dead", "list", "--json"], args].concat()).run().await;
    assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.stderr);
    let rows: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ended.code, Some(i32::from(!rows.is_empty())), "the exit code says whether there are any");
    rows
}

#[tokio::test]
async fn a_refused_record_is_dead_with_field_and_reason_until_it_is_mended() {
    let case = Case::small(Setting::default(), 4).await;
    let (user, memberships) = joined_user(&case).await;
    let memory = field::rows(&case.field, &format!("users where id = {user}"), &["full_name"]).await;
    case.execute(&format!("update users set full_name = '' where id = {user}")).await;
    let ended = case.haulier(&["run"]).run().await.expect(1);
    assert!(ended.stderr.contains("`haulier dead list`"), "{}", ended.stderr);

    let dead = listed(&case, &["--state", "dead"]).await;
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert_eq!((&dead[0]["entity"], &dead[0]["key"]), (&"user".into(), &user.as_str().into()));
    assert_eq!((&dead[0]["kind"], &dead[0]["status"]), (&"refused".into(), &422.into()));
    assert!(dead[0]["reason"].as_str().unwrap().contains("full_name"), "{dead:#?}");
    let held = listed(&case, &["--state", "held"]).await;
    assert_eq!(held.len(), memberships, "{held:#?}");
    assert!(held.iter().all(|row| row["waits_for"] == format!("user/{user}")), "{held:#?}");
    assert_eq!(listed(&case, &["--kind", "duplicate"]).await.len(), 0);
    assert_eq!(listed(&case, &["--entity", "user", "--key", &user]).await, dead);
    assert_eq!(listed(&case, &["--limit", "1"]).await.len(), 1);

    let table = case.haulier(&["dead", "list"]).run().await.expect(1).stdout;
    assert!(table.contains("full_name") && table.contains("refused"), "{table}");
    let shown = case.haulier(&["dead", "show", "user", &user]).run().await.expect(0).stdout;
    assert!(shown.contains("remedy") && shown.contains("`haulier dead retry`"), "{shown}");
    let exported = case.haulier(&["dead", "export"]).run().await.expect(0).stdout;
    assert_eq!(exported.lines().count(), 1 + 1 + memberships, "{exported}");
    assert!(
        exported.starts_with("entity,key,tenant,state,kind,status,attempts,since,waits for,reason\n"),
        "{exported}"
    );

    // A second run does not send again what was refused, unchanged as it is, and says so again.
    let requests = case.writes();
    case.haulier(&["run"]).run().await.expect(1);
    assert!(case.writes() - requests <= 1, "{} writes for one dead record", case.writes() - requests);

    let name = memory[0][0].clone().unwrap().replace('\'', "''");
    case.execute(&format!("update users set full_name = '{name}' where id = {user}")).await;
    let status = case.haulier(&["status"]).run().await.expect(0).stdout;
    assert!(status.contains("`haulier dead list` says why"), "{status}");
    case.haulier(&["dead", "retry", "--entity", "user", "--key", &user]).run().await.expect(0);
    let status = case.haulier(&["status"]).run().await.expect(0).stdout;
    assert!(status.contains("1 records were given back after the end; `haulier run`"), "{status}");
    case.haulier(&["run"]).run().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    assert_eq!(listed(&case, &[]).await.len(), 0);
    case.end().await;
}

#[tokio::test]
async fn a_retry_without_mending_dies_again_and_a_waived_record_stays_out() {
    let case = Case::small(Setting::default(), 3).await;
    case.execute(
        "update memberships set role = 'king' where user_id = (select min(user_id) from memberships)",
    )
    .await;
    case.haulier(&["run"]).run().await.expect(1);
    let dead = listed(&case, &[]).await;
    let attempts = number(&dead[0], "attempts");
    let retried = case.haulier(&["dead", "retry", "--kind", "refused"]).run().await.expect(0);
    assert!(retried.stdout.contains(&format!("{} records are due again", dead.len())), "{}", retried.stdout);
    case.haulier(&["run"]).run().await.expect(1);
    let again = listed(&case, &[]).await;
    assert_eq!(again.len(), dead.len());
    assert_eq!(number(&again[0], "attempts"), attempts, "the attempts start anew with a person's retry");

    let skipped =
        case.haulier(&["dead", "skip", "--entity", "membership", "--reason", "no kings here"]).run().await;
    assert!(skipped.expect(0).stdout.contains("are left out: no kings here"));
    assert_eq!(listed(&case, &[]).await.len(), 0);
    let key = dead[0]["key"].as_str().unwrap();
    let shown = case.haulier(&["dead", "show", "membership", key]).run().await.expect(0).stdout;
    assert!(shown.contains("skipped") && shown.contains("no kings here"), "{shown}");
    case.assert_accounted_for().await;
    // Nothing is left to judge.
    case.haulier(&["dead", "retry"]).run().await.expect(1);

    // Later runs leave it out, too, and know why.
    let requests = case.writes();
    case.haulier(&["run"]).run().await.expect(0);
    assert_eq!(case.writes(), requests, "a waived record was sent");
    let waived = listed(&case, &["--state", "skipped"]).await;
    assert_eq!(waived.len(), dead.len(), "{waived:#?}");
    assert!(
        waived.iter().all(|row| row["reason"].as_str().unwrap().contains("no kings here")),
        "{waived:#?}"
    );
    let status = case.status().await;
    let kinds = &status["skipped_as"];
    let sum: u64 =
        ["unchanged", "without_tenant", "empty", "waived"].iter().map(|kind| number(kinds, kind)).sum();
    assert_eq!(sum, number(&status["all"], "skipped"), "{status:#}");
    assert_eq!(number(kinds, "waived"), dead.len() as u64, "{status:#}");
    assert_eq!((&status["tenants"], &status["tenants_done"]), (&3.into(), &3.into()), "{status:#}");
    let told = case.haulier(&["status"]).run().await.expect(0).stdout;
    let words = format!(
        "skipped: {} unchanged since an earlier run, {} waived",
        number(kinds, "unchanged"),
        dead.len()
    );
    assert!(told.contains(&words), "{words} is not in\n{told}");
    // What changed is looked at again, with what was decided before.
    case.execute("update memberships set role = 'queen' where role = 'king'").await;
    case.haulier(&["run"]).run().await.expect(1);
    let shown = case.haulier(&["dead", "show", "membership", key]).run().await.expect(0).stdout;
    assert!(shown.contains("state      dead") && shown.contains("waived: no kings here"), "{shown}");
    // A waiver can be taken back.
    case.haulier(&["dead", "skip", "--all", "--reason", "nor queens"]).run().await.expect(0);
    let named = format!("membership/{key}");
    case.haulier(&["dead", "retry", "--state", "skipped", "--key", &named]).run().await.expect(0);
    case.haulier(&["run"]).run().await.expect(1);
    assert_eq!(listed(&case, &["--state", "dead"]).await.len(), 1);
    case.end().await;
}

#[tokio::test]
async fn a_key_that_changed_under_a_landed_record_waits_for_a_person() {
    let case = Case::small(Setting::default(), 3).await;
    case.haulier(&["run"]).run().await.expect(0);
    let requests = case.writes();
    case.execute("update accounts set external_id = 'another' where id = (select min(id) from accounts)")
        .await;
    for _ in 0..2 {
        case.haulier(&["run"]).run().await.expect(1);
        let held = listed(&case, &[]).await;
        assert_eq!(
            (held.len(), &held[0]["state"], &held[0]["kind"]),
            (1, &"held".into(), &"key-changed".into())
        );
        let reason = held[0]["reason"].as_str().unwrap();
        assert!(reason.contains("`external_id`") && reason.contains("since it landed as"), "{reason}");
        assert_eq!(case.writes(), requests, "it was sent");
    }
    case.haulier(&["dead", "retry", "--kind", "key-changed"]).run().await.expect(0);
    case.haulier(&["run"]).run().await.expect(0);
    assert!(case.writes() > requests);
    case.end().await;
}

#[tokio::test]
async fn records_are_named_and_counted_and_nothing_is_waived_by_accident() {
    let case = Case::small(Setting::default(), 4).await;
    case.execute("update users set full_name = ''").await;
    case.haulier(&["run"]).run().await.expect(1);
    let counted = listed(&case, &["--by", "reason", "--entity", "user"]).await;
    let users = listed(&case, &["--entity", "user"]).await;
    assert_eq!((counted.len(), number(&counted[0], "records")), (1, users.len() as u64), "{counted:#?}");
    let table = case.haulier(&["dead", "list", "--entity", "user"]).run().await.expect(1);
    assert!(table.stderr.contains("--by reason"), "{}", table.stderr);

    let [one, two] = [0, 1].map(|index| users[index]["key"].as_str().unwrap());
    let named = [format!("user/{one}"), format!("user/{two}")];
    assert_eq!(listed(&case, &["--key", &named[0], &named[1]]).await.len(), 2);
    assert_eq!(listed(&case, &["--entity", "user", "--key", one, &named[1]]).await.len(), 2);
    case.haulier(&["dead", "show", &named[0]]).run().await.expect(0);
    let list = format!("{one},{two}");
    let none = case.haulier(&["dead", "retry", "--entity", "user", "--key", &list]).run().await.expect(1);
    assert!(none.stderr.contains("separated by blanks"), "{}", none.stderr);
    refused(&case, &["dead", "retry", "--key", one], 2, &["of which entity", "hint: add `--entity NAME`"])
        .await;
    refused(&case, &["dead", "skip", "--reason", "x"], 2, &["every dead and held record", "`--all`"]).await;
    refused(&case, &["dead", "skip", "--all", "--reason", " "], 2, &["a waiver without a reason"]).await;
    assert_eq!(listed(&case, &["--entity", "user"]).await.len(), users.len());
    case.end().await;
}
