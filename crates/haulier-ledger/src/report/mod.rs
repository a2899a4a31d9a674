//! A process's report as the ledger keeps it: a version, then a line for each thing that it says.

mod tolerance;

use haulier_core::control::{Latencies, Limit, Measured, Report};

use crate::conn::Fault;

const VERSION: &str = "report 1";

pub(crate) fn encode(report: &Report) -> String {
    let mut lines = vec![VERSION.to_owned()];
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{name} {value}"));
        }
    };
    let text = |number: Option<u32>| number.map(|number| number.to_string());
    let limit = |limit: Option<Limit>| limit.map(|limit| limit.to_string());
    say("version", Some(report.version.to_string()));
    say("applied_at", Some(report.applied_at.to_string()));
    say("fibres", text(report.fibres));
    say("produce_rate", limit(report.produce_rate));
    say("chunk", text(report.chunk));
    say("workers", text(report.workers));
    say("push_rate", limit(report.push_rate));
    say("expected", report.expected.map(|rows| rows.to_string()));
    say("held", report.held.as_ref().map(|held| held.replace(char::is_control, " ")));
    lines.extend(measured(&report.measured));
    if let Some(attempts) = &report.attempts {
        lines.push(format!("attempts {}", tolerance::attempts(attempts)));
    }
    lines.extend(report.brakes.iter().map(|(side, held)| format!("brake {}", tolerance::brake(*side, held))));
    lines.extend(report.ramp.iter().map(|ramp| format!("ramp {}", tolerance::ramp(ramp))));
    lines.join("\n")
}

/// What was measured, alone; [`decode`] reads it as a report that says nothing else.
pub(crate) fn encode_measured(found: &Measured) -> String {
    [vec![VERSION.to_owned()], measured(found)].concat().join("\n")
}

fn measured(measured: &Measured) -> Vec<String> {
    let buckets: Vec<String> =
        measured.latencies.buckets().map(|(bucket, count)| format!("{bucket}:{count}")).collect();
    vec![
        format!("requests_per_second {}", measured.requests_per_second),
        format!("produced_per_second {}", measured.produced_per_second),
        format!("throttled {}", measured.throttled),
        format!("failed {}", measured.failed),
        format!("latencies {}", buckets.join(" ")),
    ]
}

/// What a newer haulier says beyond this is passed over.
pub(crate) fn decode(text: &str) -> Result<Report, Fault> {
    let mut report = Report::default();
    for line in text.lines().skip(1) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let wrong = || Fault::corrupt(format!("a process's report says {name} = {value}"));
        let number = || value.parse::<u32>().map_err(|_| wrong());
        let float = || value.parse::<f64>().map_err(|_| wrong());
        let limit = || if value == "none" { Ok(Limit::None) } else { float().map(Limit::At) };
        match name {
            "version" => report.version = value.parse().map_err(|_| wrong())?,
            "applied_at" => report.applied_at = value.parse().map_err(|_| wrong())?,
            "fibres" => report.fibres = Some(number()?),
            "produce_rate" => report.produce_rate = Some(limit()?),
            "chunk" => report.chunk = Some(number()?),
            "workers" => report.workers = Some(number()?),
            "push_rate" => report.push_rate = Some(limit()?),
            "expected" => report.expected = Some(value.parse().map_err(|_| wrong())?),
            "held" => report.held = Some(value.to_owned()),
            "requests_per_second" => report.measured.requests_per_second = float()?,
            "produced_per_second" => report.measured.produced_per_second = float()?,
            "throttled" => report.measured.throttled = number()?,
            "failed" => report.measured.failed = number()?,
            "latencies" => {
                let bucket = |text: &str| {
                    let (bucket, count) = text.split_once(':')?;
                    Some((bucket.parse().ok()?, count.parse().ok()?))
                };
                let buckets: Option<Vec<(u16, u32)>> = value.split_whitespace().map(bucket).collect();
                report.measured.latencies = Latencies::of(buckets.ok_or_else(wrong)?);
            }
            "attempts" => report.attempts = Some(tolerance::read_attempts(value).ok_or_else(wrong)?),
            "brake" => report.brakes.push(tolerance::read_brake(value).ok_or_else(wrong)?),
            "ramp" => report.ramp = Some(tolerance::read_ramp(value).ok_or_else(wrong)?),
            _ => {}
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_report_reads_back_as_it_was() {
        let mut report = Report { version: 7, applied_at: -1, ..Report::default() };
        assert_eq!(decode(&encode(&report)).unwrap(), report);
        report.fibres = Some(3);
        report.produce_rate = Some(Limit::None);
        report.chunk = Some(500);
        report.workers = Some(0);
        report.expected = Some(1_000_000);
        report.push_rate = Some(Limit::At(1.0 / 3.0));
        report.held = Some("emergency file PAUSE".to_owned());
        report.measured.requests_per_second = 12.5;
        report.measured.produced_per_second = 0.1;
        report.measured.latencies.add(Duration::from_millis(30));
        (report.measured.throttled, report.measured.failed) = (4, 5);
        assert_eq!(decode(&encode(&report)).unwrap(), report);
        assert_eq!(decode(&encode_measured(&report.measured)).unwrap().measured, report.measured);
        assert_eq!(decode("report 2\nversion 3\nlater words").unwrap().version, 3);
        assert!(decode("report 1\nversion x").is_err());
    }
}
