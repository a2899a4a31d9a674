//! One present value in the neutral form of its column's kind.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use haulier_core::form::{self, number, time};
use sha2::{Digest as _, Sha256};

use super::column::{BytesAs, Column, Excess, Kind, Spelling};
use super::{Cell, Changed, interval, json};

type Reason = Cow<'static, str>;

/// Writes the value to `out`, which is empty.
pub(super) fn write(
    column: &Column,
    spelling: &Spelling,
    cell: Cell<'_>,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    let cell = mapped(spelling, cell, changed);
    match &column.kind {
        Kind::Binary => return binary(spelling, &cell, changed, out),
        Kind::Json => return document(spelling, &cell, changed, out),
        Kind::List { set, numbers } => return list(spelling, &cell, *set, *numbers, changed, out),
        Kind::Uuid => {
            let given =
                if let Cell::Bytes(bytes) = &cell { Cow::Owned(form::hex(bytes)) } else { spelled(&cell) };
            out.push_str(&form::uuid(&given).ok_or("it is not a UUID")?);
            changed.kind += u64::from(*out != given);
            return Ok(());
        }
        Kind::Decimal(Some(scale)) => {
            if let Cell::Float(value) = cell {
                return rounded(value, *scale, changed, out);
            }
        }
        Kind::Integer
        | Kind::Decimal(None)
        | Kind::Float
        | Kind::Boolean
        | Kind::Timestamp { .. }
        | Kind::Date
        | Kind::Time
        | Kind::Interval
        | Kind::Text
        | Kind::Enum(_) => {}
    }
    if let Cell::Bytes(bytes) = &cell {
        // Only text is text: a binary column under a text kind is taken where it is UTF-8.
        let text = std::str::from_utf8(bytes).map_err(|_| "it holds bytes that are not UTF-8 text")?;
        return scalar(column, spelling, text, changed, out);
    }
    scalar(column, spelling, &spelled(&cell), changed, out)
}

/// The neutral form of a text, where it is a piece of that text; what it holds needs neither escapes nor quotes. Nothing where
/// [`write`] must be asked.
pub(super) fn within<'t>(kind: &Kind, text: &'t str) -> Option<&'t str> {
    match kind {
        Kind::Uuid => form::is_uuid(text).then_some(text),
        Kind::Integer => number::value_of(text).filter(|number| !number.contains('.')),
        Kind::Decimal(None) => number::value_of(text),
        Kind::Decimal(Some(scale)) => {
            let fits = number::is_canonical(text) && number::is_fit(text, u8::MAX, *scale);
            fits.then_some(text)
        }
        Kind::Timestamp { precision, .. } => {
            is_neutral(text, usize::from((*precision).min(9))).then_some(text)
        }
        Kind::Boolean => matches!(text, "true" | "false").then_some(text),
        Kind::Float
        | Kind::Date
        | Kind::Time
        | Kind::Interval
        | Kind::Text
        | Kind::Enum(_)
        | Kind::Json
        | Kind::List { .. }
        | Kind::Binary => None,
    }
}

/// The side's own words, replaced by those of the extract.
fn mapped<'a>(spelling: &Spelling, cell: Cell<'a>, changed: &mut Changed) -> Cell<'a> {
    if spelling.map.is_empty() || matches!(cell, Cell::Bytes(_) | Cell::List(_) | Cell::Json(_)) {
        return cell;
    }
    let text = spelled(&cell);
    let found = spelling.map.iter().find(|(from, _)| *from == *text);
    match found {
        Some((from, to)) => {
            changed.map += u64::from(from != to);
            Cell::Text(Cow::Owned(to.clone()))
        }
        None => cell,
    }
}

/// A scalar as text, whatever it came as.
fn spelled<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Text(text) | Cell::Json(text) | Cell::Unreadable(text) => Cow::Borrowed(text),
        Cell::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Cell::Int(value) => Cow::Owned(value.to_string()),
        Cell::Float(value) => Cow::Owned(float(*value)),
        Cell::Missing | Cell::Null => Cow::Borrowed(""),
        Cell::Bytes(bytes) => String::from_utf8_lossy(bytes),
        Cell::List(items) => {
            Cow::Owned(items.iter().map(|item| item.as_deref().unwrap_or("")).collect::<Vec<_>>().join(","))
        }
    }
}

fn scalar(
    column: &Column,
    spelling: &Spelling,
    text: &str,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    match &column.kind {
        Kind::Text => {
            out.push_str(text);
            return Ok(());
        }
        Kind::Enum(values) => {
            if !values.iter().any(|value| value == text) {
                return Err(
                    "it is none of the column's declared values, and its map has no entry for it".into()
                );
            }
            out.push_str(text);
            return Ok(());
        }
        Kind::Integer => out.push_str(&number::integer(text).ok_or("it is not an integer")?),
        Kind::Decimal(scale) => {
            let number = number::by_value(text).ok_or("it is not a decimal")?;
            match scale {
                None => out.push_str(&number),
                Some(scale) => out.push_str(
                    &number::fit(&number, u8::MAX, *scale)
                        .map_err(|_| format!("it has more than {scale} fraction digits"))?,
                ),
            }
        }
        Kind::Float => out.push_str(&float(parse_float(text).ok_or("it is not a number")?)),
        Kind::Boolean => {
            let value = form::boolean(text).ok_or("it is not a boolean")?;
            out.push_str(if value { "true" } else { "false" });
        }
        Kind::Timestamp { precision, excess } => {
            timestamp(text, spelling, *precision, *excess, changed, out)?;
        }
        Kind::Date => out.push_str(&time::date(text)?),
        Kind::Time => out.push_str(&time::time(text)?),
        Kind::Interval => out.push_str(&interval::iso(text).ok_or("it is not an interval")?),
        Kind::Json | Kind::List { .. } | Kind::Uuid | Kind::Binary => {
            return Err("its kind is no scalar".into());
        }
    }
    changed.kind += u64::from(out != text);
    Ok(())
}

