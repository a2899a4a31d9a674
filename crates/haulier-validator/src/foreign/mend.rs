//! What helps against each mistake in a file.

use super::CsvError;

/// How a mistake's words begin, and what helps.
const MENDS: [(&str, &str); 11] = [
    ("the row has ", "a cell that holds the delimiter needs quotes; `--delimiter` if the file has another"),
    ("a quote is opened here", "close it; a quote within a cell is doubled, and the cell in quotes"),
    ("a row of more than ", "close the quote; a quote within a cell is doubled, and the cell in quotes"),
    ("text behind a closing quote", "write `\"x\"\"y\"` for x\"y"),
    ("a quote within a cell", "`--bare-quotes` reads such a quote as text"),
    ("it is not UTF-8", "save it as UTF-8, such as by `iconv -f latin1 -t utf-8`"),
    ("it is UTF-16", "`iconv -f utf-16 -t utf-8`"),
    ("it has a carriage return", "end lines by LF or CRLF, or put the cell in quotes"),
    ("it has no header line", "the first line names the columns"),
    ("the header names the column", "rename one of them"),
    ("", "sort both by `LC_ALL=C sort`, key first, or leave `--sorted` out"),
];

impl CsvError {
    /// What helps; nothing where the file cannot be read at all.
    #[must_use]
    pub fn mend(&self) -> Option<&'static str> {
        let Self::Line { reason, .. } = self else { return None };
        MENDS.iter().find(|(start, _)| reason.starts_with(start)).map(|(_, mend)| *mend)
    }
}
