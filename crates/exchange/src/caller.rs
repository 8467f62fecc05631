//! Who calls.

use renkei_types::{Digest, Identity};

/// A client whose certificate has been checked. Only the transport makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The one name in its certificate.
    pub identity: Identity,
    /// SHA-256 of its certificate.
    pub certificate: Digest,
    /// SHA-256 of the authority's certificate.
    pub authority: Digest,
}
