//! Pairs of files on which tools disagree, and many small ones against a plain model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::foreign::Dialect;

/// Keeps what it is told, as short texts.
#[derive(Debug, Default)]
struct Told(Vec<String>);

fn shown(fields: &[Field<'_>]) -> String {
    let cell = |field: &Field<'_>| match field {
        Field::Null => "NULL".to_owned(),
        Field::Missing => "MISSING".to_owned(),
        Field::Text(text) => text.escape_debug().to_string(),
    };
    fields.iter().map(cell).collect::<Vec<_>>().join("|")
}

impl Sink for Told {
    fn begin(&mut self, _: &Shape) -> io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        self.0.push(match (&difference.a, &difference.b) {
            (Some(a), Some(b)) => {
                let cells: Vec<String> = difference
                    .cells
                    .iter()
                    .map(|cell| {
                        let form = cell.form.map(|form| format!(" ({form})")).unwrap_or_default();
                        let (a, b) = (&a[cell.column..=cell.column], &b[cell.column..=cell.column]);
                        format!("{}: {} > {}{form}", shape.columns[cell.column], shown(a), shown(b))
                    })
                    .collect();
                format!("changed {}: {}", shown(&a[..shape.key]), cells.join(", "))
            }
            (Some(a), None) => format!("missing {}", shown(a)),
            (None, Some(b)) => format!("extra {}", shown(b)),
            (None, None) => unreachable!(),
        });
        Ok(())
    }

    fn doubled(&mut self, _: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.0.push(format!("doubled {} {}/{}", shown(&doubled.key), doubled.a, doubled.b));
        Ok(())
    }

    fn end(&mut self, _: &Shape, summary: &Summary) -> io::Result<()> {
        let Summary { a, b, equal, missing, extra, changed, .. } = summary;
        assert_eq!((*a, *b), (equal + missing + changed, equal + extra + changed), "{summary:?}");
        Ok(())
    }
}

fn told(a: &str, b: &str, options: FileOptions) -> Result<(Vec<String>, Summary), String> {
    let folder = tempfile::tempdir().unwrap();
    let [left, right] = [("a.csv", a), ("b.csv", b)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    });
    let run = |options: FileOptions| {
        let files = Files::open(&left, &right, options)?;
        let mut sink = Told::default();
        let summary = diff_files(&files, &mut sink)?;
        Ok::<_, DiffError>((sink.0, summary))
    };
    let place = format!("{}/", folder.path().display());
    let by_digests = run(options.clone()).map_err(|error| error.to_string().replace(&place, ""));
    if !options.sorted {
        let exact = run(FileOptions { exact: true, ..options });
        assert_eq!(by_digests, exact.map_err(|error| error.to_string().replace(&place, "")));
    }
    by_digests
}

fn by(key: &str) -> FileOptions {
    FileOptions {
        key: key.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect(),
        memory: 4 << 20,
        threads: 2,
        ..FileOptions::default()
    }
}

