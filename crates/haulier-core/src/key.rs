//! The source key: one or more columns of any type, in one canonical text.

use std::fmt;
use std::sync::Arc;

const SEPARATOR: char = '|';
const ESCAPE: char = '\\';
/// PostgreSQL holds no text with this character, so no key's text has it either.
const NUL: char = '\0';
const NUL_SIGN: char = '0';

/// A record's key in the source, as text: parts joined by `|`, with `|` and `\` inside a part escaped by `\`.
///
/// Every part is the text form that the source reads for the column, so a reference to a row and
/// that row's own key are the same text. Equality is bytewise; the order of keys is the database's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKey(Arc<str>);

impl SourceKey {
    /// Makes a key of its parts.
    #[must_use]
    pub fn from_parts<S: AsRef<str>>(parts: &[S]) -> Self {
        if let [only] = parts
            && !only.as_ref().contains([SEPARATOR, ESCAPE, NUL])
        {
            return Self(only.as_ref().into());
        }
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text.push(SEPARATOR);
            }
            for c in part.as_ref().chars() {
                match c {
                    SEPARATOR | ESCAPE => text.extend([ESCAPE, c]),
                    NUL => text.extend([ESCAPE, NUL_SIGN]),
                    c => text.push(c),
                }
            }
        }
        Self(text.into())
    }

    /// Takes a text that is canonical already: one that [`SourceKey::as_str`] gave.
    #[must_use]
    pub fn from_canonical(text: &str) -> Self {
        Self(text.into())
    }

    /// The parts, unescaped, in the order of the plan's `source.key`.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in self.0.chars() {
            let Some(last) = parts.last_mut() else { break };
            match c {
                _ if escaped => {
                    last.push(if c == NUL_SIGN { NUL } else { c });
                    escaped = false;
                }
                ESCAPE => escaped = true,
                SEPARATOR => parts.push(String::new()),
                _ => last.push(c),
            }
        }
        parts
    }

    /// The canonical text, as ledger, queue and reports hold it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceKey({:?})", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_survive_the_round_trip(parts in prop::collection::vec("\\PC*", 1..4)) {
            let key = SourceKey::from_parts(&parts);
            prop_assert_eq!(key.parts(), parts);
            prop_assert_eq!(SourceKey::from_canonical(key.as_str()), key);
        }
    }

    #[test]
    fn a_nul_is_spelt_out() {
        for parts in [vec!["\0"], vec!["a\0b", "\\0", "0"]] {
            let key = SourceKey::from_parts(&parts);
            assert!(!key.as_str().contains('\0'), "{key:?}");
            assert_eq!(key.parts(), parts);
        }
    }

    #[test]
    fn different_parts_are_different_keys() {
        assert_ne!(SourceKey::from_parts(&["a|b"]), SourceKey::from_parts(&["a", "b"]));
        assert_ne!(SourceKey::from_parts(&["a\\", "b"]), SourceKey::from_parts(&["a|b"]));
    }
}
