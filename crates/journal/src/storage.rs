//! What the journal and the spool need of a disk, as a seam.
//!
//! Power loss, a full disk and a failing sync cannot be had on demand from a real disk, so the code that must survive
//! them talks to this trait: [`crate::Folder`] is a real folder, [`crate::SimulatedDisk`] a disk whose faults a test
//! orders. Invariant that every implementation keeps: bytes are durable once `sync` of their file has returned, a name
//! once `sync_names` has. What the bytes mean is left to the callers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A folder of files.
pub trait Storage: Send + Sync {
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes a file that must not exist yet.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Removes a file; durable after [`Storage::sync_names`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Puts `bytes` into a file under this name, in place of an older one: durable on return, and never half.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes the names durable: what was created and removed.
    fn sync_names(&self) -> io::Result<()>;

    /// How many bytes are free.
    fn free_bytes(&self) -> io::Result<u64>;

    /// Where a file is, for messages.
    fn place(&self, name: &str) -> PathBuf;
}

/// An open file.
pub trait StorageFile: Send + Sync {
    /// How many bytes it has.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on; returns how many bytes there were, fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. After an error any part of them may be there.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends the file.
    fn set_size(&self, size: u64) -> io::Result<()>;

    /// Takes space for `size` bytes from the disk without writing them.
    fn reserve(&self, size: u64) -> io::Result<()>;

    /// Makes the bytes and the size durable. After an error nothing may be assumed about what was not yet durable.
    fn sync(&self) -> io::Result<()>;

    /// Asks the system to read this file from the disk next time, not from memory. After a failed sync the memory may
    /// show bytes that never reached the disk.
    fn forget_cached(&self);
}

/// Whether a write failed for want of space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
