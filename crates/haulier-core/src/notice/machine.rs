//! The law of a post: how one notice on one channel may go from state to state.

/// Where a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PostState {
    /// Set by the change that it tells of; waits to be sent.
    Due,
    /// Set before it is handed to its channel.
    Sending,
    /// Set when the channel took it. Final.
    Sent,
    /// Set when the channel refused it for now; it goes out again when its time comes.
    Failed,
    /// Set when its sender died, or its channel never answered: nobody knows whether it went out. A person says.
    Doubtful,
    /// Set by a person who said it need not go out, or by a newer change that it would contradict. Final.
    Dropped,
    /// Set when a relay was asked to pass it on; a person confirms.
    Relayed,
}

/// What happens to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostEvent {
    /// A sender takes it.
    Taken,
    /// The channel took it.
    Accepted,
    /// The channel handed it to a person.
    Handed,
    /// The channel refused it: it did not go out.
    Refused,
    /// Nobody knows.
    Lost,
    /// A person says that it went out.
    Confirmed,
    /// A person says that it goes out again.
    Again,
    /// A person says that it need not go out.
    Withdrawn,
}

impl PostState {
    /// Each with its word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("due", Self::Due),
        ("sending", Self::Sending),
        ("sent", Self::Sent),
        ("failed", Self::Failed),
        ("doubtful", Self::Doubtful),
        ("dropped", Self::Dropped),
        ("relayed", Self::Relayed),
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Doubtful => "doubtful",
            Self::Dropped => "dropped",
            Self::Relayed => "relayed",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, state)| state)
    }

    /// Where an event leads; `None` where it is not lawful.
    #[must_use]
    pub fn next(self, event: PostEvent) -> Option<Self> {
        use PostEvent as E;
        Some(match (self, event) {
            (Self::Due | Self::Failed, E::Taken) => Self::Sending,
            (Self::Sending, E::Accepted) | (Self::Doubtful | Self::Relayed | Self::Failed, E::Confirmed) => {
                Self::Sent
            }
            (Self::Sending, E::Handed) => Self::Relayed,
            (Self::Sending, E::Refused) => Self::Failed,
            (Self::Sending, E::Lost) => Self::Doubtful,
            (Self::Doubtful | Self::Failed | Self::Relayed, E::Again) => Self::Due,
            (Self::Due | Self::Failed | Self::Doubtful | Self::Relayed, E::Withdrawn) => Self::Dropped,
            (
                Self::Due
                | Self::Sending
                | Self::Sent
                | Self::Failed
                | Self::Doubtful
                | Self::Dropped
                | Self::Relayed,
                E::Taken
                | E::Accepted
                | E::Handed
                | E::Refused
                | E::Lost
                | E::Confirmed
                | E::Again
                | E::Withdrawn,
            ) => return None,
        })
    }

    /// Whether anything more may happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Dropped)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const EVENTS: [PostEvent; 8] = [
        PostEvent::Taken,
        PostEvent::Accepted,
        PostEvent::Handed,
        PostEvent::Refused,
        PostEvent::Lost,
        PostEvent::Confirmed,
        PostEvent::Again,
        PostEvent::Withdrawn,
    ];

    #[test]
    fn every_state_is_reached_and_none_but_the_last_is_a_dead_end() {
        let mut reached = BTreeSet::from([PostState::Due]);
        loop {
            let next: BTreeSet<PostState> = reached
                .iter()
                .flat_map(|state| EVENTS.into_iter().filter_map(|event| state.next(event)))
                .collect();
            let before = reached.len();
            reached.extend(next);
            if reached.len() == before {
                break;
            }
        }
        assert_eq!(reached.len(), PostState::ALL.len());
        for state in reached {
            let ways = EVENTS.iter().filter(|event| state.next(**event).is_some()).count();
            assert_eq!(ways == 0, state.is_final(), "{state:?}");
            assert_eq!(PostState::of(state.as_str()), Some(state));
        }
    }

    #[test]
    fn nothing_is_sent_again_by_itself_once_it_may_have_gone_out() {
        for state in [PostState::Sending, PostState::Doubtful, PostState::Sent, PostState::Relayed] {
            assert_eq!(state.next(PostEvent::Taken), None, "{state:?}");
        }
    }
}
