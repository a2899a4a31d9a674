//! From plan and site to open neighbours.

pub(crate) mod asked;
mod brakes;
mod clocks;
pub(crate) mod dates;
pub(crate) mod notices;
mod preflight;
pub(crate) mod room;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::control::{Bounds, Knob, Limit};
use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Micros, Queue, QueueError, Run, Source, Target};
use haulier_core::{EntityName, RunId};
use haulier_plan::Site;
use haulier_producer::Settings;
use tokio::sync::OnceCell;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui;

pub(crate) use brakes::Reading;
pub(crate) use preflight::{Preflight, There};

/// How often is looked for what another process makes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a process does with the queue, which decides the rights it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Publishes.
    Publish,
    /// Consumes.
    Consume,
    /// Both.
    Both,
}

/// Plan, site and the ledger, with the other neighbours opened when they are asked for.
#[derive(Debug)]
pub(crate) struct Neighbours {
    pub(crate) plan: Arc<Plan>,
    pub(crate) ledger: Arc<dyn Ledger>,
    site: Site,
    source: OnceCell<Arc<dyn Source>>,
    queue: OnceCell<Arc<dyn Queue>>,
}

/// Reads plan and site; the problems of both come together.
pub(crate) fn read(global: &Global) -> Result<(Plan, Site), CliError> {
    let plan = haulier_plan::read_plan(&global.plan);
    let site = haulier_plan::read_site(&global.site);
    match (plan, site) {
        (Ok(plan), Ok(site)) => Ok((plan, site)),
        (plan, site) => {
            let problems: Vec<String> =
                [plan.err(), site.err()].into_iter().flatten().map(|problems| problems.to_string()).collect();
            Err(CliError::new(Exit::Plan, problems.join("\n").trim_end()))
        }
    }
}

/// The source that `--from` names, else the site's.
pub(crate) async fn source_from(global: &Global, url: Option<&str>) -> Result<Arc<dyn Source>, CliError> {
    let options = match url {
        Some(url) => wire::source_from_url(url)?,
        None => {
            let site = haulier_plan::read_site(&global.site)
                .map_err(|problems| CliError::new(Exit::Plan, problems.to_string().trim_end()))?;
            wire::source(&site)?
        }
    };
    Ok(haulier_source::open(options).await?)
}

impl Neighbours {
    /// Reads plan and site and opens the ledger.
    pub(crate) async fn open(global: &Global) -> Result<Self, CliError> {
        let (plan, site) = read(global)?;
        let ledger = wire::ledger(&site).await?;
        Ok(Self { plan: Arc::new(plan), ledger, site, source: OnceCell::new(), queue: OnceCell::new() })
    }

    /// The source.
    pub(crate) async fn source(&self) -> Result<Arc<dyn Source>, CliError> {
        let open = || async { Ok::<_, CliError>(haulier_source::open(wire::source(&self.site)?).await?) };
        self.source.get_or_try_init(open).await.cloned()
    }

    /// The queue; the first call decides the role.
    pub(crate) async fn queue(&self, role: Role) -> Result<Arc<dyn Queue>, CliError> {
        let open = || async { Ok::<_, CliError>(self.open_queue(role).await??) };
        self.queue.get_or_try_init(open).await.cloned()
    }

