//! A TCP proxy that misbehaves on command: between a client and a server that must notice nothing, or everything.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};

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
    words: broadcast::Sender<Arc<[u8]>>,
    lives: Arc<Lives>,
}

/// Every connection since the last cut holds the sender, so the receiver hears when the last of them is gone.
type Lives = Mutex<(mpsc::Sender<()>, mpsc::Receiver<()>)>;

#[derive(Debug, Clone, Copy)]
struct Control {
    mode: Mode,
    /// Connections of an earlier cut are reset.
    cut: u64,
    /// Connections of an earlier stranding pass nothing on any more.
    strand: u64,
    ended: bool,
}

impl Proxy {
    /// Starts to forward to `target`, such as `127.0.0.1:5672`.
    pub async fn start(target: impl Into<String>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let at = listener.local_addr()?;
        let (control, watched) =
            watch::channel(Control { mode: Mode::Forward, cut: 0, strand: 0, ended: false });
        let (words, _) = broadcast::channel(16);
        let lives = Arc::new(Mutex::new(mpsc::channel(1)));
        let listening =
            Listening { listener, target: target.into(), words: words.clone(), lives: Arc::clone(&lives) };
        tokio::spawn(listening.accept(watched));
        Ok(Self { at, control: Arc::new(control), words, lives })
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

    /// Resets every connection (TCP RST to both sides), and returns when they are gone; new ones may come.
    pub async fn cut(&self) {
        let (sender, mut gone) = std::mem::replace(
            &mut *self.lives.lock().unwrap_or_else(PoisonError::into_inner),
            mpsc::channel(1),
        );
        self.control.send_modify(|control| control.cut += 1);
        drop(sender);
        gone.recv().await;
    }

    /// Lets the present connections stay open and pass nothing on, for ever; new ones work.
    pub fn strand(&self) {
        self.control.send_modify(|control| control.strand += 1);
    }

    /// Says something to every client, as if the server had. Fit for protocols with frames, while the server is
    /// silent.
    pub fn inject(&self, bytes: &[u8]) {
        drop(self.words.send(bytes.into()));
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

struct Listening {
    listener: TcpListener,
    target: String,
    words: broadcast::Sender<Arc<[u8]>>,
    lives: Arc<Lives>,
}

impl Listening {
    async fn accept(self, mut control: watch::Receiver<Control>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                ended = control.wait_for(|control| control.ended) => {
                    drop(ended);
                    return;
                }
            };
            let Ok((client, _)) = accepted else { return };
            let now = *control.borrow();
            if now.mode == Mode::Refuse {
                reset(client);
                continue;
            }
            let life = self.lives.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
            let serving = serve(client, self.target.clone(), control.clone(), now, self.words.subscribe());
            tokio::spawn(async move {
                serving.await;
                drop(life);
            });
        }
    }
}

async fn serve(
    mut client: TcpStream,
    target: String,
    control: watch::Receiver<Control>,
    since: Control,
    mut injected: broadcast::Receiver<Arc<[u8]>>,
) {
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(client) };
    let (_silent, mut nothing) = broadcast::channel(1);
    let (up, down) = (Valve { control: control.clone(), since }, Valve { control: control.clone(), since });
    let mut cutting = control;
    let was_cut = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            watched = cutting.wait_for(|control| control.cut != since.cut) => { drop(watched); true }
            () = pump(&mut from_client, &mut to_server, up, &mut nothing) => false,
            () = pump(&mut from_server, &mut to_client, down, &mut injected) => false,
        }
    };
    if was_cut {
        reset(client);
        reset(server);
    }
}

/// Whether one connection passes anything on.
struct Valve {
    control: watch::Receiver<Control>,
    since: Control,
}

impl Valve {
    async fn open(&mut self) -> bool {
        let strand = self.since.strand;
        let open = |control: &Control| control.mode != Mode::BlackHole && control.strand == strand;
        self.control.wait_for(open).await.is_ok()
    }
}

/// Passes on one direction, and what is put into its mouth, until either side ends.
async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    mut valve: Valve,
    injected: &mut broadcast::Receiver<Arc<[u8]>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while valve.open().await {
        let passed_on = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 => to.write_all(buffer.get(..count).unwrap_or_default()).await,
                Ok(_) | Err(_) => return,
            },
            Ok(words) = injected.recv() => to.write_all(&words).await,
            changed = valve.control.changed() => if changed.is_ok() { Ok(()) } else { return },
        };
        if passed_on.is_err() {
            return;
        }
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    drop(stream.set_zero_linger());
    drop(stream);
}
