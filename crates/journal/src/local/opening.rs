//! Opening a journal: check, cut a torn tail, take the next incarnation.
//!
//! Whatever is found in the last segment is synced before it is believed: after kill -9 an unacknowledged frame may be
//! in memory only, and a state that was built on it must not vanish with the next power loss. Then the memory is
//! dropped, so that the check reads what the disk has. Every step can be repeated after dying in the middle of it.

use std::io;
use std::sync::Arc;

use super::reading::Segment;
use super::{LocalJournal, Opened, Options, Verify, ballast, make_segment};
use crate::error::OpenError;
use crate::frame::Seq;
use crate::lock::Lock;
use crate::segment::{
    BadHeader, Ending, FORMAT, SEGMENT_HEADER_BYTES, SegmentHeader, scan, segment_first,
    segment_name,
};
use crate::storage::{Storage, StorageFile};
use crate::window::Window;

const INCARNATION: &str = "incarnation";
const INCARNATION_BYTES: usize = 16;

/// The number in the folder; nothing in a new one.
pub(super) fn read_incarnation(storage: &dyn Storage) -> io::Result<Option<u32>> {
    let file = match storage.open(INCARNATION) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = [0; INCARNATION_BYTES];
    let read = file.read_at(0, &mut bytes)?;
    let text = std::str::from_utf8(&bytes[..read]).ok().map(str::trim_end);
    match text.and_then(|text| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "not a number; delete the file")),
    }
}

fn write_incarnation(storage: &dyn Storage, number: u32) -> io::Result<()> {
    storage.replace(INCARNATION, format!("{number}\n").as_bytes())
}

struct Opening {
    storage: Arc<dyn Storage>,
    verify: Verify,
    cut_bytes: u64,
    /// The greatest in the frames that were read.
    incarnation: u32,
}

pub(super) fn open(
    storage: Arc<dyn Storage>,
    options: Options,
    lock: Option<Lock>,
) -> Result<Opened, OpenError> {
    let mut opening = Opening { storage, verify: options.verify, cut_bytes: 0, incarnation: 0 };
    // The fence comes first: from here on an older writer refuses to append.
    let incarnation = opening.next_incarnation()?;
    let firsts = opening.firsts()?;
    let (segments, active, last) = opening.segments(&firsts)?;
    let incarnation = opening.above_frames(incarnation)?;
    let Opening { storage, cut_bytes, .. } = opening;
    ballast::take(&*storage, options.ballast_bytes);
    let journal = LocalJournal {
        storage,
        options,
        segments,
        active,
        last,
        incarnation,
        poisoned: None,
        buffer: Vec::new(),
        _lock: lock,
    };
    Ok(Opened { journal, cut_bytes })
}

impl Opening {
    fn file(&self, name: &str) -> String {
        self.storage.place(name).display().to_string()
    }

    fn at<T>(&self, name: &str, result: io::Result<T>) -> Result<T, OpenError> {
        result.map_err(|source| OpenError::Io { file: self.file(name), source })
    }

    fn damaged(&self, name: &str, offset: u64) -> OpenError {
        OpenError::Damaged { file: self.file(name), offset }
    }

    fn next_incarnation(&self) -> Result<u32, OpenError> {
        let before = self.at(INCARNATION, read_incarnation(&*self.storage))?;
        let number = before.unwrap_or_default().saturating_add(1);
        self.at(INCARNATION, write_incarnation(&*self.storage, number))?;
        Ok(number)
    }

    /// The file may have been left out of a backup; then the frames know better.
    fn above_frames(&self, number: u32) -> Result<u32, OpenError> {
        if number > self.incarnation {
            return Ok(number);
        }
        let number = self.incarnation.saturating_add(1);
        self.at(INCARNATION, write_incarnation(&*self.storage, number))?;
        Ok(number)
    }

    fn firsts(&self) -> Result<Vec<Seq>, OpenError> {
        let names = self.at("", self.storage.names())?;
        let mut firsts: Vec<Seq> = names.iter().filter_map(|name| segment_first(name)).collect();
        firsts.sort();
        Ok(firsts)
    }

