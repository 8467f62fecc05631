//! The key folder: one root key, and the data keys that it wraps.
//!
//! ```text
//! root.key                  32 bytes, readable by the owner alone; belongs into a safe, not into the backup of the data
//! data/<id>.key             a data key, sealed with the root key for this id
//! data/<id>.destroyed       the tombstone: this key is gone, whatever a backup brings back
//! ```
//! The root key may come from a service manager instead, which keeps it encrypted; then it is not in the folder at all.
//! Deleting personal data from an append-only journal, from blobs and from every backup is done by destroying the one
//! small key that seals it. Invariant: a key whose tombstone exists is never handed out again and never made again; a
//! key that was handed out by `create` is durable. Overwriting a file does not reach old copies on every disk, so what
//! protects a destroyed key there is the root key around it. Which key seals what is left to the caller.

mod rotation;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use renkei_types::{Classify, DataKeyId, Entropy, Kind, Language, Localised};
use zeroize::Zeroizing;

use crate::folder::{create_folder, sync_folder};
use crate::seal::DataKey;
use crate::secret_file::{SecretFileError, read_credential, read_secret, write_secret};

/// So many opened keys are kept in memory.
const CACHED_KEYS_MAX: usize = 256;

/// A key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It was destroyed, and with it what it had sealed.
    #[error("{id} has been destroyed; what it sealed cannot be read any more")]
    Destroyed {
        /// The key.
        id: DataKeyId,
    },
    /// There is no such key.
    #[error("{id} is not in {folder}; restore the key folder from its backup")]
    Unknown {
        /// The key.
        id: DataKeyId,
        /// The folder of data keys.
        folder: String,
    },
    /// There is a key of this id already.
    #[error("{id} exists already")]
    Exists {
        /// The key.
        id: DataKeyId,
    },
    /// There are data keys, but no root key that could open them.
    #[error(
        "{file}: missing, though there are data keys; restore it from the safe, a new one would not open them"
    )]
    RootMissing {
        /// The file of the root key.
        file: String,
    },
    /// The root key is handed over, and another one lies in the folder.
    #[error(
        "{file}: the root key is handed over by the service manager, and here is another one; bring this one into the safe, and remove it"
    )]
    TwoRoots {
        /// The file in the folder.
        file: String,
    },
    /// The root key is handed over and cannot be replaced from here.
    #[error(
        "the root key is handed over by the service manager and cannot be replaced while it is; put it back as root.key first"
    )]
    Handed,
    /// A key file is not what was written, or belongs to another root key.
    #[error("{file}: not a key of this folder's root key; restore it from the backup")]
    Damaged {
        /// The file.
        file: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
}

impl Classify for KeyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Destroyed { .. } | Self::Unknown { .. } => Kind::NotFound,
            Self::Exists { .. } => Kind::Conflict,
            Self::RootMissing { .. } | Self::TwoRoots { .. } | Self::Handed => Kind::Refused,
            Self::Damaged { .. } => Kind::Internal,
            Self::File(error) => error.kind(),
        }
    }
}

impl Localised for KeyError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Destroyed { id } => {
                format!("{id} は破棄済みです。この鍵で封印したデータはもう読めません")
            }
            Self::Unknown { id, folder } => {
                format!("{id} が {folder} にありません。鍵フォルダをバックアップから戻してください")
            }
            Self::Exists { id } => format!("{id} は既にあります"),
            Self::RootMissing { file } => format!(
                "{file}: データ鍵があるのにルート鍵がありません。保管場所から戻してください（新しい鍵では開けません）"
            ),
            Self::TwoRoots { file } => format!(
                "{file}: ルート鍵はサービス管理から渡されていますが、別のルート鍵がここにもあります。金庫に保管し、ここからは削除してください"
            ),
            Self::Handed => {
                "ルート鍵はサービス管理から渡されているため、このままでは取り替えられません。先に root.key としてフォルダに戻してください".to_owned()
            }
            Self::Damaged { file } => format!(
                "{file}: このフォルダのルート鍵で開けません。バックアップから戻してください"
            ),
            Self::File(error) => error.localised(language),
        }
    }
}

/// The keys of one broker.
#[derive(Debug)]
pub struct KeyFolder {
    dir: PathBuf,
    data: PathBuf,
    /// Whether the root key comes from elsewhere and is not to be replaced here.
    is_handed: bool,
    /// The lock is held over every change, so that a key cannot be cached while it is being destroyed.
    opened: Mutex<OpenedKeys>,
}

