//! The words of leaves as people read them: in Japanese with the code beside, `照合（LINK_RUN）`.
//!
//! In English a code is a word already. An auditor who was handed a log may read it with an older release than wrote it, so what
//! is not known here is shown as it stands.

use renkei_tlog::leaf::{LeafResult, Operation};
use renkei_types::Language;

/// What was done, as people read it.
pub(super) fn operation_told(code: &str, language: Language) -> String {
    told(code, code.parse().ok().map(operation_word), language)
}

/// How it ended, as people read it.
pub(super) fn result_told(code: &str, language: Language) -> String {
    told(code, code.parse().ok().map(result_word), language)
}

fn told(code: &str, word: Option<&str>, language: Language) -> String {
    match (language, word) {
        (Language::Japanese, Some(word)) => format!("{word}（{code}）"),
        (Language::English, _) | (Language::Japanese, None) => code.to_owned(),
    }
}

fn operation_word(operation: Operation) -> &'static str {
    match operation {
        Operation::AuthDenied => "身元不明の拒否",
        Operation::AuthzDenied => "権限なし",
        Operation::UploadOpen => "送信の開始",
        Operation::UploadSeal => "送信の封",
        Operation::DeltaApply => "差分の適用",
        Operation::ProtectionReport => "支援措置の届出",
        Operation::Validate => "検査",
        Operation::LinkRun => "照合",
        Operation::ReviewDecision => "審査の判断",
        Operation::Certify => "確定",
        Operation::Release => "支給の確定",
        Operation::Deliver => "配信",
        Operation::Ack => "受領の確認",
        Operation::Return => "振込不能の報告",
        Operation::Refund => "返還",
        Operation::Withdraw => "取下げ",
        Operation::QuerySingle => "照会",
        Operation::Export => "書き出し",
        Operation::SubjectAccess => "本人への開示",
        Operation::AuditRead => "監査ログの閲覧",
        Operation::Delete => "消去",
        Operation::AgreementChange => "取決めの変更",
        Operation::CertChange => "証明書の変更",
        Operation::KeyRotate => "鍵の交換",
        Operation::ConfigChange => "設定の変更",
        Operation::AdminAction => "運用者の操作",
        Operation::Start => "起動",
        Operation::Stop => "停止",
        Operation::ClockJump => "時計の飛び",
        Operation::Backup => "バックアップ",
        Operation::Restore => "復元",
        Operation::RollbackSuspected => "巻き戻しの疑い",
        Operation::ShardClose => "年度の終わり",
        Operation::ShardOpen => "年度の始まり",
    }
}

fn result_word(result: LeafResult) -> &'static str {
    match result {
        LeafResult::Ok => "完了",
        LeafResult::Denied => "拒否",
        LeafResult::Rejected => "不受理",
        LeafResult::Failed => "失敗",
        LeafResult::Partial => "一部",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_operations_have_one_word_and_what_is_not_known_stays_as_it_is() {
        let words: HashSet<&str> = Operation::ALL.iter().copied().map(operation_word).collect();
        assert_eq!(words.len(), Operation::ALL.len());
        assert_eq!(operation_told("LINK_RUN", Language::Japanese), "照合（LINK_RUN）");
        assert_eq!(operation_told("LINK_RUN", Language::English), "LINK_RUN");
        assert_eq!(operation_told("GOSSIP", Language::Japanese), "GOSSIP");
        assert_eq!(result_told("", Language::Japanese), "");
    }
}
