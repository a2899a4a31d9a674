//! A push program made ready: everything that is the same for all records of an entity is done once, here.

use haulier_core::plan::{
    BulkResults, BulkWrite, Convert, Entity, FieldSource, IdSource, KeyFold, Lookup, NullFields, PushProgram,
    RequestSpec, UnknownPolicy, Verify,
};
use haulier_core::{Failure, FailureKind};
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::json::{self, Pointer};
use crate::page::List;
use crate::reply::{Purpose, Rules};
use crate::template::{Text, Use};

/// One entity's program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) entity: String,
    pub(crate) shape: Shape,
    pub(crate) rules: Rules,
    pub(crate) fold: KeyFold,
    pub(crate) verify: Verify,
    pub(crate) unknown: UnknownPolicy,
    pub(crate) refs: Vec<RefField>,
    /// The objects that dotted names make: NULL members within them follow the request's rule.
    pub(crate) nested: Vec<String>,
    /// Fields whose texts are decimals, equal by value.
    pub(crate) decimals: Vec<String>,
    pub(crate) list: Option<List>,
}

#[derive(Debug)]
pub(crate) enum Shape {
    Put(Step),
    Create { create: Step, lookup: Option<Finder>, update: Option<Step> },
    LookupThenWrite { create: Step, lookup: Finder, update: Option<Step> },
    Link(Step),
    Update(Step),
    Bulk(Bulk),
}

/// A reference field.
#[derive(Debug)]
pub(crate) struct RefField {
    pub(crate) name: String,
    /// `"name":`
    pub(crate) key: String,
    pub(crate) in_body: bool,
    pub(crate) numeric: bool,
}

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

/// Where an id is told.
#[derive(Debug)]
pub(crate) enum Id {
    Pointer(Pointer),
    Header(String),
    Location,
    Made(Text),
}

/// A lookup.
#[derive(Debug)]
pub(crate) struct Finder {
    pub(crate) method: Method,
    pub(crate) path: Text,
    pub(crate) label: String,
    pub(crate) body: Option<Text>,
    pub(crate) items: Option<Pointer>,
    pub(crate) matches: Vec<(String, Pointer)>,
    pub(crate) id: Id,
}

/// Many records in one request.
#[derive(Debug)]
pub(crate) struct Bulk {
    pub(crate) write: Step,
    pub(crate) max: usize,
    pub(crate) items: Pointer,
    /// Where an item tells its status; without it the reply holds for all.
    pub(crate) status: Option<Pointer>,
    pub(crate) id: Pointer,
}

impl Program {
    pub(crate) fn new(entity: &Entity) -> Result<Self, String> {
        let shape = shape(&entity.push)?;
        let dotted = entity.refs.iter().find(|field| field.in_body && field.field.contains('.'));
        if let Some(field) = dotted {
            return Err(format!(
                "the reference `{}` is nested: ids are written at the top level only",
                field.field
            ));
        }
        if entity.verify == Verify::Reread && !shape.can_reread() {
            return Err(
                "verify = \"reread\" needs a lookup, or a PUT whose path can be read by GET".to_owned()
            );
        }
        let refs = entity.refs.iter().map(|field| RefField {
            name: field.field.clone(),
            key: key(&field.field),
            in_body: field.in_body,
            numeric: field.numeric,
        });
        let nested = entity.fields.iter().flat_map(|field| {
            field.name.match_indices('.').filter_map(|(dot, _)| field.name.get(..dot).map(str::to_owned))
        });
        let decimals = entity.fields.iter().filter(|field| match &field.source {
            FieldSource::Column { convert, .. } => matches!(convert, Convert::Decimal(_)),
            FieldSource::Constant(_) => false,
        });
        Ok(Self {
            entity: entity.name.as_str().to_owned(),
            shape,
            rules: Rules::new(&entity.outcomes)?,
            fold: entity.fold,
            verify: entity.verify,
            unknown: entity.unknown,
            refs: refs.collect(),
            nested: nested.collect(),
            decimals: decimals.map(|field| field.name.clone()).collect(),
            list: entity.listing.as_ref().map(List::new).transpose()?,
        })
    }

    /// A failure that names the entity's part of the plan.
    pub(crate) fn unfit(problem: &str) -> Failure {
        Failure::new(FailureKind::Mapping, crate::reply::shorten(problem.to_owned()))
    }
}

impl Shape {
    pub(crate) fn lookup(&self) -> Option<&Finder> {
        match self {
            Self::Create { lookup, .. } => lookup.as_ref(),
            Self::LookupThenWrite { lookup, .. } => Some(lookup),
            Self::Put(_) | Self::Link(_) | Self::Update(_) | Self::Bulk(_) => None,
        }
    }

