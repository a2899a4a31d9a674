//! The least of an HTTP client: one request, one connection.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request to `http://host:port/path` and gives status and body.
pub(crate) async fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").expect("plain HTTP on loopback");
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(host).await.unwrap();
    let length = body.len();
    let mut head =
        vec![format!("{method} {path} HTTP/1.1"), format!("host: {host}"), "connection: close".to_owned()];
    head.push(format!("content-length: {length}"));
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let text = head.join("\r\n");
    stream.write_all(format!("{text}\r\n\r\n{body}").as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").expect("a whole reply");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { unchunked(body) } else { body.to_owned() })
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        text += &rest[..size];
        body = rest[size..].trim_start_matches("\r\n");
    }
    text
}

/// All items of a collection of the sandbox.
pub(crate) async fn all_items(base: &str, collection: &str) -> Vec<serde_json::Value> {
    let bearer = format!("Bearer {}", super::TOKEN);
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let url = format!("{base}/{collection}?limit=500{cursor}");
        let (status, body) = request("GET", &url, &[("authorization", &bearer)], "").await;
        assert_eq!(status, 200, "{url}: {body}");
        let page: serde_json::Value = serde_json::from_str(&body).unwrap();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}
