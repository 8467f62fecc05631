//! Why a log's folder cannot be read, extended or published.

use std::io;

use renkei_types::{Classify, Kind, Language, Localised, with_file};

use crate::checkpoint::CheckpointError;
use crate::hash::Hash;
use crate::tile::BundleError;

/// A size and the root at that size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TreeHead {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a log's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The storage failed. The error names the file.
    #[error("the log's storage failed: {0}")]
    Io(#[from] io::Error),
    /// An entry does not fit into the log's format.
    #[error(transparent)]
    Entry(#[from] BundleError),
    /// A file is missing, has the wrong length or contradicts another.
    #[error(
        "{file} of the log is damaged or missing; restore it from a backup or a copy, then run `renkei audit verify`"
    )]
    Damaged {
        /// Its path below the log's folder.
        file: String,
    },
    /// Two ways to the same root do not meet: the folder was rolled back, or bytes changed. Nothing is signed.
    #[error(
        "the log contradicts itself: size {} root {} against size {} root {}; stop the broker, keep the folder as it is and compare with a backup",
        expected.size, expected.root, found.size, found.root
    )]
    Inconsistent {
        /// What was published before, or is known from appending.
        expected: TreeHead,
        /// What the files say.
        found: TreeHead,
    },
    /// The `checkpoint` file is not a checkpoint of this log.
    #[error("the log's last checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// There is no entry with this index.
    #[error("the log has no entry {index}: it has {size} entries")]
    NoEntry {
        /// The index asked for.
        index: u64,
        /// Entries of the log.
        size: u64,
    },
    /// Somebody else has signed since.
    #[error(
        "another broker has signed with this log's key since; stop both, and go on with the one whose log is the longer"
    )]
    Overtaken,
    /// An earlier write failed, so what is on the disk is unknown until the folder is read again.
    #[error("an earlier write to the log failed; open the log again")]
    WriteFailedBefore,
}

impl Classify for LogError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => Kind::Exhausted,
            Self::Io(_) | Self::WriteFailedBefore => Kind::Unavailable,
            Self::Entry(error) => error.kind(),
            Self::Damaged { .. } | Self::Inconsistent { .. } | Self::Overtaken => Kind::Internal,
            Self::Checkpoint(error) => error.kind(),
            Self::NoEntry { .. } => Kind::NotFound,
        }
    }
}

impl Localised for LogError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Io(error) => {
                format!("ログの保存先で障害が起きました: {}", with_file(error, language))
            }
            Self::Entry(error) => format!("ログの項目が形式に収まりません: {error}"),
            Self::Damaged { file } => format!(
                "ログの{file}が壊れているか存在しません。バックアップまたは複製から復元し、`renkei audit verify`を実行してください"
            ),
            Self::Inconsistent { expected, found } => format!(
                "ログに矛盾があります: 件数{}・ルート{}と件数{}・ルート{}。ブローカーを止め、フォルダーをそのまま保存し、バックアップと比べてください",
                expected.size, expected.root, found.size, found.root
            ),
            Self::Checkpoint(error) => {
                format!("ログの前回のチェックポイント: {}", error.localised(language))
            }
            Self::NoEntry { index, size } => {
                format!("ログに項目{index}はありません(全{size}件)")
            }
            Self::Overtaken => {
                "同じ鍵の別のブローカーが先に署名しています。両方を止め、ログの長い方で再開してください".to_owned()
            }
            Self::WriteFailedBefore => {
                "ログへの書き込みが以前に失敗しています。ログを開き直してください".to_owned()
            }
        }
    }
}
