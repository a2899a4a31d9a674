//! Neighbours that are not there, do not answer, or do not let haulier in; secrets and plain text where they do not belong.

use tokio::net::TcpListener;

use super::refused;
use crate::support::services::address;
use crate::support::{Case, LedgerKind, QueueKind, Setting, process};

async fn case() -> Case {
    Case::small(Setting::default(), 1).await
}

/// The line of the site file that begins so, whatever follows.
fn line(case: &Case, start: &str) -> String {
    let site = std::fs::read_to_string(case.path("site.toml")).unwrap();
    site.lines()
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no {start} in {site}"))
        .to_owned()
}

/// Gives a table of the site another address.
fn point(case: &Case, old: &str, url: &str) {
    case.write_files();
    let old = line(case, old);
    case.edit("site.toml", &old, &format!("url = \"{url}\""));
}

const SOURCE: &str = "url = \"sqlite:/";
const QUEUE: &str = "url = \"embedded:";
const LEDGER: &str = "url = \"sqlite:ledger";

#[tokio::test]
async fn whoever_is_not_there_is_named_with_the_way_out() {
    let case = case().await;
    point(&case, SOURCE, "sqlite:nowhere.sqlite");
    refused(&case, &["run"], 4, &["error: the source at", "nowhere.sqlite", "hint: check `source.url`"])
        .await;
    for (scheme, user) in [("postgres", "reader"), ("mysql", "reader")] {
        point(&case, SOURCE, &format!("{scheme}://{user}@127.0.0.1:1/field"));
        let says = ["error: the source at 127.0.0.1:1 cannot be reached", "hint: check `source.url`"];
        refused(&case, &["run"], 4, &says).await;
        let checked = case.haulier(&["check", "--json"]).run().await.expect(4);
        assert!(says.iter().all(|part| checked.stderr.contains(part)), "{}", checked.stderr);
        // The others are asked all the same.
        let findings = checked.json()["findings"].to_string();
        assert!(
            findings.contains("takes the credentials") && findings.contains("not there yet"),
            "{findings}"
        );
    }
    point(&case, QUEUE, "amqp://guest@127.0.0.1:1");
    refused(
        &case,
        &["run"],
        4,
        &["error: the queue at 127.0.0.1:1 cannot be reached", "hint: check `queue.url`"],
    )
    .await;
    point(&case, LEDGER, "postgres://haulier@127.0.0.1:1/ledger");
    for command in ["run", "produce", "work", "status", "empty"] {
        let says = ["error: the ledger at 127.0.0.1:1", "hint: check `ledger.url`"];
        refused(&case, &[command], 4, &says).await;
    }
    // A folder that is a file.
    point(&case, LEDGER, "sqlite:plan.toml/ledger.sqlite");
    refused(&case, &["run"], 4, &["error: ", "plan.toml"]).await;
    case.write_files();
    let target = line(&case, "base_url");
    case.edit("site.toml", &target, "base_url = \"http://127.0.0.1:1/api/v1\"");
    let says = ["error: the target: ", "127.0.0.1:1", "hint: check `target.base_url`"];
    refused(&case, &["run"], 4, &says).await;
    case.end().await;
}

#[tokio::test]
async fn whoever_takes_the_connection_and_says_nothing_is_given_up_within_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let listening = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(silent.accept().await.unwrap());
        }
    });
    let silent = async |table: &str, url: String, says: String| {
        let case = case().await;
        point(&case, table, &url);
        refused(&case, &["run"], 4, &[&says]).await;
        case.end().await;
    };
    let target = async {
        let case = case().await;
        let target = line(&case, "base_url");
        case.edit("site.toml", &target, &format!("base_url = \"http://{at}/api/v1\"\ntimeout = \"2s\""));
        refused(&case, &["run"], 4, &["the target: "]).await;
        case.end().await;
    };
    tokio::join!(
        silent(
            SOURCE,
            format!("postgres://reader@{at}/field"),
            format!("the source at {at} cannot be reached")
        ),
        silent(SOURCE, format!("mysql://reader@{at}/field"), format!("the source at {at} cannot be reached")),
        silent(QUEUE, format!("amqp://guest@{at}"), format!("the queue at {at} cannot be reached")),
        silent(LEDGER, format!("postgres://haulier@{at}/ledger"), format!("the ledger at {at}")),
        target,
    );
    listening.abort();
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_from_a_wrong_address() {
    let case = case().await;
    process::write_secret(&case.path("wrong"), "hunter2");
    // The test servers let everybody in who exists; MariaDB's root has no password, so any is wrong.
    let mysql = address("HAULIER_TEST_MYSQL_URL");
    point(&case, SOURCE, &format!("{mysql}\"\npassword = {{ file = \"wrong\" }} #"));
    let says = ["error: the source at", "refuses the credentials", "hint: check the user in `source.url`"];
    refused(&case, &["run"], 4, &says).await;
    let postgres = address("HAULIER_TEST_POSTGRES_URL").replace("postgres@", "nobody_here@");
    point(&case, SOURCE, &postgres);
    refused(&case, &["run"], 4, &says).await;
    point(&case, LEDGER, &postgres);
    let says = ["error: the ledger at", "refuses the credentials", "hint: check the user in `ledger.url`"];
    refused(&case, &["run"], 4, &says).await;
    let amqp = address("HAULIER_TEST_AMQP_URL").replace("guest:guest@", "guest@");
    point(&case, QUEUE, &format!("{amqp}\"\npassword = {{ file = \"wrong\" }} #"));
    let says = ["error: the queue at", "refuses the credentials", "hint: check the user in `queue.url`"];
    refused(&case, &["run"], 4, &says).await;
    case.write_files();
    process::write_secret(&case.path("hq.token"), "hunter2");
    let says = ["error: the target: credential (HTTP 401)", "hint: check `target.auth`"];
    refused(&case, &["run"], 4, &says).await;
    let checked = case.haulier(&["check"]).run().await.expect(4);
    assert!(says.iter().all(|part| checked.stderr.contains(part)), "{}", checked.stderr);
    assert!(checked.stdout.contains("NO  target"), "{}", checked.stdout);
    // Nothing was made on the way: the ledger holds no run.
    refused(&case, &["status"], 1, &["there has been no run yet"]).await;
    case.end().await;
}

