//! Many records in one request.

use haulier_core::plan::{BulkResults, BulkWrite, Entity, Method, PushProgram, UnknownPolicy, Verify};
use haulier_core::port::Push;
use haulier_core::{Outcome, Record, TenantKey};
use haulier_testkit::fake_target::{Fault, Reply, entity, record, request};

use crate::bench::{Bench, landed};

fn rows(max: usize, results: BulkResults) -> Entity {
    let mut write = request(Method::Post, "/rows");
    write.wrap = Some("rows".to_owned());
    entity("row", PushProgram::Bulk(BulkWrite { write, max, results }))
}

fn whole() -> BulkResults {
    BulkResults::AllOrNothing { items: "/rows".to_owned(), id: "/id".to_owned() }
}

fn each() -> BulkResults {
    BulkResults::PerItem {
        items: "/results".to_owned(),
        status: "/code".to_owned(),
        id: "/body/id".to_owned(),
    }
}

fn records(count: usize) -> Vec<Record> {
    (1..=count).map(|n| record(&n.to_string(), &format!(r#"{{"n":{n}}}"#), &["", ""])).collect()
}

fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Landed { id, origin } => format!("{id} {}", origin.as_str()),
        Outcome::Failed(failure) => failure.kind.as_str().to_owned(),
    }
}

async fn push(bench: &Bench, rows: &Entity, records: &[Record], unsure: &[&str]) -> Vec<String> {
    let pushes: Vec<Push<'_>> = records
        .iter()
        .map(|record| Push {
            entity: rows,
            record,
            refs: &[],
            known: None,
            unsure: unsure.contains(&record.key.as_str()),
            idempotency_key: record.key.as_str(),
        })
        .collect();
    bench.target.push_many(&pushes, &bench.throttle).await.iter().map(short).collect()
}

/// Takes every list, except one that holds a record whose `n` is refused.
fn picky(bench: &Bench, refused: &'static [u64]) {
    picky_by(bench, refused, 400);
}

fn picky_by(bench: &Bench, refused: &'static [u64], status: u16) {
    bench.fake.on("POST", "/rows").with(move |seen| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let sent: Vec<u64> =
            body["rows"].as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()).collect();
        if sent.iter().any(|n| refused.contains(n)) {
            return Reply::json(status, r#"{"ok":false}"#);
        }
        let rows: Vec<String> = sent.iter().map(|n| format!(r#"{{"id":"r{n}"}}"#)).collect();
        Reply::json(201, &format!(r#"{{"rows":[{}]}}"#, rows.join(",")))
    });
}

#[tokio::test]
async fn lists_are_cut_to_the_plans_size() {
    let bench = Bench::new().await;
    picky(&bench, &[]);
    let outcomes = push(&bench, &rows(3, whole()), &records(7), &[]).await;
    assert_eq!(outcomes, (1..=7).map(|n| format!("r{n} created")).collect::<Vec<_>>());
    let bodies = bench.fake.bodies("POST");
    assert_eq!(bodies[0], r#"{"rows":[{"n":1},{"n":2},{"n":3}]}"#);
    assert_eq!(bodies.len(), 3);
    assert_eq!(bench.throttle.count(), 3);
}

#[tokio::test]
async fn a_refused_list_is_halved_down_to_the_refused_records() {
    let bench = Bench::new().await;
    picky(&bench, &[3, 8]);
    let outcomes = push(&bench, &rows(100, whole()), &records(8), &[]).await;
    let expected: Vec<String> = (1..=8)
        .map(|n| if n == 3 || n == 8 { "refused".to_owned() } else { format!("r{n} created") })
        .collect();
    assert_eq!(outcomes, expected);
    assert_eq!(bench.throttle.count(), bench.fake.log().len());
    let keys: Vec<_> =
        bench.fake.log().iter().map(|seen| seen.header("idempotency-key").unwrap().to_owned()).collect();
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "another list is another request");
}

#[tokio::test]
async fn a_list_of_several_tenants_is_halved_where_one_of_them_is_forbidden() {
    let bench = Bench::new().await;
    picky_by(&bench, &[3, 4], 403);
    let of = |tenant: &str, record: Record| Record { tenant: Some(TenantKey::new(tenant)), ..record };
    let tenants = ["a", "a", "b", "b"];
    let mixed: Vec<Record> =
        tenants.iter().zip(records(4)).map(|(tenant, record)| of(tenant, record)).collect();
    let outcomes = push(&bench, &rows(100, whole()), &mixed, &[]).await;
    assert_eq!(outcomes, ["r1 created", "r2 created", "credential", "credential"]);
    assert_eq!(bench.fake.log().len(), 3, "what is one tenant's alone is not halved");
}

#[tokio::test]
async fn the_same_list_again_is_the_same_request() {
    let bench = Bench::new().await;
    picky(&bench, &[]);
    push(&bench, &rows(100, whole()), &records(2), &[]).await;
    push(&bench, &rows(100, whole()), &records(2), &[]).await;
    let log = bench.fake.log();
    assert_eq!(log[0].header("idempotency-key"), log[1].header("idempotency-key"));
}

#[tokio::test]
async fn what_is_no_single_records_fault_is_not_halved() {
    let cases = [
        (Reply::json(404, "{}"), "refused"),
        (Reply::json(401, "{}"), "credential"),
        (Reply::json(429, "{}"), "throttled"),
        (Reply::json(500, "{}"), "transient"),
        (Reply::json(200, "{}").fault(Fault::Cut), "unknown"),
        (Reply::new(200, "text/html", "<html>"), "unknown"),
        (Reply::json(200, r#"{"ok":true}"#), "silent-loss"),
        (Reply::json(200, r#"{"rows":[{"id":1}]}"#), "unknown"),
    ];
    for (reply, kind) in cases {
        let bench = Bench::new().await;
        bench.fake.on("POST", "/rows").then(reply);
        assert_eq!(push(&bench, &rows(100, whole()), &records(3), &[]).await, vec![kind; 3]);
        assert_eq!(bench.fake.log().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn each_record_has_the_result_that_stands_at_its_place() {
    let bench = Bench::new().await;
    let results = r#"{"results":[
        {"code":201,"body":{"id":1}}, {"code":"200 OK","body":{"id":"b"}}, {"code":"409","body":{"id":"c"}},
        {"code":409}, {"code":422,"body":{"error":"too short"}}, {"code":503}, {"code":201}, {"code":"odd"} ]}"#;
    bench.fake.on("POST", "/rows").reply(207, results);
    let outcomes = push(&bench, &rows(100, each()), &records(8), &[]).await;
    let expected =
        ["1 created", "b adopted", "conflict", "conflict", "refused", "transient", "silent-loss", "unknown"];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_record_in_doubt_is_held_and_the_others_go() {
    let bench = Bench::new().await;
    picky(&bench, &[]);
    let mut held = rows(100, whole());
    assert_eq!(push(&bench, &held, &records(3), &["2"]).await, ["r1 created", "conflict", "r3 created"]);
    assert_eq!(bench.fake.bodies("POST"), [r#"{"rows":[{"n":1},{"n":3}]}"#]);
    held.name = haulier_core::EntityName::new("again").unwrap();
    held.unknown = UnknownPolicy::Resend;
    assert_eq!(push(&bench, &held, &records(1), &["1"]).await, ["r1 created"]);
}

#[tokio::test]
async fn an_echo_of_other_content_is_a_silent_loss() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/rows").always(200, r#"{"rows":[{"id":1,"n":1},{"id":2,"n":7},{"id":3}]}"#);
    let mut rows = rows(100, whole());
    rows.verify = Verify::Echo;
    assert_eq!(push(&bench, &rows, &records(3), &[]).await, ["1 adopted", "silent-loss", "3 adopted"]);
}

#[tokio::test]
async fn constants_stand_beside_the_list() {
    let bench = Bench::new().await;
    bench.fake.on("POST", "/rows").always(201, r#"{"rows":[{"id":1},{"id":2}]}"#);
    let mut rows = rows(100, whole());
    if let PushProgram::Bulk(bulk) = &mut rows.push {
        bulk.write.constants = vec![("return".to_owned(), "true".to_owned())];
    }
    assert_eq!(push(&bench, &rows, &records(2), &[]).await, ["1 created", "2 created"]);
    assert_eq!(bench.fake.bodies("POST"), [r#"{"rows":[{"n":1},{"n":2}],"return":true}"#]);
}

#[tokio::test]
async fn one_record_is_a_list_of_one() {
    let bench = Bench::new().await;
    picky(&bench, &[]);
    let outcome = bench.push(&rows(100, whole()), &records(1)[0]).await;
    assert_eq!(landed(outcome).0, "r1");
    assert_eq!(bench.fake.bodies("POST"), [r#"{"rows":[{"n":1}]}"#]);
}
