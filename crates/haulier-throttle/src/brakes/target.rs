//! What a flow waits for at the target, as brakes. They hold the requests themselves, not the intake of work.

use haulier_core::brake::{Holding, name};
use haulier_core::port::Micros;
use haulier_core::tolerance::BreakerState;

use crate::Flow;

/// The brakes of a flow that hold now.
pub(crate) fn of_target(flow: &Flow, now: Micros) -> Vec<Holding> {
    let holding = |name: &str, value: String, since: Micros, critical: bool| Holding {
        name: name.to_owned(),
        value,
        limit: String::new(),
        since,
        critical,
    };
    let mut held = Vec::new();
    if let Some((left, since, refused)) = flow.held() {
        let (name, why) = if refused {
            (name::TARGET_CREDENTIALS, "the target refuses the credentials, asked again in")
        } else {
            (name::TARGET_WAIT, "the target asked for less, nothing is sent for")
        };
        let value = format!("{why} {:.0} s", left.as_secs_f64().ceil());
        held.push(holding(name, value, now - since, false));
    }
    if let Some((state, often, since)) = flow.breaker() {
        let value = match state {
            BreakerState::Closed => None,
            BreakerState::Open { .. } => Some("most attempts failed, nothing is sent"),
            BreakerState::Probing { .. } => Some("most attempts failed, one probe is on its way"),
        };
        held.extend(value.map(|value| holding(name::TARGET_BREAKER, value.to_owned(), now - since, often)));
    }
    held
}
