//! HTTPS: only certificates that are trusted, for the host that was asked for.

use std::path::PathBuf;
use std::sync::Arc;

use haulier_core::FailureKind;
use haulier_core::plan::{Entity, Method, PushProgram};
use haulier_core::port::Push;
use haulier_target::{Options, open};
use haulier_testkit::fake_target::{CountingThrottle, FakeTarget, entity, record, request};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A TLS front before the scripted target, with a certificate for `name`.
struct Front {
    port: u16,
    folder: tempfile::TempDir,
    fake: FakeTarget,
}

impl Front {
    async fn new(name: &str) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = tempfile::tempdir().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let fake = FakeTarget::start().await;
        let inner = fake.url().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust the front goes away in the middle of the handshake.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut inner = TcpStream::connect(&inner).await.unwrap();
                    tokio::spawn(async move { copy_bidirectional(&mut stream, &mut inner).await });
                }
            }
        });
        Self { port, folder, fake }
    }

    fn options(&self, host: &str, ca_file: Option<PathBuf>) -> Options {
        let mut options = Options::new(format!("https://{host}:{}", self.port));
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
    let front = Front::new("localhost").await;
    front.fake.on("POST", "/users").reply(201, r#"{"id":1}"#);
    assert_eq!(push(&front.options("localhost", front.ca_file())).await, Ok("1".to_owned()));
}

#[tokio::test]
async fn an_untrusted_or_foreign_certificate_does_not() {
    let front = Front::new("localhost").await;
    let untrusted = push(&front.options("localhost", None)).await;
    let foreign = push(&front.options("127.0.0.1", front.ca_file())).await;
    for (refused, words) in [(untrusted, "UnknownIssuer"), (foreign, "not valid for")] {
        let (kind, reason) = refused.unwrap_err();
        assert_eq!(kind, FailureKind::Transient, "nothing was sent");
        assert!(reason.contains(words), "{reason}");
    }
    assert!(front.fake.log().is_empty());
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
