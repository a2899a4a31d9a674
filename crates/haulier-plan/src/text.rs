//! Takes a file's bytes to its TOML tables.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use crate::notes::Notes;
use crate::{Problem, Problems};

/// Longest plan or site, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Where the files' names come from.
const NAMED: &str = "`--plan` and `--site` name the files; `haulier init` writes a first plan, and docs/site-reference.md tells what a site says";

/// Reads a whole file as text: at most [`MAX_BYTES`] of UTF-8.
pub(crate) fn load(file: &Path) -> Result<String, Problems> {
    let fail = |message: String, hint: Option<&str>| {
        Problems::from(Problem { file: file.to_owned(), place: None, message, hint: hint.map(str::to_owned) })
    };
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|cause| fail(format!("the file cannot be read: {cause}"), Some(NAMED)))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(fail(too_long(), None));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]);
        let place = Notes::new(file, &text).place(good);
        Problems::from(Problem {
            file: file.to_owned(),
            place: Some(place),
            message: "a byte that is not UTF-8".to_owned(),
            hint: Some("save the file as UTF-8".to_owned()),
        })
    })
}

/// The text without a byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The file's tables, or `None` when its syntax is wrong, with the first syntax mistake noted.
pub(crate) fn tables<'d>(notes: &Notes<'d>) -> Option<DeTable<'d>> {
    let text = notes.text();
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_BYTES) {
        notes.add(0, too_long());
        return None;
    }
    let (tables, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(tables.into_inner());
    }
    // One slip, such as a quote left out, makes the parser stumble over all that follows: the first is the one to mend.
    let place = |error: &toml::de::Error| error.span().map_or(text.len(), |span| span.start);
    if let Some(error) = errors.iter().min_by_key(|error| place(error)) {
        let at = place(error);
        notes.add(at, format!("this is not TOML: {}", error.message()));
    }
    None
}

fn too_long() -> String {
    format!("the file is longer than {MAX_BYTES} bytes")
}
