//! What an operator typed, read to a step, and whether the step is one for `--force`.

use super::{Knob, Limit, Refusal, Setting, TuneError};
use crate::near::nearest;

/// One `KNOB=VALUE` of a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The knob.
    pub knob: Knob,
    /// Where to.
    pub how: How,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    /// Nowhere: the value is only read.
    Read,
    /// To this.
    To(Setting),
    /// So much further.
    Plus(f64),
    /// So many times what it is.
    Times(f64),
}

impl Step {
    /// Reads `push.workers=8`, `push.workers=+2` (or `push.workers+2`), `push.rate=x1.5`, `push.rate=120/s`,
    /// `push.rate=none`, `produce.fibres=default`, `produce.fibres=?`.
    pub fn parse(text: &str) -> Result<Self, TuneError> {
        let split = text.find(['=', '+']).unwrap_or(text.len());
        let (name, rest) = text.split_at(split);
        let name = name.trim();
        let knob = Knob::named(name).ok_or_else(|| {
            let near = nearest(name, Knob::ALL.iter().map(|knob| knob.as_str())).and_then(Knob::named);
            TuneError::UnknownKnob { word: name.to_owned(), near }
        })?;
        let value = rest.strip_prefix('=').unwrap_or(rest).trim();
        let how = match value {
            "" => return Err(TuneError::Empty { knob }),
            "?" => How::Read,
            "default" => How::To(Setting::Default),
            "none" if knob.is_rate() => How::To(Setting::To(Limit::None)),
            _ if value.contains(['"', '\'', '`']) => {
                return Err(TuneError::Quoted { knob, text: value.to_owned() });
            }
            _ => match (value.strip_prefix('+'), value.strip_prefix('x')) {
                (Some(by), _) => How::Plus(amount(knob, by)?),
                (None, Some(times)) => How::Times(positive(knob, times)?),
                (None, None) => How::To(Setting::To(Limit::At(amount(knob, value)?))),
            },
        };
        Ok(Self { knob, how })
    }

    /// Where the step leads from `now`, which holds at present; `None` for a mere reading.
    pub fn setting(self, now: Limit) -> Result<Option<Setting>, TuneError> {
        let knob = self.knob;
        let base = || now.finite().ok_or(TuneError::NoBase { knob });
        let value = match self.how {
            How::Read => return Ok(None),
            How::To(setting) => return checked(knob, setting).map(Some),
            How::Plus(by) => base()? + by,
            How::Times(times) => {
                // What floating point adds at the end does not count.
                let exact = (base()? * times * 1e9).round() / 1e9;
                match (knob.is_rate(), times >= 1.0) {
                    (true, _) => exact,
                    // A raise goes somewhere, a cut leaves something.
                    (false, true) => exact.ceil(),
                    (false, false) => exact.floor().max(1.0),
                }
            }
        };
        checked(knob, Setting::To(Limit::At(value))).map(Some)
    }
}

fn checked(knob: Knob, setting: Setting) -> Result<Setting, TuneError> {
    let most = knob.most();
    match setting {
        Setting::To(Limit::At(value)) if value > most => Err(TuneError::TooLarge { knob, value, most }),
        Setting::To(_) | Setting::Default => Ok(setting),
    }
}

/// A whole number, or a rate.
fn amount(knob: Knob, text: &str) -> Result<f64, TuneError> {
    let number = positive(knob, text)?;
    if !knob.is_rate() && number.fract() > 0.0 {
        return Err(TuneError::NotWhole { knob, text: text.to_owned() });
    }
    Ok(number)
}

fn positive(knob: Knob, text: &str) -> Result<f64, TuneError> {
    let text = text.trim();
    let number = if knob.is_rate() { parse_rate(text) } else { text.parse().ok() };
    match number {
        Some(number) if !number.is_finite() => Err(TuneError::NotANumber { knob, text: text.to_owned() }),
        Some(number) if number < 0.0 => Err(TuneError::Negative { knob, text: text.to_owned() }),
        Some(number) if number <= 0.0 => Err(TuneError::Zero { knob }),
        Some(number) => Ok(number),
        None if text.is_empty() => Err(TuneError::Empty { knob }),
        None => Err(TuneError::NotANumber { knob, text: text.to_owned() }),
    }
}

/// A rate such as `120`, `0.5`, `120/s`, `30/m` as a number a second, of any sign.
#[must_use]
pub fn parse_rate(text: &str) -> Option<f64> {
    let (number, per) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match per.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    number.trim().parse::<f64>().ok().map(|number| number / seconds)
}

