//! What kinds of certificates there are.
//!
//! The rules are read from `certs/profiles.toml`, which is compiled in: the file that people read is the one that is used.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::LazyLock;

use renkei_types::{Identity, Slug};
use serde::{Deserialize, Serialize};

use crate::host_name::HostName;

/// What a certificate is issued for. An authority is not among them: it signs itself, once, when its folder is made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Profile {
    /// A broker, which proves its names to its clients.
    Broker {
        /// The DNS names by which clients call it.
        #[serde(default)]
        dns: Vec<HostName>,
        /// The addresses by which clients call it.
        #[serde(default)]
        ips: Vec<IpAddr>,
    },
    /// A system or a person, which proves its identity to the broker.
    Client {
        /// Who it is.
        identity: Identity,
    },
}

impl Profile {
    /// The name under which it is recorded and its files are kept, unless another is wanted.
    pub fn default_name(&self) -> Slug {
        match self {
            // Unwrap safety: the word is a slug.
            Self::Broker { .. } => "broker".parse().expect("a slug"),
            Self::Client { identity } => identity.name().clone(),
        }
    }

    /// The rules of `certs/profiles.toml` that hold for it.
    pub fn rules(&self) -> &'static ProfileRules {
        match self {
            Self::Broker { .. } => &Profiles::built_in().broker,
            Self::Client { .. } => &Profiles::built_in().client,
        }
    }
}

/// A key and signature algorithm.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// ECDSA on the curve P-256 with SHA-256.
    EcdsaP256Sha256,
}

/// What the key of a certificate may do (RFC 5280, 4.2.1.3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum KeyUsage {
    /// Sign what proves the possession of the key, as TLS 1.3 does.
    DigitalSignature,
    /// Sign certificates.
    KeyCertSign,
    /// Sign revocation lists.
    CrlSign,
    /// Anything else; no profile has it.
    #[serde(skip)]
    Other,
}

/// On which side of a connection a certificate may stand (RFC 5280, 4.2.1.12).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum ExtendedKeyUsage {
    /// The server's.
    ServerAuth,
    /// The client's.
    ClientAuth,
    /// Anything else; no profile has it.
    #[serde(skip)]
    Other,
}

/// A kind of subject alternative name (RFC 5280, 4.2.1.6).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// A DNS name.
    Dns,
    /// An IP address.
    Ip,
    /// A URI.
    Uri,
    /// Anything else; no profile has it.
    #[serde(skip)]
    Other,
}

/// What all certificates of one profile have in common.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ProfileRules {
    /// Days of validity, unless others are wanted.
    pub validity_days: NonZeroU16,
    /// Whether it may sign certificates (basic constraints, critical).
    pub ca: bool,
    /// How many authorities may stand below it.
    pub path_length: Option<u8>,
    /// What its key may do (critical).
    pub key_usage: Vec<KeyUsage>,
    /// On which side of a connection it may stand; empty: none.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// The kinds of names it may have.
    pub subject_alternative_names: Vec<NameKind>,
}

/// What all revocation lists have in common.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CrlRules {
    /// Days until the next one must be there, unless others are wanted.
    pub validity_days: NonZeroU16,
}

/// The file `certs/profiles.toml`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The algorithm of all keys and signatures.
    pub algorithm: Algorithm,
    /// Random bytes of a serial number.
    pub serial_bytes: u8,
    /// How long before it is issued a certificate begins.
    pub backdate_minutes: u16,
    /// The authority.
    pub authority: ProfileRules,
    /// Brokers.
    pub broker: ProfileRules,
    /// Systems and people.
    pub client: ProfileRules,
    /// Revocation lists.
    pub crl: CrlRules,
}

static BUILT_IN: LazyLock<Profiles> = LazyLock::new(|| {
    // Unwrap safety: the file is part of the program, and a test of this module parses it.
    toml::from_str(include_str!("../../../certs/profiles.toml")).expect("the profiles parse")
});

impl Profiles {
    /// The profiles of this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_promise_what_the_broker_relies_on() {
        let profiles = Profiles::built_in();
        let Profiles { authority, broker, client, .. } = profiles;
        assert_eq!(profiles.algorithm, Algorithm::EcdsaP256Sha256);
        assert_eq!((profiles.serial_bytes, profiles.backdate_minutes), (16, 5));
        assert_eq!((authority.ca, authority.path_length), (true, Some(0)));
        assert_eq!(authority.key_usage, [KeyUsage::KeyCertSign, KeyUsage::CrlSign]);
        assert_eq!(broker.extended_key_usage, [ExtendedKeyUsage::ServerAuth]);
        assert_eq!(broker.subject_alternative_names, [NameKind::Dns, NameKind::Ip]);
        assert_eq!(client.extended_key_usage, [ExtendedKeyUsage::ClientAuth]);
        assert_eq!(client.subject_alternative_names, [NameKind::Uri]);
        for leaf in [broker, client] {
            assert_eq!((leaf.ca, leaf.path_length), (false, None));
            assert_eq!(leaf.key_usage, [KeyUsage::DigitalSignature]);
        }
        let days = [authority, broker, client].map(|rules| rules.validity_days.get());
        assert_eq!((days, profiles.crl.validity_days.get()), ([3650, 365, 365], 30));
    }

    #[test]
    fn a_misspelt_profile_is_not_read() {
        let text = include_str!("../../../certs/profiles.toml");
        for (right, wrong) in [("server_auth", "server"), ("path_length", "path_len"), ("365", "0")]
        {
            assert!(toml::from_str::<Profiles>(&text.replace(right, wrong)).is_err(), "{wrong}");
        }
    }
}
