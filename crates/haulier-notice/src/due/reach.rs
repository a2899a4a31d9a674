//! Whom a notice reaches, and the date that it has for them.

use haulier_core::calendar::{Calendar, Opening, Span, Tenant, Zone, span};
use haulier_core::notice::{CONTACTS, Notice, Post, Subject};

use super::Facts;

/// One audience of a notice, or one tenant of the audience `contacts`.
#[derive(Debug, Clone)]
pub(super) struct Reach<'f> {
    /// What it is about.
    pub(super) subject: Subject,
    /// What it is about, so that a tenant that changes its wave is still told in the same thread.
    pub(super) class: String,
    /// `operators`, or `contacts:KEY`.
    pub(super) audience: String,
    /// The addresses.
    pub(super) to: Vec<String>,
    /// The tenant, where it is one.
    pub(super) tenant: Option<&'f Tenant>,
    /// Names of the tenants concerned.
    pub(super) tenants: Vec<&'f str>,
    /// The date.
    pub(super) opening: Option<Opening>,
}

/// What a subject is about: for a tenant any wave, since it goes with one, for others each wave for itself.
pub(super) fn class(subject: &str, audience: &str) -> String {
    let of_tenant = audience.strip_prefix(CONTACTS).is_some_and(|rest| rest.starts_with(':'));
    if of_tenant && subject.starts_with("wave") { "waves".to_owned() } else { subject.to_owned() }
}

/// Everybody whom a notice reaches, each with the date that it has for them.
pub(super) fn reached<'f>(facts: &Facts<'f>, notice: &Notice) -> Vec<Reach<'f>> {
    let calendar = facts.calendar;
    let subjects: Vec<Subject> = match &notice.of {
        Subject::Waves => calendar.waves.iter().map(|wave| Subject::Wave(wave.name.clone())).collect(),
        of @ (Subject::Run | Subject::Wave(_) | Subject::Window(_)) => vec![of.clone()],
    };
    let roster = calendar.roster();
    let mut found = Vec::new();
    for subject in subjects {
        let (wave, tenants) = match &subject {
            Subject::Wave(name) => match roster.waves.iter().find(|(wave, _)| wave.name == *name) {
                Some((wave, tenants)) => (Some(*wave), tenants.clone()),
                None => continue,
            },
            Subject::Run | Subject::Waves | Subject::Window(_) => {
                (None, roster.waves.iter().flat_map(|(_, tenants)| tenants.iter().copied()).collect())
            }
        };
        let audience = wave.and_then(|wave| wave.audience.as_deref()).unwrap_or(&notice.audience);
        let date = |tenant: Option<&Tenant>| match (&subject, wave) {
            (_, Some(wave)) => calendar.wave_date(wave, tenant),
            (Subject::Window(name), None) => calendar.window_date(calendar.window(name)?),
            (Subject::Run | Subject::Waves | Subject::Wave(_), None) => of_run(calendar),
        };
        if audience == CONTACTS {
            for tenant in tenants.into_iter().filter(|tenant| !tenant.contacts.is_empty()) {
                let audience = format!("{CONTACTS}:{}", tenant.key);
                found.push(Reach {
                    subject: subject.clone(),
                    class: class(&subject.to_string(), &audience),
                    audience,
                    to: tenant.contacts.clone(),
                    tenant: Some(tenant),
                    tenants: vec![&tenant.name],
                    opening: date(Some(tenant)),
                });
            }
            continue;
        }
        let to = facts.plan.notices.audiences.iter().find(|(name, _)| name == audience);
        let dates = tenants.iter().filter_map(|tenant| date(Some(tenant)));
        let first = dates.min_by_key(|opening| opening.span.start).or_else(|| date(None));
        found.push(Reach {
            class: class(&subject.to_string(), audience),
            subject,
            audience: audience.to_owned(),
            to: to.map(|(_, to)| to.clone()).unwrap_or_default(),
            tenant: None,
            tenants: tenants.iter().map(|tenant| tenant.name.as_str()).collect(),
            opening: first,
        });
    }
    found
}

/// The run's own date: T0, and what its stages take.
fn of_run(calendar: &Calendar) -> Option<Opening> {
    let start = calendar.t0?;
    let durations = &calendar.durations;
    let lasts = durations.stages.iter().filter_map(|(name, _)| durations.stage(name)).sum();
    let span = Span { start, end: span::later(start, lasts) };
    Some(Opening {
        window: String::new(),
        span,
        planned: span,
        extended: std::time::Duration::ZERO,
        cut_by: None,
    })
}

impl<'f> Reach<'f> {
    /// Whom a post reached that is no longer called for.
    pub(super) fn of_post(facts: &Facts<'f>, post: &Post) -> Self {
        let subject = Subject::parse(&post.what.subject).unwrap_or(Subject::Run);
        let key = post.what.audience.strip_prefix(CONTACTS).and_then(|rest| rest.strip_prefix(':'));
        let tenant = key.and_then(|key| facts.calendar.tenant(key));
        Self {
            class: class(&post.what.subject, &post.what.audience),
            subject,
            audience: post.what.audience.clone(),
            to: post.what.to.clone(),
            tenant,
            tenants: tenant.map(|tenant| vec![tenant.name.as_str()]).unwrap_or_default(),
            opening: None,
        }
    }

    /// What it is about, in words.
    pub(super) fn what(&self) -> String {
        match &self.subject {
            Subject::Run | Subject::Waves => "the migration".to_owned(),
            Subject::Wave(name) => format!("wave {name}"),
            Subject::Window(name) => format!("the maintenance \"{name}\""),
        }
    }

    /// The zone whose calendar counts.
    pub(super) fn zone(&self, calendar: &'f Calendar) -> &'f Zone {
        self.tenant.and_then(|tenant| tenant.zone.as_ref()).unwrap_or(&calendar.zone)
    }

    /// The zones in which times are told: the reader's own first.
    pub(super) fn zones(&self, calendar: &'f Calendar) -> Vec<&'f Zone> {
        let own = self.tenant.and_then(|tenant| tenant.zone.as_ref());
        own.into_iter().chain([&calendar.zone]).collect()
    }
}
