//! The calls, written once for both databases.

mod admit;
mod calendar;
mod claim;
mod control;
mod cursors;
mod lease;
mod names;
mod outbox;
mod query;
mod runs;
mod samples;
mod settle;
mod stages;
mod sweep;

pub(crate) use admit::AdmitRows;
pub(crate) use calendar::{Amend, ReadAmendments};
pub(crate) use claim::ClaimRecords;
pub(crate) use control::{ChangeControl, KeepReport, ReadChanges};
pub(crate) use cursors::{AdvanceCursors, ReadCursors};
pub(crate) use lease::{HoldLease, ReleaseLease};
pub(crate) use names::{FindNames, InternEntity, InternProcess, NameTable};
pub(crate) use outbox::{DoubtPosts, KeepPosts, ReadPosts, SettlePost, TakePosts};
pub(crate) use query::{
    ListRecords, NextDue, ReadCounts, ReadDue, ReadIdMap, ReadJudgements, ReadPace, ReadSurvey,
    ReadTargetIds, WrittenSince,
};
pub(crate) use runs::{Beat, EndRun, LatestRun, OpenRun, Processes, RunEnd};
pub(crate) use samples::{KeepSample, ReadSamples};
pub(crate) use settle::SettleRecords;
pub(crate) use stages::{AppendEntries, HoldController, ReadController, ReadEntries, ReleaseController};
pub(crate) use sweep::{Judge, Reap, Republish, Rescue};
