//! Rejections: a call that was not carried out, or of which it is not known.
//!
//! A broker answers with a google.rpc.Status whose ErrorInfo names one reason of the closed list, and whose BadRequest
//! names the field at fault. [`refusal_status`] makes such a status, [`Rejection`] reads it back. What comes from the way
//! between the two (no connection, a cut stream, a refused certificate) becomes a [`Rejection`] too, so that a caller has
//! one thing to look at: what kind it is, what to tell the user, and whether the change may have been made after all.

use std::collections::HashMap;
use std::error::Error as StdError;

use renkei_types::{Classify, Kind, Language, Localised, Reason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The domain of our reasons.
pub const DOMAIN: &str = "renkei";

/// Where a line of a file is named in an ErrorInfo's metadata.
const LINE: &str = "line";

/// Where the number that is expected is named there.
const EXPECTED: &str = "expected";

/// Numbers that a refusal names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Places {
    /// The line of the file that is meant, from 1.
    pub line: Option<u64>,
    /// The number that is expected in place of the one that was sent.
    pub expected: Option<u64>,
}

/// The status with which a broker refuses: a reason, and the field and the line that are meant.
pub fn refusal_status(code: Code, reason: Reason, field: Option<&str>, places: Places) -> Status {
    let words = reason.localised(Language::English);
    let named = [(LINE, places.line), (EXPECTED, places.expected)];
    let metadata: HashMap<String, String> = named
        .into_iter()
        .filter_map(|(name, number)| Some((name.to_owned(), number?.to_string())))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason.as_str(), DOMAIN, metadata);
    if let Some(field) = field {
        details.add_bad_request_violation(field, words.clone());
    }
    Status::with_error_details(code, words, details)
}

/// A call that was not carried out, or of which it is not known.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", self.localised(Language::English))]
pub struct Rejection {
    code: Code,
    origin: Origin,
    reason: Option<Reason>,
    /// The code of a reason that is not in our list: the broker is newer than this program.
    unknown_reason: Option<String>,
    field: Option<String>,
    places: Places,
    message: String,
    doubt: bool,
}

/// Who says no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    /// The broker, or whatever answers in its place.
    Peer,
    /// No connection came about: the request was not sent.
    NotReached,
    /// The connection broke, or an answer did not come in time.
    Way,
    /// TLS: one side does not accept the other's certificate.
    Tls,
}

impl Rejection {
    /// An answer did not come in time.
    pub(crate) fn too_late() -> Self {
        Self::local(Code::DeadlineExceeded, Some(Reason::DeadlineExceeded), "no answer in time")
    }

    /// The connection ended in the middle of something.
    pub(crate) fn cut() -> Self {
        Self::local(Code::Unavailable, None, "the connection was cut")
    }

    fn local(code: Code, reason: Option<Reason>, message: &str) -> Self {
        Self {
            code,
            origin: Origin::Way,
            reason,
            unknown_reason: None,
            field: None,
            places: Places::default(),
            message: message.to_owned(),
            doubt: true,
        }
    }

    /// The reason, where it is one of the closed list.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The code of the reason, also of one that this program does not know.
    pub fn reason_code(&self) -> Option<&str> {
        self.reason.map(Reason::as_str).or(self.unknown_reason.as_deref())
    }

    /// The field of the request that is at fault.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The line of the file that is meant, from 1.
    pub fn line(&self) -> Option<u64> {
        self.places.line
    }

    /// The number that is expected in place of the one that was sent.
    pub fn expected(&self) -> Option<u64> {
        self.places.expected
    }

    /// Whether the change may have been made all the same, so that the call should be repeated under its request id.
    pub fn leaves_doubt(&self) -> bool {
        self.doubt
    }

    /// An earlier attempt of the same call left doubt.
    pub(crate) fn after_doubt(mut self, doubt: bool) -> Self {
        self.doubt |= doubt;
        self
    }

    /// Whether it is the client's certificate that is not accepted.
    pub(crate) fn refuses_certificate(&self) -> bool {
        self.origin == Origin::Tls || self.reason == Some(Reason::CertificateRefused)
    }

    /// Whether the same call may succeed a moment later.
    pub fn is_passing(&self) -> bool {
        match self.origin {
            Origin::NotReached => true,
            Origin::Way => self.code != Code::DeadlineExceeded,
            Origin::Peer => self.code == Code::Unavailable,
            Origin::Tls => false,
        }
    }
}

