//! The demo's records: fewer of them, or in another engine.

use std::path::Path;

use sqlx::{Connection, Executor, Row, SqliteConnection};

/// The tables, in an order in which references find their rows.
pub(crate) const TABLES: [(&str, &[&str]); 4] = [
    ("accounts", &["id", "external_id", "name", "email", "plan", "active", "credit", "created_at"]),
    ("projects", &["id", "account_id", "parent_id", "name", "budget", "status", "created_at"]),
    ("users", &["id", "account_id", "email", "full_name", "locale", "created_at"]),
    ("memberships", &["project_id", "user_id", "role", "joined_at"]),
];

/// Leaves only the first `accounts` accounts and what belongs to them alone.
pub(crate) async fn keep_accounts(field: &Path, accounts: u32) {
    let mut at = SqliteConnection::connect(&format!("sqlite:{}", field.display())).await.unwrap();
    let kept = format!("(select id from accounts order by id limit {accounts})");
    let sql = format!(
        "pragma foreign_keys = off;
         delete from memberships where project_id in (select id from projects where account_id not in {kept})
             or user_id in (select id from users where account_id not in {kept});
         delete from projects where account_id not in {kept};
         delete from users where account_id not in {kept};
         delete from accounts where id not in {kept};"
    );
    at.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    at.close().await.unwrap();
}

/// Every row of a table as texts, NULL as `None`.
pub(crate) async fn rows(field: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
    let mut at = SqliteConnection::connect(&format!("sqlite:{}", field.display())).await.unwrap();
    let columns: Vec<String> = columns.iter().map(|column| format!("cast({column} as text)")).collect();
    let sql = format!("select {} from {table}", columns.join(", "));
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut at).await.unwrap();
    rows.iter().map(|row| (0..columns.len()).map(|index| row.get(index)).collect()).collect()
}

/// The tables' definitions in PostgreSQL.
pub(crate) const POSTGRES: &str = "
create table accounts (id bigint primary key, external_id text unique not null, name text not null, email text not null,
    plan text not null, active boolean not null, credit numeric(12,2), created_at timestamptz not null);
create table projects (id bigint primary key, account_id bigint not null, parent_id bigint, name text not null,
    budget numeric(12,2), status text not null, created_at timestamptz not null);
create table users (id bigint primary key, account_id bigint not null, email text not null, full_name text not null,
    locale text, created_at timestamptz not null);
create table memberships (project_id bigint, user_id bigint, role text not null, joined_at timestamptz not null,
    primary key (project_id, user_id));";

/// The tables' definitions in MySQL and MariaDB.
pub(crate) const MYSQL: &str = "
create table accounts (id bigint primary key, external_id varchar(64) unique not null, name text not null, email text not null,
    plan varchar(16) not null, active tinyint(1) not null, credit decimal(12,2), created_at datetime(6) not null);
create table projects (id bigint primary key, account_id bigint not null, parent_id bigint, name text not null,
    budget decimal(12,2), status varchar(32) not null, created_at datetime(6) not null);
create table users (id bigint primary key, account_id bigint not null, email text not null, full_name text not null,
    locale varchar(32), created_at datetime(6) not null);
create table memberships (project_id bigint, user_id bigint, role varchar(32) not null, joined_at datetime(6) not null,
    primary key (project_id, user_id));";
