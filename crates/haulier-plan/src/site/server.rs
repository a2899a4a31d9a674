//! `[source]`, `[queue]`, `[ledger]`: databases and brokers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Secret;
use super::address::{self, Address};
use super::secret;
use crate::node::{Node, Table};

/// The database that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSite {
    /// Where it is.
    pub database: Database,
    /// Most connections that are open at a time.
    pub connections: u32,
    /// What the server allows one statement.
    pub statement_timeout: Duration,
}

/// What carries the records to the workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSite {
    /// Where it is.
    pub kind: QueueKind,
    /// The queue's name; the plan's name where the site says nothing.
    pub name: Option<String>,
    /// Messages that a worker process holds unsettled; shared out by haulier where the site says nothing.
    pub prefetch: Option<u16>,
}

/// The kinds of queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueKind {
    /// A SQLite file, for one machine.
    Embedded(PathBuf),
    /// A broker that speaks AMQP 0-9-1.
    Amqp {
        /// Where it is; its `database` is the virtual host.
        server: Server,
        /// Its management API, without which nobody can count unsettled messages.
        api_url: Option<String>,
    },
}

/// What remembers everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSite {
    /// Where it is; never MySQL.
    pub database: Database,
    /// The schema that holds its tables (PostgreSQL).
    pub schema: String,
    /// Most connections that are open at a time.
    pub connections: u32,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// PostgreSQL.
    Postgres(Server),
    /// MySQL or MariaDB.
    MySql(Server),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// A server that is reached by network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Where the password is found; none is sent without it.
    pub password: Option<Secret>,
    /// Database, or virtual host.
    pub database: String,
    /// Whether the connection is encrypted.
    pub tls: Tls,
}

/// Whether a connection is encrypted. There is no way to take a certificate unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not encrypted.
    Off,
    /// Certificate and host name are checked against what this machine trusts.
    System,
    /// They are checked against the authorities in this PEM file; a database driver believes those of this machine beside them.
    Authorities(PathBuf),
}

const DATABASES: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

pub(super) fn source(table: &Table<'_>, folder: &Path) -> Option<SourceSite> {
    let url =
        table.need("url", "`postgres://user@host/database`, `mysql://..`, `mariadb://..` or `sqlite:file`");
    let connections = table.number("connections", 1, 1_000, 8);
    let statement_timeout = table.duration("statement_timeout", Duration::from_secs(30));
    let database = url.and_then(|url| database(&url, table, folder, &DATABASES));
    Some(SourceSite { database: database?, connections, statement_timeout })
}

pub(super) fn ledger(table: &Table<'_>, folder: &Path) -> Option<LedgerSite> {
    let url = table.need("url", "`sqlite:ledger.sqlite` or `postgres://user@host/database`");
    let schema = table.owned("schema").unwrap_or_else(|| "haulier".to_owned());
    let connections = table.number("connections", 1, 1_000, 8);
    let database = url.and_then(|url| database(&url, table, folder, &["postgres", "postgresql"]))?;
    if let (Database::Sqlite(_), Some(schema)) = (&database, table.get("schema")) {
        schema.notes.add(schema.at, "`schema` goes with PostgreSQL only");
    }
    Some(LedgerSite { database, schema, connections })
}

pub(super) fn queue(table: &Table<'_>, folder: &Path) -> Option<QueueSite> {
    let url = table.need("url", "`embedded:queue.sqlite` or `amqps://user@host/vhost`");
    let name = table.get("name").and_then(|node| queue_name(&node));
    let prefetch = table.get("prefetch").and_then(|node| u16::try_from(node.number(1, 65_535)?).ok());
    let kind = url.and_then(|url| queue_kind(&url, table, folder));
    Some(QueueSite { kind: kind?, name, prefetch })
}

fn queue_name(node: &Node<'_>) -> Option<String> {
    let name = node.text()?.value;
    let fits = name.len() <= 200
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !fits {
        return node.wrong(
            format!("\"{name}\" is not a queue's name"),
            Some("at most 200 letters, digits, `-`, `_` and `.`".to_owned()),
        );
    }
    Some(name.to_owned())
}

