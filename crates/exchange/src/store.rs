//! The folders of a broker, opened: journal, blobs, keys, cache and log.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use renkei_journal::{
    BlobError, BlobReader, BlobRef, BlobWriter, Blobs, DataKey, Journal, KeyError, KeyFolder,
    Spool, SpoolError,
};
use renkei_types::{Classify as _, Clock, DataKeyId, Digest, Entropy, Kind, Reason, UploadId};

use crate::log_fault::{LogDifference, LogKeyFault};
use crate::refusal::Refusal;

/// Where a broker's folders are. Keys lie outside the store, so that a copy of the store opens nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StorePaths {
    /// Journal, blobs, uploads, cache and log.
    pub store: PathBuf,
    /// Root key, data keys and the log's key.
    pub keys: PathBuf,
    /// Keys that are not in that folder.
    pub handed: HandedKeys,
}

/// Keys that a service manager hands over in files, in the place of those in the folder of keys. They are used and never
/// replaced.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HandedKeys {
    /// The root key: 32 bytes.
    pub root: Option<PathBuf>,
    /// The log's key: PEM.
    pub log: Option<PathBuf>,
}

impl StorePaths {
    pub(crate) fn journal(&self) -> PathBuf {
        self.store.join("journal")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.store.join("blobs")
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.store.join("uploads")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.store.join("cache")
    }

    /// The log: a bundle for auditors.
    pub fn log(&self) -> PathBuf {
        self.store.join("log")
    }

    pub(crate) fn log_key(&self) -> PathBuf {
        self.keys.join("log.key")
    }

    pub(crate) fn log_dispute(&self) -> PathBuf {
        self.keys.join("log.dispute")
    }

    pub(crate) fn log_head(&self) -> PathBuf {
        self.keys.join("log.head")
    }
}

/// Threads that read and write blobs at most.
const BLOB_THREADS_MAX: usize = 16;

/// Sealed blobs and the keys to them.
///
/// Blobs have a runtime of their own. Callers wait for them on threads of the server's pool; if blobs needed a further
/// thread of that pool, a full pool would wait for itself.
pub struct Vault {
    runtime: Option<tokio::runtime::Runtime>,
    blobs: Blobs,
    keys: KeyFolder,
    entropy: Arc<dyn Entropy>,
    uploads: PathBuf,
}

