//! How far a journal goes, looked at beside the process that writes it.
//!
//! Opening a journal takes its lock, cuts a torn tail and begins an incarnation; whoever only wants to know whether it is the
//! newest one must do none of that. Invariant: nothing is written, and no frame is counted that is not whole.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::folder::Folder;
use crate::frame::Seq;
use crate::segment::{SEGMENT_HEADER_BYTES, scan, segment_first, segment_name};
use crate::storage::Storage as _;
use crate::window::Window;

/// The number of the last whole frame in a folder; 0 where there is none, or no such folder. Frames before the last segment
/// are taken as there.
pub fn last_frame_beside(dir: &Path) -> io::Result<Seq> {
    if !dir.is_dir() {
        return Ok(Seq(0));
    }
    let folder = Folder::new(dir)?;
    let names = folder.names()?;
    let Some(first) = names.iter().filter_map(|name| segment_first(name)).max() else {
        return Ok(Seq(0));
    };
    let file = folder.open_to_read(&segment_name(first))?;
    let size = file.size()?.max(SEGMENT_HEADER_BYTES);
    let found = scan(&mut Window::new(Arc::clone(&file), size), first, size)?;
    Ok(Seq(found.next.0.saturating_sub(1)))
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
        let mut opened = LocalJournal::open(&journal, options).expect("opened").journal;
        assert_eq!(last(), 0, "a header and no frame");
        let frame = || Frame { leaf: vec![7; 900], ..Frame::default() };
        for seq in 1..=9 {
            opened.append(Seq(seq - 1), &[frame()]).expect("appended");
            assert_eq!(last(), seq);
        }
        drop(opened);
        let names = Folder::new(&journal).expect("a folder").names().expect("names");
        let segments = names.iter().filter(|name| segment_first(name).is_some());
        let newest = journal.join(segments.max().expect("a segment"));
        assert!(names.iter().filter(|name| segment_first(name).is_some()).count() > 1);
        let whole = fs_err::read(&newest).expect("a segment");
        fs_err::write(&newest, &whole[..whole.len() - 1]).expect("torn");
        assert_eq!(last(), 8);
        assert_eq!(fs_err::read(&newest).expect("a segment").len(), whole.len() - 1, "not cut");
    }
}
