//! One change at a time, in every kind of column.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Cells, compare, extract};
use crate::diff::{DifferenceKind, FileOptions};
use crate::extract::{ExtractError, Manifest};
use crate::neutral::{Cell, Column, Columns, Excess, Kind, Rule, Side};

const ROWS: usize = 60;

fn text(text: &str) -> Cell<'static> {
    Cell::Text(text.to_owned().into())
}

/// A kind, a value, the same value as another side spells it, and values that are not the same.
struct Case {
    name: &'static str,
    kind: Kind,
    value: Cell<'static>,
    alike: Cell<'static>,
    others: Vec<(&'static str, Cell<'static>)>,
}

fn cases() -> Vec<Case> {
    let case = |name, kind, value, alike, others| Case { name, kind, value, alike, others };
    let common = |mut others: Vec<(&'static str, Cell<'static>)>| {
        others.push(("NULL", Cell::Null));
        others.push(("missing", Cell::Missing));
        others
    };
    vec![
        case(
            "integer",
            Kind::Integer,
            text("1200"),
            Cell::Int(1200),
            common(vec![("one digit", text("1201")), ("ten times", text("12000")), ("sign", text("-1200"))]),
        ),
        case(
            "decimal",
            Kind::Decimal(None),
            text("1.10"),
            text("1.1"),
            common(vec![
                ("one digit", text("1.11")),
                ("scale", text("11.0")),
                ("a little more", text("1.1000000000000001")),
            ]),
        ),
        case(
            "money",
            Kind::Decimal(Some(2)),
            text("-7.5"),
            text("-7.500"),
            common(vec![("sign", text("7.50")), ("cent", text("-7.51"))]),
        ),
        case(
            "float",
            Kind::Float,
            Cell::Float(0.1),
            text("1e-1"),
            common(vec![("next", Cell::Float(0.1_f64.next_up()))]),
        ),
        case("boolean", Kind::Boolean, text("t"), Cell::Bool(true), common(vec![("other", text("0"))])),
        case(
            "timestamp",
            Kind::Timestamp { precision: 6, excess: Excess::Refuse },
            text("2024-03-30T20:30:00.123456Z"),
            text("2024-03-30 21:30:00.123456+01:00"),
            common(vec![
                ("one hour", text("2024-03-30T21:30:00.123456Z")),
                ("one microsecond", text("2024-03-30T20:30:00.123457Z")),
            ]),
        ),
        case(
            "date",
            Kind::Date,
            text("2024-03-30"),
            text("2024-03-30 00:00:00"),
            common(vec![("one day", text("2024-03-31"))]),
        ),
        case(
            "time",
            Kind::Time,
            text("20:30:00"),
            text("20:30"),
            common(vec![("one second", text("20:30:01"))]),
        ),
        case(
            "interval",
            Kind::Interval,
            text("1 day 01:00:00"),
            text("P1DT1H"),
            common(vec![("hours", text("25:00:00"))]),
        ),
        case(
            "text",
            Kind::Text,
            text("Zo\u{eb}, \"x\"\n\\N"),
            text("Zo\u{eb}, \"x\"\n\\N"),
            common(vec![
                ("one byte", text("Zo\u{eb}, \"y\"\n\\N")),
                ("case", text("zo\u{eb}, \"x\"\n\\N")),
                ("empty", text("")),
                ("trailing space", text("Zo\u{eb}, \"x\"\n\\N ")),
                ("NFD", text("Zoe\u{308}, \"x\"\n\\N")),
                ("CR", text("Zo\u{eb}, \"x\"\r\n\\N")),
                ("text of NULL", text("\\N")),
                ("NUL", text("Zo\u{eb}, \"x\"\n\\N\0")),
            ]),
        ),
        case(
            "empty text",
            Kind::Text,
            text(""),
            text(""),
            common(vec![("space", text(" ")), ("word", text("NULL"))]),
        ),
        case(
            "enum",
            Kind::Enum(vec!["on".into(), "off".into()]),
            text("on"),
            text("on"),
            common(vec![("other", text("off"))]),
        ),
        case(
            "json",
            Kind::Json,
            Cell::Json(r#"{"a":1.0,"b":[1,2]}"#.into()),
            Cell::Json(r#"{ "b": [1, 2], "a": 1 }"#.into()),
            common(vec![
                ("order of a list", Cell::Json(r#"{"a":1,"b":[2,1]}"#.into())),
                ("text for number", Cell::Json(r#"{"a":"1","b":[1,2]}"#.into())),
                ("null member", Cell::Json(r#"{"a":1,"b":[1,2],"c":null}"#.into())),
                ("null document", Cell::Json("null".into())),
            ]),
        ),
        case(
            "list",
            Kind::List { set: false, numbers: false },
            Cell::List(vec![Some("a,b".to_owned()), None].into()),
            Cell::Json(r#"["a,b",null]"#.into()),
            common(vec![
                ("split", Cell::Json(r#"["a","b",null]"#.into())),
                ("order", Cell::Json(r#"[null,"a,b"]"#.into())),
                ("none", Cell::Json("[]".into())),
            ]),
        ),
        case(
            "set",
            Kind::List { set: true, numbers: true },
            Cell::Json("[2,1.0]".into()),
            Cell::Json("[1,2]".into()),
            common(vec![("one more", Cell::Json("[1,2,2]".into()))]),
        ),
        case(
            "uuid",
            Kind::Uuid,
            text("0F8FAD5B-D9CB-469F-A165-70867728950E"),
            text("0f8fad5bd9cb469fa16570867728950e"),
            common(vec![("one digit", text("0f8fad5b-d9cb-469f-a165-70867728950f"))]),
        ),
        case(
            "binary",
            Kind::Binary,
            Cell::Bytes(vec![0, 255, 10].into()),
            Cell::Bytes(vec![0, 255, 10].into()),
            common(vec![
                ("one bit", Cell::Bytes(vec![0, 255, 11].into())),
                ("none", Cell::Bytes(vec![].into())),
            ]),
        ),
    ]
}

fn rows(value: &Cell<'static>) -> Vec<Cells> {
    (0..ROWS).map(|n| vec![text(&format!("key {n}")), value.clone(), text("x"), text("11")]).collect()
}

struct Pair {
    _folder: tempfile::TempDir,
    a: PathBuf,
    b: PathBuf,
}

fn pair(kind: &Kind, a: &[Cells], b: &[Cells]) -> Result<Pair, ExtractError> {
    let folder = tempfile::tempdir().unwrap();
    let others =
        vec![Column::new("v", kind.clone()), Column::new("w", Kind::Text), Column::new("x", Kind::Text)];
    let columns = Columns::new(vec![Column::new("k", Kind::Text)], others).unwrap();
    let at = |name: &str| folder.path().join(name);
    let (left, right) = (at("a.csv"), at("b.csv"));
    extract(&left, Side::Source, &columns, a)?;
    extract(&right, Side::Target, &columns, b)?;
    Ok(Pair { _folder: folder, a: left, b: right })
}

fn same_bytes(a: &Path, b: &Path) -> bool {
    Command::new("cmp").arg("-s").args([a, b]).status().unwrap().success()
}

/// Lines that `comm` finds on one side alone.
fn comm(a: &Path, b: &Path) -> usize {
    let mut command = Command::new("comm");
    let out = command.args(["-3", "--nocheck-order"]).args([a, b]).env("LC_ALL", "C").output().unwrap();
    out.stdout.iter().filter(|byte| **byte == b'\n').count()
}

/// Compares as extracts, and as files of somebody else, and with other tools.
fn found(pair: &Pair) -> Vec<(DifferenceKind, Vec<usize>)> {
    let told = |options: FileOptions| {
        let (differences, summary) = compare(&pair.a, &pair.b, options).unwrap();
        let kinds = differences.iter().map(|difference| {
            (difference.kind(), difference.cells.iter().map(|cell| cell.column).collect::<Vec<_>>())
        });
        let lines = summary.missing + summary.extra + 2 * summary.changed;
        assert_eq!(comm(&pair.a, &pair.b) as u64, lines);
        assert_eq!(same_bytes(&pair.a, &pair.b), summary.is_equal());
        kinds.collect::<Vec<_>>()
    };
    let merged = told(FileOptions::default());
    assert_eq!(merged, told(FileOptions { exact: true, ..FileOptions::default() }));
    for path in [&pair.a, &pair.b] {
        std::fs::remove_file(Manifest::path(path)).unwrap();
    }
    assert_eq!(merged, told(FileOptions { key: vec!["k".into()], ..FileOptions::default() }));
    merged
}

#[test]
fn data_that_is_the_same_gives_the_same_bytes() {
    for case in cases() {
        let mut other = rows(&case.alike);
        other.reverse();
        let pair = pair(&case.kind, &rows(&case.value), &other).unwrap();
        assert!(found(&pair).is_empty(), "{}", case.name);
    }
}

#[test]
fn every_changed_value_is_found_in_its_column() {
    let mut planted = 0;
    for case in cases() {
        for (change, value) in case.others {
            let mut other = rows(&case.alike);
            other[17][1] = value;
            let pair = pair(&case.kind, &rows(&case.value), &other).unwrap();
            assert_eq!(found(&pair), [(DifferenceKind::Changed, vec![1])], "{}: {change}", case.name);
            planted += 1;
        }
    }
    assert!(planted > 60, "only {planted} changes were planted");
}

#[test]
fn every_changed_row_is_found() {
    for case in cases() {
        let clean = rows(&case.value);
        let change = |how: &dyn Fn(&mut Vec<Cells>)| {
            let mut other = rows(&case.alike);
            how(&mut other);
            pair(&case.kind, &clean, &other).map(|pair| found(&pair))
        };
        let missing = change(&|rows| drop(rows.remove(3))).unwrap();
        assert_eq!(missing, [(DifferenceKind::Missing, vec![])], "{}", case.name);
        let extra =
            change(&|rows| rows.push(vec![text("new"), case.value.clone(), text("x"), text("1")])).unwrap();
        assert_eq!(extra, [(DifferenceKind::Extra, vec![])], "{}", case.name);
        let swapped = change(&|rows| rows[9].swap(2, 3)).unwrap();
        assert_eq!(swapped, [(DifferenceKind::Changed, vec![2, 3])], "{}", case.name);
        let shifted = change(&|rows| (rows[9][2], rows[9][3]) = (text("x1"), text("1"))).unwrap();
        assert_eq!(shifted, [(DifferenceKind::Changed, vec![2, 3])], "{}", case.name);
        let doubled = change(&|rows| rows.push(rows[5].clone())).unwrap_err();
        assert_eq!(doubled.to_string(), "1 key comes more than once: key 5", "{}", case.name);
    }
}

#[test]
fn rules_make_alike_what_the_plan_declares_alike_and_nothing_else() {
    let mut name = Column::new("v", Kind::Text);
    name.rules = vec![Rule::Nfc, Rule::Trim, Rule::Lower, Rule::EmptyAsNull, Rule::MissingAsNull];
    let columns = Columns::new(vec![Column::new("k", Kind::Text)], vec![name]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    let rows = |values: [Cell<'static>; 4]| -> Vec<Cells> {
        values.into_iter().enumerate().map(|(n, value)| vec![text(&n.to_string()), value]).collect()
    };
    let source = rows([text("Zoe\u{308} "), text(""), Cell::Null, text("a b")]);
    let target = rows([text("zo\u{eb}"), Cell::Missing, text("  "), text("a  b")]);
    let left = extract(&a, Side::Source, &columns, &source).unwrap();
    let right = extract(&b, Side::Target, &columns, &target).unwrap();
    let (differences, _) = compare(&a, &b, FileOptions::default()).unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!(differences[0].cells[0].form.map(|form| form.to_string()).as_deref(), Some("white space"));
    let counts = |manifest: &Manifest| manifest.columns[1].changed.clone();
    assert_eq!(
        counts(&left),
        [("empty-as-null", 1), ("lower", 1), ("nfc", 1), ("trim", 1)].map(|(k, v)| (k.to_owned(), v)).into()
    );
    assert_eq!(
        counts(&right),
        [("empty-as-null", 1), ("missing-as-null", 1), ("trim", 1)].map(|(k, v)| (k.to_owned(), v)).into()
    );
}
