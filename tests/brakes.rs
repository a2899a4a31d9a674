//! Brakes and ramp with real processes: who holds is named, and the run goes on by itself.

mod check;
mod target;

use serde_json::Value;

use crate::support::collections::Collections;
use crate::support::desk::{Desk, wait_for_counts};
use crate::support::process::wait_for;
use crate::support::{Engine, evidence};

const PLAN: &str = r#"
name = "items"
tenant = "item"

[[entity]]
name = "item"
source = { table = "item", key = ["id"] }
natural_key = ["name"]
fields = { name = "name" }
push = { shape = "create", create = { path = "/items", id = "/id" } }
"#;

/// A table of so many rows, and a gauge that reads 0.
fn script(rows: u32) -> String {
    let rows: Vec<String> = (1..=rows).map(|id| format!("({id}, 'item-{id}')")).collect();
    format!(
        "create table item (id integer primary key, name varchar(40) not null);\n\
         insert into item values {};\ncreate view gauge as select 0 as value;",
        rows.join(", ")
    )
}

/// What `haulier explain` says; nothing before there is a run.
async fn explain(desk: &Desk) -> Value {
    let explained = desk.haulier(&["explain", "--json"]).run().await;
    if explained.code == Some(0) { explained.json() } else { Value::Null }
}

fn holds(explained: &Value) -> Option<&Vec<Value>> {
    explained["holds"].as_array()
}

/// Waits until a brake of this name holds, and returns it.
async fn until_held(desk: &Desk, name: &str, words: &str) -> Value {
    wait_for(&format!("the brake {name} to hold: {words}"), async || {
        let explained = explain(desk).await;
        let held = holds(&explained)?.iter().find(|hold| hold["name"] == name).cloned();
        held.filter(|held| held["value"].as_str().unwrap().contains(words))
    })
    .await
}

async fn until_free(desk: &Desk) {
    wait_for("every brake to let go", async || holds(&explain(desk).await)?.is_empty().then_some(())).await;
}

#[expect(clippy::disallowed_methods, reason = "compared with the times that processes report")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A gauge that is NULL, fails or hangs holds the producer by name within five seconds; mended, the walk goes on.
async fn a_gauge_without_a_reading_holds(engine: Engine, null: &str, hangs: &str) {
    let desk = Desk::new(engine, &script(600), PLAN, Collections::start(&[]).await).await;
    desk.write_site(
        "zombie_grace = \"1s\"\nworkers = 4\n[produce]\nrate = 40\nchunk = 20\n\
         [brakes]\nevery = \"200ms\"\n[[brakes.query]]\nname = \"nightly\"\nsql = \"select value from gauge\"",
    );
    let mut run = desk.haulier(&["run", "--no-progress"]).start();
    let landed = |counts: &Value| evidence::number(counts, "landed");
    wait_for_counts(&desk, "the first records", |counts| landed(counts) > 0).await;
    let is = |query: &str| format!("create view gauge as {query} as value");
    for (fault, words) in [
        (vec!["drop view gauge".to_owned(), is(null)], "is NULL"),
        (vec!["drop view gauge".to_owned()], "failed"),
        (vec![format!("create view gauge as {hangs}")], "did not answer within 1000 ms"),
        (vec!["drop view gauge".to_owned(), is("select 7")], "7"),
    ] {
        let began = now();
        for statement in &fault {
            desk.execute(statement).await;
        }
        let held = until_held(&desk, "nightly", words).await;
        let since: jiff::Timestamp = held["since"].as_str().unwrap().parse().unwrap();
        assert!(since.as_second() - began <= 5, "{held} after {began}");
        assert_eq!((&held["side"], &held["limit"]), (&Value::from("produce"), &Value::from("0")));
        let fibres = explain(&desk).await["knobs"][0].clone();
        assert_eq!(fibres["effective"], "0", "{fibres}");
        assert!(fibres["binds"].as_str().unwrap().starts_with("brake nightly"), "{fibres}");
    }
    let before = landed(&desk.status().await["all"]);
    desk.execute("drop view gauge").await;
    desk.execute(&is("select 0")).await;
    until_free(&desk).await;
    wait_for_counts(&desk, "records after the brake", |counts| landed(counts) > before).await;
    desk.haulier(&["tune", "produce.rate=none", "--force"]).run().await.expect(0);
    assert_eq!(run.child.wait().await.unwrap().code(), Some(0));
    assert_eq!(landed(&desk.status().await["all"]), 600);
    desk.end().await;
}

#[tokio::test]
async fn a_gauge_without_a_reading_holds_a_walk_on_postgres() {
    a_gauge_without_a_reading_holds(
        Engine::Postgres,
        "select null::int",
        "select 0 as value from (select pg_sleep(60)) as s",
    )
    .await;
}

