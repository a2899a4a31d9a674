//! One history: a source that changes, a queue, workers, a target, and the ledger's law between them.

use std::collections::{BTreeMap, BTreeSet};

use haulier_core::port::{
    Admission, Claim, Due, Micros, Settled, Settlement, Sighting, SightingIntent, Wanted,
};
use haulier_core::{
    Digest, EntityName, Failure, FailureKind, Origin, RecordRef, RecordState, SourceKey, TargetId,
};

use super::target::{Push, Request, Target};
use super::{Law, Net};
use crate::law::{self, Admitting, Settling};
use crate::record::Record;

const KEYS: usize = 3;
const STEPS: usize = 70;
/// How long a request may act after it was given up, or its worker died.
const GRACE: Micros = 12;
const RUN: i64 = 1;

/// How a history ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The target holds each row once, as the source does.
    Same,
    /// It does not.
    Apart,
}

/// A request with the claim that it is sent under.
#[derive(Debug, Clone)]
struct Flight {
    request: Request,
    owner: i64,
    attempt: u32,
}

pub(super) struct World {
    law: Law,
    net: Net,
    push: Push,
    dice: u64,
    now: Micros,
    /// The version of each row.
    source: [i64; KEYS],
    /// Rows that a walk has read and not admitted yet.
    readings: Vec<(usize, i64)>,
    ledger: BTreeMap<usize, Record>,
    queue: Vec<(usize, i64)>,
    flights: Vec<Flight>,
    /// Requests that act although nobody waits for them.
    late: Vec<(Micros, Request)>,
    /// Answers that come to a process which others took for dead.
    stale: Vec<(Flight, usize)>,
    /// The processes that work, and those whose end was not noticed yet.
    workers: [i64; 2],
    dead: Vec<i64>,
    born: i64,
    target: Target,
    acted: BTreeSet<(usize, i64)>,
    /// The newest version of each key that was sent, for those who look at nothing else.
    sent: [i64; KEYS],
}

impl World {
    pub(super) fn new(law: Law, net: Net, push: Push, seed: u64) -> Self {
        Self {
            law,
            net,
            push,
            dice: seed,
            now: 1,
            source: [1; KEYS],
            readings: Vec::new(),
            ledger: BTreeMap::new(),
            queue: Vec::new(),
            flights: Vec::new(),
            late: Vec::new(),
            stale: Vec::new(),
            workers: [1, 2],
            dead: Vec::new(),
            born: 2,
            target: Target::new(KEYS),
            acted: BTreeSet::new(),
            sent: [0; KEYS],
        }
    }

