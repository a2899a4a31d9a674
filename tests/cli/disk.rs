//! Full disks under the ledger, the embedded queue and what is written for people; folders that cannot be written.

use std::path::Path;

use tokio::process::Command;

use crate::support::process::{Ended, wait_for};
use crate::support::{Case, Setting};

/// Runs haulier with a disk of its own, of 6 MiB, mounted at `disk` in the case's folder, where `files` lie; everything but
/// `free` KiB is taken by another file until a file `room` appears.
fn on_a_small_disk(case: &Case, free: u32, args: &str) -> tokio::task::JoinHandle<Ended> {
    let script = format!(
        "set -e; mount -t tmpfs -o size=6m,mode=700 none disk; head -c $((6144 - {free}))k /dev/zero > disk/filler; \
         (until [ -e room ]; do sleep 0.1; done; rm disk/filler) & exec \"$HAULIER\" {args}"
    );
    on_a_disk(case, &script)
}

/// Runs a script that mounts `disk`. In a mount namespace of its own: the disk is seen by these processes alone and goes
/// with them.
fn on_a_disk(case: &Case, script: &str) -> tokio::task::JoinHandle<Ended> {
    std::fs::create_dir(case.path("disk")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .env("HAULIER", env!("CARGO_BIN_EXE_haulier"))
        .env("NO_COLOR", "1")
        .current_dir(case.dir.path())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .stdout(std::fs::File::create(case.path("stdout")).unwrap())
        .stderr(std::fs::File::create(case.path("stderr")).unwrap());
    let mut child = command.spawn().unwrap();
    let (stdout, stderr) = (case.path("stdout"), case.path("stderr"));
    tokio::spawn(async move {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(180), child.wait()).await;
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let code = ended.unwrap_or_else(|_| panic!("it did not end:\n{}", read(&stderr))).unwrap().code();
        Ended { code, stdout: read(&stdout), stderr: read(&stderr) }
    })
}

fn said(case: &Case, words: &str) -> bool {
    std::fs::read_to_string(case.path("stderr")).unwrap().contains(words)
}

/// Fills the disk under one of the files while a run goes on, then makes room.
async fn runs_through(file: &str, words: &str) {
    let case = Case::small(Setting::default(), 30).await;
    case.edit("site.toml", &format!("{file}.sqlite"), &format!("disk/{file}.sqlite"));
    let ending = on_a_small_disk(&case, 300, "run --workers 8");
    wait_for(words, async || (said(&case, words) || ending.is_finished()).then_some(())).await;
    assert!(said(&case, words), "{}", std::fs::read_to_string(case.path("stderr")).unwrap());
    assert!(!ending.is_finished(), "it ended instead of waiting for room");
    std::fs::write(case.path("room"), "").unwrap();
    let ended = ending.await.unwrap().expect(0);
    assert!(ended.stdout.contains("every record is accounted for"), "{}", ended.stdout);
    case.assert_same_on_both_sides().await;
    case.end().await;
}

#[tokio::test]
async fn a_full_disk_under_the_ledger_is_waited_out() {
    runs_through("ledger", "the disk of the ledger at").await;
}

#[tokio::test]
async fn a_full_disk_under_the_embedded_queue_is_waited_out() {
    runs_through("queue", "full").await;
}

#[tokio::test]
async fn a_disk_that_is_full_from_the_beginning_is_told_at_once() {
    for file in ["ledger", "queue"] {
        let case = Case::small(Setting::default(), 1).await;
        case.edit("site.toml", &format!("{file}.sqlite"), &format!("disk/{file}.sqlite"));
        let ended = on_a_small_disk(&case, 0, "run").await.unwrap().expect(4);
        assert!(ended.stderr.contains("disk") && ended.stderr.contains("full"), "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{file}: {}", ended.stderr);
        std::fs::remove_dir(case.path("disk")).unwrap();
        case.end().await;
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_by_name() {
    let script = "set -e; mount -t tmpfs -o ro none disk; exec \"$HAULIER\" ";
    for (file, args) in [("ledger", "run"), ("queue", "run")] {
        let case = Case::small(Setting::default(), 1).await;
        case.edit("site.toml", &format!("{file}.sqlite"), &format!("disk/{file}.sqlite"));
        let ended = on_a_disk(&case, &format!("{script}{args}")).await.unwrap().expect(4);
        assert!(ended.stderr.contains(&format!("disk/{file}.sqlite")), "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains("hint: "), "{file}: {}", ended.stderr);
        case.end().await;
    }
}

#[tokio::test]
async fn an_extract_without_room_leaves_no_file_and_says_where_there_is_none() {
    let case = Case::small(Setting::default(), 1).await;
    let script = "mount -t tmpfs -o size=1m,mode=700 none disk; head -c 1024k /dev/zero > disk/filler; \
                  \"$HAULIER\" extract --side source --out disk; code=$?; ls -A disk > files; exit $code";
    let ended = on_a_disk(&case, script).await.unwrap().expect(4);
    let told = ["no room to write disk/", "the output cannot be written: No space left"];
    assert!(told.iter().any(|words| ended.stderr.contains(words)), "{}", ended.stderr);
    let files = std::fs::read_to_string(case.path("files")).unwrap();
    assert!(files.lines().all(|file| !file.ends_with(".csv")), "{files}");
    case.end().await;
}

#[tokio::test]
async fn output_that_finds_no_room_is_told_as_such() {
    let case = Case::small(Setting::default(), 1).await;
    case.haulier(&["run"]).run().await.expect(0);
    for args in [&["status"] as &[&str], &["status", "--json"], &["idmap", "export"], &["check"], &["empty"]]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haulier"));
        command.args(args).current_dir(case.dir.path()).stdin(std::process::Stdio::null());
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        let ended = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ended = ended.wait_with_output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(4), "{args:?}: {said}");
        assert!(said.contains("error: the output cannot be written: ") && said.contains("hint: "), "{said}");
    }
    case.end().await;
}

#[tokio::test]
async fn a_full_disk_under_a_sort_is_told_with_its_folder() {
    let case = Case::small(Setting::default(), 1).await;
    let rows: String = (0..200_000).map(|n| format!("{n:020},{:040}\n", n * 7)).collect();
    for name in ["a.csv", "b.csv"] {
        std::fs::write(case.path(name), format!("k,v\n{rows}")).unwrap();
    }
    let args = "diff a.csv b.csv --key k --exact --memory 8M --spill disk --out result --no-progress";
    let ended = on_a_small_disk(&case, 300, args).await.unwrap().expect(2);
    let wanted = "error: the spill folder disk is full: make room, name another folder, or allow more memory\n\n\
                  hint: `--spill DIR`, `--memory SIZE`\n";
    assert_eq!(ended.stderr, wanted);
    assert_eq!(std::fs::read_dir(case.path("result")).unwrap().count(), 0, "half a result is left");
    case.end().await;
}
