//! The ledger does what a plain model in memory does, over random histories.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

mod dice;
mod twin;

use std::collections::BTreeMap;

use haulier_core::port::{Due, Settled, SightingIntent, Wanted};
use haulier_core::{FailureKind, RecordRef, RecordState, TenantKey};

use super::Bench;
use super::fixture::{Desk, NOW, digest, failure, key, natural, sighting};
use dice::Dice;
use twin::{Outcome, Seen, Twin};

const HISTORIES: u64 = 16;
const STEPS: usize = 150;
const ENTITIES: [&str; 2] = ["account", "project"];

/// Same answers, same counts, same ids, after every step.
pub async fn it_does_what_the_model_does(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    for seed in 0..HISTORIES {
        let desk = Desk::on(std::sync::Arc::clone(&ledger), &format!("h{seed}-0")).await;
        let mut history =
            History { dice: Dice::new(seed), twin: Twin::default(), desk, seed, runs: 0, log: Vec::new() };
        for _ in 0..STEPS {
            history.step().await;
        }
        history.desk.ledger.finish_run(&history.desk.run, NOW).await.unwrap();
    }
}

struct History {
    dice: Dice,
    twin: Twin,
    desk: Desk,
    seed: u64,
    runs: u32,
    log: Vec<String>,
}

impl History {
    /// Histories share a ledger, but no records.
    fn name(&self, entity: usize) -> String {
        format!("{}{}", ENTITIES[entity], self.seed)
    }

    fn desk(&self, entity: usize, owner: usize) -> Desk {
        self.desk.of(&self.name(entity)).process(["one", "two"][owner])
    }

    async fn step(&mut self) {
        match self.dice.roll(20) {
            0..6 => self.admit().await,
            6..11 => self.claim().await,
            11..16 => self.settle().await,
            16 => self.republish().await,
            17 => self.judge().await,
            18 => self.sweep().await,
            _ => self.next_run().await,
        }
        self.compare().await;
    }

    async fn admit(&mut self) {
        let entity = self.dice.roll(2);
        let seen: Vec<Seen> = (0..=self.dice.roll(5)).map(|_| self.dice.seen()).collect();
        let rows: Vec<_> = seen
            .iter()
            .map(|seen| {
                let mut row = sighting(&seen.key, seen.content);
                // Target ids are of the same few texts.
                row.natural = seen.natural.map(|number| natural(&format!("t{number}")));
                row.tenant = Some(TenantKey::new("t"));
                row.intent = match seen.intent {
                    0 => SightingIntent::Refuse(failure(FailureKind::Mapping)),
                    1 => SightingIntent::Skip("left out".to_owned()),
                    _ => SightingIntent::Send,
                };
                row
            })
            .collect();
        let wanted = self.twin.admit(entity, &seen);
        let got = self.desk(entity, 0).admit(&rows).await;
        self.agree(&format!("admit {seen:?}"), &got, &wanted);
    }

    async fn claim(&mut self) {
        let (entity, owner) = (self.dice.roll(2), self.dice.roll(2));
        let wanted: Vec<(String, u64)> = (0..=self.dice.roll(5))
            .map(|_| {
                let key = self.dice.key();
                let newest = self.twin.newest(entity, &key);
                let content = if self.dice.roll(8) > 0 { newest } else { self.dice.content() };
                (key, content)
            })
            .collect();
        let asked: Vec<Wanted> = wanted
            .iter()
            .map(|(text, content)| Wanted { key: key(text), generation: 0, hash: digest(*content) })
            .collect();
        let model = self.twin.claim(entity, owner, &wanted);
        let got = self.desk(entity, owner).claim_these(&asked).await;
        self.agree(&format!("claim {wanted:?} by {owner}"), &got, &model);
    }

    async fn settle(&mut self) {
        let (entity, owner) = (self.dice.roll(2), self.dice.roll(2));
        let mut outcomes = Vec::new();
        for _ in 0..=self.dice.roll(5) {
            let Some((key, attempt, content)) = self.twin.sending(entity, owner, &mut self.dice) else {
                break;
            };
            let how = self.dice.outcome(content, entity);
            // Now and then somebody settles what is not theirs any more.
            let attempt = if self.dice.roll(15) == 0 { attempt + 1 } else { attempt };
            outcomes.push((key, attempt, how));
        }
        let settled: Vec<Settled> = outcomes
            .iter()
            .map(|(text, attempt, how)| {
                let parent = |(entity, text): &(usize, String)| RecordRef {
                    entity: super::entity(&self.name(*entity)),
                    key: key(text),
                };
                Settled { key: key(text), attempt: *attempt, how: how.settlement(parent), now: NOW }
            })
            .collect();
        let wanted = self.twin.settle(entity, owner, &outcomes);
        let got = self.desk(entity, owner).settle_these(&settled).await;
        self.agree(&format!("settle {outcomes:?} by {owner}"), &got, &wanted);
    }

