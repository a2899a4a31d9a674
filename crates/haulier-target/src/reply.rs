//! What a reply means: the plan's rules first, then the built-in table.

use std::borrow::Cow;
use std::time::Duration;

use haulier_core::plan::{BodyMatch, OutcomeRule, ReplyClass};
use haulier_core::{Failure, FailureKind};
use hyper::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use regex_lite::Regex;

use crate::http::Reply;
use crate::json::{self, Pointer};

/// What a request is for; the same status means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Put,
    Create,
    Update,
    Link,
    Bulk,
    /// A search, whose reply is a list.
    Search,
    /// A read of one record.
    Read,
    List,
    Check,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Create => "create",
            Self::Update => "update",
            Self::Link => "link",
            Self::Bulk => "bulk write",
            Self::Search | Self::Read => "lookup",
            Self::List => "list",
            Self::Check => "check",
        }
    }

    /// Whether a request of this kind can change the target.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::Put | Self::Create | Self::Update | Self::Link | Self::Bulk => true,
            Self::Search | Self::Read | Self::List | Self::Check => false,
        }
    }
}

/// An entity's rules, made ready.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    status: Option<u16>,
    body: Option<BodyTest>,
    header: Option<(String, String)>,
    is: ReplyClass,
}

#[derive(Debug)]
enum BodyTest {
    Whole(Regex),
    At(Pointer, Regex),
}

