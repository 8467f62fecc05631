//! Unread answers: what a client has asked for and does not take.
//!
//! HTTP/2 lets a client ask and give the answer no window, and pings are answered meanwhile, so the connection looks alive. An
//! answer that is ready then waits in memory: with 100 streams of 64 connections, of one address, that would be
//! gigabytes. So each answer is held where it can be taken away: of which nothing was taken for `stream_idle_timeout`, that
//! is dropped, and whoever made it stops. Invariant: an answer for which the client waits is never dropped, however long the
//! broker takes over it. What is left of the stream, some hundred bytes, ends with its connection.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use renkei_types::Reason;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use crate::failure::refusal_status_of;
use crate::telemetry;

/// How often answers are looked at while one is as old as it may become.
const LOOKS: u32 = 4;

/// The answers of a server that are under way.
pub(super) struct Unread {
    patience: Duration,
    numbers: AtomicU64,
    under_way: Mutex<HashMap<u64, Arc<Mutex<Held>>>>,
}

/// An answer, where it can be taken away.
struct Held {
    body: Option<Body>,
    /// Since when it is the client's turn; nothing while it is the broker's.
    offered: Option<Instant>,
}

/// The answer as the client is sent it.
struct HeldBody {
    held: Arc<Mutex<Held>>,
    number: u64,
    unread: Arc<Unread>,
}

impl Unread {
    /// Answers that wait so long for their clients.
    pub(super) fn new(patience: Duration) -> Arc<Self> {
        let (numbers, under_way) = (AtomicU64::new(0), Mutex::default());
        Arc::new(Self { patience, numbers, under_way })
    }

    /// An answer that goes when nobody takes it.
    pub(super) fn hold(self: &Arc<Self>, body: Body) -> Body {
        let held = Held { body: Some(body), offered: Some(Instant::now()) };
        let held = Arc::new(Mutex::new(held));
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.under_way.lock().insert(number, Arc::clone(&held));
        Body::new(HeldBody { held, number, unread: Arc::clone(self) })
    }

    /// Drops what nobody takes, for as long as it is polled.
    pub(super) async fn sweep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(self.patience / LOOKS);
        loop {
            ticks.tick().await;
            let under_way: Vec<_> = self.under_way.lock().values().cloned().collect();
            for held in under_way {
                let mut held = held.lock();
                let is_left = held.offered.is_some_and(|since| since.elapsed() >= self.patience);
                let dropped = if is_left { held.body.take() } else { None };
                // What stands behind it ends when it goes, so not under the lock.
                drop(held);
                if dropped.is_some() {
                    telemetry::answer_left_unread();
                }
            }
        }
    }
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut held = self.held.lock();
        let Some(body) = &mut held.body else {
            return Poll::Ready(Some(Err(refusal_status_of(Reason::DeadlineExceeded))));
        };
        let polled = Pin::new(body).poll_frame(context);
        held.offered = polled.is_ready().then(Instant::now);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.held.lock().body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.held.lock().body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        self.unread.under_way.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use http_body::Body as _;
    use tokio::sync::mpsc;
    use tokio_stream::StreamExt as _;
    use tokio_stream::wrappers::ReceiverStream;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// An answer that the test makes, and what the client is sent of it.
    struct Answer {
        maker: mpsc::Sender<Bytes>,
        sent: Body,
        unread: Arc<Unread>,
        _sweeping: AbortOnDropHandle<()>,
    }

    fn answer() -> Answer {
        let unread = Unread::new(PATIENCE);
        let (maker, made) = mpsc::channel(8);
        let made = ReceiverStream::new(made).map(Ok::<_, Status>);
        let sent = unread.hold(Body::new(axum::body::Body::from_stream(made)));
        let sweeping = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&unread).sweep()));
        Answer { maker, sent, unread, _sweeping: sweeping }
    }

    async fn taken(body: &mut Body) -> Option<Result<Frame<Bytes>, Status>> {
        poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_dropped_and_its_maker_told() {
        let mut answer = answer();
        answer.maker.send(Bytes::from_static(b"ready")).await.expect("room");
        assert!(tokio::time::timeout(2 * PATIENCE, answer.maker.closed()).await.is_ok());
        assert!(taken(&mut answer.sent).await.is_some_and(|frame| frame.is_err()));
        drop(answer.sent);
        assert!(answer.unread.under_way.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_was_taken_gives_no_time_for_ever() {
        let mut answer = answer();
        answer.maker.send(Bytes::from_static(b"one")).await.expect("room");
        assert!(taken(&mut answer.sent).await.is_some_and(|frame| frame.is_ok()));
        answer.maker.send(Bytes::from_static(b"two")).await.expect("room");
        assert!(tokio::time::timeout(2 * PATIENCE, answer.maker.closed()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_for_which_the_client_waits_is_never_dropped() {
        let Answer { maker, mut sent, .. } = answer();
        let waiting = tokio::spawn(async move { taken(&mut sent).await });
        tokio::time::sleep(100 * PATIENCE).await;
        maker.send(Bytes::from_static(b"late")).await.expect("it is still wanted");
        let frame = waiting.await.expect("no panic");
        assert!(frame.is_some_and(|frame| frame.is_ok()));
    }
}
