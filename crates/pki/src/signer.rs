//! The authority's key at work, in memory: certificates and revocation lists in, PEM out.
//!
//! Files and the record are left to [`crate::Authority`], so that tests can have an authority without a folder.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData, RevokedCertParams, SanType, SerialNumber, SignatureAlgorithm,
};
use renkei_types::{Clock, Entropy};

use crate::error::PkiError;
use crate::facts::{CertificateFacts, Unparseable};
use crate::profile::{Algorithm, ExtendedKeyUsage, KeyUsage, Profile, ProfileRules, Profiles};
use crate::request::CertificateRequest;
use crate::serial::Serial;
use crate::validity::{Period, Validity};

/// A certificate, and its private key where that was made with it. Its `Debug` form hides the key.
pub struct Issued {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key, which exists nowhere else; nothing where its owner has made it and kept it.
    pub key_pem: Option<String>,
    /// Its serial number.
    pub serial: Serial,
    /// The beginning of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("serial", &self.serial)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// What is to be signed beside rules, names and dates: here is where a bad certificate differs from a good one.
pub(crate) struct Names {
    pub(crate) common_name: String,
    pub(crate) alternatives: Vec<SanType>,
}

/// A certificate with the key that signs.
pub(crate) struct Signer {
    pub(crate) facts: CertificateFacts,
    pub(crate) certificate_pem: String,
    pub(crate) trust_domain: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The library's type of a moment, which it does not name: years, and whole seconds since 1970.
macro_rules! asn1_time {
    ($at:expr) => {{
        let seconds = $at.as_second();
        let since = Duration::from_secs(seconds.unsigned_abs());
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        if seconds < 0 { epoch - since } else { epoch + since }
    }};
}

/// The longest common name (RFC 5280, appendix A).
const COMMON_NAME_MAX: usize = 64;

impl Signer {
    /// Makes an authority: a key pair and a certificate that it signs itself.
    pub(crate) fn generate(
        trust_domain: &str,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Self, PkiError> {
        if !is_trust_domain(trust_domain) {
            return Err(PkiError::TrustDomain);
        }
        let rules = &Profiles::built_in().authority;
        let names = Names {
            common_name: trust_domain.to_owned(),
            alternatives: vec![uri(&format!("spiffe://{trust_domain}"))?],
        };
        let period = Validity::Standard.period(clock.now(), rules.validity_days)?;
        let serial = draw(entropy);
        let params = params(rules, names, period, &serial);
        let key = KeyPair::generate_for(algorithm())?;
        let certificate_pem = params.self_signed(&key)?.pem();
        Self::new(certificate_pem, key).map_err(|_| PkiError::Entropy)
    }

    /// An authority from its certificate and its key.
    pub(crate) fn from_pem(certificate_pem: String, key_pem: &str) -> Result<Self, Unparseable> {
        let key = KeyPair::from_pem(key_pem).map_err(|_| Unparseable::Key)?;
        if !key.is_compatible(algorithm()) {
            return Err(Unparseable::Key);
        }
        Self::new(certificate_pem, key)
    }

    fn new(certificate_pem: String, key: KeyPair) -> Result<Self, Unparseable> {
        let facts = CertificateFacts::from_pem(certificate_pem.as_bytes())?;
        let trust_domain = match facts.uris.as_slice() {
            [uri] if facts.ca => uri.strip_prefix("spiffe://").ok_or(Unparseable::Authority)?,
            _ => return Err(Unparseable::Authority),
        };
        let trust_domain = trust_domain.to_owned();
        let issuer =
            Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(|_| Unparseable::Authority)?;
        Ok(Self { facts, certificate_pem, trust_domain, issuer })
    }

    /// Whether the key belongs to the certificate.
    pub(crate) fn has_own_key(&self) -> bool {
        self.issuer.key().public_key_raw() == self.facts.public_key
    }

    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Signs a certificate of a profile for a new key, or for that of a request.
    pub(crate) fn issue(
        &self,
        profile: &Profile,
        period: Period,
        serial: Serial,
        request: Option<&CertificateRequest>,
    ) -> Result<Issued, PkiError> {
        let (rules, names) = (profile.rules(), self.names(profile)?);
        match request {
            Some(request) => self.certify(rules, names, period, serial, request.key()),
            None => self.sign(rules, names, period, serial),
        }
    }

    /// Signs whatever it is given, for a new key.
    pub(crate) fn sign(
        &self,
        rules: &ProfileRules,
        names: Names,
        period: Period,
        serial: Serial,
    ) -> Result<Issued, PkiError> {
        let key = KeyPair::generate_for(algorithm())?;
        let issued = self.certify(rules, names, period, serial, &key)?;
        Ok(Issued { key_pem: Some(key.serialize_pem()), ..issued })
    }

    fn certify(
        &self,
        rules: &ProfileRules,
        names: Names,
        period: Period,
        serial: Serial,
        key: &impl PublicKeyData,
    ) -> Result<Issued, PkiError> {
        let mut params = params(rules, names, period, &serial);
        params.use_authority_key_identifier_extension = true;
        Ok(Issued {
            certificate_pem: params.signed_by(key, &self.issuer)?.pem(),
            key_pem: None,
            serial,
            not_before: period.begin,
            not_after: period.end,
        })
    }

    fn names(&self, profile: &Profile) -> Result<Names, PkiError> {
        match profile {
            Profile::Broker { dns, ips } => {
                if dns.is_empty() && ips.is_empty() {
                    return Err(PkiError::NoBrokerName);
                }
                let dns = dns.iter().map(|name| Ok(SanType::DnsName(name.as_str().try_into()?)));
                let ips = ips.iter().map(|ip| Ok(SanType::IpAddress(*ip)));
                Ok(Names {
                    common_name: "renkei broker".to_owned(),
                    alternatives: dns.chain(ips).collect::<Result<_, rcgen::Error>>()?,
                })
            }
            Profile::Client { identity } => {
                if identity.trust_domain() != self.trust_domain {
                    return Err(PkiError::ForeignIdentity { own: self.trust_domain.clone() });
                }
                Ok(Names {
                    common_name: identity.name().to_string(),
                    alternatives: vec![uri(&identity.to_string())?],
                })
            }
        }
    }

    /// Signs a revocation list.
    pub(crate) fn revocation_list(
        &self,
        number: u64,
        period: Period,
        revoked: &[(Serial, Timestamp)],
    ) -> Result<String, PkiError> {
        let revoked_certs = revoked
            .iter()
            .map(|(serial, at)| RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial.as_bytes()),
                revocation_time: asn1_time!(at),
                reason_code: None,
                invalidity_date: None,
            })
            .collect();
        let list = CertificateRevocationListParams {
            this_update: asn1_time!(period.begin),
            next_update: asn1_time!(period.end),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

/// A new serial number of the length that the profiles give.
pub(crate) fn draw(entropy: &dyn Entropy) -> Serial {
    Serial::draw(usize::from(Profiles::built_in().serial_bytes), entropy)
}

pub(crate) fn uri(text: &str) -> Result<SanType, rcgen::Error> {
    Ok(SanType::URI(text.try_into()?))
}

/// The characters that an identity allows, and no more of them than a common name can hold.
fn is_trust_domain(text: &str) -> bool {
    let allowed =
        |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'_');
    (1..=COMMON_NAME_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// The algorithm of all keys and signatures.
pub(crate) fn algorithm() -> &'static SignatureAlgorithm {
    match Profiles::built_in().algorithm {
        Algorithm::EcdsaP256Sha256 => &rcgen::PKCS_ECDSA_P256_SHA256,
    }
}

fn params(
    rules: &ProfileRules,
    names: Names,
    period: Period,
    serial: &Serial,
) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, names.common_name);
    let mut params = CertificateParams::default();
    params.not_before = asn1_time!(period.begin);
    params.not_after = asn1_time!(period.end);
    params.serial_number = Some(SerialNumber::from_slice(serial.as_bytes()));
    params.subject_alt_names = names.alternatives;
    params.distinguished_name = subject;
    params.is_ca = match (rules.ca, rules.path_length) {
        (true, Some(length)) => IsCa::Ca(BasicConstraints::Constrained(length)),
        (true, None) => IsCa::Ca(BasicConstraints::Unconstrained),
        (false, _) => IsCa::ExplicitNoCa,
    };
    params.key_usages = rules.key_usage.iter().filter_map(|usage| key_usage(*usage)).collect();
    params.extended_key_usages =
        rules.extended_key_usage.iter().filter_map(|usage| extended_key_usage(*usage)).collect();
    params
}

fn key_usage(usage: KeyUsage) -> Option<KeyUsagePurpose> {
    match usage {
        KeyUsage::DigitalSignature => Some(KeyUsagePurpose::DigitalSignature),
        KeyUsage::KeyCertSign => Some(KeyUsagePurpose::KeyCertSign),
        KeyUsage::CrlSign => Some(KeyUsagePurpose::CrlSign),
        KeyUsage::Other => None,
    }
}

fn extended_key_usage(usage: ExtendedKeyUsage) -> Option<ExtendedKeyUsagePurpose> {
    match usage {
        ExtendedKeyUsage::ServerAuth => Some(ExtendedKeyUsagePurpose::ServerAuth),
        ExtendedKeyUsage::ClientAuth => Some(ExtendedKeyUsagePurpose::ClientAuth),
        ExtendedKeyUsage::Other => None,
    }
}
