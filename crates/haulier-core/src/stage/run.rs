//! The states of a run that walks stages, and the one function that says where it may go.

use super::Unlawful;
use super::words::words;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Opened; nothing of it has begun.
    Scheduled,
    /// Its next part waits for its window.
    AwaitingWindow,
    /// A stage is being worked on.
    Running,
    /// Nothing new begins; what is in flight ends.
    Pausing,
    /// Nothing is in flight, until somebody resumes it.
    Paused,
    /// A gate is closed and waits for a person.
    AwaitingDecision,
    /// Its controller died or left; only an explicit resume takes it up, as what it was.
    Interrupted(Live),
    /// It was told to stop for good; what is in flight ends.
    Aborting,
    /// Stopped for good; the target keeps what it has.
    Aborted,
    /// The target is being put back to a snapshot.
    RollingBack,
    /// The target is as it was at the snapshot.
    RolledBack,
    /// Putting it back failed: the next fallback, or an incident.
    RollbackFailed,
    /// Every stage succeeded or was skipped.
    Completed,
    /// Called off before it began.
    Cancelled,
    /// Given to the incident process after a failed rollback.
    ClosedFailed,
}

words! {
    /// A state in which a run can be interrupted.
    Live {
        /// See [`RunState::AwaitingWindow`].
        AwaitingWindow = "awaiting-window",
        /// See [`RunState::Running`].
        Running = "running",
        /// See [`RunState::Pausing`].
        Pausing = "pausing",
        /// See [`RunState::Paused`].
        Paused = "paused",
        /// See [`RunState::AwaitingDecision`].
        AwaitingDecision = "awaiting-decision",
        /// See [`RunState::Aborting`].
        Aborting = "aborting",
        /// See [`RunState::RollingBack`].
        RollingBack = "rolling-back",
    }
}

words! {
    /// What happens to a run.
    RunEvent {
        /// It begins.
        Start = "start",
        /// The window of what comes next is shut.
        WindowShut = "window-shut",
        /// That window is open.
        WindowOpened = "window-opened",
        /// What comes next stands behind a closed gate.
        GateReached = "gate-reached",
        /// That gate was opened by a decision.
        GateOpened = "gate-opened",
        /// An operator, a tolerance or the end of a window holds it.
        Pause = "pause",
        /// Nothing is in flight any more.
        AtRest = "at-rest",
        /// Somebody lets it go on.
        Resume = "resume",
        /// Its controller died or left.
        Interrupt = "interrupt",
        /// A controller takes it up again, because somebody said so.
        TakeUp = "take-up",
        /// Somebody stops it for good.
        Abort = "abort",
        /// Something could not be brought to an end while aborting.
        Stick = "stick",
        /// An approved rollback begins.
        RollBack = "roll-back",
        /// The rollback succeeded.
        RolledBack = "rolled-back",
        /// The rollback failed.
        RollbackFailed = "rollback-failed",
        /// The last stage is done.
        Complete = "complete",
        /// Called off before it began.
        Cancel = "cancel",
        /// Handed to the incident process.
        CloseFailed = "close-failed",
    }
}

impl Live {
    /// The state itself.
    #[must_use]
    pub fn state(self) -> RunState {
        match self {
            Self::AwaitingWindow => RunState::AwaitingWindow,
            Self::Running => RunState::Running,
            Self::Pausing => RunState::Pausing,
            Self::Paused => RunState::Paused,
            Self::AwaitingDecision => RunState::AwaitingDecision,
            Self::Aborting => RunState::Aborting,
            Self::RollingBack => RunState::RollingBack,
        }
    }
}

