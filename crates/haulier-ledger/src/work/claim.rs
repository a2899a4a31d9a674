//! Claims of records that a worker wants to send.

use haulier_core::RecordState;
use haulier_core::port::{Claim, Wanted};

use crate::conn::{Args, Conn, Fast, Fault, Quick, Shortcut, Work};
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
        if let Some((shortcut, out)) = self.shortcut()
            && conn.fast(shortcut).await? != Fast::None
        {
            return Ok(out);
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

    /// Claims all records, if each is queued with this very content and was never tried.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Vec<Claim>)> {
        let mut wanted: Vec<&Wanted> = self.wanted.iter().collect();
        wanted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let args = Args::of([self.entity.into(), self.run.into(), self.owner.into()])
            .texts(wanted.iter().map(|w| Some(w.key.as_str())))
            .ints(wanted.iter().map(|w| Some(w.generation)))
            .digests(wanted.iter().map(|w| Some(w.hash)));
        let rows = wanted.len();
        let queued = (state_code(RecordState::Queued), 0);
        let sending = (state_code(RecordState::Sending), self.owner);
        let deltas = sheet::moved(self.run, self.entity, queued, sending, rows);
        let first = Claim::Send { attempt: 1, known: None, unsure: false };
        Some((Shortcut { quick: Quick::Claim, args, rows, deltas }, vec![first; rows]))
    }
}
