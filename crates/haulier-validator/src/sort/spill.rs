//! Spill files: a sorted run on disk, in a file without a name.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::run::Run;

const WRITE_BUFFER: usize = 256 << 10;

/// A sorted run on disk.
#[derive(Debug)]
pub(super) struct Spill {
    file: File,
}

/// Writes one.
#[derive(Debug)]
pub(super) struct Writer {
    out: BufWriter<File>,
}

impl Writer {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self { out: BufWriter::with_capacity(WRITE_BUFFER, tempfile::tempfile_in(folder)?) })
    }

    pub(super) fn push(&mut self, line: &[u8]) -> io::Result<()> {
        push(&mut self.out, line)
    }

    pub(super) fn finish(self) -> io::Result<Spill> {
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Spill { file })
    }
}

/// Length, then bytes: a line may hold anything.
fn push(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(&u32::try_from(line.len()).map_err(io::Error::other)?.to_le_bytes())?;
    out.write_all(line)
}

/// Spills a sorted run.
pub(super) fn write(folder: &Path, run: &Run) -> io::Result<Spill> {
    let mut writer = Writer::create(folder)?;
    let mut place = 0;
    while let Some(line) = run.line(place) {
        writer.push(line)?;
        place += 1;
    }
    writer.finish()
}

/// Reads one, line by line.
#[derive(Debug)]
pub(super) struct Reader {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Reader {
    pub(super) fn new(spill: Spill, buffer: usize) -> Self {
        Self { file: BufReader::with_capacity(buffer, spill.file), line: Vec::new() }
    }

    /// Moves on to the next line; false at the end.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        let mut length = [0; 4];
        match self.file.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        self.line.resize(u32::from_le_bytes(length) as usize, 0);
        self.file.read_exact(&mut self.line)?;
        Ok(true)
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let mut disk = Small(20);
        push(&mut disk, b"0123456789").unwrap();
        let error = push(&mut disk, b"0123456789").unwrap_err();
        let error = super::super::SortError::spill(Path::new("/spill"), error);
        assert_eq!(
            error.to_string(),
            "the spill folder /spill is full: make room, name another folder, or allow more memory"
        );
    }
}
