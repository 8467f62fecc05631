//! Writing a blob: chunk after chunk, in bounded memory.
//!
//! One chunk is held back, because only the end shows which is the last. Sealed bytes go out in parts of 8 MiB, at most
//! two of them under way, while the next chunk is being sealed. Invariant: a writer that is dropped leaves no blob.

use bytes::Bytes;
use chacha20poly1305::XChaCha20Poly1305;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use renkei_types::{DataKeyId, Digest, Entropy};
use sha2::{Digest as _, Sha256};

use crate::blob_error::BlobError;
use crate::blob_layout::{Header, Piece, encode_footer};
use crate::blobs::{BlobRef, Blobs, CHUNK_BYTES_MAX, STAGING, place};
use crate::seal::{DataKey, KeyedDigest, TAG_BYTES, seal_onto};

/// Small in unit tests, where the cipher is not optimised and a blob of many parts would take minutes.
const PART_BYTES: usize = if cfg!(test) { 64 << 10 } else { 8 << 20 };
const PARTS_UNDER_WAY_MAX: usize = 2;

/// A blob that is being written.
pub struct BlobWriter {
    blobs: Blobs,
    cipher: XChaCha20Poly1305,
    key: DataKeyId,
    header: Header,
    staging: Path,
    /// The plaintext of the newest chunk, until it is known whether it is the last.
    held: Option<Vec<u8>>,
    chunks: u32,
    bytes: u64,
    ends: Vec<u64>,
    /// Sealed bytes that have not gone out.
    sealed: Vec<u8>,
    sealed_bytes: u64,
    address: Sha256,
    digest: KeyedDigest,
    upload: Option<WriteMultipart>,
}

impl std::fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobWriter")
            .field("key", &self.key)
            .field("chunks", &self.chunks)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl BlobWriter {
    pub(crate) fn new(blobs: Blobs, key: &DataKey, id: DataKeyId, entropy: &dyn Entropy) -> Self {
        let header = Header::new(id, entropy);
        let mut name = [0; 16];
        entropy.fill(&mut name);
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut address = Sha256::new();
        address.update(header.as_bytes());
        Self {
            blobs,
            cipher: key.cipher(),
            key: id,
            staging: Path::from_iter([STAGING, &name]),
            held: None,
            chunks: 0,
            bytes: 0,
            ends: Vec::new(),
            sealed: header.as_bytes().to_vec(),
            sealed_bytes: header.as_bytes().len() as u64,
            address,
            digest: key.keyed_digest_of_parts("blob"),
            upload: None,
            header,
        }
    }

    /// Adds a chunk, which can be read alone later.
    pub fn chunk(&mut self, plaintext: &[u8]) -> Result<(), BlobError> {
        if plaintext.len() > CHUNK_BYTES_MAX || self.chunks == u32::MAX {
            return Err(BlobError::TooLarge { bytes: plaintext.len() });
        }
        let mut held = self.held.take().unwrap_or_default();
        if self.chunks > 0 {
            self.seal_chunk(&held, false)?;
        }
        self.digest.update(plaintext);
        self.chunks += 1;
        self.bytes += plaintext.len() as u64;
        held.clear();
        held.extend_from_slice(plaintext);
        self.held = Some(held);
        Ok(())
    }

    /// Ends the blob and makes it durable at its address.
    pub fn finish(mut self) -> Result<BlobRef, BlobError> {
        if let Some(held) = self.held.take() {
            self.seal_chunk(&held, true)?;
        }
        let footer = encode_footer(&self.ends);
        self.seal(Piece::Footer, &footer)?;
        let address = Digest::from_bytes(self.address.clone().finalize().into());
        let sealed = Bytes::from(std::mem::take(&mut self.sealed));
        let (store, place) = (&self.blobs.store, place(&address));
        let staging = &self.staging;
        let finished = match self.upload.take() {
            None => self.blobs.handle.block_on(store.put(&place, sealed.into())).map(|_| ()),
            Some(mut upload) => self.blobs.handle.block_on(async {
                upload.put(sealed);
                upload.finish().await?;
                store.rename(staging, &place).await
            }),
        };
        finished.map_err(BlobError::store)?;
        Ok(BlobRef {
            address,
            key: self.key,
            chunks: self.chunks,
            bytes: self.bytes,
            digest: self.digest.clone().finish(),
        })
    }

    fn seal_chunk(&mut self, plaintext: &[u8], last: bool) -> Result<(), BlobError> {
        self.ends.push(self.sealed_bytes + (plaintext.len() + TAG_BYTES) as u64);
        self.seal(Piece::Chunk { number: self.chunks - 1, last }, plaintext)
    }

    fn seal(&mut self, piece: Piece, plaintext: &[u8]) -> Result<(), BlobError> {
        let start = self.sealed.len();
        let (nonce, aad) = (self.header.nonce(piece), self.header.aad(piece));
        seal_onto(&self.cipher, &nonce, &aad, plaintext, &mut self.sealed);
        let sealed = &self.sealed[start..];
        self.address.update(sealed);
        self.sealed_bytes += sealed.len() as u64;
        if self.sealed.len() >= PART_BYTES { self.send() } else { Ok(()) }
    }

    /// Hands the sealed bytes to the store, waiting while enough are under way.
    fn send(&mut self) -> Result<(), BlobError> {
        let next = Vec::with_capacity(PART_BYTES);
        let sealed = Bytes::from(std::mem::replace(&mut self.sealed, next));
        let Self { blobs, upload, staging, .. } = self;
        blobs
            .handle
            .block_on(async {
                let upload = match upload {
                    Some(upload) => upload,
                    None => {
                        let started = blobs.store.put_multipart(staging).await?;
                        upload.insert(WriteMultipart::new_with_chunk_size(started, PART_BYTES))
                    }
                };
                upload.wait_for_capacity(PARTS_UNDER_WAY_MAX).await?;
                upload.put(sealed);
                Ok(())
            })
            .map_err(BlobError::store)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            // Best effort, for stores that bill forgotten parts; a sweep at the next start finds the rest.
            self.blobs.handle.spawn(async move { drop(upload.abort().await) });
        }
    }
}
