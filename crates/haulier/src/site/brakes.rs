//! The gauges that the site names, ready to be read.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::brake::BrakeRule;
use haulier_core::control::Side;
use haulier_core::port::{Probe, ProbeError};
use haulier_core::tolerance::Ramp;
use haulier_plan::Site;
use haulier_plan::site::CheckBrake;
use haulier_source::Gauge as Measure;
use haulier_throttle::brakes::Gauge;

use super::{Neighbours, wire};
use crate::error::CliError;
use crate::exit::Exit;

/// What one reading may take.
const ANSWER: Duration = Duration::from_secs(1);

/// What a gauge read once, beside the rule by which it holds.
pub(crate) struct Reading {
    pub(crate) rule: BrakeRule,
    pub(crate) value: Result<f64, ProbeError>,
}

/// The gauges of source and checks. All of them hold the producer.
fn gauges(site: &Site) -> Result<Vec<Gauge>, CliError> {
    let brakes = &site.brakes;
    let built_in = [
        (&brakes.lag, Measure::Lag),
        (&brakes.load, Measure::Load),
        (&brakes.oldest_transaction, Measure::OldestTransaction),
    ];
    let built_in = built_in.into_iter().filter_map(|(rule, reading)| Some((rule.clone()?, reading)));
    let queries = brakes.queries.iter().map(|query| (query.rule.clone(), Measure::Query(query.sql.clone())));
    let (rules, readings): (Vec<_>, Vec<_>) = built_in.chain(queries).unzip();
    let options = haulier_source::Options { statement_timeout: ANSWER, ..wire::source(site)? };
    let of_source = rules.into_iter().zip(haulier_source::probes(&options, readings));
    let of_checks = brakes.checks.iter().map(|check| Ok((check.rule.clone(), probe(check)?)));
    let all: Result<Vec<_>, CliError> = of_source.map(Ok).chain(of_checks).collect();
    let gauge = |(rule, probe)| Gauge { side: Side::Produce, rule, probe, every: brakes.every };
    Ok(all?.into_iter().map(gauge).collect())
}

/// Reads every gauge once. One that is no gauge at all, such as a query that returns text, is a mistake of the site;
/// anything else may pass and holds at run time.
pub(super) async fn read(site: &Site) -> Result<Vec<Reading>, CliError> {
    let mut found = Vec::new();
    for gauge in gauges(site)? {
        let reading = tokio::time::timeout(2 * ANSWER, gauge.probe.read()).await;
        let reading = reading.unwrap_or(Err(ProbeError::TimedOut { after_ms: 2000 }));
        found.push(Reading { rule: gauge.rule, value: reading });
    }
    Ok(found)
}

impl Neighbours {
    /// The gauges of source and checks. All of them hold the producer.
    pub(crate) fn gauges(&self) -> Result<Vec<Gauge>, CliError> {
        gauges(&self.site)
    }

    /// Before a run: refuses what is no gauge at all.
    pub(crate) async fn refuse_unfit_gauges(&self) -> Result<(), CliError> {
        for reading in read(&self.site).await? {
            if let Err(error @ ProbeError::Unfit(_)) = reading.value {
                return Err(CliError::new(Exit::Plan, format!("the brake `{}` {error}", reading.rule.name))
                    .hint("mend it in the site's `[brakes]`: a query returns one row with one number"));
            }
        }
        Ok(())
    }

    /// So many messages may wait in the queue, however slowly it is emptied.
    pub(crate) fn ready(&self) -> u32 {
        self.site.brakes.ready
    }

    /// How long a target that mostly fails is left alone.
    pub(crate) fn breaker(&self) -> Duration {
        self.site.brakes.breaker
    }

    /// Who raises the workers, until an operator says otherwise.
    pub(crate) fn ramp(&self) -> Ramp {
        self.site.tolerance.ramp
    }

    /// The target's bounds.
    pub(crate) fn tolerance(&self) -> haulier_core::tolerance::Tolerance {
        self.site.tolerance.bounds
    }
}

fn probe(check: &CheckBrake) -> Result<Arc<dyn Probe>, CliError> {
    let mut options = haulier_target::Options::new(check.url.clone());
    (options.timeout, options.connect_timeout) = (ANSWER, ANSWER);
    haulier_target::probe(&options).map_err(|error| CliError::new(Exit::Plan, error.to_string()))
}
