//! A value of a file with its place, and a table whose keys are checked; both note what is wrong with them.

use std::collections::HashSet;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::near;
use crate::notes::Notes;
use crate::scalar;
use crate::shape::Shape;

/// Something read, with the byte offset where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<T> {
    pub(crate) at: usize,
    pub(crate) value: T,
}

/// A text of the file.
pub(crate) type Text<'d> = Placed<&'d str>;

/// A value of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'d> {
    pub(crate) notes: &'d Notes<'d>,
    /// What messages call it: its key.
    pub(crate) key: &'d str,
    pub(crate) at: usize,
    pub(crate) value: &'d DeValue<'d>,
}

impl<'d> Node<'d> {
    fn new(notes: &'d Notes<'d>, key: &'d str, value: &'d Spanned<DeValue<'d>>) -> Self {
        Self { notes, key, at: value.span().start, value: value.get_ref() }
    }

    /// Notes that another kind of value was expected.
    pub(crate) fn unfit<T>(&self, expected: &str) -> Option<T> {
        let article = |kind: &str| if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        let kind = self.value.type_str();
        self.notes
            .add(self.at, format!("`{}`: expected {expected}, found {} {kind}", self.key, article(kind)));
        None
    }

    /// Notes a mistake at this value.
    pub(crate) fn wrong<T>(&self, message: impl Into<String>, hint: Option<String>) -> Option<T> {
        self.notes.add_hinted(self.at, message, hint);
        None
    }

