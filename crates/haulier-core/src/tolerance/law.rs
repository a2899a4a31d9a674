//! The band law: from judged windows to the number of workers and the rate.

use std::fmt;
use std::time::Duration;

use super::{Colour, Evidence, Latency, LawState, Phase, Raise, Ramp, Tolerance, Window, rate_cap};
use crate::port::Micros;

/// A window's judgement and what followed from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// When.
    pub at: Micros,
    /// The colour.
    pub colour: Colour,
    /// Why.
    pub evidence: Evidence,
    /// GREEN windows in a row, this one included.
    pub greens: u32,
    /// What followed.
    pub step: Step,
    /// Workers from now on.
    pub workers: u32,
    /// The learnt rate from now on.
    pub rate: Option<f64>,
    /// More workers that the evidence would allow.
    pub offer: Option<u32>,
}

/// What followed from a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Stay,
    /// More workers.
    Raise {
        /// Before.
        from: u32,
    },
    /// The last raise brought too little and was taken back.
    StepBack {
        /// Before.
        from: u32,
    },
    /// RED: fewer workers.
    Cut {
        /// Before.
        from: u32,
    },
}

impl fmt::Display for Verdict {
    /// `GREEN 4 windows (p95 181 <= 240 ms, ...): next step push.workers=12`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.colour {
            Colour::Green if self.greens > 1 => write!(f, "GREEN {} windows", self.greens)?,
            Colour::Green | Colour::Amber | Colour::Red => write!(f, "{}", self.colour)?,
        }
        write!(f, " ({})", self.evidence)?;
        let to = self.workers;
        match self.step {
            Step::Raise { from } => write!(f, ": {from} -> {to} workers")?,
            Step::Cut { from } => write!(f, ": cut from {from} to {to} workers")?,
            Step::StepBack { from } => {
                write!(f, ": {from} workers brought too little over {to}, back to {to}")?;
            }
            Step::Stay => {}
        }
        if let Some(rate) = self.rate {
            write!(f, "; the target asked for less: {rate:.1}/s")?;
        }
        if let Some(offer) = self.offer {
            write!(f, ": next step push.workers={offer}")?;
        }
        Ok(())
    }
}

/// Steers workers and rate by the target's answers, within what the operator allows.
#[derive(Debug, Clone)]
pub struct Law {
    tolerance: Tolerance,
    ramp: Ramp,
    /// The operator's value: never passed.
    operator: u32,
    state: LawState,
    /// What the baseline rests on while it is still being learnt.
    learning: Option<Latency>,
    pending: Window,
    since: Micros,
}

impl Law {
    /// A law without a past. `auto` begins with the few workers of the tolerance, the others with the operator's value.
    #[must_use]
    pub fn new(tolerance: Tolerance, ramp: Ramp, operator: u32, now: Micros) -> Self {
        let start = match ramp {
            Ramp::Auto => tolerance.start,
            Ramp::Off | Ramp::Advise | Ramp::Hold => operator,
        };
        Self::resume(tolerance, ramp, operator, LawState::new(start, tolerance.baseline), now)
    }

    /// A law that goes on where another process left it.
    #[must_use]
    pub fn resume(tolerance: Tolerance, ramp: Ramp, operator: u32, state: LawState, now: Micros) -> Self {
        // A baseline that another process froze is not learnt again: it may have been measured under less load.
        let learning = state.baseline.is_none().then(Latency::default);
        let pending = Window::default();
        let mut law = Self { tolerance, ramp, operator, state, learning, pending, since: now };
        law.fit();
        law
    }

    /// What it remembers, to be kept.
    #[must_use]
    pub fn state(&self) -> &LawState {
        &self.state
    }

    /// How its findings become workers.
    #[must_use]
    pub fn ramp(&self) -> Ramp {
        self.ramp
    }