    async fn republish(&mut self) {
        let due = self.desk.ledger.due(&self.desk.run, NOW, 3).await.unwrap();
        for due in &due {
            let entity = usize::from(due.record.entity.as_str().starts_with(ENTITIES[1]));
            self.twin.republish(entity, due.record.key.as_str());
        }
        self.desk.ledger.republished(&self.desk.run, &due).await.unwrap();
        self.log.push(format!("republish {due:?}"));
    }

    async fn judge(&mut self) {
        let (entity, key) = (self.dice.roll(2), self.dice.key());
        let waive = (self.dice.roll(2) == 0).then_some("enough");
        let wanted = self.twin.judge(entity, &key, waive.is_some());
        let record = self.desk(entity, 0).record(&key);
        let got = self.desk.ledger.judge(&self.desk.run, &[record], waive, "ann", NOW).await;
        self.agree(&format!("judge {entity}/{key} {waive:?}"), &got, &Ok(wanted));
    }

    async fn sweep(&mut self) {
        if self.dice.roll(2) == 0 {
            let owner = self.dice.roll(2);
            self.desk(0, owner).beat(NOW - 20).await;
            self.desk(0, 1 - owner).beat(NOW).await;
            let wanted = self.twin.reap(owner);
            let got = self.desk.ledger.reap(&self.desk.run, NOW - 10, NOW).await;
            self.agree(&format!("reap {owner}"), &got, &Ok(wanted));
        } else {
            let wanted = self.twin.rescue();
            let got = self.desk.ledger.rescue(&self.desk.run, NOW).await;
            self.agree("rescue", &got, &Ok(wanted));
        }
    }

    async fn next_run(&mut self) {
        if self.dice.roll(4) == 0 {
            self.runs += 1;
            self.twin.next_run();
            self.desk = self.desk.next_run(&format!("h{}-{}", self.seed, self.runs)).await;
            self.log.push("next run".to_owned());
        }
    }

    async fn compare(&mut self) {
        let tally = self.desk.ledger.tally(&self.desk.run).await.unwrap();
        let mut due: Vec<Due> = self.desk.ledger.due(&self.desk.run, NOW, 1000).await.unwrap();
        due.sort_by(|a, b| a.record.cmp(&b.record));
        let mut wanted_due = Vec::new();
        for entity in 0..ENTITIES.len() {
            let name = super::entity(&self.name(entity));
            let counts = tally.entities.get(&name).cloned().unwrap_or_default();
            let states: BTreeMap<RecordState, u64> = counts.states.clone();
            let wanted = self.twin.counts(entity);
            self.agree("counts", &(counts.planned, states), &wanted);
            let keys: Vec<RecordRef> =
                Dice::keys().map(|text| RecordRef { entity: name.clone(), key: key(&text) }).collect();
            let ids = self.desk.ledger.target_ids(&keys).await.unwrap();
            let mut ids: Vec<_> = ids.iter().map(|(r, id)| (r.key.to_string(), id.to_string())).collect();
            ids.sort();
            let wanted = self.twin.ids(entity);
            self.agree("target ids", &ids, &wanted);
            wanted_due.extend(self.twin.due(entity).into_iter().map(|(text, attempt, state)| Due {
                record: RecordRef { entity: name.clone(), key: key(&text) },
                attempt,
                state,
                since: NOW,
            }));
        }
        self.agree("due", &due, &wanted_due);
    }

    fn agree<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, got: &T, wanted: &T) {
        self.log.push(format!("{what} -> {wanted:?}"));
        let story = || {
            let from = self.log.len().saturating_sub(40);
            format!("history {}, the last of it:\n{}", self.seed, self.log[from..].join("\n"))
        };
        assert_eq!(got, wanted, "{}", story());
        if matches!(what, "counts" | "target ids" | "due") {
            self.log.pop();
        }
    }
}

impl Outcome {
    pub(super) fn id(&self) -> Option<String> {
        if let Self::Landed { id, .. } = self { Some(format!("t{id}")) } else { None }
    }
}
