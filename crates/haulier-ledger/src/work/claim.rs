//! Claims of records that a worker wants to send.

use std::collections::{HashMap, HashSet};

use haulier_core::port::{Claim, Wanted};
use haulier_core::{RecordState, SourceKey, TargetId};

use crate::conn::{Args, Cells, Conn, Each, Fault, Quick, Shortcut, Work};
use crate::law;
use crate::record::state_code;
use crate::sheet::{self, Deltas, Sheet};
use crate::store;

#[derive(Debug)]
pub(crate) struct ClaimRecords {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) owner: i64,
    pub(crate) wanted: Vec<Wanted>,
}

impl Work for ClaimRecords {
    type Out = Vec<Claim>;
    const DOING: &'static str = "claiming records";
    /// A record that is claimed already is dropped: nobody would send it.
    const REPEATABLE: bool = false;

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Claim>, Fault> {
        let mut claimed = HashMap::with_capacity(self.wanted.len());
        let keys: HashSet<&SourceKey> = self.wanted.iter().map(|wanted| &wanted.key).collect();
        // Of a key that is wanted twice, with two contents perhaps, the law says which is given.
        let rows = if keys.len() == self.wanted.len() {
            conn.some(Each::Claim, self.args()).await?
        } else {
            Vec::new()
        };
        for row in rows {
            let attempt = u32::try_from(row.number(1)?).map_err(|_| Fault::corrupt("too many attempts"))?;
            let known = row.text(2)?.map(TargetId::new);
            claimed.insert(row.word(0)?, Claim::Send { attempt, known, unsure: row.number(3)? != 0 });
        }
        conn.count(&self.deltas(claimed.len()));
        let claims: Vec<Option<Claim>> =
            self.wanted.iter().map(|wanted| claimed.remove(wanted.key.as_str())).collect();
        let rest = || self.wanted.iter().zip(&claims).filter(|(_, claim)| claim.is_none());
        if rest().next().is_none() {
            return Ok(claims.into_iter().flatten().collect());
        }
        let mut sheet =
            Sheet::of(store::load(conn, self.entity, rest().map(|(wanted, _)| &wanted.key)).await?);
        let claims = self.wanted.iter().zip(claims).map(|(wanted, claim)| {
            claim.unwrap_or_else(|| match sheet.get(self.entity, &wanted.key).cloned() {
                None => Claim::Stranger,
                Some(mut record) => {
                    let claim = law::claim(&mut record, self.run, self.owner, wanted);
                    sheet.put(record);
                    claim
                }
            })
        });
        let claims = claims.collect();
        store::save(conn, &sheet).await?;
        Ok(claims)
    }

    /// Claims all records, if each is queued with this very content and was never tried.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Vec<Claim>)> {
        let first = Claim::Send { attempt: 1, known: None, unsure: false };
        let rows = self.wanted.len();
        let shortcut = Shortcut { quick: Quick::Claim, args: self.args(), rows, deltas: self.deltas(rows) };
        Some((shortcut, vec![first; rows]))
    }
}

impl ClaimRecords {
    /// In key order, as records are locked.
    fn args(&self) -> Args<'_> {
        let mut wanted: Vec<&Wanted> = self.wanted.iter().collect();
        wanted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Args::of([self.entity.into(), self.run.into(), self.owner.into()])
            .texts(wanted.iter().map(|w| Some(w.key.as_str())))
            .ints(wanted.iter().map(|w| Some(w.generation)))
            .digests(wanted.iter().map(|w| Some(w.hash)))
    }

    fn deltas(&self, rows: usize) -> Deltas {
        let queued = (state_code(RecordState::Queued), 0);
        let sending = (state_code(RecordState::Sending), self.owner);
        sheet::moved(self.run, self.entity, queued, sending, rows)
    }
}
