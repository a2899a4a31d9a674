//! From what the site says to what the adapters take.

use std::path::Path;
use std::sync::Arc;

use haulier_core::port::{Clock, Ledger, Queue, QueueError, Target};
use haulier_plan::Site;
use haulier_plan::site::{Auth, Database, HeaderValue, QueueKind, Secret, Server, Tls, TokenSource};

use super::Role;
use crate::error::CliError;
use crate::exit::Exit;

pub(super) fn reveal(secret: &Secret) -> Result<String, CliError> {
    secret.reveal().map_err(|problem| CliError::new(Exit::Plan, problem.to_string()))
}

fn password(server: &Server) -> Result<Option<String>, CliError> {
    server.password.as_ref().map(reveal).transpose()
}

/// Makes the folder of one of our own files, for its owner only.
fn make_folder(file: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        CliError::new(Exit::Unreachable, format!("the folder {} cannot be made: {error}", folder.display()))
    })
}

/// The source of the site.
pub(super) fn source(site: &Site) -> Result<haulier_source::Options, CliError> {
    database(site, &site.source)
}

/// A database's kind and place, without user and password.
pub(super) fn named(database: &Database) -> String {
    let server =
        |kind: &str, server: &Server| format!("{kind} {}:{}/{}", server.host, server.port, server.database);
    match database {
        Database::Postgres(at) => server("postgresql", at),
        Database::MySql(at) => server("mysql", at),
        Database::Sqlite(path) => format!("sqlite {}", path.display()),
    }
}

/// A database that is read.
pub(super) fn database(
    site: &Site,
    at: &haulier_plan::site::SourceSite,
) -> Result<haulier_source::Options, CliError> {
    use haulier_source::Engine;
    let engine = match &at.database {
        Database::Postgres(server) => Engine::Postgres(source_server(server)?),
        Database::MySql(server) => Engine::MySql(source_server(server)?),
        Database::Sqlite(path) => Engine::Sqlite(path.clone()),
    };
    Ok(haulier_source::Options {
        engine,
        connections: at.connections.max(site.produce.fibres + 2),
        statement_timeout: at.statement_timeout,
        application_name: "haulier".to_owned(),
    })
}

fn source_server(server: &Server) -> Result<haulier_source::Server, CliError> {
    let (tls, ca_file) = match &server.tls {
        Tls::Off => (haulier_source::Tls::Plaintext, None),
        Tls::System => (haulier_source::Tls::Verify, None),
        Tls::Authorities(file) => (haulier_source::Tls::Verify, Some(file.clone())),
    };
    Ok(haulier_source::Server {
        host: server.host.clone(),
        port: server.port,
        user: server.user.clone(),
        password: password(server)?,
        database: server.database.clone(),
        ca_file,
        tls,
    })
}

/// The source of a URL, with its password from the environment.
pub(super) fn source_from_url(url: &str) -> Result<haulier_source::Options, CliError> {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
    if authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
    {
        let problem = "the URL of `--from` holds a password, which everybody on this machine can read there";
        return Err(CliError::new(Exit::Usage, problem)
            .hint("leave it out of the URL, and put it into HAULIER_SOURCE_PASSWORD"));
    }
    let password = std::env::var("HAULIER_SOURCE_PASSWORD").ok();
    haulier_source::Options::from_url(url, password).map_err(|error| {
        CliError::new(Exit::Usage, error.to_string())
            .hint("`postgres://user@host/database`, `mysql://user@host/database` or `sqlite:FILE`; the password comes from HAULIER_SOURCE_PASSWORD")
    })
}

/// The queue of the site, or why it cannot be used.
pub(super) async fn queue(
    site: &Site,
    plan: &str,
    role: Role,
    clock: Arc<dyn Clock>,
) -> Result<Result<Arc<dyn Queue>, QueueError>, CliError> {
    use haulier_queue::{amqp, embedded};
    let (server, api_url) = match &site.queue.kind {
        QueueKind::Embedded(path) => {
            make_folder(path)?;
            return Ok(embedded::open(embedded::Options::new(path, clock)).await);
        }
        QueueKind::Amqp { server, api_url } => (server, api_url),
    };
    let secret = amqp::Password(match password(server)? {
        Some(password) => password,
        // RabbitMQ's own default, which it takes on this machine only.
        None if server.user == "guest" => "guest".to_owned(),
        None => String::new(),
    });
    let role = match role {
        Role::Publish => amqp::Role::Publish,
        Role::Consume => amqp::Role::Consume,
        Role::Both => amqp::Role::Both,
    };
    let name = site.queue.name.clone().unwrap_or_else(|| plan.to_owned());
    let mut options = amqp::Options::new(name, role);
    options.host = server.host.clone();
    options.port = server.port;
    options.vhost = server.database.clone();
    options.user = server.user.clone();
    options.password = secret.clone();
    options.tls = match &server.tls {
        Tls::Off => amqp::Tls::Off,
        Tls::System => amqp::Tls::System,
        Tls::Authorities(file) => amqp::Tls::Authorities(file.clone()),
    };
    options.api = api_url.as_ref().map(|url| amqp::Api {
        url: url.clone(),
        user: server.user.clone(),
        password: secret,
    });
    Ok(amqp::open(options).await)
}

