//! A few tenants of a large source: nothing else of it is read, and results are kept for each choice of tenants.

use serde_json::Value;

use super::hubs::{below, hub, plan};
use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::{Engine, services};

/// Rows of every hub but the first cannot be read: who reads one of them fails.
const SCRIPT: &str = "
create table raw_hubs (id integer primary key, code text not null);
create table raw_teams (id integer primary key, hub_id integer not null, name text not null);
create table raw_members (id integer primary key, team_id integer not null, email text not null);
insert into raw_hubs values (1, 'north'), (2, 'south');
insert into raw_teams values (1, 1, 'red'), (2, 2, 'blue');
insert into raw_members values (1, 1, 'a@x.example'), (2, 1, 'b@x.example'), (3, 2, 'c@x.example');
create table hubs as select * from raw_hubs;
create unique index hub on hubs (id);
create view teams as select id, hub_id, name from raw_teams;
create view members as select id, team_id, email from raw_members;";

/// As if the other hub's rows were damaged.
const DAMAGE: &str = "
drop view teams; drop view members;
create view teams as select id, hub_id, case hub_id when 1 then name else abs(-9223372036854775807 - 1) end as name from raw_teams;
create view members as select id, team_id, case team_id when 1 then email else abs(-9223372036854775807 - 1) end as email
    from raw_members;";

fn teams() -> String {
    let team = below("team", "name", &["hub.code", "name"], "hub.code");
    plan(&[hub(), team, below("member", "email", &["email"], "team.name")])
}

async fn desk() -> Desk {
    let desk = Desk::new(Engine::Sqlite, SCRIPT, &teams(), Collections::start(&[]).await).await;
    desk.haulier(&["run"]).run().await.expect(0);
    desk
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn of_a_large_source_only_the_tenants_rows_are_read() {
    let desk = desk().await;
    desk.execute(DAMAGE).await;
    let whole = desk.haulier(&["extract", "--side", "source", "--out", "x"]).run().await;
    assert_ne!(whole.code, Some(0), "the other rows can be read, so nothing is proved");
    desk.haulier(&["extract", "--side", "source", "--out", "x", "--tenant", "1"]).run().await.expect(0);
    let members = std::fs::read_to_string(desk.path("x/tenant-1/member.csv")).unwrap();
    assert_eq!(members, "email,team.name,tenant\na@x.example,red,north\nb@x.example,red,north\n");
    for level in ["diff", "deep"] {
        let args = ["validate", level, "--tenant", "1", "--json"];
        let told = lines(&desk.haulier(&args).run().await.expect(0).stdout);
        assert_eq!(told.len(), 3, "{told:#?}");
    }
    desk.end().await;
}

#[tokio::test]
async fn a_deep_result_is_kept_with_its_evidence_until_something_changes() {
    let desk = desk().await;
    let deep = async |args: &[&str], code| {
        let args = [&["validate", "deep", "--tenant", "1", "--json"], args].concat();
        lines(&desk.haulier(&args).run().await.expect(code).stdout)
    };
    let results = async || {
        let listed = desk.haulier(&["validate", "results", "--level", "deep", "--json"]).run().await;
        lines(&listed.stdout)
    };
    assert!(results().await.is_empty());
    assert_eq!(deep(&[], 0).await.len(), 3);
    let kept = results().await;
    assert_eq!(kept.len(), 3, "{kept:#?}");
    for result in &kept {
        assert_eq!((&result["fresh"], &result["equal"]), (&true.into(), &true.into()), "{result:#}");
        assert_eq!(result["tenants"], serde_json::json!(["1"]));
    }
    // The evidence names every record, with digests that agree, and none of its values.
    let member = kept.iter().find(|result| result["entity"] == "member").unwrap();
    assert_eq!(member["figures"]["same"], 2);
    let file = member["evidence"]["records.file"].as_str().unwrap();
    let evidence = std::fs::read_to_string(desk.path(file)).unwrap();
    let mut rows = csv::Reader::from_reader(evidence.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "{evidence}");
    assert!(
        rows.iter().all(|row| &row[0] == "1" && &row[3] == "same" && row[4].len() == 64 && row[4] == row[5])
    );
    assert!(!evidence.contains("x.example"), "{evidence}");
    // Nothing to do, until the evidence is gone or a record changes.
    assert!(deep(&["--only-stale"], 0).await.is_empty());
    std::fs::write(desk.path(file), evidence.replace("same", "SAME")).unwrap();
    let stale = results().await.into_iter().find(|result| result["entity"] == "member").unwrap();
    assert!(stale["why"].as_str().unwrap().contains("was replaced or removed since"), "{stale:#}");
    assert_eq!(deep(&["--only-stale"], 0).await.len(), 1);
    desk.execute("insert into raw_members values (9, 1, 'i@x.example')").await;
    assert_eq!(deep(&["--only-stale"], 1).await[0]["missing"], 1);
    desk.haulier(&["run"]).run().await.expect(0);
    let after = deep(&["--only-stale"], 0).await;
    assert_eq!(after.iter().find(|one| one["entity"] == "member").unwrap()["same"], 3);
    // By what has changed, instead of by name.
    let since = ["validate", "deep", "--changed-since", "1h", "--json"];
    assert_eq!(lines(&desk.haulier(&since).run().await.expect(0).stdout).len(), 3);
    let later = ["validate", "deep", "--changed-since", "2099-01-01T00:00:00Z"];
    let none = desk.haulier(&later).run().await.expect(0);
    assert!(none.stderr.contains("no tenant has changed since then"), "{}", none.stderr);
    let neither = desk.haulier(&["validate", "deep"]).run().await.expect(2);
    assert!(neither.stderr.contains("error: `validate deep` needs a `--tenant`, or `--changed-since`"));
    desk.end().await;
}

#[tokio::test]
async fn parents_that_do_not_fit_into_the_memory_are_found_in_a_file() {
    let mut script = String::from(
        "create table hubs (id integer primary key, code text not null);
         create table teams (id integer primary key, hub_id integer not null, name text not null);
         create table members (id integer primary key, team_id integer not null, email text not null);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into hubs select i, 'hub ' || i from n;",
    );
    script.push_str(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into teams select i, 20001 - i, 'team ' || i || printf('%.200c', 'x') from n;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into members select i, 20001 - i, i || '@x.example' from n;",
    );
    let desk = Desk::new(Engine::Sqlite, &script, &teams(), Collections::start(&[]).await).await;
    let site = std::fs::read_to_string(desk.path("site.toml")).unwrap();
    let mut files = Vec::new();
    for (name, memory) in [("ample", "256MiB"), ("small", "16MiB")] {
        std::fs::write(desk.path("site.toml"), format!("{site}\n[validate]\nmemory = \"{memory}\"\n"))
            .unwrap();
        desk.haulier(&["extract", "--side", "source", "--out", name]).run().await.expect(0);
        files.push(
            ["hub", "team", "member"].map(|entity| {
                std::fs::read_to_string(desk.path(name).join(format!("{entity}.csv"))).unwrap()
            }),
        );
    }
    assert_eq!(files[0], files[1]);
    let member = files[0][2].lines().find(|line| line.starts_with("7@")).unwrap();
    assert!(member.starts_with("7@x.example,team 19994xxx") && member.ends_with("xxx,hub 7"), "{member}");
    services::drop_source(Engine::Sqlite, desk.name()).await;
}