    /// Workers now.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.state.workers
    }

    /// The learnt rate: attempts a second over all processes.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.state.rate.map(|(rate, _)| rate).filter(|_| self.ramp != Ramp::Off)
    }

    /// Takes another ramp: what was learnt stays.
    pub fn set_ramp(&mut self, ramp: Ramp) {
        self.ramp = ramp;
        self.state.offer = None;
        self.fit();
    }

    /// Takes the operator's new value. A raise of his is probed like one of its own, by what is measured from `now` on; except
    /// under `auto`, the workers follow it at once.
    pub fn set_operator(&mut self, operator: u32, throughput: Option<f64>, now: Micros) {
        let before = std::mem::replace(&mut self.operator, operator);
        if operator > before && self.ramp != Ramp::Auto && self.state.workers >= before.min(self.most()) {
            self.state.raise = throughput.map(|throughput| Raise { from: before, throughput });
            self.state.workers = operator;
            self.state.greens = 0;
            (self.pending, self.since) = (Window::default(), now);
        }
        self.state.offer = None;
        self.fit();
    }

    fn most(&self) -> u32 {
        self.operator.max(1)
    }

    fn fit(&mut self) {
        let most = self.most();
        let floor = self.tolerance.floor.clamp(1, most);
        self.state.workers = match self.ramp {
            Ramp::Off => most,
            Ramp::Advise | Ramp::Auto | Ramp::Hold => self.state.workers.clamp(floor, most),
        };
    }

    /// Adds attempts that were measured up to `now`, and judges when there is enough to judge: after the window's time, with
    /// enough results, or fewer of a slow target.
    pub fn observe(&mut self, measured: &Window, now: Micros) -> Option<Verdict> {
        self.pending.merge(measured);
        let over = Duration::from_micros(u64::try_from(now.saturating_sub(self.since)).unwrap_or(0));
        let results = self.pending.results();
        let enough = results >= self.tolerance.results
            || (results >= self.tolerance.slow_results && over >= self.tolerance.slow_window);
        // A target that refuses answers within milliseconds: five seconds of that are thousands of vain requests.
        let stormed = self.pending.throttled.saturating_mul(20) > results;
        let shortest = if stormed { self.tolerance.storm_window } else { self.tolerance.window };
        if over < shortest || !enough {
            return None;
        }
        let window = std::mem::take(&mut self.pending);
        self.since = now;
        Some(self.judge(&window, over, now))
    }

    fn judge(&mut self, window: &Window, over: Duration, now: Micros) -> Verdict {
        if self.state.baseline.is_none() && window.answered() >= self.tolerance.slow_results {
            self.state.baseline = window.latency.quantile(0.95);
        }
        let evidence = Evidence::of(window, over, self.limit());
        let colour = evidence.colour(&self.tolerance);
        self.learn_baseline(window, colour);
        self.state.rate = rate_cap::learn(self.state.rate, &evidence, &self.tolerance);
        self.state.offer = None;
        let from = self.state.workers;
        match colour {
            Colour::Red if self.ramp != Ramp::Off => self.cut(now),
            Colour::Red => self.state.greens = 0,
            Colour::Amber | Colour::Green if self.state.cooldown > 0 => self.state.cooldown -= 1,
            Colour::Amber => self.state.greens = 0,
            Colour::Green => self.grow(&evidence, now),
        }
        let greens = self.state.greens;
        let step = match (self.state.workers.cmp(&from), colour) {
            (std::cmp::Ordering::Equal, _) => Step::Stay,
            (std::cmp::Ordering::Greater, _) => Step::Raise { from },
            (std::cmp::Ordering::Less, Colour::Red) => Step::Cut { from },
            (std::cmp::Ordering::Less, Colour::Green | Colour::Amber) => Step::StepBack { from },
        };
        if step != Step::Stay {
            self.state.greens = 0;
        }
        let (workers, rate, offer) = (self.state.workers, self.rate(), self.state.offer);
        Verdict { at: now, colour, evidence, greens, step, workers, rate, offer }
    }

    /// The first window alone may be lucky: the p95 of twenty results is off by a third now and then. Further GREEN windows
    /// of the first ramp refine the baseline until it rests on enough results; then it is frozen.
    fn learn_baseline(&mut self, window: &Window, colour: Colour) {
        let Some(learning) = &mut self.learning else { return };
        if colour == Colour::Green && self.state.phase == Phase::FirstRamp {
            learning.merge(&window.latency);
            self.state.baseline = learning.quantile(0.95).or(self.state.baseline);
        }
        if self.state.phase != Phase::FirstRamp || learning.count() >= self.tolerance.baseline_results {
            self.learning = None;
        }
    }

    /// The latency's bound: the promised one, or a multiple of the baseline.
    fn limit(&self) -> Duration {
        let of_baseline = || self.state.baseline.map(|base| base.mul_f64(self.tolerance.baseline_factor));
        self.tolerance.p95.or_else(of_baseline).unwrap_or(Duration::MAX)
    }

    fn cut(&mut self, now: Micros) {
        let state = &mut self.state;
        state.last_good = state.last_good.max(state.workers);
        state.too_much = Some((state.last_good.saturating_sub(1).max(1), now));
        state.workers = scaled(state.workers, self.tolerance.cut_factor);
        state.phase = Phase::Recovery;
        state.cooldown = self.tolerance.cooldown;
        state.greens = 0;
        state.raise = None;
        self.fit();
    }

    fn grow(&mut self, evidence: &Evidence, now: Micros) {
        self.state.greens += 1;
        let probing =
            matches!(self.state.phase, Phase::FirstRamp | Phase::Careful) && self.state.rate.is_none();
        if probing
            && let Some(raise) = self.state.raise.take()
            && self.ramp != Ramp::Off
            // Where something else held the flow, such as the rate, the raise had nothing to show.
            && evidence.saturated > 0.5
            && raise.was_in_vain(self.state.workers, evidence.throughput, &self.tolerance)
        {
            self.state.workers = raise.from;
            self.state.phase = Phase::Plateau { since: now };
            return self.fit();
        }
        self.move_on(now);
        if let Phase::Plateau { .. } = self.state.phase {
            return;
        }
        let quick = matches!(self.state.phase, Phase::FirstRamp | Phase::Recovery);
        let needed = if quick { 1 } else { self.tolerance.careful_greens };
        if self.state.greens >= needed && evidence.saturated > 0.5 && self.ramp.raises() {
            self.raise_or_offer(quick, evidence.throughput);
        }
    }

    /// Phases that time or success ends.
    fn move_on(&mut self, now: Micros) {
        let memory = Micros::try_from(self.tolerance.memory.as_micros()).unwrap_or(Micros::MAX);
        let state = &mut self.state;
        match state.phase {
            Phase::Plateau { since } if now.saturating_sub(since) > memory => state.phase = Phase::Careful,
            Phase::Recovery
                if f64::from(state.workers) >= self.tolerance.recover_to * f64::from(state.last_good) =>
            {
                state.phase = Phase::Careful;
                state.last_good = 0;
            }
            Phase::FirstRamp | Phase::Careful | Phase::Plateau { .. } | Phase::Recovery => {}
        }
        if state.too_much.is_some_and(|(_, at)| now.saturating_sub(at) >= memory) {
            state.too_much = None;
        }
    }

    fn raise_or_offer(&mut self, quick: bool, throughput: f64) {
        let from = self.state.workers;
        let mut wanted = from.saturating_add(1);
        if quick {
            wanted = wanted.max(scaled(from, self.tolerance.raise_factor));
        }
        if self.state.phase == Phase::Recovery {
            let quickly = scaled(self.state.last_good, self.tolerance.recover_to);
            wanted = wanted.min(quickly).max(from.saturating_add(1));
        }
        if let Some((workers, _)) = self.state.too_much {
            wanted = wanted.min(workers);
        }
        let most = self.most();
        let wanted = wanted.min(self.tolerance.ceiling.max(most));
        if wanted.min(most) > from {
            self.state.raise = Some(Raise { from, throughput });
            self.state.workers = wanted.min(most);
        } else if wanted > from {
            self.state.offer = Some(wanted);
        }
    }
}

/// `workers * factor`, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a factor near 1 of a number of workers, and the cast saturates"
)]
fn scaled(workers: u32, factor: f64) -> u32 {
    (f64::from(workers) * factor).floor().max(0.0) as u32
}