/// Why going from `from` to `to` needs `--force`, if it does. Lowering never does.
#[must_use]
pub fn refusal(knob: Knob, from: Limit, to: Limit, ceiling: Limit) -> Option<Refusal> {
    if to.number() <= from.number() {
        return None;
    }
    if let Some(ceiling) = ceiling.finite().filter(|ceiling| to.number() > *ceiling) {
        return Some(Refusal::Ceiling { knob, to, ceiling });
    }
    let most = from.number() * 2.0;
    (to.number() > most).then_some(Refusal::Doubled { knob, from, to, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str, now: f64) -> Result<Limit, TuneError> {
        match Step::parse(text)?.setting(Limit::At(now))? {
            Some(Setting::To(limit)) => Ok(limit),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn values_steps_and_factors_are_read() {
        for (text, now, wanted) in [
            ("push.workers=8", 2.0, 8.0),
            ("push.workers=+2", 2.0, 4.0),
            ("push.workers+2", 2.0, 4.0),
            ("push.workers=x1.5", 1.0, 2.0),
            ("push.workers=x1.2", 5.0, 6.0),
            ("push.workers=x0.3", 2.0, 1.0),
            ("push.rate=0.5", 1.0, 0.5),
            ("push.rate=30/m", 1.0, 0.5),
            ("push.rate=x1.5", 3.0, 4.5),
            ("produce.chunk = 500", 1.0, 500.0),
        ] {
            assert_eq!(to(text, now), Ok(Limit::At(wanted)), "{text}");
        }
        assert_eq!(Step::parse("push.rate=?").unwrap().setting(Limit::None), Ok(None));
        assert_eq!(to("push.rate=none", 1.0), Ok(Limit::None));
        let default = Step::parse("push.rate=default").unwrap().setting(Limit::None);
        assert_eq!(default, Ok(Some(Setting::Default)));
        let plus = Step::parse("push.rate=+5").unwrap().setting(Limit::None);
        assert_eq!(plus, Err(TuneError::NoBase { knob: Knob::PushRate }));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| {
            let error = to(text, 2.0).unwrap_err();
            format!("{error}; {}", error.hint())
        };
        for (text, words) in [
            ("push.worker=8", "no knob `push.worker`; did you mean `push.workers`?"),
            ("speed=8", "the knobs are produce.fibres,"),
            ("push.workers", "`push.workers` is given no value"),
            ("push.workers=", "`push.workers` is given no value"),
            ("push.workers=+", "`push.workers` is given no value"),
            ("push.workers=\"8\"", "stands in quotes: \"8\"; without quotes"),
            ("push.workers='8'", "stands in quotes"),
            ("push.workers=0", "`push.workers` cannot be 0; `haulier pause push` stops it"),
            ("push.rate=0", "cannot be 0; `haulier pause push`"),
            ("push.workers=-2", "cannot be negative: -2; say the value"),
            ("push.rate=-0.5/s", "cannot be negative"),
            ("push.rate=NaN", "`NaN` is not a value for `push.rate`"),
            ("push.rate=inf", "`inf` is not a value for `push.rate`"),
            ("push.rate=x", "given no value"),
            ("push.workers=2.5", "`push.workers` is a whole number: 2.5"),
            ("push.workers=none", "`none` is not a value for `push.workers`"),
            ("push.workers=eight", "`eight` is not a value"),
            ("push.rate=5/y", "`5/y` is not a value"),
            ("push.workers=10001", "`push.workers` is at most 10000: 10001"),
        ] {
            assert!(error(text).contains(words), "{text}: {}", error(text));
        }
    }

    #[test]
    fn a_raise_beyond_the_double_or_the_ceiling_is_refused() {
        let of = |from, to, ceiling| refusal(Knob::PushRate, from, to, ceiling).is_some();
        let at = Limit::At;
        assert!(!of(at(4.0), at(8.0), Limit::None));
        assert!(of(at(4.0), at(8.5), Limit::None));
        assert!(of(at(4.0), at(6.0), at(5.0)));
        assert!(of(at(4.0), Limit::None, Limit::None));
        assert!(
            !of(Limit::None, at(4.0), at(2.0)) && !of(at(9.0), at(6.0), at(5.0)),
            "lowering is never refused"
        );
    }
}
