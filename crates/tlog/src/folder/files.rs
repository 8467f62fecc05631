//! The only place where the log touches files.
//!
//! A file appears under its name only when its bytes are durable: written under another name, synced, renamed, and the
//! folder synced. Whoever copies the folder at any moment copies whole files. What is mended is read as if it were there
//! before it is written, so that who only looks finds what who opens will find.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;

/// Where a file stands until it is durable. Outside `tile/`, and overwritten by the next one after a crash.
const UNFINISHED: &str = ".unfinished";

/// A folder that holds a log.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    /// Files that are missing or damaged, and that others of the folder tell; not written yet.
    mended: BTreeMap<String, Vec<u8>>,
}

impl Files {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), mended: BTreeMap::new() }
    }

    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        let files = Self::in_folder(folder);
        files.create_folder(folder, &mut BTreeSet::new())?;
        Ok(files)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file's bytes; nothing if there is no such file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(mended) = self.mended.get(name) {
            return Ok(Some(mended.clone()));
        }
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// A file to read from; nothing if there is no such file. A folder that was handed over may hold a pipe, of which opening
    /// it would wait for ever.
    pub(crate) fn open(&self, name: &str) -> io::Result<Option<fs::File>> {
        if self.is_special(name) {
            let what = format!("{} is not a file", self.folder.join(name).display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        found(fs::File::open(self.folder.join(name)))
    }

    /// Whether something stands there that is neither a file nor a folder.
    pub(crate) fn is_special(&self, name: &str) -> bool {
        let found = fs::metadata(self.folder.join(name));
        found.is_ok_and(|found| !found.is_file() && !found.is_dir())
    }

    /// A file's bytes if it has no more than `most`; a longer one is cut there, plus one byte that tells.
    pub(crate) fn read_at_most(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(most as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Part of a file; nothing if there is no such file.
    pub(crate) fn read_part(
        &self,
        name: &str,
        offset: u64,
        length: usize,
    ) -> io::Result<Option<Vec<u8>>> {
        if let Some(mended) = self.mended.get(name) {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let part = mended.get(from..from.saturating_add(length));
            return Ok(part.map(<[u8]>::to_vec));
        }
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Has a file read as it should be; it is written by [`Files::write_mended`].
    pub(crate) fn mend(&mut self, name: String, bytes: Vec<u8>) {
        self.mended.insert(name, bytes);
    }

    /// Writes what was mended, durable on return.
    pub(crate) fn write_mended(&mut self) -> io::Result<()> {
        let mended: Vec<_> = std::mem::take(&mut self.mended).into_iter().collect();
        self.write(&mended)
    }

    pub(crate) fn exists(&self, name: &str) -> io::Result<bool> {
        self.folder.join(name).try_exists()
    }

    /// Writes files so that all of them are durable on return: one sync for each file and for each folder touched.
    pub(crate) fn write(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        let mut touched = BTreeSet::new();
        for (name, bytes) in files {
            let path = self.folder.join(name);
            // Unwrap safety: a name below the folder has a parent.
            let parent = path.parent().expect("a file stands in a folder");
            self.create_folder(parent, &mut touched)?;
            let unfinished = self.folder.join(UNFINISHED);
            let mut file = fs::File::create(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            touched.insert(parent.to_owned());
        }
        touched.iter().try_for_each(|folder| fs::File::open(folder)?.sync_all())
    }

    /// Makes a folder and those above it; what holds a new one has to be synced.
    fn create_folder(&self, folder: &Path, touched: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.create_folder(parent, touched)?;
            if !parent.as_os_str().is_empty() {
                touched.insert(parent.to_owned());
            }
        }
        fs::create_dir(folder)
    }

    /// Removes a file if it is there, and its folder if that is empty then. Not synced: what comes back after a power
    /// loss is removed again.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.folder.join(name);
        if found(fs::remove_file(&path))?.is_some()
            && let Some(parent) = path.parent()
        {
            // Refused unless empty, which is what is wanted.
            let _ = fs::remove_dir(parent);
        }
        Ok(())
    }

    /// Names of what stands in a folder, sorted, each with whether it is itself a folder; nothing if there is no folder.
    pub(crate) fn list(&self, name: &str) -> io::Result<Vec<(String, bool)>> {
        let Some(entries) = found(fs::read_dir(self.folder.join(name)))? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            names.push((name, entry.file_type()?.is_dir()));
        }
        names.sort();
        Ok(names)
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
