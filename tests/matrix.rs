//! Every source with every queue and every ledger: all of it lands, once, and is accounted for.

use std::collections::HashMap;

use serde_json::Value;

use crate::support::evidence::{Pair, number};
use crate::support::{Case, Engine, LedgerKind, QueueKind, Setting, field};

use Engine::{MariaDb, Postgres, Sqlite};
use QueueKind::{Embedded, Rabbit};

/// How the records are moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One process does everything.
    Run,
    /// One producer, three workers.
    Apart,
}

fn setting(source: Engine, queue: QueueKind, ledger: LedgerKind) -> Setting {
    Setting { source, queue, ledger, ..Setting::default() }
}

#[tokio::test]
async fn from_sqlite_by_the_embedded_queue_with_a_sqlite_ledger() {
    small(setting(Sqlite, Embedded, LedgerKind::Sqlite), Way::Apart).await;
}

#[tokio::test]
async fn from_sqlite_by_the_embedded_queue_with_a_postgres_ledger() {
    small(setting(Sqlite, Embedded, LedgerKind::Postgres), Way::Run).await;
}

#[tokio::test]
async fn from_sqlite_by_rabbitmq_with_a_sqlite_ledger() {
    small(setting(Sqlite, Rabbit, LedgerKind::Sqlite), Way::Apart).await;
}

#[tokio::test]
async fn from_sqlite_by_rabbitmq_with_a_postgres_ledger() {
    small(setting(Sqlite, Rabbit, LedgerKind::Postgres), Way::Run).await;
}

#[tokio::test]
async fn from_postgres_by_the_embedded_queue_with_a_sqlite_ledger() {
    small(setting(Postgres, Embedded, LedgerKind::Sqlite), Way::Run).await;
}

#[tokio::test]
async fn from_postgres_by_the_embedded_queue_with_a_postgres_ledger() {
    small(setting(Postgres, Embedded, LedgerKind::Postgres), Way::Apart).await;
}

#[tokio::test]
async fn from_postgres_by_rabbitmq_with_a_sqlite_ledger() {
    small(setting(Postgres, Rabbit, LedgerKind::Sqlite), Way::Run).await;
}

#[tokio::test]
async fn from_postgres_by_rabbitmq_with_a_postgres_ledger_the_whole_demo() {
    let case = Case::new(setting(Postgres, Rabbit, LedgerKind::Postgres)).await;
    moves(case, Way::Apart).await;
}

#[tokio::test]
async fn from_mariadb_by_the_embedded_queue_with_a_sqlite_ledger() {
    small(setting(MariaDb, Embedded, LedgerKind::Sqlite), Way::Run).await;
}

#[tokio::test]
async fn from_mariadb_by_the_embedded_queue_with_a_postgres_ledger() {
    small(setting(MariaDb, Embedded, LedgerKind::Postgres), Way::Apart).await;
}

#[tokio::test]
async fn from_mariadb_by_rabbitmq_with_a_sqlite_ledger() {
    small(setting(MariaDb, Rabbit, LedgerKind::Sqlite), Way::Apart).await;
}

#[tokio::test]
async fn from_mariadb_by_rabbitmq_with_a_postgres_ledger() {
    small(setting(MariaDb, Rabbit, LedgerKind::Postgres), Way::Apart).await;
}

async fn small(setting: Setting, way: Way) {
    moves(Case::small(setting, 30).await, way).await;
}

/// The whole story of one combination.
async fn moves(case: Case, way: Way) {
    match way {
        Way::Run => {
            case.haulier(&["run", "--workers", "8", "--fibres", "2"]).run().await.expect(0);
        }
        Way::Apart => apart(&case).await,
    }
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    case.haulier(&["empty", "--quiet", "1"]).run().await.expect(0);
    let rows = everything_was_planned(&case).await;
    case.assert_every_landing_is_logged().await;
    undo_lists_children_first(&case).await;
    nothing_to_do_a_second_time(&case, rows).await;
    changes_follow(&case).await;
    case.end().await;
}

async fn apart(case: &Case) {
    let producer = case.haulier(&["produce", "--fibres", "2"]).start();
    let workers = [(); 3].map(|()| case.haulier(&["work", "--workers", "4"]).start());
    producer.ended().await.expect(0);
    for worker in workers {
        worker.ended().await.expect(0);
    }
}

