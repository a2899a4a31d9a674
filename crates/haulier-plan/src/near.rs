//! Hints for mistyped words.

pub(crate) use haulier_core::near::nearest;

/// The hint that names the nearest candidate, or else all of them where they are few enough to read.
pub(crate) fn hint(word: &str, candidates: &[&str], what: &str) -> Option<String> {
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean \"{near}\"?"));
    }
    match candidates.len() {
        0 => None,
        1..=24 => Some(format!("{what}: {}", candidates.join(", "))),
        _ => None,
    }
}
