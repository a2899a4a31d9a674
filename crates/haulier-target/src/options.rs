//! What a site says about the target: address, credentials, limits.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How to reach the target.
#[derive(Clone)]
pub struct Options {
    /// `http://` or `https://`, with an optional path in front of all the plan's paths.
    pub base_url: String,
    /// The credentials.
    pub auth: Auth,
    /// Longest time for one request, from its first byte to the reply's last.
    pub timeout: Duration,
    /// Longest time to open a connection, TLS included.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept; best below the target's own limit.
    pub idle_timeout: Duration,
    /// Longest reply to a push or lookup.
    pub max_reply_bytes: usize,
    /// Longest page of a list.
    pub max_page_bytes: usize,
    /// Certificates (PEM) that are trusted instead of the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// The path that tells whether target and credentials work; the base itself where there is none.
    pub check_path: Option<String>,
}

impl Options {
    /// The defaults, for a target at `base_url` without credentials.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            auth: Auth::None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            // Below the 5 s after which several common servers close without a word.
            idle_timeout: Duration::from_secs(4),
            max_reply_bytes: 1 << 20,
            max_page_bytes: 16 << 20,
            ca_file: None,
            headers: Vec::new(),
            check_path: None,
        }
    }

    /// The same with these credentials.
    #[must_use]
    pub fn with_auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
}

/// Header values may be secrets, so only their names are shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Options")
            .field("base_url", &self.base_url)
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

/// Credentials.
#[derive(Debug, Clone)]
pub enum Auth {
    /// None are sent.
    None,
    /// A header of any name.
    Header {
        /// Its name.
        name: String,
        /// Its whole value.
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
    /// A token that a login request gives; renewed before it ends and after a 401.
    Login(Login),
}

/// A login request and what is done with its token.
#[derive(Debug, Clone)]
pub struct Login {
    /// The path of the POST, relative to the base.
    pub path: String,
    /// Its body; `{name}` stands for the value of that name in `values`, escaped for a JSON string.
    pub body: String,
    /// The values of the body's places.
    pub values: Vec<(String, Secret)>,
    /// Its `Content-Type`.
    pub media_type: String,
    /// Where the reply tells the token.
    pub token: TokenSource,
    /// The header that carries the token from then on.
    pub header: String,
    /// That header's value; `{token}` stands for the token.
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

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a target cannot be opened. Nothing was sent yet.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one.
    #[error("the target's address cannot be used: {0}")]
    Address(String),
    /// A header cannot be sent.
    #[error("the header `{name}` cannot be sent: {problem}")]
    Header {
        /// The header.
        name: String,
        /// What is wrong, without the value.
        problem: &'static str,
    },
    /// The trusted certificates cannot be read.
    #[error("the trusted certificates cannot be read from {from}: {problem}")]
    Certificates {
        /// The file, or the machine's own store.
        from: String,
        /// What is wrong.
        problem: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}
