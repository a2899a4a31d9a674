//! Reads the members of a request's object and notes everything that is wrong with them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::is_rfc3339;
use crate::record::{Collection, Id};

/// Most characters of a text.
const TEXT_LIMIT: usize = 255;
/// Most characters of an e-mail address.
const EMAIL_LIMIT: usize = 254;
/// Most digits of a decimal.
const DIGIT_LIMIT: usize = 30;

/// What is wrong with one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// The members of one object.
///
/// Every method takes what the record holds now; a member that is absent then keeps it. A wrong member is noted,
/// and what the method returns in its place is never stored: [`Members::finish`] tells whether there was one.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    object: &'a Map<String, Value>,
    /// Members that the path gives, which the body may repeat but not contradict.
    given: &'a [(&'static str, String)],
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(object: &'a Map<String, Value>, given: &'a [(&'static str, String)]) -> Self {
        Self { object, given, known: Vec::with_capacity(10), errors: Vec::new() }
    }

    /// A text that must be there, of 1 to 255 characters.
    pub(crate) fn text(&mut self, name: &'static str, old: Option<&str>) -> String {
        self.required(name, old, |text| limit(text, TEXT_LIMIT))
    }

    /// A text of 1 to 255 characters, or nothing.
    pub(crate) fn optional_text(&mut self, name: &'static str, old: Option<&str>) -> Option<String> {
        self.optional(name, old, |text| limit(text, TEXT_LIMIT))
    }

    /// An e-mail address that must be there: something, one `@`, something, no blanks.
    pub(crate) fn email(&mut self, name: &'static str, old: Option<&str>) -> String {
        self.required(name, old, |text| {
            let parted = text.split_once('@');
            let shaped =
                parted.is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'));
            if !shaped || text.contains(char::is_whitespace) {
                return Some("is not an e-mail address".to_owned());
            }
            limit(text, EMAIL_LIMIT)
        })
    }

    /// One of these words; it must be there.
    pub(crate) fn word(&mut self, name: &'static str, words: &[&str], old: Option<&str>) -> String {
        self.required(name, old, |text| {
            (!words.contains(&text)).then(|| format!("is none of: {}", words.join(", ")))
        })
    }

    /// A point in time as RFC 3339 writes it; it must be there.
    pub(crate) fn moment(&mut self, name: &'static str, old: Option<&str>) -> String {
        self.required(name, old, |text| {
            (!is_rfc3339(text)).then(|| "is not an RFC 3339 date and time".to_owned())
        })
    }

    /// A decimal number as a string, or nothing.
    pub(crate) fn decimal(&mut self, name: &'static str, old: Option<&str>) -> Option<String> {
        self.optional(name, old, |text| (!is_decimal(text)).then(|| "is not a decimal number".to_owned()))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str, old: bool) -> bool {
        self.known.push(name);
        match self.object.get(name) {
            None => old,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.wrong(name, "is not true or false");
                old
            }
        }
    }

    /// The id of the record this one belongs to. It must be there and never changes.
    pub(crate) fn owner(&mut self, name: &'static str, collection: Collection, old: Option<Id>) -> Id {
        let before = self.errors.len();
        let kept = old.map(|id| id.to_string());
        let text = self.required(name, kept.as_deref(), |_| None);
        if self.errors.len() == before && old.is_some_and(|old| old.to_string() != text) {
            self.wrong(name, "cannot be changed");
        }
        self.id(&text, collection)
    }

    /// The id of another record, or nothing.
    pub(crate) fn reference(
        &mut self,
        name: &'static str,
        collection: Collection,
        old: Option<Id>,
    ) -> Option<Id> {
        let kept = old.map(|id| id.to_string());
        let text = self.optional(name, kept.as_deref(), |_| None)?;
        Some(self.id(&text, collection))
    }

    /// Every mistake, members that nobody asked for among them.
    pub(crate) fn finish(mut self) -> Result<(), Vec<FieldError>> {
        for name in self.object.keys() {
            if !self.known.contains(&name.as_str()) {
                self.errors.push(FieldError::new(name, "is not a member of this record"));
            }
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// A text that is no id at all stands for a record that cannot exist: number 0 is never given.
    fn id(&self, text: &str, collection: Collection) -> Id {
        Id::parse(text).filter(|id| id.collection == collection).unwrap_or(Id::new(collection, 0))
    }

    fn required(
        &mut self,
        name: &'static str,
        old: Option<&str>,
        check: impl Fn(&str) -> Option<String>,
    ) -> String {
        let before = self.errors.len();
        let value = self.optional(name, old, check);
        if value.is_none() && self.errors.len() == before {
            self.wrong(name, "is missing");
        }
        value.unwrap_or_default()
    }

    fn optional(
        &mut self,
        name: &'static str,
        old: Option<&str>,
        check: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        self.known.push(name);
        let given = self.given.iter().find(|(given, _)| *given == name).map(|(_, text)| text.as_str());
        let text = match (self.object.get(name), given) {
            (Some(Value::String(text)), Some(given)) if text != given => {
                self.wrong(name, "is not what the path says");
                return None;
            }
            (None, Some(given)) => given,
            (None, None) => return old.map(str::to_owned),
            (Some(Value::Null), _) => return None,
            (Some(Value::String(text)), _) => text,
            (Some(_), _) => {
                self.wrong(name, "is not a string");
                return None;
            }
        };
        let objection =
            if text.contains('\0') { Some("holds a NUL character".to_owned()) } else { check(text) };
        match objection {
            None => Some(text.to_owned()),
            Some(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(name, message));
    }
}

fn limit(text: &str, most: usize) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".to_owned());
    }
    (text.len() > most && text.chars().count() > most).then(|| format!("is longer than {most} characters"))
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && digits.len() <= DIGIT_LIMIT
}

#[cfg(test)]
mod tests {
    use super::is_decimal;

    #[test]
    fn a_decimal_is_plain_digits() {
        for good in ["0", "-1", "12345678.90", "0.0000", "007"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "-", ".5", "5.", "1e3", "+1", "1,5", "NaN", " 1", "1.2.3", "٣"] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }
}
