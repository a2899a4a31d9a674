//! One history: a source that changes, a queue, workers, a target, and the ledger's law between them.

mod acts;
mod faults;

use std::collections::{BTreeMap, BTreeSet};

use haulier_core::RecordState;
use haulier_core::port::Micros;

use super::target::{Push, Request, Target};
use super::{Law, Net};
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
}
