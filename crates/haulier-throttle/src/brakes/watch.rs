//! One gauge, read again and again.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::brake::{Brake, BrakeRule};
use haulier_core::control::Side;
use haulier_core::port::{Clock, Probe, ProbeError};
use tokio::time::{sleep, timeout};

use super::Board;

/// A reading that takes longer is none.
const ANSWER: Duration = Duration::from_secs(1);

/// A gauge with its brake.
#[derive(Debug)]
pub struct Gauge {
    /// The side that it holds.
    pub side: Side,
    /// Its limit and so on.
    pub rule: BrakeRule,
    /// What is read.
    pub probe: Arc<dyn Probe>,
    /// How often.
    pub every: Duration,
}

/// Reads until it is dropped. The first reading is put up before anything else happens.
pub async fn watch_gauge(gauge: Gauge, clock: Arc<dyn Clock>, board: Board) {
    let mut brake = Brake::new(gauge.rule, clock.micros());
    let after_ms = u64::try_from(ANSWER.as_millis()).unwrap_or(u64::MAX);
    loop {
        let reading = match timeout(ANSWER, gauge.probe.read()).await {
            Ok(reading) => reading,
            Err(_) => Err(ProbeError::TimedOut { after_ms }),
        };
        brake.read(reading, clock.micros());
        board.put(gauge.side, &brake.rule().name, brake.holding());
        sleep(gauge.every).await;
    }
}
