//! Good sites: what their text comes to, and how secrets are read.

use std::path::Path;
use std::time::Duration;

use crate::site::{Auth, Database, HeaderValue, Login, PreflightSite, QueueKind, Site, Tls, TokenSource};
use crate::{Problems, parse_site};

fn parse(text: &str) -> Result<Site, Problems> {
    parse_site(Path::new("/etc/haulier/site.toml"), text)
}

fn site(text: &str) -> Site {
    parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The least that a site holds, with its own target table.
fn with_target(target: &str) -> Site {
    site(&format!(
        "[source]\nurl = \"sqlite:field.sqlite\"\n[queue]\nurl = \"embedded:q.sqlite\"\n[ledger]\nurl = \"sqlite:l.sqlite\"\n[target]\n{target}\n"
    ))
}

#[test]
fn relative_paths_start_in_the_sites_folder() {
    let site = with_target("base_url = \"http://127.0.0.1:7700/api/\"");
    assert_eq!(site.source.database, Database::Sqlite("/etc/haulier/field.sqlite".into()));
    assert_eq!(site.queue.kind, QueueKind::Embedded("/etc/haulier/q.sqlite".into()));
    assert_eq!(site.state, Path::new("/etc/haulier/state"));
    assert_eq!(site.target.base_url, "http://127.0.0.1:7700/api");
    assert_eq!(site.target.auth, None);
}

#[test]
fn what_is_left_out_has_a_default() {
    let site = with_target("base_url = \"http://localhost\"");
    assert_eq!((site.produce.fibres, site.produce.rate, site.produce.chunk), (4, None, 5_000));
    assert_eq!((site.push.workers, site.push.rate, site.push.parcel), (8, None, 100));
    assert_eq!(site.push.zombie_grace, Duration::from_mins(1));
    assert_eq!(site.push.silent_after, Duration::from_secs(10));
    assert_eq!((site.target.timeout, site.target.max_reply), (Duration::from_secs(30), 1 << 20));
    let ready = PreflightSite { least_free: 1 << 30, clocks: Duration::from_secs(5) };
    assert_eq!(site.preflight, ready);
    assert_eq!((site.queue.name, site.queue.prefetch, &*site.ledger.schema), (None, None, "haulier"));
}

#[test]
fn room_and_clocks_are_the_sites_to_say() {
    let target = "base_url = \"http://localhost\"\n[preflight]\nleast_free = \"20GiB\"\nclocks = \"2s\"";
    let ready = PreflightSite { least_free: 20 << 30, clocks: Duration::from_secs(2) };
    assert_eq!(with_target(target).preflight, ready);
}

#[test]
fn servers_off_this_machine_are_reached_encrypted() {
    let site = site(
        r#"
        [source]
        url = "mariadb://us%40er@db.example.net:3307/my%20db"
        [queue]
        url = "amqps://rabbit.example.net/%2Fv"
        ca_file = "ca.pem"
        [ledger]
        url = "postgres://haulier@[::1]/ledger"
        [target]
        base_url = "https://hq.example.net"
        "#,
    );
    let Database::MySql(source) = &site.source.database else { panic!("{site:?}") };
    assert_eq!(
        (&*source.host, source.port, &*source.user, &*source.database),
        ("db.example.net", 3307, "us@er", "my db")
    );
    assert_eq!(source.tls, Tls::System);
    let QueueKind::Amqp { server, .. } = &site.queue.kind else { panic!("{site:?}") };
    assert_eq!((server.port, &*server.user, &*server.database), (5671, "guest", "/v"));
    assert_eq!(server.tls, Tls::Authorities("/etc/haulier/ca.pem".into()));
    let Database::Postgres(ledger) = &site.ledger.database else { panic!("{site:?}") };
    assert_eq!((&*ledger.host, ledger.port, &ledger.tls), ("::1", 5432, &Tls::Off));
}

#[test]
fn plain_text_is_taken_on_this_machine_or_by_consent() {
    let plain = |host: &str, more: &str| {
        parse(&format!(
            "[source]\nurl = \"postgres://u@{host}/d\"\n{more}\n[queue]\nurl = \"amqp://{host}\"\n{more}\n[ledger]\nurl = \"sqlite:l\"\n[target]\nbase_url = \"http://{host}\"\n{more}\n"
        ))
    };
    for local in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "hq.localhost"] {
        plain(local, "").unwrap_or_else(|problems| panic!("{local}: {problems}"));
    }
    assert_eq!(plain("10.0.0.1", "").unwrap_err().len(), 2);
    let site = plain("10.0.0.1", "insecure = true").unwrap();
    let Database::Postgres(source) = &site.source.database else { panic!("{site:?}") };
    assert_eq!(source.tls, Tls::Off);
}

