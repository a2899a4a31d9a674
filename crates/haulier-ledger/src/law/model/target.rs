//! The target: stores what it is sent, as often as it is sent.

/// How records are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push {
    /// By the sender's key.
    Put,
    /// By a create that always makes a record; an unsure one looks first, a known one is updated.
    Create,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) key: usize,
    pub(super) version: i64,
    /// The record's place in the target, where it is known.
    pub(super) known: Option<usize>,
    pub(super) unsure: bool,
}

/// The records that stand under each key.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) rows: Vec<Vec<i64>>,
}

impl Target {
    pub(super) fn new(keys: usize) -> Self {
        Self { rows: vec![Vec::new(); keys] }
    }

    /// Stores what the request brings, and gives its place.
    pub(super) fn act(&mut self, push: Push, request: &Request) -> usize {
        let rows = &mut self.rows[request.key];
        let place = match (push, request.known) {
            (Push::Put, _) => 0,
            (Push::Create, Some(place)) => place,
            (Push::Create, None) if request.unsure && !rows.is_empty() => 0,
            (Push::Create, None) => rows.len(),
        };
        if place == rows.len() {
            rows.push(request.version);
        } else {
            rows[place] = request.version;
        }
        place
    }
}
