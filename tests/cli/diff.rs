//! `haulier diff`: its answers, its exit codes, its files; and that it agrees with tools that are not ours.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::process::{Ended, Haulier, wait_for};

async fn diff(folder: &Path, a: &str, b: &str, more: &[&str]) -> Ended {
    fs::write(folder.join("a.csv"), a).unwrap();
    fs::write(folder.join("b.csv"), b).unwrap();
    Haulier::new(folder, &[&["diff", "a.csv", "b.csv"], more].concat()).run().await
}

#[tokio::test]
async fn a_diff_ends_as_diff_does_and_names_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = ["--key", "k", "--no-progress"];
    let equal = diff(at, "k,v\r\na,\"1\"\r\nb,2\r\n", "v,k\n2,b\n1,a\n", &key).await.expect(0);
    assert!(equal.stderr.is_empty(), "{}", equal.stderr);
    let changed = diff(at, "k,v\na,1\nb,Zo\u{eb}\n", "k,v\nb,Zoe\u{308}\nc,3\n", &key).await.expect(1);
    let lines: Vec<&str> = changed.stdout.lines().take(3).collect();
    assert_eq!(
        lines,
        [
            "missing \"a\", \"1\"",
            "changed \"b\": v \"Zo\u{eb}\" -> \"Zoe\\u{308}\" (only unicode form)",
            "extra \"c\", \"3\""
        ]
    );
    let json = diff(at, "k,v\na,1\n", "k,v\na,2\n", &["--key", "k", "--json"]).await.expect(1).json();
    assert_eq!((&json["answer"], &json["changed"]), (&"different".into(), &1.into()));
    let empty = diff(at, "k,v\n", "k,v\n", &key).await.expect(0);
    assert!(empty.stderr.contains("no row"), "{}", empty.stderr);
}

#[tokio::test]
async fn what_cannot_be_compared_is_trouble_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cases: [(&str, &str, &[&str], &str); 7] = [
        ("k,v\na,1\n", "k,v\nb,\"x\n", &["--key", "k"], "b.csv:2: a quote is opened here and not closed"),
        ("k,v\na,1\n", "k,v\nb\n", &["--key", "k"], "b.csv:2: the row has 1 cell, the header 2"),
        (
            "k,v\na,1\n",
            "k,v\na,1\na,1\n",
            &["--key", "k"],
            "keys come more than once: 0 in a.csv, 1 in b.csv",
        ),
        ("k;v\na;1\n", "k,v\na,1\n", &["--key", "k"], "a.csv has no column `k`"),
        ("k,v\na,1\n", "k,w\na,1\n", &["--key", "k"], "only the first file has the columns v"),
        (
            "k,v\nb,1\na,1\n",
            "k,v\na,1\n",
            &["--key", "k", "--sorted"],
            "a.csv:3: the file is not in the order",
        ),
        ("k\n", "k\n", &["--memory", "lots"], "a number with M or G"),
    ];
    for (a, b, more, says) in cases {
        let ended = diff(at, a, b, more).await.expect(2);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    let gone = Haulier::new(at, &["diff", "a.csv", "gone.csv"]).run().await.expect(2);
    assert!(gone.stderr.contains("cannot read gone.csv"), "{}", gone.stderr);
    let spill = ["--key", "k", "--exact", "--memory", "8M", "--spill", "nowhere"];
    let many: String = (0..200_000).map(|n| format!("{n:020},{:040}\n", n * 7)).collect();
    let text = format!("k,v\n{many}");
    let ended = diff(at, &text, &text, &spill).await.expect(2);
    assert!(ended.stderr.contains("cannot spill to nowhere"), "{}", ended.stderr);
}

#[tokio::test]
async fn other_tools_agree_with_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let row = |n: u32, value: &str| format!("k{n:06},{value},t{}\n", n % 3);
    let all: Vec<u32> = (0..3000).collect();
    let a: String = all.iter().map(|n| row(*n, "plain")).collect();
    let b: String = all
        .iter()
        .filter(|n| *n % 500 != 0)
        .map(|n| row(*n, if n % 400 == 1 { "other" } else { "plain" }))
        .chain([row(9999, "new")])
        .collect();
    let options = ["--key", "k", "--tenant", "t", "--out", "result", "--show", "0", "--json"];
    let json = diff(at, &format!("k,v,t\n{a}"), &format!("k,v,t\n{b}"), &options).await.expect(1).json();
    assert_eq!((&json["missing"], &json["extra"], &json["changed"]), (&6.into(), &1.into(), &8.into()));
    let tool = |name: &str, args: &[&str]| {
        let out = Command::new(name).args(args).current_dir(at).env("LC_ALL", "C").output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    assert_eq!(tool("cmp", &["-s", "a.csv", "b.csv"]).0, Some(1));
    let (_, lines) = tool("diff", &["a.csv", "b.csv"]);
    assert_eq!(lines.lines().filter(|line| line.starts_with(['<', '>'])).count(), 6 + 1 + 2 * 8);
    fs::write(at.join("a.body"), &a).unwrap();
    fs::write(at.join("b.body"), &b).unwrap();
    assert_eq!(tool("comm", &["-3", "a.body", "b.body"]).1.lines().count(), 6 + 1 + 2 * 8);
    let result = |name: &str| fs::read_to_string(at.join("result").join(name)).unwrap();
    assert_eq!(result("differences.csv").lines().count(), 1 + 6 + 1 + 8);
    let document: serde_json::Value = serde_json::from_str(&result("differences.json")).unwrap();
    assert_eq!(document["tables"][0]["differences"].as_array().unwrap().len(), 15);
    assert!(result("differences.html").contains("Content-Security-Policy"));
    assert_eq!(fs::read_dir(at.join("result")).unwrap().count(), 4);
}

#[tokio::test]
async fn a_diff_that_is_stopped_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let many: String =
        (0..1_500_000_u64).map(|n| format!("{n:016x},{:016x}\n", n.wrapping_mul(0x9e37_79b9))).collect();
    for name in ["a.csv", "b.csv"] {
        fs::write(at.join(name), format!("k,v\n{many}")).unwrap();
    }
    let running =
        Haulier::new(at, &["diff", "a.csv", "b.csv", "--key", "k", "--exact", "--out", "result"]).start();
    wait_for("a part", async || at.join("result/differences.html.part").exists().then_some(())).await;
    running.signal("INT").await;
    let ended = running.ended().await.expect(5);
    assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(at.join("result")).unwrap().count(), 0);
}
