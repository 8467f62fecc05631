//! The journal of one machine: segment files in a folder.
//!
//! An append is one write and one `fdatasync`, however many frames it has; a sync takes milliseconds, so callers gather
//! frames while one is running. Space is not reserved ahead: on ext4 a sync into reserved or zeroed space took as long
//! as one that grows the file, and a file without padding needs no rule about where it ends.
//!
//! The fence: every opening takes a new incarnation number, keeps it in the file `incarnation`, and writes it into its
//! frames. An append first looks whether the number is still its own; a writer that lost its lock without noticing (a
//! stopped machine, a network file system) finds a greater one and refuses.
//!
//! Invariant: `last`, the end of the file and the index change together, after the sync. A failed sync or repair leaves
//! the journal poisoned, because the system may then show bytes that are not on the disk. What it leaves to others:
//! noticing that a whole tail has been taken away (the log's checkpoints and the cache's applied number show that).

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::error::{AppendError, OpenError, ReadError};
use crate::folder::Folder;
use crate::frame::{FRAME_BYTES_MAX, Frame, Seq, encode};
use crate::journal::{Frames, Journal};
use crate::lock::Lock;
use crate::segment::{INDEX_STEP, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use crate::storage::{Storage, StorageFile, is_full};

mod ballast;
mod beside;
mod opening;
mod reading;
#[cfg(test)]
mod tests;

use reading::Segment;

pub use self::beside::{frames_beside, last_frame_beside};

/// How much of the journal is read when it is opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Verify {
    /// Every frame.
    #[default]
    Everything,
    /// The frames of the last segment; of the others only header, size and order. [`LocalJournal::verify`] and every
    /// read find the rest.
    LastSegment,
}

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment that has reached this many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// Space held back so that a full disk can be dealt with; 0 for none.
    pub ballast_bytes: u64,
    /// How much is read at once.
    pub verify: Verify,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, ballast_bytes: 0, verify: Verify::default() }
    }
}

/// An opened journal, and what opening it did.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: LocalJournal,
    /// How many bytes of an append that was never acknowledged were cut off the end; 0 after a clean end.
    pub cut_bytes: u64,
}

/// A journal in a folder.
pub struct LocalJournal {
    storage: Arc<dyn Storage>,
    options: Options,
    /// In the order of their numbers, never empty; the last is written to.
    segments: Vec<Segment>,
    active: Arc<dyn StorageFile>,
    last: Seq,
    incarnation: u32,
    poisoned: Option<&'static str>,
    buffer: Vec<u8>,
    _lock: Option<Lock>,
}

impl std::fmt::Debug for LocalJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalJournal")
            .field("last", &self.last)
            .field("incarnation", &self.incarnation)
            .field("segments", &self.segments.len())
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

impl LocalJournal {
    /// Opens the journal in `dir`, alone: while it is open, a second opening is refused. An empty or missing folder
    /// becomes an empty journal.
    pub fn open(dir: &Path, options: Options) -> Result<Opened, OpenError> {
        let folder = Folder::new(dir)
            .map_err(|source| OpenError::Io { file: dir.display().to_string(), source })?;
        let lock = Lock::take(dir)?;
        opening::open(Arc::new(folder), options, Some(lock))
    }

    /// Opens a journal on a storage that the caller keeps others away from.
    pub fn open_on(storage: Arc<dyn Storage>, options: Options) -> Result<Opened, OpenError> {
        opening::open(storage, options, None)
    }

    /// The number of this opening: greater than that of every one before.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// One frame; nothing if there is none of this number yet.
    pub fn get(&self, seq: Seq) -> Result<Option<Frame>, ReadError> {
        if seq == Seq(0) || seq > self.last {
            return Ok(None);
        }
        Ok(self.read(seq)?.next().transpose()?.map(|(_, frame)| frame))
    }

    /// Reads every frame: the regular scrub.
    pub fn verify(&self) -> Result<(), ReadError> {
        self.read(Seq(0))?.try_for_each(|frame| frame.map(|_| ()))
    }

