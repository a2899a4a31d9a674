//! When something may or must not be: once, or every week, in local time.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::Offset;
use jiff::{Span as Steps, Timestamp};

use super::span::{Span, merged};
use super::zone::{Local, Zone};

/// A local time as it was written; with an offset where the clocks show it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clocks show.
    pub local: DateTime,
    /// Which of two is meant.
    pub offset: Option<Offset>,
}

/// A stretch of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    /// The day on which it starts.
    pub day: Weekday,
    /// When it starts.
    pub from: Time,
    /// How many days later it ends.
    pub days: u8,
    /// When it ends.
    pub to: Time,
}

/// Once, or every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Once.
    Once {
        /// Its start.
        start: Moment,
        /// Its end.
        end: Moment,
    },
    /// Every week, each of these.
    Weekly(Vec<Weekly>),
}

/// Whether time is allowed or denied, which decides how hours that the clocks skip or show twice are read: what is
/// allowed is read narrowly, what is denied widely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Work may run.
    Allow,
    /// Work must not run.
    Deny,
}

impl Moment {
    /// A local time.
    #[must_use]
    pub fn new(local: DateTime) -> Self {
        Self { local, offset: None }
    }

    /// What it means in a zone; `None` where its offset is not one that the zone has then.
    #[must_use]
    pub fn resolve(&self, zone: &Zone) -> Option<Local> {
        let found = zone.resolve(self.local)?;
        let Some(offset) = self.offset else { return Some(found) };
        let meant = offset.to_timestamp(self.local).ok()?;
        match found {
            Local::At(at) if at == meant => Some(found),
            Local::Twice { first, second } if first == meant || second == meant => Some(Local::At(meant)),
            Local::At(_) | Local::Twice { .. } | Local::Missing { .. } => None,
        }
    }

    /// The instant. A start that the clocks show twice is the second for what is allowed and the first for what is
    /// denied; an end the other way round. One that they skip is when they go forward.
    fn instant(&self, zone: &Zone, side: Side, is_start: bool) -> Option<Timestamp> {
        Some(match self.resolve(zone)? {
            Local::At(at) => at,
            Local::Missing { change, .. } => change,
            Local::Twice { first, second } => {
                if (side == Side::Allow) == is_start {
                    second
                } else {
                    first
                }
            }
        })
    }
}

/// Why a text does not say when.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// It is not of the form.
    #[error("\"{0}\" is not a time")]
    Form(String),
    /// The clocks of the zone skip it.
    #[error("{local} does not exist in {zone}: the clocks go forward")]
    Missing {
        /// What was written.
        local: DateTime,
        /// The zone.
        zone: String,
        /// The local times that may be meant.
        candidates: [DateTime; 2],
    },
    /// The clocks of the zone show it twice.
    #[error("{local} comes twice in {zone}: the clocks go back")]
    Twice {
        /// What was written.
        local: DateTime,
        /// The zone.
        zone: String,
        /// The offsets of both.
        offsets: [Offset; 2],
    },
    /// The offset that was written is not the zone's.
    #[error("{local} has another offset in {zone}")]
    Offset {
        /// What was written.
        local: DateTime,
        /// The zone.
        zone: String,
    },
    /// The end is not after the start.
    #[error("the end is not after the start")]
    Backwards,
}

impl WhenError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Form(_) => "write `2026-05-05T07:00`, and a span as `START/END`".to_owned(),
            Self::Missing { candidates: [earlier, later], .. } => {
                format!("write {} or {}", short(*earlier), short(*later))
            }
            Self::Twice { local, offsets: [first, second], .. } => {
                format!(
                    "write {local}{} or {local}{}",
                    signed(*first),
                    signed(*second),
                    local = short(*local)
                )
            }
            Self::Offset { local, .. } => format!("leave the offset out: {}", short(*local)),
            Self::Backwards => "the span is START/END; a weekly one may end on a later day".to_owned(),
        }
    }
}

