//! The walls of the house: who may depend on whom, who may name which foreign crate, how long a file may be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Our crates and the crates of ours that each may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("haulier-core", &[]),
    ("haulier-plan", &["haulier-core"]),
    ("haulier-source", &["haulier-core"]),
    ("haulier-notice", &["haulier-core"]),
    ("haulier-queue", &["haulier-core"]),
    ("haulier-ledger", &["haulier-core"]),
    ("haulier-target", &["haulier-core"]),
    ("haulier-throttle", &["haulier-core"]),
    ("haulier-producer", &["haulier-core", "haulier-throttle"]),
    ("haulier-worker", &["haulier-core", "haulier-throttle"]),
    ("haulier-validator", &["haulier-core"]),
    ("haulier-sides", &["haulier-core", "haulier-producer", "haulier-validator"]),
    ("haulier-stages", &["haulier-core"]),
    ("haulier-testkit", &["haulier-core"]),
    ("hq-sandbox", &[]),
    (
        "haulier",
        &[
            "haulier-core",
            "haulier-ledger",
            "haulier-notice",
            "haulier-plan",
            "haulier-producer",
            "haulier-queue",
            "haulier-sides",
            "haulier-source",
            "haulier-stages",
            "haulier-target",
            "haulier-throttle",
            "haulier-validator",
            "haulier-worker",
            "hq-sandbox",
        ],
    ),
];

/// Foreign crates that only these rooms may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("anyhow", &["haulier", "hq-sandbox"]),
    ("axum", &["hq-sandbox"]),
    ("clap", &["haulier", "hq-sandbox"]),
    ("governor", &["haulier-throttle"]),
    (
        "hyper",
        &["haulier", "haulier-notice", "haulier-target", "haulier-queue", "haulier-testkit", "hq-sandbox"],
    ),
    ("indicatif", &["haulier"]),
    ("lapin", &["haulier-queue"]),
    ("lettre", &["haulier-notice"]),
    ("rustix", &["haulier"]),
    ("sqlx", &["haulier-source", "haulier-queue", "haulier-ledger", "haulier-testkit", "hq-sandbox"]),
    ("toml", &["haulier-plan"]),
    ("unicode-normalization", &["haulier-validator"]),
    ("zstd", &["haulier-validator"]),
];

/// What `haulier-core` may name at all.
const CORE: &[&str] = &["async-trait", "hdrhistogram", "jiff", "sha2", "thiserror"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The `[dependencies]` of every crate, by crate.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut within = false;
        let mut names = Vec::new();
        for line in manifest.lines() {
            if line.starts_with('[') {
                within = line == "[dependencies]";
            } else if within
                && let Some(name) = line
                    .split(['.', '=', ' '])
                    .next()
                    .filter(|name| !name.is_empty() && !name.starts_with('#'))
            {
                names.push(name.to_owned());
            }
        }
        found.insert(folder.file_name().unwrap().to_str().unwrap().to_owned(), names);
    }
    found
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|found| found == ending) {
            into.push(path);
        }
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root().join("crates"), "rs", &mut found);
    files(&root().join("tests"), "rs", &mut found);
    assert!(found.len() > 50, "the search for files is broken");
    found
}

#[test]
fn every_crate_keeps_its_layer() {
    let dependencies = dependencies();
    let known: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    for (name, needs) in &dependencies {
        let allowed = LAYERS.iter().find(|(layer, _)| layer == name);
        let allowed = allowed
            .unwrap_or_else(|| {
                panic!("`{name}` has no layer: give it one in tests/tidy.rs and ARCHITECTURE.md")
            })
            .1;
        for need in needs.iter().filter(|need| known.contains(&need.as_str())) {
            assert!(allowed.contains(&need.as_str()), "`{name}` must not depend on `{need}`");
        }
    }
    assert_eq!(dependencies.len(), LAYERS.len(), "a layer without a crate");
}

