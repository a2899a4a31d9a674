//! Which records a person means.

use std::fmt;

use haulier_core::port::{DeadFilter, RecordRow, Run};
use haulier_core::{EntityName, FailureKind, RecordRef, RecordState, SourceKey, TenantKey};

use super::PAGE;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;

/// Which records; without any option all dead and held ones.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Which {
    /// Only this entity
    #[arg(long)]
    entity: Option<String>,
    /// Only these source keys, separated by blanks; ENTITY/KEY where no `--entity` is given
    #[arg(long, num_args = 1..)]
    key: Vec<String>,
    /// Only this kind of failure
    #[arg(long, value_parser = kind)]
    kind: Option<FailureKind>,
    /// Only this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only these: dead, held, or skipped with a reason (waived, or left out by the plan)
    #[arg(long, value_parser = ["dead", "held", "skipped"])]
    state: Option<String>,
}

fn kind(word: &str) -> Result<FailureKind, String> {
    let known = || FailureKind::ALL.map(FailureKind::as_str).join(", ");
    FailureKind::from_word(word).ok_or_else(|| format!("not a kind of failure; there are {}", known()))
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entity) = &self.entity {
            write!(f, "{entity}/")?;
        }
        f.write_str(&self.key.join(" "))
    }
}

impl Which {
    /// One record: ENTITY KEY, or ENTITY/KEY.
    pub(super) fn one(entity: String, key: Option<String>) -> Self {
        match key {
            Some(key) => Self { entity: Some(entity), key: vec![key], ..Self::default() },
            None => Self { key: vec![entity], ..Self::default() },
        }
    }

    /// Whether nothing narrows it.
    pub(super) fn is_all(&self) -> bool {
        let Self { entity, key, kind, tenant, state } = self;
        entity.is_none() && key.is_empty() && kind.is_none() && tenant.is_none() && state.is_none()
    }

    /// What may be wrong with the keys, where fewer records were found.
    pub(super) fn doubt(&self, found: u64) -> Option<&'static str> {
        let fewer = found < u64::try_from(self.key.len()).unwrap_or(u64::MAX);
        (fewer && self.key.iter().any(|key| key.contains(',')))
            .then_some("keys are separated by blanks, as in `--key 33 35`")
    }

    pub(super) async fn find(
        &self,
        at: &Neighbours,
        run: &Run,
        limit: usize,
    ) -> Result<Vec<RecordRow>, CliError> {
        let states = match self.state.as_deref() {
            Some("dead") => vec![RecordState::Dead],
            Some("held") => vec![RecordState::Held],
            Some("skipped") => vec![RecordState::Skipped],
            Some(_) | None => vec![RecordState::Dead, RecordState::Held],
        };
        self.find_in(at, run, limit, states).await
    }

    pub(super) async fn find_in(
        &self,
        at: &Neighbours,
        run: &Run,
        limit: usize,
        states: Vec<RecordState>,
    ) -> Result<Vec<RecordRow>, CliError> {
        let with_reason = states == [RecordState::Skipped];
        let filter = DeadFilter {
            states,
            entity: self.entity.as_deref().map(|name| at.entity(name)).transpose()?,
            kinds: self.kind.into_iter().collect(),
            tenant: self.tenant.as_deref().map(TenantKey::new),
        };
        let wanted = self.wanted(at)?;
        let fits = |row: &RecordRow| {
            (wanted.is_empty() || wanted.contains(&row.record)) && (!with_reason || row.failure.is_some())
        };
        let mut found: Vec<RecordRow> = Vec::new();
        let mut last: Option<RecordRef> = None;
        while found.len() < limit {
            let page = at.ledger.list(&run.id, &filter, last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.record.clone());
            found.extend(page.into_iter().filter(fits));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The records that the keys may name; a key that holds a slash may be written with and without its entity.
    fn wanted(&self, at: &Neighbours) -> Result<Vec<RecordRef>, CliError> {
        let record = |entity: &EntityName, key: &str| RecordRef {
            entity: entity.clone(),
            key: SourceKey::from_canonical(key),
        };
        let mut wanted = Vec::new();
        for key in &self.key {
            let split = key.split_once('/');
            if let Some(entity) = &self.entity {
                let entity = at.entity(entity)?;
                wanted.extend(
                    split.filter(|(name, _)| *name == entity.as_str()).map(|(_, key)| record(&entity, key)),
                );
                wanted.push(record(&entity, key));
                continue;
            }
            let Some((name, key)) = split else {
                return Err(CliError::new(
                    Exit::Usage,
                    format!("`{key}` does not say of which entity it is a key"),
                )
                .hint("add `--entity NAME`, or write ENTITY/KEY"));
            };
            wanted.push(record(&at.entity(name)?, key));
        }
        Ok(wanted)
    }
}