    /// Waits until the producer has declared the queue, for those who may not.
    pub(crate) async fn await_queue(&self) -> Result<(), CliError> {
        let mut told = false;
        loop {
            match self.open_queue(Role::Consume).await? {
                Err(QueueError::Gone { queue }) => {
                    if !std::mem::replace(&mut told, true) {
                        ui::note(format!("waiting for the producer to declare the queue `{queue}`"));
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                opened => {
                    let opened = opened?;
                    self.queue.get_or_init(|| async { opened }).await;
                    return Ok(());
                }
            }
        }
    }

    async fn open_queue(&self, role: Role) -> Result<Result<Arc<dyn Queue>, QueueError>, CliError> {
        wire::queue(&self.site, &self.plan.name, role, Arc::new(SystemClock)).await
    }

    /// The target.
    pub(crate) fn target(&self) -> Result<Arc<dyn Target>, CliError> {
        wire::target(&self.site)
    }

    /// The target's own database, where the site names it.
    pub(crate) async fn target_database(&self) -> Result<Option<Arc<dyn Source>>, CliError> {
        match &self.site.target.sql {
            Some(sql) => Ok(Some(haulier_source::open(wire::database(&self.site, sql)?).await?)),
            None => Ok(None),
        }
    }

    /// The key of hashes that stand for personal data.
    pub(crate) fn hash_key(&self) -> Result<Option<Vec<u8>>, CliError> {
        let key = self.site.validate.pii_key.as_ref().map(wire::reveal).transpose()?;
        Ok(key.map(String::into_bytes))
    }

    /// Pages of the target's lists that are read at a time.
    pub(crate) fn validate_pages(&self) -> usize {
        usize::try_from(self.site.validate.pages).unwrap_or(1)
    }

    /// Bytes that the validator's sorts may hold together.
    pub(crate) fn validate_memory(&self) -> usize {
        self.site.validate.memory
    }

    /// The state folder.
    pub(crate) fn state(&self) -> &std::path::Path {
        &self.site.state
    }

    /// Source and target, in words without secrets.
    pub(crate) fn fingerprints(&self) -> [String; 2] {
        let target = match &self.site.target.sql {
            Some(sql) => wire::named(&sql.database),
            None => self.site.target.base_url.clone(),
        };
        [wire::named(&self.site.source.database), target]
    }

    /// The producer's start values.
    pub(crate) fn produce_settings(&self) -> Settings {
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Settings {
            fibres: whole(self.site.produce.fibres),
            parcel: whole(self.site.push.parcel),
            zombie_grace: self.site.push.zombie_grace,
            silent_after: self.site.push.silent_after,
        }
    }

    /// Start value and ceiling of each knob.
    pub(crate) fn bounds(&self) -> BTreeMap<Knob, Bounds> {
        let (produce, push) = (&self.site.produce, &self.site.push);
        let whole = |number: Option<u32>| number.map(f64::from);
        let of = |knob: Knob| {
            let (start, ceiling) = match knob {
                Knob::Fibres => (whole(Some(produce.fibres)), whole(produce.max_fibres)),
                Knob::ProduceRate => (produce.rate, produce.max_rate),
                Knob::Chunk => (whole(Some(produce.chunk)), whole(produce.max_chunk)),
                Knob::Workers => (whole(Some(push.workers)), whole(push.max_workers)),
                Knob::PushRate => (push.rate, push.max_rate),
            };
            let limit = |number: Option<f64>| number.map_or(Limit::None, Limit::At);
            (knob, Bounds::new(limit(start), limit(ceiling)))
        };
        Knob::ALL.into_iter().map(of).collect()
    }

    /// Most rows of one read (start value).
    pub(crate) fn chunk(&self) -> u32 {
        self.site.produce.chunk
    }

    /// Requests a second (start value).
    pub(crate) fn push_rate(&self) -> Option<f64> {
        self.site.push.rate
    }

    /// The file that holds everything still while it exists.
    pub(crate) fn emergency(&self) -> PathBuf {
        self.site.state.join("PAUSE")
    }

    /// Unsettled parcels that the queue may hand to a process, where the site says.
    pub(crate) fn prefetch(&self) -> Option<u16> {
        self.site.queue.prefetch
    }

    /// A process that did not beat for so long counts as silent.
    pub(crate) fn silent_after(&self) -> Micros {
        Micros::try_from(self.site.push.silent_after.as_micros()).unwrap_or(Micros::MAX)
    }

    /// The newest run, or an error that says how to start one.
    pub(crate) async fn latest_run(&self) -> Result<Run, CliError> {
        self.ledger.latest_run().await?.ok_or_else(|| {
            CliError::new(Exit::No, "there has been no run yet").hint("`haulier run` starts one")
        })
    }

    /// Requests in flight over all processes of the run, as they last said.
    pub(crate) async fn in_flight(&self, run: &RunId) -> usize {
        let now = SystemClock.micros();
        let beats = self.ledger.processes(run).await.unwrap_or_default();
        let silent = self.silent_after();
        let alive = beats.iter().filter(|beat| !beat.ended && now.saturating_sub(beat.at) < silent);
        alive.map(|beat| usize::try_from(beat.in_flight).unwrap_or(0)).sum()
    }

    /// An entity of the plan by its name as typed.
    pub(crate) fn entity(&self, name: &str) -> Result<EntityName, CliError> {
        let known = self.plan.entities.iter().find(|entity| entity.name.as_str() == name);
        known.map(|entity| entity.name.clone()).ok_or_else(|| {
            let names: Vec<&str> = self.plan.entities.iter().map(|entity| entity.name.as_str()).collect();
            CliError::new(Exit::Usage, format!("the plan has no entity `{name}`"))
                .hint(format!("it has {}", names.join(", ")))
        })
    }
}