/// The keys in memory.
#[derive(Debug)]
struct OpenedKeys {
    root: DataKey,
    cache: HashMap<DataKeyId, DataKey>,
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> KeyError {
    let file = path.display().to_string();
    move |source| KeyError::File(SecretFileError::Io { file: file.clone(), source })
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl KeyFolder {
    /// Opens the folder, or makes it and a root key. A destruction that was interrupted, or undone by restoring a
    /// backup, is completed.
    pub fn open_or_create(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        Self::open(dir, None, entropy)
    }

    /// The same with a root key that a service manager hands over in a file; none is made then.
    pub fn open_handed(dir: &Path, root: &Path, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        Self::open(dir, Some(root), entropy)
    }

    fn open(dir: &Path, handed: Option<&Path>, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let data = dir.join("data");
        create_folder(&data).map_err(file_error(&data))?;
        let own = dir.join("root.key");
        let root = match handed {
            None => Self::root(&own, &data, entropy)?,
            Some(_) if own.try_exists().map_err(file_error(&own))? => {
                return Err(KeyError::TwoRoots { file: own.display().to_string() });
            }
            Some(handed) => root_of(handed, &read_credential(handed)?)?,
        };
        let opened = Mutex::new(OpenedKeys { root, cache: HashMap::new() });
        let folder = Self { dir: dir.to_owned(), data, is_handed: handed.is_some(), opened };
        folder.complete_destructions()?;
        Ok(folder)
    }

    fn root(path: &Path, data: &Path, entropy: &dyn Entropy) -> Result<DataKey, KeyError> {
        let file = || path.display().to_string();
        if !path.try_exists().map_err(file_error(path))? {
            if fs_err::read_dir(data).map_err(file_error(data))?.next().is_some() {
                return Err(KeyError::RootMissing { file: file() });
            }
            let key = DataKey::generate(entropy);
            write_secret(path, key.as_bytes())?;
            return Ok(key);
        }
        read_root(path)
    }

    fn complete_destructions(&self) -> Result<(), KeyError> {
        let io = file_error(&self.data);
        for entry in fs_err::read_dir(&self.data).map_err(&io)? {
            let name = entry.map_err(&io)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".destroyed"));
            if let Some(id) = id.and_then(|id| id.parse().ok()) {
                self.erase(id)?;
            }
        }
        Ok(())
    }

    fn key_file(&self, id: DataKeyId) -> PathBuf {
        self.data.join(format!("{id}.key"))
    }

    fn tombstone(&self, id: DataKeyId) -> PathBuf {
        self.data.join(format!("{id}.destroyed"))
    }

    fn is_destroyed(&self, id: DataKeyId) -> Result<bool, KeyError> {
        let tombstone = self.tombstone(id);
        tombstone.try_exists().map_err(file_error(&tombstone))
    }

    fn opened(&self) -> MutexGuard<'_, OpenedKeys> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a data key, durable on return.
    pub fn create(&self, id: DataKeyId, entropy: &dyn Entropy) -> Result<DataKey, KeyError> {
        let mut opened = self.opened();
        if self.is_destroyed(id)? {
            return Err(KeyError::Destroyed { id });
        }
        let key = DataKey::generate(entropy);
        let wrapped = opened.root.seal(entropy, &wrapping_of(id), key.as_bytes());
        match write_secret(&self.key_file(id), &wrapped) {
            Err(SecretFileError::Exists { .. }) => return Err(KeyError::Exists { id }),
            written => written?,
        }
        remember(&mut opened.cache, id, &key);
        Ok(key)
    }

    /// The data key of this id.
    pub fn get(&self, id: DataKeyId) -> Result<DataKey, KeyError> {
        let mut opened = self.opened();
        if let Some(key) = opened.cache.get(&id) {
            return Ok(key.clone());
        }
        if self.is_destroyed(id)? {
            return Err(KeyError::Destroyed { id });
        }
        let path = self.key_file(id);
        let wrapped = match read_secret(&path) {
            Err(SecretFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Unknown { id, folder: self.data.display().to_string() });
            }
            wrapped => wrapped?,
        };
        let damaged = || KeyError::Damaged { file: path.display().to_string() };
        let bytes = opened.root.open(&wrapping_of(id), &wrapped).map_err(|_| damaged())?;
        let bytes = Zeroizing::new(bytes);
        let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| damaged())?);
        let key = DataKey::from_bytes(*key);
        remember(&mut opened.cache, id, &key);
        Ok(key)
    }

    /// Destroys a data key for good, durable on return. Destroying it again changes nothing.
    pub fn destroy(&self, id: DataKeyId) -> Result<(), KeyError> {
        let mut opened = self.opened();
        opened.cache.remove(&id);
        let (path, tombstone) = (self.key_file(id), self.tombstone(id));
        if !self.is_destroyed(id)? {
            if !path.try_exists().map_err(file_error(&path))? {
                return Err(KeyError::Unknown { id, folder: self.data.display().to_string() });
            }
            // First the tombstone: from here on the key is destroyed, even if the process dies now.
            write_secret(&tombstone, b"")?;
        }
        self.erase(id)
    }

    /// Overwrites and removes the file of a key whose tombstone is durable.
    fn erase(&self, id: DataKeyId) -> Result<(), KeyError> {
        let path = self.key_file(id);
        let io = file_error(&path);
        if !path.try_exists().map_err(&io)? {
            return Ok(());
        }
        overwrite(&path).map_err(&io)?;
        remove_if_there(&path).map_err(&io)?;
        sync_folder(&self.data).map_err(&io)
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let file = fs_err::OpenOptions::new().write(true).open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    file.file().write_all_at(&vec![0; size], 0)?;
    file.sync_all()
}

