//! Why a witness does not cosign, and why it cannot be asked at all.

use std::io;

use renkei_types::{Classify, Kind, Language, Localised, with_file};

/// Why a checkpoint is not cosigned. Each has its status in the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Not a request, or one that contradicts itself.
    #[error(
        "the request is not one for a cosignature, or its old size is above that of its checkpoint"
    )]
    Malformed,
    /// The log is none of those for which this witness was set up.
    #[error("this witness was not set up for that log; add its public key with --log")]
    UnknownLog,
    /// Not signed by the key that is known for the log.
    #[error("the checkpoint is not signed by the key that is known for its log")]
    WrongSignature,
    /// Signed by a key of the log in whose place this witness has cosigned under a newer one.
    #[error(
        "the checkpoint is signed by a key of the log that was replaced, or by one whose --log stands before that of the key this witness has cosigned under last. Of one log give the newest key last; if that is so, the older key may have been stolen: keep the request as evidence, and tell the auditor"
    )]
    ReplacedKey,
    /// The request goes on from another size than the one that was cosigned last.
    #[error(
        "this witness has cosigned {size} entries last; make the request again from there: --old {size}"
    )]
    OtherSize {
        /// What was cosigned last.
        size: u64,
    },
    /// The checkpoint does not continue the one that was cosigned last: the log has two histories.
    #[error(
        "the checkpoint does not continue the one of {size} entries that this witness has cosigned: the log was changed or set back. Keep the request as evidence, and tell the auditor"
    )]
    Inconsistent {
        /// What was cosigned last.
        size: u64,
    },
}

impl Refused {
    /// The status of the protocol.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::WrongSignature | Self::ReplacedKey => 403,
            Self::UnknownLog => 404,
            Self::OtherSize { .. } => 409,
            Self::Inconsistent { .. } => 422,
        }
    }
}

impl Classify for Refused {
    fn kind(&self) -> Kind {
        match self {
            Self::Malformed => Kind::InvalidArgument,
            Self::OtherSize { .. } => Kind::Conflict,
            Self::UnknownLog
            | Self::WrongSignature
            | Self::ReplacedKey
            | Self::Inconsistent { .. } => Kind::Refused,
        }
    }
}

impl Localised for Refused {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Malformed => {
                "連署の依頼の形式ではないか、旧い件数がチェックポイントの件数を超えています"
                    .to_owned()
            }
            Self::UnknownLog => {
                "この立会者に設定されていないログです。公開鍵を--logで加えてください".to_owned()
            }
            Self::WrongSignature => {
                "チェックポイントが、このログについて知られている鍵で署名されていません".to_owned()
            }
            Self::ReplacedKey => {
                "チェックポイントが、交換された旧い鍵か、最後に連署した鍵より前の--logに書かれた鍵で署名されています。同じログの鍵は新しいものを最後に指定してください。その順になっているなら、旧い鍵が盗まれたおそれがあります。依頼を証拠として保管し、監査人に連絡してください".to_owned()
            }
            Self::OtherSize { size } => format!(
                "この立会者が最後に連署したのは{size}件です。そこから依頼を作り直してください（--old {size}）"
            ),
            Self::Inconsistent { size } => format!(
                "チェックポイントは、この立会者が連署した{size}件の続きではありません。ログが書き換えられたか、古い状態に戻されています。依頼を証拠として保管し、監査人に連絡してください"
            ),
        };
        language.pick(self.to_string(), japanese)
    }
}

/// Why a witness has not answered.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It does not cosign.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its own folder cannot be read or written, so that it cannot remember.
    #[error("the witness's folder: {0}")]
    Folder(#[from] io::Error),
    /// What it remembers of a log is no checkpoint of that log, or of a key that it was not given.
    #[error(
        "{file} is not what this witness has written, or no --log has the key that it is of; give that key too, or restore the file from a backup: until then nothing can be cosigned for this log"
    )]
    Damaged {
        /// The file.
        file: String,
    },
}

impl Classify for WitnessError {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(refused) => refused.kind(),
            Self::Folder(error) if error.kind() == io::ErrorKind::StorageFull => Kind::Exhausted,
            Self::Folder(_) => Kind::Unavailable,
            Self::Damaged { .. } => Kind::Internal,
        }
    }
}

impl Localised for WitnessError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Refused(refused) => return refused.localised(language),
            Self::Folder(error) => format!("立会者のフォルダー: {}", with_file(error, language)),
            Self::Damaged { file } => format!(
                "{file}がこの立会者の書いた内容ではないか、その鍵が--logにありません。鍵も指定するか、ファイルをバックアップから戻すまで、このログには連署できません"
            ),
        };
        language.pick(self.to_string(), japanese)
    }
}
