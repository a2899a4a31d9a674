//! What producer, workers and ledger do with a record.

use haulier_core::port::{Admission, Claim, Due, Settled, Settlement, Sighting, SightingIntent, Wanted};
use haulier_core::{Digest, EntityName, Origin, RecordRef, RecordState, SourceKey, TargetId};

use super::{Flight, RUN, World};
use crate::law::model::Law;
use crate::law::model::target::Request;
use crate::law::{self, Admitting, Settling};
use crate::record::Record;

impl World {
    pub(super) fn admit(&mut self, key: usize, version: i64, again: bool) -> Admission {
        if !self.claims() {
            self.queue.push((key, version));
            return Admission::Publish;
        }
        let at = Admitting { run: RUN, entity: 1, entity_name: "row", now: self.now, again, rival: None };
        let sighting = Sighting {
            key: name(key),
            tenant: None,
            generation: version,
            hash: hash(version),
            natural: None,
            path_key: None,
            intent: SightingIntent::Send,
        };
        let (record, admission) = law::admit(at, self.ledger.remove(&key), &sighting).unwrap();
        self.ledger.insert(key, record.unwrap());
        // Now and then the producer dies between the ledger and the queue.
        if admission == Admission::Publish && !again && self.roll(12) > 0 {
            self.queue.push((key, version));
        }
        admission
    }

    pub(super) fn deliver(&mut self) {
        let Some((key, version)) = self.draw(|world| &mut world.queue) else { return };
        let owner = self.workers[self.roll(2)];
        let mut flight =
            Flight { request: Request { key, version, known: None, unsure: false }, owner, attempt: 1 };
        match self.law {
            Law::Arrival => {}
            Law::Generation if version < self.sent[key] => return,
            Law::Generation => self.sent[key] = version,
            Law::OneFlight | Law::Whole => {
                let wanted = Wanted { key: name(key), generation: version, hash: hash(version) };
                let record = self.ledger.get_mut(&key).unwrap();
                let Claim::Send { attempt, known, unsure } = law::claim(record, RUN, owner, &wanted) else {
                    return;
                };
                flight.attempt = attempt;
                flight.request.known = known.map(|id| id.as_str().parse().unwrap());
                flight.request.unsure = unsure;
            }
        }
        self.flights.push(flight);
    }

    pub(super) fn answer(&mut self) {
        let Some(flight) = self.draw(|world| &mut world.flights) else { return };
        let place = self.act(&flight.request);
        if self.claims() {
            assert!(
                self.settle(&flight, landed(&flight, place)),
                "a claim of a living process was not its own"
            );
        }
    }

    pub(super) fn settle(&mut self, flight: &Flight, how: Settlement) -> bool {
        let at = Settling {
            owner: flight.owner,
            entity_name: "row",
            rival: None,
            parent_entity: 1,
            parent_landed: false,
        };
        let key = flight.request.key;
        let settled = Settled { key: name(key), attempt: flight.attempt, how, now: self.now };
        law::settle(at, self.ledger.get_mut(&key).unwrap(), &settled).unwrap()
    }

    pub(super) fn sweep(&mut self) {
        let due = |record: &Record| record.due.is_some_and(|due| due <= self.now);
        let keys: Vec<usize> = self.ledger.iter().filter(|(_, r)| due(r)).map(|(key, _)| *key).collect();
        for key in keys {
            let record = &self.ledger[&key];
            let due = Due {
                record: RecordRef { entity: EntityName::new("row").unwrap(), key: name(key) },
                attempt: record.attempts,
                state: record.state,
                since: record.due.unwrap(),
            };
            let version = self.source[key];
            let admission = self.admit(key, version, true);
            if due.state == RecordState::Unknown || admission == Admission::Publish {
                law::republish(self.ledger.get_mut(&key).unwrap(), RUN, &due).unwrap();
                self.queue.push((key, version));
            }
        }
    }

    /// Records that the queue has lost are due again.
    pub(super) fn rescue(&mut self) {
        for record in self.ledger.values_mut().filter(|record| record.state == RecordState::Queued) {
            (record.state, record.due) = (RecordState::Retry, Some(self.now));
        }
    }
}

pub(super) fn landed(flight: &Flight, place: usize) -> Settlement {
    let version = flight.request.version;
    Settlement::Landed {
        id: TargetId::new(place.to_string()),
        origin: Origin::Created,
        hash: hash(version),
        generation: version,
    }
}

fn name(key: usize) -> SourceKey {
    SourceKey::from_parts(&[key.to_string()])
}

fn hash(version: i64) -> Digest {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&version.to_le_bytes());
    Digest(bytes)
}
