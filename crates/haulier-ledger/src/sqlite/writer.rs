//! The one connection that writes. Calls that come together are committed together.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use haulier_core::port::LedgerError;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::error::{is_busy, of_fault};
use super::session::Session;
use crate::conn::{Fault, Work};

/// Calls that wait for the writer.
const WAITING: usize = 256;
/// Calls in one transaction at most.
const TOGETHER: usize = 64;

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
trait Call: Send + Sync {
    fn run<'c>(
        &'c mut self,
        session: &'c mut Session<'_>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'c>>;
    fn doing(&self) -> &'static str;
    fn abandoned(&self) -> bool;
    fn answer(self: Box<Self>, end: Result<(), LedgerError>);
}

struct Pending<W: Work> {
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

async fn work_off(at: Arc<str>, mut conn: SqliteConnection, mut waiting: mpsc::Receiver<Box<dyn Call>>) {
    let mut calls = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut calls, TOGETHER).await > 0 {
        calls.retain(|call| !call.abandoned());
        if let Err(fault) = together(&mut conn, &mut calls, false).await {
            let alone = calls.len() == 1 && !matches!(fault, Fault::Again);
            if alone || matches!(&fault, Fault::Database(error) if is_busy(error)) {
                let error = of_fault(&at, "writing", fault);
                calls.drain(..).for_each(|call| call.answer(Err(error.clone())));
            }
            // One call's failure must not spoil the others, and one whose fast statement was wrong begins anew.
            for mut call in calls.drain(..) {
                let doing = call.doing();
                let end = together(&mut conn, std::slice::from_mut(&mut call), true).await;
                call.answer(end.map_err(|fault| of_fault(&at, doing, fault)));
            }
        }
        calls.drain(..).for_each(|call| call.answer(Ok(())));
    }
}

/// All calls in one transaction, or none.
async fn together(
    conn: &mut SqliteConnection,
    calls: &mut [Box<dyn Call>],
    careful: bool,
) -> Result<(), Fault> {
    let mut session = Session::writing(conn, careful);
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
        session.roll_back().await;
    }
    end
}
