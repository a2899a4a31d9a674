//! `haulier notices send` and `tell`: what is due goes out.

use std::time::Duration;

use haulier_core::notice::{Kind, PostState, Subject};
use haulier_core::port::{Clock, Ledger};
use haulier_notice::Sent;
use serde_json::json;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::dates::{Dates, Seen};
use crate::site::notices;
use crate::ui;

/// How often is looked while it watches.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(global: &Global, watch: bool) -> Result<Exit, CliError> {
    let (_, site) = crate::site::read(global)?;
    let channels = notices::channels(&site)?;
    let seen = Seen::now();
    let dates = Dates::write(global, &seen).await?;
    for name in notices::missing(&dates.plan, &site) {
        ui::note(format!("note: the site has no channel `{name}`, which notices of the plan name"));
    }
    let stop = process::stop_on_signal()?;
    let mut dates = dates;
    loop {
        let ledger =
            dates.ledger.clone().ok_or_else(|| CliError::bug(anyhow::anyhow!("a ledger is missing")))?;
        let (new, sent) = notices::tell(&dates, &*ledger, &channels).await?;
        if !watch || new > 0 || sent != Sent::default() {
            told(global, new, sent)?;
        }
        if !watch {
            let doubtful = in_doubt(&*ledger).await?;
            return Ok(if sent.refused + sent.lost + doubtful == 0 { Exit::Done } else { Exit::No });
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(Exit::Done),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        dates = dates.again().await?;
    }
}

async fn in_doubt(ledger: &dyn Ledger) -> Result<usize, CliError> {
    Ok(ledger.posts().await?.iter().filter(|post| post.state == PostState::Doubtful).count())
}

fn told(global: &Global, new: u64, sent: Sent) -> Result<(), CliError> {
    if global.json {
        return ui::json(&json!({
            "new": new, "accepted": sent.accepted, "handed": sent.handed, "refused": sent.refused, "lost": sent.lost,
        }));
    }
    ui::line(format!(
        "{new} new; {} sent, {} with a person, {} refused, {} in doubt",
        sent.accepted, sent.handed, sent.refused, sent.lost
    ))
}

/// Tells at once, and keeps it like everything that was told.
pub(super) async fn tell(global: &Global, kind: Kind, of: &str, reason: &str) -> Result<Exit, CliError> {
    let subject = Subject::parse(of).ok_or_else(|| {
        CliError::new(Exit::Usage, format!("`{of}` is nothing that a notice is about"))
            .hint("`run`, `wave:NAME`, `window:NAME`")
    })?;
    let (_, site) = crate::site::read(global)?;
    let channels = notices::channels(&site)?;
    let dates = Dates::write(global, &Seen::now()).await?;
    let fits = dates.plan.notices.all.iter().any(|notice| notice.kind == kind && notice.of.covers(&subject));
    if !fits {
        return Err(CliError::new(
            Exit::No,
            format!("no notice of the plan tells of `{}` of `{of}`", kind.as_str()),
        )
        .hint(format!("`[[notice]]` with `template = \"{}\"` and `of = \"{of}\"`", kind.as_str())));
    }
    let ledger = dates.ledger.clone().ok_or_else(|| CliError::bug(anyhow::anyhow!("a ledger is missing")))?;
    let now = SystemClock.now();
    let happened = [haulier_notice::Happened {
        id: format!("by hand:{now}"),
        kind,
        subject,
        at: now,
        reason: Some(reason.to_owned()),
        by: Some(process::operator()),
    }];
    let facts = haulier_notice::Facts {
        plan: &dates.plan,
        calendar: &dates.calendar,
        changes: &dates.changes,
        happened: &happened,
        progress: None,
        posts: &ledger.posts().await?,
        now,
    };
    let new = haulier_notice::keep(&*ledger, &haulier_notice::called(&facts), now.as_microsecond()).await?;
    let sent = haulier_notice::send(&*ledger, &channels, &SystemClock).await?;
    told(global, new, sent)?;
    Ok(if sent.refused + sent.lost == 0 { Exit::Done } else { Exit::No })
}
