//! A stored result, and why it is not good any more.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use haulier_core::SourceKey;
use haulier_validator::extract::{Manifest, Part, sha256};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Basis;
use crate::command::extract::{folder_of_all, make_folder};
use crate::error::CliError;

/// The version of a stored result.
pub(crate) const VERSION: u32 = 1;

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The version of this form.
    pub(crate) haulier_result: u32,
    /// `counts`, `diff`, `deep`.
    pub(crate) level: String,
    pub(crate) entity: String,
    /// The tenants that it is of; all when empty.
    pub(crate) tenants: Vec<String>,
    /// When the reading began, RFC 3339.
    pub(crate) when: String,
    /// Whether nothing unexplained differs.
    pub(crate) equal: bool,
    /// The figures.
    pub(crate) figures: serde_json::Value,
    /// Explained differences by their word.
    pub(crate) explained: BTreeMap<String, u64>,
    /// Files that show it (`NAME.file`), and their SHA-256 before compression (`NAME.sha256`).
    pub(crate) evidence: BTreeMap<String, String>,
    pub(crate) basis: Basis,
}

impl Stored {
    fn folder(state: &Path) -> PathBuf {
        state.join("validate").join("results")
    }

    fn path(state: &Path, level: &str, entity: &str, tenants: &[String]) -> PathBuf {
        let of = folder_of_all(tenants).map_or_else(String::new, |of| format!(".{of}"));
        Self::folder(state).join(format!("{level}.{entity}{of}.json"))
    }

    /// Stores it in place of an older one of its kind.
    pub(crate) fn store(&self, state: &Path) -> Result<(), CliError> {
        let path = Self::path(state, &self.level, &self.entity, &self.tenants);
        make_folder(&path)?;
        let mut part = Part::create(&path)?;
        part.write_all(serde_json::to_string_pretty(self).map_err(CliError::bug)?.as_bytes())?;
        Ok(part.finish()?)
    }

    /// The stored result of that kind; one that cannot be read is none.
    pub(crate) fn load(state: &Path, level: &str, entity: &str, tenants: &[String]) -> Option<Self> {
        Self::read(&Self::path(state, level, entity, tenants))
    }

    fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read(path).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|stored| stored.haulier_result == VERSION)
    }

    /// All of them, of every entity, level and choice of tenants, in the order of their names.
    pub(crate) fn all(state: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(Self::folder(state)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let whole = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        whole.filter_map(|path| Self::read(path)).collect()
    }

    /// The tenants that it is of, by their keys.
    pub(crate) fn keys(&self) -> Vec<SourceKey> {
        self.tenants.iter().map(|tenant| SourceKey::from_canonical(tenant)).collect()
    }

    /// Why it is not good any more; nothing where it is.
    pub(crate) fn stale(&self, now: &Basis, at: Timestamp, fresh_for: std::time::Duration) -> Option<String> {
        let told = |what: &str| Some(format!("{what} since"));
        let was = &self.basis;
        if was.plan != now.plan {
            return told("the plan changed");
        }
        if was.column_set != now.column_set {
            return told("the column set changed");
        }
        if (&was.source, &was.target) != (&now.source, &now.target) {
            return told("the site changed");
        }
        if was.source_rows != now.source_rows {
            return told("the source changed");
        }
        if was.ledger != now.ledger {
            return told("records were settled");
        }
        if let Some(file) = self.lost() {
            return told(&format!("its evidence {file} was replaced or removed"));
        }
        let Ok(when) = self.when.parse::<Timestamp>() else {
            return Some("nobody knows how old it is".to_owned());
        };
        let age = at.duration_since(when);
        let limit = SignedDuration::try_from(fresh_for).unwrap_or(SignedDuration::MAX);
        (age > limit).then(|| format!("it is {} hours old", age.as_hours()))
    }

    /// A file of its evidence that is not what it was.
    fn lost(&self) -> Option<&str> {
        self.evidence.iter().find_map(|(name, file)| {
            let side = name.strip_suffix(".file")?;
            let was = self.evidence.get(&format!("{side}.sha256"))?;
            let path = Path::new(file);
            let is = match Manifest::read(path) {
                // What the manifest says is not read again: `haulier diff` does that.
                Ok(Some(manifest)) if path.exists() => Some(manifest.sha256),
                Ok(_) => std::fs::read(path).ok().map(|bytes| sha256(&bytes)),
                Err(_) => None,
            };
            (is.as_ref() != Some(was)).then_some(file.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stored(basis: &Basis, when: Timestamp) -> Stored {
        Stored {
            haulier_result: VERSION,
            level: "diff".to_owned(),
            entity: "user".to_owned(),
            tenants: Vec::new(),
            when: when.to_string(),
            equal: true,
            figures: serde_json::Value::Null,
            explained: BTreeMap::new(),
            evidence: BTreeMap::new(),
            basis: basis.clone(),
        }
    }

    fn basis() -> Basis {
        Basis {
            plan: "p".to_owned(),
            column_set: "c".to_owned(),
            source: "s".to_owned(),
            target: "t".to_owned(),
            source_rows: 3,
            ledger: "r landed=3".to_owned(),
        }
    }

    #[test]
    fn a_result_goes_stale_with_whatever_it_rests_on() {
        let (basis, hour) = (basis(), Duration::from_hours(1));
        let when: Timestamp = "2024-03-30T20:30:00Z".parse().unwrap();
        let stored = stored(&basis, when);
        assert_eq!(stored.stale(&basis, when, hour), None);
        for (now, why) in [
            (Basis { plan: "q".to_owned(), ..basis.clone() }, "plan"),
            (Basis { column_set: "d".to_owned(), ..basis.clone() }, "column set"),
            (Basis { target: "u".to_owned(), ..basis.clone() }, "site"),
            (Basis { source_rows: 4, ..basis.clone() }, "source"),
            (Basis { ledger: "r landed=2".to_owned(), ..basis.clone() }, "settled"),
        ] {
            assert!(stored.stale(&now, when, hour).unwrap().contains(why), "{why}");
        }
        let later = when + SignedDuration::from_hours(3);
        assert!(stored.stale(&basis, later, hour).unwrap().contains("3 hours old"));
    }

    #[test]
    fn a_result_is_no_better_than_its_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep.csv");
        std::fs::write(&file, "as it was").unwrap();
        let when: Timestamp = "2024-03-30T20:30:00Z".parse().unwrap();
        let mut stored = stored(&basis(), when);
        let evidence =
            [("records.file", file.display().to_string()), ("records.sha256", sha256(b"as it was"))];
        stored.evidence = evidence.map(|(name, text)| (name.to_owned(), text)).into();
        let why = || stored.stale(&basis(), when, Duration::from_hours(1));
        assert_eq!(why(), None);
        std::fs::write(&file, "as it is").unwrap();
        assert!(why().unwrap().contains("was replaced or removed since"), "{:?}", why());
        std::fs::remove_file(&file).unwrap();
        assert!(why().is_some());
    }

    #[test]
    fn each_choice_of_tenants_has_a_result_of_its_own() {
        let state = tempfile::tempdir().unwrap();
        let when: Timestamp = "2024-03-30T20:30:00Z".parse().unwrap();
        for tenants in [&[][..], &["1"], &["1", "2"]] {
            let tenants = tenants.iter().map(|tenant| (*tenant).to_owned()).collect();
            Stored { tenants, ..stored(&basis(), when) }.store(state.path()).unwrap();
        }
        std::fs::write(Stored::folder(state.path()).join("diff.user.json.part"), "half").unwrap();
        std::fs::write(Stored::folder(state.path()).join("diff.odd.json"), "{}").unwrap();
        let all = Stored::all(state.path());
        assert_eq!(all.len(), 3, "{all:#?}");
        assert!(Stored::load(state.path(), "diff", "user", &["2".to_owned()]).is_none());
        assert_eq!(Stored::load(state.path(), "diff", "user", &["1".to_owned()]).unwrap().keys().len(), 1);
    }
}
