//! A journal in memory, for the tests of those who use one.
//!
//! Every clone is a handle to the same frames, so a test keeps one and gives another away; through its own it appends as
//! a rival between two calls, or orders the next append to fail. Invariant: it keeps the promises of the seam. What a
//! disk may do is left to [`crate::SimulatedDisk`].

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{AppendError, ReadError};
use crate::frame::{FRAME_BYTES_MAX, Frame, Seq};
use crate::journal::{Frames, Journal};

/// How an append is to fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AppendFault {
    /// The disk is full: nothing is written, and the journal stays usable.
    StorageFull,
    /// The write is refused: nothing is written, and the journal stays usable.
    Io,
    /// The sync fails: this and every later append is refused.
    SyncFailed,
    /// The frames become durable, but the caller is told that the sync failed, as after a lost reply.
    SyncFailedAfterWriting,
}

#[derive(Debug, Default)]
struct Inner {
    frames: Vec<Frame>,
    fault: Option<AppendFault>,
    poisoned: bool,
}

/// A journal that lasts as long as its handles.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    inner: Arc<Mutex<Inner>>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends as somebody else, who is never refused.
    pub fn rival(&self, frames: &[Frame]) -> Seq {
        let mut inner = self.inner();
        inner.frames.extend_from_slice(frames);
        Seq(inner.frames.len() as u64)
    }

    /// Lets the next append that gets as far as writing fail.
    pub fn fail_next_append(&self, fault: AppendFault) {
        self.inner().fault = Some(fault);
    }

    /// The same frames behind a new handle that no failed sync has poisoned: what a restart finds.
    pub fn reopened(&self) -> Self {
        let frames = self.inner().frames.clone();
        Self { inner: Arc::new(Mutex::new(Inner { frames, ..Inner::default() })) }
    }
}

impl Journal for MemoryJournal {
    fn last(&self) -> Seq {
        Seq(self.inner().frames.len() as u64)
    }

    fn append(&mut self, after: Seq, frames: &[Frame]) -> Result<Seq, AppendError> {
        let mut inner = self.inner();
        if inner.poisoned {
            return Err(AppendError::Poisoned { operation: "fdatasync" });
        }
        let last = Seq(inner.frames.len() as u64);
        if after != last {
            return Err(AppendError::Conflict { last });
        }
        if let Some(frame) = frames.iter().find(|frame| frame.bytes() > FRAME_BYTES_MAX) {
            return Err(AppendError::TooLarge { bytes: frame.bytes() });
        }
        let fault = inner.fault.take();
        match fault {
            Some(AppendFault::StorageFull) => return Err(AppendError::StorageFull),
            Some(AppendFault::Io) => {
                return Err(AppendError::Io { source: io::Error::other("ordered by a test") });
            }
            Some(AppendFault::SyncFailed | AppendFault::SyncFailedAfterWriting) => {
                inner.poisoned = true;
            }
            None => {}
        }
        if fault != Some(AppendFault::SyncFailed) {
            inner.frames.extend_from_slice(frames);
        }
        if inner.poisoned {
            return Err(AppendError::Poisoned { operation: "fdatasync" });
        }
        Ok(Seq(inner.frames.len() as u64))
    }

    fn read(&self, from: Seq) -> Result<Frames, ReadError> {
        let skip = usize::try_from(from.max(Seq(1)).0 - 1).unwrap_or(usize::MAX);
        let frames = self.inner().frames.get(skip..).unwrap_or_default().to_vec();
        let first = skip as u64 + 1;
        Ok(Box::new((first..).map(Seq).zip(frames).map(Ok)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(leaf: &str) -> Frame {
        Frame { leaf: leaf.as_bytes().to_vec(), ..Frame::default() }
    }

    #[test]
    fn a_rival_between_two_calls_is_noticed_and_nothing_is_written() {
        let mut journal = MemoryJournal::new();
        let rival = journal.clone();
        let last = journal.append(Seq(0), &[frame("a")]).expect("an append");
        rival.rival(&[frame("b")]);
        assert!(matches!(
            journal.append(last, &[frame("c")]),
            Err(AppendError::Conflict { last: Seq(2) })
        ));
        let leaves: Vec<_> = journal.read(Seq(2)).expect("frames").collect();
        assert_eq!(leaves.len(), 1);
    }

    #[test]
    fn a_failed_sync_poisons_until_it_is_reopened() {
        let mut journal = MemoryJournal::new();
        journal.fail_next_append(AppendFault::SyncFailedAfterWriting);
        assert!(journal.append(Seq(0), &[frame("a")]).is_err());
        assert!(journal.append(Seq(1), &[frame("b")]).is_err());
        let mut journal = journal.reopened();
        assert_eq!(journal.append(Seq(1), &[frame("b")]).expect("an append"), Seq(2));
    }
}
