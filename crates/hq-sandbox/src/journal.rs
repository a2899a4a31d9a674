//! The request log: one JSON object a line, written before the answer goes out.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::clock;
use crate::fault::Mishap;
use crate::reply::{Note, Reply};

/// The file that the log is appended to, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Journal(Option<Mutex<File>>);

/// What the log says about a request as a whole.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) mishap: Option<Mishap>,
    pub(crate) reply: &'a Reply,
    /// How long it was worked on or waited for a slot.
    pub(crate) took: Duration,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    method: &'a str,
    path: &'a str,
    status: u16,
    took_us: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Mishap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Note>,
}

impl Journal {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("opening the request log {}", path.display()))?;
        Ok(Self(Some(Mutex::new(file))))
    }

    /// Writes one line for each record of the request, or one for the request.
    pub(crate) fn write(&self, entry: &Entry<'_>) {
        let Some(file) = &self.0 else { return };
        let mut lines = Vec::with_capacity(256);
        let mut records: Vec<Option<&Note>> = entry.reply.notes.iter().map(Some).collect();
        if records.is_empty() {
            records.push(None);
        }
        let time = clock::now().to_string();
        for record in records {
            let line = Line {
                time: time.clone(),
                method: entry.method,
                path: entry.path,
                status: record.map_or(entry.reply.status, |note| note.status),
                took_us: entry.took.as_micros(),
                idempotency_key: entry.idempotency_key,
                fault: entry.mishap,
                record,
            };
            if serde_json::to_writer(&mut lines, &line).is_ok() {
                lines.push(b'\n');
            }
        }
        // One write for all lines, so that lines of other requests do not come between them.
        let written = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&lines);
        if let Err(error) = written {
            tracing::error!(%error, "the request log could not be written");
        }
    }
}
