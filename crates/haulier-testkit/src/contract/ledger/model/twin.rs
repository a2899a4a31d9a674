//! The model: the contract over a map, as slow and as plain as can be.

use std::collections::BTreeMap;

use haulier_core::port::{Admission, Claim, Settlement};
use haulier_core::{
    FailureKind, Origin, RecordEvent as E, RecordRef, RecordState, RecordState as S, TargetId,
};

use super::super::fixture::{NOW, digest, failure};
use super::dice::Dice;

/// A row as the producer read it. Intent 0 refuses it, 1 leaves it out, any other sends it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) key: String,
    pub(super) content: u64,
    pub(super) natural: Option<u64>,
    pub(super) intent: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Landed { id: usize, content: u64 },
    Retry { counted: bool },
    Unknown,
    AwaitParent(usize, String),
    AwaitPerson,
    Dead,
    Unsent,
}

impl Outcome {
    pub(super) fn settlement(&self, parent: impl Fn(&(usize, String)) -> RecordRef) -> Settlement {
        match self {
            Self::Landed { content, .. } => Settlement::Landed {
                id: TargetId::new(self.id().unwrap_or_default()),
                origin: Origin::Created,
                hash: digest(*content),
                generation: 0,
            },
            Self::Retry { counted } => {
                Settlement::Retry { due: NOW, failure: failure(FailureKind::Transient), counted: *counted }
            }
            Self::Unknown => Settlement::Unknown { due: NOW, failure: failure(FailureKind::Unknown) },
            Self::AwaitParent(entity, key) => Settlement::AwaitParent(parent(&(*entity, key.clone()))),
            Self::AwaitPerson => Settlement::AwaitPerson(failure(FailureKind::Conflict)),
            Self::Dead => Settlement::Dead(failure(FailureKind::Refused)),
            Self::Unsent => Settlement::Unsent,
        }
    }
}

#[derive(Debug, Clone)]
struct Row {
    run: usize,
    state: S,
    content: u64,
    next: Option<u64>,
    natural: Option<u64>,
    attempts: u32,
    owner: Option<usize>,
    unsure: bool,
    waits: Option<(usize, String)>,
    target: Option<String>,
    landed: Option<u64>,
    waived: bool,
}

impl Row {
    fn go(&mut self, event: E) {
        self.state =
            self.state.next(event).unwrap_or_else(|error| unreachable!("the model is wrong: {error}"));
        (self.owner, self.waits) = (None, None);
    }
}

#[derive(Debug, Default)]
pub(super) struct Twin {
    run: usize,
    rows: BTreeMap<(usize, String), Row>,
}

impl Twin {
    pub(super) fn admit(&mut self, entity: usize, seen: &[Seen]) -> Vec<Admission> {
        let mut names: BTreeMap<u64, String> = BTreeMap::new();
        for ((_, key), row) in self.rows.iter().filter(|((of, _), _)| *of == entity) {
            let leaves = seen.iter().any(|seen| seen.key == *key && seen.natural != row.natural);
            if let (Some(natural), false) = (row.natural, leaves) {
                names.insert(natural, key.clone());
            }
        }
        let mut admissions = Vec::new();
        for seen in seen {
            let taken =
                seen.natural.and_then(|natural| names.get(&natural)).is_some_and(|key| *key != seen.key);
            admissions.push(self.admit_one(entity, seen, taken));
            if let (Some(natural), false) = (seen.natural, taken) {
                names.insert(natural, seen.key.clone());
            }
        }
        admissions
    }

