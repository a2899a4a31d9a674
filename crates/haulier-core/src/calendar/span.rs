//! A stretch of time in instants, and sets of them. Lengths are real elapsed time, whatever the clocks do.

use std::time::Duration;

use jiff::Timestamp;

/// From `start` up to, but without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Span {
    /// A span; `None` where it would be empty.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// From an instant on, as long as that; up to the end of time where it is longer.
    #[must_use]
    pub fn from(start: Timestamp, length: Duration) -> Self {
        Self { start, end: later(start, length) }
    }

    /// How long it is.
    #[must_use]
    pub fn length(self) -> Duration {
        between(self.start, self.end)
    }

    /// Whether the instant lies within it.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// What both have in common.
    #[must_use]
    pub fn meet(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// An instant after another; the last one that there is where that is too far.
#[must_use]
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// An instant before another; the first one that there is where that is too far.
#[must_use]
pub fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The time from one instant to another; nothing where that one is not later.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(from.duration_until(to)).unwrap_or_default()
}

/// The same instants in order, touching spans made one.
#[must_use]
pub fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// What lies in both sets; both merged.
#[must_use]
pub fn common(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut found = Vec::new();
    for one in left {
        found.extend(right.iter().filter_map(|other| one.meet(*other)));
    }
    merged(found)
}

/// What of a span no denial covers; the denials merged.
#[must_use]
pub fn without(span: Span, denied: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut from = span.start;
    for deny in denied.iter().filter(|deny| deny.meet(span).is_some()) {
        left.extend(Span::new(from, deny.start));
        from = from.max(deny.end);
    }
    left.extend(Span::new(from, span.end));
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn span(start: i64, end: i64) -> Span {
        Span::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn sets_of_spans_add_up() {
        assert_eq!(Span::new(at(3), at(3)), None);
        assert_eq!(merged(vec![span(5, 8), span(1, 3), span(3, 4)]), [span(1, 4), span(5, 8)]);
        assert_eq!(common(&[span(0, 10)], &[span(2, 4), span(8, 12)]), [span(2, 4), span(8, 10)]);
        assert_eq!(without(span(0, 10), &[span(2, 4), span(8, 12)]), [span(0, 2), span(4, 8)]);
        assert_eq!(without(span(0, 10), &[span(-5, 20)]), []);
        assert_eq!(without(span(0, 10), &[]), [span(0, 10)]);
        assert_eq!(without(span(5, 10), &[span(0, 6)]), [span(6, 10)]);
    }
}
