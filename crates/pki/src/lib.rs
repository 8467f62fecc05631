//! Certificate profiles and the ceremony that issues them.
//!
//! A broker believes a client because of one sentence in its certificate, the SPIFFE URI; whoever can have a certificate
//! issued can be anybody. So there is one small authority in a folder, three profiles, and a record of all that was
//! issued:
//!
//! ```text
//! DIR/ca.crt        who signs                       certs/profiles.toml   what is signed (compiled in)
//! DIR/ca.key        mode 0600, never leaves         DIR/issued.toml       what was signed, and what was revoked
//! DIR/crl.pem       what is no longer believed
//! ```
//!
//! A certificate is in the record before anybody holds it, so that what exists can be revoked. Time and the chance of
//! serial numbers are passed in; keys and signatures take their chance from the system itself, inside `rcgen` and aws-lc,
//! and cannot be reproduced from a seed.
//!
//! Left to others: believing certificates (the broker's TLS), roles (the directory), and moving keys to whom they belong.

mod authority;
mod client_file;
mod error;
mod facts;
mod folder;
mod host_name;
mod identity_file;
mod issued;
pub mod misissue;
mod profile;
mod request;
mod serial;
mod signer;
mod validity;

pub use authority::{Authority, AuthorityFiles};
pub use client_file::{BrokerAddress, ClientFile, InvalidAddress};
pub use error::PkiError;
pub use facts::{CertificateFacts, CrlFacts, Unparseable};
pub use folder::CertificateFiles;
pub use host_name::{HostName, InvalidHostName};
pub use identity_file::IdentityFile;
pub use issued::{IssuedCertificate, IssuedCertificates, State};
pub use profile::{
    Algorithm, CrlRules, ExtendedKeyUsage, KeyUsage, NameKind, Profile, ProfileRules, Profiles,
};
pub use request::{CertificateRequest, NewKey};
pub use serial::{InvalidSerial, Serial};
pub use signer::Issued;
pub use validity::{NOTICE_DAYS, Validity, expiry_notice};
