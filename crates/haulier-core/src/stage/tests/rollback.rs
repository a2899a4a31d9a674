//! Who may put the target back, and from where.

use std::time::Duration;

use crate::StageName;
use crate::plan::{Approvers, Person, Snapshot, Stage, StageKind, Stages};
use crate::stage::{
    Approval, Back, Entry, Fact, Misstep, Refusal, RunEvent, RunKind, RunState, StageEvent, Standing,
    approve, may_roll_back,
};

fn stages(min: u32) -> Stages {
    let person = |name: &str, roles: &[&str]| Person {
        name: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Person::default()
    };
    let release = Stage {
        name: StageName::new("release"),
        kind: StageKind::Release,
        needs: Vec::new(),
        tenants: Vec::new(),
        waves: Vec::new(),
        window: None,
        optional: false,
        point_of_no_return: true,
        owner: None,
        cover: Vec::new(),
        start: Vec::new(),
        enter: Vec::new(),
        leave: Vec::new(),
        proof: Vec::new(),
        most_dead: 0,
        lasts: Duration::ZERO,
        expect: None,
    };
    Stages {
        stages: vec![release],
        people: vec![
            person("pierre", &["approver"]),
            person("lin", &["approver"]),
            person("sam", &["approver"]),
            person("qi", &["qa"]),
        ],
        snapshot: Some(Snapshot {
            take: "take".to_owned(),
            check: None,
            restore: Some("restore".to_owned()),
            max_age: None,
            approvers: Approvers { role: "approver".to_owned(), min, not_the_starter: true },
        }),
        ..Stages::default()
    }
}

/// A run that sam started, after these facts.
fn after(facts: &[Fact]) -> Standing {
    let mut standing = Standing::default();
    let opened = [Fact::Opened(RunKind::Production, "sam".to_owned()), Fact::Plan(1, "p1".to_owned())];
    for fact in opened.iter().chain(facts) {
        keep(&mut standing, fact.clone()).unwrap();
    }
    standing
}

fn keep(standing: &mut Standing, fact: Fact) -> Result<(), Misstep> {
    let version = standing.version + 1;
    standing.apply(&Entry { version, at: 1, by: "sam@ops".to_owned(), note: None, fact })
}

fn paused() -> Vec<Fact> {
    [RunEvent::Start, RunEvent::Pause, RunEvent::AtRest].map(Fact::Run).to_vec()
}

fn wish(person: &str) -> Back<'_> {
    Back { person, note: "the balances are wrong", plan: "p1" }
}

#[test]
fn it_takes_people_with_the_role_a_reason_and_the_plan_of_the_run() {
    let (stages, standing) = (stages(1), after(&paused()));
    assert!(matches!(approve(&wish("bob"), &stages, &standing), Err(Refusal::Unknown { .. })));
    assert!(matches!(approve(&wish("qi"), &stages, &standing), Err(Refusal::Role { .. })));
    assert!(matches!(approve(&wish("sam"), &stages, &standing), Err(Refusal::Starter { .. })));
    let other = Back { plan: "p2", ..wish("lin") };
    assert_eq!(approve(&other, &stages, &standing), Err(Refusal::PlanChanged));
    let silent = Back { note: " ", ..wish("lin") };
    assert!(matches!(approve(&silent, &stages, &standing), Err(Refusal::NoReason { .. })));
    let (approval, enough) = approve(&wish("lin"), &stages, &standing).unwrap();
    assert_eq!((approval.person.as_str(), enough), ("lin", true));
}

#[test]
fn one_of_two_begins_nothing_and_a_run_that_goes_on_forgets_it() {
    let stages = stages(2);
    let mut standing = after(&paused());
    let (approval, enough) = approve(&wish("lin"), &stages, &standing).unwrap();
    assert!(!enough);
    keep(&mut standing, Fact::Approval(approval.clone())).unwrap();
    assert!(matches!(approve(&wish("lin"), &stages, &standing), Err(Refusal::Again { .. })));
    assert_eq!(may_roll_back(&stages, &standing), Err(Refusal::Unapproved { said: 1, min: 2 }));
    keep(&mut standing, Fact::Run(RunEvent::Resume)).unwrap();
    for fact in &paused()[1..] {
        keep(&mut standing, fact.clone()).unwrap();
    }
    assert!(standing.approvals().is_empty());
    for person in ["lin", "pierre"] {
        let (approval, _) = approve(&wish(person), &stages, &standing).unwrap();
        keep(&mut standing, Fact::Approval(approval)).unwrap();
    }
    assert_eq!(may_roll_back(&stages, &standing), Ok(()));
    keep(&mut standing, Fact::Run(RunEvent::RollBack)).unwrap();
    keep(&mut standing, Fact::Run(RunEvent::RollbackFailed)).unwrap();
    // The next try is decided anew.
    assert_eq!(may_roll_back(&stages, &standing), Err(Refusal::Unapproved { said: 0, min: 2 }));
    assert_eq!(keep(&mut standing, Fact::Run(RunEvent::RollBack)), Err(Misstep::Unapproved));
}

#[test]
fn no_way_leads_back_from_a_stage_that_says_so_nor_without_a_hook() {
    let stages = stages(1);
    let release = Fact::Stage(StageName::new("release"), StageEvent::Enter);
    let begun = [vec![Fact::Run(RunEvent::Start), release], paused()[1..].to_vec()].concat();
    let mut standing = after(&begun);
    let refused = Err(Refusal::NoReturn { stage: StageName::new("release") });
    assert_eq!(may_roll_back(&stages, &standing), refused);
    // Also for one who decided before it began.
    let approval = Approval { person: "lin".to_owned(), plan: "p1".to_owned() };
    keep(&mut standing, Fact::Approval(approval)).unwrap();
    assert_eq!(may_roll_back(&stages, &standing), refused);
    let mut without = stages.clone();
    without.snapshot.as_mut().unwrap().restore = None;
    assert_eq!(may_roll_back(&without, &after(&paused())), Err(Refusal::NoWayBack));
    let done = [Fact::Run(RunEvent::Start), Fact::Run(RunEvent::Complete)];
    let refused = may_roll_back(&stages, &after(&done));
    assert_eq!(refused, Err(Refusal::NotBack { state: RunState::Completed }));
}
