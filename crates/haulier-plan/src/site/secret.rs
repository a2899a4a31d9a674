//! A secret: a reference to where it stands, read when it is used, shown never.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::node::Node;
use crate::shape;

/// Longest secret, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// A password, token or key, by reference only. `Debug` shows three stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    from: Origin,
    /// Where the site names it.
    file: PathBuf,
    place: (usize, usize),
}

#[derive(Clone, PartialEq, Eq)]
enum Origin {
    Environment(String),
    File(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Secret {
    /// Reads the secret now: from the environment, or from a file that only its owner can read. A line end after it
    /// does not count.
    pub fn reveal(&self) -> Result<String, Problem> {
        let text = match &self.from {
            Origin::Environment(name) => std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => self.problem(
                    format!("the environment has no variable `{name}` to take the secret from"),
                    Some(format!("set `{name}` for this process, or name a file: `{{ file = \"...\" }}`")),
                ),
                std::env::VarError::NotUnicode(_) => {
                    self.problem(format!("the environment variable `{name}` is not UTF-8"), None)
                }
            })?,
            Origin::File(path) => self.read(path)?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(self.problem(format!("the secret in {} is empty", self.told()), None));
        }
        Ok(text.to_owned())
    }

    fn read(&self, path: &Path) -> Result<String, Problem> {
        let unreadable = |cause: &dyn fmt::Display| {
            self.problem(format!("the secret file `{}` cannot be read: {cause}", path.display()), None)
        };
        let file = File::open(path).map_err(|cause| unreadable(&cause))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = file.metadata().map_err(|cause| unreadable(&cause))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(self.problem(
                    format!("the secret file `{}` can be read by others than its owner", path.display()),
                    Some(format!("chmod 600 {}", path.display())),
                ));
            }
        }
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(|cause| unreadable(&cause))?;
        Ok(text)
    }

    /// Where the secret is, for messages.
    fn told(&self) -> String {
        match &self.from {
            Origin::Environment(name) => format!("the environment variable `{name}`"),
            Origin::File(path) => format!("the file `{}`", path.display()),
        }
    }

    fn problem(&self, message: String, hint: Option<String>) -> Problem {
        Problem { file: self.file.clone(), place: Some(self.place), message, hint }
    }
}

/// Reads a reference to a secret; a secret that stands in the file itself is a mistake, and is not repeated.
pub(super) fn read(node: &Node<'_>, folder: &Path) -> Option<Secret> {
    if !node.value.is_table() {
        return written(node);
    }
    let table = node.table(&shape::SECRET)?;
    let from = match (table.get("env"), table.get("file")) {
        (Some(name), None) => {
            let name = name.text()?;
            let fits = name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.value.starts_with(|c: char| c.is_ascii_digit());
            if !fits {
                // Somebody may have put the secret itself there.
                node.notes.hinted(name.at, "`env` is not the name of an environment variable", EXAMPLE);
                return None;
            }
            Origin::Environment(name.value.to_owned())
        }
        (None, Some(path)) => Origin::File(folder.join(path.text()?.value)),
        (Some(_), Some(_)) | (None, None) => {
            return node
                .wrong(format!("`{}` needs either `env` or `file`", node.key), Some(EXAMPLE.to_owned()));
        }
    };
    Some(Secret { from, file: node.notes.file().to_owned(), place: node.notes.place(node.at) })
}

/// Notes that a secret is written into the file.
pub(super) fn written<T>(node: &Node<'_>) -> Option<T> {
    node.wrong(format!("`{}`: a secret is written into the file", node.key), Some(EXAMPLE.to_owned()))
}

const EXAMPLE: &str = "name where it is: `{ env = \"NAME\" }` or `{ file = \"path\" }`";
