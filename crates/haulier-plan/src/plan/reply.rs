//! `outcomes`: rules that say what a reply means.

use haulier_core::FailureKind;
use haulier_core::plan::{BodyMatch, OutcomeRule, ReplyClass};

use crate::node::Node;
use crate::{scalar, shape};

/// The meanings. `duplicate` is the other name of `exists`: the record is there already.
pub(crate) const MEANINGS: [(&str, ReplyClass); 12] = [
    ("ok", ReplyClass::Ok),
    ("exists", ReplyClass::Exists),
    ("duplicate", ReplyClass::Exists),
    ("missing", ReplyClass::Missing),
    ("refused", ReplyClass::Failed(FailureKind::Refused)),
    ("conflict", ReplyClass::Failed(FailureKind::Conflict)),
    ("missing-parent", ReplyClass::Failed(FailureKind::MissingParent)),
    ("credential", ReplyClass::Failed(FailureKind::Credential)),
    ("throttled", ReplyClass::Failed(FailureKind::Throttled)),
    ("transient", ReplyClass::Failed(FailureKind::Transient)),
    ("unknown", ReplyClass::Failed(FailureKind::Unknown)),
    ("silent-loss", ReplyClass::Failed(FailureKind::SilentLoss)),
];

/// Reads the rules.
pub(crate) fn read(node: &Node<'_>) -> Vec<OutcomeRule> {
    node.items().unwrap_or_default().iter().filter_map(rule).collect()
}

fn rule(node: &Node<'_>) -> Option<OutcomeRule> {
    let table = node.table(&shape::OUTCOME)?;
    let status = table.get("status");
    let body = table.get("body");
    let header = table.get("header");
    let is = table.need("is", "say what the reply means, such as `is = \"exists\"`");
    if status.is_none() && body.is_none() && header.is_none() {
        return node.wrong(
            "an outcome rule without a condition matches every reply",
            Some("name at least one of `status`, `body`, `header`".to_owned()),
        );
    }
    Some(OutcomeRule {
        status: match status {
            Some(node) => Some(u16::try_from(node.number(100, 599)?).ok()?),
            None => None,
        },
        body: match body {
            Some(node) => Some(body_match(&node)?),
            None => None,
        },
        header: match header {
            Some(node) => Some(header_match(&node)?),
            None => None,
        },
        is: is?.word(&MEANINGS)?,
    })
}

fn body_match(node: &Node<'_>) -> Option<BodyMatch> {
    if node.value.is_str() {
        return scalar::regex(node).map(BodyMatch::Regex);
    }
    if !node.value.is_table() {
        return node.unfit("a regular expression or a table");
    }
    let table = node.table(&shape::BODY_MATCH)?;
    let pointer =
        table.need("pointer", "the JSON pointer to the text").and_then(|node| scalar::pointer(&node));
    let holds =
        table.need("holds", "a regular expression over that text").and_then(|node| scalar::regex(&node));
    Some(BodyMatch::Pointer { pointer: pointer?, holds: holds? })
}

fn header_match(node: &Node<'_>) -> Option<(String, String)> {
    let table = node.table(&shape::HEADER_MATCH)?;
    let name = table.need("name", "the header's name").and_then(|node| node.text());
    let holds = table.need("holds", "the text that it must hold").and_then(|node| node.text());
    Some((name?.value.to_owned(), holds?.value.to_owned()))
}
