//! What stands beside an extract: what it is of, and how to know that it is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use haulier_core::form;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Part;
use crate::neutral::{Changed, Columns, HASHED};

/// The version of the manifest's form.
pub const VERSION: u32 = 1;

/// The manifest of one extract, as JSON in `NAME.manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`VERSION`].
    pub haulier_extract: u32,
    /// The entity.
    pub entity: String,
    /// `source` or `target`.
    pub side: String,
    /// The tenant, where the extract is of one alone.
    pub tenant: Option<String>,
    /// When the reading began, RFC 3339.
    pub when: String,
    /// Digest of the plan.
    pub plan: String,
    /// What was read, such as server, database and version; no secret.
    pub fingerprint: String,
    /// Digest of the column set.
    pub column_set: String,
    /// How many of the columns, from the first, are the key.
    pub key: usize,
    /// The columns, key first.
    pub columns: Vec<ManifestColumn>,
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes of the CSV, before compression.
    pub bytes: u64,
    /// SHA-256 of the CSV before compression, as hex: equal for equal data.
    pub sha256: String,
    /// Whether the file is compressed with zstd.
    pub compressed: bool,
    /// Tells the keys of hashed columns apart, and nothing of them: 16 hex digits. Nothing where no column is hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key: Option<String>,
}

/// One column in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestColumn {
    /// Its name.
    pub name: String,
    /// Kind and rules, such as `decimal(2)` or `text, trim`.
    pub agreed: String,
    /// How many values each rule changed; rules that changed none are not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<String, u64>,
}

impl ManifestColumn {
    /// Whether only a keyed hash of its values is written.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        self.agreed.ends_with(HASHED)
    }
}

impl Manifest {
    /// Where the manifest of an extract stands.
    #[must_use]
    pub fn path(extract: &Path) -> PathBuf {
        let mut path = extract.as_os_str().to_owned();
        path.push(".manifest.json");
        path.into()
    }

    /// The columns of a manifest.
    #[must_use]
    pub fn columns(columns: &Columns, changed: &[Changed]) -> Vec<ManifestColumn> {
        let none = Changed::default();
        let changed = changed.iter().chain(std::iter::repeat(&none));
        let column = |(column, changed): (&crate::neutral::Column, &Changed)| ManifestColumn {
            name: column.name.clone(),
            agreed: column.agreement(),
            changed: changed.counts().map(|(rule, count)| (rule.to_owned(), count)).collect(),
        };
        columns.all().iter().zip(changed).map(column).collect()
    }

    /// Writes it beside its extract.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, extract: &Path) -> io::Result<()> {
        let mut part = Part::create(&Self::path(extract))?;
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        text.push(b'\n');
        part.write_all(&text)?;
        part.finish()
    }

    /// Reads the manifest of an extract; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is of another version.
    pub fn read(extract: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read(Self::path(extract)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if manifest.haulier_extract != VERSION {
            let message = format!("the manifest has version {}, not {VERSION}", manifest.haulier_extract);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Some(manifest))
    }

    /// Whether the extract is the one that the manifest describes: its size and its SHA-256, read again.
    ///
    /// # Errors
    /// The extract cannot be read.
    pub fn holds(&self, extract: &Path) -> io::Result<bool> {
        let file = File::open(extract)?;
        let mut text: Box<dyn Read> = if self.compressed {
            Box::new(zstd::Decoder::new(file)?)
        } else {
            Box::new(BufReader::new(file))
        };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = text.read(&mut buffer)?;
            if count == 0 {
                return Ok(form::hex(&hash.finalize()) == self.sha256);
            }
            hash.update(buffer.get(..count).unwrap_or_default());
        }
    }
}
