//! The bytes of a blob.
//!
//! ```text
//! header   "RENKEIB\n" | format u32 | data key id (16) | random prefix (16)
//! chunks   ciphertext and tag, one behind the other
//! footer   where each chunk ends (u64 each), sealed like a chunk
//! ```
//! The nonce of a chunk is the prefix and its number, so it never repeats under a key; the footer takes the greatest
//! number. The additional data binds header, number and whether it is the last, so that chunks cannot be swapped,
//! dropped or moved to another blob. Sizes follow from a [`crate::BlobRef`], so nothing has to be searched for.

use renkei_types::{DataKeyId, Entropy};

use crate::seal::{NONCE_BYTES, TAG_BYTES};

const MAGIC: &[u8; 8] = b"RENKEIB\n";
const FORMAT: u32 = 1;
const PREFIX_BYTES: usize = 16;
pub(crate) const HEADER_BYTES: usize = 44;

/// What is sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    Chunk { number: u32, last: bool },
    Footer,
}

/// The head of a blob, which every piece of it is bound to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Header([u8; HEADER_BYTES]);

/// Why a header cannot be used.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum BadHeader {
    Newer(u32),
    Damaged,
}

impl Header {
    pub(crate) fn new(key: DataKeyId, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12..28].copy_from_slice(key.as_bytes());
        entropy.fill(&mut bytes[HEADER_BYTES - PREFIX_BYTES..]);
        Self(bytes)
    }

    pub(crate) fn read(bytes: &[u8], key: DataKeyId) -> Result<Self, BadHeader> {
        let bytes: [u8; HEADER_BYTES] = bytes.try_into().map_err(|_| BadHeader::Damaged)?;
        let mut format = [0; 4];
        format.copy_from_slice(&bytes[8..12]);
        let format = u32::from_le_bytes(format);
        if &bytes[..8] != MAGIC || &bytes[12..28] != key.as_bytes() || format < FORMAT {
            return Err(BadHeader::Damaged);
        }
        if format > FORMAT {
            return Err(BadHeader::Newer(format));
        }
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn nonce(&self, piece: Piece) -> [u8; NONCE_BYTES] {
        let number = match piece {
            Piece::Chunk { number, .. } => u64::from(number),
            Piece::Footer => u64::MAX,
        };
        let mut nonce = [0; NONCE_BYTES];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.0[HEADER_BYTES - PREFIX_BYTES..]);
        nonce[PREFIX_BYTES..].copy_from_slice(&number.to_le_bytes());
        nonce
    }

    pub(crate) fn aad(&self, piece: Piece) -> Vec<u8> {
        let mut aad = self.0.to_vec();
        match piece {
            Piece::Chunk { number, last } => {
                aad.extend(number.to_le_bytes());
                aad.push(u8::from(last));
            }
            Piece::Footer => aad.extend(b"footer"),
        }
        aad
    }
}

pub(crate) fn encode_footer(ends: &[u64]) -> Vec<u8> {
    ends.iter().flat_map(|end| end.to_le_bytes()).collect()
}

/// Where each chunk ends; nothing where the numbers cannot be right.
pub(crate) fn decode_footer(bytes: &[u8], chunks_end: u64) -> Option<Vec<u64>> {
    let ends: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|eight| {
            let mut number = [0; 8];
            number.copy_from_slice(eight);
            u64::from_le_bytes(number)
        })
        .collect();
    let ascending = ends.windows(2).all(|pair| pair[0] + TAG_BYTES as u64 <= pair[1]);
    let complete = ends.last().is_none_or(|&end| end == chunks_end);
    (ascending && complete).then_some(ends)
}

/// Where the chunks end and the footer begins.
pub(crate) fn chunks_end(chunks: u32, plaintext_bytes: u64) -> u64 {
    (HEADER_BYTES as u64)
        .saturating_add(plaintext_bytes)
        .saturating_add(u64::from(chunks) * TAG_BYTES as u64)
}

/// How many bytes the sealed footer has.
pub(crate) fn footer_bytes(chunks: u32) -> u64 {
    u64::from(chunks) * 8 + TAG_BYTES as u64
}
