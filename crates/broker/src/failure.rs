//! From a refusal to a status: the one place that chooses a code.

use renkei_api::{Places, refusal_status};
use renkei_exchange::Refusal;
use renkei_types::{Classify as _, Kind, Reason};
use tonic::{Code, Status};

/// The status that tells a client of a refusal.
pub(crate) fn status(refusal: &Refusal) -> Status {
    let places = Places { line: refusal.line, expected: refusal.expected };
    refusal_status(code(refusal), refusal.reason, refusal.field, places)
}

/// The status with which a broker refuses for a reason, where nothing further is to be said.
pub fn refusal_status_of(reason: Reason) -> Status {
    status(&reason.into())
}

fn code(refusal: &Refusal) -> Code {
    if matches!(refusal.reason, Reason::OffsetWrong | Reason::ChecksumWrong) {
        // The sender goes on where the durable bytes end, which the refusal names.
        return Code::OutOfRange;
    }
    match refusal.kind() {
        Kind::InvalidArgument => Code::InvalidArgument,
        Kind::Refused if is_denial(refusal.reason) => Code::PermissionDenied,
        Kind::Refused => Code::FailedPrecondition,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict => Code::Aborted,
        Kind::Exhausted => Code::ResourceExhausted,
        Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    }
}

/// Whether the caller may not do this at all. What is unknown and what is not permitted are one.
pub(crate) fn is_denial(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotRegistered
            | Reason::PartyRevoked
            | Reason::CertificateRefused
            | Reason::RoleMissing
            | Reason::NoAgreement
            | Reason::InvitationRefused
    )
}
