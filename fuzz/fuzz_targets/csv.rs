//! Two files are read as CSV and compared, in two ways that must agree, or a mistake is told with its place.
//!
//! The input is how they are written (a byte) and both texts, with `0xfe 0xfd` between them.

#![no_main]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use haulier_validator::diff::{Difference, Doubled, FileOptions, Files, Shape, Sink, Summary, diff_files};
use haulier_validator::foreign::Dialect;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("haulier-fuzz-csv-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("no folder for the files");
    folder
});

/// Counts what it is told.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn begin(&mut self, _: &Shape) -> io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, _: &Shape, _: &Difference) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn doubled(&mut self, _: &Shape, _: &Doubled) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &Shape, summary: &Summary) -> io::Result<()> {
        assert_eq!(self.0, summary.missing + summary.extra + summary.changed);
        assert_eq!(summary.a, summary.equal + summary.missing + summary.changed);
        assert_eq!(summary.b, summary.equal + summary.extra + summary.changed);
        Ok(())
    }
}

fn compared(a: &Path, b: &Path, how: u8, exact: bool) -> Option<Summary> {
    let delimiter = match how & 3 {
        0 | 1 => b',',
        2 => b';',
        _ => b'\t',
    };
    let dialect = Dialect { delimiter, unquoted_null: how & 4 != 0, bare_quotes: how & 8 != 0 };
    let key = if how & 16 == 0 { Vec::new() } else { vec!["k".to_owned()] };
    let options = FileOptions {
        key,
        dialects: [dialect; 2],
        exact,
        threads: 1,
        memory: 1 << 20,
        spill: FOLDER.clone(),
        ..FileOptions::default()
    };
    let files = Files::open(a, b, options).map_err(|error| assert!(!error.to_string().is_empty())).ok()?;
    diff_files(&files, &mut Count::default()).map_err(|error| assert!(!error.to_string().is_empty())).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, texts)) = bytes.split_first() else { return };
    let split = texts.windows(2).position(|pair| pair == [0xfe, 0xfd]);
    let (left, right) = split.map_or((texts, texts), |at| (&texts[..at], &texts[at + 2..]));
    let (a, b) = (FOLDER.join("a.csv"), FOLDER.join("b.csv"));
    std::fs::write(&a, left).expect("the file cannot be written");
    std::fs::write(&b, right).expect("the file cannot be written");
    let same = compared(&a, &a, *how, false);
    assert!(same.is_none_or(|summary| summary.is_equal()), "a file differs from itself");
    let (digests, exact) = (compared(&a, &b, *how, false), compared(&a, &b, *how, true));
    if let (Some(digests), Some(exact)) = (&digests, &exact) {
        // A key that comes more than once has no right pair; only the rows that are there count then.
        if exact.is_doubled() {
            assert_eq!((digests.a, digests.b), (exact.a, exact.b));
        } else {
            assert_eq!(digests, exact);
        }
    }
    assert_eq!(digests.is_some(), exact.is_some(), "only one way could read both files");
});
