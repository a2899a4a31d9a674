//! Bulk requests.

use serde_json::{Value, json};

use crate::book::Book;
use crate::operation::{Call, status_of};
use crate::record::{Account, Collection, Membership, Project, User};
use crate::reply::{Note, Refusal, Reply};

/// Most items of a bulk request.
const BULK_LIMIT: usize = 500;

impl Call {
    /// Up to 500 creates in one request, each with its own result; for memberships, puts.
    pub(crate) fn bulk(&self, book: &mut Book) -> Result<Reply, Refusal> {
        let word = self.place("collection");
        let collection = Collection::ALL.into_iter().find(|collection| collection.as_str() == word);
        let collection = collection.ok_or(Refusal::NotFound)?;
        let items = match self.object.get("items") {
            Some(Value::Array(items)) if self.object.len() == 1 => items,
            _ => return Err(Refusal::BadRequest("items_expected")),
        };
        if items.len() > BULK_LIMIT {
            return Err(Refusal::BadRequest("too_many_items"));
        }
        let mut results = Vec::with_capacity(items.len());
        let mut notes = Vec::with_capacity(items.len());
        for item in items {
            let outcome = match item.as_object() {
                Some(item) => match collection {
                    Collection::Accounts => book.create::<Account>(item),
                    Collection::Projects => book.create::<Project>(item),
                    Collection::Users => book.create::<User>(item),
                    Collection::Memberships => book.put::<Membership>(item, &[]),
                },
                None => Err(Refusal::BadRequest("object_expected")),
            };
            let (result, note) = match outcome {
                Ok(written) => {
                    let status = status_of(&written);
                    let (key, id) = (Some(written.natural_key), written.id);
                    (json!({ "status": status, "id": id }), (status, key, Some(id)))
                }
                Err(refusal) => {
                    let (status, mut body) = refusal.parts();
                    body["status"] = status.into();
                    (body, (status, None, None))
                }
            };
            results.push(result);
            let (status, natural_key, id) = note;
            notes.push(Note { status, collection, natural_key, id });
        }
        let mut reply = Reply::json(200, &json!({ "results": results }));
        reply.notes = notes;
        Ok(reply)
    }
}
