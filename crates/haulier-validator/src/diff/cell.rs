//! What it is that differs in a cell.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::line::Field;

/// All that differs in a text whose value a person would call the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// The Unicode normalisation form: composed against decomposed.
    pub unicode: bool,
    /// White space at the ends, or its kind and amount within.
    pub space: bool,
    /// Upper against lower case.
    pub case: bool,
}

impl Form {
    /// Every form, the narrowest first.
    const ALL: [Self; 7] = [
        Self::of(true, false, false),
        Self::of(false, true, false),
        Self::of(false, false, true),
        Self::of(true, true, false),
        Self::of(true, false, true),
        Self::of(false, true, true),
        Self::of(true, true, true),
    ];

    const fn of(unicode: bool, space: bool, case: bool) -> Self {
        Self { unicode, space, case }
    }

    /// The narrowest form in which both cells are the same; `None` where their values differ.
    #[must_use]
    pub fn between(a: &Field<'_>, b: &Field<'_>) -> Option<Self> {
        let (Field::Text(a), Field::Text(b)) = (a, b) else { return None };
        let last = Self::ALL.last()?;
        if last.folded(a) != last.folded(b) {
            return None;
        }
        Self::ALL.into_iter().find(|form| form.folded(a) == form.folded(b))
    }

    fn folded(self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.unicode {
            text = text.nfc().collect();
        }
        if self.space {
            text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if self.case {
            text = text.to_lowercase();
        }
        text
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.unicode, "unicode form"), (self.space, "white space"), (self.case, "case")];
        let words: Vec<&str> = words.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_form_is_named() {
        let text = |text: &'static str| Field::Text(text.into());
        let form = |a, b| Form::between(&text(a), &text(b)).map(|form| form.to_string());
        assert_eq!(form("Zo\u{eb}", "Zoe\u{308}").as_deref(), Some("unicode form"));
        assert_eq!(form("x ", "x").as_deref(), Some("white space"));
        assert_eq!(form("a\u{a0}b", "a b").as_deref(), Some("white space"));
        assert_eq!(form("\u{c9}", "\u{e9}").as_deref(), Some("case"));
        assert_eq!(form("E\u{301} ", "\u{e9}").as_deref(), Some("unicode form, white space, case"));
        assert_eq!(form("x", "y"), None);
        assert_eq!(form("1.0", "1"), None);
        assert_eq!(Form::between(&Field::Null, &text("")), None);
    }
}
