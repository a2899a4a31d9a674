//! The failure that a reply is: with the target's own words, but none of the record's values.

use std::borrow::Cow;
use std::time::Duration;

use haulier_core::{Failure, FailureKind};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::http::Reply;
use crate::json;

/// How long the target asks to wait: seconds, or a date, which is read by the clock of the reply's own `Date`.
pub(crate) fn retry_after(reply: &Reply) -> Option<Duration> {
    let text = reply.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(text)?.duration_since(http_date(reply.header("date")?)?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// A date as headers of HTTP write it.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text.trim()).ok()
}

/// The failure that a refusing reply is, with the target's own words but none of the record's values.
pub(crate) fn failure(kind: FailureKind, what: &str, reply: &Reply, sent: &str) -> Failure {
    let words = match reply.status {
        300..=399 => "redirects are not followed".to_owned(),
        _ => words_of(reply, sent),
    };
    let mut failure = Failure::new(kind, shorten(format!("{what}: {words}"))).with_status(reply.status);
    failure.retry_after = retry_after(reply);
    failure
}

/// Cuts a reason to the length that failures may have.
pub(crate) fn shorten(mut reason: String) -> String {
    if reason.len() > 512 {
        let end = reason.floor_char_boundary(509);
        reason.truncate(end);
        reason.push_str("...");
    }
    reason
}

fn words_of(reply: &Reply, sent: &str) -> String {
    let media = reply.media_type();
    if reply.body.is_empty() {
        return "no further words".to_owned();
    }
    if !(media.contains("json") || media == "text/plain") {
        return format!("{} bytes of {media}", reply.body.len());
    }
    let start = reply.body.get(..reply.body.len().min(4096)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let masked = mask(&text, sent);
    let mut words = String::with_capacity(masked.len());
    for word in masked.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        // An address is a person's, even one that this record did not bring.
        words.push_str(if word.contains('@') { "***" } else { word });
    }
    let end = words.floor_char_boundary(300);
    words.truncate(end);
    words
}

/// The text with every value that was sent struck out.
fn mask(text: &str, sent: &str) -> String {
    let mut values = Vec::new();
    collect(sent, &mut values);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut masked = text.to_owned();
    for value in values {
        if masked.contains(&*value) {
            masked = masked.replace(&*value, "***");
        }
    }
    masked
}

/// The texts and longer numbers within an encoded value, as they are and as they are encoded.
fn collect<'a>(raw: &'a str, values: &mut Vec<Cow<'a, str>>) {
    match raw.as_bytes().first() {
        Some(b'{') => json::members(raw).for_each(|(_, value)| collect(value, values)),
        Some(b'[') => {
            if let Ok(items) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(raw) {
                items.into_iter().for_each(|item| collect(item.get(), values));
            }
        }
        Some(b'"') => {
            let encoded = raw.trim_matches('"');
            // Short texts are codes such as `EUR`; striking them out would leave no message.
            if encoded.len() >= 4 {
                values.push(Cow::Borrowed(encoded));
                values.extend(json::scalar_text(raw).filter(|text| *text != encoded));
            }
        }
        Some(b'0'..=b'9' | b'-') if raw.len() >= 4 => values.push(Cow::Borrowed(raw)),
        _ => {}
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::HeaderMap;
    use hyper::header::HeaderValue;

    pub(in crate::reply) fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Reply { status, headers: map, body: Bytes::from(body.to_owned()) }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cases: [(&[_], _); 5] = [
            (&[("retry-after", "7")], Some(7)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date], Some(60)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:40:37 GMT"), date], Some(0)),
            (&[("retry-after", "soon"), date], None),
            (&[date], None),
        ];
        for (headers, seconds) in cases {
            assert_eq!(
                retry_after(&reply(429, headers, "")),
                seconds.map(Duration::from_secs),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_reason_names_the_field_but_never_a_value() {
        let sent = r#"{"login":"max.power","tags":["secret-tag"],"n":{"phone":123456},"q":"a\"bcd"}"#;
        let json = ("content-type", "application/json; charset=utf-8");
        let body = r#"{"error":"login max.power is taken by other@example.org, secret-tag 123456 a\"bcd"}"#;
        let reason = failure(FailureKind::Refused, "create", &reply(422, &[json], body), sent).reason;
        assert!(reason.starts_with("create: ") && reason.contains("login *** is taken"), "{reason}");
        for value in ["max.power", "other@example.org", "secret-tag", "123456", "bcd"] {
            assert!(!reason.contains(value), "{reason}");
        }
        let html = reply(502, &[("content-type", "text/html")], "<h1>max.power</h1>");
        assert_eq!(failure(FailureKind::Transient, "put", &html, "").reason, "put: 18 bytes of text/html");
        let long = reply(400, &[json], &"ä ".repeat(9999));
        assert!(failure(FailureKind::Refused, "create", &long, sent).reason.len() <= 512);
    }
}
