//! A target that keeps any JSON object by collection: ids of its own, unique keys where a test wants them.
//!
//! `POST /c` · `GET /c?member=text` · `GET /c/ID` · `PATCH /c/ID` · `PUT /c/by-key/KEY`, which writes by the sender's own key, and
//! `GET` there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use haulier_testkit::fake_target::{FakeTarget, Fault, Gate, Reply, Seen};
use serde_json::{Map, Value, json};

/// The running target.
pub(crate) struct Collections {
    target: FakeTarget,
    shelves: Arc<Mutex<Shelves>>,
}

#[derive(Default)]
struct Shelves {
    shelves: BTreeMap<String, Shelf>,
    unique: HashMap<String, Vec<String>>,
    faults: HashMap<String, Fault>,
    refusals: HashMap<String, Reply>,
    /// By collection: members, their texts, and what creates that bring them are answered.
    refusals_of: HashMap<String, Vec<(String, String, Reply)>>,
    held_lists: HashMap<String, Gate>,
}

/// One collection.
#[derive(Default)]
struct Shelf {
    records: Vec<Stored>,
    by_key: HashMap<String, usize>,
    by_unique: HashMap<String, usize>,
}

/// One stored record.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: String,
    /// The key of a `PUT .../by-key/KEY`.
    pub(crate) key: Option<String>,
    pub(crate) members: Map<String, Value>,
}

impl Collections {
    /// Starts it; `unique` names the members that identify a record of a collection, for 409.
    pub(crate) async fn start(unique: &[(&str, &[&str])]) -> Self {
        let target = FakeTarget::start().await;
        let named = |(collection, members): &(&str, &[&str])| {
            ((*collection).to_owned(), members.iter().map(|member| (*member).to_owned()).collect())
        };
        let shelves = Arc::new(Mutex::new(Shelves {
            unique: unique.iter().map(named).collect(),
            ..Shelves::default()
        }));
        for method in ["GET", "POST", "PATCH", "PUT"] {
            let shelves = Arc::clone(&shelves);
            target.on(method, "/*").with(move |seen| shelves.lock().unwrap().answer(seen));
        }
        Self { target, shelves }
    }

    pub(crate) fn url(&self) -> &str {
        self.target.url()
    }

    /// Everything that was asked so far, as `METHOD path`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.target.lines()
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap()
    }

    /// What a collection holds.
    pub(crate) fn records(&self, collection: &str) -> Vec<Stored> {
        self.shelves().shelves.get(collection).map(|shelf| shelf.records.clone()).unwrap_or_default()
    }

    /// Every request so far, whole.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.target.log()
    }

    /// Holds the answers to creates in a collection until the gate is opened.
    pub(crate) fn hold(&self, collection: &str) -> Gate {
        let gate = Gate::default();
        self.break_answers(collection, Some(Fault::Hold(gate.clone())));
        gate
    }

    /// Holds the answers to lists of a collection until the gate is opened.
    pub(crate) fn hold_list(&self, collection: &str) -> Gate {
        let gate = Gate::default();
        self.shelves().held_lists.insert(collection.to_owned(), gate.clone());
        gate
    }

    /// Lists of a collection are answered at once again.
    pub(crate) fn release_list(&self, collection: &str) {
        self.shelves().held_lists.remove(collection);
    }

    /// Stores what creates in a collection bring and breaks the answers so; `None` ends it.
    pub(crate) fn break_answers(&self, collection: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.shelves().faults.insert(collection.to_owned(), fault),
            None => self.shelves().faults.remove(collection),
        };
    }

    /// Answers this to creates in a collection, without storing anything; `None` ends it.
    pub(crate) fn refuse(&self, collection: &str, reply: Option<Reply>) {
        match reply {
            Some(reply) => self.shelves().refusals.insert(collection.to_owned(), reply),
            None => self.shelves().refusals.remove(collection),
        };
    }

    /// The same only for creates whose member has this text, beside those that were named before; `None` ends it for all.
    pub(crate) fn refuse_those(&self, collection: &str, (member, text): (&str, &str), reply: Option<Reply>) {
        let mut shelves = self.shelves();
        match reply {
            Some(reply) => {
                let refused = shelves.refusals_of.entry(collection.to_owned()).or_default();
                refused.push((member.to_owned(), text.to_owned(), reply));
            }
            None => drop(shelves.refusals_of.remove(collection)),
        }
    }

    /// All records as sorted lines without ids: a reference stands as the natural text of the record it points to.
    pub(crate) fn neutral(&self) -> BTreeMap<String, Vec<String>> {
        let shelves = self.shelves();
        let by_id: HashMap<&str, &Stored> = shelves
            .shelves
            .values()
            .flat_map(|shelf| &shelf.records)
            .map(|stored| (stored.id.as_str(), stored))
            .collect();
        let line = |stored: &Stored| {
            let members =
                stored.members.iter().map(|(name, value)| (name.clone(), without_ids(value, &by_id)));
            let sorted: BTreeMap<String, Value> = members.collect();
            let key = stored.key.as_deref().filter(|key| !key.contains(':'));
            json!({ "key": key, "members": sorted }).to_string()
        };
        let sorted = |shelf: &Shelf| {
            let mut lines: Vec<String> = shelf.records.iter().map(line).collect();
            lines.sort_unstable();
            lines
        };
        shelves.shelves.iter().map(|(name, shelf)| (name.clone(), sorted(shelf))).collect()
    }
}