    fn check(&self, after: Seq, frames: &[Frame]) -> Result<(), AppendError> {
        if let Some(operation) = self.poisoned {
            return Err(AppendError::Poisoned { operation });
        }
        if after != self.last {
            return Err(AppendError::Conflict { last: self.last });
        }
        match frames.iter().map(Frame::bytes).find(|&bytes| bytes > FRAME_BYTES_MAX) {
            Some(bytes) => Err(AppendError::TooLarge { bytes }),
            None => Ok(()),
        }
    }

    fn check_fence(&self) -> Result<(), AppendError> {
        let theirs = opening::read_incarnation(&*self.storage)
            .map_err(|source| AppendError::Io { source })?
            .unwrap_or_default();
        if theirs == self.incarnation {
            return Ok(());
        }
        Err(AppendError::Superseded { ours: self.incarnation, theirs })
    }

    fn poison(&mut self, operation: &'static str) -> AppendError {
        self.poisoned = Some(operation);
        AppendError::Poisoned { operation }
    }

    fn active_size(&self) -> u64 {
        self.segments.last().map_or(SEGMENT_HEADER_BYTES, Segment::size)
    }

    /// Begins a new segment, durable before its first frame. A failure leaves the journal as it was.
    fn rotate(&mut self) -> Result<(), AppendError> {
        let header = SegmentHeader {
            first: self.last.next(),
            previous_first: self.segments.last().map_or(Seq(0), Segment::first),
            previous_size: self.active_size(),
        };
        match make_segment(&*self.storage, header) {
            Ok(file) => {
                self.active = file;
                self.segments.push(Segment::empty(header));
                Ok(())
            }
            Err(source) => match self.storage.remove(&segment_name(header.first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(self.poison("removing an unfinished segment"))
                }
                Ok(()) | Err(_) => Err(refused(source)),
            },
        }
    }

    /// Adds the frames in `buffer`, which begin at these distances, to what is known to be durable.
    fn advance(&mut self, starts: &[u64]) {
        let size = self.active_size();
        let Some(segment) = self.segments.last_mut() else { return };
        for start in starts {
            self.last = self.last.next();
            if (self.last.0 - segment.first().0).is_multiple_of(INDEX_STEP) {
                segment.index_mut().push(size + start);
            }
        }
        segment.set_size(size + self.buffer.len() as u64);
    }
}

impl Journal for LocalJournal {
    fn last(&self) -> Seq {
        self.last
    }

    fn append(&mut self, after: Seq, frames: &[Frame]) -> Result<Seq, AppendError> {
        self.check(after, frames)?;
        if frames.is_empty() {
            return Ok(self.last);
        }
        self.check_fence()?;
        if self.active_size() >= self.options.segment_bytes {
            self.rotate()?;
        }
        self.buffer.clear();
        let mut starts = Vec::with_capacity(frames.len());
        let mut seq = self.last;
        for (place, frame) in (0..).zip(frames) {
            seq = seq.next();
            starts.push(self.buffer.len() as u64);
            encode(&mut self.buffer, frame, seq, self.incarnation, place);
        }
        let size = self.active_size();
        if let Err(source) = self.active.write_at(size, &self.buffer) {
            return Err(match self.active.set_size(size) {
                Ok(()) => refused(source),
                Err(_) => self.poison("truncating after a failed write"),
            });
        }
        if self.active.sync().is_err() {
            return Err(self.poison("fdatasync"));
        }
        self.advance(&starts);
        // A large group must not keep its memory for ever.
        self.buffer.shrink_to(FRAME_BYTES_MAX);
        Ok(self.last)
    }

    fn read(&self, from: Seq) -> Result<Frames, ReadError> {
        reading::read(&self.storage, &self.segments, from, self.last)
    }
}

fn refused(source: io::Error) -> AppendError {
    if is_full(&source) { AppendError::StorageFull } else { AppendError::Io { source } }
}

fn make_segment(storage: &dyn Storage, header: SegmentHeader) -> io::Result<Arc<dyn StorageFile>> {
    let file = storage.create(&segment_name(header.first))?;
    file.write_at(0, &header.encode())?;
    file.sync()?;
    storage.sync_names()?;
    Ok(file)
}
