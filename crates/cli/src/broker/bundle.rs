//! The audit bundle as a folder: `checkpoint` and tiles under `tile/`, as C2SP names them.
//!
//! Names come from the broker, which the auditor does not trust: only `checkpoint` and plain names under `tile/` are
//! written, each file once. Invariant: the folder appears when the whole bundle is durable, or not at all.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::BrokerError;
use crate::failure::{CommandError, Failure};

/// A bundle on its way, in a folder beside the one that it will be.
#[derive(Debug)]
pub(super) struct NewBundle {
    target: PathBuf,
    beside: PathBuf,
    current: Option<(String, fs_err::File)>,
    written: BTreeSet<String>,
    bytes: u64,
    finished: bool,
}

/// Whether a file of this name belongs into a bundle: parts of letters, digits, `.`, `_` and `-` that do not begin with a
/// dot.
fn is_safe(path: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && !part.starts_with('.')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
    };
    let tile = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() <= 16 && parts.into_iter().all(is_part)
    };
    path == "checkpoint" || path.strip_prefix("tile/").is_some_and(tile)
}

impl NewBundle {
    /// Begins a bundle. The folder must be absent or empty.
    pub(super) fn create(target: &Path) -> Result<Self, Failure> {
        let unwritable = |error| CommandError::file(target, error);
        if target.symlink_metadata().is_ok() {
            let mut entries = fs_err::read_dir(target).map_err(unwritable)?;
            if entries.next().is_some() {
                let folder = target.display().to_string();
                return Err(BrokerError::FolderInUse { folder }.into());
            }
        }
        // A trailing slash or `.` has no name to put a suffix to.
        let mut beside = match target.file_name() {
            Some(_) => target.components().collect::<PathBuf>().into_os_string(),
            None => fs_err::canonicalize(target).map_err(unwritable)?.into_os_string(),
        };
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        fs_err::create_dir(&beside).map_err(|error| CommandError::file(&beside, error))?;
        Ok(Self {
            target: target.to_owned(),
            beside,
            current: None,
            written: BTreeSet::new(),
            bytes: 0,
            finished: false,
        })
    }

    /// Adds bytes of a file. A file comes in one piece, or in several that follow each other.
    pub(super) fn write(&mut self, path: &str, data: &[u8]) -> Result<(), Failure> {
        if self.current.as_ref().is_none_or(|(current, _)| current != path) {
            self.begin(path)?;
        }
        if let Some((_, file)) = &mut self.current {
            file.write_all(data).map_err(|error| CommandError::file(&self.target, error))?;
            self.bytes += data.len() as u64;
        }
        Ok(())
    }

    fn begin(&mut self, path: &str) -> Result<(), Failure> {
        if !is_safe(path) {
            return Err(BrokerError::UnsafePath.into());
        }
        if !self.written.insert(path.to_owned()) {
            return Err(
                BrokerError::Answer { what: "a file of the bundle that comes twice" }.into()
            );
        }
        self.close()?;
        let place = path.split('/').fold(self.beside.clone(), |place, part| place.join(part));
        let unwritable = |error| CommandError::file(&place, error);
        if let Some(folder) = place.parent() {
            fs_err::create_dir_all(folder).map_err(unwritable)?;
        }
        let mut options = fs_err::OpenOptions::new();
        let file = options.write(true).create_new(true).open(&place).map_err(unwritable)?;
        self.current = Some((path.to_owned(), file));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let synced = self.current.take().map_or(Ok(()), |(_, file)| file.sync_all());
        Ok(synced.map_err(|error| CommandError::file(&self.target, error))?)
    }

    /// Gives the folder its name; answers how many files and bytes it has.
    pub(super) fn finish(mut self) -> Result<(usize, u64), Failure> {
        self.close()?;
        if !self.written.contains("checkpoint") {
            return Err(BrokerError::Answer { what: "a bundle without a checkpoint" }.into());
        }
        let unwritable = |error| CommandError::file(&self.target, error);
        if self.target.symlink_metadata().is_ok() {
            // Not every system renames onto an empty folder.
            fs_err::remove_dir(&self.target).map_err(unwritable)?;
        }
        fs_err::rename(&self.beside, &self.target).map_err(unwritable)?;
        self.finished = true;
        Ok((self.written.len(), self.bytes))
    }
}

impl Drop for NewBundle {
    fn drop(&mut self) {
        if !self.finished {
            self.current = None;
            // Best effort: the error that matters is the one that stopped the command.
            let _ = fs_err::remove_dir_all(&self.beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ok<T>(result: Result<T, Failure>) -> T {
        result.unwrap_or_else(|failure| {
            panic!("{}", failure.message(renkei_types::Language::English))
        })
    }

    #[test]
    fn tiles_and_the_checkpoint_are_written_and_nothing_else() {
        for path in ["checkpoint", "tile/0/000", "tile/0/x001/234.p/5", "tile/entries/000"] {
            assert!(is_safe(path), "{path}");
        }
        for path in [
            "",
            "tile",
            "tile/",
            "tile//0",
            "tile/../checkpoint",
            "tile/0/..",
            "tile/.hidden",
            "/checkpoint",
            "/tile/0",
            "./checkpoint",
            "Checkpoint",
            "checkpoint/0",
            "tile\\0",
            "tile/0\\..\\x",
            "tile/c:",
            "tile/0\n",
            "tile/０",
            "leaves/0",
        ] {
            assert!(!is_safe(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_safe_path_never_leaves_its_folder(path in "(tile/)?[a-z./\\\\:]{0,12}") {
            if is_safe(&path) {
                let plain = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(Path::new(&path).components().all(plain));
            }
        }
    }

    #[test]
    fn a_bundle_appears_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("bundle");
        let mut bundle = ok(NewBundle::create(&target));
        ok(bundle.write("tile/0/000", b"ab"));
        ok(bundle.write("tile/0/000", b"cd"));
        ok(bundle.write("checkpoint", b"note"));
        assert!(!target.exists());
        assert_eq!(ok(bundle.finish()), (2, 8));
        assert_eq!(fs_err::read(target.join("tile/0/000")).expect("read"), b"abcd");
        let failure = NewBundle::create(&target).expect_err("in use");
        assert_eq!(failure.exit(), crate::failure::Exit::Refused);
    }

    #[test]
    fn a_bundle_that_is_refused_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("bundle");
        let mut bundle = ok(NewBundle::create(&target));
        ok(bundle.write("tile/0/000", b"ab"));
        assert!(bundle.write("tile/../../etc", b"x").is_err());
        assert!(bundle.write("checkpoint", b"x").is_ok());
        assert!(bundle.write("tile/0/000", b"again").is_err());
        drop(bundle);
        assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 0);
        let bundle = ok(NewBundle::create(&target));
        assert!(bundle.finish().is_err(), "no checkpoint");
        assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
