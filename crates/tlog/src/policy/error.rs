//! What can be wrong with a policy file. A message names the line, never what stands in it.

use std::io;

use renkei_types::{Classify, Kind, Language, Localised};

use crate::checkpoint::InvalidKey;

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}; give the path of a witness policy")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{file}: line {line}: {flaw}")]
    Flaw {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        flaw: PolicyFlaw,
    },
}

/// What is wrong with a line of a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyFlaw {
    /// Not one of the four kinds of lines.
    #[error(
        "not a line of a policy: log VKEY [URL], witness NAME VKEY [URL], group NAME any|all|K NAME..., quorum NAME|none"
    )]
    UnknownLine,
    /// A character that must not be there.
    #[error("a control character; save the file with plain line ends (LF)")]
    ControlCharacter,
    /// A key that is none.
    #[error(transparent)]
    Key(InvalidKey),
    /// A key that an earlier line has.
    #[error("an earlier line has the same key; remove one")]
    RepeatedKey,
    /// A name that an earlier line has, or the reserved one.
    #[error("the name is given already, or is the reserved word none; choose another")]
    RepeatedName,
    /// A name that no earlier line has.
    #[error("no line above defines this name; define it first")]
    UnknownName,
    /// A member of two groups, or twice of one.
    #[error("a member belongs to a group already; a witness may count once")]
    MemberTwice,
    /// More members are needed than there are, or none.
    #[error("the threshold is any, all, or a number from 1 to the number of members")]
    Threshold,
    /// A second quorum.
    #[error("there is a quorum already; keep one")]
    SecondQuorum,
    /// No quorum.
    #[error("there is no quorum line; add `quorum NAME`, or `quorum none`")]
    NoQuorum,
    /// More than anybody reads.
    #[error("the file is longer than 256 KiB")]
    TooLong,
}

impl Classify for PolicyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { .. } | Self::Flaw { .. } => Kind::InvalidArgument,
        }
    }
}

impl Localised for PolicyError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Unreadable { file, source } => {
                let why = source.localised(language);
                format!("{file}: 読めません: {why}。立会方針のファイルを指定してください")
            }
            Self::Flaw { file, line, flaw } => {
                format!("{file}: {line}行目: {}", flaw.localised(language))
            }
        };
        language.pick(self.to_string(), japanese)
    }
}

impl Localised for PolicyFlaw {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::UnknownLine => {
                "方針の行ではありません。log 鍵 [URL]、witness 名前 鍵 [URL]、group 名前 any|all|数 名前…、quorum 名前|none のいずれかで書いてください"
            }
            Self::ControlCharacter => "制御文字があります。改行をLFだけにして保存してください",
            Self::Key(error) => return error.localised(language),
            Self::RepeatedKey => "同じ鍵が前の行にあります。一つにしてください",
            Self::RepeatedName => "この名前は使用済みか、予約語 none です。別の名前にしてください",
            Self::UnknownName => {
                "この名前はこれより上の行で定義されていません。先に定義してください"
            }
            Self::MemberTwice => "すでにグループに属しています。立会者は一度しか数えられません",
            Self::Threshold => "必要数は any、all、または1から構成員の数までで書いてください",
            Self::SecondQuorum => "quorum がすでにあります。一つにしてください",
            Self::NoQuorum => {
                "quorum の行がありません。`quorum 名前` または `quorum none` を加えてください"
            }
            Self::TooLong => "ファイルが256 KiBを超えています",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}
