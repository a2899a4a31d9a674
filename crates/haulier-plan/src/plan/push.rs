//! `push`: the program of requests, before its names are looked up.

use haulier_core::plan::{BulkResults, Method, NullFields};

use super::template::{self, TemplateDraft};
use crate::node::{Node, Table, Text};
use crate::shape::Shape;
use crate::{near, scalar, shape};

/// The push of an entity as it is written.
#[derive(Debug, Clone)]
pub(crate) struct PushDraft<'d> {
    pub(crate) at: usize,
    pub(crate) shape: PushShape,
    /// The create, or the only write.
    pub(crate) write: RequestDraft<'d>,
    pub(crate) lookup: Option<LookupDraft<'d>>,
    pub(crate) update: Option<RequestDraft<'d>>,
    pub(crate) bulk: Option<(usize, BulkResults)>,
}

/// The programs that a plan can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushShape {
    Put,
    Create,
    LookupThenWrite,
    Link,
    Bulk,
}

/// A request as it is written.
#[derive(Debug, Clone)]
pub(crate) struct RequestDraft<'d> {
    pub(crate) at: usize,
    pub(crate) method: Method,
    pub(crate) path: TemplateDraft<'d>,
    pub(crate) wrap: Option<String>,
    pub(crate) constants: Vec<(Text<'d>, String)>,
    pub(crate) only: Vec<Text<'d>>,
    pub(crate) nulls: NullFields,
    pub(crate) media_type: Option<String>,
    pub(crate) headers: Vec<(String, TemplateDraft<'d>)>,
    pub(crate) id: Option<IdDraft<'d>>,
    /// Whether `id` is there, right or wrong.
    pub(crate) names_id: bool,
    pub(crate) empty: bool,
}

/// Where a reply tells the id, as it is written.
#[derive(Debug, Clone)]
pub(crate) enum IdDraft<'d> {
    Pointer(String),
    Header(String),
    Location,
    Made(TemplateDraft<'d>),
}

/// A lookup as it is written.
#[derive(Debug, Clone)]
pub(crate) struct LookupDraft<'d> {
    pub(crate) at: usize,
    pub(crate) method: Method,
    pub(crate) path: TemplateDraft<'d>,
    pub(crate) body: Option<TemplateDraft<'d>>,
    pub(crate) items: Option<String>,
    pub(crate) matches: Vec<(Text<'d>, String)>,
    pub(crate) id: IdDraft<'d>,
}

const SHAPES: [(&str, PushShape); 5] = [
    ("put", PushShape::Put),
    ("create", PushShape::Create),
    ("lookup-then-write", PushShape::LookupThenWrite),
    ("link", PushShape::Link),
    ("bulk", PushShape::Bulk),
];

const WRITES: [(&str, Method); 4] =
    [("post", Method::Post), ("put", Method::Put), ("patch", Method::Patch), ("delete", Method::Delete)];

/// What a request is there for, which decides its defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Creates a record, or links two.
    Create,
    /// Writes a whole record by its key.
    Put,
    /// Changes a record that is there.
    Update,
    /// Writes many.
    Bulk,
}