    /// A number below `sides`, the same for the same seed: splitmix64.
    fn roll(&mut self, sides: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    /// One of a list, which leaves it.
    fn draw<T>(&mut self, list: fn(&mut Self) -> &mut Vec<T>) -> Option<T> {
        let length = list(self).len();
        (length > 0).then(|| self.roll(length)).map(|at| list(self).swap_remove(at))
    }

    /// Lives through the history, ends it without further faults, and compares.
    pub(super) fn live(mut self) -> Ending {
        for _ in 0..STEPS {
            self.step();
            self.check();
        }
        self.end();
        let same = (0..KEYS).all(|key| self.target.rows[key] == [self.source[key]]);
        if same { Ending::Same } else { Ending::Apart }
    }

    fn step(&mut self) {
        self.pass_time(1);
        match self.roll(22) {
            0 | 1 => {
                let key = self.roll(KEYS);
                self.source[key] += 1;
                // What changed is read again some time: by the next walk, or because somebody says so.
                self.readings.push((key, self.source[key]));
            }
            2 => {
                let key = self.roll(KEYS);
                self.readings.push((key, self.source[key]));
            }
            3..=5 => {
                if let Some((key, version)) = self.draw(|world| &mut world.readings) {
                    self.admit(key, version, false);
                }
            }
            6..=9 => self.deliver(),
            10..=13 => self.answer(),
            14 => self.lose_an_answer(),
            15 => self.lose_a_worker(),
            16 => self.answer_too_late(),
            17 => self.notice_the_dead(),
            18 | 19 => self.sweep(),
            20 => {
                let twice = self.queue.first().copied();
                self.queue.extend(twice);
            }
            // A producer dies with what it has read; a queue forgets a message.
            _ if self.roll(4) == 0 && self.law == Law::Whole => {
                self.readings.clear();
                self.draw(|world| &mut world.queue);
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, by: Micros) {
        self.now += by;
        let now = self.now;
        while let Some(at) = self.late.iter().position(|(when, _)| *when <= now) {
            let (_, request) = self.late.swap_remove(at);
            self.act(&request);
        }
    }

    fn act(&mut self, request: &Request) -> usize {
        self.acted.insert((request.key, request.version));
        self.target.act(self.push, request)
    }

    fn claims(&self) -> bool {
        matches!(self.law, Law::OneFlight | Law::Whole)
    }

    fn admit(&mut self, key: usize, version: i64, again: bool) -> Admission {
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

    fn deliver(&mut self) {
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

    fn answer(&mut self) {
        let Some(flight) = self.draw(|world| &mut world.flights) else { return };
        let place = self.act(&flight.request);
        if self.claims() {
            assert!(
                self.settle(&flight, landed(&flight, place)),
                "a claim of a living process was not its own"
            );
        }
    }

    fn settle(&mut self, flight: &Flight, how: Settlement) -> bool {
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

    /// The request may have acted, act later, or never.
    fn abandon(&mut self, request: Request) {
        match self.roll(3) {
            0 => drop(self.act(&request)),
            1 => {
                let within = Micros::try_from(self.roll(usize::try_from(GRACE).unwrap())).unwrap();
                self.late.push((self.now + within, request));
            }
            _ => {}
        }
    }

    fn lose_an_answer(&mut self) {
        if self.net == Net::Slow {
            return;
        }
        let Some(flight) = self.draw(|world| &mut world.flights) else { return };
        let failure = Failure::new(FailureKind::Unknown, "no answer");
        match self.law {
            // Whoever takes no notes has the message once more.
            Law::Arrival | Law::Generation => self.queue.push((flight.request.key, flight.request.version)),
            Law::OneFlight => {
                self.settle(&flight, Settlement::Retry { due: self.now, failure, counted: true });
            }
            Law::Whole => {
                self.settle(&flight, Settlement::Unknown { due: self.now + GRACE, failure });
            }
        }
        self.abandon(flight.request);
    }

    /// A process dies, or is only stopped: then answers to what it sent come later, and are nobody's.
    fn lose_a_worker(&mut self) {
        if self.net == Net::Slow || self.law != Law::Whole {
            return;
        }
        let which = self.roll(2);
        let lost = self.workers[which];
        self.born += 1;
        self.workers[which] = self.born;
        self.dead.push(lost);
        let (theirs, others) = self.flights.drain(..).partition(|flight: &Flight| flight.owner == lost);
        self.flights = others;
        let theirs: Vec<Flight> = theirs;
        for flight in theirs {
            if self.roll(2) == 0 {
                let place = self.act(&flight.request);
                self.stale.push((flight, place));
            } else {
                self.abandon(flight.request);
            }
        }
    }

    fn answer_too_late(&mut self) {
        if let Some((flight, place)) = self.draw(|world| &mut world.stale) {
            let noticed = !self.dead.contains(&flight.owner);
            let taken = self.settle(&flight, landed(&flight, place));
            assert!(!(noticed && taken), "who was taken for dead settled a record");
        }
    }

    fn notice_the_dead(&mut self) {
        let dead = std::mem::take(&mut self.dead);
        for record in self.ledger.values_mut() {
            if record.owner.is_some_and(|owner| dead.contains(&owner)) {
                law::lose_owner(record, self.now + GRACE).unwrap();
            }
        }
    }

    fn sweep(&mut self) {
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

    /// What holds at any moment.
    fn check(&self) {
        for (key, record) in &self.ledger {
            let landed = record.state == RecordState::Landed;
            let version = record.content.generation;
            assert!(!landed || self.acted.contains(&(*key, version)), "landed without a request that acted");
            let flying = self.flights.iter().filter(|flight| flight.request.key == *key).count();
            assert!(flying <= 1, "two requests of one key at a time");
            assert_eq!(
                record.due.is_some(),
                matches!(record.state, RecordState::Retry | RecordState::Unknown)
            );
            assert_eq!(record.owner.is_some(), record.state == RecordState::Sending);
        }
    }

    /// Everything that was begun comes to its end; the last look at the source comes after its last change.
    fn end(&mut self) {
        for key in 0..KEYS {
            self.readings.push((key, self.source[key]));
        }
        for _ in 0..40 {
            while let Some((key, version)) = self.draw(|world| &mut world.readings) {
                self.admit(key, version, false);
            }
            while !(self.queue.is_empty() && self.flights.is_empty()) {
                if self.roll(2) == 0 {
                    self.deliver();
                } else {
                    self.answer();
                }
                self.check();
            }
            while !self.stale.is_empty() {
                self.answer_too_late();
            }
            self.notice_the_dead();
            self.pass_time(GRACE + 1);
            self.sweep();
            let states: Vec<RecordState> = self.ledger.values().map(|record| record.state).collect();
            if self.queue.is_empty() && !states.iter().any(|state| state.is_open()) {
                return;
            }
            if self.queue.is_empty() {
                self.rescue();
            }
        }
        panic!("it does not come to an end: {:?}", self.ledger);
    }

    /// Records that the queue has lost are due again.
    fn rescue(&mut self) {
        for record in self.ledger.values_mut().filter(|record| record.state == RecordState::Queued) {
            (record.state, record.due) = (RecordState::Retry, Some(self.now));
        }
    }
}

fn landed(flight: &Flight, place: usize) -> Settlement {
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
