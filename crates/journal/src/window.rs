//! A buffered view into a file that is read mostly forwards.
//!
//! A frame is small and a call to the system is not free, so the view reads ahead: little at first, because a single
//! frame may be all that is wanted, then more. Invariant: never shows a byte at or behind `end`.

use std::io;
use std::sync::Arc;

use crate::storage::StorageFile;

const AHEAD_FIRST: usize = 16 << 10;
const AHEAD_MAX: usize = 512 << 10;

pub(crate) struct Window {
    file: Arc<dyn StorageFile>,
    end: u64,
    start: u64,
    bytes: Vec<u8>,
    ahead: usize,
}

impl Window {
    pub(crate) fn new(file: Arc<dyn StorageFile>, end: u64) -> Self {
        Self { file, end, start: 0, bytes: Vec::new(), ahead: AHEAD_FIRST }
    }

    /// Up to `want` bytes from `offset` on; fewer only at the end.
    pub(crate) fn bytes(&mut self, offset: u64, want: usize) -> io::Result<&[u8]> {
        let left = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let want = want.min(left);
        let held = self.start..=self.start + self.bytes.len() as u64;
        if !held.contains(&offset) || !held.contains(&(offset + want as u64)) {
            self.load(offset, want.max(self.ahead).min(left))?;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let held = self.bytes.get(from..).unwrap_or_default();
        Ok(&held[..want.min(held.len())])
    }

    fn load(&mut self, offset: u64, size: usize) -> io::Result<()> {
        self.start = offset;
        self.bytes.resize(size, 0);
        match self.file.read_at(offset, &mut self.bytes) {
            Ok(read) => self.bytes.truncate(read),
            Err(error) => {
                self.bytes.clear();
                return Err(error);
            }
        }
        self.ahead = (self.ahead * 2).min(AHEAD_MAX);
        Ok(())
    }
}
