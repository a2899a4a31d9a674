//! The probe of a brake that asks an address whether all is well.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use haulier_core::port::{Probe, ProbeError};
use hyper::Method;
use hyper::header::HeaderValue;
use jiff::Timestamp;

use crate::http::{Call, Client, Trouble};
use crate::reply::http_date;
use crate::{OpenError, Options};

/// Sends HEAD to the options' base; the reading is the status.
pub fn probe(options: &Options) -> Result<Arc<dyn Probe>, OpenError> {
    Ok(Arc::new(Head { client: Client::new(options)? }))
}

#[derive(Debug)]
struct Head {
    client: Client,
}

#[async_trait]
impl Probe for Head {
    async fn read(&self) -> Result<f64, ProbeError> {
        let call = Call {
            method: Method::HEAD,
            path: "",
            headers: Vec::new(),
            content_type: None,
            body: Bytes::new(),
            limit: 1 << 16,
        };
        match self.client.send(&call, None).await {
            Ok(reply) => Ok(f64::from(reply.status)),
            Err(Trouble::Unsent(failure)) => Err(ProbeError::Failed(failure.reason)),
            Err(Trouble::Lost(reason)) => Err(ProbeError::Failed(reason)),
        }
    }
}

/// What the clock of the options' base says, to the second, by the `Date` of its reply; `None` where it sends none.
pub async fn date(options: &Options) -> Result<Option<Timestamp>, ProbeError> {
    let client = Client::new(options).map_err(|error| ProbeError::Failed(error.to_string()))?;
    let call = Call {
        method: Method::HEAD,
        path: "",
        headers: Vec::new(),
        content_type: None,
        body: Bytes::new(),
        limit: 1 << 16,
    };
    match client.send(&call, None).await {
        Ok(reply) => Ok(reply.header("date").and_then(http_date)),
        Err(Trouble::Unsent(failure)) => Err(ProbeError::Failed(failure.reason)),
        Err(Trouble::Lost(reason)) => Err(ProbeError::Failed(reason)),
    }
}

/// Posts a JSON text to the options' base, once; the answer is the status. Without a complete answer nobody knows whether it came.
pub async fn post(options: &Options, body: String) -> Result<u16, ProbeError> {
    let client = Client::new(options).map_err(|error| ProbeError::Failed(error.to_string()))?;
    let call = Call {
        method: Method::POST,
        path: "",
        headers: Vec::new(),
        content_type: Some(HeaderValue::from_static("application/json")),
        body: Bytes::from(body),
        limit: 1 << 16,
    };
    match client.send(&call, None).await {
        Ok(reply) => Ok(reply.status),
        Err(Trouble::Unsent(failure)) => Err(ProbeError::Failed(failure.reason)),
        Err(Trouble::Lost(reason)) => Err(ProbeError::Failed(reason)),
    }
}
