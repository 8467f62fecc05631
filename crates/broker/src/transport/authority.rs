//! Authorities: who issues clients' certificates, and which of them it took back.
//!
//! An authority and its revocation list belong together: a serial number means something only within its authority, and
//! an authority without a current list can vouch for nobody. While one authority replaces another both are listed, each
//! with its own list, so that no client is cut.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;
use renkei_types::Digest;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::peer::{Serial, timestamp};
use super::refusal::Refusal;
use super::tls_error::TlsError;

/// An authority with its revocation list.
#[derive(Debug)]
pub(super) struct Authority {
    certificate: CertificateDer<'static>,
    digest: Digest,
    revoked: HashSet<Serial>,
    not_after: Timestamp,
    next_update: Timestamp,
}

impl Authority {
    /// The authority of `certificate` with that list among `lists` that it signed.
    pub(super) fn new(
        certificate: CertificateDer<'static>,
        lists: &[CertificateRevocationListDer<'_>],
        certificate_file: &Path,
        list_file: &Path,
    ) -> Result<Self, TlsError> {
        let malformed = |file: &Path| TlsError::Malformed { file: file.to_owned() };
        let digest = Digest::of(&certificate);
        let (_, parsed) =
            X509Certificate::from_der(&certificate).map_err(|_| malformed(certificate_file))?;
        if !parsed.is_ca() {
            return Err(TlsError::NotAnAuthority { file: certificate_file.to_owned() });
        }
        let not_after =
            timestamp(parsed.validity().not_after).ok_or_else(|| malformed(certificate_file))?;
        for list in lists {
            let (_, list) = CertificateRevocationList::from_der(list.as_ref())
                .map_err(|_| malformed(list_file))?;
            if list.issuer().as_raw() != parsed.subject().as_raw()
                || list.verify_signature(parsed.public_key()).is_err()
            {
                continue;
            }
            let next_update = list
                .next_update()
                .and_then(timestamp)
                .ok_or_else(|| TlsError::RevocationListEndless { file: list_file.to_owned() })?;
            let revoked = list
                .iter_revoked_certificates()
                .map(|entry| Serial::from_bytes(entry.raw_serial()))
                .collect();
            return Ok(Self { digest, revoked, not_after, next_update, certificate });
        }
        Err(TlsError::RevocationListMissing { file: list_file.to_owned(), authority: digest })
    }

    /// SHA-256 of its certificate.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Its certificate.
    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Whether a revocation list is of another authority of the same name: while one key replaces another, both go by it.
    pub(super) fn has_namesakes_list(&self, list: &CertificateRevocationListDer<'_>) -> bool {
        let own = X509Certificate::from_der(&self.certificate);
        let parsed = CertificateRevocationList::from_der(list.as_ref());
        let (Ok((_, own)), Ok((_, list))) = (own, parsed) else { return false };
        list.issuer().as_raw() == own.subject().as_raw()
            && list.verify_signature(own.public_key()).is_err()
    }

    /// Whether its key signed the certificate. The name alone does not decide: a renewed authority has the same one.
    pub(super) fn issued(&self, certificate: &X509Certificate<'_>) -> bool {
        let Ok((_, own)) = X509Certificate::from_der(&self.certificate) else { return false };
        own.subject().as_raw() == certificate.issuer().as_raw()
            && certificate.verify_signature(Some(own.public_key())).is_ok()
    }

    /// Whether a certificate of this number is still good.
    pub(super) fn check(&self, serial: &Serial, now: Timestamp) -> Result<(), Refusal> {
        if self.revoked.contains(serial) {
            return Err(Refusal::CertificateRevoked);
        }
        if now > self.next_update { Err(Refusal::RevocationUnknown) } else { Ok(()) }
    }

    /// When its list ends.
    pub(super) fn next_update(&self) -> Timestamp {
        self.next_update
    }

    /// When it ends itself.
    pub(super) fn not_after(&self) -> Timestamp {
        self.not_after
    }
}
