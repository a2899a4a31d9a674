//! A small mail server on loopback (RFC 5321, as much as a client needs), with faults by script.

#![expect(clippy::unwrap_used, reason = "a test service fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A message that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and text.
    pub content: String,
}

impl Mail {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.content.lines().find_map(|line| line.strip_prefix(start.as_str()))
    }
}

/// What the server does with the next message, in order; when nothing is left it takes everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refuses the recipient for now (450).
    Busy,
    /// Refuses the recipient for good (550).
    Unknown,
    /// Takes the message, and breaks the connection instead of saying so.
    SilentAfterData,
}

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    /// Its port on 127.0.0.1.
    pub port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let (kept, script) = (Arc::clone(&mails), Arc::clone(&faults));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
                // A connection that breaks is its client's affair.
                tokio::spawn(async move { drop(talk(stream, &kept, &script).await) });
            }
        });
        Self { port, mails, faults, task }
    }

    /// What it took, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One more fault.
    pub fn fault(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }
}

async fn talk(
    stream: TcpStream,
    mails: &Mutex<Vec<Mail>>,
    faults: &Mutex<VecDeque<Fault>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.test ready\r\n").await?;
    let (mut from, mut to, mut fault) = (String::new(), Vec::new(), None);
    while let Some(line) = lines.next_line().await? {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let address =
            || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(a, _)| a.to_owned());
        let reply = match word.as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME",
            "HELO" | "NOOP" | "RSET" => "250 ok",
            "MAIL" => {
                (from, to) = (address().unwrap_or_default(), Vec::new());
                fault = faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                "250 ok"
            }
            "RCPT" => match fault {
                Some(Fault::Busy) => "450 mailbox busy",
                Some(Fault::Unknown) => "550 no such mailbox",
                Some(Fault::SilentAfterData) | None => {
                    to.extend(address());
                    "250 ok"
                }
            },
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut content = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    // A dot at a line's start was doubled on the way.
                    content.push_str(line.strip_prefix('.').unwrap_or(&line));
                    content.push('\n');
                }
                let mail = Mail { from: from.clone(), to: to.clone(), content };
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                if fault == Some(Fault::SilentAfterData) {
                    return Ok(());
                }
                "250 taken"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 not known",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}
