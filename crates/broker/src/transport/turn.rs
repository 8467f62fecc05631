//! Turns: how much a connection reads before others come in between.
//!
//! HTTP/2 is read for as long as a client has sent more, and small frames by the thousand would keep a thread for many
//! milliseconds, in which nobody else on it is answered.

use std::task::{Context, Poll};

/// Some thousands of the smallest frames, which are a fraction of a millisecond.
const TURN_BYTES: usize = 32 * 1024;

/// The turn of a connection.
#[derive(Debug, Default)]
pub(super) struct Turn {
    read: usize,
}

impl Turn {
    /// Ready as long as the turn lasts; then others come in between, and another turn begins.
    pub(super) fn poll_lasts(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.read < TURN_BYTES {
            return Poll::Ready(());
        }
        self.end();
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// So much was read.
    pub(super) fn count(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(bytes);
    }

    /// There is nothing to read: others come in between anyway.
    pub(super) fn end(&mut self) {
        self.read = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn whoever_has_sent_a_megabyte_lets_others_come_in_between_and_then_goes_on() {
        let context = Context::from_waker(Waker::noop());
        let (mut turn, mut interrupted) = (Turn::default(), 0);
        for _ in 0..64 {
            while turn.poll_lasts(&context).is_pending() {
                interrupted += 1;
            }
            turn.count(16 * 1024);
        }
        assert_eq!(interrupted, 31, "once for every 32 KiB");
        turn.end();
        assert!(turn.poll_lasts(&context).is_ready());
    }
}
