//! What a drill can kill.

use clap::ValueEnum;
use haulier_plan::site::{DrillSite, Plug};
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::exit::Exit;

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// The process that reads the source
    Producer,
    /// The process that pushes
    Worker,
    /// The process that walks the stages, up to the end of the smoke; without stages, `haulier run`
    Controller,
    /// The queue's broker
    Broker,
    /// The source
    Source,
    /// The target
    Target,
    /// The ledger
    Ledger,
}

/// How a part is killed and started.
#[derive(Debug)]
pub(super) enum Plugged<'s> {
    /// A process that the drill started itself.
    Own,
    /// A neighbour, by the site's commands.
    Neighbour(&'s Plug),
}

impl Part {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Controller => "controller",
            Self::Broker => "broker",
            Self::Source => "source",
            Self::Target => "target",
            Self::Ledger => "ledger",
        }
    }

    /// How it is killed here; the error of a neighbour of which the site does not say so.
    pub(super) fn plug(self, site: &DrillSite) -> Result<Plugged<'_>, CliError> {
        let plug = match self {
            Self::Producer | Self::Worker | Self::Controller => return Ok(Plugged::Own),
            Self::Broker => &site.broker,
            Self::Source => &site.source,
            Self::Target => &site.target,
            Self::Ledger => &site.ledger,
        };
        plug.as_ref().map(Plugged::Neighbour).ok_or_else(|| {
            let name = self.as_str();
            CliError::new(Exit::Usage, format!("the site does not say how its {name} is killed and started"))
                .hint(format!(
                    "`[drill]` with `{name} = {{ kill = [\"docker\", \"kill\", \"NAME\"], start = [\"docker\", \"start\", \"NAME\"] }}`"
                ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_without_commands_cannot_be_killed() {
        let plug = |word: &str| Plug { kill: vec![word.to_owned()], start: vec![word.to_owned()] };
        let site = DrillSite { target: Some(plug("t")), ledger: Some(plug("l")), ..DrillSite::default() };
        for part in Part::value_variants() {
            let neighbour = match part.plug(&site) {
                Ok(Plugged::Own) => None,
                Ok(Plugged::Neighbour(plug)) => Some(plug.kill.concat()),
                Err(error) => {
                    assert!(error.told().contains(part.as_str()), "{}", error.told());
                    Some(String::new())
                }
            };
            let wanted = match part {
                Part::Producer | Part::Worker | Part::Controller => None,
                Part::Broker | Part::Source => Some(String::new()),
                Part::Target => Some("t".to_owned()),
                Part::Ledger => Some("l".to_owned()),
            };
            assert_eq!(neighbour, wanted, "{part:?}");
        }
    }
}
