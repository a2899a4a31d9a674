//! The sandbox as a program.

use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use hq_sandbox::{Config, Faults, Login, Sandbox, StoreKind, Sync, Uniqueness};

/// A small target system with a REST API, to migrate into. It stores what it acknowledges.
#[derive(Parser)]
#[command(name = "hq-sandbox", version)]
struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7700")]
    listen: String,
    /// Where records are kept
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    store: Store,
    /// The SQLite file
    #[arg(long, default_value = "hq-sandbox.db")]
    db: PathBuf,
    /// What a commit waits for: the write, or the disk
    #[arg(long, value_enum, default_value_t = CommitSync::Normal)]
    sync: CommitSync,
    /// The bearer token that may do everything
    #[arg(long, env = "HQ_SANDBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A file that holds the token, in place of --token
    #[arg(long, env = "HQ_SANDBOX_TOKEN_FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// A second bearer token that may only read
    #[arg(long, env = "HQ_SANDBOX_READ_ONLY_TOKEN", hide_env_values = true)]
    read_only_token: Option<String>,
    /// Who may ask for a token at POST /login, as USER:PASSWORD
    #[arg(long, env = "HQ_SANDBOX_LOGIN", hide_env_values = true, value_name = "USER:PASSWORD")]
    login: Option<String>,
    /// How many seconds such a token is good
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    login_lifetime: u64,
    /// Whether a second record with the same natural key is refused
    #[arg(long, value_enum, default_value_t = Unique::Enforced)]
    unique: Unique,
    /// The request log, one JSON object a line, appended before the answer goes out
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How many answers are kept for Idempotency-Key
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    idempotency_keys: usize,
    /// The seed of the draws for fault shares
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    faults: FaultArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Faults")]
struct FaultArgs {
    /// How long every request takes at least
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// How many requests are worked on at a time, the others queue; 0 is no limit
    #[arg(long, default_value_t = 0)]
    slots: u32,
    /// The share of requests that get 503
    #[arg(long, default_value_t = 0.0)]
    error_share: f64,
    /// The share of requests that are done and whose answer is cut
    #[arg(long, default_value_t = 0.0)]
    half_reply_share: f64,
    /// The share of requests that are done and never answered
    #[arg(long, default_value_t = 0.0)]
    lost_answer_share: f64,
    /// Requests a second beyond which 429 is answered; 0 is no limit
    #[arg(long, default_value_t = 0.0)]
    rate_per_s: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    Sqlite,
    Memory,
}

#[derive(Clone, Copy, ValueEnum)]
enum CommitSync {
    Normal,
    Full,
}

#[derive(Clone, Copy, ValueEnum)]
enum Unique {
    Enforced,
    None,
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args").field("listen", &self.listen).finish_non_exhaustive()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let sandbox = Sandbox::start(config(Args::parse())?).await?;
    tracing::info!("hq-sandbox listens on {}", sandbox.base_url());
    asked_to_stop().await?;
    tracing::info!("hq-sandbox stops");
    sandbox.stop().await
}

fn config(args: Args) -> anyhow::Result<Config> {
    let token = match (args.token, args.token_file) {
        (Some(token), _) => token,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path);
            text.with_context(|| format!("reading the token from {}", path.display()))?.trim().to_owned()
        }
        (None, None) => anyhow::bail!("no token is set: give --token, --token-file or HQ_SANDBOX_TOKEN"),
    };
    let login = args.login.map(|text| {
        let (user, password) = text.split_once(':').context("--login must be USER:PASSWORD")?;
        let lifetime = Duration::from_secs(args.login_lifetime);
        anyhow::Ok(Login { user: user.to_owned(), password: password.to_owned(), lifetime })
    });
    Ok(Config {
        listen: args.listen,
        store: match args.store {
            Store::Memory => StoreKind::Memory,
            Store::Sqlite => StoreKind::Sqlite {
                path: args.db,
                sync: match args.sync {
                    CommitSync::Normal => Sync::Normal,
                    CommitSync::Full => Sync::Full,
                },
            },
        },
        token,
        read_only_token: args.read_only_token.filter(|token| !token.is_empty()),
        login: login.transpose()?,
        unique: match args.unique {
            Unique::Enforced => Uniqueness::Enforced,
            Unique::None => Uniqueness::None,
        },
        log: args.log,
        idempotency_keys: args.idempotency_keys,
        faults: Faults {
            latency_ms: args.faults.latency_ms,
            slots: args.faults.slots,
            error_share: args.faults.error_share,
            half_reply_share: args.faults.half_reply_share,
            lost_answer_share: args.faults.lost_answer_share,
            rate_per_s: args.faults.rate_per_s,
        },
        seed: args.seed,
    })
}

/// Waits for SIGINT or SIGTERM.
async fn asked_to_stop() -> anyhow::Result<()> {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("listening for SIGTERM")?;
        tokio::select! {
            result = interrupt => result.context("listening for SIGINT")?,
            _ = terminate.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    interrupt.await.context("listening for Ctrl-C")
}
