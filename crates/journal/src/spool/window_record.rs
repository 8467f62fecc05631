//! The bytes of a spool file: its header and its windows (see `spool` for the picture).

use std::io;

use renkei_types::UploadId;

use crate::seal::{NONCE_BYTES, TAG_BYTES};
use crate::window::Window;

const MAGIC: &[u8; 8] = b"RENKEIU\n";
const FORMAT: u32 = 1;
pub(super) const HEADER_BYTES: usize = 32;
pub(super) const RECORD_HEADER_BYTES: usize = 24;
const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// The greatest window: 8 MiB, which is also what a cut connection costs at most.
pub(super) const WINDOW_BYTES_MAX: usize = 8 << 20;

pub(super) fn encode_header(id: UploadId) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(id.as_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

pub(super) fn check_header(bytes: &[u8], id: UploadId) -> bool {
    bytes == encode_header(id)
}

/// What a sealed window is bound to.
pub(super) fn aad(id: UploadId, offset: u64) -> Vec<u8> {
    [b"renkei spool 1\0".as_slice(), id.as_bytes(), &offset.to_le_bytes()].concat()
}

pub(super) fn encode(offset: u64, durable_through: u64, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD_HEADER_BYTES + sealed.len());
    // Unwrap-free: a window is far below 4 GiB, and a length that were cut would fail its checksum.
    bytes.extend(u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(offset.to_le_bytes());
    bytes.extend(durable_through.to_le_bytes());
    bytes.extend_from_slice(sealed);
    let crc = checksum(&bytes);
    bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn checksum(record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&record[..4]), &record[8..])
}

/// An intact window, without its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) offset: u64,
    pub(super) durable_through: u64,
    sealed_bytes: usize,
}

impl Record {
    /// The window at `at`, if there is an intact one.
    pub(super) fn read(window: &mut Window, at: u64) -> io::Result<Option<Self>> {
        let header = window.bytes(at, RECORD_HEADER_BYTES)?;
        if header.len() < RECORD_HEADER_BYTES {
            return Ok(None);
        }
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(eight)
        };
        let (len, crc) = (number(0) & 0xffff_ffff, number(0) >> 32);
        let (offset, durable_through) = (number(8), number(16));
        let sealed_bytes = usize::try_from(len).unwrap_or(usize::MAX);
        let plausible = sealed_bytes > SEAL_BYTES
            && sealed_bytes <= SEAL_BYTES + WINDOW_BYTES_MAX
            && durable_through <= offset;
        if !plausible {
            return Ok(None);
        }
        let bytes = window.bytes(at, RECORD_HEADER_BYTES + sealed_bytes)?;
        let intact =
            bytes.len() == RECORD_HEADER_BYTES + sealed_bytes && u64::from(checksum(bytes)) == crc;
        Ok(intact.then_some(Self { offset, durable_through, sealed_bytes }))
    }

    /// Header and contents.
    pub(super) fn bytes(&self) -> u64 {
        (RECORD_HEADER_BYTES + self.sealed_bytes) as u64
    }

    pub(super) fn plaintext_bytes(&self) -> u64 {
        (self.sealed_bytes - SEAL_BYTES) as u64
    }
}
