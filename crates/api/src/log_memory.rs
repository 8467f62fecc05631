//! What a client remembers of the broker's log: the latest checkpoint that it was shown, and its proven receipts.
//!
//! Whoever runs the broker could show each client another log, or put an old one back. A client that keeps one checkpoint
//! and lets every later one prove that it goes on from there notices both, and what it has kept is the evidence. All
//! clients together are the cheapest witnesses there are.
//!
//! ```text
//! payments.log/checkpoint           the latest one, a signed note
//! payments.log/000077.tlog-proof    one for each receipt: anybody can check it with the hash and the public key
//! payments.log/contradiction        the latest note that contradicts ours: another past, one that the log's key has not
//!                                   signed, or the last one of a log that is disputed
//! payments.log/contradiction.1      the one that was kept there before it, and so on
//! ```
//! Invariant: a checkpoint is replaced only by one that was proven to continue it, and that no older key of the log has signed:
//! whoever has stolen a key that was replaced could go on from the past that everybody knows. Several processes may share a
//! memory.

use std::path::{Path, PathBuf};

use renkei_tlog::checkpoint::{CheckpointError, InvalidKey};
use renkei_tlog::proof::ConsistencyProof;
use renkei_tlog::receipt::ReceiptError;
use renkei_tlog::{Checkpoint, Hash, Receipt, SignedCheckpoint, VerifierKey};
use renkei_types::{Classify, Kind, Language, Localised};

use crate::v1;

const CHECKPOINT: &str = "checkpoint";
const CONTRADICTION: &str = "contradiction";

/// Contradictions that are kept under a number. Whoever shows another one at each call must not fill a disk.
const NUMBERED_MAX: u32 = 100;

/// The memory of one client.
#[derive(Debug)]
pub struct LogMemory {
    folder: PathBuf,
    /// One, or more since it was replaced.
    keys: Vec<VerifierKey>,
    /// Where they stand.
    key_files: KeyFiles,
}

/// Files of the log's public keys, as a message names them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyFiles(Vec<PathBuf>);

impl std::fmt::Display for KeyFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files: Vec<_> = self.0.iter().map(|file| file.display().to_string()).collect();
        f.write_str(&files.join(", "))
    }
}

/// Why what a broker says of its log is not believed.
#[derive(Debug, thiserror::Error)]
pub enum LogDoubt {
    /// The memory cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of the log's public key holds none.
    #[error("{} is not the public key of a log: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InvalidKey,
    },
    /// The checkpoint that is kept is not signed by the key.
    #[error("{}: {source}", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// The checkpoint that is kept is signed by a key that is no longer among those given.
    #[error("{} is signed by a key that is not in {keys}: older keys stay there, above the newer ones", path.display())]
    KeptByOther {
        /// The file.
        path: PathBuf,
        /// Where the log's keys stand.
        keys: KeyFiles,
    },
    /// The checkpoint that was shown is signed by a key that nobody has handed over.
    #[error(
        "the broker's checkpoint is signed by a key that is not in {keys}. If the log's operator has handed you a newer key, add its line below the older one; if not, stop, and tell the auditor"
    )]
    ByOther {
        /// Where the log's keys stand.
        keys: KeyFiles,
    },
    /// The proof does not show that the leaf of the receipt is in the log.
    #[error("the broker's proof does not hold: {0}")]
    Proof(ReceiptError),
    /// The log has fewer leaves than it had.
    #[error("the broker's log has {shown} leaves and had {kept}: an older state was put back. Stop, keep {} and tell the auditor", folder.display())]
    RolledBack {
        /// Leaves of the checkpoint that is kept.
        kept: u64,
        /// Leaves of the one that was shown.
        shown: u64,
        /// Where both checkpoints are.
        folder: PathBuf,
    },
    /// The log does not begin with what it was.
    #[error("the broker's log of {shown} leaves does not begin with the {kept} that it had: its past was changed, or others are shown another log. Stop, keep {} and tell the auditor", folder.display())]
    Forked {
        /// Leaves of the checkpoint that is kept.
        kept: u64,
        /// Leaves of the one that was shown.
        shown: u64,
        /// Where both checkpoints are.
        folder: PathBuf,
    },
    /// The log goes on under a key in whose place a newer one has signed before.
    #[error("the broker's log of {shown} leaves is signed by an older key than the {kept} before: the older key may have been stolen. Look that the file of public keys has the newest one last; if it has, stop, keep {} and tell the auditor", folder.display())]
    ReplacedKey {
        /// Leaves of the checkpoint that is kept.
        kept: u64,
        /// Leaves of the one that was shown.
        shown: u64,
        /// Where both checkpoints are.
        folder: PathBuf,
    },
}

