//! Promises about tenants, and about what is skipped.

use haulier_core::port::{Settlement, Sighting, SightingIntent, Survey};
use haulier_core::{FailureKind, TenantKey};

use super::Bench;
use super::fixture::{Desk, NOW, failure, landed, sighting};

fn of(tenant: Option<&str>, text: &str, content: u64) -> Sighting {
    Sighting { tenant: tenant.map(TenantKey::new), ..sighting(text, content) }
}

/// A tenant is done when nothing of it is open, dead or held; a waived record is no hindrance.
pub async fn tenants_are_counted_and_skipped_records_by_why(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    assert_eq!(desk.ledger.survey(&desk.run).await, Ok(Survey::default()));
    let rows = [
        of(Some("a"), "1", 1),
        of(Some("a"), "2", 1),
        of(Some("b"), "3", 1),
        of(Some("c"), "4", 1),
        of(Some("d"), "5", 1),
        Sighting { intent: SightingIntent::Skip("it belongs to no tenant".to_owned()), ..of(None, "6", 1) },
    ];
    desk.admit(&rows).await;
    desk.claim(&["1", "2", "3", "4"], 1).await;
    desk.settle("1", 1, landed("t1", 1)).await;
    desk.settle("2", 1, Settlement::Dead(failure(FailureKind::Refused))).await;
    desk.settle("3", 1, landed("t3", 1)).await;
    desk.settle("4", 1, Settlement::AwaitPerson(failure(FailureKind::Conflict))).await;
    let first = Survey { tenants: 4, tenants_done: 1, without_tenant: 1, ..Survey::default() };
    assert_eq!(desk.ledger.survey(&desk.run).await, Ok(first));
    let waived = desk.ledger.judge(&desk.run, &[desk.record("2")], Some("not needed"), "ann", NOW).await;
    assert_eq!(waived, Ok(1));
    let second = Survey { tenants_done: 2, waived: 1, ..first };
    assert_eq!(desk.ledger.survey(&desk.run).await, Ok(second));

    // A later run counts its own records alone, and what is as it was.
    let next = desk.next_run("r-2").await;
    let rows: Vec<Sighting> = rows.into_iter().filter(|row| row.key.as_str() != "5").collect();
    next.admit(&rows).await;
    let empty = Sighting { intent: SightingIntent::SendIfLanded, ..of(Some("a"), "5", 2) };
    next.admit(&[empty]).await;
    let later = Survey { tenants: 3, tenants_done: 2, unchanged: 2, without_tenant: 1, empty: 1, waived: 1 };
    assert_eq!(next.ledger.survey(&next.run).await, Ok(later));
    assert_eq!(desk.ledger.survey(&desk.run).await, Ok(Survey::default()), "its records are the later run's");
}
