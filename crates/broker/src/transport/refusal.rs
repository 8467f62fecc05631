//! Refusals: why a client is not let in.
//!
//! One closed list for the handshake and for the look at every call. Refused handshakes become entries of the audit log,
//! so a refusal carries a stable code and the certificate's digest, and nothing that the client chose to say.

use std::net::SocketAddr;

use renkei_types::{Classify, Digest, Kind, Language, Localised};
use rustls::CertificateError;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $kind:ident, $english:literal, $japanese:literal;)+) => {
        /// Why a client is not let in, or not served any longer.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
        pub enum Refusal {
            $($(#[$doc])* #[error($english)] $name,)+
        }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable code for the audit log and for metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }

        impl Classify for Refusal {
            fn kind(&self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }
        }

        impl Localised for Refusal {
            fn localised(&self, language: Language) -> String {
                match self { $(Self::$name => language.pick($english, $japanese).to_owned(),)+ }
            }
        }
    };
}

refusals! {
    /// `connections_max` is reached.
    TooManyConnections = "TOO_MANY_CONNECTIONS", Exhausted,
        "the broker has as many connections as it allows; try again later",
        "接続数が上限に達しています。しばらくしてから再度接続してください";
    /// `connections_per_peer_max` is reached.
    TooManyFromAddress = "TOO_MANY_FROM_ADDRESS", Exhausted,
        "this address has as many connections as it may; close some or reuse them",
        "この接続元からの接続数が上限に達しています。不要な接続を閉じてください";
    /// The handshake took longer than `handshake_timeout`.
    HandshakeTimeout = "HANDSHAKE_TIMEOUT", Unavailable,
        "the TLS handshake took too long; try again",
        "TLSハンドシェイクが時間内に終わりませんでした。再度接続してください";
    /// The client went away during the handshake.
    ConnectionLost = "CONNECTION_LOST", Unavailable,
        "the connection was lost during the TLS handshake; try again",
        "TLSハンドシェイク中に接続が切れました。再度接続してください";
    /// No common version or suite.
    TlsUnsupported = "TLS_UNSUPPORTED", Refused,
        "the client must speak TLS 1.3 with a common cipher suite; update it",
        "TLS 1.3で接続してください。クライアントの更新が必要です";
    /// The client offers no HTTP/2.
    H2NotOffered = "H2_NOT_OFFERED", Refused,
        "the client must offer h2 in ALPN; use a gRPC client",
        "ALPNでh2を提示してください。gRPCクライアントを使ってください";
    /// No client certificate.
    CertificateMissing = "CERTIFICATE_MISSING", Refused,
        "a client certificate is needed; configure one",
        "クライアント証明書が必要です。設定してください";
    /// A certificate that cannot be read, or is far too large.
    CertificateMalformed = "CERTIFICATE_MALFORMED", Refused,
        "the client certificate cannot be read; have it issued again",
        "クライアント証明書を読み取れません。再発行を受けてください";
    /// More certificates than any chain of ours needs.
    ChainTooLong = "CHAIN_TOO_LONG", Refused,
        "the client sends too many certificates; send its own and its issuer's",
        "証明書チェーンが長すぎます。必要な証明書だけを送ってください";
    /// Its time is over.
    CertificateExpired = "CERTIFICATE_EXPIRED", Refused,
        "the client certificate has expired; renew it",
        "クライアント証明書の有効期限が切れています。更新してください";
    /// Its time has not come.
    CertificateNotYetValid = "CERTIFICATE_NOT_YET_VALID", Refused,
        "the client certificate is not valid yet; check both clocks",
        "クライアント証明書の有効期間がまだ始まっていません。時計を確認してください";
    /// It is on the revocation list.
    CertificateRevoked = "CERTIFICATE_REVOKED", Refused,
        "the client certificate was revoked; ask the operator for a new one",
        "クライアント証明書は失効しています。運用者に新しい証明書を依頼してください";
    /// The revocation list is too old or there is none, so nobody can be let in.
    RevocationUnknown = "REVOCATION_UNKNOWN", Unavailable,
        "the broker has no current revocation list and lets nobody in; the operator must publish one",
        "有効な失効リストがないため、接続を受け付けられません。運用者が失効リストを更新する必要があります";
    /// Not issued by an authority of this broker, or no longer.
    AuthorityUnknown = "AUTHORITY_UNKNOWN", Refused,
        "the client certificate comes from an authority that this broker does not trust",
        "このブローカーが信頼しない認証局の証明書です";
    /// Not meant for clients.
    PurposeWrong = "PURPOSE_WRONG", Refused,
        "the certificate is not issued for clients; use a client certificate",
        "クライアント用の証明書ではありません。クライアント証明書を使ってください";
    /// No URI in its names; a common name is decoration.
    IdentityMissing = "IDENTITY_MISSING", Refused,
        "the client certificate names no SPIFFE identity; have it issued again",
        "証明書にSPIFFE識別子がありません。再発行を受けてください";
    /// Several URIs.
    IdentityAmbiguous = "IDENTITY_AMBIGUOUS", Refused,
        "the client certificate names several identities; have it issued again with one",
        "証明書に識別子が複数あります。一つだけの証明書の再発行を受けてください";
    /// A URI of another shape.
    IdentityMalformed = "IDENTITY_MALFORMED", Refused,
        "the identity in the client certificate is not of this system; have it issued again",
        "証明書の識別子の形式が違います。再発行を受けてください";
    /// An identity of somebody else's domain.
    TrustDomainForeign = "TRUST_DOMAIN_FOREIGN", Refused,
        "the identity in the client certificate belongs to another trust domain",
        "証明書の識別子が別の信頼ドメインのものです";
    /// Anything else that TLS found wrong.
    HandshakeFailed = "HANDSHAKE_FAILED", Refused,
        "the TLS handshake failed; check the client's certificate, key and TLS library",
        "TLSハンドシェイクに失敗しました。クライアントの証明書、鍵、TLSライブラリを確認してください";
}