impl From<Status> for Rejection {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN);
        // Only a status that was made on this side carries a cause.
        let origin = match (&info, status.source()) {
            (None, Some(cause)) => origin_of(cause),
            (Some(_), _) | (None, None) => Origin::Peer,
        };
        // tonic calls a time limit a cancellation, on both sides; nobody else cancels our calls. But what was cancelled here
        // for another reason than time is a connection that ended.
        let is_cut = status.source().is_some_and(|cause| !is_time_limit(cause));
        let is_cancelled = status.code() == Code::Cancelled;
        let is_late = status.code() == Code::DeadlineExceeded || is_cancelled && !is_cut;
        let code = if is_late {
            Code::DeadlineExceeded
        } else if is_cancelled {
            Code::Unavailable
        } else {
            status.code()
        };
        let reason = match &info {
            Some(info) => Reason::ALL.iter().copied().find(|reason| reason.as_str() == info.reason),
            None => is_late.then_some(Reason::DeadlineExceeded),
        };
        let field = status
            .get_details_bad_request()
            .and_then(|bad| bad.field_violations.into_iter().next())
            .map(|violation| violation.field);
        let doubt = match origin {
            Origin::NotReached | Origin::Tls => false,
            Origin::Way => true,
            // With a reason of ours nothing was changed, unless the call took too long to tell.
            Origin::Peer => match reason {
                Some(reason) => matches!(reason, Reason::DeadlineExceeded | Reason::Internal),
                None => matches!(
                    code,
                    Code::Unavailable
                        | Code::DeadlineExceeded
                        | Code::Internal
                        | Code::Unknown
                        | Code::Cancelled
                        | Code::Aborted
                ),
            },
        };
        let number = |name| info.as_ref().and_then(|info| info.metadata.get(name)?.parse().ok());
        Self {
            code,
            origin,
            reason,
            unknown_reason: info
                .as_ref()
                .filter(|_| reason.is_none())
                .map(|info| info.reason.clone()),
            field,
            places: Places { line: number(LINE), expected: number(EXPECTED) },
            message: status.message().to_owned(),
            doubt,
        }
    }
}

/// Whether a call ended because its time was over.
fn is_time_limit(cause: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(cause);
    while let Some(error) = next {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// What broke the way, told from the chain of causes.
fn origin_of(cause: &(dyn StdError + 'static)) -> Origin {
    let mut origin = Origin::Way;
    let mut next = Some(cause);
    while let Some(error) = next {
        if error.is::<rustls::Error>() || error.to_string().contains(ALERT) {
            return Origin::Tls;
        }
        if error.is::<tonic::ConnectError>() {
            origin = Origin::NotReached;
        }
        // An I/O error hides the error that it was made of from the chain.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    origin
}

/// With TLS 1.3 a broker refuses a client's certificate after the handshake, by an alert that the HTTP library keeps as
/// text only.
const ALERT: &str = "received fatal alert";

impl Classify for Rejection {
    fn kind(&self) -> Kind {
        match self.origin {
            Origin::Tls => return Kind::Refused,
            Origin::NotReached | Origin::Way => return Kind::Unavailable,
            Origin::Peer => {}
        }
        match self.reason {
            Some(reason) => kind_of_reason(reason),
            None => kind_of_code(self.code),
        }
    }
}

/// To the one who called: what a rule forbids is refused, whatever the code of the status.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the list of reasons grows, and whatever a broker says no for is a refusal"
)]
fn kind_of_reason(reason: Reason) -> Kind {
    match reason {
        Reason::StorageFull => Kind::Exhausted,
        Reason::Overloaded
        | Reason::TooManyCalls
        | Reason::IndexLoading
        | Reason::Stopping
        | Reason::DeadlineExceeded => Kind::Unavailable,
        Reason::FieldInvalid
        | Reason::UnreadableFile
        | Reason::ColumnMissing
        | Reason::HeaderInvalid
        | Reason::ConfigurationInvalid => Kind::InvalidArgument,
        Reason::VersionOld | Reason::LeaseLost => Kind::Conflict,
        Reason::Internal => Kind::Internal,
        _ => Kind::Refused,
    }
}

fn kind_of_code(code: Code) -> Kind {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => Kind::InvalidArgument,
        Code::NotFound => Kind::NotFound,
        Code::Aborted => Kind::Conflict,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
            Kind::Unavailable
        }
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::AlreadyExists => Kind::Refused,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Kind::Internal,
    }
}

