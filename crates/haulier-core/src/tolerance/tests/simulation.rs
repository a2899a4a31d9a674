//! A target with so many parallel slots and a line before them, and a client that always has work: virtual time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::dice::Dice;
use crate::port::Micros;
use crate::tolerance::{Attempt, Law, Ramp, Tolerance, Window};

const SECOND: Micros = 1_000_000;
/// The first minute is the ramp and is left out of the figures.
const FROM: Micros = 60 * SECOND;
const END: Micros = 420 * SECOND;

/// A target's nature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// Requests at a time; others wait in line.
    pub(super) slots: usize,
    /// Mean time of a request, in seconds, and the sigma of its lognormal spread.
    pub(super) service: (f64, f64),
    /// Requests a second above which it says 429.
    pub(super) bucket: Option<f64>,
    /// From, until (seconds): so many times slower.
    pub(super) slow: Option<(i64, i64, f64)>,
    /// From, until (seconds): this share is a 503.
    pub(super) broken: Option<(i64, i64, f64)>,
    /// Most workers.
    pub(super) ceiling: u32,
}

/// Who says how many requests are in flight.
#[derive(Debug, Clone, Copy)]
pub(super) enum Steering {
    Fixed(u32),
    Band,
}

/// What came of it, after the first minute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// Answered a second.
    pub(super) throughput: f64,
    /// Percentiles of the latency, in milliseconds.
    pub(super) p50: f64,
    pub(super) p95: f64,
    /// Share of ten-second stretches whose p95 was above the promised one.
    pub(super) out_of_tolerance: f64,
    /// Shares of all attempts, the first minute included.
    pub(super) throttled: f64,
    pub(super) failed: f64,
    /// In flight at the end.
    pub(super) workers: f64,
    /// Seconds until 90 % of the optimum were reached.
    pub(super) ramped: f64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A slot finished a request that was sent then.
    Served { sent: Micros },
    /// An answer without a slot: 429 or 503.
    Turned { failed: bool },
    /// A window is handed over.
    Window,
    /// The rate lets the next one through.
    Pump,
}

struct Simulation {
    nature: Nature,
    dice: Dice,
    law: Option<Law>,
    fixed: u32,
    now: Micros,
    number: u64,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    busy: usize,
    line: VecDeque<Micros>,
    tokens: f64,
    tokens_at: Micros,
    in_flight: u32,
    next_send: Micros,
    pump_planned: bool,
    window: Window,
    answered: Vec<(Micros, Micros)>,
    throttled: u32,
    failed: u32,
}

/// Runs seven minutes with one seed.
pub(super) fn run(
    nature: Nature,
    steering: Steering,
    promised: Duration,
    optimum: f64,
    seed: u64,
) -> Figures {
    let tolerance = Tolerance { start: 1, ceiling: nature.ceiling, ..Tolerance::default() };
    let (law, fixed) = match steering {
        Steering::Fixed(workers) => (None, workers),
        Steering::Band => (Some(Law::new(tolerance, Ramp::Auto, nature.ceiling, 0)), 0),
    };
    let mut simulation = Simulation {
        nature,
        dice: Dice::new(seed),
        law,
        fixed,
        now: 0,
        number: 0,
        events: BinaryHeap::new(),
        busy: 0,
        line: VecDeque::new(),
        tokens: nature.bucket.unwrap_or(0.0),
        tokens_at: 0,
        in_flight: 0,
        next_send: 0,
        pump_planned: false,
        window: Window::default(),
        answered: Vec::new(),
        throttled: 0,
        failed: 0,
    };
    simulation.run();
    simulation.figures(promised, optimum)
}

