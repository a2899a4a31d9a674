//! What goes wrong: answers that are lost or late, processes that die or fall silent.

use haulier_core::port::{Micros, Settlement};
use haulier_core::{Failure, FailureKind};

use super::acts::landed;
use super::{Flight, GRACE, World};
use crate::law;
use crate::law::model::target::Request;
use crate::law::model::{Law, Net};

impl World {
    /// The request may have acted, act later, or never.
    pub(super) fn abandon(&mut self, request: Request) {
        match self.roll(3) {
            0 => drop(self.act(&request)),
            1 => {
                let within = Micros::try_from(self.roll(usize::try_from(GRACE).unwrap())).unwrap();
                self.late.push((self.now + within, request));
            }
            _ => {}
        }
    }

    pub(super) fn lose_an_answer(&mut self) {
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
    pub(super) fn lose_a_worker(&mut self) {
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

    pub(super) fn answer_too_late(&mut self) {
        if let Some((flight, place)) = self.draw(|world| &mut world.stale) {
            let noticed = !self.dead.contains(&flight.owner);
            let taken = self.settle(&flight, landed(&flight, place));
            assert!(!(noticed && taken), "who was taken for dead settled a record");
        }
    }

    pub(super) fn notice_the_dead(&mut self) {
        let dead = std::mem::take(&mut self.dead);
        for record in self.ledger.values_mut() {
            if record.owner.is_some_and(|owner| dead.contains(&owner)) {
                law::lose_owner(record, self.now + GRACE).unwrap();
            }
        }
    }
}
