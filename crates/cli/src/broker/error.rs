//! What commands against a broker find wrong on this side of the connection.

use renkei_types::{Classify, Kind, Language, Localised, Reason};

/// Why an errand at a broker was not made, or not ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    #[error("who calls? name a client file with --as FILE.toml or in the variable RENKEI_AS")]
    NoClientFile,
    #[error(
        "this identity is not that of a {wanted}; an identity is spiffe://DOMAIN/CODE/BODY/{wanted}/NAME"
    )]
    WrongKindOfIdentity { wanted: &'static str },
    #[error("{file}{}: {what}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    ProgrammeFile { file: String, line: Option<usize>, what: String, japanese: &'static str },
    #[error("--{option} is needed, or a file that says it")]
    OptionMissing { option: &'static str },
    #[error(
        "a record is FIELD=VALUE for each field, with fields such as name_kanji, name_kana, birth_date, sex, postal_code, address; or a JSON object of texts on standard input"
    )]
    Record,
    #[error("{file}: has neither 宛名番号 (resident_id) nor 世帯番号 (household_id); add one")]
    PayeeColumn { file: String },
    #[error(
        "{file}: needs 宛名番号 (resident_id) and 世帯番号 (household_id), the household that is paid for the person"
    )]
    DivisionColumns { file: String },
    #[error(
        "{file}, line {line}: not a link code: a letter is missing or mistyped; correct it and run the command again"
    )]
    LinkCode { file: String, line: u64 },
    #[error("--{option}: there is no such code; the closest are {}", closest.join(", "))]
    UnknownCode { option: &'static str, closest: Vec<&'static str> },
    #[error("there is no such list; `renkei dataset template` shows L1 to L12")]
    UnknownTemplate,
    #[error(
        "this list is no register; make an empty table of it with `renkei dataset template CODE --output FILE`, or send it as a list of a programme"
    )]
    NoRegisterTemplate,
    #[error("no request of this identity waits for a certificate; see `renkei enrolment list`")]
    NoRequest,
    #[error("the list has no batch of this id")]
    UnknownBatch,
    #[error("the job ended badly: {0}")]
    JobFailed(String),
    #[error("entry {number} of the feed: {} were received, {} were announced; nothing of it was acknowledged; report this to the broker's operator", sums(*received), sums(*announced))]
    EntryDiffers { number: u64, received: (u64, u64), announced: (u64, u64) },
    #[error("the broker's answer cannot be used: {what}; report this to its operator")]
    Answer { what: &'static str },
    #[error("the bundle names a file outside checkpoint and tile/; nothing was written")]
    UnsafePath,
    #[error(
        "a witness that others can reach needs --tls-certificate and --tls-key; without them it listens to this machine alone (127.0.0.1)"
    )]
    WitnessInTheClear,
    #[error(
        "a question about a person needs the one register that knows them: give --dataset once"
    )]
    OneRegister,
    #[error("{folder}: is there already and not empty; name another folder")]
    FolderInUse { folder: String },
    #[error(
        "fiscal year {year} has not begun, so there is nothing of it to hand over; --year is the year in which its April lies"
    )]
    YearNotBegun { year: i16 },
}

fn sums((lines, yen): (u64, u64)) -> String {
    format!("{lines} lines and {yen} yen")
}

impl Classify for BrokerError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoClientFile
            | Self::WrongKindOfIdentity { .. }
            | Self::ProgrammeFile { .. }
            | Self::OptionMissing { .. }
            | Self::PayeeColumn { .. }
            | Self::DivisionColumns { .. }
            | Self::LinkCode { .. }
            | Self::UnknownCode { .. }
            | Self::UnknownTemplate
            | Self::NoRegisterTemplate
            | Self::WitnessInTheClear
            | Self::OneRegister
            | Self::YearNotBegun { .. }
            | Self::Record => Kind::InvalidArgument,
            Self::UnknownBatch
            | Self::NoRequest
            | Self::JobFailed(_)
            | Self::EntryDiffers { .. }
            | Self::UnsafePath
            | Self::FolderInUse { .. } => Kind::Refused,
            Self::Answer { .. } => Kind::Internal,
        }
    }
}

