//! A file that grows by a line of JSON a post.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use async_trait::async_trait;
use haulier_core::notice::Post;

use super::{Channel, Delivery, json};

/// A file, readable by its owner alone, because it holds addresses.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
}

impl File {
    /// At a path; the file is made where it is missing.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn holds(&self, key: &str) -> io::Result<bool> {
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).lines() {
            let post: Option<serde_json::Value> = serde_json::from_str(&line?).ok();
            if post.is_some_and(|post| post["key"] == key) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&self, post: &Post) -> io::Result<()> {
        // A line that a crash cut in half stays alone.
        let cut = std::fs::read(&self.path).is_ok_and(|text| !text.is_empty() && text.last() != Some(&b'\n'));
        let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let line = format!("{}{}\n", if cut { "\n" } else { "" }, json(post));
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }
}

#[async_trait]
impl Channel for File {
    async fn deliver(&self, post: &Post) -> Delivery {
        match self.holds(&post.what.key).and_then(|there| if there { Ok(()) } else { self.write(post) }) {
            Ok(()) => Delivery::Accepted(format!("in {}", self.path.display())),
            Err(error) => Delivery::Refused(format!("{}: {error}", self.path.display())),
        }
    }

    async fn knows(&self, post: &Post) -> Option<bool> {
        self.holds(&post.what.key).ok()
    }
}
