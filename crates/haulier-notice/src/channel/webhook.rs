//! A POST of JSON to an address.

use async_trait::async_trait;
use haulier_core::notice::Post;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{Channel, Delivery, PATIENCE, json, mark};

/// Bytes of an answer that are read.
const MOST: usize = 64 << 10;

/// An address. The `text` of the JSON is title and text together, as chat systems take it; `Idempotency-Key` is the same for
/// every attempt.
pub struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Uri,
    host: String,
    token: Option<HeaderValue>,
}

/// Why an address cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WebhookError(String);

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The path of such an address is often its secret.
        f.debug_struct("Webhook").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// It is no address, or the system's authorities cannot be read.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, WebhookError> {
        let address: Uri =
            url.parse().map_err(|_| WebhookError("the webhook is not an address".to_owned()))?;
        let host = address.host().unwrap_or_default().to_owned();
        if host.is_empty() || !matches!(address.scheme_str(), Some("http" | "https")) {
            return Err(WebhookError("a webhook starts with `http://` or `https://`".to_owned()));
        }
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| WebhookError(format!("the system's certificate authorities: {error}")))?
            .https_or_http()
            .enable_http1()
            .build();
        let token = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| WebhookError("the webhook's token cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, address, host, token: token.transpose()? })
    }

    fn request(&self, post: &Post) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut body = json(post);
        body["text"] = format!("{}\n\n{}", post.what.title, post.what.text).into();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.address.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("idempotency-key"), mark(post));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        request.body(Full::new(Bytes::from(body.to_string())))
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn deliver(&self, post: &Post) -> Delivery {
        let request = match self.request(post) {
            Ok(request) => request,
            Err(error) => return Delivery::Refused(error.to_string()),
        };
        let answered = tokio::time::timeout(PATIENCE / 2, async {
            let reply = self.client.request(request).await?;
            let status = reply.status();
            // Read to its end, so that the connection can be used again; what it says is nobody's secret but may be long.
            let _unread = Limited::new(reply.into_body(), MOST).collect().await;
            Ok::<_, hyper_util::client::legacy::Error>(status)
        });
        let host = &self.host;
        match answered.await {
            Ok(Ok(status)) if status.is_success() => {
                Delivery::Accepted(format!("{host} said {}", status.as_u16()))
            }
            // A gateway that lost its answer does not know either.
            Ok(Ok(status)) if matches!(status.as_u16(), 502 | 504) => {
                Delivery::Lost(format!("{host} said {}", status.as_u16()))
            }
            Ok(Ok(status)) => Delivery::Refused(format!("{host} said {}", status.as_u16())),
            Ok(Err(error)) if error.is_connect() => Delivery::Refused(format!("{host} cannot be reached")),
            Ok(Err(_)) => Delivery::Lost(format!("{host} broke the connection")),
            Err(_) => Delivery::Lost(format!("{host} did not answer")),
        }
    }

    async fn knows(&self, _: &Post) -> Option<bool> {
        None
    }
}
