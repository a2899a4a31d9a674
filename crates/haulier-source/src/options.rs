//! Where the source is and how it is read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// Where the source is and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The engine and its address.
    pub engine: Engine,
    /// Most connections that are open at a time.
    pub connections: u32,
    /// What the server allows one statement.
    pub statement_timeout: Duration,
    /// The name by which the server's administrator sees the sessions.
    pub application_name: String,
}

/// The engine and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres(Server),
    /// MySQL or MariaDB.
    MySql(Server),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// A database server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: Option<String>,
    /// Database.
    pub database: String,
    /// Certificates to trust instead of the system's, in PEM form.
    pub ca_file: Option<PathBuf>,
    /// Whether the connection is encrypted.
    pub tls: Tls,
}

/// Never shows the password.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "<hidden>"))
            .field("database", &self.database)
            .field("ca_file", &self.ca_file)
            .field("tls", &self.tls)
            .finish()
    }
}

/// Whether a connection is encrypted. There is no way to accept a certificate without checking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tls {
    /// Encrypted; certificate and host name are checked.
    Verify,
    /// Not encrypted.
    Plaintext,
}

/// Why a text is not the address of a source. Never holds the address itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the source's url {problem}")]
pub struct OptionsError {
    problem: String,
}

impl Options {
    /// Reads `postgres://user@host:5432/database`, `mysql://...`, `mariadb://...` or `sqlite:path/to/file`.
    ///
    /// A password given apart wins over one in the url. Off the loopback interface the connection is encrypted
    /// unless [`Server::tls`] is set otherwise afterwards.
    pub fn from_url(url: &str, password: Option<String>) -> Result<Self, OptionsError> {
        let fail = |problem: &str| OptionsError { problem: problem.to_owned() };
        let (scheme, rest) =
            url.split_once(':').ok_or_else(|| fail("has no scheme such as `postgres://`"))?;
        let engine = match scheme {
            "postgres" | "postgresql" => Engine::Postgres(server(rest, 5432, password)?),
            "mysql" | "mariadb" => Engine::MySql(server(rest, 3306, password)?),
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path.contains('?') {
                    return Err(fail("must be `sqlite:` and the path of a file"));
                }
                Engine::Sqlite(PathBuf::from(decoded(path)?))
            }
            other => {
                return Err(fail(&format!(
                    "begins with `{other}:`; known are postgres, mysql, mariadb and sqlite"
                )));
            }
        };
        Ok(Self {
            engine,
            connections: 8,
            statement_timeout: Duration::from_secs(30),
            application_name: "haulier".to_owned(),
        })
    }

    /// The server, where the engine has one.
    #[must_use]
    pub fn server_mut(&mut self) -> Option<&mut Server> {
        match &mut self.engine {
            Engine::Postgres(server) | Engine::MySql(server) => Some(server),
            Engine::Sqlite(_) => None,
        }
    }

    /// The file that must be there before anything can be read.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Postgres(server) | Engine::MySql(server) => server.ca_file.as_deref(),
            Engine::Sqlite(path) => Some(path),
        }
    }
}

fn server(rest: &str, default_port: u16, password: Option<String>) -> Result<Server, OptionsError> {
    let fail = |problem: &str| OptionsError { problem: problem.to_owned() };
    let rest = rest.strip_prefix("//").ok_or_else(|| fail("has no `//` after its scheme"))?;
    if rest.contains(['?', '#']) {
        return Err(fail("has parameters; they are set in the site file instead"));
    }
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, inline) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
    let bracketed = place.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port =
        port.map_or(Ok(default_port), |port| port.parse().map_err(|_| fail("has a port that is none")))?;
    let host = decoded(host)?;
    if host.is_empty() || user.is_empty() || database.is_empty() {
        return Err(fail("must name a user, a host and a database: scheme://user@host/database"));
    }
    let inline = inline.map(decoded).transpose()?;
    Ok(Server {
        tls: if is_local(&host) { Tls::Plaintext } else { Tls::Verify },
        host,
        port,
        user: decoded(user)?,
        password: password.or(inline),
        database: decoded(database)?,
        ca_file: None,
    })
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.starts_with('/')
        || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn decoded(text: &str) -> Result<String, OptionsError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(OptionsError { problem: "has a part that is no UTF-8".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_password_is_never_shown() {
        let options = Options::from_url("mysql://us%40er:can%2Fary@[::1]:3307/my%20db", None).unwrap();
        let Engine::MySql(server) = &options.engine else { panic!("{options:?}") };
        assert_eq!((&*server.host, server.port, &*server.user), ("::1", 3307, "us@er"));
        assert_eq!((server.password.as_deref(), &*server.database), (Some("can/ary"), "my db"));
        assert_eq!(server.tls, Tls::Plaintext);
        assert!(!format!("{options:?}").contains("can/ary"));
    }

    #[test]
    fn a_host_off_this_machine_is_reached_encrypted() {
        let mut options = Options::from_url("postgres://u:old@db.example/d", Some("new".into())).unwrap();
        let server = options.server_mut().unwrap();
        assert_eq!((server.tls, server.port, server.password.as_deref()), (Tls::Verify, 5432, Some("new")));
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for bad in
            ["nope", "oracle://secret@h/d", "postgres://h/d", "postgres://u@h", "mysql://u@h:x/d", "sqlite:"]
        {
            let error = Options::from_url(bad, None).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(Options::from_url("sqlite:///tmp/a.db", None).is_ok());
    }
}
