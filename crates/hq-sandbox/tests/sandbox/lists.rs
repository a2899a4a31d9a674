//! Lists and their pages.

use serde_json::{Value, json};

use crate::client::{Bench, account, encoded, project, user};

async fn with_users(count: usize) -> Bench {
    let bench = Bench::start().await;
    let a = bench.client.create("/accounts", &account("A")).await;
    let items: Vec<Value> = (0..count).map(|n| user(&a, &format!("u{n}@example.com"))).collect();
    for chunk in items.chunks(500) {
        assert_eq!(bench.client.post("/bulk/users", &json!({ "items": chunk })).await.status, 200);
    }
    bench
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn cursors_walk_the_whole_list_once_also_while_it_changes() {
    let bench = with_users(1_205).await;
    let mut seen = Vec::new();
    let mut path = "/users?limit=10000".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = bench.client.get(&path).await.json();
        assert_eq!(page["total"], json!(1_205 - sizes.len()));
        let items = ids(&page);
        sizes.push(items.len());
        seen.extend(items);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/users?limit=10000&cursor={next}");
        // One that was seen already goes away: nothing behind it moves.
        assert_eq!(bench.client.delete(&format!("/users/{}", seen[sizes.len()])).await.status, 204);
    }
    assert_eq!(sizes, [500, 500, 205], "a larger limit gives the cap");
    let all: Vec<String> = (1..=1_205).map(|n| format!("usr_{n:06}")).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn offsets_work_too_and_the_default_page_has_a_hundred() {
    let bench = with_users(130).await;
    assert_eq!(ids(&bench.client.get("/users").await.json()).len(), 100);
    let page = bench.client.get("/users?offset=125&limit=3").await.json();
    assert_eq!(ids(&page), ["usr_000126", "usr_000127", "usr_000128"]);
    let page = bench.client.get("/users?offset=128&limit=3").await.json();
    assert_eq!((ids(&page).len(), &page["next"], &page["total"]), (2, &Value::Null, &json!(130)));
    let exact = bench.client.get("/users?limit=130").await.json();
    assert_eq!(exact["next"], Value::Null, "no next page that would be empty");
}

#[tokio::test]
async fn filters_find_exactly_what_they_name() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let nasty = "a/b?c&d=e#f+g %41 \u{202e}é";
    let a = client.create("/accounts", &account(nasty)).await;
    let b = client.create("/accounts", &account("B")).await;
    let p = client.create("/projects", &project(&a, nasty)).await;
    client.create("/projects", &project(&b, nasty)).await;
    let u = client.create("/users", &user(&a, "Ä.b+c@example.com")).await;
    for (path, id) in [
        (format!("/accounts?external_id={}", encoded(nasty)), &a),
        (format!("/projects?account_id={a}&name={}", encoded(nasty)), &p),
        (format!("/projects?account_id={a}"), &p),
        (format!("/users?email={}", encoded("ä.B+c@EXAMPLE.com")), &u),
        (format!("/users?account_id={a}"), &u),
    ] {
        let page = client.get(&path).await.json();
        assert_eq!((ids(&page), &page["total"]), (vec![id.clone()], &json!(1)), "{path}");
    }
    for path in [
        "/accounts?external_id=no".to_owned(),
        format!("/projects?account_id={a}&name=no"),
        "/projects?account_id=1".to_owned(),
        "/users?email=".to_owned(),
        "/memberships?user_id=usr_000001".to_owned(),
    ] {
        let page = client.get(&path).await.json();
        assert_eq!((ids(&page), &page["total"], &page["next"]), (vec![], &json!(0), &Value::Null), "{path}");
    }
}

#[tokio::test]
async fn a_parameter_that_means_nothing_is_refused() {
    let bench = Bench::start().await;
    for path in [
        "/accounts?externalId=1",
        "/users?email=a@b&email=c@d",
        "/users?limit=0",
        "/users?limit=ten",
        "/users?limit=-1",
        "/users?offset=-1",
        "/users?cursor=zzz",
        "/users?cursor=cffffffffffffffff",
        "/users?cursor=c1&offset=1",
        "/projects?name=P",
    ] {
        assert_eq!(bench.client.get(path).await.status, 400, "{path}");
    }
}
