//! Large bodies: immutable, sealed, addressed by the digest of their ciphertext.
//!
//! An upload, a snapshot or a result is too large for a frame; it is written as a blob first, and the frame that refers
//! to it is appended after. So a blob nobody refers to is the worst a crash can leave. Because the address is known only
//! at the end, a large blob is written below `staging/` and then moved; a small one goes to its place at once.
//! Invariant: a blob that `finish` returned is durable, and reads back exactly or is refused with address and chunk.
//!
//! The calls block on the store's runtime, so they must not be made on one of its worker threads (that panics): from
//! asynchronous code go through `spawn_blocking`. What the local store is asked for: `with_fsync` syncs files and
//! folders after a put, a completed multipart upload and a move, but not after a delete, which is synced here.

use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use renkei_types::{DataKeyId, Digest, Entropy};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::blob_error::BlobError;
use crate::blob_reader::BlobReader;
use crate::blob_writer::BlobWriter;
use crate::folder::{create_folder, sync_folder};
use crate::seal::DataKey;

/// The greatest chunk: 16 MiB. A reader holds one at a time.
pub const CHUNK_BYTES_MAX: usize = 16 << 20;

pub(crate) const STAGING: &str = "staging";

/// What a frame keeps of a blob: enough to find, open and check it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// The SHA-256 of the ciphertext: where it is.
    pub address: Digest,
    /// The key that opens it.
    pub key: DataKeyId,
    /// How many chunks it has.
    pub chunks: u32,
    /// How many bytes of plaintext.
    pub bytes: u64,
    /// The keyed digest of the plaintext: equal for equal contents under one key, meaningless without it.
    pub digest: Digest,
}

/// A store of blobs. Clones share it.
#[derive(Clone)]
pub struct Blobs {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) handle: Handle,
    /// The folder of a local store.
    folder: Option<PathBuf>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("store", &self.store.to_string()).finish_non_exhaustive()
    }
}

/// Where the blob of this address is: two hexadecimal digits as the folder, the other 62 as the name.
pub(crate) fn place(address: &Digest) -> Path {
    let text = address.to_string();
    let hex = text.strip_prefix("sha256:").unwrap_or(&text);
    Path::from_iter([&hex[..2], &hex[2..]])
}

impl Blobs {
    /// Blobs in any store that answers on the runtime behind `handle`. The store must make an object durable before it
    /// says so.
    pub fn new(store: Arc<dyn ObjectStore>, handle: Handle) -> Self {
        Self { store, handle, folder: None }
    }

    /// Blobs in a folder, which is made if it is missing.
    pub fn local(dir: &FilePath, handle: Handle) -> Result<Self, BlobError> {
        create_folder(dir)
            .map_err(|source| BlobError::Io { folder: dir.display().to_string(), source })?;
        let store = LocalFileSystem::new_with_prefix(dir).map_err(BlobError::store)?;
        let store = Arc::new(store.with_fsync(true));
        Ok(Self { store, handle, folder: Some(dir.to_owned()) })
    }

    /// Begins a blob that is sealed with this key.
    pub fn writer(&self, key: &DataKey, id: DataKeyId, entropy: &dyn Entropy) -> BlobWriter {
        BlobWriter::new(self.clone(), key, id, entropy)
    }

    /// Opens a blob; reads its head and its index.
    pub fn open(&self, blob: &BlobRef, key: &DataKey) -> Result<BlobReader, BlobError> {
        BlobReader::open(self.clone(), *blob, key)
    }

    /// Whether the blob is there.
    pub fn exists(&self, address: &Digest) -> Result<bool, BlobError> {
        match self.handle.block_on(self.store.head(&place(address))) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(BlobError::store(error)),
        }
    }

    /// Deletes a blob, durably; says whether it was there.
    pub fn delete(&self, address: &Digest) -> Result<bool, BlobError> {
        let place = place(address);
        // A local store may report a missing file as deleted, so it is asked first.
        if !self.exists(address)? {
            return Ok(false);
        }
        match self.handle.block_on(self.store.delete(&place)) {
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            deleted => deleted.map_err(BlobError::store)?,
        }
        if let Some(folder) = &self.folder {
            let parent = place.parts().next().map(|part| folder.join(part.as_ref()));
            let folder = parent.unwrap_or_else(|| folder.clone());
            sync_folder(&folder).map_err(|source| in_folder(&folder, source))?;
        }
        Ok(true)
    }

    /// Removes what unfinished writers left; returns how many files. Call it at start, before the first writer.
    pub fn sweep_staging(&self) -> Result<usize, BlobError> {
        let left: Vec<_> = self
            .handle
            .block_on(self.store.list(Some(&Path::from(STAGING))).try_collect())
            .map_err(BlobError::store)?;
        for object in &left {
            self.handle.block_on(self.store.delete(&object.location)).map_err(BlobError::store)?;
        }
        let hidden = match &self.folder {
            Some(folder) => sweep_hidden(folder).map_err(|source| in_folder(folder, source))?,
            None => 0,
        };
        Ok(left.len() + hidden)
    }
}

fn in_folder(folder: &FilePath, source: io::Error) -> BlobError {
    BlobError::Io { folder: folder.display().to_string(), source }
}

/// The local store writes each file as `<name>#<number>` beside its place and does not list such files.
fn sweep_hidden(folder: &FilePath) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        for file in fs_err::read_dir(entry.path())? {
            let file = file?.path();
            if file.file_name().is_some_and(|name| name.to_string_lossy().contains('#')) {
                fs_err::remove_file(file)?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests;
