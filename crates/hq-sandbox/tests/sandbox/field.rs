//! The demo source: the same every time, and acceptable to the target to its last row.

use std::collections::HashMap;
use std::path::Path;

use hq_sandbox::field_demo::{DEFAULT_SEED, DemoCounts, create};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};

use crate::client::{Bench, Client, encoded};

const EXPECTED: DemoCounts = DemoCounts { accounts: 200, projects: 1_200, users: 3_000, memberships: 3_000 };

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_rows_with_every_trap_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, three) =
        (folder.path().join("1.db"), folder.path().join("2.db"), folder.path().join("3.db"));
    assert_eq!(create(&one, DEFAULT_SEED).await.unwrap(), EXPECTED);
    assert_eq!(create(&two, DEFAULT_SEED).await.unwrap(), EXPECTED);
    assert_eq!(create(&three, 7).await.unwrap(), EXPECTED);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    assert_ne!(std::fs::read(&one).unwrap(), std::fs::read(&three).unwrap());
    assert!(create(&one, DEFAULT_SEED).await.is_err(), "a file that is there is not written over");

    let mut db = open(&one).await;
    let lower = "select count(*) from projects where parent_id > id";
    assert!(number(&mut db, lower).await > 100, "children come before their parents");
    let depth = "with recursive tree (id, level) as (select id, 1 from projects where parent_id is null \
                 union all select p.id, t.level + 1 from projects p join tree t on p.parent_id = t.id) \
                 select max(level) * 10000 + count(*) from tree";
    assert_eq!(number(&mut db, depth).await, 51_200, "five levels, and every project hangs in a tree");
    let crowd = "select max(n) from (select count(*) as n from users group by account_id)";
    assert_eq!(number(&mut db, crowd).await, 400);
    let bare = "select count(*) from accounts where id not in (select account_id from projects)";
    assert_eq!(number(&mut db, bare).await, 20);
    let strangers = "select count(*) from memberships m join projects p on p.id = m.project_id \
                     join users u on u.id = m.user_id where u.account_id <> p.account_id";
    assert_eq!(number(&mut db, strangers).await, 0);
    let longest = "select max(length(name)) from projects";
    assert_eq!(number(&mut db, longest).await, 255);
    let nulls = "select count(*) from accounts where credit is null";
    assert!(number(&mut db, nulls).await > 0);
}

#[tokio::test]
async fn every_row_lands_in_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("field.db");
    create(&path, DEFAULT_SEED).await.unwrap();
    let mut db = open(&path).await;
    let bench = Bench::start().await;

    let accounts = rows(
        &mut db,
        "select id, json_object('external_id', external_id, 'name', name, 'email', email, 'plan', plan, \
         'active', json(iif(active, 'true', 'false')), 'credit', cast(credit as text), 'created_at', created_at) \
         from accounts order by id",
    )
    .await;
    let mut account_ids = HashMap::new();
    for (id, body) in accounts {
        let path = format!("/accounts/by-external-id/{}", encoded(body["external_id"].as_str().unwrap()));
        let answer = bench.client.put(&path, &body).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.json());
        account_ids.insert(id, answer.json()["id"].clone());
    }

    // Parents first, level by level.
    let projects = rows(
        &mut db,
        "with recursive tree (id, level) as (select id, 1 from projects where parent_id is null \
         union all select p.id, t.level + 1 from projects p join tree t on p.parent_id = t.id) \
         select id, json_object('account_id', account_id, 'parent_id', parent_id, 'name', name, \
         'budget', cast(budget as text), 'status', status, 'created_at', created_at) \
         from tree join projects using (id) order by level, id",
    )
    .await;
    let mut project_ids: HashMap<i64, Value> = HashMap::new();
    for (id, mut body) in projects {
        body["account_id"] = account_ids[&body["account_id"].as_i64().unwrap()].clone();
        if let Some(parent) = body["parent_id"].as_i64() {
            body["parent_id"] = project_ids[&parent].clone();
        }
        let answer = bench.client.post("/projects", &body).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.json());
        project_ids.insert(id, answer.json()["id"].clone());
    }

    let users = rows(
        &mut db,
        "select id, json_object('account_id', account_id, 'email', email, 'full_name', full_name, \
         'locale', locale, 'created_at', created_at) from users order by id",
    )
    .await;
    let users = users.into_iter().map(|(id, mut body)| {
        body["account_id"] = account_ids[&body["account_id"].as_i64().unwrap()].clone();
        (id, body)
    });
    let user_ids = bulk(&bench.client, "users", users.collect()).await;

    let memberships = rows(
        &mut db,
        "select rowid, json_object('project_id', project_id, 'user_id', user_id, 'role', role, \
         'joined_at', joined_at) from memberships",
    )
    .await;
    let memberships = memberships.into_iter().map(|(id, mut body)| {
        body["project_id"] = project_ids[&body["project_id"].as_i64().unwrap()].clone();
        body["user_id"] = user_ids[&body["user_id"].as_i64().unwrap()].clone();
        (id, body)
    });
    bulk(&bench.client, "memberships", memberships.collect()).await;

    let stored = bench.sandbox.stats().collections;
    let counts = ["accounts", "projects", "users", "memberships"].map(|name| stored[name].records);
    assert_eq!(counts, [200, 1_200, 3_000, 3_000]);
}

async fn rows(db: &mut SqliteConnection, sql: &'static str) -> Vec<(i64, Value)> {
    let rows = sqlx::query(sql).fetch_all(db).await.unwrap();
    rows.iter().map(|row| (row.get(0), serde_json::from_str(&row.get::<String, _>(1)).unwrap())).collect()
}

async fn bulk(client: &Client, collection: &str, items: Vec<(i64, Value)>) -> HashMap<i64, Value> {
    let mut ids = HashMap::new();
    for chunk in items.chunks(500) {
        let bodies: Vec<&Value> = chunk.iter().map(|(_, body)| body).collect();
        let answer = client.post(&format!("/bulk/{collection}"), &json!({ "items": bodies })).await.json();
        for ((id, body), result) in chunk.iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["status"], 201, "{body}: {result}");
            ids.insert(*id, result["id"].clone());
        }
    }
    ids
}
