//! Where extracts go.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haulier_core::SourceKey;
use haulier_sides::Agreed;
use haulier_validator::extract::{ExtractSpec, ExtractWriter, sha256};
use haulier_validator::meter::Meter;

use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::{self, OneSide};

/// Where the extracts of a call go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) compress: bool,
    pub(crate) tenant: Option<&'a SourceKey>,
}

impl Place<'_> {
    /// The file of an entity.
    pub(crate) fn file(&self, entity: &str) -> PathBuf {
        let ending = if self.compress { "csv.zst" } else { "csv" };
        let name = format!("{entity}.{ending}");
        match self.tenant {
            Some(key) => self.folder.join(folder_of(key)).join(name),
            None => self.folder.join(name),
        }
    }
}

/// A tenant's key as a folder's name: what a path could misread is written as `%` and hex.
pub(crate) fn folder_of(key: &SourceKey) -> String {
    let mut name = "tenant-".to_owned();
    for byte in key.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            name.push('%');
            haulier_core::form::push_hex(&mut name, &[byte]);
        }
    }
    name
}

/// A name for these tenants together; nothing for all of them.
pub(crate) fn folder_of_all(tenants: &[String]) -> Option<String> {
    let name = match tenants {
        [] => return None,
        [one] => folder_of(&SourceKey::from_canonical(one)),
        [..] => String::new(),
    };
    if !name.is_empty() && name.len() <= 120 {
        return Some(name);
    }
    let mut all = String::new();
    for tenant in tenants {
        // A text cannot fail to take a text.
        let _written = writeln!(all, "{tenant}");
    }
    let digest = sha256(all.as_bytes());
    Some(format!("tenants-{}-{}", tenants.len(), digest.get(..16).unwrap_or_default()))
}

/// Opens the extracts of an entity, which share the memory with `sorts - 1` others.
pub(crate) fn writers(
    side: &OneSide<'_>,
    agreed: &Agreed,
    places: &[Place<'_>],
    sorts: usize,
    meter: &Arc<Meter>,
) -> Result<Vec<ExtractWriter>, CliError> {
    let all = side.all;
    let sort = sides::sort_options(&all.state, all.sort_memory(), sorts * places.len(), meter)?;
    let open = |place: &Place<'_>| {
        let path = place.file(agreed.entity.name.as_str());
        make_folder(&path)?;
        Ok(ExtractWriter::create(ExtractSpec {
            path,
            entity: agreed.entity.name.to_string(),
            tenant: place.tenant.map(ToString::to_string),
            side: side.side,
            columns: agreed.columns.clone(),
            plan: all.plan.digest.clone(),
            fingerprint: all.fingerprint(side.side).to_owned(),
            hash_key: all.hash_key.clone(),
            compress: place.compress,
            sort: sort.clone(),
        })?)
    };
    places.iter().map(open).collect()
}

/// Makes the folder of a file, for its owner only.
pub(crate) fn make_folder(file: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        CliError::new(Exit::Unreachable, format!("the folder {} cannot be made: {error}", folder.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sets_of_tenants_share_a_name_and_none_leaves_its_folder() {
        let name = |tenants: &[&str]| {
            folder_of_all(&tenants.iter().map(|tenant| (*tenant).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(name(&[]), None);
        assert_eq!(name(&["7"]).as_deref(), Some("tenant-7"));
        assert_eq!(name(&["../x"]).as_deref(), Some("tenant-%2e%2e%2fx"));
        let long = "x".repeat(300);
        let names =
            [name(&["1", "2"]), name(&["1", "3"]), name(&["12"]), name(&[&long]), name(&["1", "2", "3"])];
        for (index, one) in names.iter().enumerate() {
            assert!(one.as_ref().is_some_and(|name| name.len() < 150));
            assert!(names.iter().skip(index + 1).all(|other| other != one), "{one:?}");
        }
    }
}
