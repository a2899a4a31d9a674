//! What a plan leaves open although it can be read: questions, owners, notices that come too late.

use jiff::Timestamp;

use super::{Plan, Stages};
use crate::calendar::{Calendar, lead};
use crate::notice::{Notice, Subject};

/// Something that a plan leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What kind of thing: `question`, `owners`, `notice`.
    pub what: &'static str,
    /// What it is.
    pub says: String,
    /// Whether nothing should begin like this.
    pub blocks: bool,
}

/// Everything that a plan leaves open at an instant. `told` says whether a notice about a subject has gone out, or is on its way.
#[must_use]
pub fn lint(
    plan: &Plan,
    calendar: &Calendar,
    told: impl Fn(&Notice, &Subject) -> bool,
    now: Timestamp,
) -> Vec<Lint> {
    let mut found = questions(&plan.stages);
    found.extend(owners(&plan.stages));
    for notice in plan.notices.all.iter().filter(|notice| notice.kind.is_dated()) {
        let subjects = match &notice.of {
            Subject::Waves => calendar.waves.iter().map(|wave| Subject::Wave(wave.name.clone())).collect(),
            of @ (Subject::Run | Subject::Wave(_) | Subject::Window(_)) => vec![of.clone()],
        };
        for subject in subjects {
            let late = late(notice, &subject, calendar, now);
            found.extend(late.filter(|_| !told(notice, &subject)));
        }
    }
    found
}

fn questions(stages: &Stages) -> Vec<Lint> {
    let of = |question: &super::Question| {
        let whose = match &question.owner {
            Some(owner) => format!("{owner} finds it out"),
            None => "nobody owns it".to_owned(),
        };
        let weight = if question.blocks { "; nothing begins before it is answered" } else { "" };
        let says = format!("open: {}; {whose}{weight}", question.ask);
        Lint { what: "question", says, blocks: question.blocks }
    };
    stages.questions.iter().map(of).collect()
}

fn owners(stages: &Stages) -> Option<Lint> {
    let nobody = |owner: &Option<String>| owner.as_ref().is_none_or(|owner| owner.trim().is_empty());
    let blank: Vec<&str> =
        stages.stages.iter().filter(|stage| nobody(&stage.owner)).map(|stage| stage.name.as_str()).collect();
    let says = format!("nobody owns: {}", blank.join(", "));
    (!blank.is_empty()).then_some(Lint { what: "owners", says, blocks: false })
}

/// A notice whose time has passed while its date is still ahead.
fn late(notice: &Notice, subject: &Subject, calendar: &Calendar, now: Timestamp) -> Option<Lint> {
    let start = match subject {
        Subject::Run => calendar.t0?,
        Subject::Waves => return None,
        Subject::Wave(name) => calendar.wave_date(calendar.wave(name)?, None)?.span.start,
        Subject::Window(name) => calendar.window_date(calendar.window(name)?)?.span.start,
    };
    let due = notice.at?.from(start, &calendar.zone)?;
    let missed = std::time::Duration::try_from(now.duration_since(due)).ok().filter(|by| !by.is_zero())?;
    let says = format!(
        "\"{}\" for {subject} of {} was due {} ago, and has not gone out: move the date, or tell people by hand",
        notice.name,
        calendar.zone.say(start),
        lead::say(missed)
    );
    (now < start).then_some(Lint { what: "notice", says, blocks: false })
}
