//! Children published before their parents, trees upside down, rings: all of it lands, by itself, once.

use std::fmt::Write;

use serde_json::Value;

use crate::support::collections::Collections;
use crate::support::desk::{Desk, wait_for_counts};
use crate::support::evidence::number;
use crate::support::{Case, Engine, Setting, field};

/// The number before these words in a worker's last line.
fn said(stderr: &str, words: &str) -> u64 {
    let before = stderr.split(words).next().unwrap();
    let count = before.rsplit(", ").next().unwrap().trim();
    count
        .replace(['\u{a0}', ','], "")
        .parse()
        .unwrap_or_else(|_| panic!("no count of {words:?} in:\n{stderr}"))
}

/// A chain of projects in each of four accounts; the deeper a project, the lower its id.
async fn upside_down(case: &Case, depth: u32) {
    let mut sql = "delete from memberships; delete from projects;".to_owned();
    for account in field::rows(&case.field, "accounts", &["id"]).await {
        let account: u32 = account[0].as_deref().unwrap().parse().unwrap();
        for level in 0..depth {
            let id = account * 100 + depth - level;
            let parent = if level == 0 { "null".to_owned() } else { (id + 1).to_string() };
            write!(
                sql,
                "insert into projects values ({id}, {account}, {parent}, 'level {level}', null, 'active', '2026-01-01T00:00:00Z');"
            )
            .unwrap();
        }
    }
    case.execute(&format!("pragma foreign_keys = off; {sql}")).await;
}

#[tokio::test]
async fn a_tree_whose_children_come_first_lands_whatever_the_parcels() {
    let push = "zombie_grace = \"1s\"\nparcel = 1".to_owned();
    let case = Case::small(Setting { push, ..Setting::default() }, 4).await;
    upside_down(&case, 6).await;
    let producer = case.haulier(&["produce"]).start();
    let worker = case.haulier(&["work", "--workers", "4"]).run().await.expect(0);
    producer.ended().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;

    // Children were held, and no record was published again more often than there are records.
    let held = said(&worker.stderr, " held for a parent");
    let planned = number(&case.status().await["all"], "planned");
    assert!((10..=planned).contains(&held), "{held} of {planned} held:\n{}", worker.stderr);
    let projects = case.requests().iter().filter(|request| request["path"] == "/api/v1/projects").count();
    assert_eq!(projects, 24, "a child was sent before its parent was there");
    case.end().await;
}

#[tokio::test]
async fn a_tree_whose_children_come_first_within_one_parcel_is_not_even_held() {
    let case = Case::small(Setting::default(), 4).await;
    upside_down(&case, 6).await;
    let producer = case.haulier(&["produce"]).start();
    let worker = case.haulier(&["work", "--workers", "4"]).run().await.expect(0);
    producer.ended().await.expect(0);
    case.assert_same_on_both_sides().await;
    // The users are behind the accounts in the queue, so only they and the projects' own accounts may be waited for.
    let users = field::rows(&case.field, "users", &["id"]).await.len();
    assert!(
        said(&worker.stderr, " held for a parent") <= u64::try_from(users + 24).unwrap(),
        "{}",
        worker.stderr
    );
    case.end().await;
}

#[tokio::test]
async fn four_fibres_against_slow_accounts_lose_nothing() {
    let push = "zombie_grace = \"1s\"\nparcel = 5".to_owned();
    let case = Case::small(Setting { push, ..Setting::default() }, 20).await;
    case.sandbox.set_faults(hq_sandbox::Faults { latency_ms: 15, slots: 4, ..Default::default() }).unwrap();
    let producer = case.haulier(&["produce", "--fibres", "4"]).start();
    let workers = [(); 2].map(|()| case.haulier(&["work", "--workers", "16"]).start());
    producer.ended().await.expect(0);
    let mut held = 0;
    for worker in workers {
        held += said(&worker.ended().await.expect(0).stderr, " held for a parent");
    }
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    let planned = number(&case.status().await["all"], "planned");
    assert!(held <= planned, "{held} of {planned} records were held");
    case.end().await;
}

/// Teams and people who refer to each other, and people who refer to people.
const STAFF: &str = r#"
name = "staff"
tenant = "team"

[[entity]]
name = "team"
source = { table = "teams", key = ["id"] }
natural_key = ["title"]
target_unique = true
[entity.push]
shape = "create"
create = { path = "/teams", id = "/id" }
lookup = { path = "/teams?title={title}", items = "/items", match = ["title"] }
update = { path = "/teams/{id}" }
[entity.fields]
title = "title"
lead_id = { ref = "person", by = "lead_id", deferred = true }

[[entity]]
name = "person"
parent = "team"
source = { table = "people", key = ["id"] }
natural_key = ["email"]
target_unique = true
[entity.push]
shape = "create"
create = { path = "/people", id = "/id" }
lookup = { path = "/people?email={email}", items = "/items", match = ["email"] }
update = { path = "/people/{id}" }
[entity.fields]
email = "email"
team_id = { ref = "team", by = "team_id" }
buddy_id = { ref = "person", by = "buddy_id", deferred = true }
"#;

/// Every person is the buddy of the next one of the team, the last one of the first: a ring. The first one leads.
fn staff(teams: u32, people: u32) -> String {
    let mut sql = "create table teams (id integer primary key, title varchar(50), lead_id integer);\n\
                   create table people (id integer primary key, email varchar(50), team_id integer, buddy_id integer);\n"
        .to_owned();
    for team in 1..=teams {
        let first = team * 1000;
        writeln!(sql, "insert into teams values ({team}, 'team {team}', {first});").unwrap();
        for person in 0..people {
            let (own, next) = (first + person, first + (person + 1) % people);
            writeln!(sql, "insert into people values ({own}, 'p{own}@example.net', {team}, {next});")
                .unwrap();
        }
    }
    sql
}