/// Reads a root key.
fn read_root(path: &Path) -> Result<DataKey, KeyError> {
    root_of(path, &read_secret(path)?)
}

fn root_of(path: &Path, bytes: &[u8]) -> Result<DataKey, KeyError> {
    let damaged = |_| KeyError::Damaged { file: path.display().to_string() };
    let key = Zeroizing::new(<[u8; 32]>::try_from(bytes).map_err(damaged)?);
    Ok(DataKey::from_bytes(*key))
}

/// What a wrapped key is bound to.
fn wrapping_of(id: DataKeyId) -> Vec<u8> {
    [b"renkei data key 1\0".as_slice(), id.as_bytes()].concat()
}

fn remember(cache: &mut HashMap<DataKeyId, DataKey>, id: DataKeyId, key: &DataKey) {
    // Which keys will be wanted is not known; starting anew is cheap and keeps the memory bounded.
    if cache.len() >= CACHED_KEYS_MAX {
        cache.clear();
    }
    cache.insert(id, key.clone());
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use renkei_types::SeededEntropy;

    use super::*;

    pub(super) struct Fixture {
        folder: tempfile::TempDir,
        pub(super) entropy: SeededEntropy,
    }

    impl Fixture {
        pub(super) fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder"), entropy: SeededEntropy::new(11) }
        }

        pub(super) fn open(&self) -> Result<KeyFolder, KeyError> {
            KeyFolder::open_or_create(self.folder.path(), &self.entropy)
        }

        pub(super) fn file(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
    }

    pub(super) fn id(number: u8) -> DataKeyId {
        DataKeyId::from_bytes([number; 16])
    }

    #[test]
    fn a_key_is_the_same_after_reopening() {
        let fixture = Fixture::new();
        let key = fixture.open().expect("a folder").create(id(1), &fixture.entropy).expect("a key");
        let folder = fixture.open().expect("the folder");
        assert_eq!(folder.get(id(1)).expect("the key").as_bytes(), key.as_bytes());
        assert!(matches!(folder.get(id(2)), Err(KeyError::Unknown { .. })));
        assert!(matches!(folder.create(id(1), &fixture.entropy), Err(KeyError::Exists { .. })));
        assert!(format!("{folder:?}").contains("[redacted]"));
    }

    #[test]
    fn a_destroyed_key_stays_destroyed_even_when_a_backup_brings_its_file_back() {
        let fixture = Fixture::new();
        let folder = fixture.open().expect("a folder");
        folder.create(id(1), &fixture.entropy).expect("a key");
        let file = fixture.file(&format!("data/{}.key", id(1)));
        let backup = fs_err::read(&file).expect("the key file");
        folder.destroy(id(1)).expect("destruction");
        folder.destroy(id(1)).expect("the same again");
        assert!(matches!(folder.get(id(1)), Err(KeyError::Destroyed { .. })));
        assert!(matches!(folder.create(id(1), &fixture.entropy), Err(KeyError::Destroyed { .. })));
        assert!(!file.exists());
        write_secret(&file, &backup).expect("the restored file");
        assert!(matches!(folder.get(id(1)), Err(KeyError::Destroyed { .. })));
        let folder = fixture.open().expect("the folder");
        assert!(matches!(folder.get(id(1)), Err(KeyError::Destroyed { .. })));
        assert!(!file.exists(), "opening completes the destruction");
    }

    #[test]
    fn destroying_an_unknown_key_leaves_no_tombstone() {
        let fixture = Fixture::new();
        let folder = fixture.open().expect("a folder");
        assert!(matches!(folder.destroy(id(1)), Err(KeyError::Unknown { .. })));
        folder.create(id(1), &fixture.entropy).expect("a key");
    }

    #[test]
    fn a_root_key_that_others_can_read_is_refused() {
        let fixture = Fixture::new();
        fixture.open().expect("a folder");
        let root = fixture.file("root.key");
        assert_eq!(fs_err::metadata(&root).expect("the file").permissions().mode() & 0o777, 0o600);
        fs_err::set_permissions(&root, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        let error = fixture.open().expect_err("others can read it");
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.localised(Language::Japanese).contains("chmod 600"));
    }

    #[test]
    fn a_missing_root_key_is_not_replaced_while_there_are_data_keys() {
        let fixture = Fixture::new();
        fixture.open().expect("a folder").create(id(1), &fixture.entropy).expect("a key");
        fs_err::remove_file(fixture.file("root.key")).expect("the root key");
        assert!(matches!(fixture.open(), Err(KeyError::RootMissing { .. })));
    }

    #[test]
    fn a_key_file_under_another_id_does_not_open() {
        let fixture = Fixture::new();
        let folder = fixture.open().expect("a folder");
        folder.create(id(1), &fixture.entropy).expect("a key");
        let file = |number| fixture.file(&format!("data/{}.key", id(number)));
        write_secret(&file(2), &fs_err::read(file(1)).expect("a key file")).expect("a copy");
        assert!(matches!(folder.get(id(2)), Err(KeyError::Damaged { .. })));
    }
}
