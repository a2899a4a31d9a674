//! Outcomes of claimed records.

use std::collections::{BTreeMap, HashMap};

use haulier_core::port::{Micros, Settled, Settlement};
use haulier_core::{EntityName, RecordRef, RecordState, SourceKey, TargetId};

use crate::conn::{Args, Cells, Conn, Fast, Fault, Work};
use crate::law::{self, Settling};
use crate::record::{origin_code, state_code};
use crate::sheet::{self, Sheet};
use crate::store;

/// When, and in which run, records landed.
type Landed = HashMap<SourceKey, (Micros, i64)>;

#[derive(Debug)]
pub(crate) struct SettleRecords {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) entity_name: EntityName,
    pub(crate) owner: i64,
    pub(crate) settled: Vec<Settled>,
    /// The numbers of the entities that awaited parents belong to.
    pub(crate) parent_entities: HashMap<EntityName, i64>,
}

impl Work for SettleRecords {
    type Out = Vec<bool>;
    const DOING: &'static str = "settling records";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<bool>, Fault> {
        if self.settled.is_empty() {
            return Ok(Vec::new());
        }
        self.lock(conn);
        if let Fast::All { children } = self.land_new(conn).await? {
            if !children {
                return Ok(vec![true; self.settled.len()]);
            }
            let landed =
                self.settled.iter().map(|settled| (settled.key.clone(), (settled.now, self.run))).collect();
            let mut sheet = Sheet::default();
            self.release(conn, &mut sheet, &landed).await?;
            store::save(conn, &sheet).await?;
            return Ok(vec![true; self.settled.len()]);
        }
        self.settle_each(conn).await
    }
}

impl SettleRecords {
    /// A landing that does not see a child yet, while the child does not see the landing yet, would leave the child
    /// held for ever: landings of an entity share its lock, a call that holds children of it has the lock alone.
    fn lock<C: Conn>(&self, conn: &mut C) {
        let mut locks: BTreeMap<i64, bool> = BTreeMap::new();
        if self.settled.iter().any(|settled| matches!(settled.how, Settlement::Landed { .. })) {
            locks.insert(self.entity, false);
        }
        locks.extend(self.parent_entities.values().map(|entity| (*entity, true)));
        for (entity, alone) in locks {
            conn.lock(entity, alone);
        }
    }

    /// Lands all records, if each is the owner's, lands for the first time and was not seen again meanwhile.
    async fn land_new<C: Conn>(&self, conn: &mut C) -> Result<Fast, Fault> {
        let mut landed = Vec::with_capacity(self.settled.len());
        for settled in &self.settled {
            let Settlement::Landed { id, origin, hash, generation } = &settled.how else {
                return Ok(Fast::None);
            };
            landed.push((settled, id, *origin, *hash, *generation));
        }
        let args = Args::of([self.entity.into(), self.run.into(), self.owner.into()])
            .texts(landed.iter().map(|l| Some(l.0.key.as_str())))
            .ints(landed.iter().map(|l| Some(i64::from(l.0.attempt))))
            .texts(landed.iter().map(|l| Some(l.1.as_str())))
            .ints(landed.iter().map(|l| Some(origin_code(l.2))))
            .digests(landed.iter().map(|l| Some(l.3)))
            .ints(landed.iter().map(|l| Some(l.4)))
            .ints(landed.iter().map(|l| Some(l.0.now)));
        let done = conn.fast(C::SQL.land_new, args, landed.len()).await?;
        if done != Fast::None {
            let sending = (state_code(RecordState::Sending), self.owner);
            let landed = (state_code(RecordState::Landed), 0);
            conn.count(&sheet::moved(self.run, self.entity, sending, landed, self.settled.len()));
        }
        Ok(done)
    }

