//! What can go wrong with a journal, in its own words.
//!
//! A damaged journal is never repaired by guessing: the error names the file and the offset, so that an operator can
//! compare it with a backup. No message shows contents.

use std::io;

use renkei_types::{Classify, Kind, Language, Localised};

use crate::frame::{FRAME_BYTES_MAX, Seq};
use crate::lock::LockError;
use crate::storage::is_full;

/// What an input or output error means to the caller.
pub(crate) fn kind_of(error: &io::Error) -> Kind {
    if is_full(error) {
        return Kind::Exhausted;
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's list of errors is open")]
    match error.kind() {
        io::ErrorKind::NotFound => Kind::NotFound,
        io::ErrorKind::AlreadyExists => Kind::Conflict,
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory => Kind::InvalidArgument,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::TimedOut => Kind::Unavailable,
        _ => Kind::Internal,
    }
}

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error(transparent)]
    Locked(LockError),
    /// It was written by a newer renkei.
    #[error("{file}: format {found}, but this renkei reads up to {known}; use the newer renkei")]
    NewerFormat {
        /// The file.
        file: String,
        /// The format of the file.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// A file that must be there is not.
    #[error("{file}: missing, though later frames are there; restore it from a backup")]
    Missing {
        /// The file.
        file: String,
    },
    /// Bytes that had been acknowledged are not what was written.
    #[error(
        "{file}: damaged at byte {offset}; keep a copy of the folder, then restore the file from a backup"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where the first damaged frame begins.
        offset: u64,
    },
    /// The system refused.
    #[error("cannot open the journal at {file}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        Self::Locked(error)
    }
}

impl Classify for OpenError {
    fn kind(&self) -> Kind {
        match self {
            Self::Locked(error) => error.kind(),
            Self::NewerFormat { .. } => Kind::Refused,
            Self::Missing { .. } | Self::Damaged { .. } => Kind::Internal,
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for OpenError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Locked(error) => error.localised(language),
            Self::NewerFormat { file, found, known } => format!(
                "{file}: 形式{found}ですが、この renkei が読めるのは{known}までです。新しい renkei を使ってください"
            ),
            Self::Missing { file } => {
                format!(
                    "{file}: 後続の記録があるのにファイルがありません。バックアップから戻してください"
                )
            }
            Self::Damaged { file, offset } => format!(
                "{file}: {offset}バイト目から壊れています。フォルダの写しを取ってから、バックアップから戻してください"
            ),
            Self::Io { file, source } => {
                format!("{file}: ジャーナルを開けません: {}", source.localised(language))
            }
        }
    }
}

/// Nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was first: decide again upon the frames up to `last`.
    #[error("the journal has moved on to frame {last}; decide again")]
    Conflict {
        /// The last number now.
        last: Seq,
    },
    /// The disk is full. The journal stays usable.
    #[error("the disk of the journal is full; free space and repeat")]
    StorageFull,
    /// A frame is over the limit.
    #[error(
        "a frame has {bytes} bytes, the limit is {FRAME_BYTES_MAX}; put large bodies into blobs"
    )]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// A sync or a repair failed: what is on the disk is unknown until the journal is opened anew.
    #[error(
        "the journal's state on disk is unknown since {operation} failed; end the process and start it anew"
    )]
    Poisoned {
        /// What failed.
        operation: &'static str,
    },
    /// The folder has been opened by somebody else since, past the lock.
    #[error(
        "this is incarnation {ours} of the journal, and {theirs} has been started since; end this process"
    )]
    Superseded {
        /// Our incarnation.
        ours: u32,
        /// The one that is written in the folder.
        theirs: u32,
    },
    /// The system refused the write. The journal stays usable.
    #[error("cannot write the journal: {source}")]
    Io {
        /// Why.
        source: io::Error,
    },
}

impl Classify for AppendError {
    fn kind(&self) -> Kind {
        match self {
            Self::Conflict { .. } => Kind::Conflict,
            Self::StorageFull => Kind::Exhausted,
            Self::TooLarge { .. } => Kind::InvalidArgument,
            Self::Poisoned { .. } => Kind::Internal,
            Self::Superseded { .. } => Kind::Refused,
            Self::Io { source } => kind_of(source),
        }
    }
}

impl Localised for AppendError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Conflict { last } => {
                format!("ジャーナルは{last}番まで進んでいます。判断からやり直してください")
            }
            Self::StorageFull => "ジャーナルのディスクに空きがありません。空きを作って\
                                  再実行してください"
                .to_owned(),
            Self::TooLarge { bytes } => format!(
                "1件の記録が{bytes}バイトで、上限{FRAME_BYTES_MAX}を超えています。大きな本体は blob に入れてください"
            ),
            Self::Poisoned { operation } => format!(
                "{operation} の失敗により、ディスク上の状態が不明です。プロセスを終了し、起動し直してください"
            ),
            Self::Superseded { ours, theirs } => format!(
                "このプロセスは起動番号{ours}ですが、その後{theirs}が起動しています。このプロセスを終了してください"
            ),
            Self::Io { source } => {
                format!("ジャーナルに書き込めません: {}", source.localised(language))
            }
        }
    }
}

/// A frame could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are not what was written.
    #[error("{file}: damaged at byte {offset}; stop the broker and restore the file from a backup")]
    Damaged {
        /// The file.
        file: String,
        /// Where the damaged frame begins.
        offset: u64,
    },
    /// The system refused.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { file, offset } => Self::Damaged { file, offset },
            ReadError::Io { file, source } => Self::Io { file, source },
        }
    }
}

impl Classify for ReadError {
    fn kind(&self) -> Kind {
        match self {
            Self::Damaged { .. } => Kind::Internal,
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for ReadError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Damaged { file, offset } => format!(
                "{file}: {offset}バイト目から壊れています。ブローカーを止め、バックアップから戻してください"
            ),
            Self::Io { file, source } => {
                format!("{file}: 読み込めません: {}", source.localised(language))
            }
        }
    }
}
