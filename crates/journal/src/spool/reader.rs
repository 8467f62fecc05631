//! Reading an upload back while it is sealed on the disk.

use std::io::{self, Read};

use renkei_types::UploadId;

use super::error::SpoolError;
use super::window_record::{HEADER_BYTES, RECORD_HEADER_BYTES, Record, aad};
use crate::seal::DataKey;
use crate::window::Window;

/// The bytes of an upload, as many as there were when the reader was made. An error carries a [`SpoolError`].
pub struct SpoolReader {
    window: Window,
    id: UploadId,
    key: DataKey,
    file: String,
    /// Where the next window is in the file.
    at: u64,
    /// Where it begins in the upload.
    offset: u64,
    end: u64,
    plaintext: Vec<u8>,
    read: usize,
}

impl std::fmt::Debug for SpoolReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpoolReader").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SpoolReader {
    pub(super) fn new(window: Window, id: UploadId, key: DataKey, file: String, end: u64) -> Self {
        let at = HEADER_BYTES as u64;
        Self { window, id, key, file, at, offset: 0, end, plaintext: Vec::new(), read: 0 }
    }

    fn fill(&mut self) -> io::Result<()> {
        let damaged =
            || io::Error::other(SpoolError::Damaged { file: self.file.clone(), offset: self.at });
        let record = Record::read(&mut self.window, self.at)?
            .filter(|record| record.offset == self.offset)
            .ok_or_else(damaged)?;
        let bytes = usize::try_from(record.bytes()).map_err(io::Error::other)?;
        let sealed = &self.window.bytes(self.at, bytes)?[RECORD_HEADER_BYTES..];
        self.plaintext =
            self.key.open(&aad(self.id, self.offset), sealed).map_err(|_| damaged())?;
        self.read = 0;
        self.at += record.bytes();
        self.offset += record.plaintext_bytes();
        Ok(())
    }
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.plaintext.len() {
            if self.offset >= self.end || buffer.is_empty() {
                return Ok(0);
            }
            self.fill()?;
        }
        let ready = &self.plaintext[self.read..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.read += count;
        Ok(count)
    }
}
