//! Answers that no target should give to one of its records: that record is dead or held with its reason, all others land.

use std::time::Duration;

use haulier_testkit::fake_target::{Fault, Gate, Reply};
use serde_json::Value;

use crate::support::collections::Collections;
use crate::support::desk::{self, Desk, NOTES};
use crate::support::evidence::number;
use crate::support::{Engine, process};

/// Notes that are given up soon.
fn hasty() -> String {
    NOTES.replace("[retry]", "[retry]\nattempts = 3")
}

/// Forty notes, one of which gets this answer to every create.
async fn strange(plan: &str, reply: Reply) -> (Vec<Value>, Value, Desk) {
    let desk = Desk::new(Engine::Sqlite, &desk::notes(40), plan, Collections::start(&[]).await).await;
    wait_briefly(&desk);
    desk.target.refuse_those("notes", ("title", "note 17"), Some(reply));
    desk.haulier(&["run"]).run().await.expect(1);
    (desk.dead().await, desk.status().await["all"].clone(), desk)
}

/// Half a second for each request.
fn wait_briefly(desk: &Desk) {
    let site = std::fs::read_to_string(desk.path("site.toml")).unwrap();
    std::fs::write(desk.path("site.toml"), site.replace("[target]", "[target]\ntimeout = \"500ms\""))
        .unwrap();
}

