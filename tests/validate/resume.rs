//! An extract that is cut off goes on from the files that it finished.

use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use super::hubs::{below, hub, plan};
use crate::support::Engine;
use crate::support::collections::Collections;
use crate::support::desk::Desk;
use crate::support::process::wait_for;

const SCRIPT: &str = "
create table hubs (id integer primary key, code text not null);
create table members (id integer primary key, hub_id integer not null, email text not null);
insert into hubs values (1, 'north'), (2, 'south');
insert into members values (1, 1, 'a@x.example'), (2, 1, 'b@x.example'), (3, 2, 'c@x.example');";

async fn desk() -> Desk {
    let plan = plan(&[hub(), below("member", "email", &["email"], "hub.code")]);
    let desk = Desk::new(Engine::Sqlite, SCRIPT, &plan, Collections::start(&[]).await).await;
    desk.haulier(&["run"]).run().await.expect(0);
    desk
}

/// What `--json` says of each file: entity, tenant and whether it was kept.
fn told(stdout: &str) -> Vec<(String, Option<String>, bool)> {
    let one = |line: &str| {
        let told: Value = serde_json::from_str(line).unwrap();
        let tenant = told["tenant"].as_str().map(str::to_owned);
        (told["entity"].as_str().unwrap().to_owned(), tenant, told["kept"].as_bool().unwrap())
    };
    stdout.lines().map(one).collect()
}

/// Kills an extract when it has finished the hubs and waits for the list of members.
async fn cut_off(desk: &Desk, args: &[&str], finished: &str) {
    let gate = desk.target.hold_list("members");
    let mut running = desk.haulier(args).start();
    wait_for("the list of members", async || {
        let asked = desk.target.lines().iter().any(|line| line == "GET /members");
        (asked && desk.path(finished).exists()).then_some(())
    })
    .await;
    running.kill().await;
    gate.open();
    desk.target.release_list("members");
}

#[tokio::test]
async fn a_killed_extract_goes_on_from_what_it_finished() {
    let desk = desk().await;
    let args = ["extract", "--side", "target", "--out", "x", "--json"];
    desk.haulier(&["extract", "--side", "target", "--out", "clean"]).run().await.expect(0);
    cut_off(&desk, &args, "x/hub.csv.manifest.json").await;
    assert!(desk.path("x/unfinished.json").exists() && !desk.path("x/member.csv").exists());
    let before = std::fs::metadata(desk.path("x/hub.csv")).unwrap().ino();
    let resumed = [&args[..], &["--resume"]].concat();
    let ended = desk.haulier(&resumed).run().await.expect(0);
    assert_eq!(told(&ended.stdout), [("hub".into(), None, true), ("member".into(), None, false)]);
    assert_eq!(std::fs::metadata(desk.path("x/hub.csv")).unwrap().ino(), before, "it was written again");
    let mut left: Vec<String> = std::fs::read_dir(desk.path("x"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["hub.csv", "hub.csv.manifest.json", "member.csv", "member.csv.manifest.json"]);
    for name in ["hub.csv", "member.csv"] {
        let read = |folder: &str| std::fs::read(desk.path(folder).join(name)).unwrap();
        assert_eq!(read("x"), read("clean"), "{name}");
    }
    // What ended well is written anew.
    let again = desk.haulier(&resumed).run().await.expect(0);
    assert!(again.stderr.contains("nothing was cut off in x"), "{}", again.stderr);
    assert!(told(&again.stdout).iter().all(|(.., kept)| !kept));
    desk.end().await;
}

#[tokio::test]
async fn only_whole_files_of_the_same_plan_are_kept() {
    let desk = desk().await;
    let tenants = ["extract", "--side", "target", "--out", "x", "--json", "--tenant", "1", "--tenant", "2"];
    cut_off(&desk, &tenants, "x/tenant-2/hub.csv.manifest.json").await;
    // One of them is no more what its manifest says.
    std::fs::write(desk.path("x/tenant-1/hub.csv"), "code\neast\n").unwrap();
    let anew = desk.haulier(&["extract", "--side", "source", "--out", "x", "--resume"]).run().await.expect(2);
    assert!(anew.stderr.contains("error: what was left in x at "), "{}", anew.stderr);
    assert!(anew.stderr.contains(" was of another side, plan, site or `pii_key`"), "{}", anew.stderr);
    let ended = desk.haulier(&[&tenants[..], &["--resume"]].concat()).run().await.expect(0);
    let mut found = told(&ended.stdout);
    found.sort();
    let file = |entity: &str, tenant: &str, kept| (entity.to_owned(), Some(tenant.to_owned()), kept);
    assert_eq!(
        found,
        [
            file("hub", "1", false),
            file("hub", "2", true),
            file("member", "1", false),
            file("member", "2", false)
        ]
    );
    assert_eq!(std::fs::read_to_string(desk.path("x/tenant-1/hub.csv")).unwrap(), "code\nnorth\n");
    assert_eq!(
        std::fs::read_to_string(desk.path("x/tenant-1/member.csv")).unwrap(),
        "email,hub.code\na@x.example,north\nb@x.example,north\n"
    );
    desk.end().await;
}

#[tokio::test]
async fn a_stop_ends_a_validation_and_leaves_no_half_file() {
    let desk = desk().await;
    let gate = desk.target.hold_list("members");
    let args = ["validate", "diff", "--out", "x"];
    let running = desk.haulier(&args).start();
    wait_for("the list of members", async || {
        desk.target.lines().iter().any(|line| line == "GET /members").then_some(())
    })
    .await;
    running.signal("INT").await;
    let ended = running.ended().await.expect(5);
    assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
    gate.open();
    desk.target.release_list("members");
    for folder in ["x", "x/source", "x/target"] {
        for file in std::fs::read_dir(desk.path(folder)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(
                !name.ends_with(".part") && !name.starts_with("member") && !name.starts_with("diff"),
                "{name}"
            );
        }
    }
    // What was proved before the stop stays proved.
    let again =
        desk.haulier(&["validate", "diff", "--out", "x", "--only-stale", "--json"]).run().await.expect(0);
    assert_eq!(again.stdout.lines().count(), 1, "{}", again.stdout);
    assert_eq!(again.json()["entity"], "member");
    desk.end().await;
}