/// Reads `push`.
pub(crate) fn read<'d>(node: &Node<'d>) -> Option<PushDraft<'d>> {
    let Some(entries) = node.value.as_table() else { return node.unfit("a table") };
    if !entries.contains_key("shape") {
        let known: Vec<&str> = SHAPES.iter().map(|(word, _)| *word).collect();
        return node.wrong("`push` lacks `shape`", near::hint("", &known, "it can be"));
    }
    let shape_of = Table::new(node.notes, node.at, &ANY, entries).get("shape")?.word(&SHAPES)?;
    let table = node.table(match shape_of {
        PushShape::Put => &shape::PUT,
        PushShape::Create => &shape::CREATE,
        PushShape::LookupThenWrite => &shape::LOOKUP_THEN_WRITE,
        PushShape::Link => &shape::LINK,
        PushShape::Bulk => &shape::BULK,
    })?;
    let part = |key, role| table.get(key).and_then(|node| request(&node.table(&shape::REQUEST)?, role));
    let update = part("update", Role::Update);
    let lookup = match shape_of {
        PushShape::Create => table.get("lookup"),
        PushShape::LookupThenWrite => table.need("lookup", "say how an existing record is found"),
        PushShape::Put | PushShape::Link | PushShape::Bulk => None,
    };
    let lookup = lookup.and_then(|node| self::lookup(&node));
    let write = match shape_of {
        PushShape::Create | PushShape::LookupThenWrite => {
            let create = table.need("create", "`create = { path = \"/...\", id = \"/id\" }`");
            create.and_then(|node| request(&node.table(&shape::REQUEST)?, Role::Create))
        }
        PushShape::Put => request(&table, Role::Put),
        PushShape::Link => request(&table, Role::Create),
        PushShape::Bulk => request(&table, Role::Bulk),
    };
    let bulk = (shape_of == PushShape::Bulk).then(|| bulk(&table));
    Some(PushDraft {
        at: node.at,
        shape: shape_of,
        write: write?,
        lookup,
        update,
        bulk: match bulk {
            Some(read) => Some(read?),
            None => None,
        },
    })
}

/// The keys of any push, so that its shape can be asked for first.
const ANY: Shape = Shape {
    name: "push",
    what: "`push`",
    keys: &[
        "shape",
        "method",
        "path",
        "wrap",
        "constants",
        "only",
        "nulls",
        "media_type",
        "headers",
        "id",
        "empty",
        "update",
        "create",
        "lookup",
        "max",
        "results",
    ],
};

fn request<'d>(table: &Table<'d>, role: Role) -> Option<RequestDraft<'d>> {
    let path = table.need("path", "the path on the target, such as \"/accounts\"");
    let path = path.and_then(|node| template::read_path(&node));
    let (method, nulls) = match role {
        Role::Create | Role::Bulk => (Method::Post, NullFields::Omit),
        Role::Put => (Method::Put, NullFields::Send),
        Role::Update => (Method::Patch, NullFields::Send),
    };
    let inline = |key: &'static str| table.holds(key).then(|| table.get(key)).flatten();
    let constants = table.get("constants").map(|node| node.entries()).unwrap_or_default();
    let mut headers = table.get("headers").map(|node| node.entries()).unwrap_or_default();
    // Parcels tell variables by position, and plans of one digest may be written in any order.
    headers.sort_by_key(|(name, _)| name.value);
    let request = RequestDraft {
        at: table.at,
        method: table.word("method", &WRITES, method),
        path: path?,
        wrap: table.owned("wrap"),
        constants: constants.iter().filter_map(|(name, node)| Some((*name, scalar::json(node)?))).collect(),
        only: table.texts("only"),
        nulls: table.word("nulls", &[("omit", NullFields::Omit), ("send", NullFields::Send)], nulls),
        media_type: table.owned("media_type"),
        headers: headers.iter().filter_map(header).collect(),
        id: inline("id").and_then(|node| id(&node)),
        names_id: inline("id").is_some(),
        empty: inline("empty").and_then(|node| node.flag()).unwrap_or(false),
    };
    if request.empty && (request.wrap.is_some() || !request.constants.is_empty() || !request.only.is_empty())
    {
        table
            .notes
            .add(table.at, "a request with `empty = true` has no body for `wrap`, `constants` or `only`");
    }
    Some(request)
}

fn header<'d>((name, node): &(Text<'d>, Node<'d>)) -> Option<(String, TemplateDraft<'d>)> {
    let secret = ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];
    if secret.contains(&name.value.to_ascii_lowercase().as_str()) {
        node.notes.hinted(
            name.at,
            format!("the header `{}` carries a secret, which does not belong into a plan", name.value),
            "credentials stand in the site: `[target] auth = ...`",
        );
        return None;
    }
    if !name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte)) {
        node.notes.add(name.at, format!("\"{}\" is not a header's name", name.value));
        return None;
    }
    Some((name.value.to_owned(), template::read(node)?))
}