    pub(crate) fn update(&self) -> Option<&Step> {
        match self {
            Self::Create { update, .. } | Self::LookupThenWrite { update, .. } => update.as_ref(),
            Self::Put(_) | Self::Link(_) | Self::Update(_) | Self::Bulk(_) => None,
        }
    }

    fn can_reread(&self) -> bool {
        match self {
            Self::Put(write) | Self::Update(write) | Self::Link(write) => write.is_readable(),
            Self::Create { lookup, update, .. } => {
                lookup.is_some() || update.as_ref().is_some_and(Step::is_readable)
            }
            Self::LookupThenWrite { .. } => true,
            Self::Bulk(_) => false,
        }
    }
}

impl Step {
    fn new(purpose: Purpose, spec: &RequestSpec, suffix: &'static str) -> Result<Self, String> {
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

impl Id {
    fn new(source: &IdSource) -> Result<Self, String> {
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
}

impl Finder {
    fn new(lookup: &Lookup) -> Result<Self, String> {
        let method = method(lookup.method);
        let path = address(&lookup.path)?;
        let matches = lookup.matches.iter().map(|(field, at)| Ok((field.clone(), Pointer::new(at)?)));
        let matches: Vec<_> = matches.collect::<Result<_, String>>()?;
        if matches.is_empty() {
            return Err("the lookup names no field to compare, so that any candidate would do".to_owned());
        }
        Ok(Self {
            label: format!("lookup {} {}", method, path.shape()),
            method,
            path,
            body: lookup.body.as_ref().map(|body| Text::new(body, Use::Json)),
            items: lookup.items.as_deref().map(Pointer::new).transpose()?,
            matches,
            id: Id::new(&lookup.id)?,
        })
    }

    pub(crate) fn purpose(&self) -> Purpose {
        if self.items.is_some() { Purpose::Search } else { Purpose::Read }
    }
}

impl Bulk {
    fn new(bulk: &BulkWrite) -> Result<Self, String> {
        let (items, status, id) = match &bulk.results {
            BulkResults::PerItem { items, status, id } => (items, Some(status), id),
            BulkResults::AllOrNothing { items, id } => (items, None, id),
        };
        Ok(Self {
            write: Step::new(Purpose::Bulk, &bulk.write, "")?,
            max: bulk.max.max(1),
            items: Pointer::new(items)?,
            status: status.map(|text| Pointer::new(text)).transpose()?,
            id: Pointer::new(id)?,
        })
    }
}

fn shape(push: &PushProgram) -> Result<Shape, String> {
    let update = |spec: &Option<RequestSpec>| {
        spec.as_ref().map(|spec| Step::new(Purpose::Update, spec, ".update")).transpose()
    };
    Ok(match push {
        PushProgram::Put { write } => Shape::Put(Step::new(Purpose::Put, write, "")?),
        PushProgram::Create { create, lookup, update: change } => Shape::Create {
            create: Step::new(Purpose::Create, create, ".create")?,
            lookup: lookup.as_ref().map(Finder::new).transpose()?,
            update: update(change)?,
        },
        PushProgram::LookupThenWrite { lookup, create, update: change } => Shape::LookupThenWrite {
            create: Step::new(Purpose::Create, create, ".create")?,
            lookup: Finder::new(lookup)?,
            update: update(change)?,
        },
        PushProgram::Link { write } => Shape::Link(Step::new(Purpose::Link, write, "")?),
        PushProgram::Update { write } => Shape::Update(Step::new(Purpose::Update, write, "")?),
        PushProgram::Bulk(bulk) => Shape::Bulk(Bulk::new(bulk)?),
    })
}

fn address(template: &haulier_core::plan::Template) -> Result<Text, String> {
    let text = Text::new(template, Use::Address);
    if text.shape().contains("://") && !text.shape().contains('?') {
        return Err(format!("`{}` is a whole address: paths are relative to the target's", text.shape()));
    }
    Ok(text)
}

fn method(method: haulier_core::plan::Method) -> Method {
    use haulier_core::plan::Method as Plan;
    match method {
        Plan::Get => Method::GET,
        Plan::Post => Method::POST,
        Plan::Put => Method::PUT,
        Plan::Patch => Method::PATCH,
        Plan::Delete => Method::DELETE,
    }
}

/// `"name":`
fn key(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 3);
    json::push_string(&mut text, name);
    text.push(':');
    text
}
