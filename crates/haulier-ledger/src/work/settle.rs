//! Outcomes of claimed records.

use std::collections::{BTreeMap, HashMap, HashSet};

use haulier_core::port::{Micros, Settled, Settlement};
use haulier_core::{EntityName, Origin, RecordRef, RecordState, SourceKey, TargetId};

use crate::conn::{Args, Cells, Conn, Each, Fault, Quick, Shortcut, Work};
use crate::law::{self, Settling};
use crate::record::{Content, id_digest, origin_code, state_code};
use crate::sheet::{self, Deltas, Sheet};
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
        self.lock(conn);
        let all: Vec<usize> = (0..self.settled.len()).collect();
        let mut kept = vec![false; all.len()];
        let mut landed = Landed::new();
        // Landings come first, so that a child in the same call sees its parent.
        let (mut lands, rest): (Vec<usize>, Vec<usize>) =
            all.iter().partition(|index| self.lands(**index).is_some());
        if self.distinct() {
            for each in [Each::Land, Each::Update] {
                self.land_some(conn, each, &mut lands, &mut landed, &mut kept).await?;
            }
        }
        let rest: Vec<usize> = lands.into_iter().chain(rest).collect();
        let mut sheet = Sheet::default();
        if !rest.is_empty() {
            self.settle_each(conn, &rest, &mut sheet, &mut landed, &mut kept).await?;
        }
        self.release(conn, &mut sheet, &landed).await?;
        store::save(conn, &sheet).await?;
        Ok(kept)
    }

    /// Lands all records, if each is the owner's, lands for the first time, was not seen again meanwhile, and none waits
    /// for it.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Vec<bool>)> {
        let all: Vec<usize> = (0..self.settled.len()).collect();
        if !all.iter().all(|index| self.lands(*index).is_some()) || !self.distinct() {
            return None;
        }
        let rows = all.len();
        let shortcut =
            Shortcut { quick: Quick::Land, args: self.args(&all), rows, deltas: self.deltas(rows) };
        Some((shortcut, vec![true; rows]))
    }
}

impl SettleRecords {
    fn lands(&self, index: usize) -> Option<(&Settled, &TargetId, Origin, Content)> {
        let settled = self.settled.get(index)?;
        let Settlement::Landed { id, origin, hash, generation } = &settled.how else { return None };
        Some((settled, id, *origin, Content { generation: *generation, hash: *hash }))
    }

    /// Whether each key and each target id is there once.
    fn distinct(&self) -> bool {
        let keys: HashSet<_> = self.settled.iter().map(|settled| &settled.key).collect();
        let lands = (0..self.settled.len()).filter_map(|index| self.lands(index));
        let mut ids = HashSet::new();
        keys.len() == self.settled.len() && lands.into_iter().all(|land| ids.insert(land.1))
    }

    /// In key order, as records are locked.
    fn args(&self, lands: &[usize]) -> Args<'_> {
        let mut lands: Vec<_> = lands.iter().filter_map(|index| self.lands(*index)).collect();
        lands.sort_unstable_by(|a, b| a.0.key.cmp(&b.0.key));
        Args::of([self.entity.into(), self.run.into(), self.owner.into()])
            .texts(lands.iter().map(|land| Some(land.0.key.as_str())))
            .ints(lands.iter().map(|land| Some(i64::from(land.0.attempt))))
            .texts(lands.iter().map(|land| Some(land.1.as_str())))
            .ints(lands.iter().map(|land| Some(origin_code(land.2))))
            .digests(lands.iter().map(|land| Some(land.3.hash)))
            .ints(lands.iter().map(|land| Some(land.3.generation)))
            .ints(lands.iter().map(|land| Some(land.0.now)))
            .digests(lands.iter().map(|land| Some(id_digest(land.1))))
    }

    fn deltas(&self, rows: usize) -> Deltas {
        let sending = (state_code(RecordState::Sending), self.owner);
        let landed = (state_code(RecordState::Landed), 0);
        sheet::moved(self.run, self.entity, sending, landed, rows)
    }

    /// Lands those of the records that a fast statement is right for, and takes them from `lands`.
    async fn land_some<C: Conn>(
        &self,
        conn: &mut C,
        each: Each,
        lands: &mut Vec<usize>,
        landed: &mut Landed,
        kept: &mut [bool],
    ) -> Result<(), Fault> {
        if lands.is_empty() {
            return Ok(());
        }
        let mut done = HashSet::new();
        for row in conn.some(each, self.args(lands)).await? {
            done.insert(row.word(0)?);
        }
        conn.count(&self.deltas(done.len()));
        lands.retain(|index| {
            let (Some(settled), Some(kept)) = (self.settled.get(*index), kept.get_mut(*index)) else {
                return false;
            };
            *kept = done.contains(settled.key.as_str());
            if *kept {
                landed.insert(settled.key.clone(), (settled.now, self.run));
            }
            !*kept
        });
        Ok(())
    }

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

    /// Settles some of the records one by one.
    async fn settle_each<C: Conn>(
        &self,
        conn: &mut C,
        which: &[usize],
        sheet: &mut Sheet,
        landed: &mut Landed,
        kept: &mut [bool],
    ) -> Result<(), Fault> {
        let settled: Vec<(usize, &Settled)> =
            which.iter().filter_map(|index| Some((*index, self.settled.get(*index)?))).collect();
        let keys = settled.iter().map(|(_, settled)| &settled.key);
        sheet.load(store::load(conn, self.entity, keys).await?);
        let mut holders = self.holders(conn, &settled).await?;
        let parents = self.landed_parents(conn, &settled).await?;
        for (index, settled) in settled {
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
                at.parent_landed = here || parents.contains(parent);
            }
            let before = record.target.clone();
            let stored = law::settle(at, &mut record, settled)?;
            if let Some(kept) = kept.get_mut(index) {
                *kept = stored;
            }
            if let (true, Settlement::Landed { id, .. }) = (stored, &settled.how)
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
        Ok(())
    }

    /// Who has the target ids that records are about to land with.
    async fn holders<C: Conn>(
        &self,
        conn: &mut C,
        settled: &[(usize, &Settled)],
    ) -> Result<HashMap<TargetId, SourceKey>, Fault> {
        let ids: Vec<&TargetId> =
            settled.iter().filter_map(|(index, _)| Some(self.lands(*index)?.1)).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let args = Args::of([self.entity.into()])
            .texts(ids.iter().map(|id| Some(id.as_str())))
            .digests(ids.iter().map(|id| Some(id_digest(id))));
        let rows = conn.rows(C::SQL.target_holders, args).await?;
        rows.iter()
            .map(|row| Ok((TargetId::new(row.word(0)?), SourceKey::from_canonical(&row.word(1)?))))
            .collect()
    }

    /// Which of the awaited parents have a target id by now.
    async fn landed_parents<'s, C: Conn>(
        &self,
        conn: &mut C,
        settled: &[(usize, &'s Settled)],
    ) -> Result<HashSet<&'s RecordRef>, Fault> {
        let mut parents: BTreeMap<i64, HashMap<&str, &RecordRef>> = BTreeMap::new();
        for (_, settled) in settled {
            if let Settlement::AwaitParent(parent) = &settled.how
                && let Some(entity) = self.parent_entities.get(&parent.entity)
            {
                parents.entry(*entity).or_default().insert(parent.key.as_str(), parent);
            }
        }
        let mut landed = HashSet::new();
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
