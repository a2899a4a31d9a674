//! Digests of contents and keys.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// 16 bytes of SHA-256, enough to tell contents and natural keys apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Lower-case hex, 32 characters.
    #[must_use]
    pub fn to_hex(self) -> String {
        crate::form::hex(&self.0)
    }

    /// Reads what [`Digest::to_hex`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.to_hex())
    }
}

/// Makes a digest of texts, one after the other. Their lengths count too, so that shifted borders give another digest.
#[derive(Debug, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Takes one more text.
    pub fn part(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// The digest of all that was taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        let full = self.0.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Digest(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_hex() {
        let digest = Digest(std::array::from_fn(|i| u8::try_from(i * 16).unwrap_or(255)));
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex("xyz"), None);
    }

    #[test]
    fn shifted_borders_give_another_digest() {
        let of = |parts: &[&str]| {
            let mut digester = Digester::default();
            parts.iter().for_each(|part| digester.part(part));
            digester.finish()
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", "c"]), of(&["abc"]));
    }
}
