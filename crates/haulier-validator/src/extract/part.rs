//! A file that has its final name only when it is whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use haulier_core::form;
use sha2::{Digest as _, Sha256};

/// Written as `NAME.part`; readable by its owner alone. Dropped unfinished, it is deleted.
#[derive(Debug)]
pub struct Part {
    file: Option<File>,
    part: PathBuf,
    path: PathBuf,
}

impl Part {
    /// Opens `NAME.part`, in place of one that a dead process left.
    ///
    /// # Errors
    /// The folder cannot be written, or another process writes the same file now.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part)?;
        match file.try_lock() {
            Ok(()) => file.set_len(0)?,
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another process writes it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self { file: Some(file), part, path: path.to_owned() })
    }

    /// Makes it durable and gives it its final name, replacing an older file at once.
    ///
    /// # Errors
    /// The disk refuses. The older file, if any, is still there then.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        fs::rename(&self.part, &self.path)?;
        self.file = None;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It is a leftover either way; the next one to write it truncates it.
            let _gone = fs::remove_file(&self.part);
        }
    }
}

/// A [`Part`] that knows the SHA-256 of what was written into it.
#[derive(Debug)]
pub struct Sealed {
    part: BufWriter<Part>,
    hash: Sha256,
}

impl Sealed {
    /// Opens `NAME.part`.
    ///
    /// # Errors
    /// As those of [`Part::create`].
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { part: BufWriter::new(Part::create(path)?), hash: Sha256::new() })
    }

    /// Gives the file its final name, and its SHA-256 back as hex.
    ///
    /// # Errors
    /// As those of [`Part::finish`].
    pub fn finish(self) -> io::Result<String> {
        self.part.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        Ok(form::hex(&self.hash.finalize()))
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.part.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.part.flush()
    }
}

/// SHA-256 as hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    form::hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_file_has_the_final_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let mut part = Part::create(&path).unwrap();
        part.write_all(b"half").unwrap();
        assert_eq!(names(), ["a.csv.part"]);
        assert_eq!(Part::create(&path).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(part);
        assert!(names().is_empty());

        fs::write(folder.path().join("a.csv.part"), "left by a dead process, longer than the new one")
            .unwrap();
        let mut part = Part::create(&path).unwrap();
        part.write_all(b"whole").unwrap();
        part.finish().unwrap();
        assert_eq!(names(), ["a.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
