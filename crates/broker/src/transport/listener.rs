//! The listener: from a socket to a [`Connection`], one task for each handshake.
//!
//! The loop that accepts never waits for a client and never ends by itself: what a client does happens in its own task
//! within `handshake_timeout`, and an error of the system, such as no file descriptors left, is waited out.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::admission::{Admission, Place};
use super::connection::{Connection, Signals};
use super::credentials::CredentialStore;
use super::peer::Peer;
use super::refusal::{Refusal, Refusals, RefusedHandshake};
use super::tls::PRESENTED;
use super::visitor::{Anonymous, Visitor};
use crate::config::Limits;
use crate::telemetry;

/// An open port for one kind of visitors.
pub struct Listener<V: Visitor = Arc<Peer>> {
    socket: TcpListener,
    doorman: Arc<Doorman>,
    admission: Arc<Admission>,
    visitors: PhantomData<V>,
}

/// What every handshake needs.
struct Doorman {
    credentials: Arc<CredentialStore>,
    refusals: Arc<dyn Refusals>,
    limits: Limits,
    signals: Signals,
}

impl Listener<Arc<Peer>> {
    /// Opens the port for those who have a certificate. Nobody is accepted before [`serve`](super::serve).
    pub async fn bind(
        address: SocketAddr,
        credentials: Arc<CredentialStore>,
        refusals: Arc<dyn Refusals>,
        limits: &Limits,
    ) -> io::Result<Self> {
        Self::open(address, credentials, refusals, limits).await
    }
}

impl Listener<Anonymous> {
    /// Opens a port on which no certificate is asked of clients.
    pub async fn bind_enrolment(
        address: SocketAddr,
        credentials: Arc<CredentialStore>,
        refusals: Arc<dyn Refusals>,
        limits: &Limits,
    ) -> io::Result<Self> {
        Self::open(address, credentials, refusals, limits).await
    }
}

impl<V: Visitor> Listener<V> {
    async fn open(
        address: SocketAddr,
        credentials: Arc<CredentialStore>,
        refusals: Arc<dyn Refusals>,
        limits: &Limits,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let admission = Admission::new(limits);
        let signals = Signals::default();
        let doorman = Doorman { credentials, refusals, limits: limits.clone(), signals };
        Ok(Self { socket, doorman: Arc::new(doorman), admission, visitors: PhantomData })
    }

    /// Where it listens, with the port that the system chose if none was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What its connections obey.
    pub(super) fn signals(&self) -> Signals {
        self.doorman.signals.clone()
    }

    /// Accepts for as long as it is polled, or until nobody takes the connections. Dropping it closes the port and ends
    /// the handshakes that are under way.
    pub(super) async fn accept(self, connections: mpsc::Sender<Connection<V>>) {
        let mut handshakes = JoinSet::new();
        while !connections.is_closed() {
            let (socket, address) = patiently(|| self.socket.accept()).await;
            while handshakes.try_join_next().is_some() {}
            match self.admission.admit(address.ip()) {
                Ok(place) => {
                    let (doorman, connections) = (self.doorman.clone(), connections.clone());
                    handshakes.spawn(async move {
                        match doorman.handshake(socket, place).await {
                            // The server is gone only if the broker stops; then so does the client.
                            Ok(connection) => drop(connections.send(connection).await),
                            Err(refused) => doorman.refuse(address, refused),
                        }
                    });
                }
                Err(refusal) => {
                    self.doorman.refuse(address, RefusedHandshake { refusal, certificate: None });
                }
            }
        }
    }
}

impl Doorman {
    fn refuse(&self, address: SocketAddr, refused: RefusedHandshake) {
        telemetry::handshake_refused(refused.refusal);
        self.refusals.refused(address, refused);
    }

    async fn handshake<V: Visitor>(
        &self,
        socket: TcpStream,
        place: Place,
    ) -> Result<Connection<V>, RefusedHandshake> {
        let unknown = |refusal| RefusedHandshake { refusal, certificate: None };
        // Answers are small and waited for. A socket that refuses this is broken and fails at once.
        socket.set_nodelay(true).map_err(|_| unknown(Refusal::ConnectionLost))?;
        let acceptor = TlsAcceptor::from(V::settings(&self.credentials));
        let accept = PRESENTED.scope(RefCell::default(), async {
            let accepted = acceptor.accept(socket).await;
            (accepted, PRESENTED.with(RefCell::take))
        });
        let (accepted, presented) = tokio::time::timeout(self.limits.handshake_timeout, accept)
            .await
            .map_err(|_| unknown(Refusal::HandshakeTimeout))?;

        let certificate = presented.as_ref().map(|presented| presented.certificate);
        let refuse = |refusal| RefusedHandshake { refusal, certificate };
        let presented = presented.map(|presented| presented.peer);
        if let Some(Err(refusal)) = &presented {
            return Err(refuse(*refusal));
        }
        let stream = accepted.map_err(|error| refuse(Refusal::of_io(&error)))?;
        let visitor = V::admitted(presented).map_err(refuse)?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(refuse(Refusal::H2NotOffered));
        }
        let signals = self.signals.clone();
        let credentials = Arc::clone(&self.credentials);
        Ok(Connection::new(stream, visitor, place, signals, credentials, &self.limits))
    }
}

impl<V: Visitor> std::fmt::Debug for Listener<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("socket", &self.socket).finish_non_exhaustive()
    }
}

const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MOST: Duration = Duration::from_secs(1);

/// What `accept` brings once it succeeds. A client that is gone again is no reason to wait; anything else, such as no
/// file descriptors, is of the system and gets better only with time.
async fn patiently<T, F: Future<Output = io::Result<T>>>(mut accept: impl FnMut() -> F) -> T {
    let mut backoff = BACKOFF_FIRST;
    loop {
        let error = match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        telemetry::accept_failed();
        let client_is_gone = [
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionRefused,
        ]
        .contains(&error.kind());
        if client_is_gone {
            continue;
        }
        if backoff == BACKOFF_FIRST {
            tracing::warn!(%error, "no connection can be accepted at present; trying again");
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn accepting_survives_the_lack_of_file_descriptors() {
        const EMFILE: i32 = 24;
        let (mut attempts, began) = (0_u32, tokio::time::Instant::now());
        let accepted = patiently(|| {
            attempts += 1;
            std::future::ready(if attempts < 20 {
                Err(io::Error::from_raw_os_error(EMFILE))
            } else {
                Ok("a client")
            })
        })
        .await;
        assert_eq!((accepted, attempts), ("a client", 20));
        // It neither spins nor sleeps long: 10 ms, doubled up to a second.
        let waited = began.elapsed();
        assert!(waited > Duration::from_secs(10) && waited < Duration::from_secs(20), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_gone_again_costs_no_time() {
        let mut gone = true;
        let began = tokio::time::Instant::now();
        patiently(|| {
            std::future::ready(if std::mem::take(&mut gone) {
                Err(io::ErrorKind::ConnectionAborted.into())
            } else {
                Ok(())
            })
        })
        .await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
