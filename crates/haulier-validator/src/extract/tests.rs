//! Extracts as files: equal for equal data, whole or not there.

use super::*;
use crate::neutral::{Column, Kind, Rule};

fn spec(path: &Path) -> ExtractSpec {
    let mut name = Column::new("name", Kind::Text);
    name.rules = vec![Rule::Trim];
    let key = vec![Column::new("id", Kind::Integer)];
    ExtractSpec {
        path: path.to_owned(),
        entity: "account".to_owned(),
        tenant: None,
        side: Side::Source,
        columns: Columns::new(key, vec![name, Column::new("credit", Kind::Decimal(None))]).unwrap(),
        plan: "plan".to_owned(),
        fingerprint: "somewhere".to_owned(),
        hash_key: None,
        compress: false,
        sort: SortOptions { memory: 1 << 20, ..SortOptions::default() },
    }
}

fn write(spec: ExtractSpec, rows: &[(i64, &str, &str)]) -> Result<Manifest, ExtractError> {
    let mut writer = ExtractWriter::create(spec)?;
    for (id, name, credit) in rows {
        writer.row([Cell::Int(*id), Cell::Text((*name).into()), Cell::Text((*credit).into())])?;
    }
    writer.finish("2024-03-30T20:30:00Z".parse().unwrap())
}

#[test]
fn the_same_rows_in_another_order_and_spelling_are_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
    let first = write(spec(&a), &[(10, "x, y", "1.10"), (9, " \u{e9}\n", "2"), (1, "", "0.0")]).unwrap();
    let second = write(spec(&b), &[(1, " ", "-0"), (9, "\u{e9}", "2.000"), (10, "x, y", "1.1")]).unwrap();
    let text = std::fs::read_to_string(&a).unwrap();
    assert_eq!(text, "id,name,credit\n1,,0\n10,\"x, y\",1.1\n9,\u{e9},2\n");
    assert_eq!(text, std::fs::read_to_string(&b).unwrap());
    assert_eq!((first.rows, first.bytes, &first.sha256), (3, text.len() as u64, &second.sha256));
    assert_eq!(first.columns[1].changed, [("trim".to_owned(), 1)].into());
    assert_eq!(first.columns[2].changed, [("kind".to_owned(), 2)].into());
    assert_eq!(Manifest::read(&a).unwrap().as_ref(), Some(&first));
    assert!(first.holds(&a).unwrap() && first.holds(&b).unwrap());
    std::fs::write(&b, text.replace("x, y", "x, z")).unwrap();
    assert!(!second.holds(&b).unwrap());
}

#[test]
fn a_compressed_extract_has_the_digest_of_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.csv", "b.csv.zst"].map(|name| folder.path().join(name));
    let rows = [(1, "x", "1"), (2, "y", "2")];
    let plain = write(spec(&a), &rows).unwrap();
    let packed = write(ExtractSpec { compress: true, ..spec(&b) }, &rows).unwrap();
    assert_eq!((plain.sha256, plain.bytes), (packed.sha256.clone(), packed.bytes));
    assert!(packed.compressed && packed.holds(&b).unwrap());
    let unpacked = zstd::decode_all(std::fs::File::open(&b).unwrap()).unwrap();
    assert_eq!(unpacked, std::fs::read(&a).unwrap());
}

#[test]
fn doubled_keys_are_listed_and_nothing_has_the_final_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let error =
        write(spec(&path), &[(1, "a", "1"), (2, "b", "1"), (1, "c", "1"), (1, "d", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "1 key comes more than once: 1");
    let error = write(spec(&path), &[(1, "a", "1"), (2, "b", "x")]).unwrap_err();
    assert_eq!(error.to_string(), "row 2 (key 2), column `credit`: it is not a decimal");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let nowhere = folder.path().join("not/there.csv");
    let error = ExtractWriter::create(spec(&nowhere)).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
}

#[test]
fn an_extract_without_rows_has_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let manifest = write(spec(&path), &[]).unwrap();
    assert_eq!(manifest.rows, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "id,name,credit\n");
}
