//! Peers: who is at the other end of a connection.
//!
//! A peer is what its certificate proves: one SPIFFE URI, a serial number, an authority, an end of validity. A peer is
//! made once, in the handshake, and then looked at again on every call ([`Peer::check`]), because a certificate can be
//! revoked or expire while the connection stays open.
//!
//! Invariant: the identity is of the broker's trust domain and the certificate was issued for clients by an authority
//! that the broker trusts itself. The common name is never read.

use std::fmt;

use jiff::Timestamp;
use renkei_types::{Digest, Identity};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use super::authority::Authority;
use super::credentials::CredentialStore;
use super::refusal::Refusal;

/// A certificate's number, without leading zero bytes.
///
/// DER puts a zero before a number whose first bit is set: 201 is `00 C9`. Libraries differ in whether they show it, and
/// a comparison that forgets this never finds a revoked certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Serial(Box<[u8]>);

impl Serial {
    /// A serial from its big-endian bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        Self(bytes[zeros..].into())
    }

    /// The bytes, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A client that has proved who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    identity: Identity,
    certificate: Digest,
    authority: Digest,
    serial: Serial,
    not_after: Timestamp,
}

/// The largest client certificate that is looked at; ours have under 1 KiB.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

impl Peer {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// SHA-256 of the certificate.
    pub fn certificate(&self) -> Digest {
        self.certificate
    }

    /// SHA-256 of the certificate of the authority that issued it.
    pub fn authority(&self) -> Digest {
        self.authority
    }

    /// The number that the authority gave it.
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// The last moment at which the certificate is good.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the client may still be served. Called on every call, with the revocation list of this moment.
    pub fn check(&self, credentials: &CredentialStore, now: Timestamp) -> Result<(), Refusal> {
        if now > self.not_after {
            return Err(Refusal::CertificateExpired);
        }
        let credentials = credentials.current();
        let issued_it = |authority: &&Authority| authority.digest() == self.authority;
        let authority =
            credentials.authorities().iter().find(issued_it).ok_or(Refusal::AuthorityUnknown)?;
        authority.check(&self.serial, now)
    }

    /// The peer of a certificate whose chain and time are verified already.
    pub(super) fn of_certificate(
        certificate: &CertificateDer<'_>,
        authorities: &[Authority],
        trust_domain: &str,
    ) -> Result<Self, Refusal> {
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            return Err(Refusal::CertificateMalformed);
        }
        let (rest, parsed) =
            X509Certificate::from_der(certificate).map_err(|_| Refusal::CertificateMalformed)?;
        if !rest.is_empty() {
            return Err(Refusal::CertificateMalformed);
        }
        let usage = parsed.extended_key_usage().map_err(|_| Refusal::CertificateMalformed)?;
        if !usage.is_some_and(|usage| usage.value.client_auth) {
            return Err(Refusal::PurposeWrong);
        }
        let identity = identity(&parsed)?;
        if identity.trust_domain() != trust_domain {
            return Err(Refusal::TrustDomainForeign);
        }
        let authority = authorities
            .iter()
            .find(|authority| authority.issued(&parsed))
            .ok_or(Refusal::AuthorityUnknown)?;
        Ok(Self {
            identity,
            certificate: Digest::of(certificate),
            authority: authority.digest(),
            serial: Serial::from_bytes(parsed.raw_serial()),
            not_after: timestamp(parsed.validity().not_after)
                .ok_or(Refusal::CertificateMalformed)?,
        })
    }
}

/// The one URI among the names.
fn identity(certificate: &X509Certificate<'_>) -> Result<Identity, Refusal> {
    let names =
        certificate.subject_alternative_name().map_err(|_| Refusal::CertificateMalformed)?;
    let names = names.map_or(&[][..], |extension| &extension.value.general_names);
    let mut uris = names
        .iter()
        .filter_map(|name| if let GeneralName::URI(uri) = name { Some(*uri) } else { None });
    let uri = uris.next().ok_or(Refusal::IdentityMissing)?;
    if uris.next().is_some() {
        return Err(Refusal::IdentityAmbiguous);
    }
    uri.parse().map_err(|_| Refusal::IdentityMalformed)
}

/// A moment of a certificate as ours.
pub(super) fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_the_same_with_and_without_leading_zeros() {
        assert_eq!(Serial::from_bytes(&[0, 0xc9]), Serial::from_bytes(&[0xc9]));
        assert_ne!(Serial::from_bytes(&[0xc9, 0]), Serial::from_bytes(&[0xc9]));
        assert_eq!(Serial::from_bytes(&[0, 0xc9]).to_string(), "c9");
    }
}
