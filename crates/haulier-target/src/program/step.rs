//! One request of a program.

use haulier_core::plan::{self, NullFields, RequestSpec, Template};
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::Id;
use crate::json;
use crate::reply::Purpose;
use crate::template::{Text, Use};

/// One request.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) purpose: Purpose,
    pub(crate) method: Method,
    pub(crate) path: Text,
    /// `create POST /users/{}`, for messages.
    pub(crate) label: String,
    pub(crate) wrap: Option<Wrap>,
    /// Members of every object, such as `"a":1,"b":2`.
    pub(crate) constants: String,
    pub(crate) only: Vec<String>,
    pub(crate) omit_nulls: bool,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) headers: Vec<(HeaderName, Text)>,
    pub(crate) id: Option<Id>,
    pub(crate) empty: bool,
    /// Appended to the idempotency key: a program's requests are different requests.
    pub(crate) suffix: &'static str,
}

/// What stands round a request's object or list.
#[derive(Debug)]
pub(crate) struct Wrap {
    /// The member that holds it.
    pub(crate) name: String,
    /// Whether the member is a list of one object (`wrap = "rows[]"`).
    pub(crate) single: bool,
    /// `{"name":` or `{"name":[`
    pub(crate) open: String,
    /// What ends it, with the constants of a bulk request.
    pub(crate) close: String,
}

impl Wrap {
    fn new(text: &str, beside: &str) -> Self {
        let (name, single) = text.strip_suffix("[]").map_or((text, false), |name| (name, true));
        let mut open = format!("{{{}", key(name));
        let mut close = String::new();
        if single {
            open.push('[');
            close.push(']');
        }
        if !beside.is_empty() {
            close.push(',');
            close.push_str(beside);
        }
        close.push('}');
        Self { name: name.to_owned(), single, open, close }
    }

    /// What it holds in a reply of the same shape.
    pub(crate) fn inside<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let inner = document.get(&self.name)?;
        if self.single { inner.get(0) } else { Some(inner) }
    }
}

impl Step {
    pub(super) fn new(purpose: Purpose, spec: &RequestSpec, suffix: &'static str) -> Result<Self, String> {
        let method = method(spec.method);
        let path = address(&spec.path)?;
        let mut constants = String::new();
        for (name, value) in &spec.constants {
            if !constants.is_empty() {
                constants.push(',');
            }
            constants.push_str(&key(name));
            constants.push_str(value);
        }
        // A record of a list has its constants among its fields, so those of a bulk request stand beside the list.
        let beside = match (purpose, &spec.wrap) {
            (Purpose::Bulk, Some(_)) => std::mem::take(&mut constants),
            _ => String::new(),
        };
        let media = spec.media_type.as_deref().unwrap_or("application/json");
        let content_type =
            HeaderValue::from_str(media).map_err(|_| format!("`{media}` is not a media type"))?;
        let headers = spec.headers.iter().map(|(name, template)| {
            let name = HeaderName::try_from(name).map_err(|_| format!("`{name}` is not a header's name"))?;
            Ok((name, Text::new(template, Use::Plain)))
        });
        Ok(Self {
            label: format!("{} {} {}", purpose.as_str(), method, path.shape()),
            purpose,
            method,
            path,
            wrap: spec.wrap.as_deref().map(|text| Wrap::new(text, &beside)),
            constants,
            only: spec.only.clone(),
            omit_nulls: spec.nulls == NullFields::Omit,
            content_type: (!spec.empty).then_some(content_type),
            headers: headers.collect::<Result<_, String>>()?,
            id: spec.id.as_ref().map(Id::new).transpose()?,
            empty: spec.empty,
            suffix,
        })
    }

    /// Whether a GET on the same path reads what was written.
    pub(crate) fn is_readable(&self) -> bool {
        self.method == Method::PUT || self.method == Method::PATCH
    }
}

/// A path and query, made ready.
pub(super) fn address(template: &Template) -> Result<Text, String> {
    let text = Text::new(template, Use::Address);
    if text.shape().contains("://") && !text.shape().contains('?') {
        return Err(format!("`{}` is a whole address: paths are relative to the target's", text.shape()));
    }
    Ok(text)
}

pub(super) fn method(method: plan::Method) -> Method {
    match method {
        plan::Method::Get => Method::GET,
        plan::Method::Post => Method::POST,
        plan::Method::Put => Method::PUT,
        plan::Method::Patch => Method::PATCH,
        plan::Method::Delete => Method::DELETE,
    }
}

/// `"name":`
pub(super) fn key(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 3);
    json::push_string(&mut text, name);
    text.push(':');
    text
}
