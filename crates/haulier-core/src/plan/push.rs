//! How a record is pushed: a small program of requests, and the rules that read the replies.

use crate::FailureKind;

/// The program of one entity.
#[derive(Debug, Clone, PartialEq)]
pub enum PushProgram {
    /// One idempotent write to a path made of the record's own key.
    Put {
        /// The write.
        write: RequestSpec,
    },
    /// Create; on a duplicate look up, then update where there is an update.
    Create {
        /// The create.
        create: RequestSpec,
        /// How an existing record is found; without it an unknown outcome cannot be resolved.
        lookup: Option<Lookup>,
        /// How an existing record is changed.
        update: Option<RequestSpec>,
    },
    /// Look up, then create or update.
    LookupThenWrite {
        /// How an existing record is found.
        lookup: Lookup,
        /// The create.
        create: RequestSpec,
        /// How an existing record is changed; without it an existing record is adopted as it is.
        update: Option<RequestSpec>,
    },
    /// An idempotent link between two records: a duplicate is a success.
    Link {
        /// The write.
        write: RequestSpec,
    },
    /// Changes a record that landed already (a deferred field); `{id}` is that record's target id.
    Update {
        /// The change.
        write: RequestSpec,
    },
    /// Many records in one request, each with its own result.
    Bulk(BulkWrite),
}

/// One request of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpec {
    /// The method.
    pub method: Method,
    /// Path and query, relative to the target's base.
    pub path: Template,
    /// The member that wraps the body's object (`{"user": {...}}`); `rows[]` wraps it in a list of one (`{"rows": [{...}]}`).
    pub wrap: Option<String>,
    /// Encoded JSON members added to the (inner) object, by name; in a bulk request that is wrapped, beside the list.
    pub constants: Vec<(String, String)>,
    /// Only these fields are sent; all when empty.
    pub only: Vec<String>,
    /// Whether NULL members are sent.
    pub nulls: NullFields,
    /// `Content-Type`; `application/json` where the plan says nothing.
    pub media_type: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, Template)>,
    /// Where the reply tells the record's id.
    pub id: Option<IdSource>,
    /// Whether the request is sent without a body.
    pub empty: bool,
}

/// An HTTP method that writes, or GET and POST for lookups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// The method's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether members that are NULL are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NullFields {
    /// Left out.
    Omit,
    /// Sent as `null`.
    Send,
}

/// Text with `{name}` places. Values are percent-encoded where they go into a path or query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Literal(String),
    /// The position of a text in a record's `vars`.
    Var(usize),
    /// The target id of the reference at this position of the entity's `refs`.
    Ref(usize),
    /// The record's own target id.
    OwnId,
}

/// A text that templates need, made by the producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Var {
    /// The name between the braces.
    pub name: String,
    /// The field whose mapped value it is, where one has that name; else the source column of that name.
    pub field: Option<String>,
}

/// Where a reply tells the record's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdSource {
    /// A JSON pointer into the body; strings and numbers are taken as text.
    Pointer(String),
    /// A header's whole value.
    Header(String),
    /// The last path segment of `Location`, percent-decoded.
    Location,
    /// Made of what was sent, such as `{project}:{user}`.
    Made(Template),
}

/// How an existing record is found by its natural key.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// GET, or POST for targets that search by body.
    pub method: Method,
    /// Path and query.
    pub path: Template,
    /// JSON body of a POST lookup, as a template of encoded JSON strings.
    pub body: Option<Template>,
    /// JSON pointer to the list of candidates; `None` when the reply is the one record, and 404 means none.
    pub items: Option<String>,
    /// Field and JSON pointer into a candidate, compared exactly (by the entity's fold) on our side. Never empty.
    pub matches: Vec<(String, String)>,
    /// Where a candidate tells its id: a pointer into it, or made of what was sent.
    pub id: IdSource,
}

/// How two natural keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyFold {
    /// Blanks at both ends do not count.
    pub trim: bool,
    /// Letter case does not count.
    pub case: bool,
}

/// Many records in one request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkWrite {
    /// The request; its body is a list of the records' bodies, wrapped by `wrap`.
    pub write: RequestSpec,
    /// Most records in one request.
    pub max: usize,
    /// How the reply tells each record's result.
    pub results: BulkResults,
}

/// How a bulk reply tells each record's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkResults {
    /// A list in the order that was sent, each with a status and an id.
    PerItem {
        /// JSON pointer to the list.
        items: String,
        /// JSON pointer, within an item, to its HTTP-like status (a number or a string).
        status: String,
        /// JSON pointer, within an item, to its id.
        id: String,
    },
    /// All or nothing: a refusal is bisected down to the record. Ids come as a list in the order that was sent.
    AllOrNothing {
        /// JSON pointer to the list of written records.
        items: String,
        /// JSON pointer, within a record, to its id.
        id: String,
    },
}

/// A rule that reads a reply. Every condition that it names must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRule {
    /// The status.
    pub status: Option<u16>,
    /// A condition on the body.
    pub body: Option<BodyMatch>,
    /// A header that must be there and hold this text.
    pub header: Option<(String, String)>,
    /// What the reply means.
    pub is: ReplyClass,
}

/// A condition on a reply's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyMatch {
    /// A regular expression over the whole text.
    Regex(String),
    /// The text at a JSON pointer holds this.
    Pointer {
        /// The pointer.
        pointer: String,
        /// What it must hold, as a regular expression.
        holds: String,
    },
}

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplyClass {
    /// A success.
    Ok,
    /// The record is there already.
    Exists,
    /// The record is not there (a lookup or an update).
    Missing,
    /// A failure of this kind.
    Failed(FailureKind),
}

/// How a success is proved, against silent loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verify {
    /// A 2xx is believed.
    None,
    /// Fields in the reply are compared with those sent; a field that is not in the reply is not compared.
    Echo,
    /// The record is read again through the lookup, or by GET on the written path, and every field is compared.
    Reread,
}

/// What to do with an unknown outcome that cannot be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnknownPolicy {
    /// Hold it for a person.
    Hold,
    /// Send it again.
    Resend,
}
