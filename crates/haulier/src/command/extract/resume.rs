//! What a call that was cut off has left: files that are whole, and a note of what it was about.

use std::io::Write;
use std::path::{Path, PathBuf};

use haulier_sides::Agreed;
use haulier_validator::extract::{Manifest, Part};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::error::CliError;
use crate::sides::OneSide;

/// The version of the note.
const VERSION: u32 = 1;

/// A call under way, as `unfinished.json` in its folder. It is gone when the call ends well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    haulier_unfinished: u32,
    side: String,
    plan: String,
    fingerprint: String,
    /// Whose hashes the files hold.
    pii_key: Option<String>,
    /// When the first of its calls began, RFC 3339: no file that is kept is older.
    pub(super) began: String,
}

impl Unfinished {
    /// A call that begins.
    pub(super) fn new(side: &OneSide<'_>, began: Timestamp) -> Self {
        Self {
            haulier_unfinished: VERSION,
            side: side.side.as_str().to_owned(),
            plan: side.all.plan.digest.clone(),
            fingerprint: side.all.fingerprint(side.side).to_owned(),
            pii_key: side.all.hash_key.as_deref().map(haulier_validator::neutral::hash_key_mark),
            began: began.to_string(),
        }
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("unfinished.json")
    }

    /// What a call in that folder has left; one that cannot be read is none.
    pub(super) fn left(folder: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(folder)).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|left| left.haulier_unfinished == VERSION)
    }

    /// Whether the files that it left are as this call would write them, but for their age.
    pub(super) fn fits(&self, now: &Self) -> bool {
        Self { began: now.began.clone(), ..self.clone() } == *now
    }

    pub(super) fn store(&self, folder: &Path) -> Result<(), CliError> {
        let path = Self::path(folder);
        super::make_folder(&path)?;
        let mut part = Part::create(&path)?;
        part.write_all(serde_json::to_string_pretty(self).map_err(CliError::bug)?.as_bytes())?;
        Ok(part.finish()?)
    }

    /// The call has ended well.
    pub(super) fn forget(folder: &Path) -> Result<(), CliError> {
        Ok(std::fs::remove_file(Self::path(folder))?)
    }

    /// The manifest of a file that the call has left whole: it was read since the call began, of the same columns, and it is what its
    /// manifest says, byte for byte.
    pub(super) fn kept(&self, place: &Place<'_>, agreed: &Agreed) -> Option<Manifest> {
        let file = place.file(agreed.entity.name.as_str());
        let manifest = Manifest::read(&file).ok().flatten()?;
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let same = manifest.plan == self.plan
            && manifest.side == self.side
            && manifest.fingerprint == self.fingerprint
            && manifest.column_set == agreed.columns.digest()
            && manifest.tenant.as_deref() == place.tenant.map(haulier_core::SourceKey::as_str)
            && time(&manifest.when)? >= time(&self.began)?;
        (same && manifest.holds(&file).is_ok_and(|holds| holds)).then_some(manifest)
    }
}
