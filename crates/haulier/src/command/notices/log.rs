//! `haulier notices log` and `ack`: what was told, and what became of what is in doubt.

use haulier_core::notice::{Post, PostEvent, PostState};
use haulier_core::port::Clock;
use serde_json::json;

use super::How;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::status::stamp;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::dates::{Dates, Seen};
use crate::ui;

async fn posts(global: &Global) -> Result<(Dates, Vec<Post>), CliError> {
    let dates = Dates::read(global, &Seen::now()).await?;
    let posts = match &dates.ledger {
        Some(ledger) => ledger.posts().await?,
        None => Vec::new(),
    };
    Ok((dates, posts))
}

pub(super) async fn run(global: &Global, with_text: bool) -> Result<Exit, CliError> {
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

pub(super) async fn ack(global: &Global, id: i64, how: &How, note: &str) -> Result<Exit, CliError> {
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
