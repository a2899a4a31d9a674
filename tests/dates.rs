//! Windows, waves, calendar and deadlines on the command line: a network of twelve hubs in three parts of the world.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::Haulier;

/// A folder with the network's plan and a site whose ledger is a file; no other neighbour is ever asked.
pub(crate) struct Network {
    pub(crate) dir: TempDir,
}

impl Network {
    pub(crate) fn new(site: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/network/plan.toml");
        std::fs::copy(plan, dir.path().join("plan.toml")).unwrap();
        let site = format!(
            "[source]\nurl = \"sqlite:field.sqlite\"\n[queue]\nurl = \"embedded:queue.sqlite\"\n[ledger]\nurl = \
             \"sqlite:ledger.sqlite\"\n[target]\nbase_url = \"http://127.0.0.1:9\"\n{site}"
        );
        std::fs::write(dir.path().join("site.toml"), site).unwrap();
        Self { dir }
    }

    pub(crate) async fn says(&self, args: &[&str], code: i32) -> String {
        Haulier::new(self.dir.path(), args).run().await.expect(code).stdout
    }

    pub(crate) async fn refuses(&self, args: &[&str], code: i32) -> String {
        Haulier::new(self.dir.path(), args).run().await.expect(code).stderr
    }

    /// The lines of JSON that a command prints.
    pub(crate) async fn json(&self, args: &[&str], code: i32) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let text = self.says(&args, code).await;
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    }
}

#[tokio::test]
async fn windows_open_at_each_hubs_own_hour_and_blackouts_win() {
    let network = Network::new("");
    let night = network.json(
        &[
            "windows",
            "list",
            "--at",
            "2026-05-04T10:00Z",
            "--days",
            "4",
            "--tenant",
            "ca-on",
            "--window",
            "night",
        ],
        0,
    );
    let opens: Vec<String> =
        night.await.iter().map(|row| row["opens"].as_str().unwrap().to_owned()).collect();
    // Tuesday's night is left out: the order cycles of Canada.
    assert_eq!(opens, ["2026-05-05T02:00:00Z", "2026-05-07T02:00:00Z", "2026-05-08T02:00:00Z"]);
    let shut = network
        .json(&["windows", "next", "--at", "2026-05-06T03:00Z", "--tenant", "ca-on", "--window", "night"], 1)
        .await;
    assert_eq!(shut[0]["next"], "2026-05-07T02:00:00Z");
    assert!(shut[0]["says"].as_str().unwrap().contains("blackout order cycles of Canada"), "{}", shut[0]);
    let open = network.says(&["windows", "next", "--at", "2026-05-05T09:20", "--window", "release"], 0).await;
    assert!(open.contains("2026-05-05 08:40 UTC = 2026-05-05 10:40 CEST  last safe rollback"), "{open}");
    let slip = network.refuses(&["windows", "next", "--window", "relaese"], 2).await;
    assert!(slip.contains("did you mean `release`?"), "{slip}");
    // Nothing of this makes a ledger.
    assert!(!network.dir.path().join("ledger.sqlite").exists());
}

