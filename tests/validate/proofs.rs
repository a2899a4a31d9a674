//! What the validator says: nothing where nothing differs, and exactly what differs where something does.

use serde_json::Value;

use super::extracts::{ENTITIES, change, send};
use crate::support::{Case, Setting, field};

/// What `haulier validate diff --json` says, by entity.
async fn diff(case: &Case, args: &[&str], code: i32) -> Vec<Value> {
    let args = [&["validate", "diff", "--json", "--out", "proof"], args].concat();
    let ended = case.haulier(&args).run().await.expect(code);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The differences that nothing explains, as lines of CSV without the header.
fn differences(case: &Case) -> Vec<String> {
    let text = std::fs::read_to_string(case.path("proof/differences.csv")).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

async fn keys_of(case: &Case, entity: &str) -> Vec<String> {
    case.id_map(&["--entity", entity]).await.into_iter().map(|pair| pair.key).collect()
}

#[tokio::test]
async fn one_changed_record_is_the_one_difference() {
    let case = Case::small(Setting::default(), 4).await;
    case.haulier(&["run"]).run().await.expect(0);
    case.haulier(&["validate", "counts"]).run().await.expect(0);
    case.haulier(&["validate", "counts", "--by-tenant"]).run().await.expect(0);
    // Nothing is proved before it was compared.
    case.haulier(&["validate", "results"]).run().await.expect(1);
    let clean = diff(&case, &[], 0).await;
    assert_eq!(clean.len(), ENTITIES.len());
    assert!(
        clean.iter().all(|one| one["equal"] == true && one["figures"]["equal"] == one["figures"]["rows_a"])
    );
    assert!(differences(&case).is_empty());
    case.haulier(&["validate", "results"]).run().await.expect(0);
    let (source, target) = (case.path("proof/source/user.csv"), case.path("proof/target/user.csv"));
    assert_eq!(std::fs::read(source).unwrap(), std::fs::read(target).unwrap());

    let user = case.id_map(&["--entity", "user"]).await.remove(0);
    let row =
        field::rows(&case.field, &format!("users where id = {}", user.key), &["full_name", "email"]).await;
    let [name, email] = [0, 1].map(|column| row[0][column].clone().unwrap());
    change(
        &case,
        &format!("/users/{}", user.id),
        &serde_json::json!({ "full_name": format!("{name} ") }).to_string(),
    )
    .await;
    for one in diff(&case, &[], 1).await {
        let wanted = u64::from(one["entity"] == "user");
        assert_eq!(
            one["unexplained"],
            serde_json::json!({ "missing": 0, "extra": 0, "changed": wanted }),
            "{one:#}"
        );
    }
    let told = differences(&case);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains(&email) && told[0].contains("changed") && told[0].contains("full_name"),
        "{told:#?}"
    );
    let page = std::fs::read_to_string(case.path("proof/differences.html")).unwrap();
    assert!(page.contains(&email));

    // Only what is not proved is compared again.
    let again = diff(&case, &["--only-stale"], 1).await;
    assert_eq!(again.iter().map(|one| &one["entity"]).collect::<Vec<_>>(), ["user"]);
    change(&case, &format!("/users/{}", user.id), &serde_json::json!({ "full_name": name }).to_string())
        .await;
    diff(&case, &["--only-stale"], 0).await;
    assert!(diff(&case, &["--only-stale"], 0).await.is_empty());
    case.haulier(&["validate", "results"]).run().await.expect(0);
    case.edit("plan.toml", "\"status\", \"created_at\"]", "\"status\"]");
    let stale = case.haulier(&["validate", "results"]).run().await.expect(1);
    assert!(stale.stdout.contains("the plan changed since"), "{}", stale.stdout);
    case.end().await;
}

#[tokio::test]
async fn what_is_missing_extra_and_changed_is_told_for_whom() {
    let case = Case::small(Setting::default(), 4).await;
    case.haulier(&["run"]).run().await.expect(0);
    let accounts = case.id_map(&["--entity", "account"]).await;
    let external =
        field::rows(&case.field, &format!("accounts where id = {}", accounts[1].key), &["external_id"]).await;
    let external = external[0][0].clone().unwrap();
    // In the source alone: a row that the run has not seen. In the target alone: a record that nobody sent.
    case.execute(&format!(
        "insert into users select 99001, account_id, 'new@x.example', full_name, locale, created_at from users
         where account_id = {} limit 1",
        accounts[1].key
    ))
    .await;
    let body = serde_json::json!({ "account_id": accounts[1].id, "email": "stranger@x.example", "full_name": "S",
        "created_at": "2024-01-01T00:00:00Z" });
    let (status, answer) = send(&case, "POST", "/users", &body.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    let counted = case.haulier(&["validate", "counts", "--json"]).run().await.expect(0);
    assert!(counted.stdout.contains(r#""entity":"user""#));
    let found = diff(&case, &["--entity", "user"], 1).await.remove(0);
    assert_eq!(
        found["unexplained"],
        serde_json::json!({ "missing": 1, "extra": 1, "changed": 0 }),
        "{found:#}"
    );
    assert_eq!(
        found["tenants"][&external],
        serde_json::json!({ "missing": 1, "extra": 1, "changed": 0 }),
        "{found:#}"
    );
    // Of that tenant alone, and of another one.
    diff(&case, &["--tenant", &accounts[1].key], 1).await;
    diff(&case, &["--tenant", &accounts[2].key], 0).await;
    diff(&case, &["--changed-since", "2099-01-01T00:00:00Z"], 0).await;
    diff(&case, &["--changed-since", "1h"], 1).await;
    case.end().await;
}

#[tokio::test]
async fn a_dead_letter_explains_its_difference() {
    let case = Case::small(Setting::default(), 3).await;
    let users = field::rows(&case.field, "users order by id desc limit 2", &["id"]).await;
    let [refused, unmapped] = [0, 1].map(|row| users[row][0].clone().unwrap());
    case.execute(&format!(
        "delete from memberships where user_id in ({refused}, {unmapped});
         update users set email = 'nobody' where id = {refused};
         update users set created_at = 'sekret' where id = {unmapped};"
    ))
    .await;
    case.haulier(&["run"]).run().await.expect(1);
    case.haulier(&["validate", "counts"]).run().await.expect(0);
    let found = diff(&case, &[], 0).await;
    let user = found.iter().find(|one| one["entity"] == "user").unwrap();
    assert_eq!(user["explained"], serde_json::json!({ "dead": 2 }), "{user:#}");
    assert!(differences(&case).is_empty());
    let explained = std::fs::read_to_string(case.path("proof/explained.csv")).unwrap();
    assert_eq!(explained.lines().count(), 3, "{explained}");
    assert!(explained.contains("nobody") && explained.contains("dead") && !explained.contains("sekret"));
    case.haulier(&["dead", "skip", "--entity", "user", "--reason", "left the company"]).run().await.expect(0);
    let found = diff(&case, &["--entity", "user"], 0).await;
    assert_eq!(found[0]["explained"], serde_json::json!({ "skipped": 2 }), "{found:#?}");
    // A record that is neither dead nor waived and cannot be read is no proof.
    let other = keys_of(&case, "user").await.remove(0);
    case.execute(&format!("update users set created_at = 'sekret' where id = {other}")).await;
    let found = diff(&case, &["--entity", "user"], 1).await;
    assert_eq!(found[0]["unreadable"], 1, "{found:#?}");
    case.end().await;
}

#[tokio::test]
async fn every_field_of_a_tenant_is_read_back() {
    let case = Case::small(Setting::default(), 3).await;
    case.haulier(&["run"]).run().await.expect(0);
    // A tenant that has everything, and another one.
    let full = "projects where id in (select project_id from memberships) order by id limit 1";
    let full = field::rows(&case.field, full, &["account_id"]).await[0][0].clone().unwrap();
    let mut accounts = keys_of(&case, "account").await;
    accounts.sort_by_key(|key| *key != full);
    let deep = async |tenant: &str, code: i32| {
        let args = ["validate", "deep", "--tenant", tenant, "--json", "--out", "proof"];
        let ended = case.haulier(&args).run().await.expect(code);
        let told: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (told, std::fs::read_to_string(case.path("proof/deep.csv")).unwrap())
    };
    case.haulier(&["validate", "deep"]).run().await.expect(2);
    let (told, _) = deep(&accounts[0], 0).await;
    assert_eq!(told.iter().map(|one| one["entity"].as_str().unwrap()).collect::<Vec<_>>(), ENTITIES);
    assert!(told.iter().all(|one| one["records"] == one["same"] && one["records"] != 0), "{told:#?}");
    let gets = case.requests().iter().filter(|request| request["method"] == "GET").count();
    let records: u64 = told.iter().map(|one| one["records"].as_u64().unwrap()).sum();
    assert!(gets as u64 >= records, "{gets} requests for {records} records");

    let sql = format!("projects where account_id = {} order by id limit 1", accounts[0]);
    let project = field::rows(&case.field, &sql, &["id"]).await[0][0].clone().unwrap();
    let pairs = case.id_map(&["--entity", "project"]).await;
    let pair = pairs.iter().find(|pair| pair.key == project).unwrap();
    change(&case, &format!("/projects/{}", pair.id), r#"{"budget":"4711.25"}"#).await;
    let (told, csv) = deep(&accounts[0], 1).await;
    assert_eq!(told.iter().map(|one| one["different"].as_u64().unwrap()).sum::<u64>(), 1, "{told:#?}");
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(
        csv.contains(&format!("project,{},{project},budget,", accounts[0])) && csv.contains("4711.25"),
        "{csv}"
    );
    deep(&accounts[1], 0).await;

    // What the source changed after it was sent is no mistake of the target's.
    case.execute(&format!("update projects set budget = 1 where id = {project}")).await;
    let (told, _) = deep(&accounts[0], 0).await;
    let explained = told.iter().find(|one| one["entity"] == "project").unwrap();
    assert_eq!(explained["explained"]["changed in the source since it was sent"], 1, "{explained:#}");
    case.end().await;
}

#[tokio::test]
async fn counts_hold_while_a_run_goes_on() {
    let faults = hq_sandbox::Faults { latency_ms: 15, ..hq_sandbox::Faults::default() };
    let case = Case::small(Setting { faults, ..Setting::default() }, 8).await;
    let running = case.haulier(&["run", "--workers", "1"]).start();
    for stored in [5, 40] {
        case.until_stored(stored).await;
        let counted = case.haulier(&["validate", "counts", "--json"]).run().await.expect(0).stdout;
        assert!(counted.contains("in flight") || counted.contains("held"), "{counted}");
    }
    running.ended().await.expect(0);
    case.haulier(&["validate", "counts"]).run().await.expect(0);
    case.end().await;
}
