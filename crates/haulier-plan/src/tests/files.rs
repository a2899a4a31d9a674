//! What a file may be before its text is looked at.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::{MAX_BYTES, read_plan, read_site};

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn told(bytes: &[u8]) -> String {
    let (folder, path) = file(bytes);
    let problems = read_plan(&path).unwrap_err().to_string();
    problems.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_missing_file_is_told_by_name() {
    let problems = read_site("/nonexistent/site.toml".as_ref()).unwrap_err().to_string();
    assert!(problems.starts_with("/nonexistent/site.toml: the file cannot be read: "), "{problems}");
}

#[test]
fn a_byte_order_mark_is_no_mistake_and_moves_no_column() {
    assert_eq!(
        told("\u{feff}nome = 1\nname = \"x\"\ntenant = \"y\"\nentity = []\n".as_bytes()),
        "plan.toml:1:1: unknown key `nome` in the plan\n  hint: did you mean \"name\"?\n\
         plan.toml:4:10: a plan needs at least one `[[entity]]`"
    );
}

#[test]
fn a_byte_that_is_not_utf_8_is_told_with_its_place() {
    assert_eq!(
        told(b"name = \"x\"\ntenant = \"\xc3\xa4\xff\"\n"),
        "plan.toml:2:12: a byte that is not UTF-8\n  hint: save the file as UTF-8"
    );
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let most = usize::try_from(MAX_BYTES).unwrap();
    let mut bytes = b"name = \"x\"\n#".to_vec();
    bytes.resize(most, b'x');
    assert!(told(&bytes).contains("lacks `tenant`"), "exactly the limit is fine");
    bytes.push(b'x');
    assert_eq!(told(&bytes), "plan.toml: the file is longer than 1048576 bytes");
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    let flood: String = (0..30_000).map(|number| format!("k{number} = 1\n")).collect();
    let told = told(flood.as_bytes());
    assert_eq!(told.matches("plan.toml:").count(), 201);
    assert!(told.ends_with("plan.toml: there are 29803 more mistakes"), "{}", &told[told.len() - 60..]);
}

#[test]
fn a_file_full_of_entities_or_fields_is_refused_soon() {
    let entities: String = (0..40_000).map(|number| format!("[[entity]]\nname=\"e{number}\"\n")).collect();
    assert!(
        told(format!("name=\"p\"\ntenant=\"e1\"\n{entities}").as_bytes()).contains("at most 1000 entities")
    );
    let fields: String = (0..60_000).map(|number| format!("f{number}=\"c{number}\"\n")).collect();
    let text = format!("name=\"p\"\ntenant=\"e\"\n[[entity]]\nname=\"e\"\n[entity.fields]\n{fields}");
    assert!(told(text.as_bytes()).contains("at most 1000 fields"));
}

#[test]
fn deep_nesting_is_a_mistake_and_not_a_crash() {
    let deep = format!("name = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(told(deep.as_bytes()).contains("this is not TOML"));
}
