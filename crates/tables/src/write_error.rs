//! Why a table cannot be written.

use std::io;
use std::path::Path;

use renkei_types::{Classify, Kind, Language, Localised};

/// A table that cannot be written. Never shows a cell.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The name's ending is none that can be written.
    #[error("{file}: the ending must be .csv, .xlsx or .parquet")]
    UnknownEnding {
        /// The file.
        file: String,
    },
    /// The file cannot be created, written or renamed.
    #[error("{file}: cannot be written: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A row that does not have one cell per column.
    #[error("{file}: row {row} has {cells} cells for {columns} columns")]
    CellCount {
        /// The file.
        file: String,
        /// The row, from 1.
        row: u64,
        /// How many cells.
        cells: usize,
        /// How many columns.
        columns: usize,
    },
    /// A cell that is no number in a column of numbers.
    #[error("{file}: row {row}: the cell in column {column} is no number")]
    NotANumber {
        /// The file.
        file: String,
        /// The row, from 1.
        row: u64,
        /// The column's name.
        column: String,
    },
    /// More rows or longer cells than the format can hold.
    #[error("{file}: {what}")]
    FormatLimit {
        /// The file.
        file: String,
        /// What does not fit.
        what: String,
    },
}

impl WriteError {
    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        Self::Io { file: file.display().to_string(), source }
    }
}

fn is_exhausted(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

impl Classify for WriteError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } if is_exhausted(source.kind()) => Kind::Exhausted,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::Io { .. } => Kind::InvalidArgument,
            Self::UnknownEnding { .. } | Self::FormatLimit { .. } => Kind::InvalidArgument,
            Self::CellCount { .. } | Self::NotANumber { .. } => Kind::Internal,
        }
    }
}

impl Localised for WriteError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::UnknownEnding { file } => {
                format!("{file}: 拡張子は .csv、.xlsx、.parquet のいずれかにしてください")
            }
            Self::Io { file, source } => {
                format!("{file}: 書き込めません: {}", source.localised(language))
            }
            Self::CellCount { file, row, cells, columns } => {
                format!("{file}: {row}行目のセルが{cells}個で、列数{columns}と合いません")
            }
            Self::NotANumber { file, row, column } => {
                format!("{file}: {row}行目の列「{column}」が数値ではありません")
            }
            Self::FormatLimit { file, what } => format!("{file}: 形式の上限を超えました: {what}"),
        }
    }
}