    fn admit_one(&mut self, entity: usize, seen: &Seen, taken: bool) -> Admission {
        let at = (entity, seen.key.clone());
        let known = self.rows.get(&at).cloned();
        let mut row = known.clone().unwrap_or(Row {
            run: self.run,
            state: S::Queued,
            content: seen.content,
            next: None,
            natural: None,
            attempts: 0,
            owner: None,
            unsure: false,
            waits: None,
            target: None,
            landed: None,
            waived: false,
        });
        let (known, here) = (known.is_some(), known.is_some_and(|row| row.run == self.run));
        row.run = self.run;
        row.natural = if taken { row.natural.filter(|old| Some(*old) == seen.natural) } else { seen.natural };
        let same = known && row.content == seen.content;
        let admission = match (row.state, seen.intent) {
            (S::Sending | S::Unknown, _) => {
                row.next = (!same).then_some(seen.content);
                Admission::Noted
            }
            (S::Skipped, intent) if intent != 1 && same && row.waived => {
                if !here {
                    row.go(E::FoundUnchanged);
                }
                Admission::Skipped
            }
            (_, 0) => {
                row.go(E::Refused);
                (row.content, row.waived) = (seen.content, false);
                Admission::Dead
            }
            (_, 1) => {
                row.go(E::FoundUnchanged);
                (row.content, row.waived) = (seen.content, false);
                Admission::Skipped
            }
            (S::Landed | S::Skipped, _) if same && row.landed == Some(seen.content) => {
                if !here {
                    row.go(E::FoundUnchanged);
                    row.waived = false;
                }
                Admission::Unchanged
            }
            (S::Dead, _) if same && here => Admission::Dead,
            (S::Held, _) if same && here => Admission::Noted,
            (S::Queued | S::Retry, _) if same && here && !taken => Admission::Publish,
            _ => {
                (row.content, row.attempts, row.waived) = (seen.content, 0, false);
                row.go(if taken { E::Refused } else { E::Admitted });
                if taken { Admission::Dead } else { Admission::Publish }
            }
        };
        self.rows.insert(at, row);
        admission
    }

    pub(super) fn newest(&self, entity: usize, key: &str) -> u64 {
        self.rows.get(&(entity, key.to_owned())).map_or(0, |row| row.next.unwrap_or(row.content))
    }

    pub(super) fn claim(&mut self, entity: usize, owner: usize, wanted: &[(String, u64)]) -> Vec<Claim> {
        let run = self.run;
        let mut claim = |(key, content): &(String, u64)| {
            let newest = self.newest(entity, key);
            let Some(row) = self.rows.get_mut(&(entity, key.clone())) else { return Claim::Stranger };
            if row.run != run || newest != *content || row.state.next(E::Claimed).is_err() {
                return Claim::Drop;
            }
            row.go(E::Claimed);
            (row.owner, row.content, row.next) = (Some(owner), *content, None);
            row.attempts += 1;
            let known = row.target.clone().map(TargetId::new);
            Claim::Send { attempt: row.attempts, known, unsure: row.unsure }
        };
        wanted.iter().map(&mut claim).collect()
    }

    /// Some record that the owner is sending, also one that an older run left: key, attempt, content.
    pub(super) fn sending(&self, entity: usize, owner: usize, dice: &mut Dice) -> Option<(String, u32, u64)> {
        let mine: Vec<_> = (self.rows.iter())
            .filter(|((of, _), row)| *of == entity && row.state == S::Sending && row.owner == Some(owner))
            .collect();
        let ((_, key), row) = mine.get(dice.roll(mine.len().max(1)))?;
        Some((key.clone(), row.attempts, row.content))
    }

    pub(super) fn settle(
        &mut self,
        entity: usize,
        owner: usize,
        all: &[(String, u32, Outcome)],
    ) -> Vec<bool> {
        let mut kept = vec![false; all.len()];
        let mut landed = Vec::new();
        for lands in [true, false] {
            for ((key, attempt, how), kept) in all.iter().zip(&mut kept) {
                if matches!(how, Outcome::Landed { .. }) == lands {
                    *kept = self.settle_one(entity, owner, key, *attempt, how);
                    if *kept && self.rows[&(entity, key.clone())].target == how.id() && lands {
                        landed.push((entity, key.clone()));
                    }
                }
            }
        }
        let runs: BTreeMap<_, _> = landed.iter().map(|at| (at.clone(), self.rows[at].run)).collect();
        for row in self.rows.values_mut() {
            if let Some(parent) = &row.waits
                && runs.get(parent) == Some(&row.run)
            {
                row.go(E::ParentStored);
            }
        }
        kept
    }