#[tokio::test]
async fn a_gauge_without_a_reading_holds_a_walk_on_mariadb() {
    a_gauge_without_a_reading_holds(
        Engine::MariaDb,
        "select cast(null as signed)",
        "select count(*) as value from information_schema.columns a, information_schema.columns b, \
         information_schema.columns c",
    )
    .await;
}

#[tokio::test]
async fn a_query_that_is_no_gauge_is_refused_before_anything_moves() {
    let desk = Desk::new(Engine::Sqlite, &script(10), PLAN, Collections::start(&[]).await).await;
    for (sql, words) in
        [("select name from item where id = 1", "not a number"), ("select id from item", "more than one row")]
    {
        desk.write_site(&format!("workers = 1\n[[brakes.query]]\nname = \"nightly\"\nsql = \"{sql}\""));
        let run = desk.haulier(&["run"]).run().await.expect(3);
        assert!(run.stderr.contains("the brake `nightly` is no gauge"), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        let check = desk.haulier(&["check"]).run().await.expect(1);
        assert!(check.stdout.contains("brake: nightly") && check.stdout.contains(words), "{}", check.stdout);
    }
    desk.end().await;
}

#[tokio::test]
async fn a_full_queue_holds_the_producer_until_workers_empty_it() {
    let desk = Desk::new(Engine::Sqlite, &script(300), PLAN, Collections::start(&[]).await).await;
    desk.write_site("zombie_grace = \"1s\"\nworkers = 4\n[produce]\nrate = 30\n[brakes]\nready = 10");
    let mut produce = desk.haulier(&["produce", "--no-progress"]).start();
    until_held(&desk, "queue-ready", "").await;
    let status = desk.haulier(&["status"]).run().await.expect(0);
    assert!(status.stdout.contains("produce held by brake queue-ready"), "{}", status.stdout);
    let mut work = desk.haulier(&["work"]).start();
    until_free(&desk).await;
    desk.haulier(&["tune", "produce.rate=none", "--force"]).run().await.expect(0);
    assert_eq!(produce.child.wait().await.unwrap().code(), Some(0));
    assert_eq!(work.child.wait().await.unwrap().code(), Some(0));
    assert_eq!(evidence::number(&desk.status().await["all"], "landed"), 300);
    desk.end().await;
}

#[tokio::test]
async fn a_step_is_offered_taken_by_a_person_and_kept_with_its_evidence() {
    let desk = Desk::new(Engine::Sqlite, &script(150_000), PLAN, Collections::start(&[]).await).await;
    desk.write_site(
        "zombie_grace = \"1s\"\nworkers = 1\n[tolerance]\np95 = \"20s\"\nwindow = \"2s\"\nramp = \"advise\"",
    );
    let mut run = desk.haulier(&["run", "--no-progress"]).start();
    wait_for("the run", async || (desk.haulier(&["explain"]).run().await.code == Some(0)).then_some(()))
        .await;
    let early = desk.haulier(&["tune", "push.workers=2"]).run().await;
    if early.code == Some(1) {
        assert!(early.stderr.contains("not seen GREEN"), "{}", early.stderr);
    }
    let offered = wait_for("an offer", async || {
        let ramp = explain(&desk).await["ramp"].clone();
        ramp["next"].is_u64().then_some(ramp)
    })
    .await;
    assert_eq!((&offered["ramp"], &offered["colour"]), (&Value::from("advise"), &Value::from("GREEN")));
    let status = desk.haulier(&["status"]).run().await.expect(0).stdout;
    assert!(status.contains("ramp advise: "), "{status}");
    desk.haulier(&["ramp", "next"]).run().await.expect(0);
    let explained = desk.haulier(&["explain", "--history", "--json"]).run().await.expect(0).json();
    let taken = explained["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(taken["name"], "push.workers");
    assert!(taken["reason"].as_str().unwrap().starts_with("ramp next: GREEN"), "{taken}");
    desk.haulier(&["ramp", "hold", "--reason", "lunch"]).run().await.expect(0);
    run.kill().await;
    // Another process goes on where this one was killed.
    let after = explain(&desk).await;
    assert_eq!(after["ramp"]["ramp"], "hold", "{after}");
    assert!(after["ramp"]["words"].is_string());
    let mut again = desk.haulier(&["run", "--no-progress"]).start();
    wait_for("the law to go on", async || {
        let ramp = explain(&desk).await["ramp"].clone();
        (ramp["workers"] == taken["value"].as_str().unwrap().parse::<u64>().unwrap()).then_some(())
    })
    .await;
    again.kill().await;
    desk.end().await;
}
