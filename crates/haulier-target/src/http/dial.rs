//! Opens connections: name, TCP, TLS.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Address;
use super::connection::{Connection, Payload};
use crate::OpenError;

/// Opens connections to the one address.
pub(super) struct Dialer {
    address: Address,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    limit: Duration,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Dialer {
    pub(super) fn new(address: &Address, ca_file: Option<&Path>, limit: Duration) -> Result<Self, OpenError> {
        let tls = if address.tls {
            let name = ServerName::try_from(address.host.clone())
                .map_err(|_| OpenError::Address("its host is neither a name nor an address".to_owned()))?;
            Some((TlsConnector::from(Arc::new(tls_config(ca_file)?)), name))
        } else {
            None
        };
        Ok(Self { address: address.clone(), tls, limit })
    }

    /// A new connection, or why there is none. Nothing was sent to the target's application.
    pub(super) async fn dial(&self) -> Result<Connection, String> {
        let place = self.address.place();
        let failed = |problem: String| format!("cannot connect to {place}: {problem}");
        match timeout(self.limit, self.open()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no connection within {} ms", self.limit.as_millis()))),
        }
    }

    async fn open(&self) -> io::Result<Connection> {
        let stream = self.open_tcp().await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => handshake(TokioIo::new(stream)).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                handshake(TokioIo::new(stream)).await
            }
        }
    }

    /// Tries the name's addresses one after the other, each with its part of the time, so that one dead address is
    /// not the end.
    async fn open_tcp(&self) -> io::Result<TcpStream> {
        let addresses: Vec<_> = lookup_host((self.address.host.as_str(), self.address.port)).await?.collect();
        let parts = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match timeout(self.limit / parts, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(elapsed) => last = elapsed.into(),
            }
        }
        Err(last)
    }
}

async fn handshake<T: Read + Write + Unpin + Send + 'static>(io: T) -> io::Result<Connection> {
    let (sender, driver) = http1::handshake::<T, Payload>(io).await.map_err(io::Error::other)?;
    Ok(Connection::new(sender, Box::pin(driver)))
}

fn tls_config(ca_file: Option<&Path>) -> Result<ClientConfig, OpenError> {
    let mut roots = RootCertStore::empty();
    let from = ca_file.map_or_else(|| "the machine's store".to_owned(), |file| file.display().to_string());
    let wrong = |problem: String| OpenError::Certificates { from: from.clone(), problem };
    if let Some(file) = ca_file {
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    } else {
        // A single certificate that cannot be read must not take the machine's others with it.
        let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
