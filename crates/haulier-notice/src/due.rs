//! Which posts are called for: by dates, by what has happened, and by dates that are no longer what was told.

mod digest;
mod reach;

use std::collections::HashSet;
use std::time::Duration;

use haulier_core::calendar::{Amendment, Calendar, Change, Opening};
use haulier_core::notice::{Kind, NewPost, Notice, Post, PostState, Subject};
use haulier_core::plan::Plan;
use haulier_core::port::Micros;
use jiff::Timestamp;

use crate::text::{Words, usual};
use reach::{Reach, class, reached};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// What makes it one, for ever: a run and the number of its entry.
    pub id: String,
    /// What it calls for.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// When.
    pub at: Timestamp,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// Who did it.
    pub by: Option<String>,
}

/// Everything that posts follow from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// The plan.
    pub plan: &'f Plan,
    /// Its calendar, with what people changed.
    pub calendar: &'f Calendar,
    /// What people changed.
    pub changes: &'f [Change],
    /// What has happened.
    pub happened: &'f [Happened],
    /// How far the run is, while one goes on.
    pub progress: Option<&'f str>,
    /// The outbox.
    pub posts: &'f [Post],
    /// The present.
    pub now: Timestamp,
}

/// What is called for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Called {
    /// Posts to keep. Those that the outbox has are among them where their time has come; it keeps each once.
    pub new: Vec<NewPost>,
    /// Posts that wait with a date that no longer holds.
    pub outdated: Vec<i64>,
    /// Posts whose time comes later: when, the notice, and whom it reaches.
    pub ahead: Vec<(Timestamp, String, String)>,
}

/// Works out what is called for. The same facts give the same posts.
#[must_use]
pub fn called(facts: &Facts<'_>) -> Called {
    let mut called = Called::default();
    let mut seen = HashSet::new();
    if facts.calendar.committed {
        for notice in facts.plan.notices.all.iter().filter(|notice| notice.kind.is_dated()) {
            for reach in reached(facts, notice) {
                for channel in &notice.channels {
                    seen.insert((reach.class.clone(), reach.audience.clone(), channel.clone()));
                    dated(facts, notice, &reach, channel, &mut called);
                }
            }
        }
        cancelled(facts, &seen, &mut called);
    }
    for notice in facts.plan.notices.all.iter().filter(|notice| notice.kind == Kind::Digest) {
        let Some(event) = digest::due(facts, notice) else { continue };
        for reach in reached(facts, notice) {
            for channel in &notice.channels {
                called.new.push(told(facts, notice, &event, &reach, channel));
            }
        }
    }
    let extended = extensions(facts);
    for event in facts.happened.iter().chain(&extended) {
        let notices = facts.plan.notices.all.iter();
        for notice in notices.filter(|notice| notice.kind == event.kind && notice.of.covers(&event.subject)) {
            let about = Notice { of: event.subject.clone(), ..notice.clone() };
            for reach in reached(facts, &about) {
                for channel in &notice.channels {
                    called.new.push(told(facts, notice, event, &reach, channel));
                }
            }
        }
    }
    called.new.sort_by(|one, other| one.key.cmp(&other.key));
    called.new.dedup_by(|one, other| one.key == other.key);
    called.ahead.sort();
    called.ahead.dedup();
    called.outdated.sort_unstable();
    called.outdated.dedup();
    called
}

/// The last post with a date of a thread on a channel that may have reached people.
fn last_told<'f>(facts: &Facts<'f>, class: &str, audience: &str, channel: &str) -> Option<&'f Post> {
    let of_thread = facts.posts.iter().rev().filter(|post| {
        let what = &post.what;
        what.date.is_some()
            && what.audience == audience
            && what.channel == channel
            && self::class(&what.subject, &what.audience) == class
    });
    let mut told = of_thread.filter(|post| may_be_known(post.state));
    told.find(|post| post.what.kind.is_dated() || matches!(post.what.kind, Kind::Moved | Kind::Cancelled))
}

fn may_be_known(state: PostState) -> bool {
    match state {
        PostState::Sending | PostState::Sent | PostState::Doubtful | PostState::Relayed => true,
        PostState::Due | PostState::Failed | PostState::Dropped => false,
    }
}

