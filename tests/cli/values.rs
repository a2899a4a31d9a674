//! Values that cannot be sent: each is a dead letter that names its column and keeps its value to itself.

use std::collections::BTreeMap;

use sqlx::{Connection, SqliteConnection};

use crate::support::{Case, QueueKind, Setting, field};

/// The ids of the last rows of a table, which nothing refers to more than it must.
async fn last(case: &Case, table: &str, count: usize) -> Vec<String> {
    let rows = field::rows(&case.field, &format!("{table} order by id desc limit {count}"), &["id"]).await;
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// Dead records by entity and key, with their kind and reason.
async fn dead(case: &Case) -> BTreeMap<(String, String), (String, String)> {
    let listed = case.haulier(&["dead", "list", "--json", "--state", "dead"]).run().await;
    let rows = listed.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.map(|row| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        ((text("entity"), text("key")), (text("kind"), text("reason")))
    })
    .collect()
}

/// Sets a user's name to bytes of any kind.
async fn set_name(case: &Case, user: &str, sql: &str, bytes: &[u8]) {
    let mut at = SqliteConnection::connect(&format!("sqlite:{}", case.field.display())).await.unwrap();
    let sql = format!("update users set full_name = {sql} where id = {user}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(bytes).execute(&mut at).await.unwrap();
    at.close().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_mapped_dies_alone_and_names_its_column() {
    let case = Case::small(Setting::default(), 5).await;
    let users = last(&case, "users", 4).await;
    let projects = last(&case, "projects", 3).await;
    case.execute("pragma foreign_keys = off; delete from memberships; update projects set parent_id = null;")
        .await;
    set_name(&case, &users[0], "cast(? as text)", b"sekret\xff\xfeA").await;
    set_name(&case, &users[1], "cast(? as text)", b"sekret\0B").await;
    set_name(&case, &users[2], "?", &[0x5e, 0xc2, 0xe7]).await;
    case.execute(&format!(
        "update users set created_at = 'sekret' where id = {};
         update projects set budget = 'sekret' where id = {};
         update projects set budget = 12345678901234.5 where id = {};
         update projects set status = null where id = {};",
        users[3], projects[0], projects[1], "-1"
    ))
    .await;
    let ended = case.haulier(&["run"]).run().await.expect(1);
    assert!(
        !ended.stderr.contains("sekret") && !ended.stdout.contains("sekret"),
        "a value was shown:\n{}",
        ended.stderr
    );
    let dead = dead(&case).await;
    for (entity, key, column) in [
        ("user", &users[0], "full_name"),
        ("user", &users[1], "full_name"),
        ("user", &users[3], "created_at"),
        ("project", &projects[0], "budget"),
        ("project", &projects[1], "budget"),
    ] {
        let (kind, reason) = dead
            .get(&(entity.to_owned(), key.clone()))
            .unwrap_or_else(|| panic!("{entity}/{key}: {dead:#?}"));
        assert_eq!(kind, "mapping", "{dead:#?}");
        assert!(reason.contains(&format!("`{column}`")) && !reason.contains("sekret"), "{reason}");
    }
    // Bytes in a text column are sent as base64, since the plan says nothing else.
    assert_eq!(dead.len(), 5, "{dead:#?}");
    case.assert_accounted_for().await;
    case.end().await;
}

#[tokio::test]
async fn a_word_that_the_plan_does_not_map_kills_the_account_and_holds_what_belongs_to_it() {
    let case = Case::small(Setting::default(), 3).await;
    case.execute("pragma ignore_check_constraints = on; update accounts set plan = 'sekret' where id = (select min(id) from accounts)").await;
    let ended = case.haulier(&["run"]).run().await.expect(1);
    assert!(!ended.stderr.contains("sekret"), "{}", ended.stderr);
    let dead = dead(&case).await;
    let ((entity, _), (kind, reason)) = dead.iter().next().unwrap();
    assert_eq!((dead.len(), entity.as_str(), kind.as_str()), (1, "account", "mapping"));
    assert!(reason.contains("`plan`") && !reason.contains("sekret"), "{reason}");
    assert!(!case.haulier(&["dead", "list", "--state", "held", "--json"]).run().await.stdout.is_empty());
    case.execute("update accounts set plan = 'pro' where id = (select min(id) from accounts)").await;
    case.haulier(&["run"]).run().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.end().await;
}

#[tokio::test]
async fn a_value_of_20_mib_is_more_than_one_message_holds() {
    huge(QueueKind::Embedded, 20, "mapping", "the queue takes at most").await;
    huge(QueueKind::Rabbit, 20, "mapping", "the queue takes at most").await;
}

#[tokio::test]
async fn a_value_that_the_target_finds_too_large_dies_by_its_word() {
    huge(QueueKind::Embedded, 2, "refused", "413").await;
}

async fn huge(queue: QueueKind, mib: usize, kind: &str, says: &str) {
    let case = Case::small(Setting { queue, ..Setting::default() }, 2).await;
    let user = last(&case, "users", 1).await.remove(0);
    case.execute(&format!("pragma foreign_keys = off; delete from memberships where user_id = {user}")).await;
    set_name(&case, &user, "cast(? as text)", &vec![b'x'; mib << 20]).await;
    case.haulier(&["run"]).run().await.expect(1);
    let dead = dead(&case).await;
    let (found, reason) = dead.get(&("user".to_owned(), user.clone())).unwrap_or_else(|| panic!("{dead:#?}"));
    let shown = case.haulier(&["dead", "show", "user", &user]).run().await.expect(0).stdout;
    assert_eq!((dead.len(), found.as_str()), (1, kind), "{reason}");
    assert!(shown.contains(says), "{shown}");
    assert!(reason.len() <= 512, "the reason is as long as the value");
    case.execute(&format!("update users set full_name = 'short' where id = {user}")).await;
    case.haulier(&["run"]).run().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.end().await;
}
