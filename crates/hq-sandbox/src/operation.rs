//! What an operation does with the book.

use axum::extract::RawPathParams;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::book::{Book, Change, Written};
use crate::page::{Query, Window};
use crate::record::{Account, Collection, Id, Membership, Project, Row, User};
use crate::reply::{Refusal, Reply};
use crate::route::Operation;
use crate::saved::KeyState;

/// A request to the API, read and checked as far as that goes without the book.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Values of the path's places, decoded.
    pub(crate) places: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) object: Map<String, Value>,
    /// `Idempotency-Key` and what makes two requests the same.
    pub(crate) key: Option<(String, String)>,
}

impl Call {
    pub(crate) fn places_of(params: Option<&RawPathParams>) -> Vec<(String, String)> {
        let pairs = params.into_iter().flatten();
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Does it: under the book's lock, so a key that is used twice at a time is used once.
    pub(crate) fn perform(self, book: &mut Book) -> Reply {
        let key = if self.operation.writes() { self.key.as_ref() } else { None };
        if let Some((key, fingerprint)) = key {
            match book.saved.look_up(key, fingerprint) {
                KeyState::Free => {}
                KeyState::Same(reply) => return reply,
                KeyState::Taken => return Refusal::KeyReused.into(),
            }
        }
        let reply = self.answer(book).unwrap_or_else(|refusal| self.refused(&refusal));
        // A refusal is not kept: the same request may succeed once a missing parent is there.
        if let Some((key, fingerprint)) = self.key.as_ref().filter(|_| self.operation.writes())
            && reply.is_success()
            && let Some(saved) = book.saved.keep(key, fingerprint.clone(), &reply)
        {
            let oldest = book.saved.oldest();
            book.note(Change::Saved(saved, oldest));
        }
        reply
    }

    fn answer(&self, book: &mut Book) -> Result<Reply, Refusal> {
        match self.operation {
            Operation::List(collection) => self.list(book, collection),
            Operation::Create(Collection::Accounts) => self.create::<Account>(book),
            Operation::Create(Collection::Projects) => self.create::<Project>(book),
            Operation::Create(Collection::Users) => self.create::<User>(book),
            Operation::Read(Collection::Accounts) => self.read::<Account>(book),
            Operation::Read(Collection::Projects) => self.read::<Project>(book),
            Operation::Read(Collection::Users) => self.read::<User>(book),
            Operation::Change(Collection::Accounts) => self.change::<Account>(book),
            Operation::Change(Collection::Projects) => self.change::<Project>(book),
            Operation::Change(Collection::Users) => self.change::<User>(book),
            Operation::Remove(Collection::Accounts) => self.remove::<Account>(book),
            Operation::Remove(Collection::Projects) => self.remove::<Project>(book),
            Operation::Remove(Collection::Users) => self.remove::<User>(book),
            Operation::ReadByExternalId => shown(book.accounts.find(self.place("external_id"))),
            Operation::PutByExternalId => {
                let given = [("external_id", self.place("external_id").to_owned())];
                Ok(written::<Account>(book.put::<Account>(&self.object, &given)?))
            }
            Operation::ListMembers => {
                let project = self.id(Collection::Projects)?;
                if book.projects.get(project.number).is_none() {
                    return Err(Refusal::NotFound);
                }
                let query = self.query(&[])?;
                Ok(Reply::json(200, &book.memberships.page_by_reference(project, &Window::of(&query)?)))
            }
            Operation::ReadMember => shown(book.memberships.find(&self.member_key()?)),
            Operation::PutMember => {
                let given = [
                    ("project_id", self.place("id").to_owned()),
                    ("user_id", self.place("user_id").to_owned()),
                ];
                let result = book.put::<Membership>(&self.object, &given);
                // The parents are named by the path here, so a missing one is a path that leads nowhere.
                let result = result.map_err(|refusal| {
                    if matches!(refusal, Refusal::MissingParent(_)) { Refusal::NotFound } else { refusal }
                });
                Ok(written::<Membership>(result?))
            }
            Operation::RemoveMember => {
                let (number, _) = book.memberships.find(&self.member_key()?).ok_or(Refusal::NotFound)?;
                book.remove::<Membership>(number)?;
                Ok(Reply::empty(204).with_note(Collection::Memberships, None, self.member_key().ok()))
            }
            Operation::Bulk => self.bulk(book),
            Operation::NoSuchMethod => Ok(Reply::error(405, "method_not_allowed")),
            // A login never comes here, and single memberships have no routes of their own.
            Operation::Login
            | Operation::NoSuchPath
            | Operation::Create(Collection::Memberships)
            | Operation::Read(Collection::Memberships)
            | Operation::Change(Collection::Memberships)
            | Operation::Remove(Collection::Memberships) => Err(Refusal::NotFound),
        }
    }

    fn create<R: Row>(&self, book: &mut Book) -> Result<Reply, Refusal> {
        Ok(written::<R>(book.create::<R>(&self.object)?))
    }

    fn read<R: Row>(&self, book: &Book) -> Result<Reply, Refusal> {
        let id = self.id(R::KIND)?;
        shown(R::table(book).get(id.number).map(|row| (id.number, row)))
    }

    fn change<R: Row>(&self, book: &mut Book) -> Result<Reply, Refusal> {
        let id = self.id(R::KIND)?;
        Ok(written::<R>(book.change::<R>(id.number, &self.object)?))
    }

    fn remove<R: Row>(&self, book: &mut Book) -> Result<Reply, Refusal> {
        let id = self.id(R::KIND)?;
        book.remove::<R>(id.number)?;
        Ok(Reply::empty(204).with_note(R::KIND, None, Some(id.to_string())))
    }

    pub(crate) fn place(&self, name: &str) -> &str {
        let found = self.places.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The id in the path. What is no id leads nowhere.
    pub(crate) fn id(&self, collection: Collection) -> Result<Id, Refusal> {
        let id = Id::parse(self.place("id")).filter(|id| id.collection == collection);
        id.ok_or(Refusal::NotFound)
    }

    pub(crate) fn member_key(&self) -> Result<String, Refusal> {
        let user = Id::parse(self.place("user_id")).filter(|id| id.collection == Collection::Users);
        Ok(Membership::key(self.id(Collection::Projects)?, user.ok_or(Refusal::NotFound)?))
    }

    pub(crate) fn query(&self, filters: &[&str]) -> Result<Query, Refusal> {
        let known: Vec<&str> = filters.iter().copied().chain(["limit", "offset", "cursor"]).collect();
        Query::checked(self.query.clone(), &known)
    }

    fn refused(&self, refusal: &Refusal) -> Reply {
        let (status, body) = refusal.parts();
        let reply = Reply::json(status, &body);
        match (self.operation, refusal) {
            (Operation::Create(collection), Refusal::Exists(id)) => {
                reply.with_note(collection, None, Some(id.clone()))
            }
            _ => reply,
        }
    }
}

fn shown<R: Serialize>(found: Option<(u64, &R)>) -> Result<Reply, Refusal> {
    let (_, row) = found.ok_or(Refusal::NotFound)?;
    Ok(Reply::json(200, row))
}

pub(crate) fn status_of(written: &Written) -> u16 {
    if written.created { 201 } else { 200 }
}

fn written<R: Row>(written: Written) -> Reply {
    let mut reply = Reply::empty(status_of(&written));
    reply.body = written.json.into_bytes();
    reply.with_note(R::KIND, Some(written.natural_key), Some(written.id))
}