impl Vault {
    /// Opens the blobs and the keys, making what is missing.
    pub fn open(paths: &StorePaths, entropy: Arc<dyn Entropy>) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOB_THREADS_MAX)
            .thread_name("renkei-blobs")
            .enable_all()
            .build()?;
        let keys = match &paths.handed.root {
            None => KeyFolder::open_or_create(&paths.keys, entropy.as_ref())?,
            Some(root) => KeyFolder::open_handed(&paths.keys, root, entropy.as_ref())?,
        };
        let blobs = Blobs::local(&paths.blobs(), runtime.handle().clone())?;
        let uploads = paths.uploads();
        fs_err::create_dir_all(&uploads)?;
        Ok(Self { runtime: Some(runtime), blobs, keys, entropy, uploads })
    }

    /// The spool of an upload, with what had been made durable before.
    pub(crate) fn spool(&self, id: UploadId, key: &DataKey) -> Result<Spool, SpoolError> {
        match Spool::reopen(&self.uploads, id, key) {
            Err(SpoolError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Spool::create(&self.uploads, id, key)
            }
            reopened => reopened.map(|reopened| reopened.spool),
        }
    }

    /// Removes what a crash has left behind: half-written blobs, and spools of uploads that have ended. Before any writer.
    pub(crate) fn sweep(
        &self,
        destroyed: impl Iterator<Item = DataKeyId>,
        ended: impl Fn(UploadId) -> bool,
    ) -> Result<(), OpenError> {
        for key in destroyed {
            match self.keys.destroy(key) {
                Ok(()) | Err(KeyError::Unknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.blobs.sweep_staging()?;
        for entry in fs_err::read_dir(&self.uploads)? {
            let path = entry?.path();
            let id = path.file_stem().and_then(|name| name.to_str()?.parse().ok());
            if id.is_some_and(&ended) {
                fs_err::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Makes the next root key, unless it was made before, and answers its fingerprint.
    pub(crate) fn prepare_root(&self) -> Result<Digest, Refusal> {
        self.keys.prepare_root(self.entropy.as_ref()).map_err(|error| key_refusal(&error))
    }

    /// Takes the next root key into use if it is the one that was decided on.
    pub(crate) fn complete_root(&self, decided: Digest) -> Result<(), KeyError> {
        if let Some(wrapped) = self.keys.complete_root(decided, self.entropy.as_ref())? {
            tracing::info!(wrapped, "another root key is in use");
        }
        Ok(())
    }

    /// Chance.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// Makes a key; it is durable when this returns.
    pub fn create_key(&self, now: Timestamp) -> Result<DataKeyId, Refusal> {
        let id = DataKeyId::new(now, self.entropy.as_ref());
        self.keys.create(id, self.entropy.as_ref()).map_err(|error| key_refusal(&error))?;
        Ok(id)
    }

    /// A key.
    pub fn key(&self, id: DataKeyId) -> Result<DataKey, Refusal> {
        self.keys.get(id).map_err(|error| key_refusal(&error))
    }

    /// Destroys a key, and with it all that it seals.
    pub fn destroy_key(&self, id: DataKeyId) -> Result<(), Refusal> {
        self.keys.destroy(id).map_err(|error| key_refusal(&error))
    }

    /// Destroys keys, of which some may have been destroyed before.
    pub(crate) fn destroy_keys(&self, keys: &[DataKeyId]) -> Result<(), Refusal> {
        for key in keys {
            match self.destroy_key(*key) {
                Ok(()) => {}
                Err(refusal) if refusal.reason == Reason::DataDestroyed => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    /// Starts a blob.
    pub fn blob_writer(&self, key: &DataKey, id: DataKeyId) -> Result<BlobWriter, Refusal> {
        Ok(self.blobs.writer(key, id, self.entropy.as_ref()))
    }

    /// Deletes blobs that nothing refers to any more. One that stays takes room and says nothing.
    pub(crate) fn delete_blobs(&self, blobs: &[BlobRef]) {
        for blob in blobs {
            if let Err(error) = self.blobs.delete(&blob.address) {
                tracing::warn!(%error, "a blob that is needed no more stays on the disk");
            }
        }
    }

    /// Opens a blob with its key.
    pub fn open_blob(&self, blob: &BlobRef) -> Result<BlobReader, Refusal> {
        let key = self.key(blob.key)?;
        self.blobs.open(blob, &key).map_err(|error| blob_refusal(&error))
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // The last handle may go on a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a caller is told when a blob cannot be written or read.
pub(crate) fn blob_refusal(error: &BlobError) -> Refusal {
    if error.kind() == Kind::Exhausted {
        Reason::StorageFull.into()
    } else {
        Refusal::internal(error)
    }
}

pub(crate) fn key_refusal(error: &KeyError) -> Refusal {
    match error {
        KeyError::Destroyed { .. } => Reason::DataDestroyed.into(),
        KeyError::Handed => Reason::WrongState.into(),
        KeyError::Unknown { .. }
        | KeyError::Exists { .. }
        | KeyError::RootMissing { .. }
        | KeyError::TwoRoots { .. }
        | KeyError::Damaged { .. }
        | KeyError::File(_) => Refusal::internal(error),
    }
}

/// Why a broker's folders cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] renkei_journal::OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] renkei_journal::ReadError),
    /// The keys cannot be opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The blobs cannot be opened.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A frame holds facts of another version.
    #[error("frame {seq} of the journal: {source}")]
    Facts {
        /// The frame.
        seq: u64,
        /// What is wrong.
        source: crate::state::FactsError,
    },
    /// The log folder and the journal tell different stories.
    #[error("the log in {} does not fit the journal: {what}. Nothing was changed. Put the newest journal back. If what is lost cannot be had again, move the log's folder away and keep it as evidence; the next start says what to accept", path.display())]
    LogDiffers {
        /// The folder.
        path: PathBuf,
        /// What does not fit.
        what: LogDifference,
    },
    /// The log does not have what was signed last.
    #[error("the log has {found} entries and does not begin with the {signed} that were signed last: the store is older than {}, which was not changed. Put the newest store back. If what is lost cannot be had again, rename that file to log.head.accepted; the next start notes ROLLBACK_SUSPECTED in the log and goes on", path.display())]
    RolledBack {
        /// The file that keeps what was signed last.
        path: PathBuf,
        /// How many entries it says were signed.
        signed: u64,
        /// How many the log has.
        found: u64,
    },
    /// The journal has what was signed last, and a file of the log's folder is not what it was then.
    #[error("{file} in {} is not what was signed: it was altered, or is damaged. The journal has what was signed last, and nothing was changed. Keep a copy of the folder as evidence, and tell the auditor; then remove it, and the next start builds it again from the journal", path.display())]
    TileAltered {
        /// The log's folder.
        path: PathBuf,
        /// The file's path below it.
        file: String,
    },
    /// Nothing says what was signed last, though the log has leaves.
    #[error("the log has {found} entries, and {} is gone, which says what was signed last: nothing tells that this store is the newest. Put the file back, or the newest checkpoint that an auditor or a client holds in its place. If there is none, make an empty file log.head.accepted beside it; the next start notes ROLLBACK_SUSPECTED in the log and goes on", path.display())]
    HeadMissing {
        /// Where it should be.
        path: PathBuf,
        /// How many entries the log has.
        found: u64,
    },
    /// The log folder cannot be used.
    #[error("the log in {}: {source}", path.display())]
    Log {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        source: renkei_tlog::LogError,
    },
    /// The cache cannot be used.
    #[error("the cache: {0}. It may be deleted; it is built again from the journal")]
    Cache(String),
    /// The log's key cannot be used.
    #[error("the log's key: {0}")]
    LogKey(LogKeyFault),
    /// There is no key, and one has signed.
    #[error("{} is gone, and it has signed the log. No other key is made in its place. Restore it from the safe, mode 0600", path.display())]
    LogKeyGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// A key that was replaced lies where the one should be that took its place.
    #[error("the log's key was replaced by {decided}, and {} is another one. Nothing was signed. Put that log.key back, from the safe, mode 0600: its log.vkey has this SHA-256 without the end of the line", path.display())]
    LogKeyReplaced {
        /// The key's file.
        path: PathBuf,
        /// What two have agreed on.
        decided: Digest,
    },
    /// A key lies there that has been replaced, and the journal knows nothing of its successor.
    #[error("{} is the key of {}, and another one has taken its place. Nothing was signed. Put the newer log.key and log.vkey back, from the safe, mode 0600", path.display(), half.display())]
    LogKeyOlder {
        /// The key's file.
        path: PathBuf,
        /// Its public half, as it lies with those of older keys.
        half: PathBuf,
    },
    /// A key lies there that is not the one whose public half lies beside it.
    #[error("{} is not the key that log.vkey beside it belongs to, and two people have not agreed on it. Nothing was signed. Put the key back, from the safe, mode 0600", path.display())]
    LogKeyOther {
        /// The key's file.
        path: PathBuf,
    },
    /// What was signed last is by a key that nobody here knows.
    #[error("{} is signed by a key that is not in the folder of keys: log.key is not the one that signed last. Nothing was signed. Put log.key and log.vkey back, from the safe", path.display())]
    HeadKeyUnknown {
        /// The head file.
        path: PathBuf,
    },
    /// What was signed last cannot be read.
    #[error("{} is empty or damaged: nothing tells what was signed last. Put the file back, or the newest checkpoint that an auditor or a client holds in its place. If there is none, put it away and make an empty file log.head.accepted in its folder; the next start notes ROLLBACK_SUSPECTED in the log and goes on", path.display())]
    HeadDamaged {
        /// The head file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The first frame was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl renkei_types::Classify for OpenError {
    fn kind(&self) -> renkei_types::Kind {
        match self {
            Self::Journal(error) => error.kind(),
            Self::Read(error) => error.kind(),
            Self::Keys(error) => error.kind(),
            Self::Blobs(error) => error.kind(),
            Self::Log { source, .. } => source.kind(),
            Self::Refused(refusal) => refusal.kind(),
            Self::Facts { .. }
            | Self::LogDiffers { .. }
            | Self::RolledBack { .. }
            | Self::TileAltered { .. }
            | Self::HeadMissing { .. }
            | Self::LogKeyGone { .. }
            | Self::LogKeyReplaced { .. }
            | Self::LogKeyOlder { .. }
            | Self::LogKeyOther { .. }
            | Self::HeadKeyUnknown { .. }
            | Self::HeadDamaged { .. }
            | Self::LogKey(_) => Kind::Refused,
            Self::Cache(_) | Self::Io(_) => Kind::Unavailable,
        }
    }
}

impl renkei_types::Localised for OpenError {
    fn localised(&self, language: renkei_types::Language) -> String {
        match self {
            Self::Journal(error) => error.localised(language),
            Self::Read(error) => error.localised(language),
            Self::Keys(error) => error.localised(language),
            Self::Blobs(error) => error.localised(language),
            Self::Log { path, source } => format!("{}: {}", path.display(), source.localised(language)),
            Self::Refused(refusal) => refusal.localised(language),
            Self::LogDiffers { path, what } => language.pick(
                self.to_string(),
                format!(
                    "{} の記録がジャーナルと一致しません（{}）。何も変更していません。最新のジャーナルを戻してください。失われた分を戻せない場合は、ログのフォルダーを証拠として別の場所に移してください。次の起動が、受け入れるべきものを示します",
                    path.display(),
                    what.localised(language)
                ),
            ),
            Self::RolledBack { path, signed, found } => language.pick(
                self.to_string(),
                format!(
                    "監査ログは {found} 件で、最後に署名した {signed} 件の続きではありません。ストアが {} より古くなっています（何も変更していません）。最新のストアを戻してください。失われた分を戻せない場合は、このファイルの名前を log.head.accepted に変えてください。次の起動で ROLLBACK_SUSPECTED を記録して再開します",
                    path.display()
                ),
            ),
            Self::TileAltered { path, file } => language.pick(
                self.to_string(),
                format!(
                    "{} の {file} が署名した内容と違います。改変されたか、壊れています。最後に署名した内容はジャーナルにあり、何も変更していません。フォルダーの写しを証拠として残し、監査人に知らせてから、フォルダーを除いてください。次の起動でジャーナルから作り直されます",
                    path.display()
                ),
            ),
            Self::HeadMissing { path, found } => language.pick(
                self.to_string(),
                format!(
                    "監査ログは {found} 件ありますが、最後に署名した内容を示す {} がなく、ストアが最新だと確かめられません。このファイルを戻すか、監査人やクライアントの持つ最新のチェックポイントをその場所に置いてください。どちらもない場合は、隣に空のファイル log.head.accepted を作ってください。次の起動で ROLLBACK_SUSPECTED を記録して再開します",
                    path.display()
                ),
            ),
            Self::Facts { seq, .. } => language.pick(
                self.to_string(),
                format!("ジャーナルの {seq} 番目は、この版では読めません。書き込んだ版を使ってください"),
            ),
            Self::Cache(_) => language.pick(
                self.to_string(),
                "キャッシュを使えません。削除してよく、次の起動で作り直されます".to_owned(),
            ),
            Self::LogKey(error) => {
                language.pick(self.to_string(), format!("記録の署名鍵を使えません: {}", error.localised(language)))
            }
            Self::LogKeyGone { path } => language.pick(
                self.to_string(),
                format!(
                    "監査ログに署名してきた {} がありません。別の鍵は作りません。金庫から戻してください（権限0600）",
                    path.display()
                ),
            ),
            Self::LogKeyReplaced { path, decided } => language.pick(
                self.to_string(),
                format!(
                    "ログの鍵は {decided} に交換済みで、{} は別の鍵です。署名はしていません。交換後の log.key を金庫から戻してください（権限0600）。その log.vkey の行（改行を除く）のSHA-256がこの値です",
                    path.display()
                ),
            ),
            Self::LogKeyOlder { path, half } => language.pick(
                self.to_string(),
                format!(
                    "{} は {} の鍵で、すでに別の鍵に交換されています。署名はしていません。交換後の log.key と log.vkey を金庫から戻してください（権限0600）",
                    path.display(),
                    half.display()
                ),
            ),
            Self::LogKeyOther { path } => language.pick(
                self.to_string(),
                format!(
                    "{} は隣の log.vkey の鍵ではなく、2人で決めた鍵でもありません。署名はしていません。正しい鍵を金庫から戻してください（権限0600）",
                    path.display()
                ),
            ),
            Self::HeadKeyUnknown { path } => language.pick(
                self.to_string(),
                format!(
                    "{} は鍵フォルダーにない鍵で署名されています。log.key が最後に署名した鍵ではありません。署名はしていません。log.key と log.vkey を金庫から戻してください",
                    path.display()
                ),
            ),
            Self::HeadDamaged { path } => language.pick(
                self.to_string(),
                format!(
                    "{} が空か壊れていて、最後に署名した内容が分かりません。このファイルを戻すか、監査人やクライアントの持つ最新のチェックポイントをその場所に置いてください。どちらもない場合は、このファイルを別の場所に移し、同じフォルダーに空のファイル log.head.accepted を作ってください。次の起動で ROLLBACK_SUSPECTED を記録して再開します",
                    path.display()
                ),
            ),
            Self::Io(error) => renkei_types::with_file(error, language),
        }
    }
}

/// Everything that a broker needs to begin.
pub struct Store {
    /// The commit point.
    pub journal: Box<dyn Journal>,
    /// Blobs and keys.
    pub vault: Arc<Vault>,
    /// Where the folders are.
    pub paths: StorePaths,
    /// Time.
    pub clock: Arc<dyn Clock + Send + Sync>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Store {
    /// Opens the folders, making what is missing. A second broker on the same folders is refused.
    pub fn open(
        paths: StorePaths,
        clock: Arc<dyn Clock + Send + Sync>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        fs_err::create_dir_all(paths.journal())?;
        let options = renkei_journal::Options::default();
        let opened = renkei_journal::LocalJournal::open(&paths.journal(), options)?;
        if opened.cut_bytes > 0 {
            tracing::warn!(bytes = opened.cut_bytes, "cut an unfinished frame off the journal");
        }
        let vault = Arc::new(Vault::open(&paths, Arc::clone(&entropy))?);
        Ok(Self { journal: Box::new(opened.journal), vault, paths, clock, entropy })
    }
}

/// Digests what a client sent, so that a repetition is recognised without keeping what was sent.
pub(crate) fn keyed_body_digest(key: &DataKey, body: &[u8]) -> Digest {
    key.keyed_digest("renkei request body", body)
}
