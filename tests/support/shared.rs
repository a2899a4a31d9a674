//! Data sets made by others, where they are at hand: the folder that `HAULIER_TEST_DATA` names, else `shared/data` beside the
//! repository. The tests are whole without them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("HAULIER_TEST_DATA").map_or_else(beside, PathBuf::from)
}

/// A packed file's content; `None` where the data sets are not at hand.
pub(crate) fn unpacked(name: &str) -> Option<Vec<u8>> {
    let path = folder().join(name);
    if !path.exists() {
        return None;
    }
    let output = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip is missing");
    assert!(output.status.success(), "{} cannot be unpacked", path.display());
    Some(output.stdout)
}

/// A script without the lines that make and enter a database of its own.
pub(crate) fn without_database(script: &str) -> String {
    let own = ["DROP DATABASE", "CREATE DATABASE", "USE ", "\\"];
    let lines: Vec<&str> =
        script.lines().filter(|line| !own.iter().any(|start| line.starts_with(start))).collect();
    lines.join("\n")
}
