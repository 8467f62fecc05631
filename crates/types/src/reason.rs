//! The closed list of reason codes.

use std::fmt;

use crate::language::{Language, Localised};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $english:literal, $japanese:literal;)+) => {
        /// Why something is as it is: machine-readable, stable, UPPER_SNAKE in text.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Reason { $($(#[$doc])* $variant,)+ }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as written to files and answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl Localised for Reason {
            fn localised(&self, language: Language) -> String {
                match self { $(Self::$variant => language.pick($english, $japanese).to_owned(),)+ }
            }
        }
    };
}

reasons! {
    /// LINKED: the weight and the margin are sufficient.
    AboveLinkThreshold = "ABOVE_LINK_THRESHOLD",
        "weight and margin are sufficient", "一致度・差とも十分";
    /// REVIEW: the weight lies between the thresholds.
    BetweenThresholds = "BETWEEN_THRESHOLDS",
        "the weight lies between the two thresholds", "一致度が二つのしきい値の間";
    /// AMBIGUOUS: a rival is too close.
    SmallMargin = "SMALL_MARGIN",
        "another resident fits almost as well", "ほぼ同程度に一致する別の住民がいる";
    /// AMBIGUOUS: a rival fits exactly as well.
    Tie = "TIE",
        "another resident fits exactly as well", "全く同程度に一致する別の住民がいる";
    /// AMBIGUOUS: several lines contend for one person.
    Contended = "CONTENDED",
        "several lines contend for the same resident", "複数の行が同じ住民を取り合っている";
    /// DUPLICATE: the best person is held by the line named after the colon.
    HeldByLine = "HELD_BY_LINE",
        "the resident is held by another line", "その住民は別の行に割り当て済み";
    /// NOT_FOUND: candidates were compared and none reaches the review threshold.
    BelowReviewThreshold = "BELOW_REVIEW_THRESHOLD",
        "no candidate reaches the review threshold", "確認しきい値に達する候補がない";
    /// NOT_FOUND: no register record shares a blocking key.
    NoCandidate = "NO_CANDIDATE",
        "no resident shares a blocking key", "候補となる住民がいない";
    /// NOT_FOUND: whom the line could mean are too many to compare.
    TooCommon = "TOO_COMMON",
        "what the line says is shared by too many residents to compare", "同じ内容の住民が多すぎて比較できない";
    /// UNLINKABLE: no field of the line is usable as evidence.
    NoEvidence = "NO_EVIDENCE",
        "no field of the line is usable as evidence", "照合に使える項目がない";
    /// REJECTED_INPUT: the id is empty.
    IdMissing = "ID_MISSING",
        "the id is empty", "識別番号が空";
    /// REJECTED_INPUT: the id stands on more than one line.
    IdRepeated = "ID_REPEATED",
        "the id stands on more than one line", "識別番号が重複";
    /// REJECTED_INPUT: the line has too few or too many fields.
    FieldCount = "FIELD_COUNT",
        "the line has too few or too many fields", "項目数が違う";
    /// REJECTED_INPUT: bytes that are no text in the file's encoding.
    Undecodable = "UNDECODABLE",
        "bytes that are no text in the file's encoding", "文字コードとして読めないバイトがある";
    /// REJECTED_INPUT: the amount cannot be read.
    AmountUnreadable = "AMOUNT_UNREADABLE",
        "the amount cannot be read", "金額が読めない";
    /// REJECTED_INPUT: the line carries a My Number.
    MyNumber = "MY_NUMBER",
        "the line carries a My Number", "個人番号が含まれる";
    /// A file of the wrong kind, or a damaged one.
    UnreadableFile = "UNREADABLE_FILE",
        "the file cannot be read", "ファイルを読めない";
    /// A column that is needed is absent.
    ColumnMissing = "COLUMN_MISSING",
        "a needed column is absent", "必要な列がない";
    /// Two columns have the same name, or a name is empty.
    HeaderInvalid = "HEADER_INVALID",
        "the header repeats or omits a column name", "見出しの列名が重複または空";
    /// The schema, layout, model or configuration file is wrong.
    ConfigurationInvalid = "CONFIGURATION_INVALID",
        "a schema, layout, model or configuration file is wrong", "設定ファイルに誤りがある";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_snake_and_distinct() {
        let mut codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        for code in &codes {
            assert!(code.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{code}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
