//! What can be wrong with a configuration: where, and what would be right.
//!
//! A message never shows the value: a key pasted into the wrong line would end up in a log. What the TOML reader says is
//! therefore cut down to what it expected.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use renkei_types::{Classify, Kind, Language, Localised};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}; give the path of a broker.toml", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line says something that does not hold.
    #[error("{place}: {rule}")]
    Invalid {
        /// Where.
        place: Place,
        /// What should hold.
        rule: Rule,
    },
}

/// A place in a configuration file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where the key is not in the file.
    pub line: Option<usize>,
    /// The key with its section, as in `limits.request_timeout`; empty where the line has none.
    pub key: String,
}

/// What a configuration has to keep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// Only known keys.
    UnknownKey {
        /// The keys that this section knows.
        known: String,
    },
    /// A key without a default must be there.
    MissingKey,
    /// A value of the right type.
    Expected(String),
    /// Said in a sentence of the part that reads the value, or of the TOML reader.
    Stated(String),
    /// A number within its range.
    Range {
        /// The least allowed value.
        least: u64,
        /// The greatest allowed value.
        most: u64,
    },
    /// A trust domain is a lower-case domain name.
    TrustDomain,
    /// Somebody has to be the first operator.
    NoFounder,
    /// A founder belongs to the trust domain.
    ForeignFounder,
    /// A founder is named once.
    RepeatedFounder,
    /// A caller with a quota belongs to the trust domain.
    ForeignCaller,
    /// An origin can stand in a checkpoint and in the name of a key.
    Origin,
    /// Keys stay out of the store, and so out of its backups.
    KeysInsideStore,
    /// Metrics and enrolment have ports of their own.
    SamePort,
    /// Revocation works within a minute.
    ReloadInterval,
    /// Several requests to the witnesses fit into the grace.
    Grace,
    /// A credential needs somebody who hands it over.
    Credentials,
    /// These keys lie in the folder of keys, or are handed over.
    NoCredential,
    /// A log level that the logger knows.
    LogLevel,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.localised(Language::English))
    }
}

impl Localised for Place {
    fn localised(&self, language: Language) -> String {
        let mut text = self.file.display().to_string();
        if let Some(line) = self.line {
            text += &language.pick(format!(": line {line}"), format!(": {line}行目"));
        }
        if !self.key.is_empty() {
            text += &format!(": {}", self.key);
        }
        text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.localised(Language::English))
    }
}

impl Localised for Rule {
    fn localised(&self, language: Language) -> String {
        let (english, japanese) = match self {
            Self::UnknownKey { known } => {
                return language.pick(
                    format!("no such key; remove it or correct it to one of {known}"),
                    format!(
                        "このキーはありません。削除するか、次のいずれかに直してください: {known}"
                    ),
                );
            }
            Self::Expected(expected) => {
                return language.pick(
                    format!("the value should be {expected}"),
                    format!("値の形式が違います。正しい形式: {expected}"),
                );
            }
            Self::Stated(sentence) => {
                return language
                    .pick(sentence.clone(), format!("書き方に誤りがあります: {sentence}"));
            }
            Self::Range { least, most } => {
                return language.pick(
                    format!("the value should be from {least} to {most}"),
                    format!("値は{least}から{most}までにしてください"),
                );
            }
            Self::MissingKey => {
                ("the key is missing; add it", "必須のキーがありません。追加してください")
            }
            Self::TrustDomain => (
                "a trust domain is a domain name of a-z, 0-9, dot, - and _, for example renkei.example",
                "信頼ドメインは a-z、0-9、.、-、_ によるドメイン名で書いてください(例: renkei.example)",
            ),
            Self::NoFounder => (
                "name at least one identity that is an operator from the start",
                "最初の運用者となる識別子を一つ以上書いてください",
            ),
            Self::ForeignFounder => (
                "a founder must belong to trust_domain; no certificate could ever prove this one",
                "創設者は trust_domain に属している必要があります",
            ),
            Self::RepeatedFounder => (
                "a founder is named twice; remove one",
                "同じ創設者が二度書かれています。一つにしてください",
            ),
            Self::ForeignCaller => (
                "a caller with a quota must belong to trust_domain; nobody could ever call as this one",
                "呼出し数の上限を書く呼出し元は trust_domain に属している必要があります",
            ),
            Self::Origin => (
                "an origin is a name without spaces and without +, for example renkei.example/audit/131016",
                "origin は空白と + を含まない名前にしてください(例: renkei.example/audit/131016)",
            ),
            Self::KeysInsideStore => (
                "keys must not lie inside store, or every backup of the store would carry them",
                "鍵のフォルダーは store の外に置いてください。中に置くとバックアップに鍵が入ります",
            ),
            Self::SamePort => (
                "listen, metrics_listen and enrolment_listen must differ from one another",
                "listen、metrics_listen、enrolment_listen は互いに異なる必要があります",
            ),
            Self::Credentials => (
                "this path needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit with LoadCredential; name a file otherwise",
                "このパスには $CREDENTIALS_DIRECTORY が必要です。LoadCredential のある systemd ユニットで起動するか、ファイルを指定してください",
            ),
            Self::NoCredential => (
                "this key is a credential, $CREDENTIALS_DIRECTORY/NAME; without the line it lies in the folder of keys",
                "この鍵には $CREDENTIALS_DIRECTORY/名前 だけを書けます。行がなければ鍵のフォルダーに置かれます",
            ),
            Self::ReloadInterval => (
                "at most 30s, so that a revocation works within a minute",
                "失効が1分以内に有効になるよう、30s 以下にしてください",
            ),
            Self::Grace => (
                "the grace must be at least twice the interval and the patience together, so that one missed answer stops nothing",
                "grace は interval と patience の合計の2倍以上にしてください。一度の応答漏れで止まらないためです",
            ),
            Self::LogLevel => (
                "a log level is error, warn, info, debug or trace, or pairs like info,renkei_broker=debug",
                "ログレベルは error、warn、info、debug、trace のいずれか、または info,renkei_broker=debug のような組で書いてください",
            ),
        };
        language.pick(english, japanese).to_owned()
    }
}

