//! `[channels]`: on which ways notices reach people.

use std::path::{Path, PathBuf};

use super::address::{self, check_plaintext};
use super::program;
use super::secret::{self, Secret};
use crate::node::{Node, Table};
use crate::shape;

/// A way on which notices reach people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelSite {
    /// A mail server.
    Smtp {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Whether TLS comes by STARTTLS (`smtp://`) or from the first byte (`smtps://`); `None` where plain text is accepted.
        tls: Option<bool>,
        /// Who vouches for it, beside the system's authorities.
        ca_file: Option<PathBuf>,
        /// The sender.
        from: String,
        /// User and where the password is.
        login: Option<(String, Secret)>,
    },
    /// An address that takes JSON.
    Webhook {
        /// The address, or where it is kept, since such an address is often a secret.
        url: Url,
        /// Where the bearer token is.
        token: Option<Secret>,
    },
    /// A file that grows by a line of JSON a post.
    File(PathBuf),
    /// A program with its arguments, run without a shell.
    Command(Vec<String>),
    /// A person who passes it on.
    Relay(String),
}

/// An address, as it is or where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// As it is.
    Plain(String),
    /// Where it is kept.
    Kept(Secret),
}

/// Reads the table, which may be left out.
pub(super) fn read(site: &Table<'_>, folder: &Path) -> Vec<(String, ChannelSite)> {
    let entries = site.get("channels").map(|node| node.entries()).unwrap_or_default();
    let channel = |(name, node): &(crate::node::Text<'_>, Node<'_>)| {
        Some((name.value.to_owned(), channel(node, folder)?))
    };
    entries.iter().filter_map(channel).collect()
}

fn channel(node: &Node<'_>, folder: &Path) -> Option<ChannelSite> {
    let kinds = [
        ("smtp", &shape::CHANNEL_SMTP),
        ("webhook", &shape::CHANNEL_WEBHOOK),
        ("file", &shape::CHANNEL_FILE),
        ("command", &shape::CHANNEL_COMMAND),
        ("relay", &shape::CHANNEL_RELAY),
    ];
    let Some(table) = node.value.as_table() else { return node.unfit("a table") };
    let Some((kind, shape)) = kinds.into_iter().find(|(kind, _)| table.contains_key(*kind)) else {
        return node.wrong(
            format!("channel `{}` is of no kind", node.key),
            Some("it takes one of `smtp`, `webhook`, `file`, `command`, `relay`".to_owned()),
        );
    };
    let table = node.table(shape)?;
    match kind {
        "smtp" => smtp(&table, folder),
        "webhook" => webhook(&table, folder),
        "file" => Some(ChannelSite::File(folder.join(table.text("file")?.value))),
        "command" => command(&table, folder),
        _ => table.owned("relay").map(ChannelSite::Relay),
    }
}

fn smtp(table: &Table<'_>, folder: &Path) -> Option<ChannelSite> {
    let node = table.get("smtp")?;
    let address = address::read(&node, &["smtp", "smtps"], "\"smtps://user@mail.example.org\"");
    let from = table.need("from", "the sender: `from = \"Migration <ops@example.org>\"`");
    let from = from.and_then(|node| {
        let text = node.text()?;
        if text.value.contains('@') {
            return Some(text.value.to_owned());
        }
        node.wrong("`from` is not a mail address", Some("such as \"Migration <ops@example.org>\"".to_owned()))
    });
    let insecure = table.flag("insecure", false);
    let password = table.get("password").map(|node| secret::read(&node, folder));
    let address = address?;
    let user = Some(address.user.clone()).filter(|user| !user.is_empty());
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password?)),
        (None, None) => None,
        (Some(_), None) => {
            table.notes.hinted(
                node.at,
                "`smtp` names a user, but no `password`",
                "`password = { env = \"NAME\" }`",
            );
            None
        }
        (None, Some(_)) => {
            table.notes.hinted(
                node.at,
                "`smtp` has a `password`, but names no user",
                "\"smtps://user@mail.example.org\"",
            );
            None
        }
    };
    let tls = if insecure { None } else { Some(address.scheme == "smtp") };
    let usual = if address.scheme == "smtps" { 465 } else { 587 };
    Some(ChannelSite::Smtp {
        port: address.port.unwrap_or(usual),
        host: address.host,
        tls,
        ca_file: table.text("ca_file").map(|file| folder.join(file.value)),
        from: from?,
        login,
    })
}

fn webhook(table: &Table<'_>, folder: &Path) -> Option<ChannelSite> {
    let node = table.get("webhook")?;
    let token = table.get("token").and_then(|node| secret::read(&node, folder));
    if node.value.is_table() {
        return Some(ChannelSite::Webhook { url: Url::Kept(secret::read(&node, folder)?), token });
    }
    let text = node.text()?;
    let (scheme, _) = text.value.split_once("://").unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return node.wrong(
            "`webhook`: this is not an address",
            Some("such as \"https://chat.example.org/hook\"".to_owned()),
        );
    }
    if scheme == "http" {
        let address = address::read(&node, &["http"], "\"https://chat.example.org/hook\"")?;
        check_plaintext(&node, &address, table.flag("insecure", false), "https");
    }
    Some(ChannelSite::Webhook { url: Url::Plain(text.value.to_owned()), token })
}

fn command(table: &Table<'_>, folder: &Path) -> Option<ChannelSite> {
    program::read(&table.get("command")?, folder).map(ChannelSite::Command)
}
