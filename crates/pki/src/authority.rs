//! An authority and its folder.
//!
//! Every change goes the same way: the record is written first, then the revocation list, and only then is a certificate
//! handed out. If the machine stops in between, the record says more than exists, never less; the next command makes the
//! revocation list anew. One command at a time: the folder is locked through `ca.crt`.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use renkei_types::{Clock, Entropy, Slug};

use crate::error::PkiError;
use crate::facts::{CertificateFacts, CrlFacts, Unparseable};
use crate::folder::{self, Readers};
use crate::issued::{IssuedCertificate, IssuedCertificates};
use crate::profile::{Profile, Profiles};
use crate::request::CertificateRequest;
use crate::serial::Serial;
use crate::signer::{Issued, Signer, draw};
use crate::validity::{Period, Validity, after_days};

/// Names that a certificate cannot have: `ca.crt` and `ca.key` are the authority's own.
const RESERVED: &str = "ca";

/// How often a taken serial number is drawn again. With real chance it never is; a test's seed may begin anew each time.
const DRAWS_MAX: usize = 1000;

/// The files of an authority.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorityFiles {
    /// The folder.
    pub dir: PathBuf,
    /// Its certificate, which brokers and clients trust.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub key: PathBuf,
    /// The revocation list, which brokers read.
    pub crl: PathBuf,
    /// The record of issued certificates.
    pub issued: PathBuf,
}

impl AuthorityFiles {
    /// The files of an authority in this folder.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            certificate: dir.join("ca.crt"),
            key: dir.join("ca.key"),
            crl: dir.join("crl.pem"),
            issued: dir.join("issued.toml"),
        }
    }

    /// What its certificate says; no key is needed.
    pub fn certificate_facts(&self) -> Result<CertificateFacts, PkiError> {
        if !self.certificate.is_file() {
            return Err(PkiError::NoAuthority { dir: self.dir.clone() });
        }
        let pem = read(&self.certificate)?;
        let facts = CertificateFacts::from_pem(pem.as_bytes());
        facts.map_err(|source| unparseable(&self.certificate, source))
    }

    /// What its revocation list says.
    pub fn crl_facts(&self) -> Result<CrlFacts, PkiError> {
        let facts = CrlFacts::from_pem(read(&self.crl)?.as_bytes());
        facts.map_err(|source| unparseable(&self.crl, source))
    }

    /// The record of what it issued.
    pub fn issued_certificates(&self) -> Result<IssuedCertificates, PkiError> {
        IssuedCertificates::read(&self.issued)
    }
}

/// An authority at work. Nobody else can change its folder while it is open.
pub struct Authority<'a> {
    files: AuthorityFiles,
    signer: Signer,
    issued: IssuedCertificates,
    clock: &'a dyn Clock,
    entropy: &'a dyn Entropy,
    /// Holds the lock until it is closed.
    _lock: fs_err::File,
}

impl fmt::Debug for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("files", &self.files).finish_non_exhaustive()
    }
}

