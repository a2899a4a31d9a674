//! Answers kept by `Idempotency-Key`, so that the same request gets the same answer.

use std::collections::{HashMap, VecDeque};

use crate::reply::Reply;

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(crate) struct SavedReply {
    pub(crate) number: u64,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// The newest answers, so many of them.
#[derive(Debug, Default)]
pub(crate) struct SavedReplies {
    by_key: HashMap<String, SavedReply>,
    order: VecDeque<(u64, String)>,
    last: u64,
    most: usize,
}

/// What a key is worth to a request.
#[derive(Debug)]
pub(crate) enum KeyState {
    /// It was never used, or long ago.
    Free,
    /// The same request used it.
    Same(Reply),
    /// Another request used it.
    Taken,
}

impl SavedReplies {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub(crate) fn look_up(&self, key: &str, fingerprint: &str) -> KeyState {
        match self.by_key.get(key) {
            None => KeyState::Free,
            Some(saved) if saved.fingerprint == fingerprint => {
                let mut reply = Reply::empty(saved.status);
                reply.body = saved.body.clone().into_bytes();
                KeyState::Same(reply.with_header("idempotency-replayed", "true".to_owned()))
            }
            Some(_) => KeyState::Taken,
        }
    }

    /// Keeps an answer and gives back what is to be stored.
    pub(crate) fn keep(&mut self, key: &str, fingerprint: String, reply: &Reply) -> Option<SavedReply> {
        let body = String::from_utf8(reply.body.clone()).ok()?;
        let saved = SavedReply {
            number: self.last + 1,
            key: key.to_owned(),
            fingerprint,
            status: reply.status,
            body,
        };
        self.insert(saved.clone());
        Some(saved)
    }

    /// Takes up an answer that is stored already.
    pub(crate) fn insert(&mut self, saved: SavedReply) {
        self.last = self.last.max(saved.number);
        self.order.push_back((saved.number, saved.key.clone()));
        self.by_key.insert(saved.key.clone(), saved);
        while self.order.len() > self.most {
            let Some((_, key)) = self.order.pop_front() else { break };
            self.by_key.remove(&key);
        }
    }

    /// The number of the oldest answer that is kept; smaller ones are gone.
    pub(crate) fn oldest(&self) -> u64 {
        self.order.front().map_or(self.last + 1, |(number, _)| *number)
    }
}

/// What makes two requests the same: method, path and body, by FNV-1a in 128 bits.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        // The byte between two parts cannot stand in UTF-8, so parts do not run into each other.
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}")
}