/// A handshake that did not become a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefusedHandshake {
    /// Why.
    pub refusal: Refusal,
    /// The digest of the certificate that was presented, if it came that far.
    pub certificate: Option<Digest>,
}

/// Who is told about refused handshakes. Called on the runtime, so it must not block.
pub trait Refusals: Send + Sync {
    /// A handshake was refused.
    fn refused(&self, peer: SocketAddr, refused: RefusedHandshake);
}

impl Refusal {
    /// What rustls means. Its enums grow, and what is not listed here is a failed handshake.
    pub(super) fn of_tls(error: &rustls::Error) -> Self {
        if matches!(error, rustls::Error::NoCertificatesPresented) {
            return Self::CertificateMissing;
        }
        if matches!(error, rustls::Error::PeerIncompatible(_)) {
            return Self::TlsUnsupported;
        }
        if matches!(error, rustls::Error::NoApplicationProtocol) {
            return Self::H2NotOffered;
        }
        let rustls::Error::InvalidCertificate(error) = error else {
            return Self::HandshakeFailed;
        };
        let known = [
            (matches!(error, CertificateError::BadEncoding), Self::CertificateMalformed),
            (
                matches!(
                    error,
                    CertificateError::Expired | CertificateError::ExpiredContext { .. }
                ),
                Self::CertificateExpired,
            ),
            (
                matches!(
                    error,
                    CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
                ),
                Self::CertificateNotYetValid,
            ),
            (matches!(error, CertificateError::Revoked), Self::CertificateRevoked),
            (
                matches!(
                    error,
                    CertificateError::UnknownRevocationStatus
                        | CertificateError::ExpiredRevocationList
                        | CertificateError::ExpiredRevocationListContext { .. }
                ),
                Self::RevocationUnknown,
            ),
            (
                matches!(error, CertificateError::UnknownIssuer | CertificateError::BadSignature),
                Self::AuthorityUnknown,
            ),
            (
                matches!(
                    error,
                    CertificateError::InvalidPurpose
                        | CertificateError::InvalidPurposeContext { .. }
                ),
                Self::PurposeWrong,
            ),
        ];
        known
            .into_iter()
            .find_map(|(holds, refusal)| holds.then_some(refusal))
            .unwrap_or(Self::HandshakeFailed)
    }

    /// What an input or output error during the handshake means.
    pub(super) fn of_io(error: &std::io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::of_tls(error),
            None => Self::ConnectionLost,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_refusal_has_a_code_of_its_own_and_speaks_both_languages() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert_ne!(refusal.localised(Language::Japanese), refusal.localised(Language::English));
        }
    }
}
