//! Requests: a key that is made where it is used, and what travels to the authority in its place.
//!
//! A key that was brought to its owner has been in two places. Here the owner makes it, and sends a request (PKCS#10) that
//! proves its possession and says nothing else: who the owner is follows from what an operator has registered, never from
//! what a request claims. Whoever signs compares the key's fingerprint with what its owner tells them, since whoever
//! carries a request could have exchanged it.
//!
//! Invariant: a [`CertificateRequest`] is signed with the key it is for, and that key is of the algorithm of the profiles.

use std::fmt;

use rcgen::{CertificateParams, CertificateSigningRequestParams, DistinguishedName, KeyPair};
use rcgen::{PublicKey, PublicKeyData as _};
use renkei_types::Digest;

use crate::error::PkiError;
use crate::facts::Unparseable;
use crate::signer::algorithm;

/// A private key for which there is no certificate yet. Its `Debug` form hides it.
pub struct NewKey(KeyPair);

impl NewKey {
    /// Makes a key.
    pub fn generate() -> Result<Self, PkiError> {
        Ok(Self(KeyPair::generate_for(algorithm())?))
    }

    /// Reads a key that was made before.
    pub fn from_pem(pem: &str) -> Result<Self, Unparseable> {
        let key = KeyPair::from_pem(pem).map_err(|_| Unparseable::Key)?;
        if key.is_compatible(algorithm()) { Ok(Self(key)) } else { Err(Unparseable::Key) }
    }

    /// Its PEM form, to be kept where its owner alone can read.
    pub fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// What is sent to the authority, in PEM form.
    pub fn request_pem(&self) -> Result<String, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        Ok(params.serialize_request(&self.0)?.pem()?)
    }

    /// SHA-256 of its public half.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.0.subject_public_key_info())
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewKey").field(&self.fingerprint()).finish()
    }
}

/// A request whose signature was checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateRequest {
    key: PublicKey,
}

/// The longest request that is looked at, in PEM form; ours have under 500 bytes.
const PEM_BYTES_MAX: usize = 4096;

/// A point of P-256, uncompressed: a mark and two coordinates.
const POINT_BYTES: usize = 65;

impl CertificateRequest {
    /// Reads a request and checks that who sends it has the key.
    pub fn from_pem(pem: &str) -> Result<Self, Unparseable> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(Unparseable::Request);
        }
        let parsed = CertificateSigningRequestParams::from_pem(pem);
        let key = parsed.map_err(|_| Unparseable::Request)?.public_key;
        if key.algorithm() != algorithm() || key.der_bytes().len() != POINT_BYTES {
            return Err(Unparseable::Request);
        }
        Ok(Self { key })
    }

    /// SHA-256 of the public key that is to be certified.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.key.subject_public_key_info())
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_fingerprint_of_the_key_that_it_is_for() {
        let key = NewKey::generate().expect("a key");
        let pem = key.request_pem().expect("a request");
        let request = CertificateRequest::from_pem(&pem).expect("a request");
        assert_eq!(request.fingerprint(), key.fingerprint());
        let again = NewKey::from_pem(&key.to_pem()).expect("the key");
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_is_no_request_or_not_signed_by_its_own_key_or_of_another_curve_is_refused() {
        let key = NewKey::generate().expect("a key");
        let pem = key.request_pem().expect("a request");
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let altered = pem.replace(body[2], &body[2].chars().rev().collect::<String>());
        let other = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
        let other = CertificateParams::default().serialize_request(&other).expect("a request");
        let long = format!("{pem}{}", " ".repeat(PEM_BYTES_MAX));
        for wrong in ["", "hello", &altered, &other.pem().expect("PEM"), &long, &key.to_pem()] {
            assert_eq!(CertificateRequest::from_pem(wrong), Err(Unparseable::Request), "{wrong}");
        }
    }
}
