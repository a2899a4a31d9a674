//! What is stored, what is refused and why.

use hq_sandbox::{Config, Uniqueness};
use serde_json::{Value, json};

use crate::client::{Bench, TOKEN, account, encoded, project, user};

#[tokio::test]
async fn a_put_by_external_id_creates_once_and_then_replaces() {
    let bench = Bench::start().await;
    for external_id in ["A-1", "a/b 100%?&#+", "東京|\\", "café", "cafe\u{301}", "..x", "two\nlines"] {
        let path = format!("/accounts/by-external-id/{}", encoded(external_id));
        let first = bench.client.put(&path, &account(external_id)).await;
        assert_eq!(first.status, 201, "{external_id:?}");
        let mut expected = account(external_id);
        expected["id"] = first.json()["id"].clone();
        assert_eq!(first.json(), expected, "what comes back is what was sent, and an id");

        let again =
            json!({ "name": "N", "email": "a@b", "plan": "free", "created_at": "2024-01-01T00:00:00Z" });
        let second = bench.client.put(&path, &again).await;
        assert_eq!((second.status, &second.json()["id"]), (200, &expected["id"]));
        assert_eq!(second.json()["credit"], Value::Null, "a put replaces the whole record");
        assert_eq!(bench.client.get(&path).await.json(), second.json());
    }
    let path = "/accounts/by-external-id/A-1";
    assert_eq!(bench.client.put(path, &account("A-2")).await.status, 422, "the body contradicts the path");
    assert_eq!(bench.sandbox.stats().collections["accounts"].records, 7);
}

#[tokio::test]
async fn a_second_record_with_the_same_natural_key_is_refused_and_the_first_is_named() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("A")).await;
    let b = client.create("/accounts", &account("a")).await;
    let p = client.create("/projects", &project(&a, "P")).await;
    client.create("/projects", &project(&b, "P")).await;
    let u = client.create("/users", &user(&a, "Jörg.MÜLLER@example.com")).await;
    for (path, body, first) in [
        ("/accounts", account("A"), &a),
        ("/projects", project(&a, "P"), &p),
        ("/users", user(&b, "JÖRG.müller@EXAMPLE.com"), &u),
    ] {
        let answer = client.post(path, &body).await;
        assert_eq!(answer.status, 409);
        assert_eq!(answer.json(), json!({ "error": "exists", "existing_id": first }));
    }
    let other = client.create("/projects", &project(&a, "p")).await;
    let answer = client.patch(&format!("/projects/{other}"), &json!({ "name": "P" })).await;
    assert_eq!((answer.status, &answer.json()["existing_id"]), (409, &json!(p)));
    assert_eq!(client.patch(&format!("/projects/{p}"), &json!({ "name": "P" })).await.status, 200);
}

#[tokio::test]
async fn without_uniqueness_doubles_are_stored_and_counted() {
    let config = Config { unique: Uniqueness::None, ..Config::in_memory(TOKEN) };
    let bench = Bench::with(config).await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("A")).await;
    for _ in 0..3 {
        client.create("/users", &user(&a, "a@b.example")).await;
        client.create("/projects", &project(&a, "P")).await;
    }
    let stats = bench.sandbox.stats().collections;
    assert_eq!((stats["users"].records, stats["users"].duplicates), (3, 2));
    assert_eq!((stats["projects"].records, stats["projects"].duplicates), (3, 2));
    assert_eq!(client.get("/users?email=A%40B.example").await.json()["total"], 3);
    assert_eq!(client.delete("/users/usr_000001").await.status, 204);
    assert_eq!(bench.sandbox.stats().collections["users"].duplicates, 1);
}

#[tokio::test]
async fn every_mistake_of_a_record_is_named_by_its_field() {
    let bench = Bench::start().await;
    let a = bench.client.create("/accounts", &account("A")).await;
    let mut body = project(&a, "P");
    body["status"] = json!("sleeping");
    body["budget"] = json!(12.5);
    body["created_at"] = json!("2024-03-30 20:30:00");
    body["colour"] = json!("red");
    body.as_object_mut().unwrap().remove("name");
    let answer = bench.client.post("/projects", &body).await;
    assert_eq!(answer.status, 422);
    let reply = answer.json();
    let fields: Vec<&str> =
        reply["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "budget", "status", "created_at", "colour"]);

    for (field, bad) in [
        ("name", json!("x".repeat(256))),
        ("name", json!("ü".repeat(256))),
        ("name", json!("nul\0")),
        ("name", json!("")),
        ("name", Value::Null),
        ("budget", json!("1e3")),
        ("budget", json!("NaN")),
        ("created_at", json!("2023-02-29T00:00:00Z")),
        ("parent_id", json!(7)),
    ] {
        let mut body = project(&a, "P");
        body[field] = bad.clone();
        let answer = bench.client.post("/projects", &body).await;
        assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &json!(field)), "{bad}");
    }
    let longest = bench.client.post("/projects", &project(&a, &"🚀".repeat(255))).await;
    assert_eq!(longest.status, 201, "the limit counts characters, not bytes");
}

