//! Outcomes of lines, and their totals in lines and yen.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use renkei_types::{Language, Localised, Reason, Yen};

use crate::weight::MatchWeight;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// Weight at or above the link threshold, margin to the second enough.
    Linked,
    /// A clerk decided.
    LinkedByClerk,
    /// The best weight lies between the thresholds.
    Review,
    /// At or above the link threshold, but the margin is too small or tied.
    Ambiguous,
    /// One-to-one only: the best person is held by another line.
    Duplicate,
    /// There is evidence, but nothing reaches the review threshold.
    NotFound,
    /// No field of the line is usable as evidence.
    Unlinkable,
    /// The line itself cannot be accepted.
    RejectedInput,
}

impl Outcome {
    /// Every outcome, in the order of the manual.
    pub const ALL: [Self; 8] = [
        Self::Linked,
        Self::LinkedByClerk,
        Self::Review,
        Self::Ambiguous,
        Self::Duplicate,
        Self::NotFound,
        Self::Unlinkable,
        Self::RejectedInput,
    ];

    /// As written to files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "LINKED",
            Self::LinkedByClerk => "LINKED_BY_CLERK",
            Self::Review => "REVIEW",
            Self::Ambiguous => "AMBIGUOUS",
            Self::Duplicate => "DUPLICATE",
            Self::NotFound => "NOT_FOUND",
            Self::Unlinkable => "UNLINKABLE",
            Self::RejectedInput => "REJECTED_INPUT",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Localised for Outcome {
    fn localised(&self, language: Language) -> String {
        let (english, japanese) = match self {
            Self::Linked => ("linked", "一致"),
            Self::LinkedByClerk => ("linked by a clerk", "職員が一致と判断"),
            Self::Review => ("to be reviewed", "要確認"),
            Self::Ambiguous => ("several residents fit", "候補が複数"),
            Self::Duplicate => ("duplicate application", "重複申請"),
            Self::NotFound => ("not found", "該当なし"),
            Self::Unlinkable => ("nothing to go by", "照合項目なし"),
            Self::RejectedInput => ("rejected", "受付不可"),
        };
        language.pick(english, japanese).to_owned()
    }
}

/// The text names no outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an outcome")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(UnknownOutcome)
    }
}

/// The decision on one line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decision {
    /// What becomes of the line.
    pub outcome: Outcome,
    /// The best candidate's row in the register and its match weight, unless there is none.
    pub best: Option<(u32, MatchWeight)>,
    /// Why.
    pub reason: Reason,
    /// The weight of the nearest candidate, also where it is too low to name anybody.
    pub nearest: Option<MatchWeight>,
    /// The line that holds the person, for [`Outcome::Duplicate`].
    pub holder: Option<u32>,
}

/// Lines and yen of one outcome.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Total {
    /// Lines.
    pub lines: u64,
    /// Yen on those of them whose amount can be read.
    pub yen: Yen,
}

/// Lines and yen by outcome. Their sums equal what was received, always.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutcomeTotals {
    totals: BTreeMap<Outcome, Total>,
    yen_unreadable: u64,
}

/// The yen of a list exceed what can be counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the amounts add up to more than can be counted")]
pub struct YenOverflow;

impl OutcomeTotals {
    /// Counts one line; an amount that cannot be read counts as a line without yen.
    ///
    /// # Errors
    /// The sum of yen does not fit 64 bits.
    pub fn add(&mut self, outcome: Outcome, amount: Option<Yen>) -> Result<(), YenOverflow> {
        let total = self.totals.entry(outcome).or_default();
        total.lines += 1;
        match amount {
            Some(yen) => total.yen = total.yen.checked_add(yen).ok_or(YenOverflow)?,
            None => self.yen_unreadable += 1,
        }
        Ok(())
    }

    /// The total of one outcome.
    pub fn of(&self, outcome: Outcome) -> Total {
        self.totals.get(&outcome).copied().unwrap_or_default()
    }

    /// Lines whose amount cannot be read.
    pub fn yen_unreadable(&self) -> u64 {
        self.yen_unreadable
    }

    /// The sum over all outcomes.
    ///
    /// # Errors
    /// The sum of yen does not fit 64 bits.
    pub fn sum(&self) -> Result<Total, YenOverflow> {
        self.totals.values().try_fold(Total::default(), |sum, total| {
            Ok(Total {
                lines: sum.lines + total.lines,
                yen: sum.yen.checked_add(total.yen).ok_or(YenOverflow)?,
            })
        })
    }
}