#[tokio::test]
async fn a_strange_answer_to_one_record_never_passes_for_a_yes_and_stops_nobody_else() {
    let page = "<html><form>Please log in</form></html>";
    let cases = [
        ("a page to log in", Reply::new(200, "text/html", page), "text/html"),
        ("another type", Reply::text(201, "stored"), ""),
        ("a redirect", Reply::empty(302).header("Location", "/login"), "redirects are not followed"),
        ("half of its JSON", Reply::json(201, r#"{"id":"#), ""),
        ("no id", Reply::json(201, r#"{"ok":true}"#), ""),
        ("500 for ever", Reply::json(500, r#"{"error":"boom"}"#), "given up after 3 attempts"),
        ("byte by byte", Reply::json(201, r#"{"id":"x"}"#).fault(Fault::Drip(Duration::from_millis(50))), ""),
        ("without end", Reply::json(201, r#"{"id":"x"}"#).fault(Fault::Endless), ""),
        (
            "another record's id",
            Reply::json(201, r#"{"id":"notes-1"}"#),
            "the target gave it the id that note/",
        ),
        ("cut", Reply::json(201, r#"{"id":"x"}"#).fault(Fault::WrongLength), ""),
        ("escapes", Reply::json(422, "{\"error\":\"\u{1b}[2J\u{1b}]0;x\u{7}no\"}"), "no"),
    ];
    let tried = cases.map(|(name, reply, words)| {
        tokio::spawn(async move {
            let (dead, all, desk) = strange(&hasty(), reply).await;
            assert_eq!((number(&all, "landed"), dead.len()), (39, 1), "{name}: {dead:#?}");
            let reason = dead[0]["reason"].as_str().unwrap();
            assert!(reason.contains(words) && !reason.contains('\u{1b}'), "{name}: {reason:?}");
            assert_eq!(desk.target.records("notes").len(), 39, "{name}");
            for args in [&["dead", "list"] as &[&str], &["dead", "show", "note", "17"], &["status"]] {
                let shown = desk.haulier(args).run().await;
                assert!(
                    !shown.stdout.contains('\u{1b}') && !shown.stderr.contains('\u{1b}'),
                    "{name}: {args:?}"
                );
            }
            desk.end().await;
        })
    });
    for case in tried {
        case.await.unwrap();
    }
}

#[tokio::test]
async fn a_yes_that_stored_nothing_is_found_where_the_plan_verifies() {
    let plan = hasty().replace("natural_key", "verify = \"reread\"\nnatural_key");
    let (dead, all, desk) = strange(&plan, Reply::json(201, r#"{"id":"notes-999"}"#)).await;
    assert_eq!((number(&all, "landed"), dead.len()), (39, 1), "{dead:#?}");
    assert_eq!(dead[0]["key"], "17", "{dead:#?}");
    desk.end().await;
}

#[tokio::test]
async fn a_date_to_wait_for_is_waited_for() {
    let rows = "create table notes (id integer primary key, title text); insert into notes values (1, 'one'), (2, 'two');";
    let desk = Desk::new(Engine::Sqlite, rows, &hasty(), Collections::start(&[]).await).await;
    let busy = Reply::json(503, "{}")
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("Retry-After", "Sun, 06 Nov 1994 08:49:39 GMT");
    desk.target.refuse("notes", Some(busy));
    let run = desk.haulier(&["run", "--workers", "1"]).start();
    process::wait_for("the first refusal", async || {
        desk.target.lines().iter().any(|line| line.starts_with("POST")).then_some(())
    })
    .await;
    desk.target.refuse("notes", None);
    run.ended().await.expect(0);
    let log = desk.target.log();
    let posts: Vec<_> = log.iter().filter(|seen| seen.method == "POST").collect();
    let waited = posts[1].at - posts[0].at;
    assert!(waited >= Duration::from_secs(2), "the next request came after {waited:?}");
    desk.end().await;
}

/// Eight kinds of rows that cannot be moved, most of them once in a hundred, beside rows that only look as if: five by the rows
/// themselves, three by the target's word.
#[tokio::test]
async fn poison_of_eight_kinds_is_counted_to_the_row_and_everything_else_lands() {
    let script = "create table notes (id integer primary key, title text, price, due text);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 600)
        insert into notes select i, 'note ' || i, i * 1.25, '2024-02-29T12:00:00Z' from n;
        update notes set title = cast(x'66ff66' as text) where id % 100 = 1;
        update notes set title = null where id % 100 = 2;
        update notes set price = 9e999 where id % 100 = 3;
        update notes set price = 'a lot' where id % 100 = 4;
        update notes set due = '2023-02-29T12:00:00Z' where id % 100 = 5;
        update notes set title = hex(zeroblob(5000000)) || id where id = 6;
        update notes set title = '\u{1b}[2J' || id where id % 100 = 7;
        update notes set title = '=cmd()' || id where id % 100 = 8;";
    let fields = "fields = { title = \"title\", price = { column = \"price\", as = \"decimal(9,2)\" }, due = { column = \"due\", as = \"rfc3339\" } }";
    let plan = hasty().replace("fields = { title = \"title\" }", fields);
    let desk = Desk::new(Engine::Sqlite, script, &plan, Collections::start(&[]).await).await;
    wait_briefly(&desk);
    let replies = [
        (9, Reply::json(400, r#"{"error":"no"}"#)),
        (10, Reply::json(422, r#"{"error":"no"}"#)),
        (11, Reply::json(201, "{}").fault(Fault::Hold(Gate::default()))),
    ];
    for (kind, reply) in replies {
        for hundred in 0..6 {
            let title = format!("note {}", hundred * 100 + kind);
            desk.target.refuse_those("notes", ("title", &title), Some(reply.clone()));
        }
    }
    let ended = desk.haulier(&["run", "--workers", "16"]).run().await.expect(1);
    let all = desk.status().await["all"].clone();
    // Four kinds in each of six hundreds, and one that no message holds; then the target's three.
    let (mapping, target) = (4 * 6 + 1, 3 * 6);
    let poison = mapping + target;
    assert_eq!(number(&all, "planned"), 600, "{all:#}");
    assert_eq!(
        (number(&all, "landed"), number(&all, "dead") + number(&all, "held")),
        (600 - poison, poison),
        "{all:#}\n{}",
        ended.stderr
    );
    let titles: Vec<String> = (desk.target.records("notes").iter())
        .filter_map(|stored| Some(stored.members.get("title")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(
        titles.iter().filter(|title| title.starts_with("\u{1b}[2J") || title.starts_with("=cmd()")).count(),
        12
    );
    let dead = desk.dead().await;
    assert!(dead.iter().all(|row| !row["reason"].as_str().unwrap().is_empty()), "{dead:#?}");
    let of = |kind: &str| dead.iter().filter(|row| row["kind"] == kind).count() as u64;
    assert_eq!((of("mapping"), of("refused")), (mapping, 12), "{dead:#?}");
    for args in
        [&["dead", "list", "--limit", "1000"] as &[&str], &["dead", "list", "--by", "reason"], &["status"]]
    {
        let shown = desk.haulier(args).run().await.stdout;
        assert!(!shown.contains('\u{1b}') && !shown.contains("a lot"), "{shown:?}");
    }
    desk.end().await;
}