impl Simulation {
    fn at(&mut self, after: f64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((self.now + micros(after), self.number, event)));
    }

    fn run(&mut self) {
        self.at(1.0, Event::Window);
        self.pump();
        while let Some(Reverse((at, _, event))) = self.events.pop().filter(|Reverse((at, ..))| *at <= END) {
            self.now = at;
            match event {
                Event::Served { sent } => {
                    self.busy -= 1;
                    if let Some(next) = self.line.pop_front() {
                        self.serve(next);
                    }
                    self.answered.push((at, at - sent));
                    self.ended(Attempt::Answered(span(at - sent)));
                }
                Event::Turned { failed: true } => {
                    self.failed += 1;
                    self.ended(Attempt::Failed);
                }
                Event::Turned { failed: false } => {
                    self.throttled += 1;
                    self.ended(Attempt::Throttled);
                }
                Event::Window => {
                    let window = std::mem::take(&mut self.window);
                    if let Some(law) = &mut self.law {
                        law.observe(&window, at);
                    }
                    self.at(1.0, Event::Window);
                }
                Event::Pump => self.pump_planned = false,
            }
            self.pump();
        }
    }

    fn workers(&self) -> u32 {
        self.law.as_ref().map_or(self.fixed, Law::workers)
    }

    fn ended(&mut self, attempt: Attempt) {
        let saturated = self.in_flight >= self.workers();
        self.window.note(attempt, saturated);
        self.in_flight -= 1;
    }

    fn pump(&mut self) {
        while self.in_flight < self.workers() {
            if let Some(rate) = self.law.as_ref().and_then(Law::rate) {
                if self.next_send > self.now {
                    if !std::mem::replace(&mut self.pump_planned, true) {
                        self.at(seconds(self.next_send - self.now) + 1e-6, Event::Pump);
                    }
                    return;
                }
                self.next_send = self.now.max(self.next_send) + micros(1.0 / rate);
            }
            self.in_flight += 1;
            self.send();
        }
    }

    fn send(&mut self) {
        if let Some(rate) = self.nature.bucket {
            self.tokens = rate.min(self.tokens + seconds(self.now - self.tokens_at) * rate);
            self.tokens_at = self.now;
            if self.tokens < 1.0 {
                return self.at(0.01, Event::Turned { failed: false });
            }
            self.tokens -= 1.0;
        }
        if let Some((from, until, share)) = self.nature.broken
            && within(self.now, from, until)
            && self.dice.share() < share
        {
            return self.at(0.02, Event::Turned { failed: true });
        }
        if self.busy < self.nature.slots { self.serve(self.now) } else { self.line.push_back(self.now) }
    }

    fn serve(&mut self, sent: Micros) {
        self.busy += 1;
        let (mean, sigma) = self.nature.service;
        let slower = self.nature.slow.filter(|(from, until, _)| within(self.now, *from, *until));
        let time = mean * slower.map_or(1.0, |(.., times)| times) * self.dice.lognormal(sigma);
        self.at(time, Event::Served { sent });
    }

    fn figures(&self, promised: Duration, optimum: f64) -> Figures {
        let between = |from: Micros, until: Micros| {
            let index = |time: Micros| self.answered.partition_point(|(at, _)| *at < time);
            &self.answered[index(from)..index(until)]
        };
        let late = |from: Micros, until: Micros| {
            let mut found: Vec<f64> =
                between(from, until).iter().map(|(_, took)| seconds(*took) * 1000.0).collect();
            found.sort_by(f64::total_cmp);
            found
        };
        let all = late(FROM, END + 1);
        let (mut stretches, mut out) = (0.0, 0.0);
        for from in (60..420).step_by(10) {
            let stretch = late(from * SECOND, (from + 10) * SECOND);
            if !stretch.is_empty() {
                stretches += 1.0;
                out += f64::from(u8::from(percentile(&stretch, 0.95) > promised.as_secs_f64() * 1000.0));
            }
        }
        let ramped = (0..410)
            .find(|from| number(between(from * SECOND, (from + 5) * SECOND).len()) / 5.0 >= 0.9 * optimum);
        let attempts = number(self.answered.len()) + f64::from(self.throttled) + f64::from(self.failed);
        Figures {
            throughput: number(all.len()) / 360.0,
            p50: percentile(&all, 0.5),
            p95: percentile(&all, 0.95),
            out_of_tolerance: out / stretches,
            throttled: f64::from(self.throttled) / attempts,
            failed: f64::from(self.failed) / attempts,
            workers: f64::from(self.workers()),
            ramped: ramped.map_or(f64::INFINITY, |at| seconds(at * SECOND)),
        }
    }
}

fn within(now: Micros, from: i64, until: i64) -> bool {
    (from * SECOND..until * SECOND).contains(&now)
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (share * (number(sorted.len()) - 1.0)) as usize;
    sorted[index]
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "minutes in microseconds")]
fn seconds(micros: Micros) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "minutes in microseconds")]
fn micros(seconds: f64) -> Micros {
    (seconds * 1e6) as Micros
}

fn span(micros: Micros) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap())
}