fn parse_float(text: &str) -> Option<f64> {
    // Rust reads `inf` and `nan` in any case; engines write no more than these.
    text.trim().parse().ok()
}

/// The shortest text that reads back the same; -0 is 0.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let value = if value == 0.0 { 0.0 } else { value };
    let size = value.abs();
    if size != 0.0 && !(1e-7..1e21).contains(&size) { format!("{value:e}") } else { value.to_string() }
}

/// A float that is declared a decimal: the decimal that is nearest to it, counted where that is not its shortest text.
fn rounded(value: f64, scale: u8, changed: &mut Changed, out: &mut String) -> Result<(), Reason> {
    if !value.is_finite() {
        return Err("it is not a decimal".into());
    }
    let text = format!("{value:.*}", usize::from(scale));
    let number = number::by_value(&text).ok_or("it is not a decimal")?;
    let number = number::fit(&number, u8::MAX, scale).map_err(|_| "it is not a decimal")?;
    changed.kind += u64::from(number != value.to_string());
    out.push_str(&number);
    Ok(())
}

fn timestamp(
    text: &str,
    spelling: &Spelling,
    precision: u8,
    excess: Excess,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    let digits = usize::from(precision.min(9));
    let stamp = time::instant(text, spelling.zone.as_deref())?;
    let unit = 10_i32.pow(9 - u32::from(precision.min(9)));
    if stamp.subsec_nanosecond() % unit != 0 {
        match excess {
            Excess::Refuse => {
                return Err(format!("the time has more than {digits} fraction digits").into());
            }
            Excess::Cut => changed.cut += 1,
        }
    }
    // Written in full and cut by text, because a formatter may round.
    let whole = format!("{stamp:.9}");
    let keep = if digits == 0 { whole.len() - 11 } else { whole.len() - 10 + digits };
    out.push_str(whole.get(..keep).unwrap_or(&whole));
    out.push('Z');
    Ok(())
}

/// Whether the text is `2024-03-30T20:30:00.123456Z` with just so many digits already.
fn is_neutral(text: &str, digits: usize) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let fraction = if digits == 0 { 0 } else { digits + 1 };
    if bytes.len() != SHAPE.len() + fraction + 1 || bytes.last() != Some(&b'Z') {
        return false;
    }
    let whole = bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let digits = bytes.get(SHAPE.len()..bytes.len() - 1).unwrap_or_default();
    let fraction = digits
        .split_first()
        .is_none_or(|(point, digits)| *point == b'.' && digits.iter().all(u8::is_ascii_digit));
    // Hours of 24, leap seconds and days that no month has are for the slow way to judge.
    let at = |from: usize| text.get(from..from + 2).and_then(|two| two.parse::<u8>().ok()).unwrap_or(99);
    let plain =
        (1..=12).contains(&at(5)) && (1..=28).contains(&at(8)) && at(11) < 24 && at(14) < 60 && at(17) < 60;
    whole && fraction && plain
}

fn binary(
    spelling: &Spelling,
    cell: &Cell<'_>,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    let bytes: Cow<'_, [u8]> = match (cell, spelling.bytes) {
        (Cell::Bytes(bytes), _) => Cow::Borrowed(bytes),
        (other, BytesAs::Raw) => Cow::Owned(spelled(other).into_owned().into_bytes()),
        (other, BytesAs::Hex) => Cow::Owned(from_hex(&spelled(other)).ok_or("it is not hex")?),
        (other, BytesAs::Base64) => {
            let any = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, any);
            Cow::Owned(engine.decode(spelled(other).as_bytes()).map_err(|_| "it is not base64")?)
        }
    };
    out.push_str("sha256:");
    form::push_hex(out, &Sha256::digest(&bytes));
    changed.kind += 1;
    Ok(())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").or_else(|| text.strip_prefix("0x")).unwrap_or(text).as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect()
}

fn document(
    spelling: &Spelling,
    cell: &Cell<'_>,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    let text = if let Cell::List(items) = cell {
        Cow::Owned(serde_json::json!(items).to_string())
    } else {
        spelled(cell)
    };
    json::canonical(&text, spelling.json_in_text, out)?;
    changed.kind += u64::from(*out != text);
    Ok(())
}

fn list(
    spelling: &Spelling,
    cell: &Cell<'_>,
    set: bool,
    numbers: bool,
    changed: &mut Changed,
    out: &mut String,
) -> Result<(), Reason> {
    let mut items: Vec<Option<String>> = match (cell, spelling.separator) {
        (Cell::List(items), _) => items.to_vec(),
        (Cell::Text(text), Some(_)) if text.is_empty() => Vec::new(),
        (Cell::Text(text), Some(separator)) => {
            text.split(separator).map(|item| Some(item.to_owned())).collect()
        }
        (other, _) => json::scalars(&spelled(other)).ok_or("it is not a list of scalars")?,
    };
    if numbers {
        for item in items.iter_mut().flatten() {
            *item = number::by_value(item).ok_or("an element is not a number")?;
        }
    }
    if set && !items.is_sorted() {
        items.sort_unstable();
        changed.kind += 1;
    }
    // Writing to a string cannot fail.
    let _written = write!(out, "{}", serde_json::json!(items));
    Ok(())
}