#[test]
fn every_kind_of_credential_is_read() {
    let auth =
        |text: &str| with_target(&format!("base_url = \"https://hq\"\nauth = {text}")).target.auth.unwrap();
    assert!(matches!(auth("{ bearer = { env = \"T\" } }"), Auth::Bearer(_)));
    assert!(
        matches!(auth("{ header = \"X-Key\", value = { file = \"k\" } }"), Auth::Header { name, .. } if name == "X-Key")
    );
    assert!(
        matches!(auth("{ basic = { user = \"u\", password = { env = \"P\" } } }"), Auth::Basic { user, .. } if user == "u")
    );
    let Auth::Login(Login { token, header, format, lifetime, .. }) = auth(
        r#"{ login = { path = "/tokens", body = '{"name":"{user}","password":"{password}"}', user = "u", password = { env = "P" }, token_header = "X-Subject-Token", header = "X-Auth-Token", lifetime = "1h" } }"#,
    ) else {
        panic!("a login")
    };
    assert_eq!(token, TokenSource::Header("X-Subject-Token".to_owned()));
    assert_eq!((&*header, &*format, lifetime), ("X-Auth-Token", "{token}", Some(Duration::from_hours(1))));
    let headers = with_target("base_url = \"https://hq\"\nheaders = { A = \"b\", X-Key = { env = \"K\" } }")
        .target
        .headers;
    assert!(matches!(headers.as_slice(), [(_, HeaderValue::Text(_)), (_, HeaderValue::Secret(_))]));
}

#[test]
fn a_secret_is_never_shown_and_read_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter2\n").unwrap();
    chmod(&file, 0o600);
    let site = with_target(&format!(
        "base_url = \"https://hq\"\nauth = {{ bearer = {{ file = \"{}\" }} }}",
        file.display()
    ));
    assert!(!format!("{site:?}").contains("hunter2") && format!("{site:?}").contains("Bearer(***)"));
    let Some(Auth::Bearer(secret)) = site.target.auth else { panic!("a bearer token") };
    assert_eq!(secret.reveal().unwrap(), "hunter2");

    chmod(&file, 0o640);
    let problem = secret.reveal().unwrap_err().to_string();
    assert!(problem.starts_with("/etc/haulier/site.toml:9:19: the secret file "), "{problem}");
    assert!(problem.contains("read by others") && problem.contains("hint: chmod 600 "), "{problem}");

    chmod(&file, 0o600);
    std::fs::write(&file, "\n").unwrap();
    assert!(secret.reveal().unwrap_err().message.ends_with("is empty"));
    std::fs::remove_file(&file).unwrap();
    assert!(secret.reveal().unwrap_err().message.contains("cannot be read"));
}

#[test]
fn a_variable_that_is_not_set_is_told_with_the_place_that_names_it() {
    let site = with_target(
        "base_url = \"https://hq\"\nauth = { bearer = { env = \"HAULIER_TEST_NO_SUCH_VARIABLE\" } }",
    );
    let Some(Auth::Bearer(secret)) = site.target.auth else { panic!("a bearer token") };
    assert_eq!(
        secret.reveal().unwrap_err().to_string(),
        "/etc/haulier/site.toml:9:19: the environment has no variable `HAULIER_TEST_NO_SUCH_VARIABLE` to take the secret from\n  \
         hint: set `HAULIER_TEST_NO_SUCH_VARIABLE` for this process, or name a file: `{ file = \"...\" }`"
    );
}

fn chmod(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}