async fn staff_desk(plan: &str) -> Desk {
    let target = Collections::start(&[("teams", &["title"]), ("people", &["email"])]).await;
    Desk::new(Engine::Sqlite, &staff(3, 4), plan, target).await
}

#[tokio::test]
async fn children_that_are_all_published_before_their_parents_wait_and_then_land() {
    let desk = staff_desk(STAFF).await;
    let gate = desk.target.hold("teams");
    let run = desk.haulier(&["run"]).start();
    // The teams' answers are held back; everything else waits for them, and nobody's slot is taken by waiting.
    wait_for_counts(&desk, "all people to be held", |all| number(all, "held") >= 12).await;
    assert_eq!(desk.target.records("people").len(), 0);
    gate.open();
    run.ended().await.expect(0);
    assert_staff_is_right(&desk);
    desk.end().await;
}

#[tokio::test]
async fn rings_through_deferred_fields_end_right() {
    let desk = staff_desk(STAFF).await;
    let ended = desk.haulier(&["run", "--json"]).run().await.expect(0).json();
    assert_staff_is_right(&desk);
    let landed =
        ["team", "person", "team.lead_id", "person.buddy_id"].map(|entity| landed_of(&ended, entity));
    assert_eq!(landed, [3, 12, 3, 12]);

    // A second time there is nothing to do; a change of the deferred field alone sends that field alone.
    let before = desk.target.lines().len();
    assert_eq!(number(&desk.haulier(&["run", "--json"]).run().await.expect(0).json(), "moved"), 0);
    desk.execute("update teams set lead_id = 2001 where id = 2").await;
    assert_eq!(number(&desk.haulier(&["run", "--json"]).run().await.expect(0).json(), "moved"), 1);
    let writes: Vec<String> =
        desk.target.lines().into_iter().skip(before).filter(|line| !line.starts_with("GET")).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].starts_with("PATCH /teams/"), "{writes:?}");

    // So does one that is empty now, and only once.
    desk.execute("update teams set lead_id = null where id = 2").await;
    let ended = desk.haulier(&["run", "--json"]).run().await.expect(0).json();
    assert_eq!((number(&ended, "moved"), landed_of(&ended, "team.lead_id")), (1, 1));
    let team =
        desk.target.records("teams").into_iter().find(|team| team.members["title"] == "team 2").unwrap();
    assert_eq!(team.members.get("lead_id").unwrap_or(&Value::Null), &Value::Null, "{:?}", team.members);
    assert_eq!(number(&desk.haulier(&["run", "--json"]).run().await.expect(0).json(), "moved"), 0);
    // One that never was another is no record at all.
    desk.execute("insert into teams values (4, 'team 4', null)").await;
    let ended = desk.haulier(&["run", "--json"]).run().await.expect(0).json();
    assert_eq!((number(&ended, "moved"), landed_of(&ended, "team")), (1, 1));
    desk.end().await;
}

/// How many records of an entity a run landed.
fn landed_of(ended: &Value, entity: &str) -> u64 {
    let counts = ended["entities"].as_array().unwrap().iter().find(|counts| counts["entity"] == entity);
    number(counts.unwrap_or_else(|| panic!("no {entity} in {ended:#}")), "landed")
}

fn assert_staff_is_right(desk: &Desk) {
    let (teams, people) = (desk.target.records("teams"), desk.target.records("people"));
    assert_eq!((teams.len(), people.len()), (3, 12));
    let email = |id: &Value| {
        let person = people.iter().find(|person| person.id == id.as_str().unwrap()).unwrap();
        person.members["email"].as_str().unwrap().to_owned()
    };
    for team in &teams {
        let number: u32 = team.members["title"].as_str().unwrap()["team ".len()..].parse().unwrap();
        assert_eq!(email(&team.members["lead_id"]), format!("p{}@example.net", number * 1000));
        for person in people.iter().filter(|person| person.members["team_id"] == team.id.as_str()) {
            let own: u32 = person.members["email"].as_str().unwrap()[1..5].parse().unwrap();
            assert_eq!(own / 1000, number);
            assert_eq!(
                email(&person.members["buddy_id"]),
                format!("p{}@example.net", number * 1000 + (own + 1) % 4)
            );
        }
    }
}

#[tokio::test]
async fn a_ring_that_no_deferred_field_opens_is_held_and_named() {
    let desk = staff_desk(&STAFF.replace("by = \"buddy_id\", deferred = true", "by = \"buddy_id\"")).await;
    desk.execute("update people set buddy_id = null where team_id = 1").await;
    let ended = desk.haulier(&["run"]).run().await.expect(1);
    assert!(ended.stderr.contains("held records need a person"), "{}", ended.stderr);
    let dead = desk.dead().await;
    // The eight people of two rings, and the two deferred leads that are among them.
    let held =
        |entity: &str| dead.iter().filter(|row| row["entity"] == entity && row["state"] == "held").count();
    assert_eq!((held("person"), held("team.lead_id")), (8, 2), "{dead:#?}");
    assert!(
        dead.iter().all(|row| row["waits_for"].as_str().is_some_and(|parent| parent.starts_with("person/"))),
        "{dead:#?}"
    );
    assert_eq!(desk.target.records("people").len(), 4);

    // Once the ring is open in the source, a retry moves all of it.
    desk.execute("update people set buddy_id = null where id in (2003, 3003)").await;
    desk.haulier(&["dead", "retry"]).run().await.expect(0);
    desk.haulier(&["run"]).run().await.expect(0);
    assert_eq!(desk.target.records("people").len(), 12);
    desk.end().await;
}
