//! One row as one line of bytes: RFC 4180, quoted only where it must be, and never broken by a value.
//!
//! | in the file | is |
//! |---|---|
//! | `\N` | NULL |
//! | `\M` | a value that the side does not send at all |
//! | nothing | the empty text |
//! | `\\` `\n` `\r` `\0` | a backslash, line feed, carriage return, NUL within a text |
//!
//! So a row is one line, whatever it holds, and `sort`, `comm`, `diff` and `cmp` can be used on extracts. Rows are in the order of
//! their bytes (that of `LC_ALL=C sort`); key columns come first, so lines with the same key stand together.

use std::borrow::Cow;

/// NULL.
pub const NULL: &[u8] = b"\\N";
/// A value that the side does not send.
pub const MISSING: &[u8] = b"\\M";

/// A cell of an extract, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field<'a> {
    /// NULL.
    Null,
    /// Not sent.
    Missing,
    /// A text, unescaped.
    Text(Cow<'a, str>),
}

/// Appends a text as a cell: escaped, and quoted where it holds a comma or a quote.
pub fn push_text(line: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // To the end without a branch: that goes many bytes at a time.
    let special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | 0 | b',' | b'"');
    if !bytes.iter().fold(false, |found, byte| found | special(byte)) {
        line.extend_from_slice(bytes);
        return;
    }
    let quoted = bytes.iter().any(|byte| matches!(byte, b',' | b'"'));
    if quoted {
        line.push(b'"');
    }
    for byte in bytes {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            0 => line.extend_from_slice(b"\\0"),
            b'"' => line.extend_from_slice(b"\"\""),
            other => line.push(*other),
        }
    }
    if quoted {
        line.push(b'"');
    }
}

/// A text as its cell holds it: escaped, without quotes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            other => out.push(other),
        }
    }
    out
}

/// Ends a line. A line of one empty cell is written as `""`, so that no line is empty.
pub fn close(line: &mut Vec<u8>, start: usize) {
    if line.len() == start {
        line.extend_from_slice(b"\"\"");
    }
}

/// Where the first `columns` cells end: the position behind their last delimiter, or the line's length.
#[must_use]
pub fn prefix(line: &[u8], columns: usize) -> usize {
    let mut left = columns;
    let mut at = 0;
    while left > 0 {
        let rest = line.get(at..).unwrap_or_default();
        let Some(length) = cell_length(rest) else { return line.len() };
        if at + length >= line.len() {
            return line.len();
        }
        at += length + 1;
        left -= 1;
    }
    at
}

/// The length of the first cell with its quotes; `None` where nothing is left.
fn cell_length(rest: &[u8]) -> Option<usize> {
    if rest.first() == Some(&b'"') {
        let mut at = 1;
        loop {
            at += memchr::memchr(b'"', rest.get(at..)?).map_or(rest.len(), |found| found + 1);
            if rest.get(at) != Some(&b'"') {
                return Some(at.min(rest.len()));
            }
            at += 1;
        }
    }
    Some(memchr::memchr(b',', rest).unwrap_or(rest.len()))
}

/// The cells of a line without their quotes, still escaped.
pub fn cells(line: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let here = rest?;
        let length = cell_length(here).unwrap_or(here.len());
        let (cell, behind) = here.split_at(length);
        rest = behind.split_first().map(|(_, behind)| behind);
        Some(unquote(cell))
    })
}

fn unquote(cell: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = cell.strip_prefix(b"\"") else { return Cow::Borrowed(cell) };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if memchr::memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut quote = false;
    for byte in inner {
        quote = *byte == b'"' && !quote;
        if !quote {
            text.push(*byte);
        }
    }
    Cow::Owned(text)
}

/// What an escaped cell means.
#[must_use]
pub fn field(cell: &[u8]) -> Field<'_> {
    match cell {
        NULL => return Field::Null,
        MISSING => return Field::Missing,
        _ => {}
    }
    if memchr::memchr(b'\\', cell).is_none() {
        return Field::Text(String::from_utf8_lossy(cell));
    }
    let mut text = Vec::with_capacity(cell.len());
    let mut bytes = cell.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => text.push(b'\n'),
            Some(b'r') => text.push(b'\r'),
            Some(b'0') => text.push(0),
            Some(other) => text.push(*other),
            None => text.push(b'\\'),
        }
    }
    Field::Text(Cow::Owned(String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(texts: &[&str]) -> Vec<u8> {
        let mut line = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            push_text(&mut line, text);
        }
        close(&mut line, 0);
        line
    }

    #[test]
    fn a_row_is_one_line_quoted_only_where_it_must_be() {
        assert_eq!(line(&["a", "", "b c"]), b"a,,b c");
        assert_eq!(line(&["a,b", "say \"x\"", "l1\nl2"]), b"\"a,b\",\"say \"\"x\"\"\",l1\\nl2");
        assert_eq!(line(&["\\N"]), b"\\\\N");
        assert_eq!(line(&[""]), b"\"\"");
        assert_eq!(field(b"\\N"), Field::Null);
        assert_eq!(field(b"\\M"), Field::Missing);
        assert_eq!(field(b"\\\\N"), Field::Text("\\N".into()));
    }

    #[test]
    fn the_key_ends_behind_its_last_delimiter() {
        assert_eq!(prefix(b"a,b,c", 1), 2);
        assert_eq!(prefix(b"\"a,\"\"x\",b,c", 2), 10);
        assert_eq!(prefix(b"a", 1), 1);
        assert_eq!(prefix(b"a,b", 2), 3);
        assert_eq!(prefix(b"a,", 1), 2);
    }

    proptest! {
        #[test]
        fn any_texts_survive_as_one_line(texts in prop::collection::vec("\\PC{0,8}|[\\x00-\\x7f]{0,8}|[\\\\,\"NMnr]{0,4}", 1..6)) {
            let line = line(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(!line.contains(&b'\n') && !line.is_empty());
            let back: Vec<String> = cells(&line).map(|cell| match field(&cell) {
                Field::Text(text) => text.into_owned(),
                other @ (Field::Null | Field::Missing) => panic!("{other:?}"),
            }).collect();
            prop_assert_eq!(&back, &texts);
            let end = prefix(&line, texts.len());
            prop_assert_eq!(end, line.len());
        }
    }
}
