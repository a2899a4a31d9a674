//! A target that is away, or that lets nothing in for one tenant: nobody is buried for it.

use haulier_testkit::fake_target::Reply;
use serde_json::Value;

use super::{PLAN, explain, script, until_held};
use crate::support::Engine;
use crate::support::collections::Collections;
use crate::support::desk::{Desk, wait_for_counts};
use crate::support::evidence::number;
use crate::support::process::wait_for;

/// Attempts that are used up within a second, where nothing holds them back.
const HASTY: &str = "[retry]\nattempts = 3\nbase = \"50ms\"\ncap = \"300ms\"\n\n[[entity]]";

#[tokio::test]
async fn a_target_that_stays_away_is_left_alone_then_paused_and_nobody_is_buried() {
    let plan = PLAN.replacen("[[entity]]", HASTY, 1);
    let desk = Desk::new(Engine::Sqlite, &script(900), &plan, Collections::start(&[]).await).await;
    desk.write_site(
        "zombie_grace = \"1s\"\nworkers = 8\nrate = 100\n[produce]\nrate = 300\n[brakes]\nbreaker = \"2s\"",
    );
    let produce = desk.haulier(&["produce", "--no-progress"]).start();
    let work = [(); 2].map(|()| desk.haulier(&["work"]).start());
    wait_for_counts(&desk, "the first records", |counts| number(counts, "landed") > 0).await;

    // Away for a moment: it goes on by itself.
    desk.target.refuse("items", Some(Reply::json(503, "{}")));
    until_held(&desk, "target-breaker", "most attempts failed").await;
    let landed = number(&desk.status().await["all"], "landed");
    desk.target.refuse("items", None);
    wait_for_counts(&desk, "records after the outage", |counts| number(counts, "landed") > landed + 10).await;

    // Away for longer: the third opening of a breaker within ten minutes is a matter for a person.
    desk.target.refuse("items", Some(Reply::json(503, "{}")));
    let push = wait_for("the pause", async || {
        let push = explain(&desk).await["sides"][1].clone();
        (push["state"] == "paused").then_some(push)
    })
    .await;
    assert!(push["by"].as_str().unwrap().starts_with("brake target-breaker"), "{push}");
    assert!(push["reason"].as_str().unwrap().contains("most attempts failed"), "{push}");
    desk.target.refuse("items", None);
    for turn in [&["tune", "push.rate=none", "--force"][..], &["resume", "push"]] {
        let ended = desk.haulier(turn).run().await;
        // What was set is kept, also where a busy process does not say within five seconds that it applied it.
        assert!(matches!(ended.code, Some(0 | 1)), "{turn:?}: {}", ended.stderr);
    }
    produce.ended().await.expect(0);
    for work in work {
        work.ended().await.expect(0);
    }
    let all = desk.status().await["all"].clone();
    assert_eq!((number(&all, "landed"), number(&all, "dead")), (900, 0), "{all}");
    desk.end().await;
}

const ACCOUNTS: &str = r#"
name = "notes"
tenant = "account"

[[entity]]
name = "account"
source = { table = "account", key = ["id"] }
natural_key = ["name"]
fields = { name = "name" }
push = { shape = "create", create = { path = "/accounts", id = "/id" } }

[[entity]]
name = "note"
parent = "account"
source = { table = "note", key = ["id"] }
natural_key = ["title"]
push = { shape = "create", create = { path = "/notes", id = "/id" } }
[entity.fields]
title = "title"
owner = "owner"
account_id = { ref = "account", by = "account_id" }
"#;

#[tokio::test]
async fn a_tenant_that_the_target_lets_nothing_in_for_waits_and_the_others_go_on() {
    let accounts: Vec<String> = (1..=4).map(|id| format!("({id}, 'account-{id}')")).collect();
    let note = |id: u32| format!("({id}, {0}, 'account-{0}', 'note-{id}')", id % 4 + 1);
    let notes: Vec<String> = (1..=200).map(note).collect();
    let tables = format!(
        "create table account (id integer primary key, name varchar(40) not null);\n\
         create table note (id integer primary key, account_id integer not null references account (id),\n\
             owner varchar(40) not null, title varchar(40) not null);\n\
         insert into account values {};\ninsert into note values {};",
        accounts.join(", "),
        notes.join(", ")
    );
    let desk = Desk::new(Engine::Sqlite, &tables, ACCOUNTS, Collections::start(&[]).await).await;
    desk.target.refuse_those("notes", ("owner", "account-2"), Some(Reply::json(403, "{}")));
    let run = desk.haulier(&["run", "--no-progress"]).start();
    // All of the others, and the accounts themselves.
    wait_for_counts(&desk, "the other tenants", |counts| number(counts, "landed") == 154).await;
    let held = until_held(&desk, "tenant-credentials", "for tenant 2").await;
    assert_eq!((&held["side"], &held["part"]), (&Value::from("push"), &Value::from(true)), "{held}");
    let workers = explain(&desk).await["knobs"][3].clone();
    assert_eq!((&workers["knob"], &workers["effective"]), (&"push.workers".into(), &"8".into()), "{workers}");
    let all = desk.status().await["all"].clone();
    assert_eq!(number(&all, "dead") + number(&all, "held"), 0, "{all}");
    let refused = || {
        let theirs = |body: &String| body.contains("account-2") && body.contains("note-");
        desk.target.log().iter().filter(|seen| seen.method == "POST" && theirs(&seen.body)).count()
    };
    // What was in flight together, and then one probe at a time.
    assert!(refused() < 30, "{} requests ran against the refused rights", refused());
    desk.target.refuse_those("notes", ("owner", "account-2"), None);
    run.ended().await.expect(0);
    let all = desk.status().await["all"].clone();
    assert_eq!((number(&all, "landed"), number(&all, "dead")), (204, 0), "{all}");
    assert_eq!(desk.target.records("notes").len(), 200);
    desk.end().await;
}
