//! The seam between those who decide changes and the place that keeps them.
//!
//! The seam is small so that a folder, a database table and a test double can all stand behind it. `append` compares
//! and sets: it takes the number that the caller decided upon, so a rival who was faster is noticed before anything is
//! written. Invariant: after `Ok` the frames are durable and all of them are read back after a crash; of a group that
//! was not acknowledged all, none or the first few frames may be found, never part of a frame.

use crate::error::{AppendError, ReadError};
use crate::frame::{Frame, Seq};

/// Frames in the order of their numbers. It ends after the first error.
pub type Frames = Box<dyn Iterator<Item = Result<(Seq, Frame), ReadError>> + Send>;

/// The append-only, durable record of every change.
pub trait Journal: Send {
    /// The number of the last durable frame.
    fn last(&self) -> Seq;

    /// Makes `frames` durable with one sync, if `after` is still the last number; returns the new last number.
    fn append(&mut self, after: Seq, frames: &[Frame]) -> Result<Seq, AppendError>;

    /// The frames from number `from` on that are durable at this moment.
    fn read(&self, from: Seq) -> Result<Frames, ReadError>;
}
