//! The frame: one decided change, and its bytes in a segment file.
//!
//! ```text
//! len u32 | crc32c u32 | seq u64 | incarnation u32 | place in its group u32 | lengths of the parts 3 x u32 | parts
//! ```
//! Numbers are little-endian; `len` counts what follows the checksum, and the checksum covers `len` too. The place in
//! the group tells which frames were made durable by one sync: a frame of a later group proves that the groups before
//! it had been acknowledged, which is how damage is told from a torn tail (see `segment`).
//! Invariant: a frame decodes only as a whole. What the parts contain is left to the caller.

use std::fmt;

/// The number of a frame: the first is 1, and `Seq(0)` stands for the empty journal.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The greatest number of bytes in the three parts of a frame together: 4 MiB. More than that belongs into a blob.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// One decided change, in three parts that the journal does not look into.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Frame {
    /// The public leaf of the transparency log.
    pub leaf: Vec<u8>,
    /// The public facts that the state is made from.
    pub facts: Vec<u8>,
    /// The personal part, sealed with a data key.
    pub sealed: Vec<u8>,
}

impl Frame {
    /// How many bytes the parts have together.
    pub fn bytes(&self) -> usize {
        self.leaf.len() + self.facts.len() + self.sealed.len()
    }
}

/// Sizes only: a part may say something about a person.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("leaf_bytes", &self.leaf.len())
            .field("facts_bytes", &self.facts.len())
            .field("sealed_bytes", &self.sealed.len())
            .finish()
    }
}

/// The bytes before the parts.
pub(crate) const HEADER_BYTES: usize = 36;
const LEN_AND_CRC_BYTES: usize = 8;

/// What stands before the parts of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    crc: u32,
    pub(crate) seq: Seq,
    pub(crate) incarnation: u32,
    group_place: u32,
    parts: [usize; 3],
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

impl Header {
    /// Reads a header; nothing where the lengths contradict each other or exceed the limit.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER_BYTES {
            return None;
        }
        let parts = [24, 28, 32].map(|at| u32_at(bytes, at) as usize);
        let body = parts.iter().sum::<usize>();
        let len = u32_at(bytes, 0) as usize;
        if body > FRAME_BYTES_MAX || len != HEADER_BYTES - LEN_AND_CRC_BYTES + body {
            return None;
        }
        Some(Self {
            crc: u32_at(bytes, 4),
            seq: Seq(u64::from(u32_at(bytes, 8)) | u64::from(u32_at(bytes, 12)) << 32),
            incarnation: u32_at(bytes, 16),
            group_place: u32_at(bytes, 20),
            parts,
        })
    }

    /// Header and parts together.
    pub(crate) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.parts.iter().sum::<usize>()
    }

    /// The first frame of the group that this one was written with.
    pub(crate) fn group_first(&self) -> Seq {
        Seq(self.seq.0.saturating_sub(u64::from(self.group_place)))
    }

    /// Whether `bytes`, which begin with this header, are all there and unchanged.
    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.frame_bytes() && self.crc == checksum(bytes)
    }

    /// The parts of a frame whose bytes match.
    pub(crate) fn parts(&self, bytes: &[u8]) -> Frame {
        let [leaf, facts, _] = self.parts;
        let body = &bytes[HEADER_BYTES..];
        Frame {
            leaf: body[..leaf].to_vec(),
            facts: body[leaf..leaf + facts].to_vec(),
            sealed: body[leaf + facts..].to_vec(),
        }
    }
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[LEN_AND_CRC_BYTES..])
}

/// Adds the bytes of one frame, which is within the limit, to `buffer`.
pub(crate) fn encode(
    buffer: &mut Vec<u8>,
    frame: &Frame,
    seq: Seq,
    incarnation: u32,
    group_place: u32,
) {
    let start = buffer.len();
    let parts = [&frame.leaf, &frame.facts, &frame.sealed];
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    buffer.extend(length(HEADER_BYTES - LEN_AND_CRC_BYTES + frame.bytes()));
    buffer.extend([0; 4]);
    buffer.extend(seq.0.to_le_bytes());
    buffer.extend(incarnation.to_le_bytes());
    buffer.extend(group_place.to_le_bytes());
    parts.iter().for_each(|part| buffer.extend(length(part.len())));
    parts.iter().for_each(|part| buffer.extend_from_slice(part));
    let crc = checksum(&buffer[start..]);
    buffer[start + 4..start + LEN_AND_CRC_BYTES].copy_from_slice(&crc.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_decodes_to_itself_and_no_changed_byte_passes() {
        let frame = Frame { leaf: b"leaf".to_vec(), facts: Vec::new(), sealed: b"sealed".to_vec() };
        let mut bytes = Vec::new();
        encode(&mut bytes, &frame, Seq(u64::MAX - 7), 3, 2);
        let header = Header::read(&bytes).expect("a header");
        assert!(header.matches(&bytes));
        assert_eq!((header.seq, header.incarnation), (Seq(u64::MAX - 7), 3));
        assert_eq!(header.group_first(), Seq(u64::MAX - 9));
        assert_eq!(header.parts(&bytes), frame);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(!Header::read(&flipped).is_some_and(|header| header.matches(&flipped)), "{at}");
        }
    }

    #[test]
    fn debug_text_shows_no_content() {
        let frame = Frame { facts: b"Sato".to_vec(), ..Frame::default() };
        assert!(!format!("{frame:?}").contains("Sato"));
    }
}
