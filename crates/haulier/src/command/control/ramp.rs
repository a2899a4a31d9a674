//! `haulier ramp`: who raises the workers, and the next step.

use clap::ValueEnum;
use haulier_core::control::{Knob, Limit, Setting, Turn};
use haulier_core::port::Micros;
use haulier_core::tolerance::Ramp;

use super::Options;
use super::turning::{Wish, turn};
use super::view::View;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// An offer whose evidence is older is none.
pub(super) const FRESH: Micros = 60_000_000;

/// Say who raises the workers by what the target answers, or take the step that is offered
///
/// GREEN, AMBER or RED comes of the bounds in the site's `[tolerance]`; `haulier explain` shows it with its evidence. `next`
/// sets `push.workers` to what the last GREEN window allows, and keeps the evidence as the reason.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who raises
    what: What,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Nobody: measure and judge only
    Off,
    /// A person: cut on RED, restore what was cut, offer the next step
    Advise,
    /// The law, up to the operator's value
    Auto,
    /// Nobody: cut on RED, raise nothing
    Hold,
    /// Take the step that is offered
    Next,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let ramp = match args.what {
        What::Off => Ramp::Off,
        What::Advise => Ramp::Advise,
        What::Auto => Ramp::Auto,
        What::Hold => Ramp::Hold,
        What::Next => return next(global, args.options).await,
    };
    turn(global, &args.options, false, |view| {
        let (key, previous) = ("ramp", view.ramp().to_string());
        Ok(vec![Wish { key, previous, turn: Some(Turn::Ramp(ramp)), refusal: None, why: None }])
    })
    .await
}

async fn next(global: &Global, options: Options) -> Result<Exit, CliError> {
    turn(global, &options, false, |view| {
        let (offer, words) = offer(view)?;
        Ok(vec![Wish {
            key: Knob::Workers.as_str(),
            previous: view.set(Knob::Workers).to_string(),
            turn: Some(Turn::Knob(Knob::Workers, Setting::To(Limit::At(f64::from(offer))))),
            refusal: None,
            why: Some(format!("ramp next: {words}")),
        }])
    })
    .await
}

/// The step that the newest evidence allows.
fn offer(view: &View) -> Result<(u32, String), CliError> {
    let no = |words: String| CliError::new(Exit::No, words);
    if view.ramp() == Ramp::Off {
        return Err(no("the ramp is off, so no step is offered".to_owned())
            .hint("`haulier ramp advise` asks for steps"));
    }
    let found = view.found().ok_or_else(|| {
        no("nothing was judged yet".to_owned()).hint("a producing process judges what the workers measure")
    })?;
    let age = view.now.saturating_sub(found.at);
    if age > FRESH {
        return Err(no(format!("the last judgement is {} s old: {}", age / 1_000_000, found.words)));
    }
    match found.state.offer {
        Some(offer) => Ok((offer, found.words.clone())),
        None => Err(no(format!("no step is offered: {}", found.words))
            .hint("a step needs a GREEN window in which the workers were what held the flow")),
    }
}
