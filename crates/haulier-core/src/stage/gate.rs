//! The states of one gate: closed until a person's recorded decision opens it.

use super::Unlawful;
use super::check::Advice;
use super::words::words;

words! {
    /// Where a gate stands.
    GateState {
        /// Nobody has looked yet.
        Closed = "closed",
        /// Its checks run.
        Evaluating = "evaluating",
        /// Every `must` check passed.
        GoAdvised = "go-advised",
        /// A `must` check failed.
        NoGoAdvised = "no-go-advised",
        /// A `must` check has no answer.
        Inconclusive = "inconclusive",
        /// Enough approvers said go: open.
        Go = "go",
        /// An approver said no.
        NoGo = "no-go",
        /// An approver said not yet.
        Hold = "hold",
        /// The go does not hold any more: plan or evidence changed, or it is too old.
        Stale = "stale",
        /// The stage behind it has begun.
        Passed = "passed",
    }
}

words! {
    /// What happens to a gate.
    GateEvent {
        /// Its checks begin.
        Evaluate = "evaluate",
        /// They advise to go.
        AdviseGo = "advise-go",
        /// They advise not to.
        AdviseNoGo = "advise-no-go",
        /// They cannot say.
        AdviseNothing = "advise-nothing",
        /// A decision opens it. Never an event of its own: it is the effect of a recorded decision.
        Go = "go",
        /// A decision says no.
        NoGo = "no-go",
        /// A decision says not yet.
        Hold = "hold",
        /// Plan or evidence changed, or the go is too old.
        Expire = "expire",
        /// The stage behind it begins.
        Pass = "pass",
    }
}

impl From<Advice> for GateEvent {
    fn from(advice: Advice) -> Self {
        match advice {
            Advice::Go => Self::AdviseGo,
            Advice::NoGo => Self::AdviseNoGo,
            Advice::Inconclusive => Self::AdviseNothing,
        }
    }
}

impl GateState {
    /// Where an event leads, or that it is not lawful here.
    pub fn next(self, event: GateEvent) -> Result<Self, Unlawful> {
        use GateEvent as E;
        let to = match (self, event) {
            // Looking again takes nothing away from who comes later, and takes a go back that rested on other evidence.
            (
                Self::Closed
                | Self::Evaluating
                | Self::GoAdvised
                | Self::NoGoAdvised
                | Self::Inconclusive
                | Self::Go
                | Self::NoGo
                | Self::Hold
                | Self::Stale,
                E::Evaluate,
            ) => Self::Evaluating,
            (Self::Evaluating, E::AdviseGo) => Self::GoAdvised,
            (Self::Evaluating, E::AdviseNoGo) => Self::NoGoAdvised,
            (Self::Evaluating, E::AdviseNothing) => Self::Inconclusive,
            (Self::GoAdvised | Self::NoGoAdvised | Self::Inconclusive | Self::Hold, E::Go) => Self::Go,
            (
                Self::GoAdvised
                | Self::NoGoAdvised
                | Self::Inconclusive
                | Self::Hold
                | Self::Go
                | Self::Stale,
                E::NoGo,
            ) => Self::NoGo,
            (
                Self::GoAdvised
                | Self::NoGoAdvised
                | Self::Inconclusive
                | Self::Hold
                | Self::Go
                | Self::NoGo
                | Self::Stale,
                E::Hold,
            ) => Self::Hold,
            (Self::Go | Self::Hold | Self::GoAdvised | Self::NoGoAdvised | Self::Inconclusive, E::Expire) => {
                Self::Stale
            }
            (Self::Go, E::Pass) => Self::Passed,
            (
                Self::Closed
                | Self::Evaluating
                | Self::GoAdvised
                | Self::NoGoAdvised
                | Self::Inconclusive
                | Self::Go
                | Self::NoGo
                | Self::Hold
                | Self::Stale
                | Self::Passed,
                _,
            ) => return Err(Unlawful::gate(self, event)),
        };
        Ok(to)
    }

    /// Whether the stage behind it may begin, or has begun.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Go | Self::Passed)
    }

    /// Whether its checks gave an answer that somebody may decide on.
    #[must_use]
    pub fn is_decidable(self) -> bool {
        matches!(self, Self::GoAdvised | Self::NoGoAdvised | Self::Inconclusive | Self::Hold)
    }
}