/// The file of the ledger, where it is one.
pub(super) fn ledger_file(site: &Site) -> Option<&Path> {
    match &site.ledger.database {
        Database::Sqlite(path) => Some(path),
        Database::Postgres(_) | Database::MySql(_) => None,
    }
}

/// The file of the queue, where it is one.
pub(super) fn queue_file(site: &Site) -> Option<&Path> {
    match &site.queue.kind {
        QueueKind::Embedded(path) => Some(path),
        QueueKind::Amqp { .. } => None,
    }
}

/// The ledger of the site.
pub(super) async fn ledger(site: &Site) -> Result<Arc<dyn Ledger>, CliError> {
    use haulier_ledger::{postgres, sqlite};
    let server = match &site.ledger.database {
        Database::Sqlite(path) => {
            make_folder(path)?;
            return Ok(sqlite::open(path, sqlite::SqliteOptions::default()).await?);
        }
        Database::Postgres(server) => server,
        Database::MySql(_) => {
            return Err(CliError::new(Exit::Plan, "a ledger is a SQLite file or a PostgreSQL database"));
        }
    };
    let options = postgres::PostgresOptions {
        host: server.host.clone(),
        port: server.port,
        user: server.user.clone(),
        password: password(server)?,
        database: server.database.clone(),
        schema: site.ledger.schema.clone(),
        tls: match &server.tls {
            Tls::Off => postgres::Tls::Off,
            Tls::System => postgres::Tls::System,
            Tls::Authorities(file) => postgres::Tls::Authorities(file.clone()),
        },
        connections: site.ledger.connections,
    };
    Ok(postgres::open(&options).await?)
}

/// The target of the site.
pub(super) fn target(site: &Site) -> Result<Arc<dyn Target>, CliError> {
    haulier_target::open(&target_options(site)?).map_err(|error| CliError::new(Exit::Plan, error.to_string()))
}

/// How the target of the site is reached.
pub(super) fn target_options(site: &Site) -> Result<haulier_target::Options, CliError> {
    let at = &site.target;
    let mut options = haulier_target::Options::new(at.base_url.clone());
    options.timeout = at.timeout;
    options.connect_timeout = at.connect_timeout;
    options.idle_timeout = at.idle_timeout;
    options.max_reply_bytes = at.max_reply;
    options.max_page_bytes = at.max_page;
    options.ca_file = at.ca_file.clone();
    options.check_path = at.check_path.clone();
    for (name, value) in &at.headers {
        let value = match value {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Secret(secret) => reveal(secret)?,
        };
        options.headers.push((name.clone(), value));
    }
    if let Some(auth) = &at.auth {
        options.auth = target_auth(auth)?;
    }
    Ok(options)
}

fn target_auth(auth: &Auth) -> Result<haulier_target::Auth, CliError> {
    let shown = |secret: &Secret| reveal(secret).map(haulier_target::Secret::new);
    Ok(match auth {
        Auth::Header { name, value } => {
            haulier_target::Auth::Header { name: name.clone(), value: shown(value)? }
        }
        Auth::Bearer(token) => haulier_target::Auth::Bearer(shown(token)?),
        Auth::Basic { user, password } => {
            haulier_target::Auth::Basic { user: user.clone(), password: shown(password)? }
        }
        Auth::Login(login) => haulier_target::Auth::Login(haulier_target::Login {
            path: login.path.clone(),
            body: login.body.clone(),
            values: vec![
                ("user".to_owned(), haulier_target::Secret::new(login.user.clone())),
                ("password".to_owned(), shown(&login.password)?),
            ],
            media_type: login.media_type.clone(),
            token: match &login.token {
                TokenSource::Pointer(pointer) => haulier_target::TokenSource::Pointer(pointer.clone()),
                TokenSource::Header(name) => haulier_target::TokenSource::Header(name.clone()),
            },
            header: login.header.clone(),
            format: login.format.clone(),
            lifetime: login.lifetime,
        }),
    })
}
