//! Deliberately bad certificates, for tests of refusal only.
//!
//! A broker that was never shown a bad certificate has not been tested. Here are those that it must refuse (and some good
//! ones to compare), as PEM in memory, signed by an authority that is thrown away with the test. An authority in a folder
//! cannot issue them; only a test that reads its key can, through [`Misissuer::from_pem`].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use renkei_types::{Clock, Entropy, Identity};

use crate::error::PkiError;
use crate::facts::Unparseable;
use crate::profile::{ExtendedKeyUsage, Profile, ProfileRules, Profiles};
use crate::request::CertificateRequest;
use crate::serial::Serial;
use crate::signer::{Issued, Names, Signer, draw, uri};
use crate::validity::{Period, Validity, after_days};

/// What is wrong with a client's certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Fault {
    /// It ended a day ago.
    Expired,
    /// It begins in a day.
    NotYetValid,
    /// The identity is its common name; it has no URI.
    CommonNameOnly,
    /// It may stand on the server's side only.
    ServerOnly,
    /// It names two identities of one trust domain.
    TwoIdentities,
    /// Another authority of the same subject signed it.
    ForeignAuthority,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Expired,
        Self::NotYetValid,
        Self::CommonNameOnly,
        Self::ServerOnly,
        Self::TwoIdentities,
        Self::ForeignAuthority,
    ];
}

/// An authority that signs whatever a test needs, and keeps no record.
pub struct Misissuer<'a> {
    signer: Signer,
    clock: &'a dyn Clock,
    entropy: &'a dyn Entropy,
}

impl fmt::Debug for Misissuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Misissuer").field("facts", &self.signer.facts).finish_non_exhaustive()
    }
}

impl<'a> Misissuer<'a> {
    /// A new authority, in memory.
    pub fn throw_away(
        trust_domain: &str,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, PkiError> {
        Ok(Self { signer: Signer::generate(trust_domain, clock, entropy)?, clock, entropy })
    }

    /// The authority of a test that runs the commands, from its `ca.crt` and `ca.key`.
    pub fn from_pem(
        certificate_pem: &str,
        key_pem: &str,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, Unparseable> {
        let signer = Signer::from_pem(certificate_pem.to_owned(), key_pem)?;
        Ok(Self { signer, clock, entropy })
    }

    /// The certificate of the authority.
    pub fn authority_pem(&self) -> &str {
        &self.signer.certificate_pem
    }

    /// A good certificate.
    pub fn good(&self, profile: &Profile, validity: Validity) -> Result<Issued, PkiError> {
        let period = validity.period(self.clock.now(), profile.rules().validity_days)?;
        self.signer.issue(profile, period, draw(self.entropy), None)
    }

    /// A good certificate for the key of a request.
    pub fn certify(
        &self,
        profile: &Profile,
        validity: Validity,
        request: &CertificateRequest,
    ) -> Result<Issued, PkiError> {
        let period = validity.period(self.clock.now(), profile.rules().validity_days)?;
        self.signer.issue(profile, period, draw(self.entropy), Some(request))
    }

    /// A revocation list with the standard validity, beginning `from`: a past moment makes one that is overdue.
    pub fn crl_pem(
        &self,
        number: u64,
        from: Timestamp,
        revoked: &[Serial],
    ) -> Result<String, PkiError> {
        let end = after_days(from, Profiles::built_in().crl.validity_days)?;
        let revoked: Vec<_> = revoked.iter().map(|serial| (serial.clone(), from)).collect();
        self.signer.revocation_list(number, Period::until(from, end)?, &revoked)
    }

    /// A client's certificate with this fault and no other.
    pub fn bad(&self, fault: Fault, identity: &Identity) -> Result<Issued, PkiError> {
        let now = self.clock.now();
        let good = Bad {
            rules: Profiles::built_in().client.clone(),
            names: Names {
                common_name: identity.name().to_string(),
                alternatives: vec![uri(&identity.to_string())?],
            },
            period: Validity::Standard.period(now, Profiles::built_in().client.validity_days)?,
        };
        let day = SignedDuration::from_hours(24);
        match fault {
            Fault::Expired => {
                let period = Period { begin: good.period.begin - 2 * day, end: now - day };
                self.sign(Bad { period, ..good })
            }
            Fault::NotYetValid => {
                let period = Period { begin: now + day, end: good.period.end };
                self.sign(Bad { period, ..good })
            }
            Fault::CommonNameOnly => {
                let names = Names { common_name: identity.to_string(), alternatives: Vec::new() };
                self.sign(Bad { names, ..good })
            }
            Fault::ServerOnly => {
                let mut rules = good.rules.clone();
                rules.extended_key_usage = vec![ExtendedKeyUsage::ServerAuth];
                self.sign(Bad { rules, ..good })
            }
            Fault::TwoIdentities => {
                let mut bad = good;
                bad.names.alternatives.push(uri(&format!("{identity}-2"))?);
                self.sign(bad)
            }
            Fault::ForeignAuthority => {
                let domain = &self.signer.trust_domain;
                Self::throw_away(domain, self.clock, self.entropy)?.sign(good)
            }
        }
    }

    fn sign(&self, bad: Bad) -> Result<Issued, PkiError> {
        self.signer.sign(&bad.rules, bad.names, bad.period, draw(self.entropy))
    }
}

/// The parts of a certificate, to be spoilt one at a time.
struct Bad {
    rules: ProfileRules,
    names: Names,
    period: Period,
}
