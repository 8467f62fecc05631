//! Files that hold a secret.
//!
//! A key that others can read is no key, so a file that lets its group or the world in is refused with the command that
//! repairs it, rather than used with a warning. Invariant: a secret is written whole or not at all, readable by its
//! owner alone from the first byte on, and over an older one only where that is asked for. What the bytes mean is left to the caller.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs_err::OpenOptions;
use renkei_types::{Classify, Kind, Language, Localised};
use zeroize::Zeroizing;

use crate::error::kind_of;
use crate::folder::sync_folder;

/// A secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// Others than the owner may read it.
    #[error("{file}: others can read this secret (mode {mode:03o}); run `chmod 600 {file}`")]
    Exposed {
        /// The file.
        file: String,
        /// Its permissions.
        mode: u32,
    },
    /// There is a secret of that name already.
    #[error("{file}: there is a secret already; it is not overwritten")]
    Exists {
        /// The file.
        file: String,
    },
    /// The system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl SecretFileError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { file: path.display().to_string(), source }
    }
}

impl Classify for SecretFileError {
    fn kind(&self) -> Kind {
        match self {
            Self::Exposed { .. } => Kind::Refused,
            Self::Exists { .. } => Kind::Conflict,
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for SecretFileError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Exposed { file, mode } => format!(
                "{file}: 所有者以外も秘密を読める状態です（{mode:03o}）。`chmod 600 {file}` を実行してください"
            ),
            Self::Exists { file } => format!("{file}: 秘密が既にあります。上書きしません"),
            Self::Io { file, source } => format!("{file}: {}", source.localised(language)),
        }
    }
}

/// Reads a secret that its owner alone can read.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    read(path, |metadata| {
        let mode = metadata.permissions().mode() & 0o777;
        let file = || path.display().to_string();
        if mode & 0o077 == 0 {
            Ok(())
        } else {
            Err(SecretFileError::Exposed { file: file(), mode })
        }
    })
}

/// Reads a secret that a service manager hands over. Who may read it is the manager's affair: it grants the service access by
/// a list, which the mode shows as if a group could read it.
pub fn read_credential(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    read(path, |_| Ok(()))
}

fn read(
    path: &Path,
    check: impl FnOnce(&std::fs::Metadata) -> Result<(), SecretFileError>,
) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let io = |source| SecretFileError::io(path, source);
    let mut file = fs_err::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    check(&metadata)?;
    // Room for everything at once: a buffer that grows would leave copies behind.
    let size = usize::try_from(metadata.len()).unwrap_or_default();
    let mut secret = Zeroizing::new(Vec::with_capacity(size + 1));
    file.read_to_end(&mut secret).map_err(io)?;
    Ok(secret)
}

/// Writes a new secret, durable on return.
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), SecretFileError> {
    let io = |source| SecretFileError::io(path, source);
    let temporary = written_beside(path, secret)?;
    // A link, unlike a rename, fails where the name is taken.
    let linked = fs_err::hard_link(&temporary, path);
    let removed = fs_err::remove_file(&temporary);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(SecretFileError::Exists { file: path.display().to_string() });
        }
        linked => linked.and(removed).map_err(io)?,
    }
    sync_folder(folder_of(path)).map_err(io)
}

/// Puts a secret in the place of an older one, in one step and durable on return.
pub fn replace_secret(path: &Path, secret: &[u8]) -> Result<(), SecretFileError> {
    let io = |source| SecretFileError::io(path, source);
    let temporary = written_beside(path, secret)?;
    fs_err::rename(&temporary, path).map_err(io)?;
    sync_folder(folder_of(path)).map_err(io)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a secret whole under a name of its own beside its place.
fn written_beside(path: &Path, secret: &[u8]) -> Result<PathBuf, SecretFileError> {
    let io = |source| SecretFileError::io(path, source);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    // What a process left that died here was never a secret in use.
    match fs_err::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options.options_mut().mode(0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(secret)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // Best effort: the error that matters is the one that is told.
        let _ = fs_err::remove_file(&temporary);
        return Err(io(error));
    }
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.key");
        write_secret(&path, b"secret").expect("a new secret");
        assert_eq!(read_secret(&path).expect("the secret").as_slice(), b"secret");
        assert!(matches!(write_secret(&path, b"other"), Err(SecretFileError::Exists { .. })));
        assert_eq!(read_secret(&path).expect("the secret").as_slice(), b"secret");
        assert_eq!(fs_err::read_dir(folder.path()).expect("the folder").count(), 1);
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_the_command_that_repairs_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.key");
        write_secret(&path, b"secret").expect("a new secret");
        for mode in [0o640, 0o604, 0o660] {
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let error = read_secret(&path).expect_err("others can read it");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }
}
