//! Whose certificates are believed, by the broker's connection and by its management API alike.

use std::sync::Arc;

use haulier_core::port::QueueError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Tls;

/// How TLS is spoken. Authorities that are named stand alone: those of this machine are not believed beside them.
pub(super) fn client(tls: &Tls) -> Result<ClientConfig, QueueError> {
    let mut roots = RootCertStore::empty();
    match tls {
        Tls::Authorities(file) => {
            let wrong = |cause: String| failed(format!("{}: {cause}", file.display()));
            for found in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
                let certificate = found.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
        }
        Tls::Off | Tls::System => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn failed(cause: String) -> QueueError {
    QueueError::Failed { doing: "reading the certificate authorities", cause }
}
