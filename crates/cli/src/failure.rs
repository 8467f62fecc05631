//! How a command ends.

use std::path::Path;

use renkei_japanese::zengin::transfer::TransferReadError;
use renkei_types::{Classify, Kind, Language, Localised};

/// How a command that ran to its end went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Done, and something is wrong with what was examined.
    FoundWrong,
    /// Usage, configuration or unreadable input.
    Unusable,
    /// Refused.
    Refused,
    /// Unavailable, try again.
    Unavailable,
    /// Storage full or read-only.
    Storage,
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::FoundWrong => 1,
            Self::Unusable => 2,
            Self::Refused => 3,
            Self::Unavailable => 4,
            Self::Storage => 75,
        }
    }
}

/// An error that can be told to whoever ran the command.
pub(crate) trait Tellable: Classify + Localised + Send + Sync {}

impl<T: Classify + Localised + Send + Sync> Tellable for T {}

/// Why a command did not run to its end.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Tellable>);

impl Failure {
    pub(crate) fn message(&self, language: Language) -> String {
        self.0.localised(language)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self.0.kind() {
            Kind::InvalidArgument | Kind::NotFound | Kind::Internal => Exit::Unusable,
            Kind::Refused | Kind::Conflict => Exit::Refused,
            Kind::Unavailable => Exit::Unavailable,
            Kind::Exhausted => Exit::Storage,
        }
    }
}

impl<T: Tellable + 'static> From<T> for Failure {
    fn from(error: T) -> Self {
        Self(Box::new(error))
    }
}

/// What the commands themselves find wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{}", about_file(file, source))]
    File {
        file: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{file} would be overwritten: it is read by the same command; name another file")]
    OverwritesInput { file: String },
    #[error("{file} is named twice as output; name another file")]
    SameOutput { file: String },
    #[error("{file}: no line has the id that was asked for")]
    UnknownLine { file: String },
    #[error("{file}: no record has the id that was asked for")]
    UnknownRecord { file: String },
    #[error("{file}: the line was rejected ({reason}) and took no part in the linkage")]
    RejectedLine { file: String, reason: renkei_types::Reason },
    #[error("{file}: {wanted} columns are needed, there are {found}: {why}")]
    Columns { file: String, wanted: usize, found: usize, why: &'static str },
    #[error("{file}: the column `{column}` is missing")]
    ColumnMissing { file: String, column: &'static str },
    #[error("{file}, line {line}, column `{column}`: not {wanted}")]
    Value { file: String, line: u64, column: String, wanted: &'static str },
    #[error("{file}, line {line}: the id stands on an earlier line too")]
    RepeatedId { file: String, line: u64 },
    #[error("--require {given}: {why}")]
    Requirement { given: String, why: &'static str },
    #[error("{file}: {error}")]
    Model { file: String, error: renkei_linkage::ModelError },
    #[error(
        "{file}: neither lines of a witness nor a checkpoint that it remembers; ask the witness for its answer again"
    )]
    NoAnswer { file: String },
    #[error("{file} changed while it was being read; run the command again")]
    Changed { file: String },
    #[error("{file}: {error}")]
    TransferFile { file: String, error: TransferReadError },
    #[error("{0}")]
    System(std::io::Error),
    #[error("{0}")]
    Plain(String),
}

impl CommandError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { file: path.display().to_string(), source }
    }
}

/// Most errors of files name the file already.
fn about_file(file: &str, error: &std::io::Error) -> String {
    let error = error.to_string();
    if error.contains(file) { error } else { format!("{file}: {error}") }
}

/// Whether there is no room, or nothing may be written.
fn is_storage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem]
        .contains(&error.kind())
}

impl Classify for CommandError {
    fn kind(&self) -> Kind {
        match self {
            Self::File { source, .. } if is_storage(source) => Kind::Exhausted,
            Self::Changed { .. } => Kind::Unavailable,
            Self::OverwritesInput { .. } | Self::SameOutput { .. } => Kind::Refused,
            Self::File { .. }
            | Self::UnknownLine { .. }
            | Self::UnknownRecord { .. }
            | Self::RejectedLine { .. }
            | Self::Columns { .. }
            | Self::ColumnMissing { .. }
            | Self::Value { .. }
            | Self::RepeatedId { .. }
            | Self::Requirement { .. }
            | Self::Model { .. }
            | Self::NoAnswer { .. }
            | Self::TransferFile { .. }
            | Self::System(_)
            | Self::Plain(_) => Kind::InvalidArgument,
        }
    }
}

impl Localised for CommandError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::File { file, source } => format!("{file}: {}", source.localised(language)),
            Self::OverwritesInput { file } => {
                format!(
                    "{file} は入力として読み込むため上書きできません。別のファイル名を指定してください"
                )
            }
            Self::SameOutput { file } => {
                format!(
                    "{file} が出力先として二度指定されています。別のファイル名を指定してください"
                )
            }
            Self::UnknownLine { file } => format!("{file}: 指定された番号の行がありません"),
            Self::UnknownRecord { file } => format!("{file}: 指定された番号の記録がありません"),
            Self::RejectedLine { file, reason } => format!(
                "{file}: その行は受付不可（{}）のため照合していません",
                reason.localised(language)
            ),
            Self::Columns { file, wanted, found, .. } => {
                format!("{file}: 列が {wanted} 列必要ですが {found} 列です")
            }
            Self::ColumnMissing { file, column } => format!("{file}: 列「{column}」がありません"),
            Self::Value { file, line, column, .. } => {
                format!("{file} {line} 行目、列「{column}」: 値が読めません")
            }
            Self::RepeatedId { file, line } => {
                format!("{file} {line} 行目: 識別番号が前の行と重複しています")
            }
            Self::Requirement { given, .. } => {
                format!(
                    "--require {given}: 「項目=数値」の形で指定してください（例 linked.precision=0.9995）"
                )
            }
            Self::Model { file, error } => format!("{file}: {}", error.localised(language)),
            Self::NoAnswer { file } => {
                format!("{file}: 立会者の答えではありません。立会者に答えを取り直してください")
            }
            Self::Changed { file } => {
                format!("{file} が読み込み中に変更されました。もう一度実行してください")
            }
            Self::TransferFile { file, error } => format!(
                "{file}: {} 件目のレコード（{}）が全銀形式の振込データとして読めません。銀行から受け取ったままのファイルを指定してください",
                error.record, error.field
            ),
            Self::System(error) => renkei_types::with_file(error, language),
            Self::Plain(message) => message.clone(),
        }
    }
}
