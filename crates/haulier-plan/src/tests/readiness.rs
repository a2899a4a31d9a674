//! People who are away, open questions, the write probe, who decides to go back: what is read, and what is refused.

use std::path::Path;
use std::time::Duration;

use haulier_core::plan::{Method, lint};

use super::stages::GOOD;
use super::{NO_MISTAKE, changed, plan_mistakes};

const READY: &str = r#"
[[question]]
ask = "who tells the resellers?"
owner = "lin"
[[question]]
ask = "is Monday quiet?"
blocks = false
[preflight.write_probe]
path = "/accounts"
body = { name = "haulier probe", tags = ["remove me"] }
id = "/id"
remove = "/accounts/{id}"
"#;

fn good() -> String {
    let people = [
        (
            "lin = { roles = [\"approver\"] }",
            "lin = { roles = [\"approver\"], zone = \"Asia/Shanghai\", away = [\"2026-07-03/2026-08-15\"], cover = [\"2026-05-05T09:00/2026-05-05T18:00\", \"2026-05-06\"] }",
        ),
        (
            "take = \"tell\"",
            "take = \"tell\"\nrestore = \"tell\"\napprovers = { role = \"approver\", min = 2 }",
        ),
        ("needs = [\"bulk\", \"empty\"]", "needs = [\"bulk\", \"empty\"]\ncover = [\"approver\"]"),
    ];
    format!("{}{READY}", changed(GOOD, &people))
}

#[test]
fn what_makes_a_plan_ready_is_read() {
    let plan = crate::parse_plan(Path::new("plan.toml"), &good()).unwrap();
    let stages = &plan.stages;
    let lin = stages.people.iter().find(|person| person.name == "lin").unwrap();
    // Both days are included, in the zone of Shanghai.
    let away = lin.away.as_ref().unwrap()[0];
    assert_eq!(away.start, "2026-07-02T16:00Z".parse().unwrap());
    assert_eq!(away.end, "2026-08-15T16:00Z".parse().unwrap());
    assert_eq!(lin.cover[0].length(), Duration::from_hours(9));
    assert_eq!(lin.cover[1].length(), Duration::from_hours(24));
    assert_eq!(stages.people.iter().find(|person| person.name == "pierre").unwrap().away, None);
    let asked: Vec<_> =
        stages.questions.iter().map(|question| (question.owner.as_deref(), question.blocks)).collect();
    assert_eq!(asked, [(Some("lin"), true), (None, false)]);
    let probe = stages.write_probe.as_ref().unwrap();
    assert_eq!(
        (probe.method, probe.body.as_str()),
        (Method::Post, r#"{"name":"haulier probe","tags":["remove me"]}"#)
    );
    assert_eq!(stages.snapshot.as_ref().unwrap().approvers.min, 2);
    assert_eq!(stages.stages.last().unwrap().cover, ["approver"]);
}

#[test]
fn never_away_is_an_answer_and_saying_nothing_is_none() {
    let never = changed(&good(), &[("away = [\"2026-07-03/2026-08-15\"]", "away = []")]);
    let plan = crate::parse_plan(Path::new("plan.toml"), &never).unwrap();
    assert_eq!(plan.stages.people.iter().find(|person| person.name == "lin").unwrap().away, Some(Vec::new()));
}

#[test]
fn what_makes_it_unfit_is_told_with_its_place_and_the_way_out() {
    for (change, words) in [
        (("2026-07-03/2026-08-15", "2026-08-15/2026-07-03"), "is no stretch of time"),
        (("2026-07-03/2026-08-15", "July"), "days, `\"2026-07-03/2026-08-15\"`"),
        (("Asia/Shanghai", "Asia/Shanghia"), "Shanghia"),
        (("path = \"/accounts\"\nbody", "path = \"accounts\"\nbody"), "is not a path"),
        (("{ name = \"haulier probe\", tags = [\"remove me\"] }", "\"a text\""), "`body`"),
        (("id = \"/id\"\nremove", "remove"), "nothing says where the reply holds it"),
        (("min = 2 }\nmax_age", "min = 3 }\nmax_age"), "going back takes 3"),
        (("name = \"release\"", "name = \"rollback\""), "is what the way back is called"),
        (("blocks = false", "block = false"), "unknown key `block` in a question"),
    ] {
        let told = plan_mistakes(&changed(&good(), &[change]));
        assert!(told != NO_MISTAKE && told.contains(words), "{words:?} is not in:\n{told}");
    }
}

const DATES: &str = r#"
[schedule]
zone = "Europe/Paris"
t0 = "2026-05-05T07:00"
support = "help@example.org"
impact = "read-only"
[audiences]
everybody = ["all@example.org"]
[[notice]]
name = "planned"
template = "planned"
at = "T-3w"
of = "run"
audience = "everybody"
channels = ["mail"]
"#;

#[test]
fn what_a_plan_leaves_open_is_told_with_its_weight() {
    let plan = crate::parse_plan(Path::new("plan.toml"), &format!("{}{DATES}", good())).unwrap();
    let open = |now: &str, told: bool| -> Vec<(&'static str, bool, String)> {
        let found = lint(&plan, &plan.calendar, |_, _| told, now.parse().unwrap());
        found.into_iter().map(|one| (one.what, one.blocks, one.says)).collect()
    };
    // Three weeks before, to the minute.
    let found = open("2026-04-14T05:00Z", false);
    let kinds: Vec<(&str, bool)> = found.iter().map(|(what, blocks, _)| (*what, *blocks)).collect();
    assert_eq!(kinds, [("question", true), ("question", false), ("owners", false)]);
    assert!(found[0].2.contains("who tells the resellers?; lin finds it out"), "{found:?}");
    assert!(found[1].2.contains("nobody owns it"), "{found:?}");
    assert_eq!(found[2].2, "nobody owns: look, smoke, bulk, empty, release");
    // Two days later nobody has been told.
    let late = open("2026-04-16T05:00Z", false);
    assert_eq!(late.len(), 4);
    assert!(
        late[3].2.starts_with("\"planned\" for run of") && late[3].2.contains("was due 2d ago"),
        "{late:?}"
    );
    assert_eq!(open("2026-04-16T05:00Z", true).len(), 3, "it went out");
    assert_eq!(open("2026-05-06T05:00Z", false).len(), 3, "its date is over");
}
