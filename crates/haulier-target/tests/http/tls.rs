//! HTTPS: only certificates that are trusted, for the host that was asked for.

use std::path::PathBuf;

use haulier_core::FailureKind;
use haulier_core::plan::{Entity, Method, PushProgram};
use haulier_core::port::Push;
use haulier_target::{Options, open};
use haulier_testkit::fake_target::{CountingThrottle, FakeTarget, entity, record, request};
use haulier_testkit::tls::{Authority, Front};

/// A TLS front before the scripted target, with a certificate for `localhost`.
struct Site {
    folder: tempfile::TempDir,
    front: Front,
    fake: FakeTarget,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fake = FakeTarget::start().await;
        let authority = Authority::for_server("localhost", folder.path());
        let front = authority.front(fake.url().trim_start_matches("http://")).await;
        Self { folder, front, fake }
    }

    fn options(&self, host: &str, ca_file: Option<PathBuf>) -> Options {
        let mut options = Options::new(format!("https://{host}:{}", self.front.port()));
        options.ca_file = ca_file;
        options
    }

    fn ca_file(&self) -> Option<PathBuf> {
        Some(self.folder.path().join("ca.pem"))
    }
}

fn user() -> Entity {
    entity(
        "user",
        PushProgram::Create { create: request(Method::Post, "/users"), lookup: None, update: None },
    )
}

async fn push(options: &Options) -> Result<String, (FailureKind, String)> {
    let (entity, record) = (user(), record("1", r#"{"n":1}"#, &["", ""]));
    let push = Push {
        entity: &entity,
        record: &record,
        refs: &[],
        known: None,
        unsure: false,
        idempotency_key: "k",
    };
    match open(options).unwrap().push(push, &CountingThrottle::default()).await {
        haulier_core::Outcome::Landed { id, .. } => Ok(id.as_str().to_owned()),
        haulier_core::Outcome::Failed(failure) => Err((failure.kind, failure.reason)),
    }
}

#[tokio::test]
async fn a_trusted_certificate_opens_the_way() {
    let site = Site::new().await;
    site.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
    assert_eq!(push(&site.options("localhost", site.ca_file())).await, Ok("1".to_owned()));
}

#[tokio::test]
async fn an_untrusted_or_foreign_certificate_does_not() {
    let site = Site::new().await;
    let untrusted = push(&site.options("localhost", None)).await;
    let foreign = push(&site.options("127.0.0.1", site.ca_file())).await;
    for (refused, words) in [(untrusted, "UnknownIssuer"), (foreign, "not valid for")] {
        let (kind, reason) = refused.unwrap_err();
        assert_eq!(kind, FailureKind::Transient, "nothing was sent");
        assert!(reason.contains(words), "{reason}");
    }
    assert!(site.fake.log().is_empty());
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "").unwrap();
    let mut options = Options::new("https://localhost");
    options.ca_file = Some(file);
    assert!(open(&options).unwrap_err().to_string().contains("no certificate"));
}