    fn settle_one(&mut self, entity: usize, owner: usize, key: &str, attempt: u32, how: &Outcome) -> bool {
        let at = (entity, key.to_owned());
        let id = how.id();
        let taken = id.is_some()
            && self.rows.iter().any(|((of, other), row)| *of == entity && other != key && row.target == id);
        let parent = if let Outcome::AwaitParent(entity, key) = how {
            self.rows.get(&(*entity, key.clone())).is_some_and(|row| row.target.is_some())
        } else {
            false
        };
        let Some(row) = self.rows.get_mut(&at) else { return false };
        if row.state != S::Sending || row.owner != Some(owner) || row.attempts != attempt {
            return false;
        }
        let next = row.next.take();
        match how {
            Outcome::Landed { content, .. } if !taken => {
                row.go(E::Stored);
                (row.landed, row.target, row.unsure) = (Some(*content), id, false);
                row.content = *content;
            }
            Outcome::Landed { .. } | Outcome::Dead => row.go(E::FailedForGood),
            Outcome::Retry { counted } => {
                row.go(E::FailedForNow);
                row.attempts -= u32::from(!counted);
            }
            Outcome::Unknown => {
                row.go(E::OutcomeLost);
                row.unsure = true;
            }
            Outcome::AwaitParent(entity, key) => {
                row.go(E::ParentMissing);
                row.attempts -= 1;
                if parent {
                    row.go(E::ParentStored);
                } else {
                    row.waits = Some((*entity, key.clone()));
                }
            }
            Outcome::AwaitPerson => row.go(E::Conflicted),
            Outcome::Unsent => {
                row.go(E::Unclaimed);
                row.attempts -= 1;
            }
        }
        match next {
            Some(next) if row.state == S::Unknown => row.next = Some(next),
            Some(next) if row.state == S::Landed && row.landed == Some(next) => {}
            Some(next) => {
                (row.state, row.content, row.attempts, row.waits) = (S::Retry, next, 0, None);
            }
            None => {}
        }
        true
    }

    pub(super) fn republish(&mut self, entity: usize, key: &str) {
        if let Some(row) = self.rows.get_mut(&(entity, key.to_owned())) {
            row.go(E::Republished);
            row.content = row.next.take().unwrap_or(row.content);
        }
    }

    pub(super) fn judge(&mut self, entity: usize, key: &str, waive: bool) -> u64 {
        let run = self.run;
        let Some(row) = self.rows.get_mut(&(entity, key.to_owned())) else { return 0 };
        let open =
            matches!(row.state, S::Dead | S::Held) || (!waive && row.state == S::Skipped && row.waived);
        if row.run != run || !open {
            return 0;
        }
        row.go(if waive { E::WaivedByPerson } else { E::RetriedByPerson });
        row.waived = waive;
        if !waive {
            row.attempts = 0;
        }
        1
    }

    pub(super) fn reap(&mut self, owner: usize) -> u64 {
        let run = self.run;
        let lost = self.rows.values_mut().filter(|row| row.run == run && row.owner == Some(owner));
        lost.map(|row| {
            row.go(E::OwnerLost);
            row.unsure = true;
        })
        .count() as u64
    }

    pub(super) fn rescue(&mut self) -> u64 {
        let run = self.run;
        let queued = self.rows.values_mut().filter(|row| row.run == run && row.state == S::Queued);
        queued.map(|row| row.state = S::Retry).count() as u64
    }

    pub(super) fn next_run(&mut self) {
        self.run += 1;
    }

    pub(super) fn counts(&self, entity: usize) -> (u64, BTreeMap<RecordState, u64>) {
        let mut states = BTreeMap::new();
        for row in self.of_run(entity).map(|(_, row)| row) {
            *states.entry(row.state).or_default() += 1;
        }
        (states.values().sum(), states)
    }

    pub(super) fn ids(&self, entity: usize) -> Vec<(String, String)> {
        let of = self.rows.iter().filter(|((of, _), _)| *of == entity);
        of.filter_map(|((_, key), row)| Some((key.clone(), row.target.clone()?))).collect()
    }

    pub(super) fn due(&self, entity: usize) -> Vec<(String, u32, RecordState)> {
        self.of_run(entity)
            .filter(|(_, row)| matches!(row.state, S::Retry | S::Unknown))
            .map(|(key, row)| (key.clone(), row.attempts, row.state))
            .collect()
    }

    fn of_run(&self, entity: usize) -> impl Iterator<Item = (&String, &Row)> {
        let run = self.run;
        (self.rows.iter())
            .filter(move |((of, _), row)| *of == entity && row.run == run)
            .map(|((_, key), row)| (key, row))
    }
}
