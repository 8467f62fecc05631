//! Files that are there whole or not at all, and keys that nobody else could ever read.
//!
//! A file is written beside its place, made durable, and put there by a rename; then the folder is made durable. A private
//! key has mode 0600 from the moment its file exists: setting it afterwards would leave a moment in which to read it.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use renkei_types::Slug;

use crate::error::PkiError;
use crate::signer::Issued;

/// Whether others than the owner may read a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Readers {
    /// As the process's mask says.
    Anybody,
    /// The owner alone.
    Owner,
}

/// Writes a file in one step, in place of an older one if there is one.
pub(crate) fn write(file: &Path, bytes: &[u8], readers: Readers) -> Result<(), PkiError> {
    let beside = beside(file);
    let written =
        write_beside(&beside, bytes, readers).and_then(|()| fs_err::rename(&beside, file));
    if let Err(error) = written {
        // Best effort: the error that matters is the one that is told.
        let _ = fs_err::remove_file(&beside);
        return Err(PkiError::file(file, error));
    }
    sync_folder(folder_of(file))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn write_beside(beside: &Path, bytes: &[u8], readers: Readers) -> std::io::Result<()> {
    // What an interrupted command left may have the wrong mode.
    match fs_err::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = options.open(beside)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(dir: &Path) -> Result<(), PkiError> {
    #[cfg(unix)]
    fs_err::File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| PkiError::file(dir, error))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder that only its owner can enter; one that is there stays as it is.
pub(crate) fn create_private(dir: &Path) -> Result<(), PkiError> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = folder_of(dir);
    fs_err::create_dir_all(parent).map_err(|error| PkiError::file(parent, error))?;
    #[cfg(unix)]
    let created = {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().mode(0o700).create(dir)
    };
    #[cfg(not(unix))]
    let created = fs_err::create_dir(dir);
    created.map_err(|error| PkiError::file(dir, error))?;
    sync_folder(parent)
}

/// Refuses a private key that others can read, as its secret may be out.
pub(crate) fn require_private(key: &Path) -> Result<(), PkiError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs_err::metadata(key).map_err(|error| PkiError::file(key, error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(PkiError::ExposedKey { file: key.to_path_buf() });
        }
    }
    #[cfg(not(unix))]
    let _ = key;
    Ok(())
}

/// Where a certificate and its key are kept: `NAME.crt` and `NAME.key`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// The files of a name in a folder.
    pub fn new(dir: &Path, name: &Slug) -> Self {
        Self { certificate: dir.join(format!("{name}.crt")), key: dir.join(format!("{name}.key")) }
    }

    /// Refuses if one of them is there: ask before issuing, as an issued certificate is recorded first.
    pub fn require_absent(&self) -> Result<(), PkiError> {
        match self.both().into_iter().find(|file| file.symlink_metadata().is_ok()) {
            Some(file) => Err(PkiError::FileExists { file: file.to_path_buf() }),
            None => Ok(()),
        }
    }

    /// Refuses if one of them is missing: ask before renewing in place.
    pub fn require_present(&self) -> Result<(), PkiError> {
        match self.both().into_iter().find(|file| !file.is_file()) {
            Some(file) => Err(PkiError::FileMissing { file: file.to_path_buf() }),
            None => Ok(()),
        }
    }

    /// Writes both, in place of older ones if there are any; makes the folder.
    ///
    /// Where the owner has kept the key there is only the certificate. Each is replaced in one step, the key first. If the machine stops in between, the older certificate lies beside the
    /// newer key, no connection succeeds with them, and `renkei pki renew` repairs it.
    pub fn write(&self, issued: &Issued) -> Result<(), PkiError> {
        let dir = folder_of(&self.certificate);
        create_private(dir)?;
        if let Some(key) = &issued.key_pem {
            write(&self.key, key.as_bytes(), Readers::Owner)?;
        }
        write(&self.certificate, issued.certificate_pem.as_bytes(), Readers::Anybody)
    }

    fn both(&self) -> [&Path; 2] {
        [&self.certificate, &self.key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("crl.pem");
        fs_err::write(beside(&file), "left by an interrupted command").expect("written");
        write(&file, b"one", Readers::Anybody).expect("written");
        write(&file, b"two", Readers::Anybody).expect("written");
        assert_eq!(fs_err::read(&file).expect("read"), b"two");
        assert_eq!(fs_err::read_dir(dir.path()).expect("read").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_its_owners_alone_even_where_an_open_file_lay_in_its_way() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("ca.key");
        fs_err::write(beside(&file), "open to all").expect("written");
        fs_err::write(&file, "open to all").expect("written");
        assert!(matches!(require_private(&file), Err(PkiError::ExposedKey { .. })));
        write(&file, b"secret", Readers::Owner).expect("written");
        let mode = fs_err::metadata(&file).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        require_private(&file).expect("private");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("nowhere").join("ca.crt");
        let error = write(&file, b"", Readers::Anybody).expect_err("no folder");
        assert!(error.to_string().contains("ca.crt"), "{error}");
    }
}
