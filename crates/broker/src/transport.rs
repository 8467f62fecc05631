//! Transport: who may connect, and what a connection may cost.
//!
//! Every client proves itself with a certificate before its first byte is read, and every call looks again whether the
//! certificate is still good, because revocation alone does not touch a connection that is open. tonic's own TLS has no
//! revocation lists, so the handshake is done here with rustls and tonic is handed finished connections.
//!
//! ```text
//! socket -> Admission (how many) -> rustls (who) -> Connection (how long) -> tonic (how much at once)
//! ```
//!
//! Invariant: a [`Connection`] of the listener that serves everything has a [`Peer`]; there is no way to be served by it
//! without one. A second listener, for enrolment alone, asks for no certificate: see [`Anonymous`].
//! What a peer may do is left to the gate.

mod admission;
mod authority;
mod connection;
mod credentials;
mod expiry;
mod listener;
mod pace;
mod peer;
mod refusal;
mod server;
mod tls;
mod tls_error;
mod turn;
mod unread;
mod visitor;

pub use connection::Connection;
pub use credentials::{CredentialStore, Reload};
pub use listener::Listener;
pub use peer::{Peer, Serial};
pub use refusal::{Refusal, Refusals, RefusedHandshake};
pub use server::{Drained, ServeError, serve, server};
pub use tls_error::TlsError;
pub use visitor::{Anonymous, Visitor};
