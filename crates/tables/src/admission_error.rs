//! Why a file is refused as a whole.

use renkei_types::{Classify, Kind, Language, Localised, Reason};

/// A file that is refused as a whole. Names file, line and column, never a value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AdmissionError {
    /// A column of My Numbers or resident record codes.
    #[error(
        "{file}: column {column} holds My Numbers or resident record codes: remove it before handing the file over"
    )]
    MyNumberColumn {
        /// The file.
        file: String,
        /// The column's name.
        column: String,
    },
    /// A register with repeated ids.
    #[error(
        "{file}: column {column}: lines {first} and {second} have the same id ({lines} lines repeat one)"
    )]
    IdsRepeated {
        /// The file.
        file: String,
        /// The id column's name.
        column: String,
        /// The first line of the first pair.
        first: u64,
        /// The second line of the first pair.
        second: u64,
        /// How many lines share their id with another.
        lines: u64,
    },
    /// A register with undecodable bytes.
    #[error(
        "{file}: line {line}{}: bytes that are no text in the file's encoding",
        of_column(column, Language::English)
    )]
    Undecodable {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The column's name.
        column: Option<String>,
    },
    /// A list with too many undecodable lines.
    #[error(
        "{file}: {undecodable} of {lines} lines have bytes that are no text in the file's encoding, the first is line {line}{}",
        of_column(column, Language::English)
    )]
    TooManyUndecodable {
        /// The file.
        file: String,
        /// The first such line.
        line: u64,
        /// The column's name.
        column: Option<String>,
        /// How many lines.
        undecodable: u64,
        /// Of how many.
        lines: u64,
    },
    /// More lines than are counted.
    #[error("{file}: more than 4,294,967,295 lines")]
    TooManyLines {
        /// The file.
        file: String,
    },
    /// The amounts add up to more than a `u64`.
    #[error("{file}: line {line}: the sum of the amounts is too large")]
    TotalOverflow {
        /// The file.
        file: String,
        /// The line at which it happens.
        line: u64,
    },
}

fn of_column(column: &Option<String>, language: Language) -> String {
    column.as_ref().map_or_else(String::new, |name| {
        language.pick(format!(", column {name}"), format!("、列「{name}」"))
    })
}

impl AdmissionError {
    /// The reason code.
    pub fn reason(&self) -> Reason {
        match self {
            Self::MyNumberColumn { .. } => Reason::MyNumber,
            Self::IdsRepeated { .. } => Reason::IdRepeated,
            Self::Undecodable { .. } | Self::TooManyUndecodable { .. } => Reason::Undecodable,
            Self::TotalOverflow { .. } => Reason::AmountUnreadable,
            Self::TooManyLines { .. } => Reason::UnreadableFile,
        }
    }
}

impl Classify for AdmissionError {
    fn kind(&self) -> Kind {
        match self {
            Self::MyNumberColumn { .. }
            | Self::IdsRepeated { .. }
            | Self::Undecodable { .. }
            | Self::TooManyUndecodable { .. } => Kind::Refused,
            Self::TotalOverflow { .. } | Self::TooManyLines { .. } => Kind::InvalidArgument,
        }
    }
}

impl Localised for AdmissionError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::MyNumberColumn { file, column } => format!(
                "{file}: 列「{column}」は個人番号または住民票コードです。列を削除してから渡してください"
            ),
            Self::IdsRepeated { file, column, first, second, lines } => format!(
                "{file}: 列「{column}」: {first}行目と{second}行目の識別番号が同じです(重複は{lines}行)"
            ),
            Self::Undecodable { file, line, column } => format!(
                "{file}: {line}行目{}: 文字コードとして読めないバイトがあります",
                of_column(column, language)
            ),
            Self::TooManyUndecodable { file, line, column, undecodable, lines } => format!(
                "{file}: {lines}行中{undecodable}行に文字コードとして読めないバイトがあります。最初は{line}行目{}",
                of_column(column, language)
            ),
            Self::TooManyLines { file } => format!("{file}: 行数が4,294,967,295を超えています"),
            Self::TotalOverflow { file, line } => {
                format!("{file}: {line}行目: 金額の合計が大きすぎます")
            }
        }
    }
}
