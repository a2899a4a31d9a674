//! Reads the target's lists, page by page, and notices when a list is not whole.

use std::borrow::Cow;

use haulier_core::plan::{Listing, Paging, ReplyClass};
use haulier_core::port::{PageToken, TargetPage, Throttle};
use haulier_core::{Failure, FailureKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use crate::adapter::Http;
use crate::http::Reply;
use crate::json::{self, Pointer};
use crate::program::Program;
use crate::reply::{self, Purpose, shorten};
use crate::template::{Facts, Text, Use};

/// An entity's listing, made ready.
#[derive(Debug)]
pub(crate) struct List {
    /// The list's own path, then those of other states.
    paths: Vec<Text>,
    label: String,
    items: Pointer,
    total: Option<Pointer>,
    truncated: Option<Pointer>,
    paging: Paging,
    /// Where the reply tells the next page.
    next: Option<Pointer>,
}

/// How far a walk has come; travels in the page token.
#[derive(Debug, PartialEq, Eq)]
struct Mark<'a> {
    /// Items read before this page.
    rows: u64,
    /// Fingerprint of the page before this one; 0 where nobody has seen it yet.
    print: u64,
    /// Offset, page number, cursor, or path and query.
    position: Cow<'a, str>,
}

impl List {
    pub(crate) fn new(listing: &Listing) -> Result<Self, String> {
        let mut paths = Vec::with_capacity(1 + listing.also.len());
        for path in std::iter::once(&listing.path).chain(&listing.also) {
            let path = Text::new(path, Use::Address);
            if !path.is_fixed() {
                return Err(format!(
                    "the list's path `{}` names a record's values, but it lists all",
                    path.shape()
                ));
            }
            paths.push(path);
        }
        let next = match &listing.paging {
            Paging::Cursor { pointer, .. } | Paging::NextUrl { pointer } => Some(Pointer::new(pointer)?),
            Paging::Single | Paging::Offset { .. } | Paging::Page { .. } | Paging::LinkHeader => None,
        };
        Ok(Self {
            label: format!("list GET {}", paths.first().map_or("", Text::shape)),
            paths,
            items: Pointer::new(&listing.items)?,
            total: listing.total.as_deref().map(Pointer::new).transpose()?,
            truncated: listing.truncated.as_deref().map(Pointer::new).transpose()?,
            paging: listing.paging.clone(),
            next,
        })
    }

    fn wrong(&self, problem: &str) -> Failure {
        Failure::new(FailureKind::Refused, shorten(format!("{}: {problem}", self.label)))
    }

    /// Path and query of the page at `mark` of that list.
    fn address(&self, list: usize, mark: Option<&Mark<'_>>) -> Result<String, Failure> {
        let mut path = String::new();
        let nothing = Facts { vars: &[], refs: &[], own: None };
        let text = self.paths.get(list).ok_or_else(|| self.wrong("there are not so many lists"))?;
        text.fill(nothing, &mut path).map_err(|problem| Program::unfit(&problem))?;
        let position = mark.map(|mark| mark.position.as_ref());
        match &self.paging {
            Paging::Single => {}
            Paging::Offset { offset: at, limit, size, first }
            | Paging::Page { page: at, limit, size, first } => {
                add(&mut path, at, position.unwrap_or(&first.to_string()));
                add(&mut path, limit, &size.to_string());
            }
            Paging::Cursor { parameter, limit, .. } => {
                if let Some((name, size)) = limit {
                    add(&mut path, name, &size.to_string());
                }
                if let Some(cursor) = position {
                    add(&mut path, parameter, cursor);
                }
            }
            Paging::NextUrl { .. } | Paging::LinkHeader => {
                if let Some(next) = position {
                    next.clone_into(&mut path);
                }
            }
        }
        Ok(path)
    }
}

impl Http {
    /// One page of the entity's list.
    pub(crate) async fn list_page(
        &self,
        program: &Program,
        number: usize,
        at: Option<&PageToken>,
        throttle: &dyn Throttle,
    ) -> Result<TargetPage, Failure> {
        let Some(list) = &program.list else {
            return Err(Program::unfit(&format!(
                "the plan says no list for the entity `{}`",
                program.entity
            )));
        };
        let mark = match at {
            Some(token) => {
                Some(Mark::read(&token.0).ok_or_else(|| list.wrong("the page token is not one of ours"))?)
            }
            None => None,
        };
        let path = list.address(number, mark.as_ref())?;
        let reply = self.client.get(&path, self.max_page, Some(throttle), &list.label).await?;
        match program.rules.read(Purpose::List, reply.status, &reply.headers, &reply.body) {
            ReplyClass::Ok => {}
            ReplyClass::Exists | ReplyClass::Missing => {
                return Err(reply::failure(FailureKind::Refused, &list.label, &reply, ""));
            }
            ReplyClass::Failed(kind) => return Err(reply::failure(kind, &list.label, &reply, "")),
        }
        self.read_page(list, mark.as_ref(), &path, &reply)
    }