impl Rules {
    pub(crate) fn new(rules: &[OutcomeRule]) -> Result<Self, String> {
        let regex = |text: &str| {
            Regex::new(text)
                .map_err(|error| format!("the outcome rule's expression `{text}` is wrong: {error}"))
        };
        rules
            .iter()
            .map(|rule| {
                let body = match &rule.body {
                    None => None,
                    Some(BodyMatch::Regex(text)) => Some(BodyTest::Whole(regex(text)?)),
                    Some(BodyMatch::Pointer { pointer, holds }) => {
                        Some(BodyTest::At(Pointer::new(pointer)?, regex(holds)?))
                    }
                };
                Ok(Rule { status: rule.status, body, header: rule.header.clone(), is: rule.is })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What a reply to a request of this purpose means.
    pub(crate) fn read(&self, purpose: Purpose, status: u16, headers: &HeaderMap, body: &[u8]) -> ReplyClass {
        self.0
            .iter()
            .find(|rule| rule.holds(status, headers, body))
            .map_or_else(|| built_in(purpose, status, headers), |rule| rule.is)
    }
}

impl Rule {
    fn holds(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
            && self.header.as_ref().is_none_or(|(name, text)| {
                headers
                    .get_all(name)
                    .iter()
                    .any(|value| value.to_str().is_ok_and(|value| value.contains(text)))
            })
            && self.body.as_ref().is_none_or(|test| match test {
                BodyTest::Whole(regex) => regex.is_match(&String::from_utf8_lossy(body)),
                BodyTest::At(pointer, regex) => pointer.pick(body).ok().flatten().is_some_and(|raw| {
                    // A list or an object is searched as it is written.
                    regex.is_match(&json::scalar_text(raw.get()).unwrap_or(Cow::Borrowed(raw.get())))
                }),
            })
    }
}

fn built_in(purpose: Purpose, status: u16, headers: &HeaderMap) -> ReplyClass {
    use ReplyClass::Failed;
    match (status, purpose) {
        (200..=299, _) => ReplyClass::Ok,
        (401 | 403, _) => Failed(FailureKind::Credential),
        (404 | 410, Purpose::Update | Purpose::Read) => ReplyClass::Missing,
        (409, Purpose::Create | Purpose::Link) => ReplyClass::Exists,
        (409 | 412, _) => Failed(FailureKind::Conflict),
        (429, _) => Failed(FailureKind::Throttled),
        (503, _) if headers.contains_key("retry-after") => Failed(FailureKind::Throttled),
        // A gateway gave up waiting for the target, as we do when we wait too long ourselves.
        (504, purpose) if purpose.writes() => Failed(FailureKind::Unknown),
        (408 | 425 | 500..=599, _) => Failed(FailureKind::Transient),
        _ => Failed(FailureKind::Refused),
    }
}

/// How long the target asks to wait: seconds, or a date, which is read by the clock of the reply's own `Date`.
pub(crate) fn retry_after(reply: &Reply) -> Option<Duration> {
    let text = reply.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(text)?.duration_since(http_date(reply.header("date")?)?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn http_date(text: &str) -> Option<Timestamp> {
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
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::header::HeaderValue;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Reply { status, headers: map, body: Bytes::from(body.to_owned()) }
    }

    fn read(rules: &Rules, purpose: Purpose, reply: &Reply) -> ReplyClass {
        rules.read(purpose, reply.status, &reply.headers, &reply.body)
    }

    #[test]
    fn the_built_in_table_reads_every_status() {
        use FailureKind as K;
        use ReplyClass::{Exists, Failed, Missing, Ok};
        let rules = Rules::new(&[]).unwrap();
        let cases = [
            (200, Purpose::Create, Ok),
            (204, Purpose::Put, Ok),
            (302, Purpose::Create, Failed(K::Refused)),
            (400, Purpose::Create, Failed(K::Refused)),
            (401, Purpose::Put, Failed(K::Credential)),
            (403, Purpose::Search, Failed(K::Credential)),
            (404, Purpose::Create, Failed(K::Refused)),
            (404, Purpose::Update, Missing),
            (404, Purpose::Read, Missing),
            (404, Purpose::Search, Failed(K::Refused)),
            (408, Purpose::Create, Failed(K::Transient)),
            (409, Purpose::Create, Exists),
            (409, Purpose::Link, Exists),
            (409, Purpose::Put, Failed(K::Conflict)),
            (410, Purpose::Read, Missing),
            (412, Purpose::Update, Failed(K::Conflict)),
            (413, Purpose::Bulk, Failed(K::Refused)),
            (422, Purpose::Create, Failed(K::Refused)),
            (425, Purpose::Create, Failed(K::Transient)),
            (429, Purpose::Create, Failed(K::Throttled)),
            (500, Purpose::Create, Failed(K::Transient)),
            (502, Purpose::Create, Failed(K::Transient)),
            (503, Purpose::Create, Failed(K::Transient)),
            (504, Purpose::Create, Failed(K::Unknown)),
            (504, Purpose::Search, Failed(K::Transient)),
        ];
        for (status, purpose, expected) in cases {
            assert_eq!(read(&rules, purpose, &reply(status, &[], "")), expected, "{status} {purpose:?}");
        }
        let busy = reply(503, &[("retry-after", "3")], "");
        assert_eq!(read(&rules, Purpose::Create, &busy), Failed(K::Throttled));
    }

    #[test]
    fn the_first_rule_that_holds_wins_over_the_table() {
        let rule = |status, body, header: Option<(&str, &str)>, is| OutcomeRule {
            status,
            body,
            header: header.map(|(name, text)| (name.to_owned(), text.to_owned())),
            is,
        };
        let at = BodyMatch::Pointer { pointer: "/errors".to_owned(), holds: "taken".to_owned() };
        let rules = Rules::new(&[
            rule(Some(422), Some(at), None, ReplyClass::Exists),
            rule(
                None,
                Some(BodyMatch::Regex("(?i)no such parent".to_owned())),
                None,
                ReplyClass::Failed(FailureKind::MissingParent),
            ),
            rule(None, None, Some(("x-gone", "yes")), ReplyClass::Missing),
            rule(Some(422), None, None, ReplyClass::Ok),
        ])
        .unwrap();
        let of = |status, headers: &[(&'static str, &str)], body: &str| {
            read(&rules, Purpose::Create, &reply(status, headers, body))
        };
        assert_eq!(of(422, &[], r#"{"errors":["Login has already been taken"]}"#), ReplyClass::Exists);
        assert_eq!(of(422, &[], r#"{"errors":["too short"]}"#), ReplyClass::Ok);
        assert_eq!(of(500, &[], "No Such Parent"), ReplyClass::Failed(FailureKind::MissingParent));
        assert_eq!(of(403, &[("x-gone", "oh yes")], ""), ReplyClass::Missing);
        assert_eq!(of(400, &[], "taken"), ReplyClass::Failed(FailureKind::Refused));
        assert!(
            Rules::new(&[rule(None, Some(BodyMatch::Regex("(".to_owned())), None, ReplyClass::Ok)]).is_err()
        );
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
