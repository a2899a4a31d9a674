//! `[target]`: the API that is written to, and its credentials.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Secret, SourceSite, address, secret, server};
use crate::node::{Node, Table, Text};
use crate::{near, scalar, shape};

/// The API that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSite {
    /// Its address, without a slash at the end.
    pub base_url: String,
    /// Its credentials; `None` where it asks for none.
    pub auth: Option<Auth>,
    /// Headers of every request.
    pub headers: Vec<(String, HeaderValue)>,
    /// The path that tells whether target and credentials work.
    pub check_path: Option<String>,
    /// Longest time for a request.
    pub timeout: Duration,
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Longest reply to a push or lookup, in bytes.
    pub max_reply: usize,
    /// Longest page of a list, in bytes.
    pub max_page: usize,
    /// Certificates that are trusted instead of this machine's.
    pub ca_file: Option<PathBuf>,
    /// Its database, where the validator may read it.
    pub sql: Option<SourceSite>,
}

/// A header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// As the site says it.
    Text(String),
    /// A secret.
    Secret(Secret),
}

/// Credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// A header of any name, with its whole value.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// `Authorization: Bearer ...`.
    Bearer(Secret),
    /// `Authorization: Basic ...`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that a login request gives.
    Login(Login),
}

/// A login request and what is done with its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The path of the POST, relative to the base.
    pub path: String,
    /// Its body, with the places `{user}` and `{password}`.
    pub body: String,
    /// Its `Content-Type`.
    pub media_type: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// Where the reply tells the token.
    pub token: TokenSource,
    /// The header that carries the token from then on.
    pub header: String,
    /// That header's value, with the place `{token}`.
    pub format: String,
    /// How long a token is good, where that is known.
    pub lifetime: Option<Duration>,
}

/// Where a login's reply tells the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A JSON pointer into the body.
    Pointer(String),
    /// A header's whole value.
    Header(String),
}

pub(super) fn read(table: &Table<'_>, folder: &Path) -> Option<TargetSite> {
    let base_url = table.need("base_url", "`https://host/api`").and_then(|node| base_url(&node, table));
    let headers = table.get("headers").map(|node| node.entries()).unwrap_or_default();
    let auth = table.get("auth");
    let site = TargetSite {
        base_url: base_url.clone().unwrap_or_default(),
        auth: auth.and_then(|node| self::auth(&node, folder)),
        headers: headers.iter().filter_map(|(name, node)| header(*name, node, folder)).collect(),
        check_path: table.get("check_path").and_then(|node| path(&node)),
        timeout: table.duration("timeout", Duration::from_secs(30)),
        connect_timeout: table.duration("connect_timeout", Duration::from_secs(5)),
        idle_timeout: table.duration("idle_timeout", Duration::from_secs(4)),
        max_reply: table.get("max_reply").and_then(|node| scalar::size(&node)).unwrap_or(1 << 20),
        max_page: table.get("max_page").and_then(|node| scalar::size(&node)).unwrap_or(16 << 20),
        ca_file: table.owned("ca_file").map(|path| folder.join(path)),
        sql: table.get("sql").and_then(|node| server::source(&node.table(&shape::TARGET_SQL)?, folder)),
    };
    base_url.map(|_| site)
}

fn base_url(node: &Node<'_>, table: &Table<'_>) -> Option<String> {
    let address = address::read(node, &["http", "https"], "https://host/api")?;
    let insecure = table.flag("insecure", false);
    if !address.user.is_empty() {
        return node.wrong(
            "`base_url`: credentials are written into the address",
            Some("use `auth = { basic = { user = \"..\", password = { env = \"NAME\" } } }`".to_owned()),
        );
    }
    if address.scheme == "http" {
        address::check_plaintext(node, &address, insecure, "https");
    } else if let (true, Some(node)) = (insecure, table.get("insecure")) {
        return node.wrong(
            "`insecure = true` contradicts: an `https` address is encrypted",
            Some("certificates are always checked; name the authority's in `ca_file`".to_owned()),
        );
    }
    Some(node.text()?.value.trim_end_matches('/').to_owned())
}

fn path(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    if !text.starts_with('/') {
        return node.wrong(
            format!("`{}`: \"{text}\" must start with `/`", node.key),
            Some("it follows `base_url`".to_owned()),
        );
    }
    Some(text.to_owned())
}

/// Headers that carry credentials, whatever the target.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];

