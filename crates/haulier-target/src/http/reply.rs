//! A whole reply.

use bytes::Bytes;
use hyper::HeaderMap;

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Content-Type` without its parameters, for messages.
    pub(crate) fn media_type(&self) -> &str {
        let whole = self.header("content-type").unwrap_or("no content type");
        whole.split(';').next().unwrap_or(whole).trim()
    }

    /// The address with `rel="next"` in the `Link` headers (RFC 8288).
    pub(crate) fn next_link(&self) -> Option<&str> {
        let values = self.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
        values.flat_map(links).find_map(|(address, parameters)| {
            let next = parameters.split(';').any(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                let words = value.trim().trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && words.split_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
            });
            next.then_some(address)
        })
    }
}

/// Address and parameters of each link in one header; addresses may hold commas.
fn links(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split('<').skip(1).filter_map(|part| part.split_once('>'))
}
