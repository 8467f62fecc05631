//! What a certificate or a revocation list says, as plain values.
//!
//! The tests compare what was issued with its profile through this; `renkei pki status` reads dates through it. It parses
//! and does not believe: signatures and chains are for the TLS library.

use std::net::IpAddr;

use jiff::Timestamp;
use renkei_types::{Classify, Digest, Kind, Language, Localised};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::profile::{ExtendedKeyUsage, KeyUsage};
use crate::serial::Serial;

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unparseable {
    /// Not a certificate.
    #[error("not a certificate in PEM form")]
    Certificate,
    /// Not a certificate that an authority signs with.
    #[error("not the certificate of a renkei authority")]
    Authority,
    /// Not a private key.
    #[error("not a P-256 private key in PEM form")]
    Key,
    /// Not a request for a certificate.
    #[error("not a request for a certificate of a P-256 key, signed with it, in PEM form")]
    Request,
    /// Not a revocation list.
    #[error("not a certificate revocation list in PEM form")]
    Crl,
}

/// What a certificate says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFacts {
    /// Its serial number.
    pub serial: Serial,
    /// The common name of its subject, which names nobody.
    pub common_name: Option<String>,
    /// The URIs among its subject alternative names.
    pub uris: Vec<String>,
    /// The DNS names among its subject alternative names.
    pub dns: Vec<String>,
    /// The addresses among its subject alternative names.
    pub ips: Vec<IpAddr>,
    /// How many subject alternative names are of another kind.
    pub other_names: usize,
    /// The beginning of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// Whether it may sign certificates.
    pub ca: bool,
    /// How many authorities may stand below it.
    pub path_length: Option<u32>,
    /// What its key may do.
    pub key_usage: Vec<KeyUsage>,
    /// On which side of a connection it may stand.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Whether basic constraints and key usage are both there and both critical.
    pub constraints_critical: bool,
    /// Its public key: the point of the curve, for the profiles of renkei.
    pub public_key: Vec<u8>,
    /// SHA-256 of its public key with the algorithm, as [`crate::CertificateRequest::fingerprint`] has it.
    pub fingerprint: Digest,
}

