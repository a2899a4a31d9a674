//! Items of the target's lists.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use haulier_core::plan::ExtractFrom;
use haulier_core::port::{Target, Throttle};
use haulier_core::retry::RetryPolicy;
use haulier_core::{Failure, FailureKind};
use haulier_validator::neutral::Cell;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::SidesError;
use crate::agree::{Agreed, Slot};
use crate::naturals::Item;
use crate::pages;
use crate::reader::{Desk, Job, Read};
use crate::seen::Seen;

/// The target's lists. Every request waits for the throttle.
#[derive(Debug, Clone)]
pub struct Lists {
    /// The target.
    pub target: Arc<dyn Target>,
    /// What lets requests through.
    pub throttle: Arc<dyn Throttle>,
    /// Pages at a time.
    pub pages: usize,
    /// When a page that does not come is asked for again.
    pub retry: RetryPolicy,
    /// Bytes of memory to know records by that came already; beyond them they go to files in `spill`.
    pub memory: usize,
    /// The folder of those files.
    pub spill: PathBuf,
}

/// Where an item's values are.
#[derive(Debug)]
pub(crate) struct Places {
    own: Vec<Option<String>>,
    refs: Vec<String>,
    id: String,
}

impl Lists {
    /// Reads an entity's lists to their end.
    pub(crate) async fn read(&self, job: &Job) -> Result<Read, SidesError> {
        let entity = &job.agreed.entity;
        let listing = entity.listing.as_ref();
        let listing =
            listing.ok_or_else(|| SidesError::NoPlace { entity: entity.name.clone(), key: "list" })?;
        let places = Places::new(&job.agreed, &listing.id);
        let failed = |failure| SidesError::Target { entity: entity.name.clone(), failure };
        let mut seen = Seen::new(self.memory, self.spill.clone());
        let mut desk = Desk::new(job);
        for list in 0..=listing.also.len() {
            let (sender, mut pages) = mpsc::channel(2);
            let reading = async {
                let total = pages::walk(self, entity, list, &sender).await.map_err(failed);
                drop(sender);
                total
            };
            let taking = async {
                let mut shown = 0;
                while let Some(page) = pages.recv().await {
                    shown += take(&page, &places, &mut seen, list == 0, job, &mut desk).await?;
                }
                Ok::<u64, SidesError>(shown)
            };
            let (total, shown) = tokio::join!(reading, taking);
            // Whoever takes the lines ended first; that is the cause, then.
            let shown = shown?;
            if let Some(total) = total?
                && shown < total
            {
                let reason = format!(
                    "it tells {total} records and shows {shown}; it changed while it was read, or it is cut short"
                );
                return Err(failed(Failure::new(FailureKind::Refused, reason)));
            }
        }
        Ok(desk.done())
    }
}

impl Lists {
    /// How many records the target has: its own total where it tells one, else by reading.
    pub(crate) async fn count(&self, agreed: &Arc<Agreed>) -> Result<u64, SidesError> {
        let entity = &agreed.entity;
        if entity.listing.as_ref().is_some_and(|listing| listing.also.is_empty()) {
            let first = pages::fetch(self, entity, 0, None).await;
            let first =
                first.map_err(|failure| SidesError::Target { entity: entity.name.clone(), failure })?;
            if let Some(total) = first.total {
                return Ok(total);
            }
        }
        let rows = Arc::default();
        let job = Job {
            agreed: Arc::clone(agreed),
            naturals: Arc::default(),
            neutral: None,
            index: None,
            tenants: None,
            ask: None,
            out: None,
            rows: Arc::clone(&rows),
        };
        self.read(&job).await?;
        Ok(rows.load(Ordering::Relaxed))
    }
}

/// Takes a page. Gives how many different records of this list it held.
async fn take(
    page: &[String],
    places: &Places,
    seen: &mut Seen,
    first_list: bool,
    job: &Job,
    desk: &mut Desk,
) -> Result<u64, SidesError> {
    let parsed: Result<Vec<Value>, _> = page.iter().map(|item| serde_json::from_str(item)).collect();
    let parsed = parsed.map_err(|_| SidesError::Target {
        entity: job.agreed.entity.name.clone(),
        failure: Failure::new(FailureKind::Refused, "an item of the list is not JSON"),
    })?;
    let mut shown = 0;
    let mut items = Vec::with_capacity(parsed.len());
    for value in &parsed {
        let item = places.item(value);
        let fresh = item.id.is_empty() || seen.insert(&item.id)?;
        // A record that another list showed is no sign that this one moved.
        shown += u64::from(fresh || !first_list);
        if fresh {
            items.push(item);
        } else if first_list {
            desk.twice += 1;
        }
    }
    let batch = desk.chunk(items.into_iter())?;
    job.rows.fetch_add(shown, Ordering::Relaxed);
    job.send(batch).await?;
    Ok(shown)
}

impl Places {
    pub(crate) fn new(agreed: &Agreed, id: &str) -> Self {
        let own = agreed.slots.iter().map(|slot| match slot {
            Slot::Own(ExtractFrom::Field(index), at) => {
                Some(pointer(at.as_deref(), &agreed.entity.fields.get(*index)?.name))
            }
            Slot::Own(ExtractFrom::Column(name), at) => Some(pointer(at.as_deref(), name)),
            Slot::Own(ExtractFrom::Parent { .. }, _) | Slot::Parent { .. } | Slot::Tenant => None,
        });
        let refs = agreed.refs.iter().map(|reach| pointer(reach.at.as_deref(), &reach.reference.field));
        Self { own: own.collect(), refs: refs.collect(), id: id.to_owned() }
    }

    pub(crate) fn item<'v>(&self, value: &'v Value) -> Item<'v> {
        let own = self.own.iter().map(|at| match at {
            Some(at) => Cell::from(value.pointer(at)),
            None => Cell::Missing,
        });
        let id = match value.pointer(&self.id) {
            Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Some(Value::Number(number)) => Cow::Owned(number.to_string()),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
                Cow::Borrowed("")
            }
        };
        let refs = self.refs.iter().map(|at| Cell::from(value.pointer(at)));
        Item { id, cells: own.collect(), refs: refs.collect(), tenant: None }
    }
}

/// Where the target's JSON holds a member: where the plan says, else by its name, whose dots are steps.
pub(crate) fn pointer(at: Option<&str>, name: &str) -> String {
    match at {
        Some(at) if at.starts_with('/') => at.to_owned(),
        Some(at) => format!("/{at}"),
        None => name
            .split('.')
            .fold(String::new(), |all, step| format!("{all}/{}", step.replace('~', "~0").replace('/', "~1"))),
    }
}
