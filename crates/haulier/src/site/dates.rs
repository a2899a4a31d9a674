//! The plan's calendar with what people changed of it, and the instant from which it is seen.

use std::sync::Arc;

use haulier_core::calendar::{Amendment, Calendar, Change, Moment, Tenant, Verdict, Window, Zone};
use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger};
use jiff::Timestamp;

use super::wire;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{process, ui};

/// Options of every command that looks at dates.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Seen {
    /// As it would be at that time: `2026-05-05T07:00Z`, or local to the schedule's zone without `Z`
    #[arg(long, value_name = "TIME", global = true)]
    at: Option<String>,
    /// Only the plan: without what people changed, which the ledger keeps
    #[arg(long, global = true)]
    plan_only: bool,
}

/// Options of every command that changes the calendar.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Why {
    /// Why, for the record
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Seen {
    /// With what people changed, from now.
    pub(crate) fn now() -> Self {
        Self { at: None, plan_only: false }
    }
}

impl Why {
    /// Whether nothing is to be changed.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run
    }
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is kept for ever, so it must say something".to_owned()),
        text => Ok(text.replace('\n', " ")),
    }
}

/// The calendar as it holds.
#[derive(Debug)]
pub(crate) struct Dates {
    pub(crate) plan: Plan,
    pub(crate) calendar: Calendar,
    pub(crate) changes: Vec<Change>,
    pub(crate) ledger: Option<Arc<dyn Ledger>>,
    pub(crate) now: Timestamp,
}

impl Dates {
    /// Reads plan and ledger. A ledger that no run has made yet holds no changes, and is not made for that.
    pub(crate) async fn read(global: &Global, seen: &Seen) -> Result<Self, CliError> {
        if seen.plan_only {
            let plan = haulier_plan::read_plan(&global.plan)
                .map_err(|problems| CliError::new(Exit::Plan, problems.to_string().trim_end()))?;
            return Self::of(plan, None, seen).await;
        }
        let (plan, site) = super::read(global)?;
        let is_there = wire::ledger_file(&site).is_none_or(std::path::Path::exists);
        let ledger = if is_there { Some(wire::ledger(&site).await?) } else { None };
        Self::of(plan, ledger, seen).await
    }

    /// The same with a ledger, which is made where it is missing.
    pub(crate) async fn write(global: &Global, seen: &Seen) -> Result<Self, CliError> {
        if seen.plan_only {
            return Err(CliError::new(
                Exit::Usage,
                "a change is kept in the ledger, so `--plan-only` has no use here",
            ));
        }
        let (plan, site) = super::read(global)?;
        let ledger = wire::ledger(&site).await?;
        Self::of(plan, Some(ledger), seen).await
    }

    /// Of a plan and a ledger that are open already, from now.
    pub(super) async fn open(plan: Plan, ledger: Arc<dyn Ledger>) -> Result<Self, CliError> {
        Self::of(plan, Some(ledger), &Seen::now()).await
    }

    async fn of(plan: Plan, ledger: Option<Arc<dyn Ledger>>, seen: &Seen) -> Result<Self, CliError> {
        let changes = match &ledger {
            Some(ledger) => ledger.amendments().await?,
            None => Vec::new(),
        };
        let (calendar, unfit) = plan.calendar.amended(&changes);
        for (version, error) in unfit {
            ui::note(format!("note: change {version} of the calendar no longer fits the plan: {error}"));
        }
        let now = match &seen.at {
            Some(text) => instant(text, &calendar.zone)?,
            None => SystemClock.now(),
        };
        Ok(Self { plan, calendar, changes, ledger, now })
    }

    /// The same with what people changed meanwhile, from now.
    pub(crate) async fn again(self) -> Result<Self, CliError> {
        Self::of(self.plan, self.ledger, &Seen::now()).await
    }

