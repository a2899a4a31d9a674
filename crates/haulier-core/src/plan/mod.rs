//! A checked plan: what moves and how it is proved. Its text is read by `haulier-plan`.

mod entity;
mod extract;
mod field;
mod lint;
mod people;
mod push;
mod stages;

pub use entity::{
    Entity, Filter, Listing, NaturalPart, OrphanPolicy, Paging, Reference, Relation, Stored, TenantPath,
};
pub use extract::{BinaryText, Extract, ExtractColumn, ExtractFrom, Neutral, NeutralRules};
pub use field::{Convert, Field, FieldSource, NullBytes, OddNumbers, TextRule, ZeroDates};
pub use lint::{Lint, lint};
pub use people::{Person, Question};
pub use push::{
    BodyMatch, BulkResults, BulkWrite, IdSource, KeyFold, Lookup, Method, NullFields, OutcomeRule, Part,
    PushProgram, ReplyClass, RequestSpec, Template, UnknownPolicy, Var, Verify,
};

pub use stages::{
    Approvers, BUILT_IN_CHECKS, CheckAsk, CheckSide, Gate, Hook, HookAct, OnTimeout, OwnCheck, ProofLevel,
    Snapshot, Stage, StageKind, Stages, Start, WriteProbe,
};

use std::time::Duration;

use crate::calendar::Calendar;
use crate::notice::Notices;
use crate::{EntityName, retry::RetryPolicy};

/// A whole plan. Entities stand in reference order: a referenced entity before the one that refers to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The plan's name; a ledger serves one plan name.
    pub name: String,
    /// The entity whose records are the tenants.
    pub tenant: EntityName,
    /// What moves, in reference order; deferred fields come last as entities of their own.
    pub entities: Vec<Entity>,
    /// When failures are tried again.
    pub retry: RetryPolicy,
    /// How long a result of the validator is good, where nothing that it rests on changes.
    pub fresh_for: Duration,
    /// When what moves.
    pub calendar: Calendar,
    /// Who is told.
    pub notices: Notices,
    /// The stages that people open; without any, a run moves everything at once.
    pub stages: Stages,
    /// SHA-256 of the plan's meaning (its parsed text without comments and layout), lower-case hex.
    pub digest: String,
}

impl Plan {
    /// The entity of that name.
    #[must_use]
    pub fn entity(&self, name: &EntityName) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name == *name)
    }
}
