//! A run's history: read, folded, and added to only while nobody else came between.

use std::sync::Arc;

use haulier_core::RunId;
use haulier_core::port::{Clock, StageLog};
use haulier_core::stage::{Entry, Fact, Standing};

use crate::Trouble;

/// Reads and writes one run's history in somebody's name.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where it is kept.
    pub log: Arc<dyn StageLog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The run.
    pub run: RunId,
    /// Who writes, as user and host.
    pub by: String,
}

/// Whether something was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// It was.
    Kept,
    /// Somebody else added something meanwhile: look again, and decide anew. Nothing was kept.
    Moved,
}

impl Desk {
    /// Where the run stands.
    pub async fn standing(&self) -> Result<Standing, Trouble> {
        Ok(Standing::of(&self.log.entries(&self.run, 0).await?)?)
    }

    /// Reads what others added.
    pub async fn refresh(&self, standing: &mut Standing) -> Result<(), Trouble> {
        for entry in self.log.entries(&self.run, standing.version).await? {
            standing.apply(&entry)?;
        }
        Ok(())
    }

    /// Adds facts after what the standing has seen, all or none; the standing then has seen them, too. Facts that are not
    /// lawful there are an error, and nothing is kept.
    pub async fn write(
        &self,
        standing: &mut Standing,
        facts: Vec<(Fact, Option<String>)>,
    ) -> Result<Wrote, Trouble> {
        let mut next = standing.clone();
        let (known, at) = (standing.version, self.clock.micros());
        let mut entries = Vec::with_capacity(facts.len());
        for (version, (fact, note)) in (known + 1..).zip(facts) {
            let entry = Entry { version, at, by: self.by.clone(), note, fact };
            next.apply(&entry)?;
            entries.push(entry);
        }
        if !self.log.append(&self.run, known, &entries).await? {
            self.refresh(standing).await?;
            return Ok(Wrote::Moved);
        }
        *standing = next;
        Ok(Wrote::Kept)
    }
}
