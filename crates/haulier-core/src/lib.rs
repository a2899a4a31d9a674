#![doc = include_str!("../README.md")]

pub mod brake;
pub mod calendar;
pub mod control;
pub mod crash;
pub mod digest;
pub mod estimate;
pub mod form;
pub mod key;
pub mod name;
pub mod near;
pub mod notice;
pub mod outcome;
pub mod plan;
pub mod port;
pub mod record;
pub mod retry;
pub mod schema;
mod skew;
pub mod stage;
pub mod state;
pub mod tolerance;
pub mod value;

pub use digest::Digest;
pub use key::SourceKey;
pub use name::{EntityName, NameError, ProcessId, RunId, StageName, TargetId, TenantKey};
pub use outcome::{Action, Failure, FailureKind, Origin, Outcome};
pub use record::{Parcel, Record, RecordRef, Row};
pub use skew::skew;
pub use state::{IllegalTransition, RecordEvent, RecordState};
pub use value::Value;
