//! Reading a blob: one chunk by its number, or all of them in order.
//!
//! A page of a review shows one line of millions, so a chunk is found through the index and read and opened alone; all
//! chunks are read some megabytes at a time. Invariant: no plaintext is handed out before its tag has been checked.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use chacha20poly1305::XChaCha20Poly1305;
use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use renkei_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::blob_error::BlobError;
use crate::blob_layout::{
    BadHeader, HEADER_BYTES, Header, Piece, chunks_end, decode_footer, footer_bytes,
};
use crate::blobs::{BlobRef, Blobs, place};
use crate::seal::{DataKey, open_with};

/// How much is asked of the store at once when all chunks are read.
/// Small in unit tests, as the parts of a writer are.
const READ_BYTES: u64 = if cfg!(test) { 64 << 10 } else { 8 << 20 };

/// A blob that can be read.
pub struct BlobReader {
    blobs: Blobs,
    blob: BlobRef,
    cipher: XChaCha20Poly1305,
    header: Header,
    ends: Vec<u64>,
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader").field("blob", &self.blob).finish_non_exhaustive()
    }
}

impl BlobReader {
    pub(crate) fn open(blobs: Blobs, blob: BlobRef, key: &DataKey) -> Result<Self, BlobError> {
        let damaged = || BlobError::Damaged { address: blob.address, chunk: None };
        let end = chunks_end(blob.chunks, blob.bytes);
        let footer = end..end.saturating_add(footer_bytes(blob.chunks));
        let head = 0..HEADER_BYTES as u64;
        let parts = ranges(&blobs, &blob, &[head, footer], None)?;
        let header = parts.first().ok_or_else(damaged)?;
        let header = Header::read(header, blob.key).map_err(|error| match error {
            BadHeader::Newer(found) => BlobError::NewerFormat { address: blob.address, found },
            BadHeader::Damaged => damaged(),
        })?;
        let cipher = key.cipher();
        let (nonce, aad) = (header.nonce(Piece::Footer), header.aad(Piece::Footer));
        let footer = parts.get(1).ok_or_else(damaged)?;
        let index = open_with(&cipher, &nonce, &aad, footer).map_err(|_| damaged())?;
        let ends = decode_footer(&index, end)
            .filter(|ends| ends.len() as u64 == u64::from(blob.chunks))
            .ok_or_else(damaged)?;
        Ok(Self { blobs, blob, cipher, header, ends })
    }

    /// What it was opened with.
    pub fn blob(&self) -> &BlobRef {
        &self.blob
    }

    /// One chunk, counted from 0.
    pub fn chunk(&self, number: u32) -> Result<Vec<u8>, BlobError> {
        let range = self.range(number)?;
        let sealed = ranges(&self.blobs, &self.blob, &[range], Some(number))?;
        self.open_chunk(number, &sealed.concat())
    }

    /// All chunks in order.
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks { reader: self, next: 0, ready: VecDeque::new(), failed: false }
    }

    /// Reads the whole ciphertext and compares its digest with the address: the regular scrub. Needs no key.
    pub fn verify(&self) -> Result<(), BlobError> {
        let (store, place) = (&self.blobs.store, place(&self.blob.address));
        let digest = self.blobs.handle.block_on(async {
            let hashed = async |mut hash: Sha256, bytes: Bytes| {
                hash.update(&bytes);
                Ok(hash)
            };
            store.get(&place).await?.into_stream().try_fold(Sha256::new(), hashed).await
        });
        let digest = digest.map_err(|error| store_error(&self.blob, error))?;
        if Digest::from_bytes(digest.finalize().into()) == self.blob.address {
            return Ok(());
        }
        Err(BlobError::Damaged { address: self.blob.address, chunk: None })
    }

    fn range(&self, number: u32) -> Result<Range<u64>, BlobError> {
        let place = number as usize;
        let start = match place.checked_sub(1) {
            None => Some(HEADER_BYTES as u64),
            Some(before) => self.ends.get(before).copied(),
        };
        match (start, self.ends.get(place)) {
            (Some(start), Some(&end)) => Ok(start..end),
            (None, _) | (_, None) => Err(BlobError::NoSuchChunk {
                address: self.blob.address,
                chunk: number,
                chunks: self.blob.chunks,
            }),
        }
    }

    fn open_chunk(&self, number: u32, sealed: &[u8]) -> Result<Vec<u8>, BlobError> {
        let piece = Piece::Chunk { number, last: number + 1 == self.blob.chunks };
        open_with(&self.cipher, &self.header.nonce(piece), &self.header.aad(piece), sealed)
            .map_err(|_| BlobError::Damaged { address: self.blob.address, chunk: Some(number) })
    }
}

fn store_error(blob: &BlobRef, error: object_store::Error) -> BlobError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return BlobError::NotFound { address: blob.address };
    }
    BlobError::store(error)
}

/// Reads ranges that must be there; a blob that has lost its end is damaged, whatever the store calls it.
fn ranges(
    blobs: &Blobs,
    blob: &BlobRef,
    ranges: &[Range<u64>],
    chunk: Option<u32>,
) -> Result<Vec<Bytes>, BlobError> {
    let place = place(&blob.address);
    let damaged = BlobError::Damaged { address: blob.address, chunk };
    match blobs.handle.block_on(blobs.store.get_ranges(&place, ranges)) {
        Ok(parts) => {
            let length = |range: &Range<u64>| range.end - range.start;
            let complete = parts.len() == ranges.len()
                && parts.iter().zip(ranges).all(|(part, range)| part.len() as u64 == length(range));
            if complete { Ok(parts) } else { Err(damaged) }
        }
        Err(error) => {
            let end = ranges.iter().map(|range| range.end).max().unwrap_or_default();
            match blobs.handle.block_on(blobs.store.head(&place)) {
                Ok(found) if found.size < end => Err(damaged),
                Ok(_) | Err(_) => Err(store_error(blob, error)),
            }
        }
    }
}

/// The chunks of a blob in order. It ends after the first error.
#[derive(Debug)]
pub struct Chunks<'a> {
    reader: &'a BlobReader,
    /// The first chunk that has not been read.
    next: u32,
    /// Read, but not opened.
    ready: VecDeque<(u32, Bytes)>,
    failed: bool,
}

impl Chunks<'_> {
    fn fill(&mut self) -> Result<(), BlobError> {
        let first = self.reader.range(self.next)?;
        let mut wanted = vec![(self.next, first.clone())];
        for number in self.next + 1..self.reader.blob.chunks {
            let range = self.reader.range(number)?;
            if range.end - first.start > READ_BYTES {
                break;
            }
            wanted.push((number, range));
        }
        let end = wanted.last().map_or(first.end, |(_, range)| range.end);
        let reader = self.reader;
        let span = first.start..end;
        let span = std::slice::from_ref(&span);
        let whole = ranges(&reader.blobs, &reader.blob, span, Some(self.next))?;
        let whole = whole.first().cloned().unwrap_or_default();
        for (number, range) in wanted {
            let from = (range.start - first.start) as usize;
            let sealed = whole.slice(from..from + (range.end - range.start) as usize);
            self.ready.push_back((number, sealed));
            self.next = number + 1;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        if self.ready.is_empty() && self.next < self.reader.blob.chunks {
            self.fill()?;
        }
        let Some((number, sealed)) = self.ready.pop_front() else { return Ok(None) };
        self.reader.open_chunk(number, &sealed).map(Some)
    }
}

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<u8>, BlobError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let chunk = self.read().transpose();
        self.failed = matches!(chunk, Some(Err(_)));
        chunk
    }
}
