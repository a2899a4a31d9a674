//! The `haulier` binary: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use haulier::args::Args;

// A record is a few dozen small allocations on several threads; the system's allocator took a tenth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    args.start_log();
    // The one process-wide choice of a TLS provider; a second choice cannot happen in a fresh process.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(haulier::run(args)),
        Err(error) => Err(haulier::error::CliError::bug(error)),
    };
    match ended {
        Ok(exit) => exit.code(),
        Err(error) => error.report(),
    }
}
