//! The parts of a report that belong to tolerance and brakes, in words of one line each.

use std::time::Duration;

use haulier_core::brake::Holding;
use haulier_core::control::{RampReport, Side};
use haulier_core::tolerance::{Colour, Latency, LawState, Phase, Raise, Window};

/// Fields of a line stand apart by this, which no text of ours holds.
const TAB: char = '\t';
const CRITICAL: &str = "critical";
const PART: &str = "part";

pub(crate) fn attempts(window: &Window) -> String {
    let latency: Vec<String> =
        window.latency.parts().map(|(micros, count)| format!("{micros}:{count}")).collect();
    format!("{} {} {} {}", window.throttled, window.failed, window.saturated, latency.join(" "))
}

pub(crate) fn read_attempts(text: &str) -> Option<Window> {
    let mut words = text.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    let (throttled, failed, saturated) = (number()?, number()?, number()?);
    let mut latency = Latency::default();
    for word in words {
        let (micros, count) = word.split_once(':')?;
        latency.note_many(micros.parse().ok()?, count.parse().ok()?);
    }
    Some(Window { latency, throttled, failed, saturated })
}

pub(crate) fn brake(side: Side, holding: &Holding) -> String {
    let plain = |text: &str| text.replace(char::is_control, " ");
    let weight = match (holding.critical, holding.part) {
        (true, _) => CRITICAL,
        (false, true) => PART,
        (false, false) => "-",
    };
    [
        side.as_str().to_owned(),
        holding.since.to_string(),
        weight.to_owned(),
        plain(&holding.name),
        plain(&holding.limit),
        plain(&holding.value),
    ]
    .join(&TAB.to_string())
}

pub(crate) fn read_brake(text: &str) -> Option<(Side, Holding)> {
    let fields: Vec<&str> = text.split(TAB).collect();
    let [side, since, weight, name, limit, value] = fields.as_slice() else { return None };
    let side = Side::ALL.into_iter().find(|known| known.as_str() == *side)?;
    let holding = Holding {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        limit: (*limit).to_owned(),
        since: since.parse().ok()?,
        critical: *weight == CRITICAL,
        part: *weight == PART,
    };
    Some((side, holding))
}

pub(crate) fn ramp(report: &RampReport) -> String {
    let state = &report.state;
    let phase = match state.phase {
        Phase::FirstRamp => "first-ramp".to_owned(),
        Phase::Careful => "careful".to_owned(),
        Phase::Recovery => "recovery".to_owned(),
        Phase::Plateau { since } => format!("plateau:{since}"),
    };
    [
        report.at.to_string(),
        state.workers.to_string(),
        phase,
        state.greens.to_string(),
        state.cooldown.to_string(),
        or_none(state.baseline.map(|baseline| baseline.as_micros())),
        state.last_good.to_string(),
        or_none(state.too_much.map(|(workers, at)| format!("{workers}:{at}"))),
        or_none(state.raise.map(|raise| format!("{}:{}", raise.from, raise.throughput))),
        or_none(state.rate.map(|(rate, greens)| format!("{rate}:{greens}"))),
        or_none(state.offer),
        or_none(report.colour),
        or_none(report.throughput),
        report.words.replace(char::is_control, " "),
    ]
    .join(&TAB.to_string())
}

pub(crate) fn read_ramp(text: &str) -> Option<RampReport> {
    let mut fields = text.splitn(14, TAB);
    let mut next = || fields.next();
    let at = next()?.parse().ok()?;
    let workers = next()?.parse().ok()?;
    let phase = match next()? {
        "first-ramp" => Phase::FirstRamp,
        "careful" => Phase::Careful,
        "recovery" => Phase::Recovery,
        plateau => Phase::Plateau { since: plateau.strip_prefix("plateau:")?.parse().ok()? },
    };
    let (greens, cooldown) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let baseline = given(next()?, |text| text.parse().ok().map(Duration::from_micros))?;
    let last_good = next()?.parse().ok()?;
    let too_much = given(next()?, pair)?;
    let raise = given(next()?, |text| pair(text).map(|(from, throughput)| Raise { from, throughput }))?;
    let rate = given(next()?, pair)?;
    let offer = given(next()?, |text| text.parse().ok())?;
    let colour = given(next()?, Colour::from_word)?;
    let throughput = given(next()?, |text| text.parse().ok())?;
    let state =
        LawState { workers, phase, greens, cooldown, baseline, last_good, too_much, raise, rate, offer };
    Some(RampReport { at, state, colour, throughput, words: next()?.to_owned() })
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A field that may be absent; `None` where it is there and cannot be read.
fn given<T>(field: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if field == "-" { Some(None) } else { read(field).map(Some) }
}

fn pair<A: std::str::FromStr, B: std::str::FromStr>(text: &str) -> Option<(A, B)> {
    let (first, second) = text.split_once(':')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> RampReport {
        RampReport {
            at: 7,
            state: LawState::new(3, None),
            colour: None,
            throughput: None,
            words: "not judged yet".to_owned(),
        }
    }

    #[test]
    fn what_the_law_found_reads_back_as_it_was() {
        assert_eq!(read_ramp(&ramp(&report())), Some(report()));
        let full = RampReport {
            colour: Some(Colour::Amber),
            throughput: Some(58.25),
            state: LawState {
                phase: Phase::Plateau { since: -5 },
                greens: 2,
                cooldown: 1,
                baseline: Some(Duration::from_micros(81_234)),
                last_good: 12,
                too_much: Some((11, 99)),
                raise: Some(Raise { from: 8, throughput: 1.0 / 3.0 }),
                rate: Some((57.125, 4)),
                offer: Some(12),
                ..LawState::new(9, None)
            },
            words: "AMBER (p95 200 <= 240 ms)".to_owned(),
            ..report()
        };
        for phase in [Phase::FirstRamp, Phase::Careful, Phase::Recovery, full.state.phase] {
            let mut one = full.clone();
            one.state.phase = phase;
            assert_eq!(read_ramp(&ramp(&one)), Some(one));
        }
        assert_eq!(read_ramp("7\tmany"), None);
    }

    #[test]
    fn brakes_and_attempts_read_back_as_they_were() {
        let holding = Holding {
            name: "src-lag".to_owned(),
            value: "failed: connection refused".to_owned(),
            limit: "2 s".to_owned(),
            since: 12,
            critical: true,
            part: false,
        };
        assert_eq!(read_brake(&brake(Side::Produce, &holding)), Some((Side::Produce, holding.clone())));
        let part = Holding { critical: false, part: true, ..holding };
        assert_eq!(read_brake(&brake(Side::Push, &part)), Some((Side::Push, part)));
        assert_eq!(read_brake("produce\t3"), None);
        let mut window = Window { throttled: 3, failed: 4, saturated: 5, ..Window::default() };
        assert_eq!(read_attempts(&attempts(&window)), Some(window.clone()));
        window.latency.note_many(81_234, 7);
        window.latency.note_many(3, 1);
        assert_eq!(read_attempts(&attempts(&window)), Some(window));
        assert_eq!(read_attempts("1 2"), None);
    }
}
