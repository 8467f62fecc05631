//! Credentials: the certificate, key, authorities and revocation lists in use, replaced while the broker runs.
//!
//! The four files are read again every few seconds and compared by content, since a copy may keep the time and the size
//! of the old file. New files count only if all of them fit together; until then the old ones stay in use, so half a
//! rotation (new certificate, old key) breaks nothing and is over at the next look.
//!
//! Invariant: what is in use is one consistent state of the four files. A list past its end is not replaced by nothing:
//! it stays, and everybody is refused.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use renkei_types::{Digest, DigestBuilder};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use tokio::sync::watch;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use super::authority::Authority;
use super::expiry::{Ends, Notices};
use super::peer::{Peer, timestamp};
use super::refusal::Refusal;
use super::tls::{ClientVerifier, SharedClock, anonymous_config, client_verifier, server_config};
use super::tls_error::TlsError;
use crate::config::TlsConfig;
use crate::telemetry;

/// One consistent state of the four files.
pub(super) struct Credentials {
    server_config: Arc<ServerConfig>,
    anonymous_config: Arc<ServerConfig>,
    verifier: Arc<ClientVerifier>,
    authorities: Arc<[Authority]>,
    not_after: Timestamp,
    digest: Digest,
}

impl Credentials {
    /// The settings for new handshakes.
    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        self.server_config.clone()
    }

    /// The settings for handshakes in which no certificate is asked of clients.
    pub(super) fn anonymous_config(&self) -> Arc<ServerConfig> {
        self.anonymous_config.clone()
    }

    /// The authorities with their revocation lists.
    pub(super) fn authorities(&self) -> &[Authority] {
        &self.authorities
    }
}

/// What a look at the files brought.
#[derive(Debug)]
pub enum Reload {
    /// Nothing has changed since the last look, good or bad.
    Unchanged,
    /// New files are in use.
    Replaced,
    /// The files changed and do not fit together; the old ones stay in use.
    Kept(TlsError),
}

/// The credentials in use and where new ones come from.
pub struct CredentialStore {
    files: TlsConfig,
    trust_domain: Arc<str>,
    clock: SharedClock,
    current: ArcSwap<Credentials>,
    in_use: watch::Sender<Digest>,
    watched: Mutex<Watched>,
}

/// What the last looks saw, so that nothing is logged twice.
struct Watched {
    seen: Fingerprint,
    notices: Notices,
}

/// Digests of the four files; none for one that cannot be read.
type Fingerprint = [Option<Digest>; 4];

/// The contents of the four files.
struct Contents {
    certificate: Result<Vec<u8>, TlsError>,
    key: Result<Zeroizing<Vec<u8>>, TlsError>,
    client_ca: Result<Vec<u8>, TlsError>,
    crl: Result<Vec<u8>, TlsError>,
}

impl CredentialStore {
    /// Loads the files, all of which must be usable.
    pub fn open(
        files: TlsConfig,
        trust_domain: &str,
        clock: SharedClock,
    ) -> Result<Self, TlsError> {
        let trust_domain: Arc<str> = trust_domain.into();
        let contents = Contents::read(&files);
        let watched =
            Mutex::new(Watched { seen: contents.fingerprint(), notices: Notices::default() });
        let current = contents.load(&files, &trust_domain, &clock)?;
        let (in_use, _) = watch::channel(current.digest);
        let current = ArcSwap::from_pointee(current);
        let store = Self { files, trust_domain, clock, current, in_use, watched };
        store.warn_of_ends();
        Ok(store)
    }

    /// The time by which certificates are judged.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Looks at the files and takes new ones into use. Reads files, so not for the runtime's own threads; see
    /// [`CredentialStore::keep_fresh`].
    pub fn reload(&self) -> Reload {
        let contents = Contents::read(&self.files);
        let fingerprint = contents.fingerprint();
        // Unwrap safety: a poisoned lock holds a fingerprint all the same, at worst an older one.
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.seen == fingerprint {
            drop(watched);
            self.warn_of_ends();
            return Reload::Unchanged;
        }
        watched.seen = fingerprint;
        let reload = match contents.load(&self.files, &self.trust_domain, &self.clock) {
            Ok(credentials) => {
                let digest = credentials.digest;
                self.current.store(Arc::new(credentials));
                self.in_use.send_replace(digest);
                tracing::info!("new TLS files are in use");
                Reload::Replaced
            }
            Err(error) => {
                tracing::error!(%error, "the new TLS files are not usable; the old ones stay in use");
                Reload::Kept(error)
            }
        };
        drop(watched);
        telemetry::tls_reloaded(matches!(reload, Reload::Replaced));
        self.warn_of_ends();
        reload
    }