impl Localised for BrokerError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return match self {
                Self::JobFailed(reason) => {
                    format!("the job ended badly: {}", reason_text(reason, language))
                }
                Self::NoClientFile
                | Self::WrongKindOfIdentity { .. }
                | Self::ProgrammeFile { .. }
                | Self::OptionMissing { .. }
                | Self::Record
                | Self::PayeeColumn { .. }
                | Self::DivisionColumns { .. }
                | Self::LinkCode { .. }
                | Self::UnknownCode { .. }
                | Self::UnknownTemplate
                | Self::NoRegisterTemplate
                | Self::UnknownBatch
                | Self::NoRequest
                | Self::EntryDiffers { .. }
                | Self::Answer { .. }
                | Self::UnsafePath
                | Self::WitnessInTheClear
                | Self::OneRegister
                | Self::YearNotBegun { .. }
                | Self::FolderInUse { .. } => self.to_string(),
            };
        }
        match self {
            Self::NoClientFile => {
                "接続設定がありません。--as FILE.toml または環境変数 RENKEI_AS で指定してください".to_owned()
            }
            Self::WrongKindOfIdentity { wanted } => {
                let noun = if *wanted == "person" { "職員" } else { "システム" };
                format!("{noun}の名義ではありません。spiffe://ドメイン/団体コード/機関/{wanted}/名前 の形で指定してください")
            }
            Self::ProgrammeFile { file, line, japanese, .. } => {
                let line = line.map(|line| format!(" {line} 行目")).unwrap_or_default();
                format!("{file}{line}: {japanese}")
            }
            Self::OptionMissing { option } => {
                format!("--{option} またはそれを記した設定ファイルが必要です")
            }
            Self::Record => "記録は「項目=値」の形（name_kanji, name_kana, birth_date, sex, postal_code, address など）、または標準入力のJSONで指定してください".to_owned(),
            Self::UnknownTemplate => {
                "そのリストはありません。`renkei dataset template` で L1 から L12 を確かめてください".to_owned()
            }
            Self::NoRegisterTemplate => "このリストは台帳ではありません。`renkei dataset template コード --output ファイル` で空の表を作るか、給付事業のリストとして送ってください".to_owned(),
            Self::PayeeColumn { file } => {
                format!("{file}: 宛名番号または世帯番号の列がありません。いずれかを加えてください")
            }
            Self::DivisionColumns { file } => {
                format!("{file}: 宛名番号と、その人に支給する世帯の世帯番号の列が必要です")
            }
            Self::LinkCode { file, line } => format!(
                "{file} {line} 行目: 連携符号ではありません（文字の抜けか打ち間違い）。直してもう一度実行してください"
            ),
            Self::UnknownCode { option, closest } => format!(
                "--{option}: そのコードはありません。近いもの: {}",
                closest.join("、")
            ),
            Self::NoRequest => {
                "この名義の署名待ちの申請はありません。`renkei enrolment list` で確認してください".to_owned()
            }
            Self::UnknownBatch => "このリストに指定された確定対象はありません".to_owned(),
            Self::JobFailed(reason) => {
                format!("処理に失敗しました: {}", reason_text(reason, language))
            }
            Self::EntryDiffers { number, received, announced } => format!(
                "配信 {number} 番: 受信 {} 件 {} 円が通知 {} 件 {} 円と一致しません。受領通知は送っていません。運用者に連絡してください",
                received.0, received.1, announced.0, announced.1
            ),
            Self::Answer { .. } => {
                "連携サーバーの応答が不正です。運用者に連絡してください".to_owned()
            }
            Self::UnsafePath => {
                "監査一式に checkpoint と tile/ 以外のファイルが含まれるため、書き出していません".to_owned()
            }
            Self::OneRegister => {
                "個人についての照会には、その人を登録している台帳を --dataset で一つだけ指定してください".to_owned()
            }
            Self::WitnessInTheClear => "他の機器から届く立会者には --tls-certificate と --tls-key が必要です。なしの場合はこの機器だけ（127.0.0.1）で待ち受けます".to_owned(),
            Self::YearNotBegun { year } => format!(
                "{year}年度はまだ始まっていないため、引き渡すものがありません。--year には年度の4月がある年を指定してください"
            ),
            Self::FolderInUse { folder } => {
                format!("{folder}: 既に存在し、空ではありません。別のフォルダーを指定してください")
            }
        }
    }
}

/// A reason code with its words, where it is known; codes may carry an id after a colon.
pub(super) fn reason_text(code: &str, language: Language) -> String {
    let bare = code.split(':').next().unwrap_or_default();
    let code = super::session::plain(code);
    match Reason::ALL.iter().find(|reason| reason.as_str() == bare) {
        Some(reason) => format!("{code}, {}", reason.localised(language)),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_code_and_gains_words() {
        let text = reason_text("HELD_BY_LINE:a-1", Language::Japanese);
        assert!(text.starts_with("HELD_BY_LINE:a-1, その住民"), "{text}");
        assert_eq!(reason_text("MOON_PHASE", Language::English), "MOON_PHASE");
    }

    #[test]
    fn sums_that_differ_are_told_in_both_languages() {
        let error = BrokerError::EntryDiffers { number: 3, received: (1, 20), announced: (2, 30) };
        assert!(error.to_string().contains("1 lines and 20 yen"));
        assert!(error.localised(Language::Japanese).contains("2 件 30 円"));
    }
}
