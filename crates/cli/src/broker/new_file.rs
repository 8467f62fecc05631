//! A file that appears under its name only when it is whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::failure::{CommandError, Failure};

/// A file on its way, under a name of its own beside the one that it will have.
#[derive(Debug)]
pub(super) struct NewFile {
    target: PathBuf,
    beside: PathBuf,
    /// Nothing once it has its name.
    file: Option<fs_err::File>,
}

impl NewFile {
    /// Begins a file.
    pub(super) fn create(target: &Path) -> Result<Self, Failure> {
        let mut beside = target.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let unwritable = |error| CommandError::file(target, error);
        let file = fs_err::File::create(&beside).map_err(unwritable)?;
        Ok(Self { target: target.to_owned(), beside, file: Some(file) })
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        Ok(written.map_err(|error| CommandError::file(&self.target, error))?)
    }

    /// Makes the file durable and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let unwritable = |error| CommandError::file(&self.target, error);
        if let Some(file) = &self.file {
            file.sync_all().map_err(unwritable)?;
            fs_err::rename(&self.beside, &self.target).map_err(unwritable)?;
        }
        self.file = None;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Best effort: the error that matters is the one that stopped the command.
            let _ = fs_err::remove_file(&self.beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(folder).expect("a folder");
        let name = |entry: std::io::Result<fs_err::DirEntry>| entry.expect("an entry").file_name();
        entries.map(name).map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("transfer.txt");
        let mut file = NewFile::create(&target).map_err(|_| "create").expect("created");
        file.write(b"ab").map_err(|_| "write").expect("written");
        drop(file);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let mut file = NewFile::create(&target).map_err(|_| "create").expect("created");
        file.write(b"ab").map_err(|_| "write").expect("written");
        file.write(b"cd").map_err(|_| "write").expect("written");
        file.finish().map_err(|_| "finish").expect("finished");
        assert_eq!(names(folder.path()), ["transfer.txt"]);
        assert_eq!(fs_err::read(&target).expect("read"), b"abcd");
    }
}
