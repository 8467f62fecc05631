//! Why a file cannot be read.

use renkei_types::{Classify, Kind, Language, Localised, Reason};

/// A file that cannot be read as a table. Names file, line and column, never a value.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file has no bytes, or nothing but empty lines.
    #[error("{file}: the file is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// The header has bytes that are no text.
    #[error("{file}: line {line}: the header has bytes that are no {encoding} text")]
    HeaderUndecodable {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The encoding found.
        encoding: &'static str,
    },
    /// A quote that is not closed, or a quoted cell beyond the limit.
    #[error(
        "{file}: line {line}: the quote that opens here in column {column} is never closed, or its cell is longer than {limit} bytes"
    )]
    UnclosedQuote {
        /// The file.
        file: String,
        /// The line with the opening quote.
        line: u64,
        /// The column, from 1.
        column: usize,
        /// The longest cell allowed.
        limit: usize,
    },
    /// A quoted cell that holds lines of the table.
    #[error(
        "{file}: line {line}: the quoted cell that opens here in column {column} runs over other lines: a quote is missing or stray"
    )]
    SwallowedLines {
        /// The file.
        file: String,
        /// The line with the opening quote.
        line: u64,
        /// The column, from 1.
        column: usize,
    },
    /// A cell beyond the limit.
    #[error("{file}: line {line}: the cell in column {column} is longer than {limit} bytes")]
    CellTooLong {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The column, from 1.
        column: usize,
        /// The longest cell allowed.
        limit: usize,
    },
    /// More columns than any table has.
    #[error("{file}: line {line}: more than {limit} columns")]
    TooManyColumns {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The most allowed.
        limit: usize,
    },
    /// A format that is not read here.
    #[error("{file}: {what}")]
    Unsupported {
        /// The file.
        file: String,
        /// What it is, and what to do.
        what: &'static str,
        /// The same in Japanese.
        what_ja: &'static str,
    },
    /// A workbook that cannot be read.
    #[error("{file}: not a readable workbook: {what}")]
    Workbook {
        /// The file.
        file: String,
        /// What the reader of workbooks said.
        what: String,
    },
    /// No such sheet.
    #[error("{file}: no sheet {wanted}; there are: {found}")]
    NoSheet {
        /// The file.
        file: String,
        /// The wanted sheet.
        wanted: String,
        /// The sheets.
        found: String,
    },
    /// A Parquet file that cannot be read.
    #[error("{file}: not a readable Parquet file: {what}")]
    Parquet {
        /// The file.
        file: String,
        /// What the reader of Parquet said.
        what: String,
    },
    /// A fixed-length file whose size does not fit its layout from the first record on.
    #[error("{file}: record {record}: no line end after {length} bytes: does the layout fit?")]
    RecordLength {
        /// The file.
        file: String,
        /// The record, from 1.
        record: u64,
        /// The record length of the layout.
        length: usize,
    },
}

impl ReadError {
    pub(crate) fn io(file: &str, source: std::io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }

    /// The reason code.
    pub fn reason(&self) -> Reason {
        match self {
            Self::HeaderUndecodable { .. } => Reason::Undecodable,
            Self::Io { .. }
            | Self::Empty { .. }
            | Self::UnclosedQuote { .. }
            | Self::SwallowedLines { .. }
            | Self::CellTooLong { .. }
            | Self::TooManyColumns { .. }
            | Self::Unsupported { .. }
            | Self::Workbook { .. }
            | Self::NoSheet { .. }
            | Self::Parquet { .. }
            | Self::RecordLength { .. } => Reason::UnreadableFile,
        }
    }
}

impl Classify for ReadError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            Self::Io { .. }
            | Self::Empty { .. }
            | Self::HeaderUndecodable { .. }
            | Self::UnclosedQuote { .. }
            | Self::SwallowedLines { .. }
            | Self::CellTooLong { .. }
            | Self::TooManyColumns { .. }
            | Self::Unsupported { .. }
            | Self::Workbook { .. }
            | Self::NoSheet { .. }
            | Self::Parquet { .. }
            | Self::RecordLength { .. } => Kind::InvalidArgument,
        }
    }
}

impl Localised for ReadError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Io { file, source } => {
                format!("{file}: 読めません: {}", source.localised(language))
            }
            Self::Empty { file } => format!("{file}: ファイルが空です"),
            Self::HeaderUndecodable { file, line, encoding } => {
                format!("{file}: {line}行目: 見出しに{encoding}として読めないバイトがあります")
            }
            Self::UnclosedQuote { file, line, column, limit } => format!(
                "{file}: {line}行目: {column}列目で始まる引用符が閉じていないか、セルが{limit}バイトを超えています"
            ),
            Self::SwallowedLines { file, line, column } => format!(
                "{file}: {line}行目: {column}列目で始まる引用符のセルが他の行を含んでいます。引用符の過不足を確認してください"
            ),
            Self::CellTooLong { file, line, column, limit } => {
                format!("{file}: {line}行目: {column}列目のセルが{limit}バイトを超えています")
            }
            Self::TooManyColumns { file, line, limit } => {
                format!("{file}: {line}行目: 列が{limit}を超えています")
            }
            Self::Unsupported { file, what_ja, .. } => format!("{file}: {what_ja}"),
            Self::Workbook { file, what } => {
                format!("{file}: Excelブックとして読めません: {what}")
            }
            Self::NoSheet { file, wanted, found } => {
                format!("{file}: シート「{wanted}」がありません。あるシート: {found}")
            }
            Self::Parquet { file, what } => format!("{file}: Parquetとして読めません: {what}"),
            Self::RecordLength { file, record, length } => format!(
                "{file}: {record}件目: {length}バイトの後に改行がありません。レイアウトを確認してください"
            ),
        }
    }
}