#[test]
fn every_foreign_crate_stays_in_its_room() {
    for (name, needs) in dependencies() {
        for (foreign, rooms) in ROOMS {
            let named = needs.iter().any(|need| need == foreign);
            assert!(!named || rooms.contains(&name.as_str()), "`{name}` must not name `{foreign}`");
        }
        if name == "haulier-core" {
            let strange: Vec<&String> = needs.iter().filter(|need| !CORE.contains(&need.as_str())).collect();
            assert!(strange.is_empty(), "haulier-core must stay plain, and names {strange:?}");
        }
    }
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines, more than 500", path.display());
        let says = text.starts_with("//! ") || text.starts_with("#![doc = include_str!(\"../README.md\")]");
        assert!(says, "{} does not open with a `//!` line", path.display());
    }
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    let unfinished = [
        "to".to_owned() + "do!(",
        "un".to_owned() + "implemented!(",
        "#[ig".to_owned() + "nore",
        "#[al".to_owned() + "low(",
    ];
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        for word in &unfinished {
            assert!(!text.contains(word.as_str()), "{} holds `{word}`", path.display());
        }
    }
}

#[test]
fn no_test_sleeps() {
    for path in
        rust_files().into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "tests"))
    {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["thread::sl".to_owned() + "eep(", "time::sl".to_owned() + "eep("] {
            assert!(!text.contains(&word), "{} sleeps instead of waiting for an event", path.display());
        }
    }
}

#[test]
fn every_command_is_in_the_readme_and_every_exit_code_in_its_page() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let commands = fs::read_to_string(root().join("crates/haulier/src/command/mod.rs")).unwrap();
    let named: Vec<String> = commands
        .lines()
        .filter_map(|line| line.trim().strip_suffix("::Args),")?.split('(').next().map(str::to_lowercase))
        .collect();
    assert!(named.len() >= 10, "the search for commands is broken: {named:?}");
    for command in named {
        assert!(
            readme.contains(&format!("haulier {command}")),
            "README.md does not show `haulier {command}`"
        );
    }
    let page = fs::read_to_string(root().join("docs/exit-codes.md")).unwrap();
    let codes = fs::read_to_string(root().join("crates/haulier/src/exit.rs")).unwrap();
    for number in codes.lines().filter_map(|line| line.trim().strip_suffix(',')?.split("=> ").nth(1)) {
        assert!(page.contains(&format!("| {number} |")), "docs/exit-codes.md lacks {number}");
    }
}

/// What the pages on promises and threats call a proof, so that none of them is gone.
#[test]
fn every_proof_of_a_promise_is_a_test() {
    let page = |name: &str| fs::read_to_string(root().join("docs").join(name)).unwrap();
    let page = page("promises.md") + &page("threat-model.md");
    let code: String = rust_files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let is_name = |text: &str| {
        text.matches('_').count() > 1
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|text| is_name(text)).collect();
    assert!(named.len() > 50, "the search for proofs is broken: {named:?}");
    for name in named {
        assert!(
            code.contains(&format!("fn {name}(")),
            "docs/promises.md or docs/threat-model.md names `{name}`, which is no test"
        );
    }
}

/// At least once is what can be promised over two networks; nobody is to read more into it.
#[test]
fn nothing_is_promised_to_happen_just_once() {
    let mut pages = Vec::new();
    files(&root().join("docs"), "md", &mut pages);
    files(&root().join("crates"), "md", &mut pages);
    pages.extend([root().join("README.md"), root().join("ARCHITECTURE.md"), root().join("CHANGELOG.md")]);
    for path in pages {
        let text = fs::read_to_string(&path).unwrap().to_lowercase().replace('-', " ");
        let promised = text.match_indices("exactly once").count();
        // The page that says what is not promised has to name it.
        let allowed = usize::from(path.ends_with("docs/promises.md"));
        assert!(promised <= allowed, "{} promises too much", path.display());
    }
}
