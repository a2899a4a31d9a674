//! A push program made ready: everything that is the same for all records of an entity is done once, here.

mod finder;
mod id;
mod step;

use haulier_core::plan::{
    Convert, Entity, FieldSource, KeyFold, PushProgram, RequestSpec, UnknownPolicy, Verify,
};
use haulier_core::{Failure, FailureKind};

use crate::page::List;
use crate::reply::{Purpose, Rules};

pub(crate) use finder::{Bulk, Finder};
pub(crate) use id::{Id, keepable};
pub(crate) use step::Step;

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
            key: step::key(&field.field),
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
