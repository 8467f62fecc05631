//! A real folder behind the storage seam.
//!
//! Only the calls whose promise is exact are used: `fdatasync` for contents, `fsync` on the folder for names, and
//! rename over a synced temporary file for what must never be half. Invariant: a file made here can be read and written
//! by its owner alone.

use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err::OpenOptions;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, statvfs};

use crate::storage::{Storage, StorageFile};

/// A folder of the file system.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Files that exist are opened for somebody who may only read them.
    reads_only: bool,
}

impl Folder {
    /// Uses `path`, and makes it, and the folders above it, where they are missing.
    pub fn new(path: &Path) -> io::Result<Self> {
        create_folder(path)?;
        Ok(Self { path: path.to_owned(), reads_only: false })
    }

    /// Looks into a folder that is there, beside whoever writes in it.
    pub(crate) fn beside(path: &Path) -> Self {
        Self { path: path.to_owned(), reads_only: true }
    }

    fn writable(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.options_mut().mode(0o600);
        options
    }
}

/// Makes a folder and those above it, durably: each new name is synced in its parent.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_folder(parent)?;
    match fs_err::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    sync_folder(parent)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    fs_err::File::open(path)?.sync_all()
}

impl Storage for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(&self.path)? {
            // A name that is not Unicode is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.writable().create_new(true).open(self.place(name))?;
        Ok(Arc::new(FolderFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let place = self.place(name);
        let file = match self.reads_only {
            true => fs_err::File::open(place)?,
            false => self.writable().open(place)?,
        };
        Ok(Arc::new(FolderFile(file)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs_err::remove_file(self.place(name))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.place(name);
        let temporary = self.place(&format!("{name}.tmp"));
        let file = self.writable().create(true).truncate(true).open(&temporary)?;
        file.file().write_all_at(bytes, 0)?;
        file.sync_data()?;
        fs_err::rename(temporary, place)?;
        self.sync_names()
    }

    fn sync_names(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = statvfs(&self.path)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }

    fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[derive(Debug)]
struct FolderFile(fs_err::File);

impl StorageFile for FolderFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.file().read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.file().write_all_at(bytes, offset)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        Ok(fallocate(self.0.file(), FallocateFlags::empty(), 0, size)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn forget_cached(&self) {
        // Advice only: where it is not taken, the file is read from memory as before.
        let _ = fadvise(self.0.file(), 0, None, Advice::DontNeed);
    }
}