#[tokio::test]
async fn a_missing_parent_is_told_from_a_wrong_value() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("A")).await;
    let b = client.create("/accounts", &account("B")).await;
    for id in ["acc_000099", "acc_1", "usr_000001", "1", ""] {
        let answer = client.post("/projects", &project(id, "P")).await;
        assert_eq!(answer.json(), json!({ "error": "missing_parent", "field": "account_id" }), "{id}");
        assert_eq!(answer.status, 422);
    }
    let mut child = project(&a, "child");
    child["parent_id"] = json!("prj_000001");
    let answer = client.post("/projects", &child).await;
    assert_eq!(answer.json(), json!({ "error": "missing_parent", "field": "parent_id" }));

    let root = client.create("/projects", &project(&a, "root")).await;
    child["parent_id"] = json!(root);
    let child = client.create("/projects", &child).await;
    let answer = client.patch(&format!("/projects/{root}"), &json!({ "parent_id": child })).await;
    assert_eq!(answer.json()["errors"][0]["message"], "the project would be its own ancestor");
    let other = client.create("/projects", &project(&b, "other")).await;
    let answer = client.patch(&format!("/projects/{other}"), &json!({ "parent_id": root })).await;
    assert_eq!(answer.json()["errors"][0]["message"], "the parent belongs to another account");
    let answer = client.patch(&format!("/projects/{other}"), &json!({ "account_id": a })).await;
    assert_eq!(answer.json()["errors"][0]["message"], "cannot be changed");
    let answer = client
        .patch(&format!("/projects/{child}"), &json!({ "parent_id": null, "name": "now a root" }))
        .await;
    assert_eq!((answer.status, &answer.json()["parent_id"]), (200, &Value::Null));
}

#[tokio::test]
async fn a_membership_is_put_as_often_as_one_likes() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("A")).await;
    let p = client.create("/projects", &project(&a, "P")).await;
    let u = client.create("/users", &user(&a, "u@example.com")).await;
    let path = format!("/projects/{p}/members/{u}");
    let body = json!({ "role": "viewer", "joined_at": "2024-01-01T00:00:00Z" });
    assert_eq!(client.get(&path).await.status, 404);
    for status in [201, 200, 200] {
        let answer = client.put(&path, &body).await;
        assert_eq!((answer.status, &answer.json()["id"]), (status, &json!(format!("{p}:{u}"))));
    }
    for missing in [format!("/projects/prj_000009/members/{u}"), format!("/projects/{p}/members/usr_000009")]
    {
        assert_eq!(client.put(&missing, &body).await.status, 404, "{missing}");
    }
    assert_eq!(client.put(&path, &json!({ "role": "king" })).await.status, 422);
    assert_eq!(client.get(&format!("/projects/{p}/members")).await.json()["total"], 1);
    assert_eq!(client.get("/projects/prj_000009/members").await.status, 404);

    for (path, by) in [
        (format!("/users/{u}"), "memberships"),
        (format!("/projects/{p}"), "memberships"),
        (format!("/accounts/{a}"), "projects"),
    ] {
        let answer = client.delete(&path).await;
        assert_eq!((answer.status, answer.json()), (409, json!({ "error": "in_use", "by": by })));
    }
    for path in [path, format!("/users/{u}"), format!("/projects/{p}"), format!("/accounts/{a}")] {
        assert_eq!(client.delete(&path).await.status, 204, "{path}");
        assert_eq!(client.delete(&path).await.status, 404, "{path}");
    }
    assert_eq!(client.create("/accounts", &account("A")).await, "acc_000002", "ids are not given twice");
}

#[tokio::test]
async fn a_bulk_request_has_a_result_for_each_item() {
    let bench = Bench::start().await;
    let client = &bench.client;
    let a = client.create("/accounts", &account("A")).await;
    let mut bad = project(&a, "bad");
    bad["status"] = json!("?");
    let items = json!({ "items": [project(&a, "1"), bad, project("acc_000009", "2"), project(&a, "1"), 5] });
    let answer = client.post("/bulk/projects", &items).await;
    assert_eq!(answer.status, 200);
    let results = answer.json()["results"].clone();
    assert_eq!(results[0], json!({ "status": 201, "id": "prj_000001" }));
    assert_eq!((&results[1]["status"], &results[1]["errors"][0]["field"]), (&json!(422), &json!("status")));
    assert_eq!((&results[2]["status"], &results[2]["error"]), (&json!(422), &json!("missing_parent")));
    assert_eq!((&results[3]["status"], &results[3]["existing_id"]), (&json!(409), &json!("prj_000001")));
    assert_eq!(results[4]["status"], 400);

    let u = client.create("/users", &user(&a, "u@example.com")).await;
    let member = json!({ "project_id": "prj_000001", "user_id": u, "role": "owner", "joined_at": "2024-01-01T00:00:00Z" });
    let answer = client.post("/bulk/memberships", &json!({ "items": [member, member] })).await.json();
    assert_eq!(
        (&answer["results"][0]["status"], &answer["results"][1]["status"]),
        (&json!(201), &json!(200))
    );

    let many = |count: usize| json!({ "items": vec![Value::Null; count] });
    assert_eq!(client.post("/bulk/users", &many(500)).await.status, 200);
    assert_eq!(client.post("/bulk/users", &many(501)).await.status, 400);
    assert_eq!(client.post("/bulk/users", &json!([])).await.status, 400);
    assert_eq!(client.post("/bulk/nothing", &many(1)).await.status, 404);
}
