//! What is told day by day while a run goes on.

use haulier_core::notice::{Kind, Notice, Subject};
use jiff::Timestamp;

use super::{Facts, Happened};

/// The newest hour of a notice that is over, where the run had begun by then. Hours that nobody was there to tell are left out.
pub(super) fn due(facts: &Facts<'_>, notice: &Notice) -> Option<Happened> {
    let progress = facts.progress?;
    let began =
        facts.happened.iter().filter(|event| event.kind == Kind::Start && event.subject == Subject::Run);
    let began = began.map(|event| event.at).max()?;
    let at = last(facts, notice).filter(|at| *at > began)?;
    Some(Happened {
        id: format!("every:{at}"),
        kind: Kind::Digest,
        subject: notice.of.clone(),
        at,
        reason: Some(progress.to_owned()),
        by: None,
    })
}

/// The last time that it was that hour in the schedule's zone.
fn last(facts: &Facts<'_>, notice: &Notice) -> Option<Timestamp> {
    let every = notice.every?;
    let zone = facts.calendar.zone.rules();
    let today = facts.now.to_zoned(zone.clone()).date();
    let at = |day: jiff::civil::Date| Some(day.to_datetime(every).to_zoned(zone.clone()).ok()?.timestamp());
    at(today).filter(|at| *at <= facts.now).or_else(|| at(today.yesterday().ok()?))
}
