//! What can go wrong beneath the port, and how the port says it.

use std::time::Duration;

use haulier_core::plan::Entity;
use haulier_core::port::SourceError;

/// A failure of an engine, before it is known what was being read.
#[derive(Debug)]
pub(crate) enum Fault {
    Unreachable(String),
    Credentials(String),
    Timeout,
    /// The server understands the statement and refuses it: a missing right, types that do not compare.
    Refused {
        cause: String,
        hint: Option<String>,
    },
    Failed(String),
}

impl Fault {
    /// For everything that a driver reports apart from the server's own errors.
    pub(crate) fn of_driver(error: &sqlx::Error) -> Self {
        if let sqlx::Error::Io(cause) = error {
            Self::Unreachable(cause.to_string())
        } else if let sqlx::Error::Tls(cause) = error {
            Self::Unreachable(format!("TLS: {cause}"))
        } else if let sqlx::Error::Configuration(cause) = error {
            Self::Unreachable(cause.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }

    /// The port's error for a call about an entity.
    pub(crate) fn about(self, entity: &Entity, at: &str, limit: Duration) -> SourceError {
        if let Self::Refused { cause, hint } = self {
            return SourceError::Plan { entity: entity.name.to_string(), problem: cause, hint };
        }
        self.reading(entity.name.as_str(), at, limit)
    }

    /// The port's error for a call about anything else.
    pub(crate) fn reading(self, what: &str, at: &str, limit: Duration) -> SourceError {
        let failed = |cause| SourceError::Failed { what: what.to_owned(), cause };
        match self {
            Self::Unreachable(cause) => SourceError::Unreachable { at: at.to_owned(), cause },
            Self::Credentials(cause) => SourceError::Credentials { at: at.to_owned(), cause },
            Self::Timeout => SourceError::Timeout {
                entity: what.to_owned(),
                limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Refused { cause, hint } => {
                failed(hint.map_or_else(|| cause.clone(), |hint| format!("{cause} ({hint})")))
            }
            Self::Failed(cause) => failed(cause),
        }
    }
}

/// A server's words without what stands in quotes, which may be a value.
pub(crate) fn without_quoted(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(open) if c == open => {
                text.push_str("...");
                text.push(c);
                quote = None;
            }
            Some(_) => {}
            None => {
                text.push(c);
                if matches!(c, '"' | '\'') {
                    quote = Some(c);
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_does_not_reach_the_message() {
        let text = without_quoted("invalid input syntax for type integer: \"4711 secret\"");
        assert_eq!(text, "invalid input syntax for type integer: \"...\"");
        assert_eq!(without_quoted("Incorrect value: 'sec"), "Incorrect value: '");
    }
}
