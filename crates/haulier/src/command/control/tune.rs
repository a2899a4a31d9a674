//! `haulier tune`: turn knobs of the run while it goes on.

use haulier_core::control::{How, Limit, Setting, Step, TuneError, Turn, refusal};

use super::Options;
use super::turning::{Wish, turn};
use super::view::View;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// Turn knobs of the run while it goes on, for all its processes at once
///
/// Knobs: produce.fibres, produce.rate, produce.chunk, push.workers, push.rate; each is a total of the run. Values: `=8`,
/// `=+2`, `=x1.5`, `=120/s`, `=none` (a rate without limit), `=default` (the site's), `=?` (only read). A raise goes at
/// most to the double, and not above the site's ceiling, unless forced; lowering cancels no request. Kept in the ledger.
/// Ends with 1 when a living process has not applied it within five seconds, or when the step is refused.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to turn: `push.workers=8 push.rate=x1.5`
    #[arg(required = true, value_name = "KNOB=VALUE")]
    steps: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Raise beyond the double or the ceiling; kept on record
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
        refusal: to.and_then(|to| refusal(knob, now, to, view.ceiling(knob))),
    })
}
