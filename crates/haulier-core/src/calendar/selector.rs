//! Which tenants are meant: `small & provider:gcp & !event-season`, a list of keys, all, or the rest.

use std::fmt;

use super::tenant::Tenant;

/// A choice of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All of them.
    All,
    /// Those that no wave before takes; in a blackout, nobody.
    Rest,
    /// Those with one of these keys.
    Keys(Vec<String>),
    /// Those that have the tag.
    Tag(String),
    /// Those that it does not take.
    Not(Box<Self>),
    /// Those that both take.
    And(Box<Self>, Box<Self>),
    /// Those that either takes.
    Or(Box<Self>, Box<Self>),
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

impl Selector {
    /// Reads `all`, `rest`, or tags with `&`, `|`, `!` and brackets; `&` binds more closely than `|`.
    ///
    /// # Errors
    /// The text is no selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parser = Parser { rest: text };
        let found = parser.either()?;
        match parser.rest.trim_start() {
            "" => Ok(found),
            rest => Err(SelectorError(format!("`{rest}` is too much; between two tags stands `&` or `|`"))),
        }
    }

    /// Whether it takes the tenant. The rest is known to the roster of waves alone.
    #[must_use]
    pub fn takes(&self, tenant: &Tenant) -> bool {
        match self {
            Self::All => true,
            Self::Rest => false,
            Self::Keys(keys) => keys.iter().any(|key| key == tenant.key.as_str()),
            Self::Tag(tag) => tenant.has(tag),
            Self::Not(inner) => !inner.takes(tenant),
            Self::And(left, right) => left.takes(tenant) && right.takes(tenant),
            Self::Or(left, right) => left.takes(tenant) || right.takes(tenant),
        }
    }

    /// Every tag that it names.
    #[must_use]
    pub fn tags(&self) -> Vec<&str> {
        match self {
            Self::All | Self::Rest | Self::Keys(_) => Vec::new(),
            Self::Tag(tag) => vec![tag],
            Self::Not(inner) => inner.tags(),
            Self::And(left, right) | Self::Or(left, right) => {
                let mut tags = left.tags();
                tags.extend(right.tags());
                tags
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Rest => f.write_str("rest"),
            Self::Keys(keys) => f.write_str(&keys.join(", ")),
            Self::Tag(tag) => f.write_str(tag),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::And(left, right) => write!(f, "({left} & {right})"),
            Self::Or(left, right) => write!(f, "({left} | {right})"),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn eat(&mut self, sign: char) -> bool {
        let found = self.rest.trim_start().strip_prefix(sign);
        if let Some(rest) = found {
            self.rest = rest;
        }
        found.is_some()
    }

    fn either(&mut self) -> Result<Selector, SelectorError> {
        let mut left = self.both()?;
        while self.eat('|') {
            left = Selector::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Selector, SelectorError> {
        let mut left = self.one()?;
        while self.eat('&') {
            left = Selector::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Selector, SelectorError> {
        if self.eat('!') {
            return Ok(Selector::Not(Box::new(self.one()?)));
        }
        if self.eat('(') {
            let inner = self.either()?;
            return if self.eat(')') { Ok(inner) } else { Err(SelectorError("a `)` is missing".to_owned())) };
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| c.is_whitespace() || "&|!()".contains(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return Err(SelectorError(match rest.chars().next() {
                Some(sign) => format!("a tag is missing before `{sign}`"),
                None => "a tag is missing at its end".to_owned(),
            }));
        }
        self.rest = after;
        Ok(match word {
            "all" => Selector::All,
            "rest" => Selector::Rest,
            tag => Selector::Tag(tag.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantKey;

    fn tenant(tags: &[&str]) -> Tenant {
        let mut tenant = Tenant::plain(TenantKey::new("7"));
        tenant.name = "acme".to_owned();
        tenant.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        tenant
    }

    #[test]
    fn a_selector_takes_those_with_its_tags() {
        let gcp = tenant(&["small", "provider:gcp"]);
        for (text, takes) in [
            ("small", true),
            ("small & provider:gcp", true),
            ("small&provider:aws", false),
            ("provider:aws | small", true),
            ("!small", false),
            ("large | small & !provider:aws", true),
            ("(large | small) & !provider:gcp", false),
            ("all", true),
            ("acme", true),
            ("7", true),
            ("rest", false),
        ] {
            assert_eq!(Selector::parse(text).unwrap().takes(&gcp), takes, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["", "small &", "& small", "(small", "small large", "small)", "!", "small | | large"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
        let said = Selector::parse("small large").unwrap_err().to_string();
        assert_eq!(said, "`large` is too much; between two tags stands `&` or `|`");
    }
}
