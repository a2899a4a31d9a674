//! How two files are compared.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use haulier_validator::diff::FileOptions;
use haulier_validator::foreign::Dialect;
use haulier_validator::meter::Meter;

use crate::error::CliError;

/// How to read and compare.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// The columns that identify a row
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,..")]
    key: Vec<String>,
    /// Compare only these columns beside the key
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,..", conflicts_with = "ignore")]
    columns: Vec<String>,
    /// Leave these columns out
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,..")]
    ignore: Vec<String>,
    /// The column that holds the tenant, for the results
    #[arg(long, value_name = "COLUMN")]
    tenant: Option<String>,
    /// The delimiter: one character, or `tab`
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// The second file's delimiter, where it has another
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter_b: Option<u8>,
    /// An empty cell is NULL without quotes, and empty text with them
    #[arg(long)]
    unquoted_null: bool,
    /// A quote within a cell that does not begin with one is text
    #[arg(long)]
    bare_quotes: bool,
    /// Both files are sorted (`LC_ALL=C sort`), key first: read them once, side by side
    #[arg(long, conflicts_with_all = ["bare_quotes", "unquoted_null"])]
    sorted: bool,
    /// Sort and compare every row byte by byte, in place of 64-bit digests
    #[arg(long, conflicts_with = "sorted")]
    exact: bool,
    /// Memory for digests and sorting
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size)]
    memory: usize,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// The folder of spill files [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
}

impl How {
    pub(super) fn options(&self, meter: Arc<Meter>) -> Result<FileOptions, CliError> {
        let dialect = |delimiter| Dialect {
            delimiter,
            unquoted_null: self.unquoted_null,
            bare_quotes: self.bare_quotes,
        };
        let plain = FileOptions::default();
        Ok(FileOptions {
            key: self.key.clone(),
            columns: self.columns.clone(),
            ignore: self.ignore.clone(),
            tenant: self.tenant.clone(),
            dialects: [dialect(self.delimiter), dialect(self.delimiter_b.unwrap_or(self.delimiter))],
            sorted: self.sorted,
            exact: self.exact,
            memory: self.memory,
            threads: self.threads.map_or(plain.threads, NonZero::get),
            spill: self.spill.clone().unwrap_or(plain.spill),
            meter,
        })
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err("one ASCII character that is neither a quote nor a line break, or `tab`".to_owned()),
    }
}

/// `256M`, `1G`, `64MiB`: binary units.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    const LEAST: usize = 8 << 20;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase().as_str() {
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err("a number with M or G, such as 256M".to_owned()),
    };
    let count: usize = digits.parse().map_err(|_| "a number with M or G, such as 256M".to_owned())?;
    let size = count.checked_mul(unit).ok_or_else(|| "more than there can be".to_owned())?;
    if size < LEAST { Err("at least 8M".to_owned()) } else { Ok(size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        for wrong in ["", "256", "7M", "M", "1.5G", "-1G", "99999999999999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!((delimiter("tab"), delimiter(";")), (Ok(b'\t'), Ok(b';')));
        assert!(delimiter("\"").is_err() && delimiter("ab").is_err() && delimiter("\u{e9}").is_err());
    }
}
