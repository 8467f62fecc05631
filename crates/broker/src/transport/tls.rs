//! TLS settings: version 1.3, HTTP/2, and a certificate that the client must show.
//!
//! Sessions are never resumed: a resumed session skips the look at the certificate, and with it the revocation list. A
//! whole handshake costs under a millisecond, and a client keeps its connection for minutes. Every reload builds new
//! settings, so nothing of the old ones lives on.
//!
//! The verifier is rustls' own with a second look behind it: the chain, the time and the revocation list are checked
//! there, the identity here, so that a client with a good chain and no identity fails in the handshake as well.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use renkei_types::{Clock, Digest};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme,
};

use super::authority::Authority;
use super::peer::Peer;
use super::refusal::Refusal;
use super::tls_error::TlsError;

/// A clock that connections can share.
pub(super) type SharedClock = Arc<dyn Clock + Send + Sync>;

/// What the client presented in the handshake that the present task is in.
#[derive(Debug)]
pub(super) struct Presented {
    /// SHA-256 of its certificate.
    pub(super) certificate: Digest,
    /// Who it is, or why it is nobody.
    pub(super) peer: Result<Peer, Refusal>,
}

tokio::task_local! {
    /// rustls keeps nothing of a certificate that it refused, yet the audit log wants its digest. The verifier runs
    /// inside the task of the handshake, so it can leave the digest there.
    pub(super) static PRESENTED: RefCell<Option<Presented>>;
}

/// Clients send their own certificate and at most an authority's or two. More would only cost time.
const INTERMEDIATES_MAX: usize = 4;

/// Settings for the broker's certificate `chain` and its key; `Err` with what rustls says.
pub(super) fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    verifier: Arc<dyn ClientCertVerifier>,
    clock: SharedClock,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Settings for a port on which clients show no certificate, with the same certificate and key of the broker.
pub(super) fn anonymous_config(
    config: &ServerConfig,
    clock: SharedClock,
) -> Result<ServerConfig, rustls::Error> {
    let mut anonymous = ServerConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    anonymous.alpn_protocols = config.alpn_protocols.clone();
    anonymous.session_storage = Arc::new(NoServerSessionStorage {});
    anonymous.send_tls13_tickets = 0;
    Ok(anonymous)
}

/// The verifier of clients of these authorities. A client without a certificate, of unknown revocation status or with a
/// list past its end is refused. Each authority has a verifier of its own: lists are looked up by the name of who issued them,
/// and an authority that replaces another may have the same one.
pub(super) fn client_verifier(
    authorities: Arc<[Authority]>,
    lists: &[CertificateRevocationListDer<'static>],
    trust_domain: Arc<str>,
) -> Result<Arc<ClientVerifier>, TlsError> {
    let settings = |reason: String| TlsError::Settings { reason };
    let chain = |authority: &Authority| {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().clone()).map_err(|error| settings(error.to_string()))?;
        let own = lists.iter().filter(|list| !authority.has_namesakes_list(list)).cloned();
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .with_crls(own)
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| settings(error.to_string()))
    };
    let chains = authorities.iter().map(chain).collect::<Result<Vec<_>, _>>()?;
    let mut hints: Vec<DistinguishedName> = Vec::new();
    for hint in chains.iter().flat_map(|chain| chain.root_hint_subjects()) {
        if !hints.iter().any(|known| known.as_ref() == hint.as_ref()) {
            hints.push(hint.clone());
        }
    }
    let algorithms = provider().signature_verification_algorithms;
    Ok(Arc::new(ClientVerifier { chains, hints, algorithms, authorities, trust_domain }))
}

/// The one crypto provider. Named explicitly, because rustls panics on a default when another crate brings a second one.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Our clock as rustls wants it.
struct ClockTime(SharedClock);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// Whom the broker believes.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    /// One for each authority.
    chains: Vec<Arc<dyn ClientCertVerifier>>,
    /// The names of the authorities, each once, as clients are told them.
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
    authorities: Arc<[Authority]>,
    trust_domain: Arc<str>,
}

impl ClientVerifier {
    /// Who shows this certificate, with those between it and an authority.
    pub(super) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Peer, (Refusal, rustls::Error)> {
        let refuse = |refusal| {
            let error = CertificateError::ApplicationVerificationFailure;
            (refusal, rustls::Error::InvalidCertificate(error))
        };
        if intermediates.len() > INTERMEDIATES_MAX {
            return Err(refuse(Refusal::ChainTooLong));
        }
        let mut refused = refuse(Refusal::AuthorityUnknown);
        let is_good = self.chains.iter().any(|chain| {
            let Err(error) = chain.verify_client_cert(certificate, intermediates, now) else {
                return true;
            };
            // What the authority says whose client it is; the others do not know it.
            if refused.0 == Refusal::AuthorityUnknown {
                refused = (Refusal::of_tls(&error), error);
            }
            false
        });
        if !is_good {
            return Err(refused);
        }
        Peer::of_certificate(certificate, &self.authorities, &self.trust_domain).map_err(refuse)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let (peer, verified) = match self.verify(certificate, intermediates, now) {
            Ok(peer) => (Ok(peer), Ok(ClientCertVerified::assertion())),
            Err((refusal, error)) => (Err(refusal), Err(error)),
        };
        let presented = Presented { certificate: Digest::of(certificate), peer };
        // Outside a handshake task nobody asks for it, and then there is no connection either.
        let _ = PRESENTED.try_with(|slot| slot.replace(Some(presented)));
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
