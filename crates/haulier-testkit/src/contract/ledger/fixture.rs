//! A run with one entity, and short ways to say what happens in it.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::sync::Arc;

use haulier_core::digest::Digester;
use haulier_core::port::{
    Admission, Admit, Claim, DeadFilter, EntityTally, Ledger, Micros, ProcessBeat, RecordRow, RunRequest,
    Settled, Settlement, Sighting, SightingIntent, Wanted,
};
use haulier_core::{
    Digest, EntityName, Failure, FailureKind, Origin, ProcessId, RecordRef, RecordState, RunId, SourceKey,
    TargetId,
};

use super::Bench;

/// When everything happens, unless a promise says otherwise.
pub(super) const NOW: Micros = 1_700_000_000_000_000;

/// A digest that is another for every number.
#[must_use]
pub fn digest(number: u64) -> Digest {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    Digest(bytes)
}

/// An entity's name.
#[must_use]
pub fn entity(name: &str) -> EntityName {
    EntityName::new(name).unwrap()
}

/// A source key.
#[must_use]
pub fn key(text: &str) -> SourceKey {
    SourceKey::from_canonical(text)
}

/// A row to send, with content `content`.
#[must_use]
pub fn sighting(text: &str, content: u64) -> Sighting {
    Sighting {
        key: key(text),
        tenant: None,
        generation: 0,
        hash: digest(content),
        natural: None,
        path_key: None,
        intent: SightingIntent::Send,
    }
}

/// The digest of a natural key of one part.
pub(super) fn natural(text: &str) -> Digest {
    let mut digester = Digester::default();
    digester.part(text);
    digester.finish()
}

pub(super) fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, format!("it was {}", kind.as_str()))
}

pub(super) fn landed(id: &str, content: u64) -> Settlement {
    Settlement::Landed {
        id: TargetId::new(id),
        origin: Origin::Created,
        hash: digest(content),
        generation: 0,
    }
}

pub(super) fn send(attempt: u32) -> Claim {
    Claim::Send { attempt, known: None, unsure: false }
}

/// One process in one run.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The run.
    pub run: RunId,
    /// The entity.
    pub entity: EntityName,
    /// The process.
    pub me: ProcessId,
}

impl Desk {
    /// Opens the ledger, and the run `r-1` of the plan `p` in it.
    pub async fn open(bench: &dyn Bench) -> Self {
        let ledger = bench.open().await.unwrap();
        Self::on(ledger, "r-1").await
    }

    /// Opens or resumes a run.
    pub async fn on(ledger: Arc<dyn Ledger>, id: &str) -> Self {
        let id = RunId::new(id);
        let request = RunRequest { id: &id, plan: "p", digest: "d", accept_plan: false, now: NOW };
        let run = ledger.open_run(request).await.unwrap();
        Self { ledger, run: run.id, entity: entity("account"), me: ProcessId::new("me") }
    }

    /// Finishes this run and opens another.
    pub(super) async fn next_run(&self, id: &str) -> Self {
        self.ledger.finish_run(&self.run, NOW).await.unwrap();
        Self::on(Arc::clone(&self.ledger), id).await
    }

    pub(super) fn of(&self, name: &str) -> Self {
        Self { entity: entity(name), ..self.clone() }
    }

    pub(super) fn process(&self, name: &str) -> Self {
        Self { me: ProcessId::new(name), ..self.clone() }
    }

    pub(super) fn record(&self, text: &str) -> RecordRef {
        RecordRef { entity: self.entity.clone(), key: key(text) }
    }

    /// Admits rows, and proves that nothing was lost.
    pub async fn admit(&self, sightings: &[Sighting]) -> Vec<Admission> {
        let admit = Admit { run: &self.run, entity: &self.entity, sightings, again: false, now: NOW };
        let admissions = self.ledger.admit(admit).await.unwrap();
        assert_eq!(admissions.len(), sightings.len());
        self.conserved().await;
        admissions
    }

    pub(super) async fn admit_one(&self, sighting: Sighting) -> Admission {
        self.admit(&[sighting]).await[0]
    }

    /// Claims keys with this content.
    pub async fn claim(&self, keys: &[&str], content: u64) -> Vec<Claim> {
        let wanted: Vec<Wanted> =
            keys.iter().map(|text| Wanted { key: key(text), generation: 0, hash: digest(content) }).collect();
        self.claim_these(&wanted).await
    }

    pub(super) async fn claim_these(&self, wanted: &[Wanted]) -> Vec<Claim> {
        let claims = self.ledger.claim(&self.run, &self.entity, &self.me, wanted).await.unwrap();
        assert_eq!(claims.len(), wanted.len());
        claims
    }

    pub(super) async fn claim_one(&self, text: &str, content: u64) -> Claim {
        self.claim(&[text], content).await.remove(0)
    }

    pub(super) async fn settle_these(&self, settled: &[Settled]) -> Vec<bool> {
        let kept = self.ledger.settle(&self.run, &self.entity, &self.me, settled).await.unwrap();
        assert_eq!(kept.len(), settled.len());
        self.conserved().await;
        kept
    }

    pub(super) async fn settle(&self, text: &str, attempt: u32, how: Settlement) -> bool {
        self.settle_these(&[Settled { key: key(text), attempt, how, now: NOW }]).await[0]
    }

    /// Admits, claims and lands a record.
    pub(super) async fn land(&self, text: &str, content: u64, id: &str) {
        assert_eq!(self.admit_one(sighting(text, content)).await, Admission::Publish);
        assert!(matches!(self.claim_one(text, content).await, Claim::Send { attempt: 1, .. }));
        assert!(self.settle(text, 1, landed(id, content)).await);
    }

    pub(super) async fn counts(&self) -> EntityTally {
        let tally = self.ledger.tally(&self.run).await.unwrap();
        tally.entities.get(&self.entity).cloned().unwrap_or_default()
    }

    pub(super) async fn conserved(&self) {
        let tally = self.ledger.tally(&self.run).await.unwrap();
        assert_eq!(tally.check_conserved(), Ok(()), "{tally:?}");
    }

    /// The record as a list shows it.
    pub(super) async fn row(&self, text: &str) -> RecordRow {
        let filter = DeadFilter {
            states: RecordState::ALL.to_vec(),
            entity: Some(self.entity.clone()),
            ..DeadFilter::default()
        };
        let rows = self.ledger.list(&self.run, &filter, None, 10_000).await.unwrap();
        rows.into_iter().find(|row| row.record.key == key(text)).unwrap()
    }

    pub(super) async fn state(&self, text: &str) -> RecordState {
        self.row(text).await.state
    }

    /// Keys that are due at `now`, in order.
    pub(super) async fn due(&self, now: Micros) -> Vec<String> {
        let due = self.ledger.due(&self.run, now, 1000).await.unwrap();
        due.iter().map(|due| due.record.key.as_str().to_owned()).collect()
    }

    pub(super) async fn beat(&self, at: Micros) {
        self.ledger.beat(&self.sign(at)).await.unwrap();
    }

    pub(super) fn sign(&self, at: Micros) -> ProcessBeat {
        ProcessBeat {
            process: self.me.clone(),
            run: self.run.clone(),
            role: "worker".to_owned(),
            host: "host-1".to_owned(),
            pid: 4711,
            at,
            in_flight: 3,
            ended: false,
            report: None,
        }
    }
}