fn queue_kind(url: &Node<'_>, table: &Table<'_>, folder: &Path) -> Option<QueueKind> {
    if let Some(path) = file(url, "embedded:", folder)? {
        no_server_keys(table, "an embedded queue is a file");
        return Some(QueueKind::Embedded(path));
    }
    let address = address::read(url, &["amqp", "amqps"], "amqps://user@host/vhost or embedded:file")?;
    let encrypted = address.scheme == "amqps";
    let vhost = match address.path.as_str() {
        "" => Some("/".to_owned()),
        path => address::decoded(&path[1..]),
    };
    let insecure = table.flag("insecure", false);
    if encrypted {
        check_not_both(table, insecure, "an `amqps` address is encrypted");
    } else {
        address::check_plaintext(url, &address, insecure, "amqps");
        if let Some(ca_file) = table.get("ca_file") {
            ca_file.wrong::<()>("`ca_file` goes with an `amqps` address", None);
        }
    }
    let api_url = table.get("api_url").and_then(|node| {
        let api = address::read(&node, &["http", "https"], "https://host:15671")?;
        if !api.user.is_empty() {
            return node.wrong(
                "`api_url`: the user is that of `url`",
                Some("take it out of this address".to_owned()),
            );
        }
        if api.scheme == "http" {
            address::check_plaintext(&node, &api, insecure, "https");
        }
        Some(node.text()?.value.trim_end_matches('/').to_owned())
    });
    let ca_file = table.owned("ca_file").map(|path| folder.join(path));
    let server = Server {
        port: address.port.unwrap_or(if encrypted { 5671 } else { 5672 }),
        user: if address.user.is_empty() { "guest".to_owned() } else { address.user },
        host: address.host,
        password: password(table, folder),
        database: vhost?,
        tls: match (encrypted, ca_file) {
            (false, _) => Tls::Off,
            (true, None) => Tls::System,
            (true, Some(file)) => Tls::Authorities(file),
        },
    };
    Some(QueueKind::Amqp { server, api_url })
}

fn database(url: &Node<'_>, table: &Table<'_>, folder: &Path, schemes: &[&str]) -> Option<Database> {
    if let Some(path) = file(url, "sqlite:", folder)? {
        no_server_keys(table, "SQLite is a file");
        return Some(Database::Sqlite(path));
    }
    let example = if schemes.contains(&"mysql") {
        "postgres://user@host/database, mysql://user@host/database or sqlite:file"
    } else {
        "postgres://user@host/database or sqlite:file"
    };
    let address = address::read(url, schemes, example)?;
    let postgres = address.scheme.starts_with("postgres");
    let name = address.path.strip_prefix('/').and_then(address::decoded).unwrap_or_default();
    if name.is_empty() || name.contains('/') || address.user.is_empty() {
        return url.wrong(
            format!("`{}` must name a user, a host and a database", url.key),
            Some(format!("{}://user@host/database", address.scheme)),
        );
    }
    let server = Server {
        tls: database_tls(table, &address, folder),
        host: address.host,
        port: address.port.unwrap_or(if postgres { 5432 } else { 3306 }),
        user: address.user,
        password: password(table, folder),
        database: name,
    };
    Some(if postgres { Database::Postgres(server) } else { Database::MySql(server) })
}

/// Off this machine a database is reached encrypted unless `insecure` says otherwise; on it, when a `ca_file` is named.
fn database_tls(table: &Table<'_>, address: &Address, folder: &Path) -> Tls {
    let insecure = table.flag("insecure", false);
    if let Some(file) = table.owned("ca_file") {
        check_not_both(table, insecure, "`ca_file` asks for an encrypted connection");
        return Tls::Authorities(folder.join(file));
    }
    if insecure || address.is_local() { Tls::Off } else { Tls::System }
}

fn check_not_both(table: &Table<'_>, insecure: bool, because: &str) {
    if let (true, Some(node)) = (insecure, table.get("insecure")) {
        node.wrong::<()>(
            format!("`insecure = true` contradicts: {because}"),
            Some("certificates are always checked; name the authority's in `ca_file`".to_owned()),
        );
    }
}

fn password(table: &Table<'_>, folder: &Path) -> Option<Secret> {
    table.get("password").and_then(|node| secret::read(&node, folder))
}

/// The file of a `scheme:path` address; `Some(None)` when the address is of another scheme.
fn file(url: &Node<'_>, scheme: &str, folder: &Path) -> Option<Option<PathBuf>> {
    let Some(path) = url.text()?.value.strip_prefix(scheme) else { return Some(None) };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') || path.starts_with(':') {
        return url.wrong(
            format!("`{}`: `{scheme}` is followed by the path of a file", url.key),
            Some(format!("such as \"{scheme}state/file.sqlite\", relative to this file's folder")),
        );
    }
    Some(Some(folder.join(path)))
}

fn no_server_keys(table: &Table<'_>, because: &str) {
    for key in ["password", "ca_file", "insecure", "api_url"] {
        if table.holds(key)
            && let Some(node) = table.get(key)
        {
            node.wrong::<()>(format!("`{key}` has no meaning here: {because}"), None);
        }
    }
}