fn without_ids(value: &Value, by_id: &HashMap<&str, &Stored>) -> Value {
    let Some(referred) = value.as_str().and_then(|text| by_id.get(text)) else { return value.clone() };
    let named = ["email", "title", "name"].into_iter().find_map(|name| referred.members.get(name));
    json!({ "key": referred.key, "named": named })
}

impl Shelves {
    fn answer(&mut self, seen: &Seen) -> Reply {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let parts: Vec<String> = path.trim_start_matches('/').split('/').map(plain).collect();
        let body = || serde_json::from_str::<Map<String, Value>>(&seen.body);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (seen.method.as_str(), parts.as_slice()) {
            ("GET", [""]) => Reply::json(200, "{}"),
            ("GET", [collection]) => self.find(collection, query),
            ("GET", [collection, at @ ..]) => self.one(collection, at),
            (_, [collection, ..]) if self.refusals.contains_key(*collection) => {
                self.refusals[*collection].clone()
            }
            ("POST", [collection]) => match body() {
                Ok(members) => self.create(collection, members),
                Err(_) => Reply::json(400, r#"{"error":"no object"}"#),
            },
            ("PATCH", [collection, id]) => match body() {
                Ok(members) => self.change(collection, id, members),
                Err(_) => Reply::json(400, r#"{"error":"no object"}"#),
            },
            ("PUT", [collection, "by-key", key]) => match body() {
                Ok(members) => self.put(collection, key, members),
                Err(_) => Reply::json(400, r#"{"error":"no object"}"#),
            },
            _ => Reply::json(404, r#"{"error":"no such path"}"#),
        }
    }

    fn find(&self, collection: &str, query: &str) -> Reply {
        let wanted: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, text)| (plain(name), plain(text)))
            .collect();
        let fits = |stored: &&Stored| {
            wanted.iter().all(|(name, text)| stored.members.get(name).and_then(Value::as_str) == Some(text))
        };
        let records = self.shelves.get(collection).map(|shelf| &*shelf.records).unwrap_or_default();
        let items: Vec<Value> = records.iter().filter(fits).map(shown).collect();
        let reply = Reply::json(200, &json!({ "items": items }).to_string());
        match self.held_lists.get(collection) {
            Some(gate) => reply.fault(Fault::Hold(gate.clone())),
            None => reply,
        }
    }

    /// The record of an id, or of a key.
    fn one(&self, collection: &str, at: &[&str]) -> Reply {
        let records = self.shelves.get(collection).map(|shelf| &*shelf.records).unwrap_or_default();
        let fits = |stored: &&Stored| match at {
            [id] => stored.id == *id,
            ["by-key", key] => stored.key.as_deref() == Some(*key),
            _ => false,
        };
        match records.iter().find(fits) {
            Some(stored) => Reply::json(200, &shown(stored).to_string()),
            None => Reply::json(404, r#"{"error":"not found"}"#),
        }
    }

    fn create(&mut self, collection: &str, members: Map<String, Value>) -> Reply {
        let refused = self.refusals_of.get(collection).map(Vec::as_slice).unwrap_or_default();
        let brings = |(member, text, _): &&(String, String, Reply)| {
            members.get(member).and_then(Value::as_str) == Some(text)
        };
        if let Some((_, _, reply)) = refused.iter().find(brings) {
            return reply.clone();
        }
        let shelf = self.shelves.entry(collection.to_owned()).or_default();
        if let Some(unique) = self.unique.get(collection) {
            let values: Vec<&Value> =
                unique.iter().map(|name| members.get(name).unwrap_or(&Value::Null)).collect();
            if shelf.by_unique.insert(json!(values).to_string(), shelf.records.len()).is_some() {
                return Reply::json(409, r#"{"error":"exists"}"#);
            }
        }
        let reply = shelf.add(collection, None, members);
        match self.faults.get(collection) {
            Some(fault) => reply.fault(fault.clone()),
            None => reply,
        }
    }

    fn change(&mut self, collection: &str, id: &str, members: Map<String, Value>) -> Reply {
        let shelf = self.shelves.entry(collection.to_owned()).or_default();
        let Some(stored) = shelf.records.iter_mut().find(|stored| stored.id == id) else {
            return Reply::json(404, r#"{"error":"not found"}"#);
        };
        stored.members.extend(members);
        Reply::json(200, &shown(stored).to_string())
    }

    fn put(&mut self, collection: &str, key: &str, members: Map<String, Value>) -> Reply {
        let shelf = self.shelves.entry(collection.to_owned()).or_default();
        match shelf.by_key.get(key) {
            Some(at) => {
                let stored = &mut shelf.records[*at];
                stored.members = members;
                Reply::json(200, &shown(stored).to_string())
            }
            None => {
                shelf.by_key.insert(key.to_owned(), shelf.records.len());
                shelf.add(collection, Some(key.to_owned()), members)
            }
        }
    }
}

impl Shelf {
    fn add(&mut self, collection: &str, key: Option<String>, members: Map<String, Value>) -> Reply {
        let stored = Stored { id: format!("{collection}-{}", self.records.len() + 1), key, members };
        let reply = Reply::json(201, &shown(&stored).to_string());
        self.records.push(stored);
        reply
    }
}

fn shown(stored: &Stored) -> Value {
    let mut members = stored.members.clone();
    members.insert("id".to_owned(), Value::from(stored.id.clone()));
    Value::Object(members)
}

/// Percent-encoded text as it was.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).unwrap();
        bytes.push(if byte == b'%' { u8::try_from(16 * digit() + digit()).unwrap() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}
