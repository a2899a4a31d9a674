//! `haulier tune`: turn knobs of the run while it goes on.

use haulier_core::control::{How, Knob, Limit, Refusal, Setting, Side, Step, TuneError, Turn, refusal};
use haulier_core::tolerance::{Colour, Ramp};

use super::Options;
use super::ramp::FRESH;
use super::turning::{Wish, turn};
use super::view::View;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// Turn knobs of the run while it goes on, for all its processes at once
///
/// Knobs: produce.fibres, produce.rate, produce.chunk, push.workers, push.rate; each is a total of the run. Values: `=8`,
/// `=+2`, `=x1.5`, `=120/s`, `=none` (a rate without limit), `=default` (the site's), `=?` (only read). A raise goes at
/// most to the double, and not above the site's ceiling; towards the target it needs a GREEN window, unless the ramp is
/// off. `--force` does it all the same; lowering cancels no request. Kept in the ledger.
/// Ends with 1 when a living process has not applied it within five seconds, or when the step is refused.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to turn: `push.workers=8 push.rate=x1.5`
    #[arg(required = true, value_name = "KNOB=VALUE")]
    steps: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Raise beyond the double or the ceiling, or without a GREEN window; kept on record
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let wrong = |error: TuneError| CliError::new(Exit::Usage, error.to_string()).hint(error.hint());
    // Before anything is opened, so that a slip never depends on what is reachable.
    let mut steps: Vec<Step> = Vec::with_capacity(args.steps.len());
    for text in &args.steps {
        let step = Step::parse(text).map_err(wrong)?;
        if steps.iter().any(|other| other.knob == step.knob) {
            return Err(wrong(TuneError::Twice { knob: step.knob }));
        }
        if !matches!(step.how, How::Plus(_) | How::Times(_)) {
            step.setting(Limit::None).map_err(wrong)?;
        }
        steps.push(step);
    }
    let wishes = |view: &View| steps.iter().map(|step| wish(view, *step).map_err(wrong)).collect();
    turn(global, &args.options, args.force, wishes).await
}

fn wish(view: &View, step: Step) -> Result<Wish, TuneError> {
    let (knob, now) = (step.knob, view.set(step.knob));
    let setting = step.setting(now)?;
    let to = setting.map(|setting| match setting {
        Setting::To(limit) => limit,
        Setting::Default => view.start(knob),
    });
    let previous = match view.history.knob(knob, view.now) {
        Some(change) => change.turn.value(),
        None => view.start(knob).to_string(),
    };
    Ok(Wish {
        key: knob.as_str(),
        previous,
        turn: setting.map(|setting| Turn::Knob(knob, setting)),
        refusal: to.and_then(|to| {
            refusal(knob, now, to, view.ceiling(knob)).or_else(|| not_green(view, knob, now, to))
        }),
        why: None,
    })
}

/// A raise towards the target needs a GREEN window since the last change, unless the ramp is off.
fn not_green(view: &View, knob: Knob, from: Limit, to: Limit) -> Option<Refusal> {
    if knob.side() != Side::Push || to.number() <= from.number() || view.ramp() == Ramp::Off {
        return None;
    }
    let why = match view.found() {
        None => "nothing was judged yet".to_owned(),
        Some(found) if view.now.saturating_sub(found.at) > FRESH => {
            "the last judgement is too old".to_owned()
        }
        Some(found) if found.colour == Some(Colour::Green) => return None,
        Some(found) => found.words.clone(),
    };
    Some(Refusal::NotGreen { knob, from, to, why })
}
