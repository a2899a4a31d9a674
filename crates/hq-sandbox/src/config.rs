//! What a sandbox is started with.

use std::path::PathBuf;
use std::time::Duration;

use crate::Faults;

/// What a sandbox is started with. Only the token has no default.
#[derive(Clone)]
pub struct Config {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Where records are kept.
    pub store: StoreKind,
    /// The bearer token that may do everything.
    pub token: String,
    /// A second bearer token that may only read.
    pub read_only_token: Option<String>,
    /// Who may ask for a token at `POST /login`.
    pub login: Option<Login>,
    /// Whether a second record with the same natural key is refused.
    pub unique: Uniqueness,
    /// The request log, one JSON object a line, appended.
    pub log: Option<PathBuf>,
    /// How many answers are kept for `Idempotency-Key`.
    pub idempotency_keys: usize,
    /// The faults it starts with.
    pub faults: Faults,
    /// The seed of the draws for fault shares.
    pub seed: u64,
}

impl Config {
    /// A sandbox in memory, on a free loopback port, without faults.
    #[must_use]
    pub fn in_memory(token: impl Into<String>) -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            store: StoreKind::Memory,
            token: token.into(),
            read_only_token: None,
            login: None,
            unique: Uniqueness::Enforced,
            log: None,
            idempotency_keys: 100_000,
            faults: Faults::default(),
            seed: 1,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens and passwords stay out of every log.
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("store", &self.store)
            .field("unique", &self.unique)
            .field("log", &self.log)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Where records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// Nowhere but in memory.
    Memory,
    /// In a SQLite file, made if it is not there.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What a commit waits for.
        sync: Sync,
    },
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// The write: it survives the process.
    Normal,
    /// The disk: it survives the machine.
    Full,
}

/// Whether a second record with the same natural key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// It is, with 409.
    Enforced,
    /// It is stored and counted.
    None,
}

/// Who may ask for a token.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// How long a token is good.
    pub lifetime: Duration,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
