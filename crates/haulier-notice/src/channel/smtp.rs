//! Mail by SMTP.

use std::path::PathBuf;

use async_trait::async_trait;
use haulier_core::notice::Post;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Channel, Delivery, PATIENCE, mark};

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS by STARTTLS, refused where the server has none (port 587 or 25).
    StartTls,
    /// None; for a server on this machine.
    Plain,
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// Who vouches for it, beside the system's authorities: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The sender: `haulier <ops@example.org>`.
    pub from: String,
    /// User and password.
    pub login: Option<(String, String)>,
}

/// Why a mail server cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SmtpError(String);

/// A mail server that takes posts.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    at: String,
}

impl Smtp {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// The sender is no address, or the authorities cannot be read.
    pub fn new(options: &SmtpOptions) -> Result<Self, SmtpError> {
        let from: Mailbox = options
            .from
            .parse()
            .map_err(|error| SmtpError(format!("`{}` is not a mail address: {error}", options.from)))?;
        let parameters = || {
            let mut builder = TlsParameters::builder(options.host.clone());
            if let Some(file) = &options.ca_file {
                let pem =
                    std::fs::read(file).map_err(|error| SmtpError(format!("{}: {error}", file.display())))?;
                let certificate = Certificate::from_pem(&pem)
                    .map_err(|error| SmtpError(format!("{}: {error}", file.display())))?;
                // It stands alone: the authorities of this machine are not believed beside it.
                builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
            }
            builder.build_rustls().map_err(|error| SmtpError(error.to_string()))
        };
        let tls = match options.security {
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::StartTls => Tls::Required(parameters()?),
            Security::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(PATIENCE / 3));
        if let Some((user, password)) = &options.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from, at: format!("{}:{}", options.host, options.port) })
    }

    fn message(&self, post: &Post) -> Result<Message, String> {
        let what = &post.what;
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            // Every attempt has the same, so that a mailbox can tell them for one.
            .message_id(Some(format!("<{}@{domain}>", mark(post))))
            .subject(what.title.replace(['\r', '\n'], " "))
            .header(ContentType::TEXT_PLAIN);
        if what.to.is_empty() {
            return Err(format!("audience {} has no address", what.audience));
        }
        for address in &what.to {
            let mailbox: Mailbox =
                address.parse().map_err(|_| format!("audience {}: an address is none", what.audience))?;
            builder = builder.to(mailbox);
        }
        builder.body(what.text.clone()).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Channel for Smtp {
    async fn deliver(&self, post: &Post) -> Delivery {
        let message = match self.message(post) {
            Ok(message) => message,
            Err(problem) => return Delivery::Refused(problem),
        };
        // A server that cannot be reached has surely got nothing; what breaks later is in doubt.
        match tokio::time::timeout(PATIENCE / 3, self.transport.test_connection()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => {
                return Delivery::Refused(format!("the mail server {} closed the connection", self.at));
            }
            Ok(Err(error)) => {
                return Delivery::Refused(format!(
                    "the mail server {} cannot be used: {}",
                    self.at,
                    chain(&error)
                ));
            }
            Err(_) => return Delivery::Refused(format!("the mail server {} does not answer", self.at)),
        }
        match tokio::time::timeout(PATIENCE / 2, self.transport.send(message)).await {
            Ok(Ok(reply)) => Delivery::Accepted(format!("{} said {}", self.at, reply.code())),
            Ok(Err(error)) if error.is_permanent() || error.is_transient() => {
                Delivery::Refused(format!("the mail server {} refused it: {}", self.at, chain(&error)))
            }
            Ok(Err(error)) => Delivery::Lost(format!("the mail server {}: {}", self.at, chain(&error))),
            Err(_) => Delivery::Lost(format!("the mail server {} did not answer", self.at)),
        }
    }

    async fn knows(&self, _: &Post) -> Option<bool> {
        None
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