    fn read_page(
        &self,
        list: &List,
        mark: Option<&Mark<'_>>,
        path: &str,
        reply: &Reply,
    ) -> Result<TargetPage, Failure> {
        let pick = |at: &Pointer| {
            at.pick(&reply.body).map_err(|_| {
                let problem = format!("the reply ({}) is not JSON", reply.media_type());
                Failure { kind: FailureKind::Transient, ..list.wrong(&problem) }
            })
        };
        let text = |at: &Option<Pointer>| match at {
            Some(at) => Ok(pick(at)?.and_then(|raw| json::scalar_text(raw.get()))),
            None => Ok(None),
        };
        let raw = pick(&list.items)?.map(RawValue::get);
        let items = match raw {
            Some("null") => Vec::new(),
            Some(raw) => serde_json::from_str::<Vec<&RawValue>>(raw)
                .map_err(|_| list.wrong(&format!("there is no list at `{}`", list.items.as_str())))?,
            None => return Err(list.wrong(&format!("the reply has nothing at `{}`", list.items.as_str()))),
        };
        if text(&list.truncated)?.is_some_and(|flag| !matches!(&*flag, "" | "false" | "0")) {
            return Err(list.wrong("the target says that the list is cut short"));
        }
        let total = match text(&list.total)? {
            Some(total) => Some(
                total
                    .parse::<u64>()
                    .map_err(|_| list.wrong("the total that the target tells is not a number"))?,
            ),
            None => None,
        };
        let before = mark.map_or(0, |mark| mark.rows);
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let rows = before.saturating_add(count);
        let print = fingerprint(&items);
        if let Some(mark) = mark
            && count > 0
            && print == mark.print
        {
            return Err(list
                .wrong("the page is the same as the one before: the target ignores where it should start"));
        }
        let ended = count == 0 || total.is_some_and(|total| rows >= total);
        let position = match &list.paging {
            Paging::Single => None,
            // What came back moves the offset on: a target may give less than it was asked for.
            Paging::Offset { first, .. } => (!ended).then(|| (u64::from(*first) + rows).to_string()),
            Paging::Page { first, .. } => {
                let page = mark.map_or(Ok(u64::from(*first)), |mark| mark.position.parse::<u64>());
                let page = page.map_err(|_| list.wrong("the page token is not one of ours"))?;
                (!ended).then(|| (page + 1).to_string())
            }
            Paging::Cursor { .. } => {
                text(&list.next)?.filter(|cursor| !cursor.is_empty()).map(Cow::into_owned)
            }
            Paging::NextUrl { .. } => match text(&list.next)?.filter(|link| !link.is_empty()) {
                Some(link) => Some(self.own(list, &link, path)?),
                None => None,
            },
            Paging::LinkHeader => match reply.next_link() {
                Some(link) => Some(self.own(list, link, path)?),
                None => None,
            },
        };
        if let (Some(next), Some(mark)) = (&position, mark)
            && *next == mark.position
        {
            return Err(list.wrong("the next page is the one that was just read"));
        }
        if let (None, Some(total)) = (&position, total)
            && rows < total
        {
            return Err(list.wrong(&format!("the list ends after {rows} of {total} records")));
        }
        let next = position.map(|position| PageToken(format!("{rows}|{print}|{position}")));
        let further = match (mark, &next, total) {
            (None, Some(_), Some(total)) => further(&list.paging, count, total),
            _ => Vec::new(),
        };
        Ok(TargetPage {
            items: items.iter().map(|item| item.get().to_owned()).collect(),
            next,
            further,
            total,
        })
    }

    /// A link of the target's, without the leading path that every request gets.
    fn own(&self, list: &List, link: &str, path: &str) -> Result<String, Failure> {
        let address = &self.client.address;
        let current = format!("{}{path}", address.prefix);
        let own = address
            .own_link(link, &current)
            .ok_or_else(|| list.wrong("the next page is on another host, which is not followed"))?;
        own.strip_prefix(&address.prefix)
            .filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            .map(str::to_owned)
            .ok_or_else(|| list.wrong("the next page is outside the target's leading path"))
    }
}

impl<'a> Mark<'a> {
    fn read(token: &'a str) -> Option<Self> {
        let mut parts = token.splitn(3, '|');
        Some(Self {
            rows: parts.next()?.parse().ok()?,
            print: parts.next()?.parse().ok()?,
            position: Cow::Borrowed(parts.next()?),
        })
    }
}

/// Where all pages after the first start, if each holds as many as that one did.
fn further(paging: &Paging, count: u64, total: u64) -> Vec<PageToken> {
    let position = |page: u64| match paging {
        Paging::Offset { first, .. } => Some(u64::from(*first) + page * count),
        Paging::Page { first, .. } => Some(u64::from(*first) + page),
        Paging::Single | Paging::Cursor { .. } | Paging::NextUrl { .. } | Paging::LinkHeader => None,
    };
    let pages = total.div_ceil(count.max(1));
    (1..pages).map_while(|page| Some(PageToken(format!("{}|0|{}", page * count, position(page)?)))).collect()
}

fn add(path: &mut String, name: &str, value: &str) {
    path.push(if path.contains('?') { '&' } else { '?' });
    path.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
    path.push('=');
    path.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
}

/// Tells one page from another (FNV-1a).
fn fingerprint(items: &[&RawValue]) -> u64 {
    let bytes = items.iter().flat_map(|item| item.get().bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
