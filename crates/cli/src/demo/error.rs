//! What can go wrong with a demo, apart from what the broker and the files say themselves.

use renkei_types::{Classify, Kind, Language, Localised};

/// Why a demo does not run to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("{folder}: is not empty and no earlier demo; name another folder with --dir")]
    ForeignFolder { folder: String },
    #[error(
        "{folder}: a broker serves this demo; stop it first, or name another folder with --dir"
    )]
    InUse { folder: String },
    #[error("no port is free on 127.0.0.1 for the broker and its metrics; try again")]
    NoFreePort,
    #[error("the broker of the demo ended too early; run the demo again")]
    BrokerEnded,
    #[error("the linkage job ended badly: {reason}")]
    JobFailed { reason: String },
    #[error("the broker's answer cannot be used: {what}; please report this")]
    Answer { what: &'static str },
    #[error("the transfer file cannot be read back: {why}; please report this")]
    TransferFile { why: String },
}

impl Classify for DemoError {
    fn kind(&self) -> Kind {
        match self {
            Self::ForeignFolder { .. } | Self::InUse { .. } | Self::JobFailed { .. } => {
                Kind::Refused
            }
            Self::NoFreePort | Self::BrokerEnded => Kind::Unavailable,
            Self::Answer { .. } | Self::TransferFile { .. } => Kind::Internal,
        }
    }
}

impl Localised for DemoError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::ForeignFolder { folder } => format!(
                "{folder}: 空ではなく、以前のデモでもありません。--dir で別のフォルダーを指定してください"
            ),
            Self::InUse { folder } => format!(
                "{folder}: このデモの連携サーバーが動作中です。先に停止するか、--dir で別のフォルダーを指定してください"
            ),
            Self::NoFreePort => {
                "127.0.0.1 に空いているポートがありません。もう一度実行してください".to_owned()
            }
            Self::BrokerEnded => {
                "デモの連携サーバーが途中で終了しました。もう一度実行してください".to_owned()
            }
            Self::JobFailed { reason } => format!("照合処理に失敗しました: {reason}"),
            Self::Answer { .. } => {
                "連携サーバーの応答が不正です。開発元に連絡してください".to_owned()
            }
            Self::TransferFile { .. } => {
                "振込データを読み戻せません。開発元に連絡してください".to_owned()
            }
        };
        language.pick(self.to_string(), japanese)
    }
}
