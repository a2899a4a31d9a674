//! What people have to do before the day: each with its owner and its date.

use jiff::Timestamp;

use super::{Calendar, Lead};

/// Something that a person does before T0, or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub name: String,
    /// By when, counted from T0.
    pub at: Lead,
    /// Who.
    pub owner: String,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Somebody said that it is done.
    Done,
    /// Its date is over.
    Late,
    /// Its date is within a week.
    Due,
    /// Its date is farther away.
    Ahead,
    /// It has no date, because T0 has none.
    Undated,
}

impl TaskState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Late => "late",
            Self::Due => "due",
            Self::Ahead => "ahead",
            Self::Undated => "undated",
        }
    }
}

impl Calendar {
    /// By when a task is to be done; nothing where T0 has no date.
    #[must_use]
    pub fn task_date(&self, task: &Task) -> Option<Timestamp> {
        task.at.from(self.t0?, &self.zone)
    }

    /// Where a task stands at an instant.
    #[must_use]
    pub fn task_state(&self, task: &Task, now: Timestamp) -> TaskState {
        if self.done.contains(&task.name) {
            return TaskState::Done;
        }
        let week = Lead::parse("T-1w");
        let Some(date) = self.task_date(task) else { return TaskState::Undated };
        let near = week.and_then(|week| week.from(date, &self.zone)).unwrap_or(date);
        if date < now {
            TaskState::Late
        } else if near <= now {
            TaskState::Due
        } else {
            TaskState::Ahead
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Amendment, Change};

    #[test]
    fn a_task_is_ahead_due_late_or_done() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let task =
            Task { name: "say it".to_owned(), at: Lead::parse("T-3w").unwrap(), owner: "sam".to_owned() };
        let mut calendar = Calendar {
            t0: Some(at("2026-05-05T05:00:00Z")),
            tasks: vec![task.clone()],
            ..Calendar::default()
        };
        for (now, state) in [
            ("2026-04-07T04:59:59Z", TaskState::Ahead),
            ("2026-04-07T05:00:00Z", TaskState::Due),
            ("2026-04-14T05:00:00Z", TaskState::Due),
            ("2026-04-14T05:00:01Z", TaskState::Late),
        ] {
            assert_eq!(calendar.task_state(&task, at(now)), state, "{now}");
        }
        let change = |name: &str| Change {
            version: 1,
            at: 0,
            by: "sam".to_owned(),
            reason: "sent".to_owned(),
            what: Amendment::Done { task: name.to_owned() },
        };
        assert!(calendar.amend(&change("say")).is_err());
        calendar.amend(&change("say it")).unwrap();
        assert!(calendar.amend(&change("say it")).is_err(), "it is done once");
        assert_eq!(calendar.task_state(&task, at("2026-06-01T00:00:00Z")), TaskState::Done);
        let undated = Calendar { t0: None, ..Calendar::default() };
        assert_eq!(undated.task_state(&task, at("2026-06-01T00:00:00Z")), TaskState::Undated);
    }
}
