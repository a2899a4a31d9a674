//! What a reply means: the plan's rules first, then the built-in table.

mod words;

use std::borrow::Cow;

use haulier_core::FailureKind;
use haulier_core::plan::{BodyMatch, OutcomeRule, ReplyClass};
use hyper::HeaderMap;
use regex_lite::Regex;

use crate::json::{self, Pointer};

pub(crate) use words::{failure, http_date, retry_after, shorten};

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

#[cfg(test)]
mod tests {
    use super::words::tests::reply;
    use super::*;
    use crate::http::Reply;

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
}