    #[expect(clippy::type_complexity, reason = "three parts of the journal, taken apart at once")]
    fn segments(
        &mut self,
        firsts: &[Seq],
    ) -> Result<(Vec<Segment>, Arc<dyn StorageFile>, Seq), OpenError> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut active = None;
        let mut last = Seq(0);
        for (place, &first) in firsts.iter().enumerate() {
            let name = segment_name(first);
            let file = self.at(&name, self.storage.open(&name))?;
            let is_last = place + 1 == firsts.len();
            if is_last {
                self.at(&name, file.sync())?;
                file.forget_cached();
            }
            let size = self.at(&name, file.size())?;
            let Some(header) = self.header(&name, &file, size, is_last)? else {
                break;
            };
            self.check_order(&name, header, first, segments.last())?;
            let segment = if is_last || self.verify == Verify::Everything {
                let (segment, next) = self.scanned(&name, &file, header, size, is_last)?;
                last = Seq(next.0 - 1);
                segment
            } else {
                last = Seq(firsts[place + 1].0 - 1);
                Segment::unread(header, size)
            };
            if let Some(&following) = firsts.get(place + 1).filter(|&&next| next != last.next()) {
                self.check_following(following, last)?;
            }
            segments.push(segment);
            active = Some(file);
        }
        if let Some(active) = active {
            self.at("", self.storage.sync_names())?;
            return Ok((segments, active, last));
        }
        let header = SegmentHeader { first: Seq(1), previous_first: Seq(0), previous_size: 0 };
        let made = make_segment(&*self.storage, header);
        let active = self.at(&segment_name(header.first), made)?;
        Ok((vec![Segment::empty(header)], active, Seq(0)))
    }

    fn check_following(&self, following: Seq, last: Seq) -> Result<(), OpenError> {
        if following > last.next() {
            return Err(OpenError::Missing { file: self.file(&segment_name(last.next())) });
        }
        Err(self.damaged(&segment_name(following), 0))
    }

    /// The header; nothing if the file was being made when the process died, and has been removed.
    fn header(
        &self,
        name: &str,
        file: &Arc<dyn StorageFile>,
        size: u64,
        is_last: bool,
    ) -> Result<Option<SegmentHeader>, OpenError> {
        let read = SegmentHeader::read(&mut Window::new(Arc::clone(file), size), size);
        match self.at(name, read)? {
            Ok(header) => Ok(Some(header)),
            Err(BadHeader::Newer(found)) => {
                Err(OpenError::NewerFormat { file: self.file(name), found, known: FORMAT })
            }
            Err(BadHeader::Unfinished) if is_last => {
                self.at(name, self.storage.remove(name))?;
                self.at(name, self.storage.sync_names())?;
                Ok(None)
            }
            Err(BadHeader::Unfinished | BadHeader::Damaged) => Err(self.damaged(name, 0)),
        }
    }

    /// Each header names the segment before it, and how long that one was when it was closed.
    fn check_order(
        &self,
        name: &str,
        header: SegmentHeader,
        first: Seq,
        previous: Option<&Segment>,
    ) -> Result<(), OpenError> {
        if header.first != first {
            return Err(self.damaged(name, 0));
        }
        let (found, size) = previous.map_or((Seq(0), 0), |one| (one.first(), one.size()));
        if header.previous_first != found {
            return Err(OpenError::Missing {
                file: self.file(&segment_name(header.previous_first)),
            });
        }
        if header.previous_size != size {
            return Err(self.damaged(&segment_name(found), size.min(header.previous_size)));
        }
        Ok(())
    }

    fn scanned(
        &mut self,
        name: &str,
        file: &Arc<dyn StorageFile>,
        header: SegmentHeader,
        size: u64,
        is_last: bool,
    ) -> Result<(Segment, Seq), OpenError> {
        let mut window = Window::new(Arc::clone(file), size);
        let found = self.at(name, scan(&mut window, header.first, size))?;
        match found.ending {
            Ending::Complete => {}
            Ending::Torn if is_last => {
                self.at(name, file.set_size(found.end))?;
                self.at(name, file.sync())?;
                self.cut_bytes = size - found.end;
            }
            Ending::Torn | Ending::Damaged => return Err(self.damaged(name, found.end)),
        }
        debug_assert!(found.end >= SEGMENT_HEADER_BYTES);
        self.incarnation = self.incarnation.max(found.incarnation);
        Ok((Segment::indexed(header, found.end, found.index), found.next))
    }
}
