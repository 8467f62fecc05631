//! Reading frames back, from any number on.
//!
//! The offset of every 256th frame is in memory (8 bytes for some hundred kilobytes of journal); from there the headers
//! are followed. Invariant: a frame is handed out only if its checksum, its number and its place agree.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};

use crate::error::ReadError;
use crate::frame::{Frame, HEADER_BYTES, Header, Seq};
use crate::journal::Frames;
use crate::segment::{Ending, INDEX_STEP, SegmentHeader, scan, segment_name};
use crate::segment::{SEGMENT_HEADER_BYTES, frame_at};
use crate::storage::Storage;
use crate::window::Window;

/// A segment as it is known in memory.
pub(super) struct Segment {
    first: Seq,
    size: u64,
    /// Filled by the first read, if the segment was not read when the journal was opened.
    index: OnceLock<Vec<u64>>,
}

impl Segment {
    pub(super) fn empty(header: SegmentHeader) -> Self {
        Self::indexed(header, SEGMENT_HEADER_BYTES, Vec::new())
    }

    pub(super) fn indexed(header: SegmentHeader, size: u64, index: Vec<u64>) -> Self {
        Self { first: header.first, size, index: OnceLock::from(index) }
    }

    pub(super) fn unread(header: SegmentHeader, size: u64) -> Self {
        Self { first: header.first, size, index: OnceLock::new() }
    }

    pub(super) fn first(&self) -> Seq {
        self.first
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn set_size(&mut self, size: u64) {
        self.size = size;
    }

    pub(super) fn index_mut(&mut self) -> &mut Vec<u64> {
        self.index.get_or_init(Vec::new);
        // Unwrap safety: it was filled in the line above.
        self.index.get_mut().expect("an index that has just been filled")
    }

    fn name(&self) -> String {
        segment_name(self.first)
    }

    fn window(&self, storage: &dyn Storage) -> io::Result<Window> {
        Ok(Window::new(storage.open(&self.name())?, self.size))
    }

    fn index(&self, storage: &dyn Storage) -> Result<&[u64], ReadError> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let file = || storage.place(&self.name()).display().to_string();
        let found = self
            .window(storage)
            .and_then(|mut window| scan(&mut window, self.first, self.size))
            .map_err(|source| ReadError::Io { file: file(), source })?;
        if found.ending != Ending::Complete {
            return Err(ReadError::Damaged { file: file(), offset: found.end });
        }
        Ok(self.index.get_or_init(|| found.index))
    }
}

pub(super) fn read(
    storage: &Arc<dyn Storage>,
    segments: &[Segment],
    from: Seq,
    last: Seq,
) -> Result<Frames, ReadError> {
    let from = from.max(Seq(1));
    if from > last {
        return Ok(Box::new(std::iter::empty()));
    }
    let place = segments.partition_point(|segment| segment.first <= from).saturating_sub(1);
    let segment = &segments[place];
    let step = (from.0 - segment.first.0) / INDEX_STEP;
    let (offset, next) = if step == 0 {
        (SEGMENT_HEADER_BYTES, segment.first)
    } else {
        let index = segment.index(&**storage)?;
        let offset = usize::try_from(step).ok().and_then(|step| index.get(step)).copied();
        (offset.unwrap_or(segment.size), Seq(segment.first.0 + step * INDEX_STEP))
    };
    let mut reader = Reader {
        storage: Arc::clone(storage),
        name: String::new(),
        window: None,
        offset,
        next,
        last,
        segments: segments[place..].iter().map(|one| (one.first, one.size)).collect(),
    };
    reader.skip_to(from)?;
    Ok(Box::new(reader))
}

/// Frames of several segments, one after another, as they were when the reading began.
struct Reader {
    storage: Arc<dyn Storage>,
    name: String,
    window: Option<Window>,
    offset: u64,
    next: Seq,
    last: Seq,
    /// First numbers and sizes of the segments that are not open yet.
    segments: VecDeque<(Seq, u64)>,
}

impl Reader {
    fn damaged(&self) -> ReadError {
        let file = self.storage.place(&self.name).display().to_string();
        ReadError::Damaged { file, offset: self.offset }
    }

    fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io { file: self.storage.place(&self.name).display().to_string(), source }
    }

    /// Opens the segment that the next frame is in, if it is not open.
    fn enter(&mut self) -> Result<(), ReadError> {
        let next = self.next;
        while let Some((first, size)) = self.segments.pop_front_if(|(first, _)| *first <= next) {
            if self.window.is_some() {
                self.offset = SEGMENT_HEADER_BYTES;
            }
            self.name = segment_name(first);
            let file = self.storage.open(&self.name).map_err(|source| self.io(source))?;
            self.window = Some(Window::new(file, size));
        }
        Ok(())
    }

    /// Passes over frames by their headers alone.
    fn skip_to(&mut self, from: Seq) -> Result<(), ReadError> {
        self.enter()?;
        while self.next < from {
            let Some(window) = self.window.as_mut() else { return Err(self.damaged()) };
            let header = window.bytes(self.offset, HEADER_BYTES).map(Header::read);
            match header {
                Ok(Some(header)) if header.seq == self.next => {
                    self.offset += header.frame_bytes() as u64;
                    self.next = self.next.next();
                }
                Ok(_) => return Err(self.damaged()),
                Err(source) => return Err(self.io(source)),
            }
        }
        Ok(())
    }

    fn frame(&mut self) -> Result<(Seq, Frame), ReadError> {
        self.enter()?;
        let seq = self.next;
        let offset = self.offset;
        let Some(window) = self.window.as_mut() else { return Err(self.damaged()) };
        let read = frame_at(window, offset).and_then(|header| {
            let Some(header) = header.filter(|header| header.seq == seq) else { return Ok(None) };
            let bytes = window.bytes(offset, header.frame_bytes())?;
            Ok(Some((header.frame_bytes(), header.parts(bytes))))
        });
        match read {
            Ok(Some((size, frame))) => {
                self.offset += size as u64;
                self.next = seq.next();
                Ok((seq, frame))
            }
            Ok(None) => Err(self.damaged()),
            Err(source) => Err(self.io(source)),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<(Seq, Frame), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.last {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.last = Seq(0);
        }
        Some(frame)
    }
}
