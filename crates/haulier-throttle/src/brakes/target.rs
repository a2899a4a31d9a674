//! What a flow waits for at the target, as brakes. They hold the requests themselves, not the intake of work.

use std::time::Duration;

use haulier_core::brake::{Holding, name};
use haulier_core::port::Micros;
use haulier_core::tolerance::BreakerState;

use crate::Controls;

/// The brakes of pushes that hold now: the target's own wait, refused credentials, the breaker.
#[must_use]
pub fn of_target(push: &Controls, now: Micros) -> Vec<Holding> {
    let holding = |name: &str, value: String, since: Micros| Holding {
        name: name.to_owned(),
        value,
        limit: String::new(),
        since,
        critical: false,
        part: false,
    };
    let mut held = Vec::new();
    if let Some((left, since, refused)) = push.flow.held() {
        let (name, why) = if refused {
            (name::TARGET_CREDENTIALS, "the target refuses the credentials, asked again in")
        } else {
            (name::TARGET_WAIT, "the target asked for less, nothing is sent for")
        };
        held.push(holding(name, format!("{why} {}", seconds(left)), now - since));
    }
    if let Some(waiting) = push.tenants.waiting() {
        let whose = match waiting.tenants {
            1 => format!("tenant {}", waiting.first),
            many => format!("{many} tenants, {} among them", waiting.first),
        };
        let next = seconds(waiting.next);
        let value = format!("the target refuses the credentials for {whose}, asked again in {next}");
        let since = Micros::try_from(waiting.since.as_micros()).unwrap_or(Micros::MAX);
        let holding = holding(name::TENANT_CREDENTIALS, value, now.saturating_sub(since));
        held.push(Holding { part: true, ..holding });
    }
    if let Some((state, often, since)) = push.flow.breaker() {
        let value = match state {
            BreakerState::Closed => None,
            BreakerState::Open { .. } => Some("most attempts failed, nothing is sent"),
            BreakerState::Probing { .. } => Some("most attempts failed, one probe is on its way"),
        };
        let holding = value.map(|value| holding(name::TARGET_BREAKER, value.to_owned(), now - since));
        held.extend(holding.map(|holding| Holding { critical: often, ..holding }));
    }
    held
}

fn seconds(left: Duration) -> String {
    format!("{:.0} s", left.as_secs_f64().ceil())
}
