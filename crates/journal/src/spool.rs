//! An upload on its way: a file of sealed windows that can be resumed.
//!
//! ```text
//! header   "RENKEIU\n" | format u32 | upload id (16) | crc32c u32
//! window   len u32 | crc32c u32 | offset u64 | durable through u64 | sealed bytes
//! ```
//! A sender over a bad line resumes at `durable_through`, which must never go back. So each window notes how far the
//! upload was durable when it was written: a bad window that a later one declares durable is damage, any other is a
//! torn tail and is cut. Invariant: what `durable_through` has reported is read back exactly, or refused with its place;
//! plaintext never touches the disk. Parsing what arrives is left to the caller.

use std::io;
use std::path::Path;
use std::sync::Arc;

use renkei_types::{Entropy, UploadId};

use crate::folder::Folder;
use crate::seal::DataKey;
use crate::storage::{Storage, StorageFile, is_full};
use crate::window::Window;

mod error;
mod reader;
#[cfg(test)]
mod tests;
mod window_record;

pub use error::SpoolError;
pub use reader::SpoolReader;
use window_record::{HEADER_BYTES, Record, WINDOW_BYTES_MAX, check_header, encode_header};

/// An upload that is being received.
pub struct Spool {
    storage: Arc<dyn Storage>,
    file: Arc<dyn StorageFile>,
    id: UploadId,
    key: DataKey,
    /// Where the next window goes.
    size: u64,
    received_through: u64,
    durable_through: u64,
    poisoned: bool,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("id", &self.id)
            .field("received_through", &self.received_through)
            .field("durable_through", &self.durable_through)
            .finish_non_exhaustive()
    }
}

/// A spool that was opened again.
#[derive(Debug)]
pub struct ReopenedSpool {
    /// The spool.
    pub spool: Spool,
    /// How many bytes of a window that was never acknowledged were cut off the end.
    pub cut_bytes: u64,
}

fn file_name(id: UploadId) -> String {
    format!("{id}.spool")
}

impl Spool {
    /// Begins an upload in `dir`; the file must not exist yet.
    pub fn create(dir: &Path, id: UploadId, key: &DataKey) -> Result<Self, SpoolError> {
        let folder = Folder::new(dir)
            .map_err(|source| SpoolError::Io { file: dir.display().to_string(), source })?;
        Self::create_on(Arc::new(folder), id, key)
    }

    /// The same on any storage.
    pub fn create_on(
        storage: Arc<dyn Storage>,
        id: UploadId,
        key: &DataKey,
    ) -> Result<Self, SpoolError> {
        let name = file_name(id);
        let header = encode_header(id);
        let file = storage.create(&name).map_err(|source| failed(&*storage, id, source))?;
        let written = file
            .write_at(0, &header)
            .and_then(|()| file.sync())
            .and_then(|()| storage.sync_names());
        if let Err(source) = written {
            // Nothing has been promised yet; what cannot be removed is refused as unfinished when it is reopened.
            let _ = storage.remove(&name);
            return Err(failed(&*storage, id, source));
        }
        let size = header.len() as u64;
        Ok(Self {
            storage,
            file,
            id,
            key: key.clone(),
            size,
            received_through: 0,
            durable_through: 0,
            poisoned: false,
        })
    }

    /// Opens an upload again; everything found is durable afterwards.
    pub fn reopen(dir: &Path, id: UploadId, key: &DataKey) -> Result<ReopenedSpool, SpoolError> {
        let folder = Folder::new(dir)
            .map_err(|source| SpoolError::Io { file: dir.display().to_string(), source })?;
        Self::reopen_on(Arc::new(folder), id, key)
    }