fn header(name: Text<'_>, node: &Node<'_>, folder: &Path) -> Option<(String, HeaderValue)> {
    if node.value.is_table() {
        return Some((name.value.to_owned(), HeaderValue::Secret(secret::read(node, folder)?)));
    }
    if SECRET_HEADERS.contains(&name.value.to_ascii_lowercase().as_str()) {
        return secret::written(node);
    }
    Some((name.value.to_owned(), HeaderValue::Text(node.text()?.value.to_owned())))
}

fn auth(node: &Node<'_>, folder: &Path) -> Option<Auth> {
    let Some(entries) = node.value.as_table() else { return secret::written(node) };
    let secret = |table: &Table<'_>, key| {
        table
            .need(key, "`{ env = \"NAME\" }` or `{ file = \"path\" }`")
            .and_then(|node| secret::read(&node, folder))
    };
    if entries.contains_key("header") {
        let table = node.table(&shape::AUTH_HEADER)?;
        let (name, value) = (table.owned("header"), secret(&table, "value"));
        return Some(Auth::Header { name: name?, value: value? });
    }
    if entries.contains_key("bearer") {
        return secret(&node.table(&shape::AUTH_BEARER)?, "bearer").map(Auth::Bearer);
    }
    if entries.contains_key("basic") {
        let table = node.table(&shape::AUTH_BASIC)?.get("basic")?.table(&shape::BASIC)?;
        let user = table.need("user", "").and_then(|node| node.text());
        let password = secret(&table, "password");
        return Some(Auth::Basic { user: user?.value.to_owned(), password: password? });
    }
    if entries.contains_key("login") {
        let table = node.table(&shape::AUTH_LOGIN)?.get("login")?.table(&shape::LOGIN)?;
        return login(&table, secret(&table, "password")).map(Auth::Login);
    }
    let given = entries.keys().next().map_or("", |key| key.get_ref());
    node.wrong(
        "`auth` does not say which kind it is",
        near::hint(given, &["bearer", "header", "basic", "login"], "it can hold one of"),
    )
}

fn login(table: &Table<'_>, password: Option<Secret>) -> Option<Login> {
    let media_type = table.owned("media_type").unwrap_or_else(|| "application/json".to_owned());
    let path = table.need("path", "such as \"/login\"").and_then(|node| path(&node));
    let user = table.need("user", "").and_then(|node| node.text());
    let body = table.need("body", "such as '{\"user\":\"{user}\",\"password\":\"{password}\"}'");
    let body = body.and_then(|node| login_body(&node, &media_type));
    let token = match (table.get("token"), table.get("token_header")) {
        (Some(node), None) => scalar::pointer(&node).map(TokenSource::Pointer),
        (None, Some(node)) => node.text().map(|name| TokenSource::Header(name.value.to_owned())),
        (Some(_), Some(_)) | (None, None) => {
            table.notes.hinted(
                table.at,
                "`login` needs either `token` or `token_header`",
                "`token = \"/access_token\"` is a JSON pointer into the reply; `token_header` names a header of it",
            );
            None
        }
    };
    let header = table.owned("header").unwrap_or_else(|| "Authorization".to_owned());
    let usual = if header.eq_ignore_ascii_case("authorization") { "Bearer {token}" } else { "{token}" };
    let format = match table.get("format") {
        Some(node) => {
            let text = node.text()?;
            if !text.value.contains("{token}") {
                return node
                    .wrong("`format` has no place `{token}`", Some("such as \"Bearer {token}\"".to_owned()));
            }
            text.value.to_owned()
        }
        None => usual.to_owned(),
    };
    let lifetime = table.get("lifetime").map(|node| node.duration());
    Some(Login {
        path: path?,
        body: body?,
        media_type,
        user: user?.value.to_owned(),
        password: password?,
        token: token?,
        header,
        format,
        lifetime: match lifetime {
            Some(read) => Some(read?),
            None => None,
        },
    })
}

fn login_body(node: &Node<'_>, media_type: &str) -> Option<String> {
    let text = node.text()?.value;
    if !text.contains("{password}") {
        return node.wrong(
            "`body` has no place `{password}`",
            Some("the password is put in when it is sent; it never stands in the file".to_owned()),
        );
    }
    let filled = text.replace("{user}", "x").replace("{password}", "x");
    if media_type.contains("json") && serde_json::from_str::<serde_json::Value>(&filled).is_err() {
        return node.wrong(
            "`body` is not JSON",
            Some("such as '{\"user\":\"{user}\",\"password\":\"{password}\"}', in single quotes".to_owned()),
        );
    }
    Some(text.to_owned())
}
