//! Claims of records that a worker wants to send.

use haulier_core::RecordState;
use haulier_core::port::{Claim, Wanted};

use crate::conn::{Args, Conn, Fast, Fault, Work};
use crate::law;
use crate::record::state_code;
use crate::sheet::{self, Sheet};
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
        if self.wanted.is_empty() {
            return Ok(Vec::new());
        }
        if self.claim_new(conn).await? {
            let first = Claim::Send { attempt: 1, known: None, unsure: false };
            return Ok(vec![first; self.wanted.len()]);
        }
        let keys = self.wanted.iter().map(|wanted| &wanted.key);
        let mut sheet = Sheet::of(store::load(conn, self.entity, keys).await?);
        let mut claims = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            claims.push(match sheet.get(self.entity, &wanted.key).cloned() {
                None => Claim::Drop,
                Some(mut record) => {
                    let claim = law::claim(&mut record, self.run, self.owner, wanted);
                    sheet.put(record);
                    claim
                }
            });
        }
        store::save(conn, &sheet).await?;
        Ok(claims)
    }
}

impl ClaimRecords {
    /// Claims all records, if each is queued with this very content and was never tried: the common case.
    async fn claim_new<C: Conn>(&self, conn: &mut C) -> Result<bool, Fault> {
        let args = Args::of([self.entity.into(), self.run.into(), self.owner.into()])
            .texts(self.wanted.iter().map(|w| Some(w.key.as_str())))
            .ints(self.wanted.iter().map(|w| Some(w.generation)))
            .digests(self.wanted.iter().map(|w| Some(w.hash)));
        let done = conn.fast(C::SQL.claim_new, args, self.wanted.len()).await?;
        if done == Fast::None {
            return Ok(false);
        }
        let queued = (state_code(RecordState::Queued), 0);
        let sending = (state_code(RecordState::Sending), self.owner);
        conn.count(&sheet::moved(self.run, self.entity, queued, sending, self.wanted.len()));
        Ok(true)
    }
}
