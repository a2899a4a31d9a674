//! Where the ledger's database is.

use std::fmt;
use std::path::PathBuf;

/// A ledger in a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
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
    /// The schema that holds the ledger's tables and nothing else.
    pub schema: String,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// Connections at once, at most.
    pub connections: u32,
}

/// Whether the connection is encrypted. There is no way to accept a certificate without checking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// It is not.
    Off,
    /// It is; the system's certificate authorities are trusted.
    System,
    /// It is; only the certificate authorities in this PEM file are trusted.
    Authorities(PathBuf),
}

impl PostgresOptions {
    /// The usual port, schema and number of connections, without a password and without encryption.
    #[must_use]
    pub fn new(host: impl Into<String>, user: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: 5432,
            user: user.into(),
            password: None,
            database: database.into(),
            schema: "haulier".to_owned(),
            tls: Tls::Off,
            connections: 8,
        }
    }
}

/// Never shows the password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "<hidden>"))
            .field("database", &self.database)
            .field("schema", &self.schema)
            .field("tls", &self.tls)
            .field("connections", &self.connections)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        let options =
            PostgresOptions { password: Some("s3cret".to_owned()), ..PostgresOptions::new("h", "u", "d") };
        assert!(!format!("{options:?} {options:#?}").contains("s3cret"));
    }
}