/// Reads `id`.
fn id<'d>(node: &Node<'d>) -> Option<IdDraft<'d>> {
    if node.value.as_str() == Some("location") {
        return Some(IdDraft::Location);
    }
    if node.value.is_str() {
        return scalar::pointer(node).map(IdDraft::Pointer);
    }
    let table = node.table(&shape::ID)?;
    match (table.get("header"), table.get("made")) {
        (Some(name), None) => Some(IdDraft::Header(name.text()?.value.to_owned())),
        (None, Some(made)) => template::read(&made).map(IdDraft::Made),
        (Some(_), Some(_)) | (None, None) => node.wrong(
            "`id` needs either `header` or `made`",
            Some("or write it as a JSON pointer, `id = \"/id\"`, or as `id = \"location\"`".to_owned()),
        ),
    }
}

fn lookup<'d>(node: &Node<'d>) -> Option<LookupDraft<'d>> {
    let table = node.table(&shape::LOOKUP)?;
    let path = table.need("path", "").and_then(|node| template::read_path(&node));
    let matches = table.need("match", "name the fields that must be equal, such as `match = [\"name\"]`");
    let matches = matches.map(|node| self::matches(&node));
    let method = table.word("method", &[("get", Method::Get), ("post", Method::Post)], Method::Get);
    let body = table.get("body").and_then(|node| {
        if method == Method::Get {
            return node.wrong(
                "a lookup by GET has no body",
                Some("add `method = \"post\"`, or drop `body`".to_owned()),
            );
        }
        super::search::read(&node)
    });
    let id = match table.get("id") {
        Some(node) => id(&node)?,
        None => IdDraft::Pointer("/id".to_owned()),
    };
    if matches!(id, IdDraft::Header(_) | IdDraft::Location) {
        node.notes
            .add(node.at, "a lookup's `id` is a JSON pointer into the candidate, or made of what was sent");
    }
    Some(LookupDraft {
        at: node.at,
        method,
        path: path?,
        body,
        items: match table.get("items") {
            Some(node) => Some(scalar::pointer(&node)?),
            None => None,
        },
        matches: matches?,
        id,
    })
}

/// `match = ["name"]`, or `match = { name = "/attributes/name" }` where the reply calls it otherwise.
fn matches<'d>(node: &Node<'d>) -> Vec<(Text<'d>, String)> {
    if node.value.is_table() {
        let entries = node.entries();
        if entries.is_empty() {
            node.notes.add(node.at, "`match` is empty: any record would be taken for the right one");
        }
        return entries.iter().filter_map(|(name, node)| Some((*name, scalar::pointer(node)?))).collect();
    }
    let pointer = |field: &str| format!("/{}", field.replace('~', "~0").replace('/', "~1").replace('.', "/"));
    node.texts().into_iter().map(|field| (field, pointer(field.value))).collect()
}

fn bulk(table: &Table<'_>) -> Option<(usize, BulkResults)> {
    let max = table.number("max", 1, 10_000, 100);
    let node = table.need("results", "say where the reply tells each record's result: `results = { items = \"/results\", status = \"/status\", id = \"/id\" }`")?;
    let results = node.table(&shape::RESULTS)?;
    let pointer = |key| results.get(key).map(|node| scalar::pointer(&node));
    let items = pointer("items").unwrap_or_else(|| Some(String::new()))?;
    let id = pointer("id").unwrap_or_else(|| Some("/id".to_owned()))?;
    Some((
        max,
        match pointer("status") {
            Some(status) => BulkResults::PerItem { items, status: status?, id },
            None => BulkResults::AllOrNothing { items, id },
        },
    ))
}
