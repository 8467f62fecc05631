//! What can be wrong with a schema, and between a schema and a header.

use renkei_types::{Classify, Kind, Language, Localised, Reason};

use crate::binding::Side;
use crate::columns::fold;

/// A schema that cannot be read, or a header that does not fit it. Names of columns are not personal data.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The schema file cannot be opened.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The schema file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The schema file is no TOML, has an unknown key or a value that is not allowed.
    #[error("{file}: line {line}: {what}")]
    Syntax {
        /// The schema file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what is allowed.
        what: String,
    },
    /// The schema file reads well and makes no sense.
    #[error("{file}: {what}")]
    Meaning {
        /// The schema file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The schema says nothing about the id of this side.
    #[error("the schema names no id column for the {side}")]
    NoIdColumn {
        /// The side.
        side: Side,
    },
    /// A column that is needed is not in the header.
    #[error("{}", missing(file, what, wanted, found, *header_may_be, Language::English))]
    ColumnMissing {
        /// The file with the header.
        file: String,
        /// The field that needs the column.
        what: String,
        /// The names that would do.
        wanted: Vec<String>,
        /// The names that are there; empty where none is known, because the line may then be data.
        found: Vec<String>,
        /// A later line that fits the schema: title lines stand above the header.
        header_may_be: Option<u64>,
    },
    /// The column that is needed holds lists, maps or records.
    #[error("{file}: column {column} is of type {data_type}, which has no text form")]
    ColumnNested {
        /// The file.
        file: String,
        /// The column's name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A needed name stands in the header more than once.
    #[error("{file}: the header has the column {name} more than once")]
    ColumnRepeated {
        /// The file with the header.
        file: String,
        /// The name.
        name: String,
    },
}

fn missing(
    file: &str,
    what: &str,
    wanted: &[String],
    found: &[String],
    header_may_be: Option<u64>,
    language: Language,
) -> String {
    let wanted = wanted.join(" | ");
    let found = if found.is_empty() {
        language
            .pick(
                "no known name, so the first line may be data",
                "既知の列名なし。1行目はデータかもしれません",
            )
            .to_owned()
    } else {
        found.join(", ")
    };
    let hint = header_may_be.map(|line| {
        language.pick(
            format!("; line {line} looks like the header: remove the lines above it"),
            format!("。{line}行目が見出しのようです。その上の行を削除してください"),
        )
    });
    let hint = hint.unwrap_or_default();
    language.pick(
        format!("{file}: no column for {what} (wanted: {wanted}; found: {found}){hint}"),
        format!("{file}: {what} の列がありません(候補: {wanted}、見出し: {found}){hint}"),
    )
}

impl SchemaError {
    pub(crate) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self::Syntax {
            file: file.to_owned(),
            line: line_of(text, error),
            what: error.message().to_owned(),
        }
    }

    /// The same error about the header of `file`.
    pub fn in_file(mut self, label: &str) -> Self {
        if let Self::ColumnMissing { file, .. } | Self::ColumnRepeated { file, .. } = &mut self {
            label.clone_into(file);
        }
        self
    }

    /// The same error with a later line that fits.
    pub(crate) fn with_hint(mut self, line: Option<u64>) -> Self {
        if let Self::ColumnMissing { header_may_be, .. } = &mut self {
            *header_may_be = line;
        }
        self
    }

    /// The better error where the wanted column is there, but nested.
    pub(crate) fn about_nested(&self, file: &str, nested: &[(String, String)]) -> Option<Self> {
        let Self::ColumnMissing { wanted, .. } = self else {
            return None;
        };
        let (column, data_type) = nested
            .iter()
            .find(|(name, _)| wanted.iter().any(|wanted| fold(wanted) == fold(name)))?;
        Some(Self::ColumnNested {
            file: file.to_owned(),
            column: column.clone(),
            data_type: data_type.clone(),
        })
    }

    /// The reason code.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unreadable { .. }
            | Self::Syntax { .. }
            | Self::Meaning { .. }
            | Self::NoIdColumn { .. } => Reason::ConfigurationInvalid,
            Self::ColumnMissing { .. } | Self::ColumnNested { .. } => Reason::ColumnMissing,
            Self::ColumnRepeated { .. } => Reason::HeaderInvalid,
        }
    }
}

/// The line of a TOML error, from 1.
pub(crate) fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1
}

impl Classify for SchemaError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for SchemaError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Unreadable { file, source } => {
                format!("{file}: 読めません: {}", source.localised(language))
            }
            Self::Syntax { file, line, what } => {
                format!("{file}: {line}行目: 書き方に誤りがあります: {what}")
            }
            Self::Meaning { file, what } => format!("{file}: 内容に誤りがあります: {what}"),
            Self::NoIdColumn { side } => {
                format!("スキーマに{}の識別番号の列がありません", side.localised(language))
            }
            Self::ColumnMissing { file, what, wanted, found, header_may_be } => {
                missing(file, what, wanted, found, *header_may_be, language)
            }
            Self::ColumnNested { file, column, data_type } => {
                format!("{file}: 列「{column}」の型{data_type}は文字にできません")
            }
            Self::ColumnRepeated { file, name } => {
                format!("{file}: 見出しに列「{name}」が二つ以上あります")
            }
        }
    }
}
