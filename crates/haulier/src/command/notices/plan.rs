//! `haulier notices plan`: what would go out now, and what comes later.

use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Dates;
use crate::site::notices;
use crate::ui;

pub(super) async fn run(global: &Global, dates: &Dates, with_text: bool) -> Result<Exit, CliError> {
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
