//! Files that cannot be compared: each is told with its place, the cause and the way out; and files that only look odd.

use std::path::Path;

use crate::support::process::{Ended, Haulier};

const FINE: &[u8] = b"k,v\na,1\nb,2\n";

async fn diff(folder: &Path, a: &[u8], b: &[u8], more: &[&str]) -> Ended {
    std::fs::write(folder.join("a.csv"), a).unwrap();
    std::fs::write(folder.join("b.csv"), b).unwrap();
    let args = [&["diff", "a.csv", "b.csv", "--key", "k", "--no-progress", "--show", "0"], more].concat();
    Haulier::new(folder, &args).run().await
}

#[tokio::test]
async fn a_broken_file_is_told_with_its_line_the_cause_and_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let cells = "a cell that holds the delimiter needs quotes; `--delimiter` if the file has another";
    let utf8 = "save it as UTF-8, such as by `iconv -f latin1 -t utf-8`";
    let sorted = "sort both by `LC_ALL=C sort`, key first, or leave `--sorted` out";
    let cases: [(&[u8], &[&str], &str, &str); 13] = [
        (b"k,v\na,1\nb\n", &[], "b.csv:3: the row has 1 cell, the header 2", cells),
        (b"k,v\na,1,2\nb,2\n", &[], "b.csv:2: the row has 3 cells, the header 2", cells),
        (
            b"k,v\na,1\nb,\"x\nc,2\n",
            &[],
            "b.csv:3: a quote is opened here and not closed",
            "close it; a quote within a cell is doubled, and the cell in quotes",
        ),
        (
            b"k,v\na,\"x\"y\n",
            &[],
            "b.csv:2: text behind a closing quote: quotes within a cell are doubled",
            "write `\"x\"\"y\"` for x\"y",
        ),
        (
            b"k,v\na,1\nb,x\"y\n",
            &[],
            "b.csv:3: a quote within a cell that does not begin with one",
            "`--bare-quotes` reads such a quote as text",
        ),
        (b"k,v\na,1\nb,\xff\n", &[], "b.csv:3: it is not UTF-8 here", utf8),
        (
            b"\xff\xfek\0,\0v\0\n\0",
            &[],
            "b.csv:1: it is UTF-16; save it as UTF-8",
            "`iconv -f utf-16 -t utf-8`",
        ),
        (
            b"k,v\na,1\rb,2\n",
            &[],
            "b.csv:2: it has a carriage return outside quotes that ends no line",
            "end lines by LF or CRLF, or put the cell in quotes",
        ),
        (b"", &[], "b.csv:1: it has no header line", "the first line names the columns"),
        (b"k,v,k\na,1,2\n", &[], "b.csv:1: the header names the column `k` twice", "rename one of them"),
        (
            b"k,v\nb,2\na,1\n",
            &["--sorted"],
            "b.csv:3: the file is not in the order of its bytes here (that of `LC_ALL=C sort`)",
            sorted,
        ),
        (
            b"v,k\n1,a\n2,b\n",
            &["--sorted"],
            "b.csv:1: sorted files need the same columns in the same order, the key first",
            sorted,
        ),
        (
            b"k,w\na,1\nb,2\n",
            &[],
            "only the first file has the columns v",
            "`--columns` names what is compared, `--ignore` what is left out; `--delimiter` if the file has another",
        ),
    ];
    for (broken, more, says, hint) in cases {
        let ended = diff(folder.path(), FINE, broken, more).await.expect(2);
        assert_eq!(ended.stderr, format!("error: {says}\n\nhint: {hint}\n"));
        assert_eq!(ended.stdout, "");
    }
}

#[tokio::test]
async fn a_mark_other_line_ends_quotes_and_another_order_are_no_differences() {
    let folder = tempfile::tempdir().unwrap();
    let alike: [&[u8]; 5] = [
        b"\xef\xbb\xbfk,v\na,1\nb,2\n",
        b"k,v\r\na,1\r\nb,2\r\n",
        b"\"k\",\"v\"\n\"a\",\"1\"\n\"b\",\"2\"\n",
        b"v,k\n2,b\n1,a\n",
        b"k,v\nb,2\na,1",
    ];
    for other in alike {
        let ended = diff(folder.path(), FINE, other, &[]).await.expect(0);
        assert_eq!(ended.stderr, "");
    }
}
