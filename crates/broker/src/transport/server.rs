//! The server: tonic with every limit set, and an end that comes.
//!
//! Several of tonic's defaults are "no limit", and where it promises hyper's default it passes on "none", which hyper
//! takes as "no limit" too. So every limit is set here, even where the default would do.
//!
//! A stop goes in two steps: no new connections and no new calls, while open calls get `shutdown_grace`; then all
//! connections are cut. The server ends in either case.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::util::{MapRequestLayer, MapResponseLayer};

use super::listener::Listener;
use super::pace::Pace;
use super::unread::Unread;
use super::visitor::Visitor;
use crate::config::Limits;

/// How a server ended that was asked to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Drained {
    /// All calls were answered.
    Completely,
    /// Some calls took longer than `shutdown_grace` and were cut.
    Cut,
}

/// A server that ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// tonic gave up.
    #[error("the server failed; restart it: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The task that accepts connections is gone.
    #[error("the listener ended by itself; restart the broker")]
    ListenerEnded,
}

impl renkei_types::Classify for ServeError {
    fn kind(&self) -> renkei_types::Kind {
        renkei_types::Kind::Internal
    }
}

/// Connections that have finished the handshake and wait for tonic to take them, which it does at once.
const CONNECTIONS_WAITING: usize = 64;

/// What may pass between the cut of all connections and the end of the server.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// tonic with the limits of connections and calls. The size of messages is a limit of each service.
pub fn server(limits: &Limits) -> Server {
    let count = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    Server::builder()
        .accept_http1(false)
        .max_concurrent_streams(limits.streams_per_connection_max)
        .concurrency_limit_per_connection(count(limits.requests_per_connection_max))
        .load_shed(true)
        .timeout(limits.call_duration_max)
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        // Without a grace of tonic's, which would cut instead of asking; see `connection`.
        .max_connection_age(limits.connection_age_max)
        .http2_max_header_list_size(limits.header_bytes_max)
        .http2_max_pending_accept_reset_streams(Some(count(limits.pending_resets_max)))
        .http2_max_local_error_reset_streams(Some(count(limits.local_resets_max)))
        .http2_adaptive_window(Some(false))
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
}

/// Serves `routes` on `listener` until `shutdown` and then at most `shutdown_grace` longer.
pub async fn serve<V: Visitor>(
    listener: Listener<V>,
    routes: Routes,
    shutdown: impl Future<Output = ()>,
    limits: &Limits,
) -> Result<Drained, ServeError> {
    let signals = listener.signals();
    let (sender, connections) = mpsc::channel(CONNECTIONS_WAITING);
    let accepting = AbortOnDropHandle::new(tokio::spawn(listener.accept(sender)));
    let connections = ReceiverStream::new(connections).map(Ok::<_, std::io::Error>);
    let stopping = signals.stopping.clone().cancelled_owned();
    let pace = Pace::of(limits);
    let paced = MapRequestLayer::new(move |request: http::Request<Body>| {
        request.map(|body| Body::new(pace.keep(body)))
    });
    let unread = Unread::new(limits.stream_idle_timeout);
    let _sweeping = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&unread).sweep()));
    let held = MapResponseLayer::new(move |response: http::Response<Body>| {
        response.map(|body| unread.hold(body))
    });
    let mut serving = Box::pin(
        server(limits)
            .layer(paced)
            .layer(held)
            .add_routes(routes)
            .serve_with_incoming_shutdown(connections, stopping),
    );
    tokio::select! {
        ended = &mut serving => {
            ended?;
            return Err(ServeError::ListenerEnded);
        }
        () = shutdown => {}
    }
    drop(accepting);
    signals.stopping.cancel();
    if let Ok(ended) = tokio::time::timeout(limits.shutdown_grace, &mut serving).await {
        ended?;
        return Ok(Drained::Completely);
    }
    signals.cut.cancel();
    // Whatever is not gone by now is dropped with the runtime.
    let _ = tokio::time::timeout(CUT_GRACE, serving).await;
    Ok(Drained::Cut)
}
