//! Live control of a run: what can be turned, what was asked for, and what follows from it. Pure rules.

mod change;
mod effective;
mod error;
mod history;
mod knob;
mod measure;
mod report;
mod share;
mod step;

pub use change::{Change, Limit, Scope, Setting, Turn, Valve};
pub use effective::{Binding, Bounds, Effective, Hold, effective};
pub use error::{Refusal, TuneError};
pub use history::History;
pub use knob::{Knob, Side};
pub use measure::{Latencies, Measured, Sample};
pub use report::{RampReport, Report, adaptive};
pub use share::{share, share_rate, sharers};
pub use step::{How, Step, parse_rate, refusal};
