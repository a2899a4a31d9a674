//! What a process measures, as Prometheus reads it: `GET /metrics` on an address of the operator's choice.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use haulier_throttle::{Controls, Gate, Meter};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::CliError;
use crate::exit::Exit;

/// What is shown.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The run, as a label.
    pub(crate) run: String,
    /// The process, as a label.
    pub(crate) process: String,
    /// What walks obey, where the process produces.
    pub(crate) produce: Option<Arc<Controls>>,
    /// What pushes obey, where the process works.
    pub(crate) push: Option<Arc<Controls>>,
    /// What was measured.
    pub(crate) meter: Arc<Meter>,
}

/// Answers on this address until it is dropped.
#[derive(Debug)]
pub(crate) struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to answer; an address that cannot be had is an error.
pub(crate) async fn serve(at: SocketAddr, source: Source) -> Result<Server, CliError> {
    let listener = TcpListener::bind(at).await.map_err(|error| {
        CliError::new(Exit::Usage, format!("`--metrics {at}`: the address cannot be used: {error}"))
            .hint("choose a free port, such as 127.0.0.1:9464")
    })?;
    tracing::info!(at = ?listener.local_addr().ok(), "metrics are served");
    let source = Arc::new(source);
    Ok(Server(tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // No file handles, for one: better in a moment.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let source = Arc::clone(&source);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answer = answer(&request, &source);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
                if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                    tracing::debug!(%error, "a reader of the metrics went away");
                }
            });
        }
    })))
}

fn answer(request: &Request<Incoming>, source: &Source) -> Response<Full<Bytes>> {
    let found = request.method() == Method::GET && request.uri().path() == "/metrics";
    let (status, text) = if found {
        (StatusCode::OK, text(source))
    } else {
        (StatusCode::NOT_FOUND, "GET /metrics\n".to_owned())
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}

/// The text format of Prometheus, version 0.0.4.
fn text(source: &Source) -> String {
    let mut page = Page { text: String::new(), labels: labels(source) };
    let (totals, measured) = (source.meter.totals(), source.meter.measured());
    #[expect(clippy::cast_precision_loss, reason = "what the format has is a float")]
    let float = |count: u64| count as f64;
    #[expect(clippy::cast_precision_loss, reason = "what the format has is a float")]
    let slots = |count: usize| count as f64;
    let open = |controls: &Controls| if *controls.gate().borrow() == Gate::Open { 1.0 } else { 0.0 };
    if let Some(push) = &source.push {
        page.gauge(
            "haulier_push_workers",
            "Pushes at a time that this process may have.",
            slots(push.slots.limit()),
        );
        page.gauge("haulier_push_in_flight", "Requests of this process under way.", slots(push.in_flight()));
        page.gauge("haulier_push_open", "Whether new pushes may begin.", open(push));
        if let Some(rate) = push.flow.rate().per_second() {
            page.gauge("haulier_push_rate_limit", "Requests a second that this process may send.", rate);
        }
        page.counter("haulier_requests_total", "Requests to the target.", float(totals.requests));
        page.counter("haulier_answers_total", "Complete answers of the target.", float(totals.answers));
        page.counter("haulier_throttled_total", "Answers that asked for less.", float(totals.throttled));
        page.counter("haulier_failed_total", "Other 5xx, time-outs, lost connections.", float(totals.failed));
        page.gauge(
            "haulier_requests_per_second",
            "Requests a second of the last 10 s.",
            measured.requests_per_second,
        );
        page.head("haulier_latency_seconds", "gauge", "Time to a complete answer, last 10 s.");
        for (name, share) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
            if let Some(ms) = measured.latencies.quantile_ms(share) {
                page.line("haulier_latency_seconds", &format!(",quantile=\"{name}\""), ms / 1000.0);
            }
        }
    }
    if let Some(produce) = &source.produce {
        page.gauge("haulier_produce_fibres", "Walks at a time.", slots(produce.slots.limit()));
        page.gauge("haulier_produce_walking", "Walks that are under way.", slots(produce.slots.out()));
        page.gauge("haulier_produce_open", "Whether records may be produced.", open(produce));
        page.gauge("haulier_produce_chunk_rows", "Most rows of one read.", f64::from(produce.chunk()));
        if let Some(rate) = produce.flow.rate().per_second() {
            page.gauge("haulier_produce_rate_limit", "Records a second that may be produced.", rate);
        }
        page.counter("haulier_produced_total", "Records that went into the queue.", float(totals.produced));
        page.gauge(
            "haulier_produced_per_second",
            "Records a second of the last 10 s.",
            measured.produced_per_second,
        );
    }
    page.text
}

struct Page {
    text: String,
    labels: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // A text takes whatever is written.
        let _written = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, more: &str, value: f64) {
        let _written = writeln!(self.text, "{name}{{{}{more}}} {value}", self.labels);
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, "gauge", help);
        self.line(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, "counter", help);
        self.line(name, "", value);
    }
}

fn labels(source: &Source) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("run=\"{}\",process=\"{}\"", quoted(&source.run), quoted(&source.process))
}
