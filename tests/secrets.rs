//! Secrets and personal values are in no output, whatever is asked for and whatever fails.

use std::path::Path;

use haulier_testkit::fake_target::{FakeTarget, Reply};

use crate::support::process::{self, Ended};
use crate::support::services::{self, Engine, address};
use crate::support::{Case, LedgerKind, QueueKind, Setting, http};

/// What must never be seen: the token, and the passwords of source, ledger and queue.
const CANARIES: [&str; 4] =
    ["canary-token-4711", "canary-source-4712", "canary-ledger-4713", "canary-queue-4714"];

fn assert_clean(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{what} shows {canary}");
    }
    // As the AMQP and HTTP clients would write them.
    for encoded in ["Y2FuYXJ5", "99, 97, 110, 97, 114, 121"] {
        assert!(!text.contains(encoded), "{what} shows a canary in disguise ({encoded})");
    }
}

/// A command at the most talkative level.
async fn loud(case: &Case, args: &[&str]) -> Ended {
    let ended = case
        .haulier(&[args, &["-vv"]].concat())
        .env("HAULIER_LOG", "trace")
        .env("CANARY_QUEUE", CANARIES[3])
        .env("RUST_BACKTRACE", "1")
        .run()
        .await;
    assert_clean(&format!("{args:?} on stdout"), &ended.stdout);
    assert_clean(&format!("{args:?} on stderr"), &ended.stderr);
    ended
}

/// Every file that was written, databases included.
fn assert_files_clean(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_files_clean(&path);
        } else if path.extension().is_none_or(|ending| ending != "secret") {
            let bytes = std::fs::read(&path).unwrap();
            assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

/// A user of the broker with a password of its own.
async fn broker_user(name: &str, method: &str) {
    let api = address("HAULIER_TEST_AMQP_API_URL").replace("guest:guest@", "");
    let headers = [("authorization", "Basic Z3Vlc3Q6Z3Vlc3Q="), ("content-type", "application/json")];
    let user = format!(r#"{{"password":"{}","tags":"monitoring"}}"#, CANARIES[3]);
    let rights = r#"{"configure":".*","write":".*","read":".*"}"#;
    let (status, body) = http::request(method, &format!("{api}/api/users/{name}"), &headers, &user).await;
    assert!(status < 300, "{status} {body}");
    if method == "PUT" {
        let url = format!("{api}/api/permissions/%2F/{name}");
        let (status, body) = http::request("PUT", &url, &headers, rights).await;
        assert!(status < 300, "{status} {body}");
    }
}

#[tokio::test]
async fn no_secret_is_in_any_output_at_any_level_whatever_fails() {
    let setting = Setting {
        source: Engine::Postgres,
        queue: QueueKind::Rabbit,
        ledger: LedgerKind::Postgres,
        ..Setting::default()
    };
    let case = Case::small(setting, 2).await;
    broker_user(case.name(), "PUT").await;
    for (file, canary) in
        [("source.secret", CANARIES[1]), ("ledger.secret", CANARIES[2]), ("token.secret", CANARIES[0])]
    {
        process::write_secret(&case.path(file), canary);
    }
    case.edit("site.toml", "guest@", &format!("{}@", case.name()));
    case.edit(
        "site.toml",
        "password = { env = \"TEST_AMQP_PASSWORD\" }",
        "password = { env = \"CANARY_QUEUE\" }",
    );
    // These servers let everybody in who exists; the passwords go through haulier all the same.
    case.edit("site.toml", "[source]\n", "[source]\npassword = { file = \"source.secret\" }\n");
    case.edit("site.toml", "[ledger]\n", "[ledger]\npassword = { file = \"ledger.secret\" }\n");
    let good = std::fs::read_to_string(case.path("site.toml")).unwrap();

    // A target that repeats what it was sent, in its body and in its headers.
    let parrot = FakeTarget::start().await;
    for method in ["GET", "PUT", "POST", "PATCH"] {
        parrot.on(method, "/*").with(|seen| {
            let sent = seen.header("authorization").unwrap_or_default().to_owned();
            let status = if seen.method == "GET" { 200 } else { 422 };
            Reply::json(status, &format!(r#"{{"error":"you sent {sent}"}}"#)).header("X-Echo", &sent)
        });
    }
    let url = case.sandbox.base_url().to_owned();
    case.edit("site.toml", &url, parrot.url());
    case.edit("site.toml", "hq.token", "token.secret");
    loud(&case, &["check"]).await;
    assert_eq!(loud(&case, &["run"]).await.code, Some(1));
    for args in [
        &["dead", "list"] as &[&str],
        &["dead", "list", "--json"],
        &["status"],
        &["status", "--json"],
        &["explain"],
        &["empty", "--quiet", "0"],
        &["idmap", "export"],
        &["extract", "--side", "source"],
        &["validate", "counts"],
        &["tune", "push.workers=2"],
    ] {
        loud(&case, args).await;
    }
    // Everybody refuses, or is not there.
    for (from, to) in [
        ("CANARY_QUEUE", "TEST_AMQP_PASSWORD"),
        (parrot.url(), "http://127.0.0.1:1"),
        ("source.secret", "nowhere.secret"),
        ("postgres://postgres@", "postgres://nobody_here@"),
    ] {
        std::fs::write(
            case.path("site.toml"),
            good.replace("hq.token", "token.secret").replace(&url, parrot.url()).replace(from, to),
        )
        .unwrap();
        assert_ne!(loud(&case, &["run"]).await.code, Some(0), "{from} -> {to}");
        loud(&case, &["check", "--json"]).await;
    }
    assert_files_clean(case.dir.path());
    broker_user(case.name(), "DELETE").await;
    services::drop_queues(case.name()).await;
    case.end().await;
}
