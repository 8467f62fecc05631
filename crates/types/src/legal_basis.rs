//! The laws on which an agreement may rest: a closed list.
//!
//! An agreement that could name any law would name none. The list has what lets one public body use another's records
//! for a benefit. What is not in it is left out on purpose: 番号法 19条8号 and 9号 are for the national network of
//! information provision and for nothing else. Invariant: no basis lets a My Number through; the firewall knows no
//! agreements. Whether a paragraph applies is for the agency's lawyers; the code is what they signed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::language::{Language, Localised};

/// The text is not the code of a legal basis.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not the code of a legal basis; `agreement bases` lists them")]
pub struct UnknownLegalBasis;

macro_rules! bases {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $english:literal, $japanese:literal;)+) => {
        /// The law that an agreement rests on.
        #[derive(
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
        )]
        pub enum LegalBasis { $($(#[$doc])* #[serde(rename = $code)] $variant,)+ }

        impl LegalBasis {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl Localised for LegalBasis {
            fn localised(&self, language: Language) -> String {
                match self { $(Self::$variant => language.pick($english, $japanese).to_owned(),)+ }
            }
        }
    };
}

bases! {
    /// Use and provision within the purpose for which the records are held.
    OwnPurpose = "KOJOHO_61_1",
        "within the purpose for which the records are held (Act on the Protection of Personal Information, art. 61-1)",
        "利用目的の範囲内（個人情報保護法61条1項）";
    /// Another law requires or allows the provision.
    OtherLaw = "KOJOHO_69_1",
        "another law provides for it (art. 69-1)",
        "法令に基づく場合（個人情報保護法69条1項）";
    /// The person agrees, or the data is theirs.
    Consent = "KOJOHO_69_2_1",
        "the person agrees, or is given their own data (art. 69-2 item 1)",
        "本人の同意・本人への提供（個人情報保護法69条2項1号）";
    /// Use within the body that is needed for its duties.
    OwnDuties = "KOJOHO_69_2_2",
        "use within the body that its duties need (art. 69-2 item 2)",
        "事務の遂行に必要な内部利用（個人情報保護法69条2項2号）";
    /// Provision to another public body that needs it for its duties.
    OtherBodysDuties = "KOJOHO_69_2_3",
        "provision to another public body that its duties need (art. 69-2 item 3)",
        "他の行政機関等の事務に必要な提供（個人情報保護法69条2項3号）";
    /// Statistics, research, or plainly in the person's interest.
    PersonsInterest = "KOJOHO_69_2_4",
        "statistics, research, or plainly in the person's interest (art. 69-2 item 4)",
        "統計・学術研究・本人の利益（個人情報保護法69条2項4号）";
    /// An ordinance of the municipality.
    Ordinance = "JOREI",
        "an ordinance of the municipality",
        "条例";
    /// Affairs that an ordinance adds to those of 番号法; the records are used without the number.
    NumberOrdinance = "BANGO_9_2",
        "affairs that an ordinance adds under the My Number Act, art. 9-2; without the number",
        "番号法9条2項の条例で定める事務（個人番号は含まない）";
    /// Provision to another body of the same municipality under an ordinance; without the number.
    NumberSameMunicipality = "BANGO_19_11",
        "to another body of the same municipality by ordinance, My Number Act art. 19 item 11; without the number",
        "番号法19条11号の条例による同一団体内の提供（個人番号は含まない）";
    /// A benefit that the nation has designated.
    DesignatedBenefit = "KOZA_TOROKU_10",
        "a benefit designated by the nation (Act on the Registration of Deposit Accounts, art. 10)",
        "特定公的給付（口座登録法10条）";
}

impl LegalBasis {
    /// Whether it holds within one municipality only: what it allows to a neighbour is nothing.
    pub const fn is_within_municipality(self) -> bool {
        match self {
            Self::OwnDuties | Self::NumberOrdinance | Self::NumberSameMunicipality => true,
            Self::OwnPurpose
            | Self::OtherLaw
            | Self::Consent
            | Self::OtherBodysDuties
            | Self::PersonsInterest
            | Self::Ordinance
            | Self::DesignatedBenefit => false,
        }
    }
}

impl fmt::Display for LegalBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LegalBasis {
    type Err = UnknownLegalBasis;

    fn from_str(text: &str) -> Result<Self, UnknownLegalBasis> {
        Self::ALL.iter().copied().find(|basis| basis.as_str() == text).ok_or(UnknownLegalBasis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_may_stand_in_the_log() {
        for basis in LegalBasis::ALL {
            assert_eq!(basis.as_str().parse(), Ok(*basis));
            let in_log = basis.as_str().to_ascii_lowercase();
            assert!(in_log.parse::<crate::Slug>().is_ok(), "{in_log}");
        }
        assert_eq!("BANGO_19_8".parse::<LegalBasis>(), Err(UnknownLegalBasis));
    }
}
