//! Where an id is told, and reading it there.

use haulier_core::plan::IdSource;
use hyper::header::HeaderName;

use crate::http::Reply;
use crate::json::{self, Pointer};
use crate::template::{Facts, Text, Use};

/// Where an id is told.
#[derive(Debug)]
pub(crate) enum Id {
    Pointer(Pointer),
    Header(String),
    Location,
    Made(Text),
}

impl Id {
    pub(super) fn new(source: &IdSource) -> Result<Self, String> {
        Ok(match source {
            IdSource::Pointer(text) => Self::Pointer(Pointer::new(text)?),
            IdSource::Header(name) => {
                let name =
                    HeaderName::try_from(name).map_err(|_| format!("`{name}` is not a header's name"))?;
                Self::Header(name.as_str().to_owned())
            }
            IdSource::Location => Self::Location,
            IdSource::Made(template) => Self::Made(Text::new(template, Use::Plain)),
        })
    }

    /// What was expected of the reply, for messages.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Pointer(pointer) => format!("an id at `{}`", pointer.as_str()),
            Self::Header(name) => format!("an id in the header `{name}`"),
            Self::Location => "an id in the header `location`".to_owned(),
            Self::Made(text) => format!("what makes the id `{}`", text.shape()),
        }
    }

    /// The id that the reply tells; `None` when it tells none, an error when it is not what the target should send.
    pub(crate) fn told(&self, facts: Facts<'_>, reply: &Reply) -> Result<Option<String>, String> {
        let told = match self {
            Self::Pointer(_) if reply.body.is_empty() => None,
            Self::Pointer(at) => at
                .pick(&reply.body)
                .map_err(|_| format!("the reply ({}) is not JSON", reply.media_type()))?
                .and_then(|raw| json::scalar_text(raw.get()))
                .filter(|text| !text.is_empty() && *text != "true" && *text != "false")
                .map(std::borrow::Cow::into_owned),
            Self::Header(name) => reply.header(name).filter(|text| !text.is_empty()).map(str::to_owned),
            Self::Location => reply.header("location").and_then(last_segment),
            Self::Made(text) => {
                let mut id = String::new();
                text.fill(facts, &mut id)?;
                Some(id)
            }
        };
        Ok(told.filter(|id| keepable(id)))
    }
}

/// Whether every ledger can keep it: PostgreSQL has no text with a NUL.
pub(crate) fn keepable(id: &str) -> bool {
    !id.is_empty() && !id.contains('\0')
}

fn last_segment(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let (_, last) = path.rsplit_once('/').unwrap_or(("", path));
    let decoded = percent_encoding::percent_decode_str(last).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}
