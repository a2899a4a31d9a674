//! A TCP proxy that misbehaves on command: between a client and a server that must notice nothing, or everything.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Forward,
    /// Keeps connections open and passes nothing on.
    BlackHole,
    /// Resets every new connection at once.
    Refuse,
}

/// A proxy on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    at: SocketAddr,
    control: Arc<watch::Sender<Control>>,
}

#[derive(Debug, Clone, Copy)]
struct Control {
    mode: Mode,
    /// Connections of an earlier cut are reset.
    cut: u64,
    ended: bool,
}

impl Proxy {
    /// Starts to forward to `target`, such as `127.0.0.1:5672`.
    pub async fn start(target: impl Into<String>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let at = listener.local_addr()?;
        let (control, watched) = watch::channel(Control { mode: Mode::Forward, cut: 0, ended: false });
        tokio::spawn(accept(listener, target.into(), watched));
        Ok(Self { at, control: Arc::new(control) })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Changes what is done with all connections, present and to come.
    pub fn set(&self, mode: Mode) {
        self.control.send_modify(|control| control.mode = mode);
    }

    /// Resets every connection (TCP RST to both sides); new ones may come.
    pub fn cut(&self) {
        self.control.send_modify(|control| control.cut += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.control.send_modify(|control| {
            control.ended = true;
            control.cut += 1;
        });
    }
}

async fn accept(listener: TcpListener, target: String, mut control: watch::Receiver<Control>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            ended = control.wait_for(|control| control.ended) => {
                drop(ended);
                return;
            }
        };
        let Ok((client, _)) = accepted else { return };
        let now = *control.borrow();
        if now.mode == Mode::Refuse {
            reset(client);
        } else {
            tokio::spawn(serve(client, target.clone(), control.clone(), now.cut));
        }
    }
}

async fn serve(mut client: TcpStream, target: String, control: watch::Receiver<Control>, cut: u64) {
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(client) };
    let (mut up, mut down) = (control.clone(), control.clone());
    let mut cutting = control;
    let was_cut = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            watched = cutting.wait_for(|control| control.cut != cut) => { drop(watched); true }
            () = pump(&mut from_client, &mut to_server, &mut up) => false,
            () = pump(&mut from_server, &mut to_client, &mut down) => false,
        }
    };
    if was_cut {
        reset(client);
        reset(server);
    }
}

/// Passes on one direction until either side ends.
async fn pump(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, control: &mut watch::Receiver<Control>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if control.wait_for(|control| control.mode != Mode::BlackHole).await.is_err() {
            return;
        }
        let count = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            changed = control.changed() => if changed.is_ok() { continue } else { return },
        };
        let passed_on = to.write_all(buffer.get(..count).unwrap_or_default()).await;
        if count == 0 || passed_on.is_err() {
            return;
        }
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    drop(stream.set_zero_linger());
    drop(stream);
}
