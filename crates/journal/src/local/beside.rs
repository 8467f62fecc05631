//! How far a journal goes, and what it holds, looked at beside the process that writes it.
//!
//! Opening a journal takes its lock, cuts a torn tail and begins an incarnation; whoever only wants to know whether it is the
//! newest one must do none of that. Invariant: nothing is written, and no frame is counted that is not whole.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::reading::{self, Segment};
use crate::error::ReadError;
use crate::folder::Folder;
use crate::frame::Seq;
use crate::journal::Frames;
use crate::segment::{
    SEGMENT_HEADER_BYTES, Scan, SegmentHeader, scan, segment_first, segment_name,
};
use crate::storage::Storage;
use crate::window::Window;

/// The number of the last whole frame in a folder; 0 where there is none, or no such folder. Frames before the last segment
/// are taken as there.
pub fn last_frame_beside(dir: &Path) -> io::Result<Seq> {
    if !dir.is_dir() {
        return Ok(Seq(0));
    }
    let folder = Folder::beside(dir);
    match firsts(&folder)?.last() {
        Some(&first) => Ok(last_segment(&folder, first)?.last()),
        None => Ok(Seq(0)),
    }
}

/// The frames in a folder from a number on, as far as they are whole now.
pub fn frames_beside(dir: &Path, from: Seq) -> Result<Frames, ReadError> {
    if !dir.is_dir() {
        return Ok(Box::new(std::iter::empty()));
    }
    let folder = Folder::beside(dir);
    let refused = |source| ReadError::Io { file: dir.display().to_string(), source };
    let (mut segments, mut last) = (Vec::new(), Seq(0));
    let firsts = firsts(&folder).map_err(refused)?;
    for (place, &first) in firsts.iter().enumerate() {
        let header = SegmentHeader { first, previous_first: Seq(0), previous_size: 0 };
        if place + 1 < firsts.len() {
            let size = folder.open(&segment_name(first)).and_then(|file| file.size());
            segments.push(Segment::unread(header, size.map_err(refused)?));
        } else {
            let found = last_segment(&folder, first).map_err(refused)?;
            last = found.last();
            segments.push(Segment::indexed(header, found.end, found.index));
        }
    }
    reading::read(&(Arc::new(folder) as Arc<dyn Storage>), &segments, from, last)
}

/// The first numbers of the segments in a folder, in their order.
fn firsts(folder: &Folder) -> io::Result<Vec<Seq>> {
    let names = folder.names()?;
    Ok(names.iter().filter_map(|name| segment_first(name)).collect())
}

fn last_segment(folder: &Folder, first: Seq) -> io::Result<Scan> {
    let file = folder.open(&segment_name(first))?;
    let size = file.size()?.max(SEGMENT_HEADER_BYTES);
    scan(&mut Window::new(file, size), first, size)
}

#[cfg(test)]
mod tests {
    use super::super::{LocalJournal, Options};
    use super::*;
    use crate::{Frame, Journal as _};

    #[test]
    fn the_last_whole_frame_is_told_beside_the_writer_across_segments_and_a_torn_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = dir.path().join("journal");
        let last = || last_frame_beside(&journal).expect("looked at").0;
        assert_eq!(last(), 0, "no folder, and none is made");
        assert!(!journal.exists());
        let options = Options { segment_bytes: 4_096, ..Options::default() };
        let read = |from: u64| {
            let frames = frames_beside(&journal, Seq(from)).expect("looked at");
            frames.map(|frame| frame.expect("a frame").0.0).collect::<Vec<_>>()
        };
        let mut opened = LocalJournal::open(&journal, options).expect("opened").journal;
        assert_eq!(last(), 0, "a header and no frame");
        let frame = || Frame { leaf: vec![7; 900], ..Frame::default() };
        for seq in 1..=9 {
            opened.append(Seq(seq - 1), &[frame()]).expect("appended");
            assert_eq!(last(), seq);
            assert_eq!(read(1), (1..=seq).collect::<Vec<_>>());
        }
        drop(opened);
        let names = Folder::new(&journal).expect("a folder").names().expect("names");
        let segments = names.iter().filter(|name| segment_first(name).is_some());
        let newest = journal.join(segments.max().expect("a segment"));
        assert!(names.iter().filter(|name| segment_first(name).is_some()).count() > 1);
        let whole = fs_err::read(&newest).expect("a segment");
        fs_err::write(&newest, &whole[..whole.len() - 1]).expect("torn");
        assert_eq!((last(), read(3)), (8, (3..=8).collect()));
        assert!(read(9).is_empty());
        assert_eq!(fs_err::read(&newest).expect("a segment").len(), whole.len() - 1, "not cut");
    }
}