/// A notice before a date, or one that the date moved.
fn dated(facts: &Facts<'_>, notice: &Notice, reach: &Reach<'_>, channel: &str, called: &mut Called) {
    let Some(opening) = &reach.opening else { return };
    let start = opening.span.start;
    let date = start.as_microsecond();
    let thread = format!("{}/{}", reach.audience, reach.class);
    called.outdated.extend(
        waiting(facts, reach, channel).filter(|post| post.what.date != Some(date)).map(|post| post.id),
    );
    let told = last_told(facts, &reach.class, &reach.audience, channel);
    let lead = notice.at.and_then(|lead| lead.from(start, reach.zone(facts.calendar)));
    match told {
        Some(post) if post.what.kind == Kind::Cancelled || post.what.date != Some(date) => {
            if start > facts.now {
                // After a cancellation the same date is news again.
                let key = format!("moved|{thread}|{channel}|{start}|{}", post.id);
                let was = post.what.date.and_then(|date| Timestamp::from_microsecond(date).ok());
                called.new.push(post_of(
                    facts,
                    &moved(notice, Kind::Moved),
                    reach,
                    channel,
                    &key,
                    Some(date),
                    &Extra { was, ..Extra::default() },
                ));
            }
            return;
        }
        Some(_) if notice.kind == Kind::Planned => return,
        Some(_) | None => {}
    }
    match lead {
        Some(lead) if facts.now < lead => {
            called.ahead.push((lead, notice.name.clone(), reach.audience.clone()));
        }
        Some(_) if facts.now < start => {
            let key = format!("{}|{thread}|{channel}|{start}", notice.name);
            called.new.push(post_of(facts, notice, reach, channel, &key, Some(date), &Extra::default()));
        }
        Some(_) | None => {}
    }
}

/// Posts of a thread that nobody has seen yet.
fn waiting<'f>(facts: &Facts<'f>, reach: &Reach<'_>, channel: &str) -> impl Iterator<Item = &'f Post> {
    let (class, audience, channel) = (reach.class.clone(), reach.audience.clone(), channel.to_owned());
    facts.posts.iter().filter(move |post| {
        let what = &post.what;
        matches!(post.state, PostState::Due | PostState::Failed)
            && what.date.is_some()
            && what.kind != Kind::Cancelled
            && what.audience == audience
            && what.channel == channel
            && self::class(&what.subject, &what.audience) == class
    })
}

/// Dates that were told and are none any more.
fn cancelled(facts: &Facts<'_>, seen: &HashSet<(String, String, String)>, called: &mut Called) {
    let mut done = HashSet::new();
    for post in facts.posts.iter().filter(|post| post.what.date.is_some()) {
        let what = &post.what;
        let thread = (class(&what.subject, &what.audience), what.audience.clone(), what.channel.clone());
        if seen.contains(&thread) || !done.insert(thread.clone()) {
            continue;
        }
        let of_thread = facts.posts.iter().filter(|other| {
            let what = &other.what;
            class(&what.subject, &what.audience) == thread.0
                && what.audience == thread.1
                && what.channel == thread.2
        });
        called.outdated.extend(
            of_thread
                .filter(|other| matches!(other.state, PostState::Due | PostState::Failed))
                .filter(|other| other.what.date.is_some() && other.what.kind != Kind::Cancelled)
                .map(|other| other.id),
        );
        let Some(last) = last_told(facts, &thread.0, &thread.1, &thread.2) else { continue };
        let Some(date) = last.what.date.and_then(|date| Timestamp::from_microsecond(date).ok()) else {
            continue;
        };
        if last.what.kind == Kind::Cancelled || date <= facts.now {
            continue;
        }
        let reach = Reach::of_post(facts, last);
        let notice = Notice {
            name: "cancelled".to_owned(),
            kind: Kind::Cancelled,
            at: None,
            every: None,
            of: Subject::parse(&last.what.subject).unwrap_or(Subject::Run),
            audience: last.what.audience.clone(),
            channels: Vec::new(),
            title: None,
            text: None,
            impact: None,
            benefit: None,
        };
        let key = format!("cancelled|{}/{}|{}|{}", thread.1, thread.0, thread.2, last.id);
        let extra = Extra { was: Some(date), ..Extra::default() };
        called.new.push(post_of(facts, &notice, &reach, &thread.2, &key, last.what.date, &extra));
    }
}

