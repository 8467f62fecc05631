//! The layout of fixed-length records.
//!
//! ```toml
//! encoding = "cp932"                # or "utf-8"
//! record_length = 120               # bytes, without the line end
//! line_ending = "crlf"              # none, crlf, lf
//! record_type = { at = 1, length = 1, data = "2" }   # only these are data; headers and trailers are skipped
//! # or: skip_first = 1, skip_last = 2
//!
//! [[column]]
//! name = "銀行コード"
//! start = 2                         # the first byte is 1
//! length = 4
//! # trim = "both"                   # none, left, right, both: where padding is removed
//! # pad = " "                       # the padding letter; a space also stands for a full-width one
//! ```
//! Positions count bytes, because the machines that write such files do.

use renkei_types::{Classify, Kind, Language, Localised, Reason};
use serde::Deserialize;

use crate::encoding::Encoding;
use crate::schema_error::line_of;

/// How records of a fixed number of bytes are cut into cells.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    encoding: TextEncoding,
    /// Bytes of a record, without the line end.
    pub(crate) record_length: usize,
    #[serde(default)]
    pub(crate) line_ending: RecordEnding,
    #[serde(default)]
    pub(crate) skip_first: u64,
    #[serde(default)]
    pub(crate) skip_last: usize,
    pub(crate) record_type: Option<RecordType>,
    #[serde(rename = "column")]
    pub(crate) columns: Vec<LayoutColumn>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
enum TextEncoding {
    #[serde(rename = "cp932", alias = "CP932", alias = "shift_jis", alias = "Shift_JIS")]
    Cp932,
    #[serde(rename = "utf-8", alias = "utf8", alias = "UTF-8")]
    Utf8,
}

/// What stands behind each record.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordEnding {
    #[default]
    None,
    Crlf,
    Lf,
}

/// The bytes by which data records are told from headers and trailers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordType {
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) data: String,
}

/// One cell of a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayoutColumn {
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) length: usize,
    #[serde(default)]
    pub(crate) trim: Trim,
    #[serde(default = "space")]
    pub(crate) pad: char,
}

/// On which sides padding is removed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trim {
    None,
    Left,
    Right,
    #[default]
    Both,
}

fn space() -> char {
    ' '
}

impl LayoutColumn {
    /// The cell without its padding.
    pub(crate) fn trimmed<'a>(&self, cell: &'a str) -> &'a str {
        let is_pad = |c: char| c == self.pad || (self.pad == ' ' && c == '\u{3000}');
        match self.trim {
            Trim::None => cell,
            Trim::Left => cell.trim_start_matches(is_pad),
            Trim::Right => cell.trim_end_matches(is_pad),
            Trim::Both => cell.trim_matches(is_pad),
        }
    }
}

impl Layout {
    /// Reads a layout file. `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Self, LayoutError> {
        let layout: Self = toml::from_str(text).map_err(|error| LayoutError::Syntax {
            file: file.to_owned(),
            line: line_of(text, &error),
            what: error.message().to_owned(),
        })?;
        layout.check().map_err(|what| LayoutError::Meaning { file: file.to_owned(), what })?;
        Ok(layout)
    }

    /// Reads a layout from a file on disk.
    pub fn read(path: &std::path::Path) -> Result<Self, LayoutError> {
        let file = path.display().to_string();
        let text = fs_err::read_to_string(path)
            .map_err(|source| LayoutError::Unreadable { file: file.clone(), source })?;
        Self::parse(&text, &file)
    }

    /// The encoding of the cells.
    pub fn encoding(&self) -> Encoding {
        match self.encoding {
            TextEncoding::Cp932 => Encoding::Cp932,
            TextEncoding::Utf8 => Encoding::Utf8,
        }
    }

    fn check(&self) -> Result<(), String> {
        /// No machine writes longer records.
        const RECORD_BYTES_MAX: usize = 1 << 20;
        if self.record_length == 0 || self.record_length > RECORD_BYTES_MAX {
            return Err(format!("record_length must be from 1 to {RECORD_BYTES_MAX}"));
        }
        if self.columns.is_empty() {
            return Err("there is no [[column]]".to_owned());
        }
        let inside = |start: usize, length: usize| {
            start >= 1
                && length >= 1
                && start.checked_add(length - 1).is_some_and(|end| end <= self.record_length)
        };
        for (index, column) in self.columns.iter().enumerate() {
            if !inside(column.start, column.length) {
                return Err(format!(
                    "column `{}` does not lie within the record of {} bytes (the first byte is 1)",
                    column.name, self.record_length
                ));
            }
            if self.columns.iter().take(index).any(|other| other.name == column.name) {
                return Err(format!("two columns are named `{}`", column.name));
            }
        }
        match &self.record_type {
            Some(kind) if !inside(kind.at, kind.length) || kind.data.len() != kind.length => {
                Err("record_type must lie within the record, and `data` must have its length"
                    .to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A layout that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The layout file cannot be opened.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The layout file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The layout file is no TOML, has an unknown key or a value that is not allowed.
    #[error("{file}: line {line}: {what}")]
    Syntax {
        /// The layout file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The layout reads well and makes no sense.
    #[error("{file}: {what}")]
    Meaning {
        /// The layout file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

impl LayoutError {
    /// The reason code.
    pub fn reason(&self) -> Reason {
        Reason::ConfigurationInvalid
    }
}

impl Classify for LayoutError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for LayoutError {
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
        }
    }
}
