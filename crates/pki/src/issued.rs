//! The record of issued certificates: `issued.toml`, one entry each, never removed.
//!
//! An entry is written before its certificate is handed out, so what is not in the record does not exist. A renewed
//! certificate is a further entry of the same name; the older one stays valid until it ends or is revoked, so that a
//! broker and its clients can change over without losing a call.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use renkei_types::Slug;
use serde::{Deserialize, Serialize};

use crate::error::PkiError;
use crate::folder::{self, Readers};
use crate::profile::Profile;
use crate::serial::Serial;

const HEADER: &str = "\
# Every certificate that this authority issued. Written by `renkei pki`; do not edit.
# Back it up with ca.crt and ca.key: without it no revocation list can be made.

";

/// One issued certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedCertificate {
    /// Its name, also that of its files (`NAME.crt`, `NAME.key`).
    pub name: Slug,
    /// Its serial number.
    pub serial: Serial,
    /// The beginning of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Whose it is.
    pub profile: Profile,
}

/// What has become of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It is believed.
    Valid,
    /// It is believed, but not much longer.
    ExpiresSoon,
    /// It is believed no more, and nothing has taken its place.
    Expired,
    /// A newer one of its name has taken its place; until it ends it is believed too.
    Replaced,
    /// It is on the revocation list.
    Revoked,
}

impl State {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::ExpiresSoon => "expires_soon",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
        }
    }

    /// The state of something that ends, seen from `now`.
    pub fn at(now: Timestamp, end: Timestamp, soon_days: i64) -> Self {
        if end <= now {
            Self::Expired
        } else if days_between(now, end) < soon_days {
            Self::ExpiresSoon
        } else {
            Self::Valid
        }
    }
}

/// Full days from one moment to a later one; negative once it is over.
fn days_between(now: Timestamp, end: Timestamp) -> i64 {
    end.duration_since(now).as_secs().div_euclid(24 * 60 * 60)
}

/// Days before the end of a certificate in which it is said to expire soon.
const SOON_DAYS: i64 = 30;

impl IssuedCertificate {
    /// Full days until it ends; negative once it has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        days_between(now, self.not_after)
    }
}

/// The record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedCertificates {
    /// The number of the last revocation list.
    pub(crate) crl_number: u64,
    /// In the order in which they were issued.
    #[serde(default, rename = "certificate")]
    pub(crate) certificates: Vec<IssuedCertificate>,
    /// The file, for messages.
    #[serde(skip)]
    pub(crate) file: PathBuf,
}

impl IssuedCertificates {
    pub(crate) fn empty(file: PathBuf) -> Self {
        Self { crl_number: 0, certificates: Vec::new(), file }
    }

    /// Reads the record; no key is needed.
    pub fn read(file: &Path) -> Result<Self, PkiError> {
        let text = fs_err::read_to_string(file).map_err(|error| PkiError::file(file, error))?;
        let parsed: Result<Self, toml::de::Error> = toml::from_str(&text);
        let record = parsed.map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            PkiError::Record { file: file.to_path_buf(), line: before.matches('\n').count() + 1 }
        })?;
        Ok(Self { file: file.to_path_buf(), ..record })
    }

    pub(crate) fn write(&self) -> Result<(), PkiError> {
        // Unwrap safety: numbers, texts and dates in tables with text keys are TOML.
        let body = toml::to_string(self).expect("a record is TOML");
        folder::write(&self.file, format!("{HEADER}{body}").as_bytes(), Readers::Anybody)
    }

    /// All of them, in the order in which they were issued.
    pub fn iter(&self) -> impl Iterator<Item = &IssuedCertificate> {
        self.certificates.iter()
    }

    /// Those that a name or a serial number means, oldest first; a name means its renewals too.
    pub fn find(&self, name_or_serial: &str) -> Result<Vec<&IssuedCertificate>, PkiError> {
        let of_name = |name: Slug| self.iter().filter(|entry| entry.name == name).collect();
        let mut found: Vec<_> = name_or_serial.parse().map(of_name).unwrap_or_default();
        if found.is_empty()
            && let Ok(serial) = name_or_serial.parse::<Serial>()
        {
            found = self.iter().filter(|entry| entry.serial == serial).collect();
        }
        if found.is_empty() {
            return Err(PkiError::Unknown { file: self.file.clone() });
        }
        Ok(found)
    }

    /// Those of [`Self::find`] that can still be revoked.
    pub fn revocable(&self, name_or_serial: &str) -> Result<Vec<&IssuedCertificate>, PkiError> {
        let mut found = self.find(name_or_serial)?;
        found.retain(|entry| entry.revoked_at.is_none());
        if found.is_empty() { Err(PkiError::Revoked) } else { Ok(found) }
    }

    /// What has become of one of them.
    pub fn state(&self, entry: &IssuedCertificate, now: Timestamp) -> State {
        let newest = self.certificates.iter().rfind(|other| other.name == entry.name);
        if entry.revoked_at.is_some() {
            State::Revoked
        } else if newest.is_some_and(|newest| newest.serial != entry.serial) {
            State::Replaced
        } else {
            State::at(now, entry.not_after, SOON_DAYS)
        }
    }

    pub(crate) fn is_taken(&self, serial: &Serial) -> bool {
        self.certificates.iter().any(|entry| entry.serial == *serial)
    }

    /// Whether a certificate of this name is, or may still be, in use.
    pub(crate) fn in_use(&self, name: &Slug, now: Timestamp) -> bool {
        self.certificates
            .iter()
            .any(|entry| entry.name == *name && entry.revoked_at.is_none() && entry.not_after > now)
    }

    pub(crate) fn revoked(&self) -> Vec<(Serial, Timestamp)> {
        let revoked = |entry: &IssuedCertificate| Some((entry.serial.clone(), entry.revoked_at?));
        self.certificates.iter().filter_map(revoked).collect()
    }
}
