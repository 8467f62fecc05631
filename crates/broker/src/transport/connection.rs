//! Connections: a finished handshake, its peer, and the time it has.
//!
//! HTTP/2 waits for a client's preface without an end, even during a shutdown, so a client that finishes the handshake
//! and then says nothing would hold the server for ever. Here it has `preface_timeout`, and none at all once the broker
//! stops. tonic asks a client of `connection_age_max` to come again, but with a grace it would cut the connection without
//! asking; so tonic asks, and the cut is here.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use renkei_types::Digest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, Sleep};
use tokio_rustls::server::TlsStream;
use tokio_stream::Stream as _;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::admission::Place;
use super::credentials::CredentialStore;
use super::peer::Peer;
use super::turn::Turn;
use super::visitor::Visitor;
use crate::config::Limits;
use crate::telemetry;

/// `PRI * HTTP/2.0`, two line ends, `SM`, two line ends (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;

/// How often an open connection's certificate is looked at, besides the look at every call.
const RECHECK_INTERVAL: Duration = Duration::from_secs(30);

/// How soon it is looked at when new files are in use. A moment later than at once, so that a call that comes first is refused
/// with its reason, instead of losing its connection.
const RECHECK_AFTER_RELOAD: Duration = Duration::from_secs(2);

/// A connection of a visitor. tonic puts who it is into the extensions of every request, a [`Peer`] as `Arc<Peer>`.
pub struct Connection<V: Visitor = Arc<Peer>> {
    stream: TlsStream<TcpStream>,
    visitor: V,
    phase: Phase,
    /// When the present phase has taken too long.
    deadline: Pin<Box<Sleep>>,
    /// What ends the present phase early.
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    /// When the connection has to be over, for the next phase.
    over: Instant,
    turn: Turn,
    signals: Signals,
    credentials: Arc<CredentialStore>,
    /// When the visitor is looked at again: the end of a certificate must reach streams that stay open.
    recheck: Interval,
    /// New files are in use, by which the visitor is looked at again soon: so must their revocation.
    replaced: WatchStream<Digest>,
    /// Held for as long as the connection lives.
    _place: Place,
}

/// What all connections of a listener obey.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// The broker stops: connections without a preface end.
    pub(super) stopping: CancellationToken,
    /// The grace is over: all connections end.
    pub(super) cut: CancellationToken,
}

enum Phase {
    /// So many bytes of the preface are still to come.
    Preface {
        missing: usize,
    },
    Open,
}

impl<V: Visitor> Connection<V> {
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        visitor: V,
        place: Place,
        signals: Signals,
        credentials: Arc<CredentialStore>,
        limits: &Limits,
    ) -> Self {
        let age: Duration = limits.connection_age_max.saturating_add(limits.connection_age_grace);
        Self {
            stream,
            visitor,
            phase: Phase::Preface { missing: PREFACE_BYTES },
            deadline: Box::pin(tokio::time::sleep(limits.preface_timeout)),
            ended: Box::pin(signals.stopping.clone().cancelled_owned()),
            over: Instant::now() + age,
            turn: Turn::default(),
            signals,
            replaced: WatchStream::from_changes(credentials.in_use()),
            credentials,
            recheck: tokio::time::interval_at(Instant::now() + RECHECK_INTERVAL, RECHECK_INTERVAL),
            _place: place,
        }
    }

    /// Who is at the other end.
    pub fn visitor(&self) -> &V {
        &self.visitor
    }

    /// Ready once the present phase is over, with what hyper is to be told.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.ended.as_mut().poll(context).is_ready() {
            return Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, "stopping"));
        }
        while let Poll::Ready(Some(_)) = Pin::new(&mut self.replaced).poll_next(context) {
            self.recheck.reset_after(RECHECK_AFTER_RELOAD);
        }
        while self.recheck.poll_tick(context).is_ready() {
            if self.visitor.check(&self.credentials).is_err() {
                let what = "the certificate is no longer accepted";
                return Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, what));
            }
        }
        ready!(self.deadline.as_mut().poll(context));
        let what = match self.phase {
            Phase::Preface { .. } => {
                telemetry::silent_connection_closed();
                "no HTTP/2 preface in time"
            }
            Phase::Open => "the connection is past its age",
        };
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, what))
    }

    /// Counts what was read, up to the end of the preface.
    fn count(&mut self, bytes: usize) {
        let Phase::Preface { missing } = &mut self.phase else { return };
        *missing = missing.saturating_sub(bytes);
        if *missing == 0 {
            self.phase = Phase::Open;
            self.deadline.as_mut().reset(self.over);
            self.ended = Box::pin(self.signals.cut.clone().cancelled_owned());
        }
    }
}

impl<V: Visitor> std::fmt::Debug for Connection<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl<V: Visitor> Connected for Connection<V> {
    type ConnectInfo = V;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.visitor.clone()
    }
}

impl<V: Visitor> AsyncRead for Connection<V> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_over(context) {
            return Poll::Ready(Err(error));
        }
        ready!(self.turn.poll_lasts(context));
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            self.turn.end();
        }
        ready!(read)?;
        let bytes = buffer.filled().len() - before;
        self.turn.count(bytes);
        self.count(bytes);
        Poll::Ready(Ok(()))
    }
}

impl<V: Visitor> AsyncWrite for Connection<V> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}
