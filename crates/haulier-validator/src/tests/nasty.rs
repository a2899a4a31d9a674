//! Texts that break tools: each comes back as it went in, and none is taken for another.

use super::{Cells, compare, extract};
use crate::diff::FileOptions;
use crate::line::{self, Field};
use crate::neutral::{Cell, Column, Columns, Kind, Side};

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\\",
        "\\\\",
        "\\N",
        "\\M",
        "\\n",
        "\\\\N",
        "NULL",
        "null",
        "nil",
        "undefined",
        "true",
        "0",
        "-0",
        "1e999",
        "NaN",
        "Infinity",
        "0x10",
        "1,5",
        "1.5",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\"",
        "\"\"",
        "\"\"\"",
        ",",
        ",,",
        "\",\"",
        "a,\"b\"\n\"c\"",
        "'",
        "';--",
        "<script>alert(1)</script>",
        "{\"a\":1}",
        "[]",
        "${x}",
        "%s%n",
        "../../x",
        "\u{feff}",
        "\u{feff}a",
        "\u{200b}",
        "\u{202e}abc",
        "\u{ad}",
        "\u{a0}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{fffd}",
        "\u{fffe}",
        "e\u{301}",
        "\u{e9}",
        "\u{212b}",
        "\u{c5}",
        "\u{fb01}",
        "fi",
        "I\u{307}",
        "\u{130}",
        "\u{131}",
        "\u{df}",
        "SS",
        "\u{1e9e}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{1f1e9}\u{1f1ea}",
        "\u{10ffff}",
        "\u{10000}",
        "\u{e000}",
        "\u{5d0}\u{5d1} abc",
        "\u{627}\u{644}",
        "\u{4e2d}\u{6587}",
        "\u{3000}x",
        "Z\u{351}\u{36b}\u{343}a",
        "\u{1}\u{2}\u{1b}[31m",
    ]
    .map(ToOwned::to_owned)
    .into();
    texts.push("x".repeat(300_000));
    texts.push("\"\n,\\".repeat(5000));
    texts
}

#[test]
fn every_text_comes_back_and_none_is_taken_for_another() {
    let texts = texts();
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    // As a key: two that are taken for one would be an error.
    let columns =
        Columns::new(vec![Column::new("k", Kind::Text)], vec![Column::new("v", Kind::Text)]).unwrap();
    let rows = |more: &str| -> Vec<Cells> {
        let value = |text: &String| Cell::Text(format!("{text}{more}").into());
        texts.iter().map(|text| vec![Cell::Text(text.clone().into()), value(text)]).collect()
    };
    extract(&a, Side::Source, &columns, &rows("")).unwrap();
    let file = std::fs::read(&a).unwrap();
    let mut back: Vec<String> = file
        .split(|byte| *byte == b'\n')
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let cells: Vec<_> = line::cells(line)
                .map(|cell| match line::field(&cell) {
                    Field::Text(text) => text.into_owned(),
                    field @ (Field::Null | Field::Missing) => panic!("{field:?}"),
                })
                .collect();
            assert_eq!(cells[0], cells[1]);
            cells[0].clone()
        })
        .collect();
    let mut given = texts.clone();
    given.sort();
    back.sort();
    assert_eq!(back, given);
    extract(&b, Side::Target, &columns, &rows("!")).unwrap();
    let (differences, summary) = compare(&a, &b, FileOptions::default()).unwrap();
    assert_eq!((differences.len(), usize::try_from(summary.changed)), (texts.len(), Ok(texts.len())));
}

/// A table as a strict, different writer puts it down.
fn written(texts: &[String], delimiter: u8, always: bool, crlf: bool) -> Vec<u8> {
    let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(style)
        .terminator(terminator)
        .from_writer(Vec::new());
    writer.write_record(["n", "text", "again"]).unwrap();
    for (n, text) in texts.iter().enumerate() {
        writer.write_record([&n.to_string(), text, text]).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn every_style_of_another_writer_is_read_as_the_same_table() {
    let texts = texts();
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    std::fs::write(&a, written(&texts, b',', false, false)).unwrap();
    for (delimiter, always, crlf) in
        [(b',', true, false), (b';', false, true), (b'\t', true, true), (b'|', false, false)]
    {
        std::fs::write(&b, written(&texts, delimiter, always, crlf)).unwrap();
        let mut options = FileOptions { key: vec!["n".into()], ..FileOptions::default() };
        options.dialects[1].delimiter = delimiter;
        let (differences, summary) = compare(&a, &b, options).unwrap();
        assert!(differences.is_empty(), "{differences:?}");
        assert_eq!(usize::try_from(summary.equal), Ok(texts.len()));
    }
}