#[tokio::test]
async fn a_moved_date_a_deferred_and_an_excluded_hub_stay_on_record() {
    let network = Network::new("");
    let at = ["--at", "2026-05-04T10:00Z"];
    network.says(&["waves", "move", "ie", "--to", "second", "--reason", "their fair is this week"], 0).await;
    network.says(&["waves", "defer", "uk", "--until", "2026-06-01T00:00", "--reason", "holidays"], 0).await;
    network.says(&["waves", "exclude", "au-lhi", "--reason", "they leave the network"], 0).await;
    let moved = "2026-05-06T07:00/2026-05-06T12:00";
    network.says(&["windows", "reschedule", "release", moved, "--reason", "the hub asked"], 0).await;
    network.says(&["calendar", "commit", "--reason", "agreed on the call"], 0).await;
    let dry = network.says(&["waves", "exclude", "es", "--reason", "a trial", "--dry-run"], 0).await;
    assert!(dry.contains("would be kept"), "{dry}");

    let waves = network.json(&["waves", "list", at[0], at[1]], 0).await;
    let tenants = |index: usize| -> Vec<&str> {
        waves[index]["tenants"].as_array().unwrap().iter().map(|t| t["tenant"].as_str().unwrap()).collect()
    };
    assert_eq!(tenants(0), ["be"]);
    assert_eq!(tenants(1), ["ie", "ca-on", "ca-qc", "us-ny"]);
    let britain = waves[2]["tenants"].as_array().unwrap().iter().find(|t| t["tenant"] == "uk").unwrap();
    assert_eq!(britain["next"], "2026-06-01T21:00:00Z");
    let excluded: Vec<&str> =
        waves[3]["excluded"].as_array().unwrap().iter().map(|t| t["reason"].as_str().unwrap()).collect();
    assert_eq!(excluded, ["they leave the network", "nobody works there; it is made anew from time to time"]);

    let ics = network.says(&["calendar", "--ics", at[0], at[1]], 0).await;
    assert!(ics.contains("DTSTART:20260506T050000Z") && ics.contains("STATUS:CONFIRMED"), "{ics}");
    let changes = network.json(&["calendar", "changes"], 0).await;
    let words: Vec<&str> = changes.iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(words, ["move", "defer", "exclude", "reschedule", "commit"]);
    assert!(changes.iter().all(|change| !change["reason"].as_str().unwrap().is_empty()));
    // As the plan has it, nothing is changed.
    let plan = network.json(&["waves", "list", at[0], at[1], "--plan-only"], 0).await;
    assert_eq!(plan[0]["tenants"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_would_break_the_calendar_is_refused_and_changes_nothing() {
    let network = Network::new("");
    for (args, says) in [
        (vec!["waves", "move", "ca-on", "--to", "thrid"], "did you mean `third`?"),
        (vec!["waves", "exclude", "bee"], "the plan has no tenant `bee`"),
        (vec!["windows", "reschedule", "night", "2026-05-06T07:00/2026-05-06T12:00"], "opens every week"),
        (vec!["windows", "reschedule", "release", "2026-03-29T02:30/2026-03-29T12:00"], "2026-03-29T01:30"),
        (vec!["windows", "extend", "release", "2h", "--at", "2026-05-05T09:00"], "may be extended by 1h"),
        (
            vec![
                "calendar",
                "blackout",
                "fair",
                "--span",
                "2026-05-06T06:00/2026-05-06T12:00",
                "--zone",
                "Mars/Base",
            ],
            "no time zone `Mars/Base`",
        ),
    ] {
        let args: Vec<&str> = args.into_iter().chain(["--reason", "a try"]).collect();
        let ended = Haulier::new(network.dir.path(), &args).run().await;
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
    }
    let empty = network.refuses(&["waves", "exclude", "be", "--reason", " "], 2).await;
    assert!(empty.contains("must say something"), "{empty}");
    assert!(network.says(&["calendar", "changes"], 0).await.contains("nobody changed anything"));
}

#[tokio::test]
async fn waves_are_proposed_with_every_term_of_their_score() {
    let network = Network::new("");
    let at = ["--at", "2026-05-01T10:00Z", "--window", "night"];
    let proposed = network.json(&["waves", "propose", "--waves", "3", at[0], at[1], at[2], at[3]], 0).await;
    let sizes: Vec<usize> = proposed.iter().map(|wave| wave["tenants"].as_array().unwrap().len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 11);
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
    assert_eq!(proposed[0]["tenants"][0]["tenant"], "be");
    let explained = network.json(&["waves", "explain", "ca-on", at[0], at[1]], 0).await;
    let terms = explained[0]["terms"].as_array().unwrap();
    let sum: f64 = terms.iter().map(|t| t["points"].as_f64().unwrap() * t["weight"].as_f64().unwrap()).sum();
    assert!((sum - explained[0]["score"].as_f64().unwrap()).abs() < 1e-9);
    assert!(terms.iter().any(|term| term["why"] == "order cycles close in 5 days"), "{terms:?}");
    let toml = network.says(&["waves", "propose", "--toml", at[0], at[1], at[2], at[3]], 0).await;
    assert!(toml.starts_with("[[wave]]\nname = \"w1\"\ntenants = [\"be\"]\nwindows = [\"night\"]"), "{toml}");
}

#[tokio::test]
async fn what_people_have_to_do_is_counted_down_and_stays_done() {
    let network = Network::new("");
    // Three weeks before 5 May, 07:00 in Paris; and one week.
    let early = network.json(&["countdown", "--at", "2026-04-13T12:00Z"], 0).await;
    let of = |tasks: &[Value]| -> Vec<(String, String)> {
        let word = |task: &Value, name: &str| task[name].as_str().unwrap().to_owned();
        tasks.iter().map(|task| (word(task, "state"), word(task, "by"))).collect()
    };
    let (ask, rehearse) = ("2026-04-14T05:00:00Z".to_owned(), "2026-04-28T05:00:00Z".to_owned());
    assert_eq!(of(&early), [("due".to_owned(), ask.clone()), ("ahead".to_owned(), rehearse.clone())]);
    let late = network.says(&["countdown", "--at", "2026-04-20T12:00Z"], 1).await;
    assert!(late.contains("late") && late.contains("theodore"), "{late}");
    let slip = ["countdown", "done", "rehearse the restor", "--reason", "it went well"];
    assert!(network.refuses(&slip, 2).await.contains("did you mean `rehearse the restore`?"));
    let done = ["countdown", "done", "ask the hubs for their dates", "--reason", "all twelve answered"];
    network.says(&done, 0).await;
    assert!(network.refuses(&done, 1).await.contains("is done already"));
    let then = network.json(&["countdown", "--at", "2026-04-20T12:00Z"], 0).await;
    assert_eq!(of(&then), [("done".to_owned(), ask), ("ahead".to_owned(), rehearse)]);
}

#[tokio::test]
async fn tenants_come_from_a_file_as_the_plan_takes_them() {
    let network = Network::new("");
    let file = network.dir.path().join("hubs.csv");
    std::fs::write(
        &file,
        "key,zone,contacts,tags\npt,Europe/Lisbon,a@pt.example b@pt.example,size:small\n\"n\"\"z\",,,\n",
    )
    .unwrap();
    let tables = network.says(&["tenants", "import", "hubs.csv"], 0).await;
    let plan = std::fs::read_to_string(network.dir.path().join("plan.toml")).unwrap();
    std::fs::write(network.dir.path().join("plan.toml"), format!("{plan}\n{tables}")).unwrap();
    let small = network.json(&["tenants", "list", "size:small & !host:us"], 0).await;
    let keys: Vec<&str> = small.iter().map(|tenant| tenant["tenant"].as_str().unwrap()).collect();
    assert_eq!(keys, ["be", "ie", "au-lhi", "pt"]);
    assert_eq!(small[3]["contacts"], serde_json::json!(["a@pt.example", "b@pt.example"]));
    assert_eq!(network.json(&["tenants", "list", "n\"z"], 0).await.len(), 1);

    std::fs::write(&file, "key,zone,phone\npt,Europe/Lisboa,1\n,UTC,2\nfr,UTC,3\nfr,UTC,4\n").unwrap();
    let refused = network.refuses(&["tenants", "import", "hubs.csv"], 2).await;
    for says in [
        "hubs.csv:1: column 3 is called `phone`",
        "hubs.csv:2: there is no time zone `Europe/Lisboa`",
        "hubs.csv:3: it has no key",
        "hubs.csv:5: tenant fr is there already",
    ] {
        assert!(refused.contains(says), "{says}: {refused}");
    }
}