    pub(crate) fn text(&self) -> Option<Text<'d>> {
        match self.value.as_str() {
            Some("") => self.wrong(format!("`{}` is empty", self.key), None),
            Some(value) => Some(Placed { at: self.at, value }),
            None => self.unfit("a string"),
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.unfit("true or false"))
    }

    /// A whole number within the bounds.
    pub(crate) fn number(&self, least: u64, most: u64) -> Option<u64> {
        let Some(integer) = self.value.as_integer() else { return self.unfit("an integer") };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let bounds = format!("`{}` must be between {least} and {most}", self.key);
                self.wrong(bounds, None)
            }
        }
    }

    /// A number, whole or not.
    pub(crate) fn amount(&self) -> Option<f64> {
        let text = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(_)
            | DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return self.unfit("a number"),
        };
        text.replace('_', "").parse().ok().or_else(|| self.unfit("a number"))
    }

    /// A number that fits, or what it `must` be.
    pub(crate) fn amount_that(
        &self,
        fits: impl Fn(f64) -> bool,
        must: &str,
        hint: Option<&str>,
    ) -> Option<f64> {
        let amount = self.amount()?;
        // What is no number, such as `nan`, fits no bounds; `inf` fits none of ours.
        if amount.is_finite() && fits(amount) {
            return Some(amount);
        }
        self.wrong(format!("`{}` must be {must}", self.key), hint.map(str::to_owned))
    }

    /// A duration from `least` to `most`, which messages show as the pair of texts.
    pub(crate) fn duration_between(
        &self,
        least: (&str, Duration),
        most: (&str, Duration),
    ) -> Option<Duration> {
        let given = self.duration()?;
        if (least.1..=most.1).contains(&given) {
            return Some(given);
        }
        self.wrong(format!("`{}` must be between {} and {}", self.key, least.0, most.0), None)
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        let text = self.text()?;
        scalar::duration(text.value).or_else(|| {
            self.wrong(
                format!("`{}`: \"{}\" is not a duration", self.key, text.value),
                Some("write a number and a unit: \"500ms\", \"30s\", \"2m\", \"1h\"".to_owned()),
            )
        })
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*meaning);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.wrong(
            format!("`{}` cannot be \"{}\"", self.key, text.value),
            near::hint(text.value, &known, "it can be"),
        )
    }

    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        match self.value.as_array() {
            Some(items) => Some(items.iter().map(|item| Self::new(self.notes, self.key, item)).collect()),
            None => self.unfit("a list"),
        }
    }

    /// A list of texts; a single text is a list of one.
    pub(crate) fn texts(&self) -> Vec<Text<'d>> {
        if self.value.is_str() {
            return self.text().into_iter().collect();
        }
        if !self.value.is_array() {
            return self.unfit::<Vec<Text<'d>>>("a string or a list of strings").unwrap_or_default();
        }
        let items = self.items().unwrap_or_default();
        if items.is_empty() {
            self.notes.add(self.at, format!("`{}` is an empty list", self.key));
        }
        let mut seen = HashSet::with_capacity(items.len());
        let mut texts: Vec<Text<'d>> = Vec::with_capacity(items.len());
        for text in items.iter().filter_map(Self::text) {
            if seen.insert(text.value) {
                texts.push(text);
            } else {
                self.notes.add(text.at, format!("`{}` names \"{}\" twice", self.key, text.value));
            }
        }
        texts
    }

    pub(crate) fn table(&self, shape: &'static Shape) -> Option<Table<'d>> {
        match self.value.as_table() {
            Some(table) => Some(Table::new(self.notes, self.at, shape, table)),
            None => self.unfit("a table"),
        }
    }

    /// The entries of a table whose keys are the writer's own, in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(Text<'d>, Self)> {
        let Some(table) = self.value.as_table() else {
            return self.unfit::<Vec<(Text<'d>, Self)>>("a table").unwrap_or_default();
        };
        let mut entries: Vec<(Text<'d>, Self)> = table
            .iter()
            .map(|(key, value)| {
                let name = Placed { at: key.span().start, value: &**key.get_ref() };
                (name, Self::new(self.notes, name.value, value))
            })
            .collect();
        entries.sort_by_key(|(name, _)| name.at);
        entries
    }
}

/// A table of the file whose keys are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'d> {
    pub(crate) notes: &'d Notes<'d>,
    pub(crate) at: usize,
    shape: &'static Shape,
    table: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// Takes a table and notes every key that its shape does not have.
    pub(crate) fn new(
        notes: &'d Notes<'d>,
        at: usize,
        shape: &'static Shape,
        table: &'d DeTable<'d>,
    ) -> Self {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !shape.keys.contains(&name) {
                notes.add_hinted(
                    key.span().start,
                    format!("unknown key `{name}` in {}", shape.what),
                    near::hint(name, shape.keys, "it can hold"),
                );
            }
        }
        Self { notes, at, shape, table }
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &'static str) -> Option<Node<'d>> {
        debug_assert!(self.shape.keys.contains(&key), "{key} is not listed in {}", self.shape.name);
        self.table.get(key).map(|value| Node::new(self.notes, key, value))
    }

    /// The value under a key that must be there.
    pub(crate) fn need(&self, key: &'static str, hint: &str) -> Option<Node<'d>> {
        let found = self.get(key);
        if found.is_none() {
            let hint = (!hint.is_empty()).then(|| hint.to_owned());
            self.notes.add_hinted(self.at, format!("{} lacks `{key}`", self.shape.what), hint);
        }
        found
    }

    /// What messages call it.
    pub(crate) fn what(&self) -> &'static str {
        self.shape.what
    }

    /// Whether tables of this shape hold the key at all.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.shape.keys.contains(&key)
    }

    /// Whether this table has the key.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<Text<'d>> {
        self.get(key)?.text()
    }

    pub(crate) fn owned(&self, key: &'static str) -> Option<String> {
        self.text(key).map(|text| text.value.to_owned())
    }

    pub(crate) fn texts(&self, key: &'static str) -> Vec<Text<'d>> {
        self.get(key).map(|node| node.texts()).unwrap_or_default()
    }

    pub(crate) fn flag(&self, key: &'static str, absent: bool) -> bool {
        self.get(key).and_then(|node| node.flag()).unwrap_or(absent)
    }

    pub(crate) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)], absent: T) -> T {
        self.get(key).and_then(|node| node.word(words)).unwrap_or(absent)
    }

    pub(crate) fn duration(&self, key: &'static str, absent: Duration) -> Duration {
        self.get(key).and_then(|node| node.duration()).unwrap_or(absent)
    }

    /// A whole number within the bounds of `T` and of `least..=most`.
    pub(crate) fn number<T: TryFrom<u64>>(&self, key: &'static str, least: u64, most: u64, absent: T) -> T {
        let given = self.get(key).and_then(|node| node.number(least, most));
        given.and_then(|number| T::try_from(number).ok()).unwrap_or(absent)
    }
}