    /// Makes a change: tried on the calendar first, kept only when nobody else came between.
    pub(crate) async fn change(mut self, what: Amendment, why: &Why) -> Result<(Self, Change), CliError> {
        loop {
            let known = self.changes.last().map_or(0, |change| change.version);
            let change = Change {
                version: known + 1,
                at: SystemClock.micros(),
                by: process::operator(),
                reason: why.reason.clone(),
                what: what.clone(),
            };
            self.calendar.amend(&change).map_err(|error| {
                let refused = CliError::new(Exit::No, error.to_string()).hint("nothing was changed");
                match &error {
                    haulier_core::calendar::ChangeError::When(when) => refused.hint(when.hint()),
                    haulier_core::calendar::ChangeError::Unknown { .. }
                    | haulier_core::calendar::ChangeError::Already(_)
                    | haulier_core::calendar::ChangeError::Refused(_) => refused,
                }
            })?;
            let Some(ledger) = self.ledger.clone().filter(|_| !why.dry_run) else {
                return Ok((self, change));
            };
            if ledger.amend(known, &change).await? {
                self.changes.push(change.clone());
                return Ok((self, change));
            }
            self.changes = ledger.amendments().await?;
            self.calendar = self.plan.calendar.amended(&self.changes).0;
        }
    }

    /// A tenant by its key or its name.
    pub(crate) fn tenant(&self, text: &str) -> Result<&Tenant, CliError> {
        let found =
            self.calendar.tenants.iter().find(|tenant| tenant.key.as_str() == text || tenant.name == text);
        let names = self.calendar.tenants.iter().map(|tenant| tenant.key.as_str());
        found.ok_or_else(|| unknown("tenant", text, names))
    }

    /// A window by its name.
    pub(crate) fn window(&self, name: &str) -> Result<&Window, CliError> {
        let names = self.calendar.windows.iter().map(|window| window.name.as_str());
        self.calendar.window(name).ok_or_else(|| unknown("window", name, names))
    }

    /// An instant in UTC, in the schedule's zone, and in a tenant's, each but once.
    pub(crate) fn say(&self, at: Timestamp, tenant: Option<&Tenant>) -> String {
        said(at, &self.calendar.zone, tenant.and_then(|tenant| tenant.zone.as_ref()))
    }

    /// A verdict for people.
    pub(crate) fn verdict(&self, verdict: &Verdict, tenant: Option<&Tenant>) -> String {
        let next = |next: &Option<Timestamp>| match next {
            Some(next) => format!("next {}", self.say(*next, tenant)),
            None => "and never opens again".to_owned(),
        };
        match verdict {
            Verdict::Open { window: Some(window), until: Some(until) } => {
                format!("open: window {window} until {}", self.say(*until, tenant))
            }
            Verdict::Open { window: Some(window), until: None } => format!("open: window {window}"),
            Verdict::Open { window: None, until: Some(until) } => {
                format!("open: no window is asked for; until {}", self.say(*until, tenant))
            }
            Verdict::Open { window: None, until: None } => "open: no window is asked for".to_owned(),
            Verdict::TooLate { window, until, next: then } => {
                format!("too late: window {window} closes {}; {}", self.say(*until, tenant), next(then))
            }
            Verdict::Denied { blackout, next: then } => {
                format!("denied: blackout {blackout}; {}", next(then))
            }
            Verdict::Shut { next: then } => format!("shut; {}", next(then)),
        }
    }
}

/// An instant in UTC and in these zones, each but once.
pub(crate) fn said(at: Timestamp, zone: &Zone, other: Option<&Zone>) -> String {
    let mut said = vec![at.strftime("%Y-%m-%d %H:%M UTC").to_string()];
    for zone in [Some(zone), other].into_iter().flatten() {
        let text = zone.say(at);
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said.join(" = ")
}

/// A time as operators type it.
pub(crate) fn instant(text: &str, zone: &Zone) -> Result<Timestamp, CliError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    Moment::parse(text).and_then(|moment| moment.exact(zone)).map_err(|error| {
        CliError::new(Exit::Usage, error.to_string())
            .hint(format!("`2026-05-05T07:00` in {zone}, or `2026-05-05T05:00Z`"))
            .hint(error.hint())
    })
}

/// What is not there, with the nearest that is.
pub(crate) fn unknown<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n str>) -> CliError {
    let known: Vec<&str> = known.collect();
    let error = CliError::new(Exit::Usage, format!("the plan has no {kind} `{name}`"));
    match (haulier_core::near::nearest(name, known.iter().copied()), known.len()) {
        (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
        (None, 1..=24) => error.hint(format!("it has {}", known.join(", "))),
        (None, _) => error,
    }
}
