//! One change of control: decided on what is known, kept only when nobody else came between.

use std::time::Duration;

use haulier_core::control::{Binding, Change, Limit, Refusal, Turn};
use haulier_core::port::Micros;

use super::view::View;
use super::{Options, answer};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;

/// One thing that is turned, or only read.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// What it is called.
    pub(super) key: &'static str,
    /// What it is now.
    pub(super) previous: String,
    /// What it shall be; `None` for a mere reading.
    pub(super) turn: Option<Turn>,
    /// Why it needs force.
    pub(super) refusal: Option<Refusal>,
    /// Why, where the operator says nothing.
    pub(super) why: Option<String>,
}

/// Decides, keeps, and answers.
pub(super) async fn turn(
    global: &Global,
    options: &Options,
    force: bool,
    wishes: impl Fn(&View) -> Result<Vec<Wish>, CliError>,
) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    loop {
        let mut view = View::of(&at, &run).await?;
        let wishes = wishes(&view)?;
        if let Some(refusal) = wishes.iter().find_map(|wish| wish.refusal.as_ref()).filter(|_| !force) {
            return Err(CliError::new(Exit::No, refusal.to_string())
                .hint("nothing was changed; a smaller step, or `--force`, which is kept on record"));
        }
        let known = view.history.version();
        let changes = changes(&view, &wishes, options, force);
        if !changes.is_empty() && run.finished_at.is_some() {
            return Err(CliError::new(Exit::No, format!("run {} is finished", run.id))
                .hint("start values of the next run stand in the site file"));
        }
        if !changes.is_empty() && !options.dry_run && !at.ledger.change(&run.id, known, &changes).await? {
            // Somebody else turned something at the same time: what is relative is worked out anew.
            continue;
        }
        view.history.extend(changes.clone());
        return answer::give(global, &at, &run, view, &wishes, &changes, options.dry_run).await;
    }
}

fn changes(view: &View, wishes: &[Wish], options: &Options, force: bool) -> Vec<Change> {
    let span = options.span.map(|span| Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX));
    let known = view.history.version();
    let turned = wishes.iter().filter_map(|wish| Some((wish, wish.turn?)));
    (known + 1..)
        .zip(turned)
        .map(|(version, (wish, turn))| Change {
            version,
            at: view.now,
            by: process::operator(),
            reason: options
                .reason
                .clone()
                .filter(|reason| !reason.trim().is_empty())
                .or_else(|| wish.why.clone()),
            turn,
            previous: wish.previous.clone(),
            forced: force && wish.refusal.is_some(),
            expires: span.map(|span| view.now.saturating_add(span)),
        })
        .collect()
}

/// A time such as `90s`, `30m`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number with its unit, such as `90s`, `30m` or `2h`".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds) if (1..=31 * 86_400).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        Some(_) | None => Err("a time is between 1s and 31d".to_owned()),
    }
}

/// A limit for people.
pub(super) fn shown(limit: Limit) -> String {
    match limit {
        Limit::At(number) if number.fract() == 0.0 => format!("{number:.0}"),
        Limit::At(number) => format!("{number:.3}").trim_end_matches('0').to_owned(),
        Limit::None => "no limit".to_owned(),
    }
}

/// What binds, for people, with the change behind it.
pub(super) fn binding(view: &View, key: &'static str, binds: &Binding) -> String {
    let change = match binds {
        Binding::Operator => {
            haulier_core::control::Knob::named(key).and_then(|knob| view.history.knob(knob, view.now))
        }
        Binding::Pause | Binding::Drain => {
            let side = key.split('.').next().unwrap_or(key);
            haulier_core::control::Side::ALL
                .into_iter()
                .find(|of| of.as_str() == side)
                .and_then(|side| view.history.valve(side, view.now).1)
        }
        Binding::Nothing
        | Binding::Start
        | Binding::Ceiling
        | Binding::Adaptive
        | Binding::Window(_)
        | Binding::Held(_) => None,
    };
    change.map_or_else(|| binds.to_string(), |change| format!("{binds} ({})", answer::provenance(change)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "30", "m", "0s", "-5m", "1.5h", "30 m", "99999999999999999999h", "32d"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
