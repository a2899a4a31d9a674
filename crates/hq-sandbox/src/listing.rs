//! Lists: which filter each collection has.

use crate::book::Book;
use crate::operation::Call;
use crate::page::Window;
use crate::record::{Collection, Id, Membership, Project, User};
use crate::reply::{Refusal, Reply};

impl Call {
    /// A page of a collection, filtered by what identifies its records or what they refer to.
    pub(crate) fn list(&self, book: &Book, collection: Collection) -> Result<Reply, Refusal> {
        match collection {
            Collection::Accounts => {
                let query = self.query(&["external_id"])?;
                let window = Window::of(&query)?;
                Ok(match query.get("external_id") {
                    Some(key) => Reply::json(200, &book.accounts.page_by_key(key, &window)),
                    None => Reply::json(200, &book.accounts.page(&window)),
                })
            }
            Collection::Projects => {
                let query = self.query(&["account_id", "name"])?;
                let window = Window::of(&query)?;
                let account = query.get("account_id").map(|text| reference(text, Collection::Accounts));
                match (account, query.get("name")) {
                    (Some(account), Some(name)) => {
                        let page = book.projects.page_by_key(&Project::key(account, name), &window);
                        Ok(Reply::json(200, &page))
                    }
                    (Some(account), None) => {
                        Ok(Reply::json(200, &book.projects.page_by_reference(account, &window)))
                    }
                    (None, Some(_)) => Err(Refusal::BadRequest("name_without_account_id")),
                    (None, None) => Ok(Reply::json(200, &book.projects.page(&window))),
                }
            }
            Collection::Users => {
                let query = self.query(&["email", "account_id"])?;
                let window = Window::of(&query)?;
                match (query.get("email"), query.get("account_id")) {
                    (Some(_), Some(_)) => Err(Refusal::BadRequest("email_and_account_id")),
                    (Some(email), None) => {
                        Ok(Reply::json(200, &book.users.page_by_key(&User::key(email), &window)))
                    }
                    (None, Some(account)) => {
                        let account = reference(account, Collection::Accounts);
                        Ok(Reply::json(200, &book.users.page_by_reference(account, &window)))
                    }
                    (None, None) => Ok(Reply::json(200, &book.users.page(&window))),
                }
            }
            Collection::Memberships => {
                let query = self.query(&["project_id", "user_id"])?;
                let window = Window::of(&query)?;
                let project = query.get("project_id").map(|text| reference(text, Collection::Projects));
                let user = query.get("user_id").map(|text| reference(text, Collection::Users));
                Ok(match (project, user) {
                    (Some(project), Some(user)) => {
                        let key = Membership::key(project, user);
                        Reply::json(200, &book.memberships.page_by_key(&key, &window))
                    }
                    (Some(id), None) | (None, Some(id)) => {
                        Reply::json(200, &book.memberships.page_by_reference(id, &window))
                    }
                    (None, None) => Reply::json(200, &book.memberships.page(&window)),
                })
            }
        }
    }
}

/// The id that a filter names; what is no id of that collection is one that nothing has.
fn reference(text: &str, collection: Collection) -> Id {
    Id::parse(text).filter(|id| id.collection == collection).unwrap_or(Id::new(collection, 0))
}