impl CertificateFacts {
    /// Reads the first certificate of a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Unparseable> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| Unparseable::Certificate)?;
        Self::from_der(&der)
    }

    /// Reads every certificate of a PEM file, at least one.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, Unparseable> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::from_der(&der.map_err(|_| Unparseable::Certificate)?))
            .collect();
        all.and_then(|all| if all.is_empty() { Err(Unparseable::Certificate) } else { Ok(all) })
    }

    /// Reads a certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Unparseable> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| Unparseable::Certificate)?;
        Self::of(&parsed).ok_or(Unparseable::Certificate)
    }

    /// Nothing where an extension occurs twice or does not parse.
    fn of(parsed: &X509Certificate<'_>) -> Option<Self> {
        let basic = parsed.basic_constraints().ok()?;
        let usage = parsed.key_usage().ok()?;
        let extended = parsed.extended_key_usage().ok()?;
        let names = parsed.subject_alternative_name().ok()?;
        let mut facts = Self {
            serial: Serial::from_be_bytes(parsed.raw_serial()),
            common_name: parsed
                .subject()
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            uris: Vec::new(),
            dns: Vec::new(),
            ips: Vec::new(),
            other_names: 0,
            not_before: timestamp(parsed.validity().not_before.timestamp())?,
            not_after: timestamp(parsed.validity().not_after.timestamp())?,
            ca: basic.as_ref().is_some_and(|basic| basic.value.ca),
            path_length: basic.as_ref().and_then(|basic| basic.value.path_len_constraint),
            key_usage: usage.as_ref().map(|usage| key_usages(usage.value)).unwrap_or_default(),
            extended_key_usage: extended
                .map(|extended| extended_key_usages(extended.value))
                .unwrap_or_default(),
            constraints_critical: basic.is_some_and(|basic| basic.critical)
                && usage.is_some_and(|usage| usage.critical),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            fingerprint: Digest::of(parsed.public_key().raw),
        };
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            facts.add(name);
        }
        Some(facts)
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::DNSName(name) => self.dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match ip(bytes) {
                Some(ip) => self.ips.push(ip),
                None => self.other_names += 1,
            },
            GeneralName::OtherName(..)
            | GeneralName::RFC822Name(_)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => self.other_names += 1,
        }
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn timestamp(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

fn key_usages(usage: &x509_parser::extensions::KeyUsage) -> Vec<KeyUsage> {
    let known = [
        (usage.digital_signature(), KeyUsage::DigitalSignature),
        (usage.key_cert_sign(), KeyUsage::KeyCertSign),
        (usage.crl_sign(), KeyUsage::CrlSign),
    ];
    let count = known.iter().filter(|(set, _)| *set).count();
    let other = usize::try_from(usage.flags.count_ones()).is_ok_and(|set| set > count);
    let known = known.into_iter().filter(|(set, _)| *set).map(|(_, usage)| usage);
    known.chain(other.then_some(KeyUsage::Other)).collect()
}

fn extended_key_usages(
    usage: &x509_parser::extensions::ExtendedKeyUsage<'_>,
) -> Vec<ExtendedKeyUsage> {
    let other = usage.any
        || usage.code_signing
        || usage.email_protection
        || usage.time_stamping
        || usage.ocsp_signing
        || !usage.other.is_empty();
    [
        (usage.server_auth, ExtendedKeyUsage::ServerAuth),
        (usage.client_auth, ExtendedKeyUsage::ClientAuth),
        (other, ExtendedKeyUsage::Other),
    ]
    .into_iter()
    .filter_map(|(set, usage)| set.then_some(usage))
    .collect()
}

/// What a revocation list says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CrlFacts {
    /// Its number, greater than those of earlier lists; none where it does not fit 64 bits.
    pub number: Option<u64>,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next must be there; after it nobody is believed.
    pub next_update: Timestamp,
    /// The serial numbers of what is revoked, in order of their bytes.
    pub revoked: Vec<Serial>,
}

impl CrlFacts {
    /// Reads the first revocation list of a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Unparseable> {
        let der =
            CertificateRevocationListDer::from_pem_slice(pem).map_err(|_| Unparseable::Crl)?;
        Self::from_der(&der)
    }

    /// Reads every revocation list of a PEM file, at least one.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, Unparseable> {
        let all: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem)
            .map(|der| Self::from_der(&der.map_err(|_| Unparseable::Crl)?))
            .collect();
        all.and_then(|all| if all.is_empty() { Err(Unparseable::Crl) } else { Ok(all) })
    }

    fn from_der(der: &[u8]) -> Result<Self, Unparseable> {
        let (_, parsed) = CertificateRevocationList::from_der(der).map_err(|_| Unparseable::Crl)?;
        Self::of(&parsed).ok_or(Unparseable::Crl)
    }

    fn of(parsed: &CertificateRevocationList<'_>) -> Option<Self> {
        let mut revoked: Vec<Serial> = parsed
            .iter_revoked_certificates()
            .map(|entry| Serial::from_be_bytes(entry.raw_serial()))
            .collect();
        revoked.sort();
        Some(Self {
            number: parsed.crl_number().and_then(|number| u64::try_from(number).ok()),
            this_update: timestamp(parsed.last_update().timestamp())?,
            next_update: timestamp(parsed.next_update()?.timestamp())?,
            revoked,
        })
    }
}

impl Classify for Unparseable {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for Unparseable {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Certificate => "PEM形式の証明書ではありません",
            Self::Authority => "renkei の認証局の証明書ではありません",
            Self::Key => "PEM形式のP-256秘密鍵ではありません",
            Self::Request => "P-256鍵の証明書要求（その鍵で署名されたPEM形式）ではありません",
            Self::Crl => "PEM形式の失効リストではありません",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_pem_is_no_certificate_and_no_list() {
        for bytes in
            [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert_eq!(CertificateFacts::from_pem(bytes), Err(Unparseable::Certificate));
            assert_eq!(CrlFacts::from_pem(bytes), Err(Unparseable::Crl));
        }
    }
}
