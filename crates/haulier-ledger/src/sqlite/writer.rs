//! The one connection that writes. Calls that come together are committed together.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use haulier_core::port::LedgerError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::encode::{self, Packed};
use super::error::{is_busy, of_fault};
use super::quick::{Texts, Trip};
use super::session::Session;
use crate::conn::{Fault, Work};
use crate::sheet::{self, Deltas};
use crate::store;

/// Calls that wait for the writer.
const WAITING: usize = 256;
/// Calls in one transaction at most.
const TOGETHER: usize = 64;
/// Fast statements in one trip to the connection's thread: every mixture of them is a text of its own.
const IN_A_TRIP: usize = 4;
/// Fast statements in one transaction at most.
const AT_A_STROKE: usize = 8 * IN_A_TRIP;

/// Hands calls to the task that owns the connection.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    at: Arc<str>,
    calls: mpsc::Sender<Box<dyn Call>>,
}

impl Writer {
    /// Starts the task; it ends when the last writer is dropped and every call is answered.
    pub(crate) fn start(at: Arc<str>, conn: SqliteConnection) -> Self {
        let (calls, waiting) = mpsc::channel(WAITING);
        tokio::spawn(work_off(Arc::clone(&at), conn, waiting));
        Self { at, calls }
    }

    /// Does a call; it is durable when this returns.
    pub(crate) async fn call<W: Work>(&self, work: W) -> Result<W::Out, LedgerError> {
        let gone =
            || LedgerError::Unreachable { at: self.at.to_string(), cause: "its writer has ended".to_owned() };
        let (reply, answer) = oneshot::channel();
        self.calls.send(Box::new(Pending { work, out: None, reply })).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// A call of any kind.
pub(super) trait Call: Send + Sync {
    fn run<'c>(
        &'c mut self,
        session: &'c mut Session<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'c>>;
    /// The one statement that may be all of it. Where it is, the call is done.
    fn shortcut(&mut self) -> Option<Packed>;
    fn doing(&self) -> &'static str;
    fn abandoned(&self) -> bool;
    fn answer(self: Box<Self>, end: Result<(), LedgerError>);
}

pub(super) struct Pending<W: Work> {
    work: W,
    out: Option<W::Out>,
    reply: oneshot::Sender<Result<W::Out, LedgerError>>,
}

impl<W: Work> Call for Pending<W> {
    fn run<'c>(
        &'c mut self,
        session: &'c mut Session<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'c>> {
        Box::pin(async move {
            self.out = None;
            self.out = Some(self.work.run(session).await?);
            Ok(())
        })
    }

    fn shortcut(&mut self) -> Option<Packed> {
        let (shortcut, out) = self.work.shortcut()?;
        self.out = Some(out);
        (shortcut.rows > 0).then(|| Packed::of(shortcut))
    }

    fn doing(&self) -> &'static str {
        W::DOING
    }

    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn answer(self: Box<Self>, end: Result<(), LedgerError>) {
        let missing = || LedgerError::Failed { doing: W::DOING, cause: "it was never done".to_owned() };
        let Self { out, reply, .. } = *self;
        // Who asked may have gone: the call has happened all the same.
        drop(reply.send(end.and_then(|()| out.ok_or_else(missing))));
    }
}

pub(super) type Calls = Vec<Box<dyn Call>>;

async fn work_off(at: Arc<str>, conn: SqliteConnection, mut waiting: mpsc::Receiver<Box<dyn Call>>) {
    let mut desk = Desk { at, conn, texts: Texts::default() };
    let mut calls = Calls::with_capacity(TOGETHER);
    while waiting.recv_many(&mut calls, TOGETHER).await > 0 {
        let mut quick = Vec::new();
        let mut slow = Calls::new();
        for mut call in calls.drain(..).filter(|call| !call.abandoned()) {
            match call.shortcut() {
                Some(packed) => quick.push((packed, call)),
                None => slow.push(call),
            }
        }
        // Few different texts: each is prepared once.
        quick.sort_by_key(|(packed, _)| packed.quick);
        while !quick.is_empty() {
            let rest = quick.split_off(quick.len().min(AT_A_STROKE));
            slow.extend(desk.at_a_stroke(quick).await);
            quick = rest;
        }
        desk.together(slow).await;
    }
}

struct Desk {
    at: Arc<str>,
    conn: SqliteConnection,
    texts: Texts,
}

impl Desk {
    /// Does calls that may each be one statement, in one transaction; where one is more, the halves in two. Gives back
    /// those that are more.
    async fn at_a_stroke(&mut self, calls: Vec<(Packed, Box<dyn Call>)>) -> Calls {
        let mut more = Calls::new();
        let mut groups = vec![calls];
        while let Some(mut calls) = groups.pop() {
            match self.stroke(&calls).await {
                Ok(()) => calls.into_iter().for_each(|(_, call)| call.answer(Ok(()))),
                Err(fault) if self.all_fail(&fault) => {
                    let error = of_fault(&self.at, "writing", &fault);
                    for (_, call) in calls.into_iter().chain(groups.drain(..).flatten()) {
                        call.answer(Err(error.clone()));
                    }
                }
                Err(_) if calls.len() > 1 => {
                    groups.push(calls.split_off(calls.len() / 2));
                    groups.push(calls);
                }
                Err(_) => more.extend(calls.into_iter().map(|(_, call)| call)),
            }
        }
        more
    }

