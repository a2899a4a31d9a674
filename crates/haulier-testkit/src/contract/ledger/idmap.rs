//! Promises about the id map.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use haulier_core::port::{IdOrder, IdRow, Settled, Settlement};
use haulier_core::{EntityName, Origin, RunId, TargetId};

use super::Bench;
use super::fixture::{Desk, NOW, digest, entity, key, landed, sighting};

impl Desk {
    /// The whole map in pages of `page`.
    async fn map(&self, entity: Option<&EntityName>, order: IdOrder, page: u32) -> Vec<IdRow> {
        let mut all: Vec<IdRow> = Vec::new();
        loop {
            let rows = self.ledger.id_map(entity, order, all.last(), page).await.unwrap();
            if rows.is_empty() {
                return all;
            }
            all.extend(rows);
        }
    }

    /// Lands records together at one time.
    async fn land_all(&self, records: &[(&str, Origin)], now: i64) {
        self.admit(&records.iter().map(|(text, _)| sighting(text, 1)).collect::<Vec<_>>()).await;
        self.claim(&records.iter().map(|(text, _)| *text).collect::<Vec<_>>(), 1).await;
        let settled: Vec<Settled> = records
            .iter()
            .map(|(text, origin)| {
                let id = TargetId::new(format!("t{text}"));
                let how = Settlement::Landed { id, origin: *origin, hash: digest(1), generation: 0 };
                Settled { key: key(text), attempt: 1, how, now }
            })
            .collect();
        assert!(self.settle_these(&settled).await.iter().all(|kept| *kept));
    }
}

fn names(rows: &[IdRow]) -> Vec<String> {
    rows.iter().map(|row| format!("{}={}", row.record, row.target_id)).collect()
}

/// Records that landed at one time follow each other in some order, the same in every page size.
pub async fn the_id_map_is_paged_as_it_landed(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.of("zebra").land_all(&[("9", Origin::Created)], NOW).await;
    desk.land_all(&[("5", Origin::Created), ("3", Origin::Adopted)], NOW + 1).await;
    desk.of("zebra").land_all(&[("1", Origin::Created), ("2", Origin::Created)], NOW + 1).await;
    desk.land_all(&[("1", Origin::Created)], NOW + 2).await;
    let whole = desk.map(None, IdOrder::Landed, 100).await;
    assert_eq!(whole.len(), 6);
    assert!(whole.is_sorted_by_key(|row| row.landed_at));
    for page in 1..4 {
        assert_eq!(desk.map(None, IdOrder::Landed, page).await, whole);
    }
    let accounts = desk.map(Some(&entity("account")), IdOrder::Landed, 2).await;
    assert_eq!(names(&accounts), ["account/3=t3", "account/5=t5", "account/1=t1"]);
    assert_eq!(accounts[0].origin, Origin::Adopted);
    assert_eq!(accounts[0].run, RunId::new("r-1"));
    assert_eq!(desk.map(Some(&entity("nobody")), IdOrder::Landed, 2).await, []);
}

/// What was found there is not ours to remove.
pub async fn the_undo_list_is_the_created_ones_backwards(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land_all(&[("1", Origin::Created), ("2", Origin::Created), ("3", Origin::Adopted)], NOW).await;
    desk.of("project").land_all(&[("4", Origin::Created)], NOW + 1).await;
    let undo = desk.map(None, IdOrder::Undo, 100).await;
    assert_eq!(names(&undo), ["project/4=t4", "account/2=t2", "account/1=t1"]);
    assert_eq!(desk.map(None, IdOrder::Undo, 1).await, undo);
}

/// An update in a later run does not make it that run's.
pub async fn the_id_map_keeps_the_first_landing(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    let second = desk.next_run("r-2").await;
    second.admit_one(sighting("1", 2)).await;
    second.claim_one("1", 2).await;
    let Settlement::Landed { id, hash, generation, .. } = landed("t1", 2) else { return };
    let adopted = Settlement::Landed { id, origin: Origin::Adopted, hash, generation };
    second.settle_these(&[Settled { key: key("1"), attempt: 1, how: adopted, now: NOW + 9 }]).await;
    let map = second.map(None, IdOrder::Landed, 10).await;
    for (since, written) in [(NOW, 1), (NOW + 9, 1), (NOW + 10, 0)] {
        // The target was written with it again, though it is the same row of the map.
        assert_eq!(second.ledger.written_since(since).await, Ok(written), "{since}");
    }
    // It landed last in the second run, at NOW + 9.
    let stretch = (NOW + 9) / 5 * 5;
    assert_eq!(second.ledger.pace(&second.run, 5).await, Ok(vec![(stretch, 1)]));
    assert_eq!(desk.ledger.pace(&desk.run, 5).await, Ok(Vec::new()));
    assert_eq!((map.len(), &map[0].run, map[0].landed_at), (1, &RunId::new("r-1"), NOW));
    assert_eq!(map[0].origin, Origin::Created);
}
