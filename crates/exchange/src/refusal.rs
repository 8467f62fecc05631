//! Why a request is not carried out.

use std::fmt;

use renkei_types::{Classify, Kind, Language, Localised, Reason};

/// A request that is not carried out: nothing was changed.
///
/// It says which rule, and which field or line is meant; never a value, for it ends up in logs and tickets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", self.localised(Language::English))]
pub struct Refusal {
    /// The rule.
    pub reason: Reason,
    /// The field of the request or the column of the file.
    pub field: Option<&'static str>,
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The number that is expected in place of the one that was sent.
    pub expected: Option<u64>,
}

impl Refusal {
    /// A refusal for this reason.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, field: None, line: None, expected: None }
    }

    /// A field of the request is missing or cannot be read.
    pub const fn field(field: &'static str) -> Self {
        Self { field: Some(field), ..Self::new(Reason::FieldInvalid) }
    }

    /// The same, about a field.
    #[must_use]
    pub const fn in_field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The same, about a line of a file.
    #[must_use]
    pub const fn at_line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same, with the number that is expected.
    #[must_use]
    pub const fn expecting(self, expected: u64) -> Self {
        Self { expected: Some(expected), ..self }
    }

    /// A fault of ours, which is logged here because the caller is not told what it is.
    pub fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "internal fault");
        Self::new(Reason::Internal)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl Localised for Refusal {
    fn localised(&self, language: Language) -> String {
        let mut text = self.reason.localised(language);
        if let Some(field) = self.field {
            text.push_str(&language.pick(format!(" (field {field})"), format!("（項目 {field}）")));
        }
        if let Some(line) = self.line {
            text.push_str(&language.pick(format!(" (line {line})"), format!("（{line} 行目）")));
        }
        if let Some(number) = self.expected {
            let words = (format!(" (expected: {number})"), format!("（次の番号は {number}）"));
            text.push_str(&language.pick(words.0, words.1));
        }
        text
    }
}

impl Classify for Refusal {
    fn kind(&self) -> Kind {
        kind_of(self.reason)
    }
}

/// What kind of failure a reason is when a request is refused for it.
pub fn kind_of(reason: Reason) -> Kind {
    use Reason as R;
    match reason {
        R::FieldInvalid
        | R::TooLarge
        | R::OffsetWrong
        | R::ChecksumWrong
        | R::BytesDiffer
        | R::TotalsDiffer
        | R::DigestDiffers
        | R::AmountAboveMax
        | R::AmountOffRule
        | R::EmptyList
        | R::BankDetailsMissing
        | R::UnknownPerson
        | R::UnknownTransfer
        | R::AmbiguousTransfer
        | R::RefundAbovePaid
        | R::UnknownLine
        | R::UnreadableFile
        | R::ColumnMissing
        | R::HeaderInvalid
        | R::ConfigurationInvalid
        | R::IdMissing
        | R::IdUnusable
        | R::IdRepeated
        | R::IdDiffersByZeros
        | R::FieldCount
        | R::Undecodable
        | R::AmountUnreadable
        | R::MyNumber => Kind::InvalidArgument,
        R::VersionOld | R::LeaseLost => Kind::Conflict,
        R::StorageFull | R::Overloaded | R::DailyLimit | R::TooManyCalls => Kind::Exhausted,
        R::IndexLoading | R::Stopping | R::DeadlineExceeded => Kind::Unavailable,
        R::Internal | R::Unbalanced => Kind::Internal,
        R::NotRegistered
        | R::PartyRevoked
        | R::CertificateRefused
        | R::RoleMissing
        | R::NoAgreement
        | R::InvitationRefused
        | R::RequestReused
        | R::ClockSkew
        | R::AlreadyExists
        | R::WrongState
        | R::NotDelivered
        | R::NotOnHold
        | R::SamePerson
        | R::OwnDecision
        | R::NoRegister
        | R::Withdrawn
        | R::DeltaGap
        | R::DeltaDiffers
        | R::ProtectionStale
        | R::NotWitnessed
        | R::NoWitnessPolicy
        | R::LogDisputed
        | R::AlreadyPaid
        | R::OnHold
        | R::NothingToCertify
        | R::InBatch
        | R::Superseded
        | R::TooEarly
        | R::SameFile
        | R::Retained
        | R::DataDestroyed
        | R::JobFailed
        | R::ModelUnfit
        | R::TooFewLines
        | R::AboveLinkThreshold
        | R::BetweenThresholds
        | R::SmallMargin
        | R::NameUnproven
        | R::Tie
        | R::Contended
        | R::HeldByLine
        | R::BelowReviewThreshold
        | R::NoCandidate
        | R::TooCommon
        | R::NoEvidence => Kind::Refused,
    }
}
