//! Text forms of the engines, and what they become.

use haulier_core::Value;

/// The memory of the text that a value holds, to be filled again; the value is NULL then.
pub(crate) fn memory(slot: &mut Value) -> String {
    match std::mem::replace(slot, Value::Null) {
        Value::Number(text)
        | Value::Text(text)
        | Value::Timestamp(text)
        | Value::Date(text)
        | Value::Time(text)
        | Value::Json(text)
        | Value::ZeroDate(text)
        | Value::Unreadable(text) => text,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_) | Value::List(_) => {
            String::new()
        }
    }
}

/// A text in that memory.
pub(crate) fn filled(mut memory: String, text: &str) -> String {
    memory.clear();
    memory.push_str(text);
    memory
}

/// A date with a time of day, as `2024-03-30 20:30:00.5`, with `+00` where the engine writes a zone.
pub(crate) fn moment(text: &str, zoned: bool, memory: String) -> Value {
    let plain = text.strip_suffix("+00").unwrap_or(text);
    let Some((date, time)) = plain.split_once(' ') else { return Value::Text(filled(memory, text)) };
    if !is_date(date) || time.contains([' ', '+']) {
        return Value::Text(filled(memory, text));
    }
    if has_zero_part(date) {
        return Value::ZeroDate(filled(memory, text));
    }
    let mut form = filled(memory, date);
    form.push('T');
    form.push_str(time);
    if zoned {
        form.push('Z');
        Value::Timestamp(form)
    } else {
        Value::Timestamp(form)
    }
}

/// A calendar date. What is none (infinity, before our era) stays text.
pub(crate) fn date(text: &str, memory: String) -> Value {
    let form = filled(memory, text);
    if !is_date(text) {
        Value::Text(form)
    } else if has_zero_part(text) {
        Value::ZeroDate(form)
    } else {
        Value::Date(form)
    }
}

/// A time of day. MySQL's TIME also holds spans; those stay text.
pub(crate) fn time(text: &str, memory: String) -> Value {
    let form = filled(memory, text);
    let hour = text.split(':').next().unwrap_or("");
    if hour.len() == 2 && hour.parse::<u8>().is_ok_and(|hour| hour <= 24) {
        Value::Time(form)
    } else {
        Value::Text(form)
    }
}

/// A floating-point number; what is not finite becomes a number's text.
pub(crate) fn float(value: f64) -> Value {
    if value.is_finite() {
        Value::Float(value)
    } else if value.is_nan() {
        Value::Number("NaN".to_owned())
    } else if value > 0.0 {
        Value::Number("Infinity".to_owned())
    } else {
        Value::Number("-Infinity".to_owned())
    }
}

/// A number of single precision, as the shortest decimal that is that number.
pub(crate) fn single(value: f32) -> Value {
    let shortest = value.to_string().parse().unwrap_or_else(|_| f64::from(value));
    float(shortest)
}

/// A decimal without the zeros that MySQL's ZEROFILL puts before it.
pub(crate) fn number(text: &str, memory: String) -> Value {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let trimmed = digits.trim_start_matches('0');
    if trimmed.len() == digits.len() {
        return Value::Number(filled(memory, text));
    }
    let zero = if trimmed.is_empty() || trimmed.starts_with('.') { "0" } else { "" };
    Value::Number(format!("{sign}{zero}{trimmed}"))
}

/// A MySQL set.
pub(crate) fn set(text: &str) -> Value {
    let names = text.split(',').filter(|name| !name.is_empty());
    Value::List(names.map(|name| Some(name.to_owned())).collect())
}

/// A PostgreSQL array of one dimension; any other stays text.
pub(crate) fn array(text: &str) -> Value {
    elements(text).map_or_else(|| Value::Text(text.to_owned()), Value::List)
}

fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut chars = inner.chars().peekable();
    while chars.peek().is_some() {
        let mut item = String::new();
        let mut quoted = false;
        match chars.peek()? {
            '{' => return None,
            '"' => {
                quoted = true;
                chars.next();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => item.push(chars.next()?),
                        c => item.push(c),
                    }
                }
            }
            _ => {
                while let Some(c) = chars.next_if(|c| *c != ',') {
                    item.push(c);
                }
            }
        }
        items.push(if !quoted && item == "NULL" { None } else { Some(item) });
        match chars.next() {
            None => {}
            Some(',') => {
                chars.peek()?;
            }
            Some(_) => return None,
        }
    }
    Some(items)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, least: usize| {
        part.is_some_and(|part| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(parts.next(), 4) && digits(parts.next(), 2) && digits(parts.next(), 2) && parts.next().is_none()
}

fn has_zero_part(date: &str) -> bool {
    date.split('-').any(|part| part.bytes().all(|byte| byte == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each in memory that held something else before.
    fn moment(text: &str, zoned: bool) -> Value {
        super::moment(text, zoned, "a longer text than any of these dates with a time".to_owned())
    }

    fn date(text: &str) -> Value {
        super::date(text, "another text".to_owned())
    }

    fn time(text: &str) -> Value {
        super::time(text, "another text".to_owned())
    }

    fn number(text: &str) -> Value {
        super::number(text, "another text".to_owned())
    }

    #[test]
    fn moments_keep_their_fraction_and_say_whether_they_have_a_zone() {
        let zoned = Value::Timestamp("2024-03-30T20:30:00.123456Z".into());
        assert_eq!(moment("2024-03-30 20:30:00.123456+00", true), zoned);
        assert_eq!(moment("12024-03-30 20:30:00", false), Value::Timestamp("12024-03-30T20:30:00".into()));
        for odd in ["infinity", "-infinity", "0044-03-15 00:00:00+00 BC"] {
            assert_eq!(moment(odd, true), Value::Text(odd.into()));
        }
    }

    #[test]
    fn dates_with_zero_parts_are_told_apart() {
        assert_eq!(moment("0000-00-00 00:00:00", false), Value::ZeroDate("0000-00-00 00:00:00".into()));
        assert_eq!(date("2024-00-00"), Value::ZeroDate("2024-00-00".into()));
        assert_eq!(date("2024-10-20"), Value::Date("2024-10-20".into()));
        assert_eq!(date("0044-03-15 BC"), Value::Text("0044-03-15 BC".into()));
    }

    #[test]
    fn a_span_is_no_time_of_day() {
        assert_eq!(time("23:59:59.5"), Value::Time("23:59:59.5".into()));
        assert_eq!(time("-01:00:00"), Value::Text("-01:00:00".into()));
        assert_eq!(time("838:59:59"), Value::Text("838:59:59".into()));
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(number("0012.50"), Value::Number("12.50".into()));
        assert_eq!(number("-000.10"), Value::Number("-0.10".into()));
        assert_eq!(number("0"), Value::Number("0".into()));
        assert_eq!(single(0.1), Value::Float(0.1));
        assert_eq!(float(f64::NEG_INFINITY), Value::Number("-Infinity".into()));
    }

    #[test]
    fn arrays_are_taken_apart_by_element() {
        let some = |text: &str| Some(text.to_owned());
        let list = array(r#"{a,"b, \"c\"",NULL,"NULL",""}"#);
        assert_eq!(list, Value::List(vec![some("a"), some("b, \"c\""), None, some("NULL"), some("")]));
        assert_eq!(array("{}"), Value::List(vec![]));
        for odd in ["{{1,2},{3,4}}", "[0:1]={1,2}", "1 2", "{a", "{a,}"] {
            assert_eq!(array(odd), Value::Text(odd.into()));
        }
        assert_eq!(set(""), Value::List(vec![]));
        assert_eq!(set("a,b"), Value::List(vec![some("a"), some("b")]));
    }
}