    async fn stroke(&mut self, calls: &[(Packed, Box<dyn Call>)]) -> Result<(), Fault> {
        let mut deltas = Deltas::new();
        calls.iter().for_each(|(packed, _)| sheet::add(&mut deltas, &packed.deltas));
        let trips = calls.len().div_ceil(IN_A_TRIP);
        for (trip, calls) in (1..).zip(calls.chunks(IN_A_TRIP)) {
            let last = (trip == trips).then_some(&deltas);
            if let Err(fault) = self.trip(calls, trip == 1, last).await {
                self.roll_back().await;
                return Err(fault);
            }
        }
        Ok(())
    }

    /// A part of a stroke; the last brings the counts of all of it.
    async fn trip(
        &mut self,
        calls: &[(Packed, Box<dyn Call>)],
        first: bool,
        last: Option<&Deltas>,
    ) -> Result<(), Fault> {
        let mut args = SqliteArguments::default();
        for (packed, _) in calls {
            packed.append(&mut args)?;
            encode::append_number(&mut args, packed.rows)?;
        }
        if let Some(deltas) = last {
            encode::append_set(&mut args, store::tally(deltas, 0))?;
        }
        let quicks = calls.iter().map(|(packed, _)| packed.quick).collect();
        let text = self.texts.of(Trip { quicks, first, last: last.is_some() });
        sqlx::query_with(AssertSqlSafe(text), args).execute(&mut self.conn).await?;
        Ok(())
    }

    /// Does calls in one transaction; where that fails, one by one.
    async fn together(&mut self, mut calls: Calls) {
        let Err(fault) = self.all(&mut calls, false).await else {
            return calls.into_iter().for_each(|call| call.answer(Ok(())));
        };
        let alone = calls.len() == 1 && !matches!(fault, Fault::Again);
        if alone || self.all_fail(&fault) {
            let error = of_fault(&self.at, "writing", &fault);
            return calls.into_iter().for_each(|call| call.answer(Err(error.clone())));
        }
        // One call's failure must not spoil the others, and one whose fast statement was wrong begins anew.
        for mut call in calls {
            let doing = call.doing();
            let end = self.all(std::slice::from_mut(&mut call), true).await;
            call.answer(end.map_err(|fault| of_fault(&self.at, doing, &fault)));
        }
    }

    /// All calls in one transaction, or none.
    async fn all(&mut self, calls: &mut [Box<dyn Call>], careful: bool) -> Result<(), Fault> {
        let mut session = Session::writing(&mut self.conn, careful);
        let mut end = Ok(());
        for call in calls {
            end = call.run(&mut session).await;
            if end.is_err() {
                break;
            }
        }
        if end.is_ok() {
            end = session.commit().await;
        }
        if end.is_err() {
            self.roll_back().await;
        }
        end
    }

    async fn roll_back(&mut self) {
        // SQLite has rolled back by itself after some errors; then this one fails, and that is fine.
        if let Err(error) = self.conn.execute("ROLLBACK").await {
            tracing::debug!(error = %error, "there was nothing left to roll back");
        }
    }

    /// Whether it is of no use to try the calls one by one: others hold the file, and have for a long time.
    fn all_fail(&self, fault: &Fault) -> bool {
        matches!(fault, Fault::Database(error) if is_busy(error))
    }
}

#[cfg(test)]
mod tests {
    use haulier_core::port::{Admission, Claim, Settled, Settlement, Wanted};
    use haulier_core::{EntityName, Origin, TargetId};
    use haulier_testkit::contract::ledger::{digest, key, sighting};
    use sqlx::Connection;