impl Classify for LogDoubt {
    fn kind(&self) -> Kind {
        match self {
            Self::File { .. } | Self::Key { .. } => Kind::InvalidArgument,
            Self::Kept { source, .. } => source.kind(),
            Self::KeptByOther { .. }
            | Self::ByOther { .. }
            | Self::Proof(_)
            | Self::RolledBack { .. }
            | Self::Forked { .. }
            | Self::ReplacedKey { .. } => Kind::Refused,
        }
    }
}

impl Localised for LogDoubt {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::File { path, source } => {
                format!("{}: {}", path.display(), source.localised(language))
            }
            Self::Key { path, source } => {
                format!("{}: {}", path.display(), source.localised(language))
            }
            Self::Kept { path, source } => {
                format!("{}: {}", path.display(), source.localised(language))
            }
            Self::KeptByOther { path, keys } => format!(
                "{}は、{keys}にない鍵で署名されています。旧い鍵の行も、新しい鍵の行より上に残してください",
                path.display()
            ),
            Self::ByOther { keys } => format!(
                "連携サーバーのチェックポイントは、{keys}にない鍵で署名されています。ログの運用者から新しい鍵を受け取っている場合は、その行を旧い鍵の行の下に足してください。受け取っていない場合は、作業を止めて監査人に連絡してください"
            ),
            Self::Proof(error) => {
                format!("連携サーバーの証明が成り立ちません: {}", error.localised(language))
            }
            Self::RolledBack { kept, shown, folder } => format!(
                "連携サーバーの監査ログが{kept}件から{shown}件に減っています。古い状態に戻されました。作業を止め、{}を保管して監査人に連絡してください",
                folder.display()
            ),
            Self::Forked { kept, shown, folder } => format!(
                "連携サーバーの監査ログ（{shown}件）は、以前の{kept}件の続きではありません。過去が書き換えられたか、別のログが示されています。作業を止め、{}を保管して監査人に連絡してください",
                folder.display()
            ),
            Self::ReplacedKey { kept, shown, folder } => format!(
                "連携サーバーの監査ログ（{shown}件）が、以前の{kept}件より旧い鍵で署名されています。旧い鍵が盗まれたおそれがあります。公開鍵のファイルで新しい鍵が最後にあるか確かめ、そうであれば作業を止め、{}を保管して監査人に連絡してください",
                folder.display()
            ),
        };
        language.pick(self.to_string(), japanese)
    }
}

impl LogMemory {
    /// The memory in a folder, of the log whose public key stands in a file; where the log's key was replaced, each key has a
    /// line, or a file of its own. The folder is made when there is something to remember.
    pub fn open(folder: &Path, key_files: &[PathBuf]) -> Result<Self, LogDoubt> {
        let mut keys = Vec::new();
        for file in key_files {
            keys.extend(read_keys(file)?);
        }
        let key_files = KeyFiles(key_files.to_owned());
        Ok(Self { folder: folder.to_owned(), keys, key_files })
    }