impl ConfigError {
    /// What the TOML reader found, without the value.
    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message();
        let mut place = error
            .span()
            .map(|span| Place::at(file, text, &span))
            .unwrap_or_else(|| Place { file: file.to_owned(), line: None, key: String::new() });
        let quoted = message.split('`').nth(1).unwrap_or_default();
        let expected = message.split_once("expected ").map(|(_, expected)| expected.to_owned());
        let rule = if message.starts_with("unknown field") {
            place.key = with_section(section(&place.key), quoted);
            Rule::UnknownKey { known: expected.unwrap_or_default().replace("one of ", "") }
        } else if message.starts_with("missing field") {
            // The span is that of the section, which is where the key has to go.
            let section = error.span().map_or("", |span| section_at(text, span.start));
            place.key = with_section(section, quoted);
            Rule::MissingKey
        } else {
            let shows_the_value = ["invalid type", "invalid value", "unknown variant"];
            match expected {
                Some(expected) if shows_the_value.iter().any(|it| message.starts_with(it)) => {
                    Rule::Expected(expected)
                }
                Some(_) | None => Rule::Stated(message.replace('\n', ", ")),
            }
        };
        Self::Invalid { place, rule }
    }

    /// A rule that the key breaks, which is in the file or has its default.
    pub(super) fn of_key(file: &Path, text: &str, key: &str, rule: Rule) -> Self {
        let place = Place { file: file.to_owned(), line: line_of(text, key), key: key.to_owned() };
        Self::Invalid { place, rule }
    }
}

impl Place {
    fn at(file: &Path, text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count();
        // An array may go over several lines: the key stands in the nearest line above that has one.
        let key = text
            .lines()
            .take(line + 1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .take_while(|line| section_header(line).is_none())
            .find_map(key_of)
            .map(|key| with_section(section_at(text, span.start), key));
        Self { file: file.to_owned(), line: Some(line + 1), key: key.unwrap_or_default() }
    }
}

fn with_section(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn section(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(section, _)| section)
}

fn section_header(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split_once(']').map(|(name, _)| name.trim())
}

/// The section that the byte at `offset` belongs to, its own header included.
fn section_at(text: &str, offset: usize) -> &str {
    let line = text.get(..offset).unwrap_or(text).matches('\n').count();
    text.lines().take(line + 1).filter_map(section_header).last().unwrap_or_default()
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    let bare = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
    (!key.is_empty() && key.bytes().all(bare)).then_some(key)
}

fn line_of(text: &str, key: &str) -> Option<usize> {
    let mut section = "";
    text.lines().enumerate().find_map(|(index, line)| {
        if let Some(header) = section_header(line) {
            section = header;
        }
        let found = key_of(line).is_some_and(|name| with_section(section, name) == key);
        found.then_some(index + 1)
    })
}

impl Classify for ConfigError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for ConfigError {
    fn localised(&self, language: Language) -> String {
        match (self, language) {
            (_, Language::English) => self.to_string(),
            (Self::Unreadable { file, source }, Language::Japanese) => {
                format!(
                    "{}: 読めません: {}。broker.toml のパスを指定してください",
                    file.display(),
                    source.localised(language)
                )
            }
            (Self::Invalid { place, rule }, Language::Japanese) => {
                format!("{}: {}", place.localised(language), rule.localised(language))
            }
        }
    }
}
