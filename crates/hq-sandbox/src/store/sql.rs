//! The SQL of each collection. Rows come and go as JSON, many in one statement.

use crate::record::Collection;

/// The statements of one collection.
pub(crate) struct Statements {
    pub(crate) put: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) select: &'static str,
}

pub(crate) const SCHEMA: &str = "
create table if not exists accounts (
    seq integer primary key, id text not null, external_id text not null, name text not null, email text not null,
    plan text not null, active integer not null, credit text, created_at text not null) strict;
create table if not exists projects (
    seq integer primary key, id text not null, account_id text not null, parent_id text, name text not null,
    budget text, status text not null, created_at text not null) strict;
create table if not exists users (
    seq integer primary key, id text not null, account_id text not null, email text not null, full_name text not null,
    locale text, created_at text not null) strict;
create table if not exists memberships (
    seq integer primary key, id text not null, project_id text not null, user_id text not null, role text not null,
    joined_at text not null) strict;
create table if not exists numbering (collection text primary key, last integer not null) strict;
create table if not exists replies (
    number integer primary key, key text not null, fingerprint text not null, status integer not null,
    body text not null) strict;
";

pub(crate) const WIPE: &str = "delete from accounts; delete from projects; delete from users; \
    delete from memberships; delete from replies;";

pub(crate) const SELECT_NUMBERING: &str = "select collection, last from numbering";
pub(crate) const PUT_NUMBERING: &str = "insert into numbering (collection, last) values (?1, ?2) \
    on conflict (collection) do update set last = max(last, excluded.last)";

pub(crate) const SELECT_REPLIES: &str =
    "select number, key, fingerprint, status, body from replies order by number";
pub(crate) const PUT_REPLIES: &str = "insert or replace into replies (number, key, fingerprint, status, body) \
    select value->>0, value->>1, value->>2, value->>3, value->>4 from json_each(?1)";
pub(crate) const DELETE_REPLIES: &str = "delete from replies where number < ?1";

impl Statements {
    pub(crate) fn of(collection: Collection) -> Self {
        match collection {
            Collection::Accounts => Self {
                put: "insert or replace into accounts \
                      (seq, id, external_id, name, email, plan, active, credit, created_at) \
                      select value->>0, value->>'$[1].id', value->>'$[1].external_id', value->>'$[1].name', \
                      value->>'$[1].email', value->>'$[1].plan', value->>'$[1].active', value->>'$[1].credit', \
                      value->>'$[1].created_at' from json_each(?1)",
                delete: "delete from accounts where seq in (select value from json_each(?1))",
                select: "select seq, json_object('id', id, 'external_id', external_id, 'name', name, 'email', email, \
                         'plan', plan, 'active', json(iif(active, 'true', 'false')), 'credit', credit, \
                         'created_at', created_at) from accounts order by seq",
            },
            Collection::Projects => Self {
                put: "insert or replace into projects \
                      (seq, id, account_id, parent_id, name, budget, status, created_at) \
                      select value->>0, value->>'$[1].id', value->>'$[1].account_id', value->>'$[1].parent_id', \
                      value->>'$[1].name', value->>'$[1].budget', value->>'$[1].status', \
                      value->>'$[1].created_at' from json_each(?1)",
                delete: "delete from projects where seq in (select value from json_each(?1))",
                select: "select seq, json_object('id', id, 'account_id', account_id, 'parent_id', parent_id, \
                         'name', name, 'budget', budget, 'status', status, 'created_at', created_at) \
                         from projects order by seq",
            },
            Collection::Users => Self {
                put: "insert or replace into users (seq, id, account_id, email, full_name, locale, created_at) \
                      select value->>0, value->>'$[1].id', value->>'$[1].account_id', value->>'$[1].email', \
                      value->>'$[1].full_name', value->>'$[1].locale', value->>'$[1].created_at' \
                      from json_each(?1)",
                delete: "delete from users where seq in (select value from json_each(?1))",
                select: "select seq, json_object('id', id, 'account_id', account_id, 'email', email, \
                         'full_name', full_name, 'locale', locale, 'created_at', created_at) \
                         from users order by seq",
            },
            Collection::Memberships => Self {
                put: "insert or replace into memberships (seq, id, project_id, user_id, role, joined_at) \
                      select value->>0, value->>'$[1].id', value->>'$[1].project_id', value->>'$[1].user_id', \
                      value->>'$[1].role', value->>'$[1].joined_at' from json_each(?1)",
                delete: "delete from memberships where seq in (select value from json_each(?1))",
                select: "select seq, json_object('id', id, 'project_id', project_id, 'user_id', user_id, \
                         'role', role, 'joined_at', joined_at) from memberships order by seq",
            },
        }
    }
}