    /// The same on any storage.
    pub fn reopen_on(
        storage: Arc<dyn Storage>,
        id: UploadId,
        key: &DataKey,
    ) -> Result<ReopenedSpool, SpoolError> {
        let io = |source| failed(&*storage, id, source);
        let file = storage.open(&file_name(id)).map_err(io)?;
        // As in the journal: believe only what is on the disk.
        file.sync().map_err(io)?;
        file.forget_cached();
        let size = file.size().map_err(io)?;
        let mut window = Window::new(Arc::clone(&file), size);
        let damaged = |offset| SpoolError::Damaged { file: place(&*storage, id), offset };
        if !check_header(window.bytes(0, HEADER_BYTES).map_err(io)?, id) {
            return Err(damaged(0));
        }
        let mut end = HEADER_BYTES as u64;
        let mut through = 0;
        let mut cut_bytes = 0;
        while end < size {
            let Some(record) = Record::read(&mut window, end).map_err(io)? else {
                if is_damage(&mut window, end, through, size).map_err(io)? {
                    return Err(damaged(end));
                }
                cut_bytes = size - end;
                file.set_size(end).and_then(|()| file.sync()).map_err(io)?;
                break;
            };
            if record.offset != through {
                return Err(damaged(end));
            }
            through += record.plaintext_bytes();
            end += record.bytes();
        }
        let spool = Self {
            file,
            id,
            key: key.clone(),
            size: end,
            received_through: through,
            durable_through: through,
            poisoned: false,
            storage,
        };
        Ok(ReopenedSpool { spool, cut_bytes })
    }

    /// The upload.
    pub fn id(&self) -> UploadId {
        self.id
    }

    /// How many bytes of the upload have been taken.
    pub fn received_through(&self) -> u64 {
        self.received_through
    }

    /// How many bytes of the upload are durable: where a sender resumes. Never goes back.
    pub fn durable_through(&self) -> u64 {
        self.durable_through
    }

    /// Takes the bytes that begin at `offset` of the upload, which must be where the last ones ended.
    pub fn append(
        &mut self,
        offset: u64,
        bytes: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<(), SpoolError> {
        self.check_usable()?;
        if offset != self.received_through {
            return Err(SpoolError::OutOfOrder {
                offset,
                received_through: self.received_through,
                durable_through: self.durable_through,
            });
        }
        if bytes.len() > WINDOW_BYTES_MAX {
            return Err(SpoolError::TooLarge { bytes: bytes.len() });
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let sealed = self.key.seal(entropy, &window_record::aad(self.id, offset), bytes);
        let record = window_record::encode(offset, self.durable_through, &sealed);
        if let Err(source) = self.file.write_at(self.size, &record) {
            self.poisoned = self.file.set_size(self.size).is_err();
            return Err(failed(&*self.storage, self.id, source));
        }
        self.size += record.len() as u64;
        self.received_through += bytes.len() as u64;
        Ok(())
    }

    /// Makes everything taken durable; returns `durable_through`.
    pub fn sync(&mut self) -> Result<u64, SpoolError> {
        self.check_usable()?;
        if self.file.sync().is_err() {
            self.poisoned = true;
            return Err(SpoolError::Poisoned { file: place(&*self.storage, self.id) });
        }
        self.durable_through = self.received_through;
        Ok(self.durable_through)
    }

    /// The bytes of the upload that have been taken so far.
    pub fn reader(&self) -> SpoolReader {
        let window = Window::new(Arc::clone(&self.file), self.size);
        let file = place(&*self.storage, self.id);
        SpoolReader::new(window, self.id, self.key.clone(), file, self.received_through)
    }

    /// Deletes the file, durably.
    pub fn discard(self) -> Result<(), SpoolError> {
        let io = |source| failed(&*self.storage, self.id, source);
        self.storage.remove(&file_name(self.id)).map_err(io)?;
        self.storage.sync_names().map_err(io)
    }

    fn check_usable(&self) -> Result<(), SpoolError> {
        if self.poisoned {
            return Err(SpoolError::Poisoned { file: place(&*self.storage, self.id) });
        }
        Ok(())
    }
}

/// Whether a window behind the bad one at `bad` was written when the bad one was durable already.
fn is_damage(window: &mut Window, bad: u64, through: u64, size: u64) -> io::Result<bool> {
    for at in bad + 1..size {
        if Record::read(window, at)?.is_some_and(|record| record.durable_through > through) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn place(storage: &dyn Storage, id: UploadId) -> String {
    storage.place(&file_name(id)).display().to_string()
}

fn failed(storage: &dyn Storage, id: UploadId, source: io::Error) -> SpoolError {
    let file = place(storage, id);
    if is_full(&source) {
        SpoolError::StorageFull { file }
    } else {
        SpoolError::Io { file, source }
    }
}
