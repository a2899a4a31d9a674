//! The target's address, and which addresses in its replies are its own.

use hyper::header::HeaderValue;
use hyper::http::Uri;

use crate::OpenError;

/// Scheme, host, port and leading path of the target.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` header.
    pub(crate) authority: HeaderValue,
    /// The leading path, without a slash at its end.
    pub(crate) prefix: String,
}

impl Address {
    pub(crate) fn new(text: &str) -> Result<Self, OpenError> {
        let wrong = |problem: &str| OpenError::Address(problem.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong("it is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(wrong("it must begin with `http://` or `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a user or a password; name them in the target's credentials"));
        }
        if uri.query().is_some() {
            return Err(wrong("it holds a query"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Self {
            tls,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: HeaderValue::from_str(authority.as_str())
                .map_err(|_| wrong("its host is not ASCII"))?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Path and query of a link from a reply to the request for `current`; `None` when it leads to another host.
    pub(crate) fn own_link(&self, link: &str, current: &str) -> Option<String> {
        if let Some(query) = link.strip_prefix('?') {
            let path = current.split('?').next().unwrap_or_default();
            return Some(format!("{path}?{query}"));
        }
        if link.starts_with('/') && !link.starts_with("//") {
            return Some(link.to_owned());
        }
        let uri: Uri = link.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let same = tls == self.tls && port == self.port && host.eq_ignore_ascii_case(&self.host);
        (same && !authority.as_str().contains('@'))
            .then(|| uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked() {
        let address = Address::new("https://api.example.org/v2/").unwrap();
        assert_eq!((address.tls, address.port, address.prefix.as_str()), (true, 443, "/v2"));
        assert_eq!(Address::new("http://[::1]:81").unwrap().host, "::1");
        for wrong in
            ["", "api.example.org", "ftp://a/", "http://u:p@a/", "http://a/?x=1", "http:///x", "http://a b/"]
        {
            assert!(Address::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_to_another_host_is_not_ours() {
        let address = Address::new("http://a.example:8080/v2").unwrap();
        let own = |link| address.own_link(link, "/v2/users?page=1");
        assert_eq!(own("?page=2").as_deref(), Some("/v2/users?page=2"));
        assert_eq!(own("/v2/users?page=2").as_deref(), Some("/v2/users?page=2"));
        assert_eq!(own("http://A.example:8080/v2/x").as_deref(), Some("/v2/x"));
        for foreign in [
            "//b.example/x",
            "http://b.example:8080/x",
            "https://a.example:8080/x",
            "http://a.example/x",
            "x",
            "http://u@a.example:8080/",
        ] {
            assert_eq!(own(foreign), None, "{foreign}");
        }
    }
}