/// Every row of every table was planned and has landed. Returns how many there are.
async fn everything_was_planned(case: &Case) -> u64 {
    let status = case.status().await;
    let mut all = 0;
    for (table, columns) in field::TABLES {
        let rows = u64::try_from(field::rows(&case.field, table, columns).await.len()).unwrap();
        let entity = table.strip_suffix('s').unwrap();
        let counts = status["entities"].as_array().unwrap().iter().find(|counts| counts["entity"] == entity);
        let counts = counts.unwrap_or_else(|| panic!("no counts of {entity} in {status:#}"));
        assert_eq!((number(counts, "planned"), number(counts, "landed")), (rows, rows), "{counts:#}");
        all += rows;
    }
    assert_eq!(number(&status["all"], "landed"), all);
    all
}

async fn undo_lists_children_first(case: &Case) {
    let undo = case.id_map(&["--created-only", "--reverse"]).await;
    assert!(undo.iter().all(|pair| pair.origin == "created"), "the undo list holds what was not created");
    let place: HashMap<(&str, &str), usize> = undo
        .iter()
        .enumerate()
        .map(|(place, pair)| ((pair.entity.as_str(), pair.key.as_str()), place))
        .collect();
    assert_eq!(place.len(), undo.len(), "the undo list names a record twice");
    assert_eq!(undo.len(), case.id_map(&[]).await.len(), "everything in this target was created by haulier");
    let at = |entity: &str, key: &str| place[&(entity, key)];
    for row in field::rows(&case.field, "projects", &["id", "account_id", "parent_id"]).await {
        let own = at("project", cell(&row, 0));
        assert!(own < at("account", cell(&row, 1)), "an account before its project");
        if let Some(parent) = &row[2] {
            assert!(own < at("project", parent), "a project before its child");
        }
    }
    for row in field::rows(&case.field, "memberships", &["project_id", "user_id"]).await {
        let own = at("membership", &format!("{}|{}", cell(&row, 0), cell(&row, 1)));
        assert!(
            own < at("project", cell(&row, 0)) && own < at("user", cell(&row, 1)),
            "a membership after its ends"
        );
    }
}

fn cell(row: &[Option<String>], index: usize) -> &str {
    row[index].as_deref().unwrap()
}

async fn nothing_to_do_a_second_time(case: &Case, rows: u64) {
    let (writes, before) = (case.writes(), ids(case).await);
    let ended = case.haulier(&["run", "--json"]).run().await.expect(0).json();
    assert_eq!(number(&ended, "moved"), 0, "{ended:#}");
    assert_eq!(number(&ended["all"], "skipped"), rows, "{ended:#}");
    assert_eq!(case.writes(), writes, "a second run wrote to the target");
    assert_eq!(ids(case).await, before, "a second run changed the id map");
}

async fn changes_follow(case: &Case) {
    case.execute("update accounts set name = 'A new name' where id = (select m from (select min(id) m from accounts) t)").await;
    case.execute("update projects set budget = 17.25, status = 'done' where id = (select m from (select max(id) m from projects) t)")
        .await;
    case.execute("update users set full_name = 'Łucja Ö. 王' where id = (select m from (select min(id) m from users) t)").await;
    case.execute(
        "update memberships set role = case role when 'viewer' then 'owner' else 'viewer' end \
         where user_id = (select m from (select min(user_id) m from memberships) t)",
    )
    .await;
    let touched = field::rows(
        &case.field,
        "memberships where user_id = (select min(user_id) from memberships)",
        &["role"],
    );
    let changed = 3 + u64::try_from(touched.await.len()).unwrap();
    let (requests, before) = (case.requests().len(), ids(case).await);
    let ended = case.haulier(&["run", "--json"]).run().await.expect(0).json();
    assert_eq!(number(&ended, "moved"), changed, "{ended:#}");
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    assert_eq!(ids(case).await, before, "a change made another target record");
    let later: Vec<Value> = case.requests().into_iter().skip(requests).collect();
    let writes = later.iter().filter(|request| request["method"] != "GET").count();
    assert_eq!(u64::try_from(writes).unwrap(), changed, "more was written than had changed: {later:#?}");
}

async fn ids(case: &Case) -> Vec<Pair> {
    let mut pairs = case.id_map(&[]).await;
    pairs.sort_by(|a, b| (&a.entity, &a.key).cmp(&(&b.entity, &b.key)));
    pairs
}