impl<'a> Authority<'a> {
    /// Makes an authority in a new or empty folder; one that has something in it is refused.
    pub fn init(
        dir: &Path,
        trust_domain: &str,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, PkiError> {
        let signer = Signer::generate(trust_domain, clock, entropy)?;
        folder::create_private(dir)?;
        let mut entries = fs_err::read_dir(dir).map_err(|error| PkiError::file(dir, error))?;
        if entries.next().is_some() {
            return Err(PkiError::NotEmpty { dir: dir.to_path_buf() });
        }
        let files = AuthorityFiles::new(dir);
        let mut issued = IssuedCertificates::empty(files.issued.clone());
        issued.crl_number = 1;
        let crl = signer.revocation_list(1, standard_crl_period(clock)?, &[])?;
        folder::write(&files.key, signer.key_pem().as_bytes(), Readers::Owner)?;
        issued.write()?;
        folder::write(&files.crl, crl.as_bytes(), Readers::Anybody)?;
        // The certificate comes last: a folder with one is complete.
        folder::write(&files.certificate, signer.certificate_pem.as_bytes(), Readers::Anybody)?;
        let lock = lock(&files)?;
        Ok(Self { files, signer, issued, clock, entropy, _lock: lock })
    }

    /// Opens an authority to issue, renew and revoke.
    pub fn open(
        dir: &Path,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, PkiError> {
        let files = AuthorityFiles::new(dir);
        files.certificate_facts()?;
        let lock = lock(&files)?;
        folder::require_private(&files.key)?;
        let signer = Signer::from_pem(read(&files.certificate)?, &read(&files.key)?);
        let signer = signer.map_err(|source| {
            let file = if source == Unparseable::Key { &files.key } else { &files.certificate };
            unparseable(file, source)
        })?;
        if !signer.has_own_key() {
            return Err(PkiError::OtherKey { file: files.key });
        }
        let issued = files.issued_certificates()?;
        Ok(Self { files, signer, issued, clock, entropy, _lock: lock })
    }

    /// Its files.
    pub fn files(&self) -> &AuthorityFiles {
        &self.files
    }

    /// Its certificate, which brokers and clients trust.
    pub fn certificate_pem(&self) -> &str {
        &self.signer.certificate_pem
    }

    /// What its certificate says.
    pub fn certificate_facts(&self) -> &CertificateFacts {
        &self.signer.facts
    }

    /// Whose certificates it signs.
    pub fn trust_domain(&self) -> &str {
        &self.signer.trust_domain
    }

    /// The record of what it issued.
    pub fn issued(&self) -> &IssuedCertificates {
        &self.issued
    }

    /// Issues a certificate under its profile's own name.
    pub fn issue(&mut self, profile: &Profile, validity: Validity) -> Result<Issued, PkiError> {
        self.issue_as(&profile.default_name(), profile, validity)
    }

    /// Issues a certificate under a name that no valid certificate has.
    pub fn issue_as(
        &mut self,
        name: &Slug,
        profile: &Profile,
        validity: Validity,
    ) -> Result<Issued, PkiError> {
        self.issue_first(name, profile, validity, None)
    }

    /// Issues a certificate for the key of a request, under a name that no valid certificate has.
    pub fn issue_requested(
        &mut self,
        name: &Slug,
        profile: &Profile,
        validity: Validity,
        request: &CertificateRequest,
    ) -> Result<Issued, PkiError> {
        self.issue_first(name, profile, validity, Some(request))
    }

    fn issue_first(
        &mut self,
        name: &Slug,
        profile: &Profile,
        validity: Validity,
        request: Option<&CertificateRequest>,
    ) -> Result<Issued, PkiError> {
        if name.as_str() == RESERVED {
            return Err(PkiError::NameReserved { name: name.to_string() });
        }
        if self.issued.in_use(name, self.clock.now()) {
            return Err(PkiError::NameTaken { name: name.to_string() });
        }
        self.sign(name.clone(), profile.clone(), validity, request)
    }

    /// Issues the newest certificate of a name, or the one with a serial number, once more, for a new key.
    ///
    /// The older one stays valid until it ends or is revoked, so that both work while they are exchanged.
    pub fn renew(&mut self, name_or_serial: &str, validity: Validity) -> Result<Issued, PkiError> {
        self.issue_again(name_or_serial, validity, None)
    }

    /// The same for the key of a request.
    pub fn renew_requested(
        &mut self,
        name_or_serial: &str,
        validity: Validity,
        request: &CertificateRequest,
    ) -> Result<Issued, PkiError> {
        self.issue_again(name_or_serial, validity, Some(request))
    }

    fn issue_again(
        &mut self,
        name_or_serial: &str,
        validity: Validity,
        request: Option<&CertificateRequest>,
    ) -> Result<Issued, PkiError> {
        let found = self.issued.find(name_or_serial)?;
        let newest = found.into_iter().next_back().ok_or(PkiError::Revoked)?;
        if newest.revoked_at.is_some() {
            return Err(PkiError::Revoked);
        }
        let (name, profile) = (newest.name.clone(), newest.profile.clone());
        self.sign(name, profile, validity, request)
    }

    /// Revokes a certificate, or all of a name, and returns which.
    pub fn revoke(&mut self, name_or_serial: &str) -> Result<Vec<IssuedCertificate>, PkiError> {
        let found = self.issued.revocable(name_or_serial)?;
        let serials: Vec<Serial> = found.into_iter().map(|entry| entry.serial.clone()).collect();
        let now = Timestamp::from_second(self.clock.now().as_second())?;
        let before = self.issued.clone();
        let mut revoked = Vec::new();
        for entry in &mut self.issued.certificates {
            if serials.contains(&entry.serial) {
                entry.revoked_at = Some(now);
                revoked.push(entry.clone());
            }
        }
        self.commit(before, standard_crl_period(self.clock)?)?;
        Ok(revoked)
    }

    /// Makes the revocation list anew, to be replaced before `next_update`.
    pub fn crl_pem(&mut self, next_update: Timestamp) -> Result<String, PkiError> {
        let now = self.clock.now();
        let period = Period::until(now, next_update)?;
        if period.end <= now {
            return Err(PkiError::CrlInThePast);
        }
        self.commit(self.issued.clone(), period)
    }

    /// When the next revocation list is due, if one is made now.
    pub fn next_crl_update(&self, validity: Validity) -> Result<Timestamp, PkiError> {
        let standard = Profiles::built_in().crl.validity_days;
        Ok(validity.period(self.clock.now(), standard)?.end)
    }

    fn sign(
        &mut self,
        name: Slug,
        profile: Profile,
        validity: Validity,
        request: Option<&CertificateRequest>,
    ) -> Result<Issued, PkiError> {
        let period = validity.period(self.clock.now(), profile.rules().validity_days)?;
        let end = self.signer.facts.not_after;
        if period.end > end {
            return Err(PkiError::OutlivesAuthority { end });
        }
        let issued = self.signer.issue(&profile, period, self.draw()?, request)?;
        let before = self.issued.clone();
        self.issued.certificates.push(IssuedCertificate {
            name,
            serial: issued.serial.clone(),
            not_before: issued.not_before,
            not_after: issued.not_after,
            revoked_at: None,
            profile,
        });
        self.commit(before, standard_crl_period(self.clock)?)?;
        Ok(issued)
    }

    fn draw(&self) -> Result<Serial, PkiError> {
        let taken =
            |serial: &Serial| *serial == self.signer.facts.serial || self.issued.is_taken(serial);
        let mut drawn = std::iter::repeat_with(|| draw(self.entropy)).take(DRAWS_MAX);
        drawn.find(|serial| !taken(serial)).ok_or(PkiError::Entropy)
    }

    /// Makes the changed record durable, then its revocation list. What could not be recorded has not happened.
    fn commit(&mut self, before: IssuedCertificates, crl: Period) -> Result<String, PkiError> {
        self.issued.crl_number = before.crl_number.saturating_add(1);
        let list = self.signer.revocation_list(self.issued.crl_number, crl, &self.issued.revoked());
        let recorded = list.and_then(|list| self.issued.write().map(|()| list));
        match recorded {
            Ok(list) => {
                folder::write(&self.files.crl, list.as_bytes(), Readers::Anybody)?;
                Ok(list)
            }
            Err(error) => {
                self.issued = before;
                Err(error)
            }
        }
    }
}

fn standard_crl_period(clock: &dyn Clock) -> Result<Period, PkiError> {
    let now = clock.now();
    Period::until(now, after_days(now, Profiles::built_in().crl.validity_days)?)
}

fn read(file: &Path) -> Result<String, PkiError> {
    fs_err::read_to_string(file).map_err(|error| PkiError::file(file, error))
}

fn unparseable(file: &Path, source: Unparseable) -> PkiError {
    PkiError::Unparseable { file: file.to_path_buf(), source }
}

fn lock(files: &AuthorityFiles) -> Result<fs_err::File, PkiError> {
    let at = &files.certificate;
    let file = fs_err::File::open(at).map_err(|error| PkiError::file(at, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(PkiError::Busy { dir: files.dir.clone() }),
        Err(std::fs::TryLockError::Error(error)) => Err(PkiError::file(at, error)),
    }
}

#[cfg(test)]
mod tests;
