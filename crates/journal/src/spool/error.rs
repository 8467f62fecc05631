//! What can go wrong with a spool, in its own words.

use std::io;

use renkei_types::{Classify, Kind, Language, Localised};

use super::window_record::WINDOW_BYTES_MAX;
use crate::error::kind_of;

/// An upload could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The bytes do not begin where the last ones ended.
    #[error(
        "bytes from {offset} leave a gap or overlap; resume at {received_through} ({durable_through} are durable)"
    )]
    OutOfOrder {
        /// Where they begin.
        offset: u64,
        /// Where the next bytes must begin.
        received_through: u64,
        /// How many bytes are durable.
        durable_through: u64,
    },
    /// A window over the limit.
    #[error("a window of {bytes} bytes; the limit is {WINDOW_BYTES_MAX}")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// The disk is full. The spool stays usable.
    #[error("{file}: the disk is full; free space and resume the upload")]
    StorageFull {
        /// The file.
        file: String,
    },
    /// A sync or a repair failed: what is on the disk is unknown until the spool is reopened.
    #[error("{file}: its state on disk is unknown since a sync or a truncation failed; reopen it")]
    Poisoned {
        /// The file.
        file: String,
    },
    /// The bytes are not what was written, or the key is not its key.
    #[error("{file}: damaged at byte {offset}; discard the upload and begin it anew")]
    Damaged {
        /// The file.
        file: String,
        /// Where the damaged window begins.
        offset: u64,
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

impl Classify for SpoolError {
    fn kind(&self) -> Kind {
        match self {
            Self::OutOfOrder { .. } | Self::TooLarge { .. } => Kind::InvalidArgument,
            Self::StorageFull { .. } => Kind::Exhausted,
            Self::Poisoned { .. } | Self::Damaged { .. } => Kind::Internal,
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for SpoolError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::OutOfOrder { offset, received_through, durable_through } => format!(
                "{offset}バイト目からのデータは前と連続していません。{received_through}から再開してください\
                 （{durable_through}バイトまで永続化済み）"
            ),
            Self::TooLarge { bytes } => {
                format!("1回の送信が{bytes}バイトで、上限{WINDOW_BYTES_MAX}を超えています")
            }
            Self::StorageFull { file } => {
                format!(
                    "{file}: ディスクに空きがありません。空きを作ってアップロードを再開してください"
                )
            }
            Self::Poisoned { file } => {
                format!("{file}: 同期または切り詰めの失敗により状態が不明です。開き直してください")
            }
            Self::Damaged { file, offset } => format!(
                "{file}: {offset}バイト目から壊れています。破棄してアップロードをやり直してください"
            ),
            Self::Io { file, source } => format!("{file}: {}", source.localised(language)),
        }
    }
}
