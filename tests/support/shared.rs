//! Data sets made by others, where they are at hand: the folder that `HAULIER_TEST_DATA` names, else `shared/data` beside the
//! repository. The tests are whole without them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("HAULIER_TEST_DATA").map_or_else(beside, PathBuf::from)
}

/// A file's content; `None` where the data sets are not at hand.
pub(crate) fn file(name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join(name)).ok()
}

/// The files of a folder by their names; `None` where the data sets are not at hand.
pub(crate) fn files(name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let entries = std::fs::read_dir(folder().join(name)).ok()?;
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
    };
    Some(entries.map(file).collect())
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

/// Chinook's scripts for PostgreSQL, MariaDB and SQLite, ready to be run in a database of their own; `None` where they are not at
/// hand.
pub(crate) fn chinook() -> Option<[String; 3]> {
    let edition = |name: &str| {
        let script = String::from_utf8(unpacked(&format!("chinook/Chinook_{name}.sql.gz"))?).unwrap();
        Some(without_database(script.trim_start_matches('\u{feff}')))
    };
    let mysql = edition("MySql")?;
    // The script holds a backslash that it does not escape.
    let mysql = format!("set session sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES');\n{mysql}");
    Some([edition("PostgreSql")?, mysql, edition("Sqlite")?])
}

/// A script without the lines that make and enter a database of its own.
fn without_database(script: &str) -> String {
    let own = ["DROP DATABASE", "CREATE DATABASE", "USE ", "\\"];
    let lines: Vec<&str> =
        script.lines().filter(|line| !own.iter().any(|start| line.starts_with(start))).collect();
    lines.join("\n")
}
