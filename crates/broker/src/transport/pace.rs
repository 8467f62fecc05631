//! Pace: how slowly a client may send.
//!
//! A request that comes a byte a second holds its stream, and what stands behind it, for as long as its sender likes; and
//! pings are answered meanwhile, so the connection looks alive. Here a sender has credit: so much time to begin with,
//! and more with every byte. Time counts only while the broker waits, so its own work costs no sender anything.
//!
//! ```text
//! credit = min(stream_idle_timeout, credit - waited + bytes / upload_bytes_per_second_min)
//! ```
//! Whoever has none left is cut with `DEADLINE_EXCEEDED`; an upload goes on where its durable bytes end. How fast a client
//! takes its answers is another matter: see [`unread`](super::unread).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use renkei_types::Reason;
use tokio::time::{Instant, Sleep};
use tonic::Status;

use crate::config::Limits;
use crate::failure::refusal_status_of;

/// How slow is too slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    credit_max: Duration,
    bytes_per_second_min: u32,
}

impl Pace {
    /// As the limits say.
    pub(super) fn of(limits: &Limits) -> Self {
        let bytes_per_second_min = limits.upload_bytes_per_second_min;
        Self { credit_max: limits.stream_idle_timeout, bytes_per_second_min }
    }

    /// The body of a request whose sender has to keep pace.
    pub(super) fn keep<B>(self, body: B) -> PacedBody<B> {
        PacedBody { body, pace: self, credit: self.credit_max, waiting: None }
    }

    /// What so many bytes are worth.
    fn worth(self, bytes: usize) -> Duration {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Duration::from_secs(1) / self.bytes_per_second_min * bytes
    }
}

/// A body whose sender has to keep pace.
pub(super) struct PacedBody<B> {
    body: B,
    pace: Pace,
    /// For how long the broker still waits.
    credit: Duration,
    /// Since when it waits, and until when.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B: Body<Data = Bytes, Error = Status> + Unpin> Body for PacedBody<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if let Some((since, _)) = this.waiting.take() {
                this.credit = this.credit.saturating_sub(since.elapsed());
            }
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let earned = this.pace.worth(data.map_or(0, Bytes::len));
            this.credit = this.credit.saturating_add(earned).min(this.pace.credit_max);
            return Poll::Ready(frame);
        }
        let credit = this.credit;
        let (_, end) = this
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(credit))));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Some(Err(refusal_status_of(Reason::DeadlineExceeded))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc;

    use super::*;

    /// A body whose bytes come when the test sends them.
    struct Sent(mpsc::UnboundedReceiver<usize>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            let bytes = ready!(self.0.poll_recv(context));
            Poll::Ready(bytes.map(|bytes| Ok(Frame::data(vec![0; bytes].into()))))
        }
    }

    /// After how many seconds a sender is cut who sends so many bytes every second; none if not within ten minutes.
    async fn cut_after(bytes_each_second: usize) -> Option<u64> {
        let pace = Pace { credit_max: Duration::from_secs(60), bytes_per_second_min: 1024 };
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut body = pace.keep(Sent(receiver));
        let began = Instant::now();
        let sending = tokio::spawn(async move {
            let mut seconds = tokio::time::interval(Duration::from_secs(1));
            for _ in 0..600 {
                seconds.tick().await;
                // The body is gone once it was cut.
                let _ = sender.send(bytes_each_second);
            }
        });
        let mut cut = None;
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            if frame.is_err() {
                cut = Some(began.elapsed().as_secs());
                break;
            }
        }
        sending.abort();
        cut
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_next_to_nothing_is_cut_and_who_keeps_pace_is_not() {
        assert_eq!(cut_after(0).await, Some(60));
        assert_eq!(cut_after(1).await, Some(60));
        // Half as fast as need be: the credit lasts twice as long.
        assert!(matches!(cut_after(512).await, Some(119..=121)));
        assert_eq!(cut_after(1024).await, None);
        assert_eq!(cut_after(100_000).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_the_broker_takes_costs_the_sender_nothing() {
        let pace = Pace { credit_max: Duration::from_secs(2), bytes_per_second_min: 1024 };
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut body = pace.keep(Sent(receiver));
        for _ in 0..5 {
            sender.send(1).expect("it is there");
            tokio::time::advance(Duration::from_secs(100)).await;
            let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            assert!(frame.is_some_and(|frame| frame.is_ok()));
        }
    }
}
