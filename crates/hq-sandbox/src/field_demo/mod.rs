//! Field: a source database to migrate from, the same for the same seed.

mod draw;
mod people;
mod rows;
mod words;

use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use rows::Field;

/// The seed that the demo uses.
pub const DEFAULT_SEED: u64 = 20_261_121;

const SCHEMA: &str = "
create table accounts (
    id integer primary key, external_id text unique not null, name text not null, email text not null,
    plan text not null check (plan in ('free', 'pro', 'business')), active integer not null check (active in (0, 1)),
    credit numeric, created_at text not null);
create table projects (
    id integer primary key, account_id integer not null references accounts (id),
    parent_id integer references projects (id), name text not null, budget numeric, status text not null,
    created_at text not null, unique (account_id, name));
create table users (
    id integer primary key, account_id integer not null references accounts (id), email text unique not null,
    full_name text not null, locale text, created_at text not null);
create table memberships (
    project_id integer not null references projects (id), user_id integer not null references users (id),
    role text not null, joined_at text not null, primary key (project_id, user_id));
create index projects_account on projects (account_id);
create index users_account on users (account_id);
create index memberships_user on memberships (user_id);
";

const INSERT_ACCOUNTS: &str = "insert into accounts select value->>'id', value->>'external_id', value->>'name', \
    value->>'email', value->>'plan', value->>'active', value->>'credit', value->>'created_at' from json_each(?1)";
const INSERT_PROJECTS: &str = "insert into projects select value->>'id', value->>'account_id', value->>'parent_id', \
    value->>'name', value->>'budget', value->>'status', value->>'created_at' from json_each(?1)";
const INSERT_USERS: &str = "insert into users select value->>'id', value->>'account_id', value->>'email', \
    value->>'full_name', value->>'locale', value->>'created_at' from json_each(?1)";
const INSERT_MEMBERSHIPS: &str = "insert into memberships select value->>'project_id', value->>'user_id', \
    value->>'role', value->>'joined_at' from json_each(?1)";

/// How many rows a demo source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoCounts {
    /// Accounts, some of them without projects.
    pub accounts: usize,
    /// Projects, in trees of up to five levels.
    pub projects: usize,
    /// Users, 400 of them in one account.
    pub users: usize,
    /// Memberships.
    pub memberships: usize,
}

/// Writes a demo source into a new SQLite file.
pub async fn create(path: &Path, seed: u64) -> anyhow::Result<DemoCounts> {
    write(path, &Field::new(seed))
        .await
        .with_context(|| format!("writing the demo source {}", path.display()))
}

async fn write(path: &Path, field: &Field) -> anyhow::Result<DemoCounts> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
    let tables = [
        (INSERT_ACCOUNTS, encode(&field.accounts)?),
        (INSERT_PROJECTS, encode(&field.projects)?),
        (INSERT_USERS, encode(&field.users)?),
        (INSERT_MEMBERSHIPS, encode(&field.memberships)?),
    ];
    for (statement, rows) in tables {
        sqlx::query(statement).bind(rows).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(DemoCounts {
        accounts: field.accounts.len(),
        projects: field.projects.len(),
        users: field.users.len(),
        memberships: field.memberships.len(),
    })
}

fn encode(rows: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string(rows)?)
}
