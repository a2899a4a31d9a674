//! An authority of a test's own, what it certifies, and TLS before a server that speaks none.

#![expect(clippy::unwrap_used, reason = "a test service fails by panicking")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A certificate authority with one certificate that it gave: `ca.pem`, `server.pem` and `server.key` in a folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes one in this folder, and certifies a server of this name.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn for_server(name: &str, folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        // Two authorities of one name would be told apart by their signatures only.
        authority.distinguished_name.push(DnType::CommonName, format!("authority of {}", folder.display()));
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&key).unwrap();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        std::fs::create_dir_all(folder).unwrap();
        for (file, text) in
            [("ca.pem", root.pem()), ("server.pem", server.pem()), ("server.key", key.serialize_pem())]
        {
            std::fs::write(folder.join(file), text).unwrap();
        }
        Self { folder: folder.to_owned() }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The certificate by which others believe it.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Opens a port that speaks TLS with the server's certificate, and passes on to `target`, such as `127.0.0.1:80`.
    ///
    /// # Panics
    /// When no port can be opened.
    pub async fn front(&self, target: impl Into<String>) -> Front {
        let file = |name| self.folder.join(name);
        let chain: Vec<_> =
            CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let serving = serve(listener, TlsAcceptor::from(Arc::new(config)), target.into());
        Front { at, task: tokio::spawn(serving) }
    }
}

/// A port that speaks TLS, until it is dropped.
#[derive(Debug)]
pub struct Front {
    at: SocketAddr,
    task: JoinHandle<()>,
}

impl Front {
    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.at.port()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, target: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, target) = (tls.clone(), target.clone());
        tokio::spawn(async move {
            // A client that does not believe the certificate goes away in the middle of the handshake.
            let Ok(mut outer) = tls.accept(stream).await else { return };
            let Ok(mut inner) = TcpStream::connect(target).await else { return };
            drop(copy_bidirectional(&mut outer, &mut inner).await);
        });
    }
}
