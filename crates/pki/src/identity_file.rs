//! Identity files: a key and its certificate in one file, so that both are exchanged in one step.
//!
//! Of two files one is always exchanged first, and whoever reads them in between has a key and a certificate that do not
//! belong together. TLS libraries read either from a PEM file that holds both. While a new key waits for its certificate it
//! lies beside the file, under its name with `.new` added, so that a command that was interrupted goes on with the same key.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::PkiError;
use crate::facts::CertificateFacts;
use crate::folder::{self, Readers, folder_of};
use crate::request::NewKey;

/// A file with a key and its certificate, mode 0600.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdentityFile(PathBuf);

impl IdentityFile {
    /// The file at this place, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn waiting(&self) -> PathBuf {
        let mut name = self.0.as_os_str().to_owned();
        name.push(".new");
        name.into()
    }

    /// The key that waits for its certificate, if there is one.
    pub fn waiting_key(&self) -> Result<Option<NewKey>, PkiError> {
        let path = self.waiting();
        let pem = match fs_err::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PkiError::file(&path, error)),
        };
        folder::require_private(&path)?;
        match NewKey::from_pem(&pem) {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(PkiError::WaitingKey { file: path }),
        }
    }

    /// The key that waits; a new one, durable on return, where none does. Makes the folder.
    pub fn waiting_or_new_key(&self) -> Result<NewKey, PkiError> {
        if let Some(key) = self.waiting_key()? {
            return Ok(key);
        }
        let key = NewKey::generate()?;
        folder::create_private(folder_of(&self.0))?;
        folder::write(&self.waiting(), key.to_pem().as_bytes(), Readers::Owner)?;
        Ok(key)
    }

    /// Takes the key that waits into use with its certificate, in the place of the older pair if there is one.
    pub fn complete(&self, certificate_pem: &str) -> Result<CertificateFacts, PkiError> {
        let other = || PkiError::OtherCertificate { file: self.0.clone() };
        let key = self.waiting_key()?.ok_or_else(other)?;
        let facts = CertificateFacts::from_pem(certificate_pem.as_bytes()).map_err(|_| other())?;
        if facts.fingerprint != key.fingerprint() {
            return Err(other());
        }
        let both = format!("{}{certificate_pem}", key.to_pem());
        folder::write(&self.0, both.as_bytes(), Readers::Owner)?;
        let waiting = self.waiting();
        fs_err::remove_file(&waiting).map_err(|error| PkiError::file(&waiting, error))?;
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use renkei_types::{FixedClock, SeededEntropy};

    use super::*;
    use crate::misissue::Misissuer;
    use crate::profile::Profile;
    use crate::request::CertificateRequest;
    use crate::validity::Validity;

    const SYSTEM: &str = "spiffe://renkei.example/131016/benefits/system/payments";

    #[test]
    fn a_key_waits_through_an_interruption_and_is_taken_into_use_with_its_own_certificate_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = FixedClock("2026-11-21T09:00:00Z".parse().expect("a timestamp"));
        let entropy = SeededEntropy::new(1);
        let authority = Misissuer::throw_away("renkei.example", &clock, &entropy).expect("made");
        let profile = Profile::Client { identity: SYSTEM.parse().expect("an identity") };
        let file = IdentityFile::at(dir.path().join("clients/payments.pem"));
        assert!(file.waiting_key().expect("readable").is_none());
        let key = file.waiting_or_new_key().expect("a key");
        let again = file.waiting_or_new_key().expect("the key");
        assert_eq!(key.fingerprint(), again.fingerprint());

        let stranger = authority.good(&profile, Validity::Standard).expect("issued");
        let refused = file.complete(&stranger.certificate_pem).expect_err("another key's");
        assert!(matches!(refused, PkiError::OtherCertificate { .. }));
        assert!(!file.path().exists());

        let request = key.request_pem().expect("a request");
        let request = CertificateRequest::from_pem(&request).expect("a request");
        let issued = authority.certify(&profile, Validity::Standard, &request).expect("issued");
        file.complete(&issued.certificate_pem).expect("completed");
        let both = fs_err::read_to_string(file.path()).expect("read");
        assert!(both.contains("PRIVATE KEY") && both.contains("BEGIN CERTIFICATE"));
        folder::require_private(file.path()).expect("private");
        assert!(file.waiting_key().expect("readable").is_none());
    }
}
