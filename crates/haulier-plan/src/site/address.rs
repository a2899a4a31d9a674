//! Addresses: taken apart once, held against the rules for secrets and encryption.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use crate::node::Node;

/// The parts of `scheme://user@host:port/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: String,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// What follows the host, with its slash, not decoded.
    pub(super) path: String,
}

/// Reads an address of one of these schemes. No message repeats the address, which may hold a password.
pub(super) fn read(node: &Node<'_>, schemes: &[&str], example: &str) -> Option<Address> {
    let text = node.text()?.value;
    let unfit =
        |problem: &str| node.wrong(format!("`{}`: {problem}", node.key), Some(format!("such as {example}")));
    let Some((scheme, rest)) = text.split_once("://") else {
        return unfit("this is not an address");
    };
    if !schemes.contains(&scheme) {
        return unfit("an address of another kind is needed here");
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    // A password may hold the characters that end the authority, so everything before the last `@` counts.
    let inline = rest.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    if inline || login.contains(':') {
        return node.wrong(
            format!("`{}`: a password is written into the address", node.key),
            Some(
                "take it out, and name where it is: `password = { env = \"NAME\" }` or `{ file = \"path\" }`"
                    .to_owned(),
            ),
        );
    }
    if path.contains(['?', '#']) {
        return node.wrong(
            format!("`{}`: an address has no parameters here", node.key),
            Some("they have keys of their own, such as `ca_file`, `insecure`, `connections`".to_owned()),
        );
    }
    let bracketed = place.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, after)) => (host, after.strip_prefix(':')),
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(Ok(_) | Err(_)) => return unfit("the port is not a number from 1 to 65535"),
    };
    let (Some(host), Some(user)) = (decoded(host), decoded(login)) else {
        return unfit("a part of the address is not UTF-8");
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return unfit("the address names no host");
    }
    Some(Address { scheme: scheme.to_owned(), user, host, port, path: path.to_owned() })
}

/// The text without percent-encoding.
pub(super) fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

impl Address {
    /// Whether the host is this machine, so that nobody can listen on the way.
    pub(super) fn is_local(&self) -> bool {
        let name = self.host.to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || name.starts_with('/')
            || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

/// Notes when an unencrypted way leaves this machine without `insecure = true`.
pub(super) fn check_plaintext(node: &Node<'_>, address: &Address, insecure: bool, secure_scheme: &str) {
    if !address.is_local() && !insecure {
        node.notes.hinted(
            node.at,
            format!("`{}`: the way to \"{}\" is not encrypted", node.key, address.host),
            format!("use {secure_scheme}://, or add `insecure = true` if you accept that passwords and records can be read on the way"),
        );
    }
}