#[test]
fn pairs_on_which_tools_disagree_are_answered_honestly() {
    let nulls =
        FileOptions { dialects: [Dialect { unquoted_null: true, ..Dialect::default() }; 2], ..by("k") };
    let cases: Vec<(&str, &str, &str, FileOptions, &[&str])> = vec![
        (
            "an extra copy of a row",
            "k,v\na,1\nb,2\nc,3\n",
            "k,v\na,1\nb,2\nb,2\nc,3\n",
            by("k"),
            &["extra b|2", "doubled b 1/2"],
        ),
        ("the same without a key", "k,v\na,1\nb,2\n", "k,v\na,1\nb,2\nb,2\n", by(""), &["extra b|2"]),
        (
            "a key twice",
            "k,v\na,1\na,2\nb,3\nb5,5\n",
            "k,v\na,1\nb,3\n",
            by("k"),
            &["missing a|2", "missing b5|5", "doubled a 2/1"],
        ),
        ("another style of quotes", "k,v\na,\"x\"\nb,\"y,z\"\n", "k,v\na,x\n\"b\",\"y,z\"\n", by("k"), &[]),
        ("CRLF", "k,v\r\na,1\r\nb,2\r\n", "k,v\na,1\nb,2\n", by("k"), &[]),
        ("a BOM", "\u{feff}k,v\na,1\n", "k,v\na,1\n", by("k"), &[]),
        (
            "line breaks in cells",
            "k,v\na,\"l1\nl2\"\nb,\"m1\nl2\"\n",
            "k,v\nb,\"m1\nl2\"\na,\"l1\nl2\"\n",
            by("k"),
            &[],
        ),
        (
            "swapped lines in cells",
            "k,v\na,\"l1\nl2\"\n",
            "k,v\na,\"l2\nl1\"\n",
            by("k"),
            &["changed a: v: l1\\nl2 > l2\\nl1"],
        ),
        ("NULL and empty, quotes mean nothing", "k,v\na,\n", "k,v\na,\"\"\n", by("k"), &[]),
        (
            "NULL and empty, quotes tell",
            "k,v\na,\nb,\n",
            "k,v\na,\"\"\nb,\n",
            nulls,
            &["changed a: v: NULL > "],
        ),
        (
            "a text that looks like NULL",
            "k,v\na,NULL\nb,\\N\n",
            "k,v\na,\nb,\n",
            by("k"),
            &["changed a: v: NULL > ", "changed b: v: \\\\N > "],
        ),
        ("another order of columns", "k,v,w\na,1,9\nb,2,8\n", "k,w,v\nb,8,2\na,9,1\n", by("k"), &[]),
        (
            "another Unicode form",
            "k,v\na,Zo\u{eb}\n",
            "k,v\na,Zoe\u{308}\n",
            by("k"),
            &["changed a: v: Zo\u{eb} > Zoe\u{308} (unicode form)"],
        ),
        ("a trailing space", "k,v\na,x \n", "k,v\na,x\n", by("k"), &["changed a: v: x  > x (white space)"]),
        (
            "values across a border",
            "k,v,w\na,1,11\n",
            "k,v,w\na,11,1\n",
            by("k"),
            &["changed a: v: 1 > 11, w: 11 > 1"],
        ),
        (
            "a key of two columns",
            "k,v,w\na,1,x\na,2,y\n",
            "k,v,w\na,2,y\na,1,z\n",
            by("k,v"),
            &["changed a|1: w: x > z"],
        ),
        ("a key that is last", "v,k\n1,a\n2,b\n", "v,k\n2,b\n3,a\n", by("k"), &["changed a: v: 1 > 3"]),
        ("a key with commas", "v,k\n1,\"a,b\"\n", "v,k\n2,\"a,b\"\n", by("k"), &["changed a,b: v: 1 > 2"]),
        (
            "many of one key",
            "k,v\na,1\na,2\na,3\n",
            "k,v\na,2\na,3\na,4\n",
            by("k"),
            &["changed a: v: 1 > 4", "doubled a 3/3"],
        ),
        ("doubled alike", "k,v\na,1\na,1\n", "k,v\na,1\na,1\n", by("k"), &["doubled a 2/2"]),
        ("all other", "k,v\na,1\n", "k,v\nb,1\n", by("k"), &["missing a|1", "extra b|1"]),
        ("no rows", "k,v\n", "k,v\n", by("k"), &[]),
    ];
    for (name, a, b, options, expected) in cases {
        let (told, summary) = told(a, b, options).unwrap();
        assert_eq!(told, expected, "{name}");
        assert_eq!(summary.is_doubled(), told.iter().any(|told| told.starts_with("doubled")), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_an_error_that_says_so() {
    let cases = [
        ("k,v\n", "k,w\n", by("k"), "only the first file has the columns v"),
        ("k\n", "k,w\n", by("k"), "only the second file has the columns w"),
        ("k,v\n", "k,v\n", by("K"), "a.csv has no column `K`; did you mean `k`?"),
        ("k,v\na,1\n", "k,v\nb\n", by("k"), "b.csv:2: the row has 1 cell, the header 2"),
        ("k,v\n\"a,1\n", "k,v\nb\n", by("k"), "a.csv:2: a quote is opened here and not closed"),
    ];
    for (a, b, options, expected) in cases {
        assert_eq!(told(a, b, options).unwrap_err(), expected);
    }
    let sorted = FileOptions { sorted: true, ..by("k") };
    let unsorted = told("k,v\nb,1\na,1\n", "k,v\na,1\nb,1\n", sorted.clone()).unwrap_err();
    assert_eq!(unsorted, "a.csv:3: the file is not in the order of its bytes here (that of `LC_ALL=C sort`)");
    let turned = told("v,k\n", "v,k\n", sorted.clone()).unwrap_err();
    assert_eq!(turned, "b.csv:1: sorted files need the same columns in the same order, the key first");
    let fine = told("k,v\na,\"l1\nl2\"\nb,1\n", "k,v\na,\"l1\nl2\"\nb,2\n", sorted).unwrap();
    assert_eq!(fine.0, ["changed b: v: 1 > 2"]);
    let some = FileOptions { columns: vec!["v".into()], ..by("k") };
    assert!(told("k,v,w\na,1,2\n", "k,v\na,1\n", some).unwrap().0.is_empty());
    let but = FileOptions { ignore: vec!["w".into()], ..by("k") };
    assert!(told("k,v,w\na,1,2\n", "k,v\na,1\n", but).unwrap().0.is_empty());
}

fn table(rows: &BTreeMap<String, String>, turned: bool) -> String {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|(key, value)| {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            if turned { format!("{},{key}", quoted(value)) } else { format!("{key},{}", quoted(value)) }
        })
        .collect();
    if turned {
        lines.reverse();
    }
    format!("{}\n{}\n", if turned { "v,k" } else { "k,v" }, lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn every_difference_is_found_and_no_other(
        rows in prop::collection::btree_map("[a-z]{1,4}", "\\PC{0,6}|[\n,\" ]{0,3}", 0..60),
        dropped in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        changed in prop::collection::vec((any::<prop::sample::Index>(), "[a-c]{1,2}"), 0..5),
        added in prop::collection::btree_map("[A-Z]{1,3}", "[a-z]{0,3}", 0..5),
    ) {
        let mut other = rows.clone();
        let key = |index: &prop::sample::Index| rows.keys().nth(index.index(rows.len().max(1))).cloned();
        for key in dropped.iter().filter_map(key) {
            other.remove(&key);
        }
        for (index, value) in &changed {
            if let Some(old) = key(index).and_then(|key| other.get_mut(&key)) {
                *old = value.clone();
            }
        }
        other.extend(added);
        let (told, summary) = told(&table(&rows, false), &table(&other, true), by("k")).unwrap();
        let missing = rows.keys().filter(|key| !other.contains_key(*key)).count();
        let extra = other.keys().filter(|key| !rows.contains_key(*key)).count();
        let changed = rows.iter().filter(|(key, value)| other.get(*key).is_some_and(|new| new != *value)).count();
        prop_assert_eq!(
            (summary.missing, summary.extra, summary.changed),
            (missing as u64, extra as u64, changed as u64)
        );
        prop_assert_eq!(told.len(), missing + extra + changed);
        prop_assert_eq!((summary.a, summary.b), (rows.len() as u64, other.len() as u64));
    }
}
