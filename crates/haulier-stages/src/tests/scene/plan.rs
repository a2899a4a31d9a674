//! A plan with the usual stages.

use std::time::Duration;

use haulier_core::calendar::{AtEnd, Calendar, DECISION_POINT, Place, When, Window, Zone};
use haulier_core::plan::{
    Approvers, Gate, Hook, HookAct, OnTimeout, Person, Plan, ProofLevel, Snapshot, Stage, StageKind, Stages,
};
use haulier_core::stage::Weight;
use haulier_core::{EntityName, StageName, TenantKey};

fn stage(name: &str, kind: StageKind, needs: &[&str]) -> Stage {
    Stage {
        name: StageName::new(name),
        kind,
        needs: needs.iter().map(|need| StageName::new(*need)).collect(),
        tenants: Vec::new(),
        waves: Vec::new(),
        window: None,
        optional: kind == StageKind::Freeze,
        point_of_no_return: false,
        owner: None,
        cover: Vec::new(),
        start: Vec::new(),
        enter: Vec::new(),
        leave: Vec::new(),
        proof: Vec::new(),
        most_dead: 0,
        lasts: Duration::ZERO,
        expect: None,
    }
}

pub(in crate::tests) fn gate(before: &str) -> Gate {
    Gate {
        before: StageName::new(before),
        checks: vec![(Weight::Must, "queue.empty".to_owned())],
        approvers: Approvers { role: "approver".to_owned(), min: 1, not_the_starter: true },
        override_role: "approver".to_owned(),
        fresh_for: Duration::from_hours(1),
        expires: Duration::from_hours(1),
        due: None,
        on_timeout: OnTimeout::Hold,
        auto: false,
    }
}

/// A window in UTC.
pub(in crate::tests) fn window(name: &str, at: &str) -> Window {
    Window {
        name: name.to_owned(),
        place: Place::Zone(Zone::utc()),
        when: When::once(at).unwrap(),
        cutoff: Some(Duration::ZERO),
        at_end: AtEnd::Drain,
        decision_point: DECISION_POINT,
        max_extension: Duration::ZERO,
        restore_may_overrun: false,
        extended: Vec::new(),
    }
}

/// The usual stages: smoke of two, two waves, release behind a gate, and a hook at each end of the release.
pub(in crate::tests) fn plan() -> Plan {
    let hook = |name: &str| Hook {
        name: name.to_owned(),
        act: HookAct::Webhook(format!("https://{name}")),
        expect: None,
        timeout: Duration::from_secs(5),
        retries: 0,
    };
    let smoke = Stage {
        tenants: vec![TenantKey::new("1"), TenantKey::new("2")],
        proof: vec![ProofLevel::Deep],
        ..stage("smoke", StageKind::Smoke, &["look"])
    };
    let bulk =
        Stage { waves: vec!["w1".to_owned(), "w2".to_owned()], ..stage("bulk", StageKind::Bulk, &["smoke"]) };
    let validate =
        Stage { proof: vec![ProofLevel::Diff], ..stage("validate", StageKind::Validate, &["bulk"]) };
    let release = Stage {
        enter: vec!["flag-on".to_owned()],
        leave: vec!["tell".to_owned()],
        ..stage("release", StageKind::Release, &["validate"])
    };
    let last = Stage { proof: vec![ProofLevel::Deep], ..stage("final", StageKind::FinalSmoke, &["release"]) };
    Plan {
        name: "field-to-hq".to_owned(),
        tenant: EntityName::new("account").unwrap(),
        entities: Vec::new(),
        retry: haulier_core::retry::RetryPolicy::default(),
        fresh_for: Duration::from_hours(24),
        calendar: Calendar::default(),
        notices: haulier_core::notice::Notices::default(),
        stages: Stages {
            stages: vec![
                stage("look", StageKind::Preflight, &[]),
                smoke,
                bulk,
                stage("empty", StageKind::Drained, &["bulk"]),
                validate,
                stage("freeze", StageKind::Freeze, &[]),
                release,
                last,
            ],
            gates: vec![gate("bulk"), gate("release")],
            people: vec![Person {
                name: "pierre".to_owned(),
                roles: vec!["approver".to_owned()],
                ..Person::default()
            }],
            hooks: ["flag-on", "tell", "snapshot", "restore"].map(hook).to_vec(),
            snapshot: Some(Snapshot {
                take: "snapshot".to_owned(),
                check: None,
                restore: Some("restore".to_owned()),
                max_age: None,
                approvers: gate("release").approvers,
            }),
            ..Stages::default()
        },
        digest: "p1".to_owned(),
    }
}
