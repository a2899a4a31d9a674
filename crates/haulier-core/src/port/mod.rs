//! The ports: what the producer and the workers need of the world, and no more.
//!
//! Each is held as `Arc<dyn ...>`, because the operator picks the adapter by the site file.
//! Every adapter passes the port's one contract suite in `haulier-testkit`.

mod clock;
mod ledger;
mod probe;
mod queue;
mod source;
mod target;

pub use clock::{Clock, Micros};
pub use ledger::{
    Admission, Admit, CalendarLog, Claim, ControllerLease, Controls, Cursor, Cursors, DeadFilter, Due,
    EntityTally, IdOrder, IdRow, Judgement, Ledger, LedgerError, Outbox, ProcessBeat, ProducerLease,
    RecordBook, RecordRow, Run, RunRequest, Settled, Settlement, Sighting, SightingIntent, StageLog, Survey,
    Tally, WalkId, Wanted,
};
pub use probe::{Probe, ProbeError};
pub use queue::{Consumer, Delivery, Depth, Queue, QueueError, Receipt, Settle};
pub use source::{KeyRange, Source, SourceError};
pub use target::{Answer, PageRequest, PageToken, Push, Target, TargetPage, Throttle};