    /// The log's public keys, the newest last.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The latest checkpoint that was proven.
    pub fn kept(&self) -> Result<Option<SignedCheckpoint>, LogDoubt> {
        let path = self.folder.join(CHECKPOINT);
        let note = match fs_err::read(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LogDoubt::File { path, source }),
        };
        let opened = SignedCheckpoint::open(&note, &self.keys);
        opened.map(Some).map_err(|source| {
            if source == CheckpointError::UnknownKey {
                LogDoubt::KeptByOther { path, keys: self.key_files.clone() }
            } else {
                LogDoubt::Kept { path, source }
            }
        })
    }

    /// What to ask the broker for, to have a receipt proven.
    pub fn question(&self, receipt: &v1::Receipt) -> Result<v1::ProveReceiptRequest, LogDoubt> {
        Ok(v1::ProveReceiptRequest {
            leaf_index: receipt.leaf_index,
            leaf_hash: receipt.leaf_hash.clone(),
            known_size: self.kept()?.map_or(0, |kept| kept.checkpoint().size),
        })
    }

    /// Checks the answer to [`LogMemory::question`], and keeps checkpoint and receipt. Answers what the checkpoint says.
    pub fn accept(
        &self,
        asked: &v1::ProveReceiptRequest,
        answer: &v1::ProveReceiptResponse,
    ) -> Result<Checkpoint, LogDoubt> {
        let shown = self.proven(asked, answer).map_err(|error| self.unproven(error))?;
        fs_err::create_dir_all(&self.folder).map_err(|source| self.unusable(source))?;
        let _turn = self.turn()?;
        // Another process may have been shown a later one while the answer was on its way.
        let kept = self.kept()?;
        let replaces = match &kept {
            Some(kept) if kept.checkpoint().size == asked.known_size => {
                self.check_continues(kept, &shown, &answer.consistency)?;
                self.is_newer(&shown, kept)
            }
            // What it was held against is no longer the latest, or has only come to be: the next answer will tell.
            Some(_) => false,
            None => true,
        };
        if replaces {
            self.write(CHECKPOINT, shown.note())?;
        }
        self.write(&format!("{:06}.tlog-proof", asked.leaf_index), &answer.proof)?;
        Ok(shown.checkpoint().clone())
    }

    /// The checkpoint that an answer leads to, where it proves the receipt that was asked about.
    fn proven(
        &self,
        asked: &v1::ProveReceiptRequest,
        answer: &v1::ProveReceiptResponse,
    ) -> Result<SignedCheckpoint, ReceiptError> {
        let receipt = Receipt::parse(&answer.proof)?;
        let hash = <[u8; 32]>::try_from(&*asked.leaf_hash).map(Hash::from_bytes);
        let hash = hash.map_err(|_| ReceiptError::Malformed)?;
        if receipt.index() != asked.leaf_index {
            return Err(ReceiptError::Malformed);
        }
        receipt.verify_hash(&hash, &self.keys)
    }

    /// What to say of something that proves nothing: a key may only not have been handed on yet.
    fn unproven(&self, error: ReceiptError) -> LogDoubt {
        if matches!(error, ReceiptError::Checkpoint(CheckpointError::UnknownKey)) {
            LogDoubt::ByOther { keys: self.key_files.clone() }
        } else {
            LogDoubt::Proof(error)
        }
    }

    /// Keeps a checkpoint that was fetched without a receipt, once it is shown to go on from the one that is kept.
    /// `consistency` proves that it does; it is empty where nothing was kept or the size is the same.
    pub fn follow(&self, note: &str, consistency: &[Vec<u8>]) -> Result<Checkpoint, LogDoubt> {
        let (_turn, kept, shown) = self.compare(note, consistency)?;
        if kept.is_none_or(|kept| self.is_newer(&shown, &kept)) {
            self.write(CHECKPOINT, shown.note())?;
        }
        Ok(shown.checkpoint().clone())
    }

    /// Takes the last checkpoint of a log that a witness disputes. It is held against the one that is kept, which stays, and
    /// is kept as evidence whether it goes on from that or not.
    pub fn follow_disputed(
        &self,
        note: &str,
        consistency: &[Vec<u8>],
    ) -> Result<Checkpoint, LogDoubt> {
        let (_turn, _, shown) = self.compare(note, consistency)?;
        self.keep_contradiction(shown.note())?;
        Ok(shown.checkpoint().clone())
    }

    /// Holds a note against the checkpoint that is kept. What is not signed, or does not go on from it, is kept as evidence.
    fn compare(
        &self,
        note: &str,
        consistency: &[Vec<u8>],
    ) -> Result<(std::fs::File, Option<SignedCheckpoint>, SignedCheckpoint), LogDoubt> {
        fs_err::create_dir_all(&self.folder).map_err(|source| self.unusable(source))?;
        let turn = self.turn()?;
        let shown = match SignedCheckpoint::open(note.as_bytes(), &self.keys) {
            Ok(shown) => shown,
            Err(error) => {
                self.keep_contradiction(note)?;
                return Err(self.unproven(error.into()));
            }
        };
        let kept = self.kept()?;
        if let Some(kept) = &kept {
            self.check_continues(kept, &shown, consistency)?;
        }
        Ok((turn, kept, shown))
    }

    /// Which key has signed a checkpoint, of several the newest.
    fn signer(&self, signed: &SignedCheckpoint) -> Option<usize> {
        self.keys.iter().rposition(|key| signed.is_signed_by(key))
    }

    /// Whether a checkpoint tells more than another: of more leaves, or of as many under a newer key.
    fn is_newer(&self, one: &SignedCheckpoint, other: &SignedCheckpoint) -> bool {
        let told = |signed: &SignedCheckpoint| (signed.checkpoint().size, self.signer(signed));
        told(one) > told(other)
    }

    /// Checks that one checkpoint goes on from another, and keeps the second one beside the first where it does not.
    fn check_continues(
        &self,
        kept: &SignedCheckpoint,
        shown: &SignedCheckpoint,
        hashes: &[Vec<u8>],
    ) -> Result<(), LogDoubt> {
        let (old, new) = (kept.checkpoint(), shown.checkpoint());
        let folder = self.folder.clone();
        let hash = |bytes: &Vec<u8>| <[u8; 32]>::try_from(&**bytes).map(Hash::from_bytes);
        let hashes: Result<Vec<Hash>, _> = hashes.iter().map(hash).collect();
        let doubt = if new.size < old.size {
            LogDoubt::RolledBack { kept: old.size, shown: new.size, folder }
        } else {
            let (old_size, new_size) = (old.size, new.size);
            let continues = hashes.is_ok_and(|hashes| {
                let proof = ConsistencyProof { old_size, new_size, hashes };
                proof.verify(&old.root, &new.root).is_ok()
            });
            if !continues {
                LogDoubt::Forked { kept: old_size, shown: new_size, folder }
            } else if self.signer(shown) < self.signer(kept) {
                LogDoubt::ReplacedKey { kept: old_size, shown: new_size, folder }
            } else {
                return Ok(());
            }
        };
        self.keep_contradiction(shown.note())?;
        Err(doubt)
    }

    /// Keeps a note as evidence. What was kept before stays under a number: a worthless note must not take the place of one
    /// that the log's key has signed.
    fn keep_contradiction(&self, note: &str) -> Result<(), LogDoubt> {
        let path = self.folder.join(CONTRADICTION);
        let before = match fs_err::read(&path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(LogDoubt::File { path, source }),
        };
        if before.as_deref() == Some(note.as_bytes()) {
            return Ok(());
        }
        let numbered = |number| self.folder.join(format!("{CONTRADICTION}.{number}"));
        let free = (1..=NUMBERED_MAX).map(numbered).find(|place| !place.exists());
        match (before, free) {
            (Some(_), Some(free)) => fs_err::rename(&path, free)
                .map_err(|source| LogDoubt::File { path: path.clone(), source })?,
            // The first hundred tell enough.
            (Some(_), None) => return Ok(()),
            (None, _) => {}
        }
        self.write(CONTRADICTION, note)
    }

    /// The right to write; it is given back when the file is closed.
    fn turn(&self) -> Result<std::fs::File, LogDoubt> {
        let path = self.folder.join(".turn");
        let taken =
            fs_err::OpenOptions::new().create(true).append(true).open(&path).and_then(|file| {
                let file = file.into_file();
                file.lock().map(|()| file)
            });
        taken.map_err(|source| LogDoubt::File { path, source })
    }

    /// Writes a file so that it is whole or not there.
    fn write(&self, name: &str, text: &str) -> Result<(), LogDoubt> {
        let (path, unfinished) = (self.folder.join(name), self.folder.join(".unfinished"));
        let written = fs_err::File::create(&unfinished).and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            fs_err::rename(&unfinished, &path)
        });
        written.map_err(|source| LogDoubt::File { path, source })
    }

    fn unusable(&self, source: std::io::Error) -> LogDoubt {
        LogDoubt::File { path: self.folder.clone(), source }
    }
}

/// The keys of a file, one on each line.
fn read_keys(file: &Path) -> Result<Vec<VerifierKey>, LogDoubt> {
    let unreadable = |source| LogDoubt::File { path: file.to_owned(), source };
    let text = fs_err::read_to_string(file).map_err(unreadable)?;
    let no_key = |source| LogDoubt::Key { path: file.to_owned(), source };
    let keys: Result<Vec<VerifierKey>, _> = text.trim().lines().map(str::parse).collect();
    let keys = keys.map_err(no_key)?;
    if keys.is_empty() { Err(no_key(InvalidKey::Shape)) } else { Ok(keys) }
}
