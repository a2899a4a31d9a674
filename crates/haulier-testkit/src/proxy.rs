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

/// What becomes of the connection over which the server says something next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// What it said is lost, and both sides see a reset.
    Reset,
    /// What it said arrives, and then both sides see an orderly end.
    End,
    /// Half of what it said arrives, and then an orderly end.
    Half,
    /// What it said is lost, and all present connections stay open and pass nothing on any more; new ones work.
    Silence,
}

/// A proxy on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    at: SocketAddr,
    control: Arc<watch::Sender<Control>>,
    words: broadcast::Sender<Arc<[u8]>>,
    lives: Arc<Lives>,
    fuse: Arc<Fuse>,
}

/// The break that waits for the server's next words.
type Fuse = watch::Sender<Option<Break>>;

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
        let control = Arc::new(control);
        let fuse = Arc::new(watch::Sender::new(None));
        let listening = Listening {
            listener,
            target: target.into(),
            words: words.clone(),
            lives: Arc::clone(&lives),
            control: Arc::clone(&control),
            fuse: Arc::clone(&fuse),
        };
        tokio::spawn(listening.accept(watched));
        Ok(Self { at, control, words, lives, fuse })
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

    /// Breaks one connection when the server says something next, and returns when that has happened.
    pub async fn break_next(&self, what: Break) {
        let mut broken = self.fuse.subscribe();
        self.fuse.send_replace(Some(what));
        // It ends with the proxy, which lives.
        drop(broken.wait_for(Option::is_none).await);
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
    control: Arc<watch::Sender<Control>>,
    fuse: Arc<Fuse>,
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
            let (up, down) = (
                Valve { control: control.clone(), since: now },
                Valve { control: control.clone(), since: now },
            );
            let serving = Serving {
                up,
                down,
                words: self.words.subscribe(),
                control: Arc::clone(&self.control),
                fuse: Arc::clone(&self.fuse),
            };
            let target = self.target.clone();
            tokio::spawn(async move {
                serving.run(client, target).await;
                drop(life);
            });
        }
    }
}

/// One connection.
struct Serving {
    up: Valve,
    down: Valve,
    words: broadcast::Receiver<Arc<[u8]>>,
    control: Arc<watch::Sender<Control>>,
    fuse: Arc<Fuse>,
}

/// How a direction ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    InOrder,
    ByReset,
}

impl Serving {
    async fn run(self, mut client: TcpStream, target: String) {
        let Ok(mut server) = TcpStream::connect(target).await else { return reset(client) };
        let mut cutting = self.up.control.clone();
        let since = self.up.since;
        let ended = {
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            let down = Down { words: self.words, control: self.control, fuse: self.fuse, valve: self.down };
            tokio::select! {
                watched = cutting.wait_for(|control| control.cut != since.cut) => {
                    drop(watched);
                    Ended::ByReset
                }
                () = pass_up(&mut from_client, &mut to_server, self.up) => Ended::InOrder,
                ended = down.pass(&mut from_server, &mut to_client) => ended,
            }
        };
        if ended == Ended::ByReset {
            reset(client);
            reset(server);
        }
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

/// Passes on what the client says, until either side ends.
async fn pass_up(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, mut valve: Valve) {
    let mut buffer = vec![0; 16 * 1024];
    while valve.open().await {
        let passed_on = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 => to.write_all(buffer.get(..count).unwrap_or_default()).await,
                Ok(_) | Err(_) => return,
            },
            changed = valve.control.changed() => if changed.is_ok() { Ok(()) } else { return },
        };
        if passed_on.is_err() {
            return;
        }
    }
}

/// The server's direction: what it says, what is put into its mouth, and what breaks while it speaks.
struct Down {
    words: broadcast::Receiver<Arc<[u8]>>,
    control: Arc<watch::Sender<Control>>,
    fuse: Arc<Fuse>,
    valve: Valve,
}

impl Down {
    async fn pass(mut self, from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> Ended {
        let mut buffer = vec![0; 16 * 1024];
        while self.valve.open().await {
            let passed_on = tokio::select! {
                read = from.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => {
                        let said = buffer.get(..count).unwrap_or_default();
                        match self.burn() {
                            None => to.write_all(said).await,
                            Some(Break::Reset) => return Ended::ByReset,
                            Some(Break::End) => {
                                drop(to.write_all(said).await);
                                return Ended::InOrder;
                            }
                            Some(Break::Half) => {
                                drop(to.write_all(said.get(..count / 2).unwrap_or_default()).await);
                                return Ended::InOrder;
                            }
                            Some(Break::Silence) => {
                                self.control.send_modify(|control| control.strand += 1);
                                Ok(())
                            }
                        }
                    }
                    Ok(_) | Err(_) => return Ended::InOrder,
                },
                Ok(words) = self.words.recv() => to.write_all(&words).await,
                changed = self.valve.control.changed() => {
                    if changed.is_ok() { Ok(()) } else { return Ended::InOrder }
                }
            };
            if passed_on.is_err() {
                return Ended::InOrder;
            }
        }
        Ended::InOrder
    }

    /// The break that waits, once.
    fn burn(&self) -> Option<Break> {
        let mut burnt = None;
        self.fuse.send_if_modified(|fuse| {
            burnt = fuse.take();
            burnt.is_some()
        });
        burnt
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    drop(stream.set_zero_linger());
    drop(stream);
}
