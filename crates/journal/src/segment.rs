//! A segment file: its header, and how far it can be believed.
//!
//! ```text
//! header:  "RENKEIJ\n" | format u32 | first seq u64 | first seq of the segment before u64 | its size u64 | crc32c u32
//! then     frames, one behind the other (see `frame`)
//! ```
//! A header names the segment before and its size, so that a lost or shortened file is noticed without reading it.
//!
//! **Torn tail or damage?** A group of frames is one write and one sync, and the next group is written only after that
//! sync. So a bad frame behind which a frame of a *later* group follows had been acknowledged: damage. A bad frame
//! followed by nothing valid is a torn tail. In between, a bad frame is followed by valid ones of its own group: a
//! write that reached the disk in part leaves whole blocks of zeros where the rest is missing, so with such a block it
//! is a torn tail and without it damage. One case cannot be told apart: damage in the very last frame.
//! Invariant: only a torn tail of the last segment is ever cut.

use std::io;

use crate::frame::{HEADER_BYTES, Header, Seq};
use crate::window::Window;

const MAGIC: &[u8; 8] = b"RENKEIJ\n";
pub(crate) const FORMAT: u32 = 1;
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 40;

/// One frame in so many has its offset in memory.
pub(crate) const INDEX_STEP: u64 = 256;

/// The smallest unit that a disk writes whole.
const BLOCK_BYTES: u64 = 512;

/// The name of the segment that begins with `first`.
pub(crate) fn segment_name(first: Seq) -> String {
    format!("{:020}.seg", first.0)
}

/// The first number of the segment with this name; nothing for other files.
pub(crate) fn segment_first(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 20)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    digits.parse().ok().map(Seq)
}

/// What stands at the head of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SegmentHeader {
    pub(crate) first: Seq,
    /// `Seq(0)` for the first segment of a journal.
    pub(crate) previous_first: Seq,
    pub(crate) previous_size: u64,
}

/// Why a header cannot be used.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum BadHeader {
    /// Written by a newer renkei.
    Newer(u32),
    /// Nothing of a frame can be behind it: the file was being made when the power failed.
    Unfinished,
    /// Not what was written.
    Damaged,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.first.0.to_le_bytes());
        bytes.extend(self.previous_first.0.to_le_bytes());
        bytes.extend(self.previous_size.to_le_bytes());
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the header of a file of `size` bytes.
    pub(crate) fn read(window: &mut Window, size: u64) -> io::Result<Result<Self, BadHeader>> {
        let header = SEGMENT_HEADER_BYTES as usize;
        let bytes = window.bytes(0, header)?;
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        if bytes.len() < header || bytes.iter().all(|&byte| byte == 0) {
            let unfinished = size <= SEGMENT_HEADER_BYTES;
            return Ok(Err(if unfinished { BadHeader::Unfinished } else { BadHeader::Damaged }));
        }
        let format = (number(4) >> 32) as u32;
        if &bytes[..8] != MAGIC {
            return Ok(Err(BadHeader::Damaged));
        }
        if format > FORMAT {
            return Ok(Err(BadHeader::Newer(format)));
        }
        if crc32c::crc32c(&bytes[..header - 4]).to_le_bytes() != bytes[header - 4..] {
            return Ok(Err(BadHeader::Damaged));
        }
        Ok(Ok(Self {
            first: Seq(number(12)),
            previous_first: Seq(number(20)),
            previous_size: number(28),
        }))
    }
}

/// The header of the intact frame at `offset`, if there is one.
pub(crate) fn frame_at(window: &mut Window, offset: u64) -> io::Result<Option<Header>> {
    let Some(header) = Header::read(window.bytes(offset, HEADER_BYTES)?) else {
        return Ok(None);
    };
    let bytes = window.bytes(offset, header.frame_bytes())?;
    Ok(header.matches(bytes).then_some(header))
}

/// How the frames of a segment end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// With the file.
    Complete,
    /// In bytes that were never acknowledged.
    Torn,
    /// In bytes that were.
    Damaged,
}

/// What reading a whole segment showed.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Where the intact frames end.
    pub(crate) end: u64,
    /// The number that the next frame gets.
    pub(crate) next: Seq,
    /// The incarnation of the last frame.
    pub(crate) incarnation: u32,
    /// Where every 256th frame begins.
    pub(crate) index: Vec<u64>,
    pub(crate) ending: Ending,
}

impl Scan {
    /// The number of the last intact frame.
    pub(crate) fn last(&self) -> Seq {
        Seq(self.next.0.saturating_sub(1))
    }
}

/// Reads the frames of a segment of `size` bytes, up to the first that is not intact.
pub(crate) fn scan(window: &mut Window, first: Seq, size: u64) -> io::Result<Scan> {
    let mut scan = Scan {
        end: SEGMENT_HEADER_BYTES,
        next: first,
        incarnation: 0,
        index: Vec::new(),
        ending: Ending::Complete,
    };
    while scan.end < size {
        let Some(header) = frame_at(window, scan.end)? else {
            scan.ending = judge(window, scan.end, scan.next, size)?;
            break;
        };
        if header.seq != scan.next || header.incarnation < scan.incarnation {
            scan.ending = Ending::Damaged;
            break;
        }
        if (scan.next.0 - first.0).is_multiple_of(INDEX_STEP) {
            scan.index.push(scan.end);
        }
        scan.incarnation = header.incarnation;
        scan.end += header.frame_bytes() as u64;
        scan.next = scan.next.next();
    }
    Ok(scan)
}

/// Tells a torn tail from damage; `expected` should have begun at `bad`. See the head of this file.
fn judge(window: &mut Window, bad: u64, expected: Seq, size: u64) -> io::Result<Ending> {
    let mut at = bad + 1;
    let mut blocks = ZeroBlocks::from(bad);
    while at + HEADER_BYTES as u64 <= size {
        let plausible = Header::read(window.bytes(at, HEADER_BYTES)?)
            .filter(|header| header.seq > expected && header.seq.0 - expected.0 < size);
        let Some(header) = plausible else {
            at += 1;
            continue;
        };
        if frame_at(window, at)?.is_none() {
            at += 1;
            continue;
        }
        if header.group_first() > expected || !blocks.found_before(window, at)? {
            return Ok(Ending::Damaged);
        }
        at += header.frame_bytes() as u64;
    }
    Ok(Ending::Torn)
}

/// Looks for a block, or the rest of the one in which the bad frame begins, that is wholly zero.
struct ZeroBlocks {
    at: u64,
    found: bool,
}

impl ZeroBlocks {
    fn from(bad: u64) -> Self {
        Self { at: bad, found: false }
    }

    fn found_before(&mut self, window: &mut Window, end: u64) -> io::Result<bool> {
        while !self.found {
            let block_end = (self.at / BLOCK_BYTES + 1) * BLOCK_BYTES;
            if block_end > end {
                break;
            }
            let block = window.bytes(self.at, (block_end - self.at) as usize)?;
            self.found = block.iter().all(|&byte| byte == 0);
            self.at = block_end;
        }
        Ok(self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_names_sort_like_their_numbers_and_other_names_are_not_ours() {
        assert_eq!(segment_name(Seq(7)), "00000000000000000007.seg");
        assert_eq!(segment_first(&segment_name(Seq(u64::MAX))), Some(Seq(u64::MAX)));
        for other in ["LOCK", "7.seg", "+0000000000000000007.seg", "00000000000000000007.seg.tmp"] {
            assert_eq!(segment_first(other), None);
        }
    }
}