    async fn settle_each<C: Conn>(&self, conn: &mut C) -> Result<Vec<bool>, Fault> {
        let keys = self.settled.iter().map(|settled| &settled.key);
        let mut sheet = Sheet::of(store::load(conn, self.entity, keys).await?);
        let mut holders = self.holders(conn).await?;
        let parents = self.landed_parents(conn).await?;
        let mut kept = vec![false; self.settled.len()];
        let mut landed: Landed = HashMap::new();
        // Landings come first, so that a child in the same call sees its parent.
        let (lands, rest): (Vec<_>, Vec<_>) = (self.settled.iter().zip(&mut kept))
            .partition(|(settled, _)| matches!(settled.how, Settlement::Landed { .. }));
        for (settled, kept) in lands.into_iter().chain(rest) {
            let Some(mut record) = sheet.get(self.entity, &settled.key).cloned() else { continue };
            let mut at = Settling {
                owner: self.owner,
                entity_name: self.entity_name.as_str(),
                rival: None,
                parent_entity: 0,
                parent_landed: false,
            };
            if let Settlement::Landed { id, .. } = &settled.how {
                at.rival = holders.get(id).filter(|key| **key != settled.key);
            }
            if let Settlement::AwaitParent(parent) = &settled.how {
                at.parent_entity = self.parent_entities.get(&parent.entity).copied().unwrap_or(0);
                let here = sheet.get(at.parent_entity, &parent.key).is_some_and(|row| row.target.is_some());
                at.parent_landed = here || parents.contains(&parent);
            }
            let before = record.target.clone();
            *kept = law::settle(at, &mut record, settled)?;
            if let (true, Settlement::Landed { id, .. }) = (*kept, &settled.how)
                && record.target.as_ref() == Some(id)
            {
                if let Some(before) = before {
                    holders.remove(&before);
                }
                holders.insert(id.clone(), settled.key.clone());
                landed.insert(settled.key.clone(), (settled.now, record.run));
            }
            sheet.put(record);
        }
        self.release(conn, &mut sheet, &landed).await?;
        store::save(conn, &sheet).await?;
        Ok(kept)
    }

    /// Who has the target ids that records are about to land with.
    async fn holders<C: Conn>(&self, conn: &mut C) -> Result<HashMap<TargetId, SourceKey>, Fault> {
        let ids = self.settled.iter().filter_map(|settled| match &settled.how {
            Settlement::Landed { id, .. } => Some(id.as_str()),
            Settlement::Retry { .. }
            | Settlement::Unknown { .. }
            | Settlement::AwaitParent(_)
            | Settlement::AwaitPerson(_)
            | Settlement::Dead(_)
            | Settlement::Unsent => None,
        });
        let args = Args::of([self.entity.into()]).texts(ids.map(Some));
        let rows = conn.rows(C::SQL.target_holders, args).await?;
        rows.iter()
            .map(|row| Ok((TargetId::new(row.word(0)?), SourceKey::from_canonical(&row.word(1)?))))
            .collect()
    }

    /// Which of the awaited parents have a target id by now.
    async fn landed_parents<C: Conn>(&self, conn: &mut C) -> Result<Vec<&RecordRef>, Fault> {
        let mut parents: BTreeMap<i64, HashMap<&str, &RecordRef>> = BTreeMap::new();
        for settled in &self.settled {
            if let Settlement::AwaitParent(parent) = &settled.how
                && let Some(entity) = self.parent_entities.get(&parent.entity)
            {
                parents.entry(*entity).or_default().insert(parent.key.as_str(), parent);
            }
        }
        let mut landed = Vec::new();
        for (entity, parents) in parents {
            let args = Args::of([entity.into()]).texts(parents.keys().map(|key| Some(*key)));
            for row in conn.rows(C::SQL.target_ids, args).await? {
                landed.extend(parents.get(row.word(0)?.as_str()));
            }
        }
        Ok(landed)
    }

    /// Makes the children that wait for records which landed just now due at once.
    async fn release<C: Conn>(&self, conn: &mut C, sheet: &mut Sheet, landed: &Landed) -> Result<(), Fault> {
        if landed.is_empty() {
            return Ok(());
        }
        let args = Args::of([self.entity.into()]).texts(landed.keys().map(|key| Some(key.as_str())));
        let rows = conn.rows(C::SQL.children, args).await?;
        let children = rows.iter().map(store::record).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<(i64, SourceKey)> =
            children.iter().map(|child| (child.entity, child.key.clone())).collect();
        sheet.load(children);
        for (entity, key) in ids {
            let Some(mut child) = sheet.get(entity, &key).cloned() else { continue };
            let parent = child.waits.as_ref().filter(|(entity, _)| *entity == self.entity);
            // What an older run left behind is not stirred up: the counts of that run are closed.
            if let Some((now, run)) = parent.and_then(|(_, key)| landed.get(key)).copied()
                && child.run == run
            {
                law::release(&mut child, now)?;
                sheet.put(child);
            }
        }
        Ok(())
    }
}