impl RunState {
    /// Where an event leads, or that it is not lawful here.
    pub fn next(self, event: RunEvent) -> Result<Self, Unlawful> {
        use RunEvent as E;
        let to = match (self, event) {
            (Self::Scheduled, E::Start) => Self::Running,
            (Self::Scheduled, E::Cancel) => Self::Cancelled,

            (Self::Running, E::WindowShut) => Self::AwaitingWindow,
            (Self::Running, E::GateReached) => Self::AwaitingDecision,
            (Self::Running, E::Pause) => Self::Pausing,
            (Self::Running, E::Complete) => Self::Completed,

            (Self::AwaitingWindow, E::WindowOpened) => Self::Running,
            (Self::AwaitingWindow, E::GateReached) => Self::AwaitingDecision,
            (Self::AwaitingWindow, E::Pause) => Self::Paused,

            (Self::Pausing, E::AtRest) => Self::Paused,
            (Self::Pausing, E::Resume) => Self::Running,
            // The work ended meanwhile.
            (Self::Pausing, E::GateReached) => Self::AwaitingDecision,

            (Self::Paused, E::Resume) => Self::Running,
            (Self::Paused, E::RollBack) => Self::RollingBack,

            (Self::AwaitingDecision, E::GateOpened) => Self::Running,
            (Self::AwaitingDecision, E::Pause) => Self::Paused,
            (Self::AwaitingDecision, E::RollBack) => Self::RollingBack,

            // Also while it is interrupted, and while it is aborting already: one path for all stops.
            (
                Self::AwaitingWindow
                | Self::Running
                | Self::Pausing
                | Self::Paused
                | Self::AwaitingDecision
                | Self::Interrupted(
                    Live::AwaitingWindow
                    | Live::Running
                    | Live::Pausing
                    | Live::Paused
                    | Live::AwaitingDecision
                    | Live::Aborting,
                ),
                E::Abort,
            ) => Self::Aborting,

            (Self::Interrupted(was), E::TakeUp) => was.state(),
            (from, E::Interrupt) => Self::Interrupted(from.live().ok_or_else(|| Unlawful::run(from, event))?),

            (Self::Aborting, E::AtRest) => Self::Aborted,
            (Self::Aborting, E::Stick) => Self::Paused,

            (Self::Aborted | Self::RollbackFailed, E::RollBack) => Self::RollingBack,
            (Self::RollingBack, E::RolledBack) => Self::RolledBack,
            (Self::RollingBack, E::RollbackFailed) => Self::RollbackFailed,
            (Self::RollbackFailed, E::CloseFailed) => Self::ClosedFailed,

            (
                Self::Scheduled
                | Self::AwaitingWindow
                | Self::Running
                | Self::Pausing
                | Self::Paused
                | Self::AwaitingDecision
                | Self::Interrupted(_)
                | Self::Aborting
                | Self::Aborted
                | Self::RollingBack
                | Self::RolledBack
                | Self::RollbackFailed
                | Self::Completed
                | Self::Cancelled
                | Self::ClosedFailed,
                _,
            ) => return Err(Unlawful::run(self, event)),
        };
        Ok(to)
    }

    /// The events that are lawful here.
    pub fn lawful(self) -> impl Iterator<Item = RunEvent> {
        RunEvent::ALL.iter().copied().filter(move |event| self.next(*event).is_ok())
    }

    /// As a state in which it can be interrupted.
    #[must_use]
    pub fn live(self) -> Option<Live> {
        Live::ALL.iter().copied().find(|live| live.state() == self)
    }

    /// Whether a controller has something to do for it. An interrupted run has none, and wants one.
    #[must_use]
    pub fn is_live(self) -> bool {
        self.live().is_some() || matches!(self, Self::Interrupted(_))
    }

    /// Whether nothing leads on from here. An aborted run may still be rolled back.
    #[must_use]
    pub fn is_final(self) -> bool {
        self.lawful().next().is_none()
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::AwaitingWindow => "awaiting-window",
            Self::Running => "running",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::AwaitingDecision => "awaiting-decision",
            Self::Interrupted(_) => "interrupted",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
            Self::RollbackFailed => "rollback-failed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::ClosedFailed => "closed-failed",
        }
    }
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())?;
        if let Self::Interrupted(was) = self {
            write!(f, " (was {was})")?;
        }
        Ok(())
    }
}
