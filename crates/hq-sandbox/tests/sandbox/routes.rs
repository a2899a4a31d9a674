//! The OpenAPI document against the router.

use std::collections::BTreeSet;

use hq_sandbox::ROUTES;
use serde_json::Value;

use crate::client::Bench;

#[tokio::test]
async fn the_document_and_the_router_have_the_same_routes() {
    let bench = Bench::start().await;
    let document = bench.client.get("/openapi.json").await.json();
    let kept: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert_eq!(document, kept);
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routed: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, routed);
    assert_eq!(ROUTES.len(), routed.len(), "a route stands in the table twice");
}

#[tokio::test]
async fn every_route_answers_and_every_other_method_gets_405() {
    let bench = Bench::start().await;
    for route in ROUTES {
        let path = route.path.replace("{collection}", "users").replace(['{', '}'], "");
        let answer = bench.client.send(route.method, &path, &[], b"").await.unwrap();
        assert_ne!(answer.status, 405, "{} {path}", route.method);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let known = ROUTES.iter().any(|other| (other.method, other.path) == (method, route.path));
            if !known {
                let answer = bench.client.send(method, &path, &[], b"").await.unwrap();
                assert_eq!(answer.status, 405, "{method} {path}");
            }
        }
    }
}

#[test]
fn every_name_that_the_document_refers_to_is_there() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| names(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let mut found = Vec::new();
    names(&document, &mut found);
    assert!(found.len() > 50);
    for name in found {
        assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
    }
}
