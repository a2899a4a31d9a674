//! Room on the disks where ledger and queue are kept in files.

use std::path::{Path, PathBuf};

use haulier_plan::Site;

use super::wire;

/// A folder that must have room, and how many bytes a user may still write there.
pub(crate) struct Room {
    pub(crate) of: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) free: Result<u64, String>,
}

/// The room of each file of ours; none for servers, which keep their own.
pub(super) fn rooms(site: &Site) -> Vec<Room> {
    let files = [("ledger", wire::ledger_file(site)), ("queue", wire::queue_file(site))];
    let room = |(of, file): (&'static str, Option<&Path>)| {
        let folder = nearest(file?);
        let free = free(&folder);
        Some(Room { of, folder, free })
    };
    files.into_iter().filter_map(room).collect()
}

/// The folder of a file, or the nearest above it that is there already.
fn nearest(file: &Path) -> PathBuf {
    let there = file.ancestors().skip(1).find(|folder| folder.is_dir());
    let folder = there.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

fn free(folder: &Path) -> Result<u64, String> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| error.to_string())?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// A number of bytes for people.
pub(crate) fn said(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(|| format!("{bytes} bytes"), |(size, name)| format!("{} {name}", bytes / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_made_yet_has_the_room_of_the_one_above() {
        let there = tempfile::tempdir().unwrap();
        let found = nearest(&there.path().join("state/deep/ledger.sqlite"));
        assert_eq!(found, there.path());
        assert!(free(&found).unwrap() > 0);
        assert!(free(Path::new("/nowhere/at/all")).is_err());
        assert_eq!(nearest(Path::new("ledger.sqlite")), Path::new("."));
    }

    #[test]
    fn bytes_are_said_in_whole_units() {
        assert_eq!(
            (said(3 << 30), said(1_500_000), said(9)),
            ("3 GiB".to_owned(), "1 MiB".to_owned(), "9 bytes".to_owned())
        );
    }
}
