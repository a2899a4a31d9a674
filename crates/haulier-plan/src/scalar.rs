//! Small texts with a grammar of their own: durations, JSON pointers, regular expressions, JSON values.

use std::time::Duration;

use toml::de::DeValue;

use crate::near;
use crate::node::Node;

/// Reads `500ms`, `30s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let (unit, per) = match unit {
        "ms" => (Duration::from_millis(count), 1),
        "s" => (Duration::from_secs(count), 1),
        "m" => (Duration::from_secs(count), 60),
        "h" => (Duration::from_secs(count), 3600),
        _ => return None,
    };
    unit.checked_mul(per)
}

/// Reads a number of bytes of memory: an integer, or `64KiB`, `1MiB`, `1GiB`.
pub(crate) fn size(node: &Node<'_>) -> Option<usize> {
    usize::try_from(bytes(node, 1 << 30, "1GiB")?).ok()
}

/// Reads a number of bytes of a disk: an integer, or `500MiB`, `20GiB`.
pub(crate) fn room(node: &Node<'_>) -> Option<u64> {
    bytes(node, 1 << 50, "1048576GiB")
}

fn bytes(node: &Node<'_>, most: u64, most_said: &str) -> Option<u64> {
    if node.value.is_integer() {
        return node.number(1, most);
    }
    let text = node.text()?.value;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let factor = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 0,
    };
    let bytes = count.parse::<u64>().ok().and_then(|count| count.checked_mul(factor));
    match bytes.filter(|bytes| (1..=most).contains(bytes)) {
        Some(bytes) => Some(bytes),
        None => node.wrong(
            format!("`{}`: \"{text}\" is not a size of at most {most_said}", node.key),
            Some("write \"64KiB\", \"1MiB\" or a number of bytes".to_owned()),
        ),
    }
}

/// Reads a JSON pointer, which is empty (the whole document) or starts with `/`.
pub(crate) fn pointer(node: &Node<'_>) -> Option<String> {
    let Some(text) = node.value.as_str() else { return node.unfit("a JSON pointer, a string") };
    if !text.is_empty() && !text.starts_with('/') {
        return node.wrong(
            format!("`{}`: \"{text}\" is not a JSON pointer", node.key),
            Some(format!("a JSON pointer starts with `/`: \"/{}\"", text.replace('.', "/"))),
        );
    }
    let escapes_right = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !escapes_right {
        return node.wrong(
            format!("`{}`: \"{text}\" is not a JSON pointer", node.key),
            Some("write `~` as `~0`, and `/` within a name as `~1`".to_owned()),
        );
    }
    Some(text.to_owned())
}

/// Reads a regular expression and proves that it compiles.
pub(crate) fn regex(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    match regex_lite::Regex::new(text.value) {
        Ok(_) => Some(text.value.to_owned()),
        Err(error) => node.wrong(
            format!("`{}`: \"{}\" is not a regular expression: {error}", node.key, text.value),
            Some("write a literal bracket, dot, `+`, `?` or `*` with a `\\` before it".to_owned()),
        ),
    }
}

/// Reads the IANA name of a time zone that this machine knows.
pub(crate) fn zone(node: &Node<'_>) -> Option<String> {
    let name = node.text()?.value;
    if jiff::tz::TimeZone::get(name).is_ok() {
        return Some(name.to_owned());
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = near::nearest(name, known.iter().map(String::as_str));
    node.wrong(
        format!("`zone`: there is no time zone \"{name}\""),
        Some(match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write an IANA name, such as \"Europe/Berlin\"".to_owned(),
        }),
    )
}

/// The value as encoded JSON.
pub(crate) fn json(node: &Node<'_>) -> Option<String> {
    let mut out = String::new();
    if encode(node.value, &mut out) {
        return Some(out);
    }
    node.wrong(format!("`{}`: JSON has no NaN and no infinities", node.key), None)
}

fn encode(value: &DeValue<'_>, out: &mut String) -> bool {
    let text = |text: &str, out: &mut String| out.push_str(&serde_json::Value::from(text).to_string());
    match value {
        DeValue::String(string) => text(string, out),
        DeValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        DeValue::Datetime(time) => text(&time.to_string(), out),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => out.push_str(&number.to_string()),
            Err(_) => return false,
        },
        DeValue::Float(float) => {
            let digits = float.as_str().trim_start_matches('+');
            if digits.contains(['n', 'i']) {
                return false;
            }
            out.push_str(digits);
        }
        DeValue::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                if !encode(item.get_ref(), out) {
                    return false;
                }
            }
            out.push(']');
        }
        DeValue::Table(table) => {
            let mut members: Vec<_> = table.iter().collect();
            members.sort_by_key(|(key, _)| key.span().start);
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                text(key.get_ref(), out);
                out.push(':');
                if !encode(member.get_ref(), out) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_mins(2)));
        assert_eq!(duration("1h"), Some(Duration::from_hours(1)));
        for bad in
            ["", "30", "s", "1.5s", "-1s", "1 s", "1d", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(duration(bad), None, "{bad:?}");
        }
    }
}