impl Localised for Rejection {
    fn localised(&self, language: Language) -> String {
        let mut text = match (self.origin, self.reason_code()) {
            (Origin::Tls, _) => language
                .pick(
                    "the broker does not accept this certificate, or is not the one that the client file trusts: check ca, certificate and key, and whether the certificate is revoked or expired",
                    "証明書が受け入れられないか、接続先が信頼された連携サーバーではありません。接続設定の ca・certificate・key と、証明書の失効・期限を確認してください",
                )
                .to_owned(),
            (Origin::NotReached, _) => language
                .pick(
                    "the broker cannot be reached: check the address of the client file, and whether the broker runs",
                    "連携サーバーに接続できません。接続設定のアドレスと、サーバーの稼働を確認してください",
                )
                .to_owned(),
            (Origin::Way, None) => language
                .pick(
                    "the connection to the broker broke; try again",
                    "連携サーバーとの接続が切れました。再試行してください",
                )
                .to_owned(),
            (Origin::Way | Origin::Peer, Some(code)) => {
                let words = match self.reason {
                    Some(reason) => reason.localised(language),
                    None => self.message.clone(),
                };
                format!("{code}: {words}")
            }
            (Origin::Peer, None) => {
                let said = &self.message;
                language.pick(
                    format!("the broker answers: {said} ({:?})", self.code),
                    format!("連携サーバーの応答: {said}（{:?}）", self.code),
                )
            }
        };
        if let Some(field) = &self.field {
            text.push_str(&language.pick(format!(" (field {field})"), format!("（項目 {field}）")));
        }
        if let Some(line) = self.places.line {
            text.push_str(&language.pick(format!(" (line {line})"), format!("（{line} 行目）")));
        }
        if let Some(number) = self.places.expected {
            let words = (format!(" (expected: {number})"), format!("（次の番号は {number}）"));
            text.push_str(&language.pick(words.0, words.1));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: Reason) -> Rejection {
        refusal_status(Code::FailedPrecondition, reason, None, Places::default()).into()
    }

    #[test]
    fn every_reason_is_read_back_from_the_status_that_carries_it() {
        for &reason in Reason::ALL {
            let places = Places { line: Some(7), expected: Some(3) };
            let rejection: Rejection =
                refusal_status(Code::InvalidArgument, reason, Some("declared.yen"), places).into();
            assert_eq!(rejection.reason(), Some(reason));
            assert_eq!(rejection.field(), Some("declared.yen"));
            assert_eq!(rejection.line(), Some(7));
            assert_eq!(rejection.expected(), Some(3));
            for language in [Language::English, Language::Japanese] {
                let text = rejection.localised(language);
                assert!(
                    text.contains(reason.as_str()) && text.contains(&reason.localised(language))
                );
                assert!(text.contains("declared.yen") && text.contains('7'));
            }
        }
    }

    #[test]
    fn kinds_follow_the_reason_and_not_the_code() {
        for (reason, kind) in [
            (Reason::StorageFull, Kind::Exhausted),
            (Reason::Overloaded, Kind::Unavailable),
            (Reason::DailyLimit, Kind::Refused),
            (Reason::TotalsDiffer, Kind::Refused),
            (Reason::NoAgreement, Kind::Refused),
            (Reason::FieldInvalid, Kind::InvalidArgument),
            (Reason::VersionOld, Kind::Conflict),
            (Reason::Internal, Kind::Internal),
        ] {
            assert_eq!(refused(reason).kind(), kind, "{reason}");
        }
    }

    #[test]
    fn a_reason_of_a_newer_broker_is_shown_as_it_stands() {
        let details = ErrorDetails::with_error_info("MOON_PHASE", DOMAIN, HashMap::new());
        let status = Status::with_error_details(Code::FailedPrecondition, "wait for it", details);
        let rejection = Rejection::from(status);
        assert_eq!((rejection.reason(), rejection.reason_code()), (None, Some("MOON_PHASE")));
        assert_eq!(rejection.kind(), Kind::Refused);
        assert_eq!(rejection.to_string(), "MOON_PHASE: wait for it");
    }

    #[test]
    fn a_reason_of_another_domain_is_not_ours() {
        let details = ErrorDetails::with_error_info("STORAGE_FULL", "proxy", HashMap::new());
        let status = Status::with_error_details(Code::Unavailable, "upstream", details);
        assert_eq!(Rejection::from(status).reason(), None);
    }

    #[test]
    fn only_what_may_have_been_done_leaves_doubt() {
        assert!(!refused(Reason::TotalsDiffer).leaves_doubt());
        assert!(!refused(Reason::StorageFull).leaves_doubt());
        assert!(refused(Reason::DeadlineExceeded).leaves_doubt());
        assert!(Rejection::from(Status::unavailable("gone")).leaves_doubt());
        assert!(!Rejection::from(Status::permission_denied("no")).leaves_doubt());
        assert!(refused(Reason::Stopping).after_doubt(true).leaves_doubt());
    }

    #[test]
    fn an_alert_of_the_broker_is_a_refused_certificate_and_not_a_broken_way() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRevoked);
        assert!(alert.to_string().contains(ALERT), "the library's words have changed");
        let causes: [Box<dyn StdError + Send + Sync>; 2] = [
            Box::new(std::io::Error::new(std::io::ErrorKind::InvalidData, alert.clone())),
            Box::new(std::io::Error::other(alert.to_string())),
        ];
        for cause in causes {
            let rejection = Rejection::from(Status::from_error(cause));
            assert_eq!(rejection.kind(), Kind::Refused);
            assert!(!rejection.is_passing() && !rejection.leaves_doubt());
        }
    }
}
