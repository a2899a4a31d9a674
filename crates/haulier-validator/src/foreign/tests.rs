//! Files as other tools write them, and files that none should.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn lines(bytes: &[u8], dialect: Dialect) -> Result<Vec<String>, String> {
    let file = file(bytes);
    let shown = file.path().display().to_string();
    let tell = |error: CsvError| error.to_string().replace(&shown, "f.csv");
    let foreign = Foreign::open(file.path(), dialect).map_err(tell)?;
    let width = foreign.header().len();
    let layout = Layout::new(dialect, width, (0..width).collect(), vec![0]);
    let mut chunks = foreign.chunks().map_err(tell)?;
    let mut found = Vec::new();
    while let Some(chunk) = chunks.next(Vec::new()).map_err(|problem| tell(foreign.told(problem)))? {
        let told = |problem: Problem| tell(foreign.told(problem.shifted(chunk.offset)));
        Records::check(&chunk.text, dialect).map_err(told)?;
        let mut records = Records::new(&chunk.text, &layout);
        while records.advance().map_err(told)? {
            found.push(String::from_utf8(records.line().to_vec()).unwrap());
        }
    }
    Ok(found)
}

fn plain(text: &str) -> Result<Vec<String>, String> {
    lines(text.as_bytes(), Dialect::default())
}

#[test]
fn one_table_in_many_styles_is_one() {
    let expected = Ok(vec!["a,1".to_owned(), "\"x, \"\"y\"\"\",".to_owned(), "\"l1\nl2\",3".to_owned()]);
    let text = "k,v\na,1\n\"x, \"\"y\"\"\",\n\"l1\nl2\",3\n";
    assert_eq!(plain(text), expected);
    assert_eq!(plain(text.trim_end()), expected);
    assert_eq!(plain(&format!("\u{feff}{text}")), expected);
    assert_eq!(plain(&format!("{text}\n\n")), expected);
    assert_eq!(plain("\"k\",v\n\"a\",\"1\"\n\"x, \"\"y\"\"\",\"\"\n\"l1\nl2\",\"3\"\n"), expected);
    assert_eq!(plain("k,v\r\na,1\r\n\"x, \"\"y\"\"\",\r\n\"l1\nl2\",3\r\n"), expected);
    let tabs = Dialect { delimiter: b'\t', ..Dialect::default() };
    let tabbed = b"k\tv\na\t1\n\"x, \"\"y\"\"\"\t\n\"l1\nl2\"\t3\n";
    assert_eq!(lines(tabbed, tabs), expected);
    assert_eq!(lines(&zstd::encode_all(text.as_bytes(), 1).unwrap(), Dialect::default()), expected);
}

#[test]
fn a_single_column_may_be_empty() {
    assert_eq!(plain("k\na\n\n\"\"\n"), Ok(vec!["a".into(), "\"\"".into(), "\"\"".into()]));
}

#[test]
fn quotes_may_stand_bare_where_that_is_declared() {
    let text = "k,v\n36'37.8\"N,x\n\"a\"\"b\",12\"\n\"l1\nl2\",\"\"\n";
    assert_eq!(plain(text).unwrap_err(), "f.csv:2: a quote within a cell that does not begin with one");
    let bare = Dialect { bare_quotes: true, ..Dialect::default() };
    let expected = ["\"36'37.8\"\"N\",x", "\"a\"\"b\",\"12\"\"\"", "\"l1\nl2\","].map(ToOwned::to_owned);
    assert_eq!(lines(text.as_bytes(), bare).unwrap(), expected);
    // Over the borders of chunks, with an odd number of quotes.
    let many = format!("k,v\n{}", "a,12\"\n\"l1\nl2\",x\n".repeat(200_000));
    assert_eq!(lines(many.as_bytes(), bare).unwrap().len(), 400_000);
}

#[test]
fn null_is_told_from_empty_where_quotes_tell() {
    let dialect = Dialect { unquoted_null: true, ..Dialect::default() };
    assert_eq!(
        lines(b"k,v\na,\nb,\"\"\n\\N,x\n", dialect),
        Ok(vec!["a,\\N".into(), "b,".into(), "\\\\N,x".into()])
    );
}

#[test]
fn a_broken_file_is_an_error_at_its_line() {
    let mut late = "k,v\n".to_owned();
    late.push_str(&"a,\"l1\nl2\"\n".repeat(300_000));
    late.push_str("b\n");
    let cases: [(&[u8], &str); 13] = [
        (b"", "f.csv:1: it has no header line"),
        (b"k,k\n", "f.csv:1: the header names the column `k` twice"),
        (b"k,v\na,1\nb\n", "f.csv:3: the row has 1 cell, the header 2"),
        (b"k,v\na,1\nb,2,3\n", "f.csv:3: the row has 3 cells, the header 2"),
        (b"k,v\na,\"l1\nl2\"\nb,x\"y\n", "f.csv:4: a quote within a cell that does not begin with one"),
        (b"k,v\na,\"x\"y\n", "f.csv:2: text behind a closing quote: quotes within a cell are doubled"),
        (b"k,v\na,1\nb,\"x\nc,2\n", "f.csv:3: a quote is opened here and not closed"),
        (b"k,v\na,\xff\n", "f.csv:2: it is not UTF-8 here"),
        (b"\xff\xfek\0", "f.csv:1: it is UTF-16; save it as UTF-8"),
        (b"k\xff,v\n", "f.csv:1: it is not UTF-8 here"),
        (b"k,v\ra,1\rb,2", "f.csv:1: it has a carriage return outside quotes that ends no line"),
        (b"k,v\na,1\rb,2\n", "f.csv:2: it has a carriage return outside quotes that ends no line"),
        (late.as_bytes(), "f.csv:600002: the row has 1 cell, the header 2"),
    ];
    for (text, expected) in cases {
        assert_eq!(lines(text, Dialect::default()).unwrap_err(), expected);
    }
}

/// What a CSV is made of, and what it should not hold.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        b"a".as_slice(),
        b"b",
        b",",
        b";",
        b"\t",
        b"\"",
        b"\"\"",
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"\\N",
        b"\\",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xef\xbb\xbf",
        "\u{e9}".as_bytes(),
        "\u{2028}".as_bytes(),
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_a_csv_or_refused(bytes in any_file(), header in any::<bool>()) {
        let bytes = if header { [b"k,v\n".as_slice(), &bytes].concat() } else { bytes };
        // Neither a panic nor a line without an end.
        if let Ok(read) = lines(&bytes, Dialect::default()) {
            prop_assert!(read.len() <= bytes.len());
        }
    }
}
