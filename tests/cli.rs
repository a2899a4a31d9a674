//! What the command line says and how it ends: help, JSON, every kind of bad input, full disks, signals.

mod broken_files;
mod diff;
mod disk;
mod neighbours;
mod plans;
mod records;
mod shapes;
mod signals;
mod spectrum;
mod values;

use std::time::{Duration, Instant};

use crate::support::Case;
use crate::support::process::Ended;

/// Runs a command that must end with this code within seconds and say all of this on stderr, with a hint where
/// the operator can do something. Nothing goes to stdout.
async fn refused(case: &Case, args: &[&str], code: i32, says: &[&str]) -> Ended {
    let since = Instant::now();
    let ended = case.haulier(args).run().await.expect(code);
    let took = since.elapsed();
    for part in says {
        assert!(ended.stderr.contains(part), "{args:?} did not say {part:?} but:\n{}", ended.stderr);
    }
    assert!(took < Duration::from_secs(20), "{args:?} took {took:?}");
    assert!(ended.stdout.is_empty(), "{args:?} printed data:\n{}", ended.stdout);
    for noise in ["panicked", "RUST_BACKTRACE", "hunter2", "test-token"] {
        assert!(!ended.stderr.contains(noise), "{args:?} said {noise}:\n{}", ended.stderr);
    }
    ended
}
