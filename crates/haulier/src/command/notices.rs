//! `haulier notices`: who is told what, what went out, and what is in doubt.

use std::time::Duration;

use haulier_core::notice::{Kind, Post, PostEvent, PostState, Subject};
use haulier_core::port::{Clock, Ledger};
use haulier_notice::Sent;
use serde_json::json;

use super::status::stamp;
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

/// Show who is told what, send what is due, and say what became of what is in doubt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show what would go out now and what comes later; sends nothing
    Plan {
        #[command(flatten)]
        seen: Seen,
        /// With their texts
        #[arg(long)]
        text: bool,
    },
    /// Keep what is called for, and send what is due; ends with 1 where something did not go out
    Send {
        /// Again and again, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// List what was told, to whom, when, and what the channel said
    Log {
        /// With their texts
        #[arg(long)]
        text: bool,
    },
    /// Say what became of a notice that is in doubt, failed, or that somebody passed on
    Ack {
        /// Its number in the log
        id: i64,
        #[command(flatten)]
        how: How,
        /// How you know, for the record
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Tell of something that no program saw, such as an incident
    Tell {
        /// What it is: `incident`, `start`, `end`
        #[arg(value_parser = kind)]
        kind: Kind,
        /// What it is about: `run`, `wave:NAME`, `window:NAME`
        #[arg(long, default_value = "run", value_name = "SUBJECT")]
        of: String,
        /// Why, for those who are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct How {
    /// It went out
    #[arg(long)]
    sent: bool,
    /// It did not: send it again
    #[arg(long)]
    again: bool,
    /// It need not go out
    #[arg(long)]
    drop: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    match Kind::of(text) {
        Some(kind @ (Kind::Incident | Kind::Start | Kind::End)) => Ok(kind),
        Some(_) | None => Err("`incident`, `start` or `end`".to_owned()),
    }
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::Plan { seen, text } => plan(global, &Dates::read(global, &seen).await?, text).await,
        What::Send { watch } => send(global, watch).await,
        What::Log { text } => log(global, text).await,
        What::Ack { id, how, note } => ack(global, id, &how, &note).await,
        What::Tell { kind, of, reason } => tell(global, kind, &of, &reason).await,
    }
}

async fn plan(global: &Global, dates: &Dates, with_text: bool) -> Result<Exit, CliError> {
    let Some(ledger) = dates.ledger.clone() else {
        return Err(CliError::new(Exit::No, "there is no ledger yet, so nothing says what was told")
            .hint("the first run, or the first change of the calendar, makes it"));
    };
    let (called, posts) = notices::look(dates, &*ledger).await?;
    let known: Vec<&str> = posts.iter().map(|post| post.what.key.as_str()).collect();
    let new: Vec<_> = called.new.iter().filter(|post| !known.contains(&post.key.as_str())).collect();
    if global.json {
        for post in &new {
            ui::json(&json!({
                "when": "now", "notice": post.notice, "kind": post.kind.as_str(), "subject": post.subject,
                "audience": post.audience, "channel": post.channel, "to": post.to, "title": post.title, "text": post.text,
            }))?;
        }
        for (at, notice, audience) in &called.ahead {
            ui::json(&json!({ "when": at.to_string(), "notice": notice, "audience": audience }))?;
        }
        return Ok(Exit::Done);
    }
    if !dates.calendar.committed {
        ui::line("the dates are not promised, so nothing goes out by date: `haulier calendar commit`")?;
    }
    let now = new.iter().map(|post| {
        vec![
            "now".to_owned(),
            post.notice.clone(),
            post.audience.clone(),
            post.channel.clone(),
            post.title.clone(),
        ]
    });
    let later = called.ahead.iter().map(|(at, notice, audience)| {
        vec![dates.say(*at, None), notice.clone(), audience.clone(), String::new(), String::new()]
    });
    ui::line(ui::table(&["when", "notice", "audience", "channel", "title"], now.chain(later)))?;
    for post in new.iter().filter(|_| with_text) {
        ui::line(format!(
            "\n--- {} to {} by {}: {}\n{}",
            post.notice,
            post.to.join(", "),
            post.channel,
            post.title,
            post.text
        ))?;
    }
    Ok(Exit::Done)
}

async fn send(global: &Global, watch: bool) -> Result<Exit, CliError> {
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

async fn posts(global: &Global) -> Result<(Dates, Vec<Post>), CliError> {
    let dates = Dates::read(global, &Seen::now()).await?;
    let posts = match &dates.ledger {
        Some(ledger) => ledger.posts().await?,
        None => Vec::new(),
    };
    Ok((dates, posts))
}

async fn log(global: &Global, with_text: bool) -> Result<Exit, CliError> {
    let (_, posts) = posts(global).await?;
    if global.json {
        for post in &posts {
            let what = &post.what;
            ui::json(&json!({
                "id": post.id, "state": post.state.as_str(), "since": stamp(post.since), "kept": stamp(post.at),
                "notice": what.notice, "kind": what.kind.as_str(), "subject": what.subject, "audience": what.audience,
                "channel": what.channel, "to": what.to, "title": what.title, "text": what.text, "key": what.key,
                "attempts": post.attempts, "said": post.said,
            }))?;
        }
        return Ok(Exit::Done);
    }
    if posts.is_empty() {
        ui::line("nobody was told anything yet")?;
        return Ok(Exit::Done);
    }
    let rows = posts.iter().map(|post| {
        vec![
            post.id.to_string(),
            post.state.as_str().to_owned(),
            stamp(post.since),
            post.what.audience.clone(),
            post.what.channel.clone(),
            post.what.title.clone(),
            post.said.clone().unwrap_or_default(),
        ]
    });
    ui::line(ui::table(&["", "state", "since", "audience", "channel", "title", "said"], rows))?;
    for post in posts.iter().filter(|_| with_text) {
        ui::line(format!("\n--- {}: to {}\n{}", post.id, post.what.to.join(", "), post.what.text))?;
    }
    let waiting = |wanted: PostState| posts.iter().filter(|post| post.state == wanted).count();
    let (doubtful, relayed) = (waiting(PostState::Doubtful), waiting(PostState::Relayed));
    if doubtful + relayed > 0 {
        ui::line(format!(
            "{doubtful} in doubt, {relayed} with a person: `haulier notices ack NUMBER --sent|--again|--drop --note TEXT`"
        ))?;
    }
    Ok(Exit::Done)
}

async fn ack(global: &Global, id: i64, how: &How, note: &str) -> Result<Exit, CliError> {
    let (dates, posts) = posts(global).await?;
    let found = posts.iter().find(|post| post.id == id);
    let (Some(ledger), Some(post)) = (&dates.ledger, found) else {
        return Err(CliError::new(Exit::No, format!("there is no notice {id}"))
            .hint("`haulier notices log` lists them"));
    };
    let event = if how.sent {
        PostEvent::Confirmed
    } else if how.again {
        PostEvent::Again
    } else {
        PostEvent::Withdrawn
    };
    let said = format!("{}: {}", process::operator(), note.replace('\n', " "));
    let now = SystemClock.micros();
    if !ledger.settle_post(id, event, Some(&said), now, now).await? {
        let lawful: Vec<&str> = [
            ("--sent", PostEvent::Confirmed),
            ("--again", PostEvent::Again),
            ("--drop", PostEvent::Withdrawn),
        ]
        .into_iter()
        .filter(|(_, event)| post.state.next(*event).is_some())
        .map(|(word, _)| word)
        .collect();
        let refused = CliError::new(
            Exit::No,
            format!("notice {id} is {}, so that cannot be said of it", post.state.as_str()),
        );
        return Err(if lawful.is_empty() {
            refused
        } else {
            refused.hint(format!("it can be {}", lawful.join(", ")))
        });
    }
    let state = post.state.next(event).map_or("", PostState::as_str);
    if global.json {
        ui::json(&json!({ "id": id, "state": state }))?;
    } else {
        ui::line(format!("notice {id} is {state}: {said}"))?;
    }
    Ok(Exit::Done)
}

/// Tells at once, and keeps it like everything that was told.
async fn tell(global: &Global, kind: Kind, of: &str, reason: &str) -> Result<Exit, CliError> {
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
        posts: &ledger.posts().await?,
        now,
    };
    let new = haulier_notice::keep(&*ledger, &haulier_notice::called(&facts), now.as_microsecond()).await?;
    let sent = haulier_notice::send(&*ledger, &channels, &SystemClock).await?;
    told(global, new, sent)?;
    Ok(if sent.refused + sent.lost == 0 { Exit::Done } else { Exit::No })
}