#[tokio::test]
async fn a_secret_in_the_file_and_plain_text_off_this_machine_are_refused_before_anybody_is_called() {
    let case = case().await;
    let from = "postgres://reader:hunter2@127.0.0.1:1/field";
    for command in ["init", "scan"] {
        let says = ["the URL of `--from` holds a password", "HAULIER_SOURCE_PASSWORD"];
        refused(&case, &[command, "--from", from], 2, &says).await;
    }
    let says = ["site.toml:2:", "a password is written into the address", "hint: "];
    point(&case, SOURCE, "postgres://reader:hunter2@127.0.0.1:1/field");
    refused(&case, &["run"], 3, &says).await;
    for (table, url) in [
        (SOURCE, "mysql://reader@db.example.net/field"),
        (QUEUE, "amqp://haulier@rabbit.example.net"),
        (LEDGER, "postgres://haulier@db.example.net/ledger"),
    ] {
        point(&case, table, url);
        // `postgres` and `mysql` are encrypted off this machine by default; only a broker's address says which it is.
        if table == QUEUE {
            refused(&case, &["run"], 3, &["the way to \"rabbit.example.net\" is not encrypted", "amqps://"])
                .await;
        }
    }
    case.write_files();
    let target = line(&case, "base_url");
    case.edit("site.toml", &target, "base_url = \"http://hq.example.net/api\"");
    refused(&case, &["run"], 3, &["the way to \"hq.example.net\" is not encrypted", "https://"]).await;
    case.write_files();
    case.edit("site.toml", "{ file = \"hq.token\" }", "\"hunter2\"");
    refused(&case, &["run"], 3, &["a secret is written into the file", "{ env = \"NAME\" }"]).await;
    case.write_files();
    std::fs::set_permissions(case.path("hq.token"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    refused(&case, &["run"], 3, &["can be read by others than its owner", "chmod 600"]).await;
    case.end().await;
}

#[tokio::test]
async fn a_queue_that_somebody_declared_otherwise_is_refused_by_name() {
    let setting = Setting { queue: QueueKind::Rabbit, ledger: LedgerKind::Sqlite, ..Setting::default() };
    let case = Case::small(setting, 1).await;
    let name = line(&case, "name = ").replace("name = ", "").replace('"', "");
    let api = address("HAULIER_TEST_AMQP_API_URL").replace("guest:guest@", "");
    let login = [("authorization", "Basic Z3Vlc3Q6Z3Vlc3Q="), ("content-type", "application/json")];
    let url = format!("{api}/api/queues/%2F/{name}");
    let classic = r#"{"durable":true,"auto_delete":false,"arguments":{"x-queue-type":"classic"}}"#;
    let (status, body) = crate::support::http::request("PUT", &url, &login, classic).await;
    assert_eq!(status, 201, "{body}");
    let says =
        [&format!("error: the queue `{name}` is not as haulier declares it"), "hint: name another queue"];
    refused(&case, &["run"], 3, &says).await;
    refused(&case, &["produce"], 3, &says).await;
    case.end().await;
}

#[tokio::test]
async fn one_cut_connection_at_the_start_ends_no_run() {
    let case = case().await;
    let base = line(&case, "base_url");
    let target = base.split(['/', '"']).find(|part| part.starts_with("127.0.0.1:")).unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let forwarding = tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            let mut to = tokio::net::TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    case.edit("site.toml", &base, &format!("base_url = \"http://{at}/api/v1\""));
    case.haulier(&["run"]).run().await.expect(0);
    forwarding.abort();
    case.end().await;
}