    /// Looks at the files every `reload_interval`, for as long as it is polled.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.files.reload_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let store = self.clone();
            let looked = tokio::task::spawn_blocking(move || store.reload()).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the look at the TLS files failed; trying again");
            }
        }
    }

    /// The digest of the files that everybody may see (not the key), and a call back whenever others are in use.
    pub fn in_use(&self) -> watch::Receiver<Digest> {
        self.in_use.subscribe()
    }

    /// Whom a certificate in PEM form, with those between it and an authority after it, would let in at this moment, and
    /// SHA-256 of its public key.
    pub fn vouch(&self, pem: &str) -> Result<(Peer, Digest), Refusal> {
        let malformed = Refusal::CertificateMalformed;
        let chain: Result<Vec<CertificateDer<'_>>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let chain = chain.map_err(|_| malformed)?;
        let (certificate, between) = chain.split_first().ok_or(malformed)?;
        let seconds = u64::try_from(self.now().as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let verified = self.current().verifier.verify(certificate, between, now);
        let peer = verified.map_err(|(refusal, _)| refusal)?;
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| malformed)?;
        Ok((peer, Digest::of(parsed.public_key().raw)))
    }

    pub(super) fn current(&self) -> arc_swap::Guard<Arc<Credentials>> {
        self.current.load()
    }

    /// Shows what the files have left, and tells what ends soon.
    fn warn_of_ends(&self) {
        let now = self.clock.now();
        let credentials = self.current.load();
        let first =
            |end: fn(&Authority) -> Timestamp| credentials.authorities.iter().map(end).min();
        let certificate = credentials.not_after;
        let ends = Ends {
            certificate,
            // There is an authority at least, or the files would not have been taken into use.
            authority: first(Authority::not_after).unwrap_or(certificate),
            revocation_list: first(Authority::next_update).unwrap_or(certificate),
        };
        telemetry::certificate_ends_in(remaining(now, ends.certificate));
        telemetry::authority_ends_in(remaining(now, ends.authority));
        telemetry::revocation_list_ends_in(remaining(now, ends.revocation_list));
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.notices.give(now, &ends);
    }
}

impl std::fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialStore").field("files", &self.files).finish_non_exhaustive()
    }
}

fn remaining(now: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO)
}

impl Contents {
    fn read(files: &TlsConfig) -> Self {
        let read = |file: &Path| {
            fs_err::read(file).map_err(|error| TlsError::Unreadable {
                file: file.to_owned(),
                source: error.kind().into(),
            })
        };
        Self {
            certificate: read(&files.certificate),
            key: read(&files.key).map(Zeroizing::new),
            client_ca: read(&files.client_ca),
            crl: read(&files.crl),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let digest = |content: &Result<Vec<u8>, TlsError>| {
            content.as_ref().ok().map(|content| Digest::of(content))
        };
        let key = self.key.as_ref().ok().map(|content| Digest::of(content));
        [digest(&self.certificate), key, digest(&self.client_ca), digest(&self.crl)]
    }

    fn public_digest(&self) -> Digest {
        let mut digest = DigestBuilder::new();
        for content in [&self.certificate, &self.client_ca, &self.crl] {
            digest.field(content.as_deref().unwrap_or_default());
        }
        digest.finish()
    }

    fn load(
        self,
        files: &TlsConfig,
        trust_domain: &Arc<str>,
        clock: &SharedClock,
    ) -> Result<Credentials, TlsError> {
        let digest = self.public_digest();
        let chain: Vec<CertificateDer<'static>> =
            sections(&self.certificate?, &files.certificate, "CERTIFICATE")?;
        let key = PrivateKeyDer::from_pem_slice(&self.key?)
            .map_err(|error| pem_error(&error, &files.key, "PRIVATE KEY"))?;
        let roots: Vec<CertificateDer<'static>> =
            sections(&self.client_ca?, &files.client_ca, "CERTIFICATE")?;
        let lists: Vec<CertificateRevocationListDer<'static>> =
            sections(&self.crl?, &files.crl, "X509 CRL")?;

        let authorities: Arc<[Authority]> = roots
            .into_iter()
            .map(|root| Authority::new(root, &lists, &files.client_ca, &files.crl))
            .collect::<Result<_, _>>()?;
        let malformed = || TlsError::Malformed { file: files.certificate.clone() };
        let not_after = chain
            .first()
            .and_then(|certificate| X509Certificate::from_der(certificate).ok())
            .and_then(|(_, certificate)| timestamp(certificate.validity().not_after))
            .ok_or_else(malformed)?;
        let verifier = client_verifier(authorities.clone(), &lists, trust_domain.clone())?;
        let unusable = |source| TlsError::KeyUnusable { file: files.key.clone(), source };
        let server_config = server_config(chain, key, Arc::clone(&verifier) as _, clock.clone());
        let server_config = server_config.map_err(unusable)?;
        let anonymous_config = anonymous_config(&server_config, clock.clone());
        let anonymous_config = Arc::new(anonymous_config.map_err(unusable)?);
        let server_config = Arc::new(server_config);
        Ok(Credentials {
            server_config,
            anonymous_config,
            verifier,
            authorities,
            not_after,
            digest,
        })
    }
}

/// All PEM sections of the kind, at least one.
fn sections<T: PemObject>(
    content: &[u8],
    file: &Path,
    wanted: &'static str,
) -> Result<Vec<T>, TlsError> {
    let sections: Vec<T> = T::pem_slice_iter(content)
        .collect::<Result<_, _>>()
        .map_err(|error| pem_error(&error, file, wanted))?;
    if sections.is_empty() {
        return Err(TlsError::Empty { file: file.to_owned(), wanted });
    }
    Ok(sections)
}

fn pem_error(error: &pem::Error, file: &Path, wanted: &'static str) -> TlsError {
    let file = file.to_owned();
    if matches!(error, pem::Error::NoItemsFound) {
        TlsError::Empty { file, wanted }
    } else {
        TlsError::Malformed { file }
    }
}
