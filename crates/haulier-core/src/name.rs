//! Names and ids: checked once when they are made, right ever after.

use std::fmt;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name: {reason}")]
pub struct NameError {
    text: String,
    reason: &'static str,
}

/// The name of an entity, such as `account`: a lower-case letter, then letters, digits, `_` or `-`.
///
/// A deferred field becomes an entity of its own, named `entity.field`; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityName(Arc<str>);

impl EntityName {
    /// Checks and makes a name of at most 64 bytes.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fail = |reason| Err(NameError { text: text.to_owned(), reason });
        if text.len() > 64 {
            return fail("it is longer than 64 bytes");
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return fail("it must start with a lower-case letter");
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            return fail("only letters, digits, `_` and `-` are allowed");
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! plain_text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

plain_text_id!(
    /// One execution of a plan on a site, such as `r-20261121-093012-4f2a`.
    RunId
);
plain_text_id!(
    /// The source key of a tenant's root record, in its canonical text form.
    TenantKey
);
plain_text_id!(
    /// The id that the target gave a record; composite ids are joined by the plan's template.
    TargetId
);
plain_text_id!(
    /// The name of a stage of the plan, and of the gate before it.
    StageName
);
plain_text_id!(
    /// One running haulier process, unique over hosts and restarts.
    ProcessId
);

macro_rules! shows_its_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }
    )*};
}
shows_its_text!(EntityName, RunId, TenantKey, TargetId, StageName, ProcessId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_name_is_checked() {
        assert_eq!(EntityName::new("playlist_track").unwrap().as_str(), "playlist_track");
        for bad in ["", "Account", "9lives", "a b", "ä", &"x".repeat(65)] {
            assert!(EntityName::new(bad).is_err(), "{bad:?}");
        }
    }
}
