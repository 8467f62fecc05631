//! What may be wrong with the log's folder and keys, in the words of whoever has to put it right.

use std::path::PathBuf;

use renkei_journal::SecretFileError;
use renkei_tlog::checkpoint::{InvalidKey, InvalidOrigin};
use renkei_types::{Language, Localised};

/// What does not fit between the log's folder and the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogDifference {
    /// It knows more than the journal.
    #[error("it has more leaves than the journal has frames")]
    TooLong,
    /// It ends with something else.
    #[error("its last leaf is not that of the journal")]
    LastLeaf,
    /// Somebody else has written in it.
    #[error("leaves stand in it that the journal does not have")]
    Leaves,
}

impl Localised for LogDifference {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::TooLong => "ジャーナルより記録が多い",
            Self::LastLeaf => "最後の記録がジャーナルと違う",
            Self::Leaves => "ジャーナルにない記録がある",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

/// Why a key of the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogKeyFault {
    /// Its file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It is none.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// The log's name is none.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    /// A service manager hands one over, and there is another one.
    #[error(
        "{} is handed over by the service manager, and {} is another one; bring that into the safe, and remove it",
        handed.display(), path.display()
    )]
    Two {
        /// The one that is handed over.
        handed: PathBuf,
        /// The other one.
        path: PathBuf,
    },
    /// The public half of an older key is damaged.
    #[error(
        "{} cannot be read as the public half of an older key; put it back, from the safe or from an auditor",
        path.display()
    )]
    OlderHalf {
        /// Its file.
        path: PathBuf,
    },
    /// The next key is damaged.
    #[error(
        "{} cannot be read as a key; put it back, or, where two have not agreed on it, remove it and propose another one",
        path.display()
    )]
    Next {
        /// Its file.
        path: PathBuf,
    },
}

impl Localised for LogKeyFault {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::File(error) => return error.localised(language),
            Self::Key(error) => return error.localised(language),
            Self::Origin(_) => {
                "ログの名前（log.origin）は、空白・制御文字・「+」を含まない1～255バイトです"
                    .to_owned()
            }
            Self::Two { handed, path } => format!(
                "{}がサービス管理から渡されていますが、{}に別の鍵があります。そちらを金庫に移し、ここから除いてください",
                handed.display(),
                path.display()
            ),
            Self::OlderHalf { path } => format!(
                "{}を旧い鍵の公開鍵として読めません。金庫または監査人の写しから戻してください",
                path.display()
            ),
            Self::Next { path } => format!(
                "{}を鍵として読めません。元に戻してください。2人で決めた鍵でなければ、除いてから改めて提案してください",
                path.display()
            ),
        };
        language.pick(self.to_string(), japanese)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OpenError;

    #[test]
    fn what_is_wrong_with_log_and_keys_is_told_in_japanese_without_english_words() {
        let path = || PathBuf::from("/k");
        let key = |fault| OpenError::LogKey(fault);
        let differs = |what| OpenError::LogDiffers { path: path(), what };
        let faults = [
            differs(LogDifference::TooLong),
            differs(LogDifference::LastLeaf),
            differs(LogDifference::Leaves),
            key(LogKeyFault::Two { handed: path(), path: path() }),
            key(LogKeyFault::OlderHalf { path: path() }),
            key(LogKeyFault::Next { path: path() }),
        ];
        for fault in faults {
            let told = fault.localised(Language::Japanese);
            let english =
                told.split(|c: char| !c.is_ascii_alphabetic()).find(|word| word.len() > 1);
            assert_eq!(english, None, "{told}");
        }
    }
}
