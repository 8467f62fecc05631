//! Codes of closed lists as people read them: in Japanese the word with the code beside it, `世帯（HOUSEHOLD）`.
//!
//! In English a code is a word already. Programs read the codes from `--json` and from files, which know no language.
//! Invariant: every value of a list that is shown has a word, or this does not compile.

use renkei_api::outcome_text;
use renkei_api::v1::{
    AgreementState, BatchState, BrokerKey, EnrolmentState, Operation, Outcome, PayeeUnit, Role,
};
use renkei_types::{Language, LegalBasis, Localised as _};

use super::names::short;
use super::session::plain;
use super::sheet::step_name;

/// A value of a closed list that is shown to people.
pub(super) trait Worded {
    /// As the contract names it, without the name of its list.
    fn code(&self) -> &'static str;
    /// What it means, in Japanese.
    fn word(&self) -> String;
}

macro_rules! words {
    ($($list:ident, $prefix:literal { $($value:ident = $word:literal,)+ })+) => {$(
        impl Worded for $list {
            fn code(&self) -> &'static str {
                short(self.as_str_name(), $prefix)
            }

            fn word(&self) -> String {
                let word = match self {
                    Self::Unspecified => "不明",
                    $(Self::$value => $word,)+
                };
                word.to_owned()
            }
        }
    )+};
}

words! {
    Role, "ROLE_" {
        Submitter = "提出者",
        Clerk = "審査担当者",
        Reviewer = "点検者",
        Adjudicator = "裁定者",
        Certifier = "確定者",
        Operator = "運用者",
        Auditor = "監査人",
        Consumer = "利用者",
        Protector = "支援措置担当",
        Discloser = "開示担当",
    }
    Operation, "OPERATION_" {
        Link = "照合",
        Identify = "照会",
        Review = "確認",
        Deliver = "配信",
        Extract = "抽出",
    }
    AgreementState, "AGREEMENT_STATE_" {
        Proposed = "提案中",
        Approved = "承認済み",
        Active = "有効",
        Suspended = "停止中",
        Ended = "終了",
    }
    EnrolmentState, "ENROLMENT_STATE_" {
        Invited = "招待済み",
        Waiting = "署名待ち",
        Granted = "交付済み",
    }
    PayeeUnit, "PAYEE_UNIT_" {
        Person = "個人",
        Household = "世帯",
    }
    BrokerKey, "BROKER_KEY_" {
        Root = "ルート",
        Log = "監査ログ",
    }
}

impl Worded for BatchState {
    fn code(&self) -> &'static str {
        short(self.as_str_name(), "BATCH_STATE_")
    }

    fn word(&self) -> String {
        step_name(self.code(), Language::Japanese).to_owned()
    }
}

impl Worded for Outcome {
    fn code(&self) -> &'static str {
        outcome_text(*self)
    }

    fn word(&self) -> String {
        let of_engine = self.code().parse::<renkei_linkage::Outcome>();
        of_engine.map_or_else(|_| "不明".to_owned(), |known| known.localised(Language::Japanese))
    }
}

/// A value as people read it.
pub(super) fn told(value: &impl Worded, language: Language) -> String {
    let (code, word) = (value.code(), value.word());
    language.pick(code.to_owned(), format!("{word}（{code}）"))
}

/// Several values as people read them.
pub(super) fn all_told<W: Worded>(values: impl Iterator<Item = W>, language: Language) -> String {
    let told: Vec<String> = values.map(|value| told(&value, language)).collect();
    told.join(language.pick(", ", "、"))
}

/// The code of a legal basis as people read it, where it is known.
pub(super) fn basis(code: &str, language: Language) -> String {
    match (language, code.parse::<LegalBasis>()) {
        (Language::Japanese, Ok(known)) => format!("{}（{code}）", known.localised(language)),
        (Language::English, _) | (Language::Japanese, Err(_)) => plain(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_beside_its_word_in_japanese_and_alone_in_english() {
        let household = PayeeUnit::Household;
        assert_eq!(told(&household, Language::Japanese), "世帯（HOUSEHOLD）");
        assert_eq!(told(&household, Language::English), "HOUSEHOLD");
        let roles = [Role::Clerk, Role::Certifier].into_iter();
        assert_eq!(
            all_told(roles.clone(), Language::Japanese),
            "審査担当者（CLERK）、確定者（CERTIFIER）"
        );
        assert_eq!(all_told(roles, Language::English), "CLERK, CERTIFIER");
    }

    #[test]
    fn every_outcome_and_every_state_of_a_batch_has_a_word() {
        for outcome in Outcome::ALL {
            assert_ne!(outcome.word(), "不明", "{}", outcome.code());
        }
        let states = (1..).map_while(|code| BatchState::try_from(code).ok());
        for state in states {
            assert_ne!(state.word(), state.code());
        }
        assert_eq!(told(&BatchState::Proposed, Language::Japanese), "一人目確定（PROPOSED）");
    }

    #[test]
    fn a_basis_that_is_not_known_stays_as_it_was_sent() {
        let known = basis("KOJOHO_69_2_2", Language::Japanese);
        assert!(known.ends_with("（KOJOHO_69_2_2）") && known.contains("69条2項2号"), "{known}");
        assert_eq!(basis("OTHER_1", Language::Japanese), "OTHER_1");
        assert_eq!(basis("KOJOHO_69_2_2", Language::English), "KOJOHO_69_2_2");
    }
}
