//! Visitors: what a listener asks of those who connect, and what it then knows of them.
//!
//! There are two kinds, and a listener is for one of them. A [`Peer`] has proved who it is, and everything is served to
//! peers. [`Anonymous`] has no certificate yet and wants its first one; it reaches a port on which nothing else is served.
//! Invariant: the kinds are types, so that a connection without a certificate cannot be taken for one with.

use std::sync::Arc;

use rustls::ServerConfig;

use super::credentials::CredentialStore;
use super::peer::Peer;
use super::refusal::Refusal;

/// Who is at the other end of a connection.
pub trait Visitor: Clone + Send + Sync + Unpin + 'static {
    /// The settings of handshakes.
    fn settings(credentials: &CredentialStore) -> Arc<ServerConfig>;

    /// What is known after a handshake, of what was presented in it.
    fn admitted(presented: Option<Result<Peer, Refusal>>) -> Result<Self, Refusal>;

    /// Whether the visitor may still be served.
    fn check(&self, credentials: &CredentialStore) -> Result<(), Refusal>;
}

impl Visitor for Arc<Peer> {
    fn settings(credentials: &CredentialStore) -> Arc<ServerConfig> {
        credentials.current().server_config()
    }

    fn admitted(presented: Option<Result<Peer, Refusal>>) -> Result<Self, Refusal> {
        // The verifier demands a certificate, so a finished handshake without a peer cannot be.
        presented.unwrap_or(Err(Refusal::CertificateMissing)).map(Self::new)
    }

    fn check(&self, credentials: &CredentialStore) -> Result<(), Refusal> {
        Peer::check(self, credentials, credentials.now())
    }
}

/// Somebody of whom nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct Anonymous;

impl Visitor for Anonymous {
    fn settings(credentials: &CredentialStore) -> Arc<ServerConfig> {
        credentials.current().anonymous_config()
    }

    fn admitted(_: Option<Result<Peer, Refusal>>) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn check(&self, _: &CredentialStore) -> Result<(), Refusal> {
        Ok(())
    }
}