/// Windows that people let end later.
fn extensions(facts: &Facts<'_>) -> Vec<Happened> {
    let mut happened = Vec::new();
    for change in facts.changes {
        let Amendment::Extend { window, .. } = &change.what else { continue };
        let waves = facts.calendar.waves.iter().filter(|wave| wave.windows.contains(window));
        let of_waves = waves.map(|wave| Subject::Wave(wave.name.clone()));
        for subject in of_waves.chain([Subject::Window(window.clone())]) {
            happened.push(Happened {
                id: format!("calendar:{}", change.version),
                kind: Kind::Extended,
                subject,
                at: Timestamp::from_microsecond(change.at).unwrap_or(facts.now),
                reason: Some(change.reason.clone()),
                by: Some(change.by.clone()),
            });
        }
    }
    happened
}

/// The same notice with the usual words of another kind.
fn moved(notice: &Notice, kind: Kind) -> Notice {
    Notice { name: kind.as_str().to_owned(), kind, title: None, text: None, ..notice.clone() }
}

/// A post that tells of an event.
fn told(facts: &Facts<'_>, notice: &Notice, event: &Happened, reach: &Reach<'_>, channel: &str) -> NewPost {
    let key = format!("{}|{}|{}/{}|{channel}", notice.name, event.id, reach.audience, event.subject);
    let extra = Extra {
        reason: event.reason.as_deref(),
        by: event.by.as_deref(),
        at: Some((event.kind, event.at)),
        was: None,
    };
    post_of(facts, notice, reach, channel, &key, None, &extra)
}

/// What only some posts tell.
#[derive(Debug, Default)]
struct Extra<'e> {
    was: Option<Timestamp>,
    reason: Option<&'e str>,
    by: Option<&'e str>,
    /// When it really began or ended.
    at: Option<(Kind, Timestamp)>,
}

fn post_of(
    facts: &Facts<'_>,
    notice: &Notice,
    reach: &Reach<'_>,
    channel: &str,
    key: &str,
    date: Option<Micros>,
    extra: &Extra<'_>,
) -> NewPost {
    let all = &facts.plan.notices;
    let benefit = notice.benefit.as_deref().or(all.benefit.as_deref());
    let (start, end) = span(reach.opening.as_ref(), extra.at);
    let words = Words {
        plan: &facts.plan.name,
        what: reach.what(),
        impact: notice.impact.or(all.impact),
        start,
        end,
        allowance: allowance(facts.calendar, reach.opening.as_ref()),
        support: all.support.as_deref(),
        benefit,
        reason: extra.reason,
        was: extra.was,
        tenants: reach.tenants.clone(),
        by: extra.by,
        zones: reach.zones(facts.calendar),
    };
    let (title, text) = usual(notice.kind, benefit.is_some());
    NewPost {
        key: format!("{}|{key}", facts.plan.name),
        notice: notice.name.clone(),
        kind: notice.kind,
        subject: reach.subject.to_string(),
        date,
        audience: reach.audience.clone(),
        channel: channel.to_owned(),
        to: reach.to.clone(),
        title: words.fill(notice.title.as_deref().unwrap_or(title)),
        text: words.fill(notice.text.as_deref().unwrap_or(&text)),
    }
}

/// The planned start and end, with what is known of them: when it really began or ended.
fn span(opening: Option<&Opening>, at: Option<(Kind, Timestamp)>) -> (Option<Timestamp>, Option<Timestamp>) {
    let (start, end) = (opening.map(|opening| opening.span.start), opening.map(|opening| opening.span.end));
    match at {
        Some((Kind::Start, at)) => (Some(at), end.map(|end| end.max(at))),
        Some((Kind::End, at)) => (start, Some(at)),
        Some(_) | None => (start, end),
    }
}

/// How much longer an opening may still become.
fn allowance(calendar: &Calendar, opening: Option<&Opening>) -> Duration {
    let Some(opening) = opening else { return Duration::ZERO };
    let most = calendar.window(&opening.window).map(|window| window.max_extension).unwrap_or_default();
    most.saturating_sub(opening.extended)
}
