//! The server: HTTP/1.1 by hand, because a proper library would not let itself be broken.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Fault, Reply, Script, Seen};

/// Accepts connections until it is aborted; they end with it.
pub(super) async fn run(listener: TcpListener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Ok((stream, _)) = listener.accept().await {
        let script = Arc::clone(&script);
        connections.spawn(async move {
            // A client that goes away is no concern of the test's.
            drop(serve(stream, number, &script).await);
        });
        number += 1;
    }
}

async fn serve(mut stream: TcpStream, connection: usize, script: &Script) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(seen) = receive(&mut stream, &mut buffer, connection).await? {
        let reply = script.answer(seen);
        if !answer(&mut stream, reply).await? {
            break;
        }
    }
    Ok(())
}

/// The next request; `None` when the client closed the connection.
async fn receive(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Seen>> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head: Vec<u8> = buffer.drain(..head_end).collect();
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body: Vec<u8> = buffer.drain(..length).collect();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Seen { at: Instant::now(), connection, method, path, headers, body }))
}

/// Sends the reply; false when the connection is over.
async fn answer(stream: &mut TcpStream, reply: Reply) -> io::Result<bool> {
    match &reply.fault {
        Fault::Cut => return Ok(false),
        Fault::Reset => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Fault::Hold(gate) => gate.pass().await,
        Fault::None
        | Fault::HalfBody
        | Fault::WrongLength
        | Fault::CloseAfter
        | Fault::SayClose
        | Fault::Chunked
        | Fault::Endless
        | Fault::Drip(_) => {}
    }
    let body = &reply.body;
    let mut head = vec![format!("HTTP/1.1 {} Scripted", reply.status)];
    head.extend(reply.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let chunked = matches!(reply.fault, Fault::Chunked | Fault::Endless);
    if chunked {
        head.push("Transfer-Encoding: chunked".to_owned());
    } else if !matches!(reply.status, 204 | 304) {
        // Those two have neither body nor length.
        let promised = body.len() + usize::from(matches!(reply.fault, Fault::WrongLength));
        head.push(format!("Content-Length: {promised}"));
    }
    if matches!(reply.fault, Fault::SayClose) {
        head.push("Connection: close".to_owned());
    }
    let mut bytes = format!("{}\r\n\r\n", head.join("\r\n")).into_bytes();
    if chunked {
        for chunk in body.chunks(7) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        if matches!(reply.fault, Fault::Endless) {
            stream.write_all(&bytes).await?;
            let more = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            // Ends with an error, once the other side has had enough.
            loop {
                stream.write_all(more.as_bytes()).await?;
            }
        }
        bytes.extend(b"0\r\n\r\n");
    } else {
        bytes.extend(body);
    }
    if matches!(reply.fault, Fault::HalfBody) {
        bytes.truncate(bytes.len() - body.len().div_ceil(2));
    }
    if let Fault::Drip(pause) = &reply.fault {
        for byte in &bytes {
            stream.write_all(&[*byte]).await?;
            tokio::time::sleep(*pause).await;
        }
    } else {
        stream.write_all(&bytes).await?;
    }
    Ok(match &reply.fault {
        Fault::None | Fault::Chunked | Fault::Drip(_) | Fault::Hold(_) => true,
        Fault::Cut
        | Fault::Reset
        | Fault::HalfBody
        | Fault::WrongLength
        | Fault::CloseAfter
        | Fault::Endless
        | Fault::SayClose => false,
    })
}
