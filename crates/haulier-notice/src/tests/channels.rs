//! Files, commands, people and webhooks, each for real.

use std::time::Duration;

use haulier_core::notice::{NewPost, PostState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::channel::{Command, Delivery, File, Relay, Webhook};

fn post() -> Post {
    Post {
        id: 1,
        what: NewPost {
            key: "network|planned|contacts:be/waves|mail|2026-05-11T20:00:00Z".to_owned(),
            notice: "planned".to_owned(),
            kind: Kind::Planned,
            subject: "wave:first".to_owned(),
            date: None,
            audience: "contacts:be".to_owned(),
            channel: "any".to_owned(),
            to: vec!["hub@be.example".to_owned()],
            title: "it is \"planned\"".to_owned(),
            text: "first line\nsecond line\n".to_owned(),
        },
        state: PostState::Sending,
        at: 0,
        since: 0,
        due: 0,
        attempts: 1,
        said: None,
    }
}

#[tokio::test]
async fn a_file_takes_a_post_once_and_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.jsonl");
    let file = File::new(&path);
    assert_eq!(file.knows(&post()).await, Some(false));
    for _ in 0..2 {
        assert!(matches!(file.deliver(&post()).await, Delivery::Accepted(_)));
    }
    // A line that a crash cut in half hides neither what was before nor what comes after.
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}{{\"key\": \"half")).unwrap();
    let mut other = post();
    other.what.key = "another".to_owned();
    assert!(matches!(file.deliver(&other).await, Delivery::Accepted(_)));
    assert_eq!((file.knows(&post()).await, file.knows(&other).await), (Some(true), Some(true)));
    let lines = std::fs::read_to_string(&path).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let nowhere = File::new(folder.path().join("no/such/folder"));
    assert!(matches!(nowhere.deliver(&post()).await, Delivery::Refused(_)));
}

#[tokio::test]
async fn a_file_resolves_the_doubt_that_a_crash_left() {
    let desk =
        Desk::open(include_str!("../../../../tests/cases/network/plan.toml"), "2026-05-05T00:00Z").await;
    let file = Arc::new(File::new(desk.folder.path().join("notices.jsonl")));
    let channels: BTreeMap<String, Arc<dyn Channel>> =
        BTreeMap::from([("any".to_owned(), Arc::clone(&file) as Arc<dyn Channel>)]);
    let mut lost = post();
    lost.what.key = "never written".to_owned();
    desk.ledger.post(&[post().what, lost.what], desk.micros()).await.unwrap();
    desk.ledger.take_posts(desk.micros(), 2).await.unwrap();
    file.deliver(&post()).await;
    desk.turn("2026-05-05T00:10Z");
    assert_eq!(desk.send(&channels).await.accepted, 1);
    let posts = desk.posts().await;
    assert!(posts.iter().all(|post| post.state == PostState::Sent), "{posts:?}");
    assert_eq!(posts[0].said.as_deref(), Some("its channel has it"));
}

#[tokio::test]
async fn a_command_gets_the_text_and_its_end_says_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let shell = |script: String| Command::new(["sh", "-c", &script].map(str::to_owned).to_vec());
    let good =
        shell(format!("{{ cat; echo \"$HAULIER_NOTICE_TO $HAULIER_NOTICE_KIND\"; }} > {}", out.display()));
    assert_eq!(good.deliver(&post()).await, Delivery::Accepted("sh ended with 0".to_owned()));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "first line\nsecond line\nhub@be.example planned\n");
    assert_eq!(
        shell("exit 3".to_owned()).deliver(&post()).await,
        Delivery::Refused("sh ended with 3".to_owned())
    );
    assert_eq!(
        shell("kill -9 $$".to_owned()).deliver(&post()).await,
        Delivery::Lost("sh was killed".to_owned())
    );
    let slow = shell("read line; read more; read for_ever < /dev/tty || tail -f /dev/null".to_owned());
    assert!(matches!(slow.within(Duration::from_millis(50)).deliver(&post()).await, Delivery::Lost(_)));
    let nothing = Command::new(vec!["/no/such/program".to_owned()]);
    assert!(matches!(nothing.deliver(&post()).await, Delivery::Refused(_)));
}

#[tokio::test]
async fn a_person_is_asked_and_confirms() {
    assert!(
        matches!(Relay::new("theodore").deliver(&post()).await, Delivery::Handed(said) if said.contains("theodore"))
    );
}

/// Answers one request with a status; gives the request.
async fn answer(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let length = text
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next().and_then(|digits| digits.parse::<usize>().ok()));
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if read == 0 || matches!((length, body), (Some(length), Some(body)) if body >= length) {
            if !status.is_empty() {
                let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            return text;
        }
    }
}

#[tokio::test]
async fn a_webhook_is_told_by_its_status_what_became_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/secret", listener.local_addr().unwrap());
    let hook = Webhook::new(&url, Some("token")).unwrap();
    assert!(!format!("{hook:?}").contains("secret"));
    let mut keys = Vec::new();
    for (status, wanted) in [
        ("200 OK", Delivery::Accepted("127.0.0.1 said 200".to_owned())),
        ("404 Not Found", Delivery::Refused("127.0.0.1 said 404".to_owned())),
        ("503 Busy", Delivery::Refused("127.0.0.1 said 503".to_owned())),
        ("504 Gateway Timeout", Delivery::Lost("127.0.0.1 said 504".to_owned())),
        ("", Delivery::Lost("127.0.0.1 broke the connection".to_owned())),
    ] {
        let sent = post();
        let (delivery, request) = tokio::join!(hook.deliver(&sent), answer(&listener, status));
        assert_eq!(delivery, wanted);
        assert!(request.starts_with("POST /hook/secret HTTP/1.1"), "{request}");
        assert!(request.contains("it is \\\"planned\\\"") && request.contains("Bearer token"), "{request}");
        let key = request.lines().find(|line| line.to_lowercase().starts_with("idempotency-key"));
        keys.push(key.unwrap().to_owned());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "every attempt has the same key");
    drop(listener);
    assert_eq!(hook.deliver(&post()).await, Delivery::Refused("127.0.0.1 cannot be reached".to_owned()));
    assert!(Webhook::new("ftp://example.org", None).is_err());
}