/// `+02:00`.
fn signed(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

/// A local time as plans write it: seconds only where there are some.
fn short(local: DateTime) -> String {
    let form = if local.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
    local.strftime(form).to_string()
}

impl Moment {
    /// Reads `2026-05-05T07:00`, with an offset behind it where the clocks show that time twice.
    ///
    /// # Errors
    /// The text is no local time.
    pub fn parse(text: &str) -> Result<Self, WhenError> {
        let form = || WhenError::Form(text.to_owned());
        let date = text.get(..10).ok_or_else(form)?;
        let rest = text.get(10..).unwrap_or_default();
        // A date alone is no time of it, and a zone of its own is no local time.
        if !rest.starts_with(['T', 't', ' ']) || rest.ends_with(['Z', 'z', ']']) {
            return Err(form());
        }
        let (time, offset) = match rest.find(['+', '-']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let local: DateTime = format!("{date}{time}").parse().map_err(|_| form())?;
        let offset = match offset {
            "" => None,
            _ => Some(offset_of(offset).ok_or_else(form)?),
        };
        Ok(Self { local, offset })
    }

    /// The instant that it is in a zone.
    ///
    /// # Errors
    /// The clocks skip it, or show it twice, or the offset is not the zone's.
    pub fn exact(&self, zone: &Zone) -> Result<Timestamp, WhenError> {
        let (local, name) = (self.local, zone.name().to_owned());
        match self.resolve(zone) {
            Some(Local::At(at)) => Ok(at),
            Some(Local::Missing { earlier, later, .. }) => Err(WhenError::Missing {
                local,
                candidates: [zone.local(earlier), zone.local(later)],
                zone: name,
            }),
            Some(Local::Twice { first, second }) => Err(WhenError::Twice {
                local,
                zone: name,
                offsets: [zone.offset(first), zone.offset(second)],
            }),
            None => Err(WhenError::Offset { local, zone: name }),
        }
    }
}

/// Reads `+02:00`.
fn offset_of(text: &str) -> Option<Offset> {
    let (sign, rest) = text.split_at(1);
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

impl When {
    /// Reads one span, `START/END`.
    ///
    /// # Errors
    /// The text is none.
    pub fn once(text: &str) -> Result<Self, WhenError> {
        let (start, end) = text.split_once('/').ok_or_else(|| WhenError::Form(text.to_owned()))?;
        Ok(Self::Once { start: Moment::parse(start.trim())?, end: Moment::parse(end.trim())? })
    }

    /// Whether each of its single times is one instant of the zone, and it ends after it starts.
    ///
    /// # Errors
    /// A time that the clocks skip or show twice, or an end before the start.
    pub fn check(&self, zone: &Zone) -> Result<(), WhenError> {
        match self {
            Self::Once { start, end } => {
                let (start, end) = (start.exact(zone)?, end.exact(zone)?);
                if start < end { Ok(()) } else { Err(WhenError::Backwards) }
            }
            Self::Weekly(_) => Ok(()),
        }
    }

    /// The spans that reach into `within`, merged.
    #[must_use]
    pub fn spans(&self, zone: &Zone, side: Side, within: Span) -> Vec<Span> {
        let span = |start: Moment, end: Moment| {
            Span::new(start.instant(zone, side, true)?, end.instant(zone, side, false)?)
        };
        let found = match self {
            Self::Once { start, end } => span(*start, *end).into_iter().collect(),
            Self::Weekly(stretches) => {
                let days = days(zone, within);
                let each = days.iter().flat_map(|day| {
                    stretches.iter().filter(|stretch| stretch.day == day.weekday()).filter_map(|stretch| {
                        let last = day.checked_add(Steps::new().days(i64::from(stretch.days))).ok()?;
                        span(
                            Moment::new(day.to_datetime(stretch.from)),
                            Moment::new(last.to_datetime(stretch.to)),
                        )
                    })
                });
                each.collect()
            }
        };
        merged(found).into_iter().filter(|span| span.meet(within).is_some()).collect()
    }
}

/// The local days on which a stretch may start that reaches into the span.
fn days(zone: &Zone, within: Span) -> Vec<Date> {
    let first = zone.local(within.start).date().checked_sub(Steps::new().days(8));
    let last = zone.local(within.end).date();
    first.unwrap_or(Date::MIN).series(Steps::new().days(1)).take_while(|day| *day <= last).collect()
}
