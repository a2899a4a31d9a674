//! The digest of a plan: of what it says, not of how it is laid out.

use sha2::{Digest as _, Sha256};
use toml::de::{DeTable, DeValue};

/// SHA-256 in lower-case hex over the tables with their keys sorted; comments, blanks, quoting styles and the order of
/// keys do not count, the order of list items does.
pub(crate) fn of(tables: &DeTable<'_>) -> String {
    let mut hash = Sha256::new();
    add_table(tables, &mut hash);
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    hex
}

/// Every text goes in with its kind and length, so that no two plans run together into the same bytes.
fn add_text(kind: char, text: &str, hash: &mut Sha256) {
    hash.update(format!("{kind}{}:", text.len()));
    hash.update(text);
}

fn add_table(table: &DeTable<'_>, hash: &mut Sha256) {
    let mut members: Vec<(&str, &DeValue<'_>)> =
        table.iter().map(|(key, value)| (&**key.get_ref(), value.get_ref())).collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    hash.update(format!("t{}:", members.len()));
    for (key, value) in members {
        add_text('k', key, hash);
        add_value(value, hash);
    }
}

fn add_value(value: &DeValue<'_>, hash: &mut Sha256) {
    match value {
        DeValue::String(text) => add_text('s', text, hash),
        DeValue::Boolean(flag) => add_text('b', if *flag { "1" } else { "0" }, hash),
        DeValue::Datetime(time) => add_text('d', &time.to_string(), hash),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => add_text('i', &number.to_string(), hash),
            Err(_) => add_text('i', integer.as_str(), hash),
        },
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(number) => add_text('f', &number.to_string(), hash),
            Err(_) => add_text('f', float.as_str(), hash),
        },
        DeValue::Array(items) => {
            hash.update(format!("a{}:", items.len()));
            for item in items {
                add_value(item.get_ref(), hash);
            }
        }
        DeValue::Table(table) => add_table(table, hash),
    }
}
