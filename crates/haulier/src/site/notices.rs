//! Notices with the site's channels: what is called for, kept and sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::notice::Post;
use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger};
use haulier_core::stage::Fact;
use haulier_notice::channel::{Channel, Command, File, Relay, Security, Smtp, SmtpOptions, Webhook};
use haulier_notice::{Called, Facts, Happened, Sent, called, happened, keep, send};
use haulier_plan::Site;
use haulier_plan::site::{ChannelSite, Url};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::dates::Dates;
use super::{Neighbours, wire};
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui;

/// How often is looked beside a run.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The channels of the site, nothing connected yet.
pub(crate) fn channels(site: &Site) -> Result<BTreeMap<String, Arc<dyn Channel>>, CliError> {
    let channel = |(name, at): &(String, ChannelSite)| {
        let wrong = |problem: String| CliError::new(Exit::Plan, format!("channel `{name}`: {problem}"));
        let channel: Arc<dyn Channel> = match at {
            ChannelSite::Smtp { host, port, tls, ca_file, from, login } => {
                let login = match login {
                    Some((user, password)) => Some((user.clone(), wire::reveal(password)?)),
                    None => None,
                };
                let security = match tls {
                    None => Security::Plain,
                    Some(true) => Security::StartTls,
                    Some(false) => Security::Tls,
                };
                let options = SmtpOptions {
                    host: host.clone(),
                    port: *port,
                    security,
                    ca_file: ca_file.clone(),
                    from: from.clone(),
                    login,
                };
                Arc::new(Smtp::new(&options).map_err(|error| wrong(error.to_string()))?)
            }
            ChannelSite::Webhook { url, token } => {
                let url = match url {
                    Url::Plain(url) => url.clone(),
                    Url::Kept(secret) => wire::reveal(secret)?,
                };
                let token = token.as_ref().map(wire::reveal).transpose()?;
                Arc::new(Webhook::new(&url, token.as_deref()).map_err(|error| wrong(error.to_string()))?)
            }
            ChannelSite::File(path) => Arc::new(File::new(path)),
            ChannelSite::Command(argv) => Arc::new(Command::new(argv.clone())),
            ChannelSite::Relay(person) => Arc::new(Relay::new(person)),
        };
        Ok((name.clone(), channel))
    };
    site.channels.iter().map(channel).collect()
}

/// Channels that the plan's notices name and the site does not have.
pub(crate) fn missing(plan: &Plan, site: &Site) -> Vec<String> {
    let known: Vec<&str> = site.channels.iter().map(|(name, _)| name.as_str()).collect();
    let named = plan.notices.all.iter().flat_map(|notice| &notice.channels);
    let mut missing: Vec<String> = named.filter(|name| !known.contains(&name.as_str())).cloned().collect();
    missing.sort();
    missing.dedup();
    missing
}

/// What happened in the newest run.
async fn history(dates: &Dates, ledger: &dyn Ledger) -> Result<Vec<Happened>, CliError> {
    let Some(run) = ledger.latest_run().await? else { return Ok(Vec::new()) };
    let entries = ledger.entries(&run.id, 0).await?;
    let tenants = entries.iter().filter_map(|entry| {
        let Fact::Tenant(tenant, _) = &entry.fact else { return None };
        Some(tenant.clone())
    });
    // Those of which the plan says nothing go with the rest.
    let calendar = dates.calendar.clone().with_tenants(tenants.collect::<BTreeSet<_>>());
    Ok(happened(&run.id, &entries, &dates.plan, &calendar))
}

/// How far the newest run is, as long as it is not over.
async fn progress(ledger: &dyn Ledger) -> Result<Option<String>, CliError> {
    let Some(run) = ledger.latest_run().await?.filter(|run| run.finished_at.is_none()) else {
        return Ok(None);
    };
    let total = ledger.tally(&run.id).await?.total();
    let of = |state| ui::grouped(total.of(state));
    let (landed, dead, held) = (of(RecordState::Landed), of(RecordState::Dead), of(RecordState::Held));
    let planned = ui::grouped(total.planned);
    Ok(Some(format!("{landed} of {planned} records have landed, {dead} are dead, {held} are held")))
}

/// Tells people beside a run, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Teller {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Teller {
    /// Begins, where the plan has notices. What went out before is known from the outbox.
    pub(crate) fn start(at: &Neighbours) -> Result<Option<Self>, CliError> {
        if at.plan.notices.all.is_empty() {
            return Ok(None);
        }
        let channels = channels(&at.site)?;
        let (plan, ledger) = (Plan::clone(&at.plan), Arc::clone(&at.ledger));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            loop {
                let last = stopped.is_cancelled();
                let told = async {
                    let dates = Dates::open(plan.clone(), Arc::clone(&ledger)).await?;
                    tell(&dates, &*ledger, &channels).await
                };
                // A ledger that is away is told by the run itself; the next look makes up for it.
                if let Err(error) = told.await {
                    tracing::warn!("notices wait: {}", error.told());
                }
                if last {
                    return;
                }
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        });
        Ok(Some(Self { stop, task }))
    }

    /// Tells what happened last, and ends.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the notices ended");
        }
    }
}

/// What is called for, and the outbox as it was.
pub(crate) async fn look(dates: &Dates, ledger: &dyn Ledger) -> Result<(Called, Vec<Post>), CliError> {
    let happened = history(dates, ledger).await?;
    let posts = ledger.posts().await?;
    let progress = progress(ledger).await?;
    let facts = Facts {
        plan: &dates.plan,
        calendar: &dates.calendar,
        changes: &dates.changes,
        happened: &happened,
        progress: progress.as_deref(),
        posts: &posts,
        now: dates.now,
    };
    Ok((called(&facts), posts))
}

/// Keeps what is called for and sends what is due. Returns how many posts were new, and what became of those that were due.
pub(crate) async fn tell(
    dates: &Dates,
    ledger: &dyn Ledger,
    channels: &BTreeMap<String, Arc<dyn Channel>>,
) -> Result<(u64, Sent), CliError> {
    let (called, _) = look(dates, ledger).await?;
    let new = keep(ledger, &called, SystemClock.micros()).await?;
    Ok((new, send(ledger, channels, &SystemClock).await?))
}