    use super::*;
    use crate::work::{AdmitRows, ClaimRecords, SettleRecords};

    const KEYS: [&str; 3] = ["b", "a", "c"];

    /// How many of these calls are done at a stroke, in one transaction.
    async fn done<W: Work>(desk: &mut Desk, works: Vec<W>) -> (usize, Vec<W::Out>) {
        let (mut calls, mut answers) = (Vec::new(), Vec::new());
        for work in works {
            let (reply, answer) = oneshot::channel();
            let mut call: Box<dyn Call> = Box::new(Pending { work, out: None, reply });
            calls.push((call.shortcut().unwrap(), call));
            answers.push(answer);
        }
        let whole = calls.len();
        let more = desk.at_a_stroke(calls).await;
        let done = whole - more.len();
        desk.together(more).await;
        let mut out = Vec::new();
        for answer in answers {
            out.push(answer.await.unwrap().unwrap());
        }
        (done, out)
    }

    fn admit(content: u64) -> AdmitRows {
        let mut sightings: Vec<_> = KEYS.iter().map(|text| sighting(text, content)).collect();
        sightings[0].natural = Some(digest(9));
        let entity_name = EntityName::new("account").unwrap();
        AdmitRows {
            run: 1,
            later: false,
            unchanged: false,
            entity: 1,
            entity_name,
            sightings,
            again: false,
            now: 1,
        }
    }

    fn claim(content: u64) -> ClaimRecords {
        let wanted = |text: &&str| Wanted { key: key(text), generation: 0, hash: digest(content) };
        ClaimRecords { run: 1, entity: 1, owner: 7, wanted: KEYS.iter().map(wanted).collect() }
    }

    fn settle(content: u64) -> SettleRecords {
        let settled = |text: &&str| {
            let (id, hash) = (TargetId::new(format!("t{text}")), digest(content));
            let how = Settlement::Landed { id, origin: Origin::Adopted, hash, generation: 0 };
            Settled { key: key(text), attempt: 1, how, now: 5 }
        };
        SettleRecords {
            run: 1,
            entity: 1,
            entity_name: EntityName::new("account").unwrap(),
            owner: 7,
            settled: KEYS.iter().map(settled).collect(),
            parent_entities: std::collections::HashMap::new(),
        }
    }

    #[tokio::test]
    async fn the_common_case_is_done_at_a_stroke_and_no_other() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        crate::sqlite::schema::migrate(&mut conn, "memory").await.unwrap();
        let mut desk = Desk { at: "memory".into(), conn, texts: Texts::default() };
        assert_eq!(done(&mut desk, vec![admit(1)]).await.0, 1);
        assert_eq!(done(&mut desk, vec![claim(1)]).await.0, 1);
        assert_eq!(done(&mut desk, vec![settle(1)]).await.0, 1);
        // All others are the law's: seen again, changed, an update, and one that spoils nothing but its own success.
        assert_eq!(done(&mut desk, vec![admit(1)]).await.0, 0);
        assert_eq!(done(&mut desk, vec![admit(2)]).await.0, 0);
        let mut fresh = admit(1);
        fresh.entity = 2;
        let other = AdmitRows { entity: 3, ..admit(1) };
        assert_eq!(done(&mut desk, vec![fresh, admit(2), other]).await.0, 2);
        assert_eq!(done(&mut desk, vec![ClaimRecords { entity: 2, ..claim(1) }, claim(2)]).await.0, 1);
        let (quick, out) = done(&mut desk, vec![SettleRecords { entity: 2, ..settle(1) }, settle(2)]).await;
        assert_eq!((quick, out), (1, vec![vec![true; 3]; 2]));
        let again = done(&mut desk, vec![ClaimRecords { entity: 3, ..claim(1) }]).await;
        assert_eq!(again, (1, vec![vec![Claim::Send { attempt: 1, known: None, unsure: false }; 3]]));
        let later = AdmitRows { run: 2, later: true, unchanged: true, entity: 2, ..admit(1) };
        assert_eq!(done(&mut desk, vec![later]).await, (1, vec![vec![Admission::Unchanged; 3]]));
    }
}
