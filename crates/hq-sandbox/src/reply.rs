//! What a request comes to: a status, a body, and what the log says about it.

use serde::Serialize;
use serde_json::json;

use crate::member::FieldError;
use crate::record::Collection;

/// The answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) notes: Vec<Note>,
}

/// What the request log says about one record of a request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    pub(crate) status: u16,
    pub(crate) collection: Collection,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) natural_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

impl Reply {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        // Nothing that is answered here holds a map with keys that are no strings, the only way to fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, body, headers: Vec::new(), notes: Vec::new() }
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Vec::new(), headers: Vec::new(), notes: Vec::new() }
    }

    /// An error that is told by a word.
    pub(crate) fn error(status: u16, word: &str) -> Self {
        Self::json(status, &json!({ "error": word }))
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn with_note(
        mut self,
        collection: Collection,
        key: Option<String>,
        id: Option<String>,
    ) -> Self {
        self.notes.push(Note { status: self.status, collection, natural_key: key, id });
        self
    }

    /// Whether something was done.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    BadRequest(&'static str),
    NotFound,
    Exists(String),
    InUse(Collection),
    Invalid(Vec<FieldError>),
    MissingParent(&'static str),
    KeyReused,
}

impl Refusal {
    /// The status and the body.
    pub(crate) fn parts(&self) -> (u16, serde_json::Value) {
        match self {
            Self::BadRequest(word) => (400, json!({ "error": word })),
            Self::NotFound => (404, json!({ "error": "not_found" })),
            Self::Exists(id) => (409, json!({ "error": "exists", "existing_id": id })),
            Self::InUse(collection) => (409, json!({ "error": "in_use", "by": collection })),
            Self::Invalid(errors) => (422, json!({ "error": "invalid", "errors": errors })),
            Self::MissingParent(field) => (422, json!({ "error": "missing_parent", "field": field })),
            Self::KeyReused => (422, json!({ "error": "idempotency_key_reused" })),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let (status, body) = refusal.parts();
        Self::json(status, &body)
    }
}
