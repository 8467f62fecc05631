//! A disk in memory that loses power and fails when told to.
//!
//! It keeps two states of everything: what a program sees, and what was synced. Power loss brings back the synced
//! state, and of what was not synced either nothing or a random part, block by block, as a disk that reorders writes
//! leaves it: a lost block beyond the synced end reads as zeros. Invariant: what was synced survives. Files that are
//! open when the power fails go on showing the old world and must be dropped, as the process would be.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use renkei_types::Entropy;

use crate::storage::{Storage, StorageFile};

const BLOCK_BYTES: usize = 512;

/// What a fault strikes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Writing bytes.
    Write,
    /// Making bytes durable.
    Sync,
    /// Cutting or extending a file.
    SetSize,
    /// Creating a file.
    Create,
    /// Making names durable.
    SyncNames,
}

/// A fault to come.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What fails.
    pub operation: Operation,
    /// How often it succeeds before that.
    pub after: usize,
    /// The system's number of the error, such as 28 for a full disk (ENOSPC).
    pub errno: i32,
    /// For a write: how many bytes get through all the same.
    pub written: usize,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    seen: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct Inner {
    contents: Vec<Contents>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    faults: Vec<Fault>,
    capacity: Option<usize>,
}

impl Inner {
    fn strike(&mut self, operation: Operation) -> Result<(), Fault> {
        let Some(place) = self.faults.iter().position(|fault| fault.operation == operation) else {
            return Ok(());
        };
        if self.faults[place].after == 0 {
            return Err(self.faults.remove(place));
        }
        self.faults[place].after -= 1;
        Ok(())
    }

    fn used(&self) -> usize {
        self.names.values().map(|&inode| self.contents[inode].seen.len()).sum()
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&mut self, inode: usize, offset: usize, bytes: &[u8]) {
        let seen = &mut self.contents[inode].seen;
        seen.resize(seen.len().max(offset + bytes.len()), 0);
        seen[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

fn failed(fault: Fault) -> io::Error {
    io::Error::from_raw_os_error(fault.errno)
}

/// A folder on a simulated disk. Clones are handles to the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    inner: Arc<Mutex<Inner>>,
}

impl SimulatedDisk {
    /// An empty disk without limit.
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an operation fail once.
    pub fn fail(&self, fault: Fault) {
        self.inner().faults.push(fault);
    }

    /// Limits the bytes of all files; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.inner().capacity = bytes;
    }

    /// The power fails. With `chance` a random part of what was not synced survives, without it none.
    pub fn lose_power(&self, chance: Option<&dyn Entropy>) {
        let heads = || {
            chance.is_some_and(|chance| {
                let mut byte = [0];
                chance.fill(&mut byte);
                byte[0] & 1 == 1
            })
        };
        let mut inner = self.inner();
        inner.faults.clear();
        for contents in &mut inner.contents {
            let Contents { seen, synced } = contents;
            let size = if heads() { seen.len() } else { synced.len() };
            let mut found = synced.clone();
            found.resize(size, 0);
            for (start, block) in (0..).step_by(BLOCK_BYTES).zip(found.chunks_mut(BLOCK_BYTES)) {
                let end = seen.len().min(start + block.len());
                if start < end && heads() {
                    block[..end - start].copy_from_slice(&seen[start..end]);
                }
            }
            *contents = Contents { seen: found.clone(), synced: found };
        }
        let mut names = inner.synced_names.clone();
        for (name, &inode) in &inner.names {
            if !names.contains_key(name) && heads() {
                names.insert(name.clone(), inode);
            }
        }
        names.retain(|name, _| inner.names.contains_key(name) || !heads());
        inner.synced_names = names.clone();
        inner.names = names;
    }

    /// The bytes of a file, to look at or to damage.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let inner = self.inner();
        inner.names.get(name).map(|&inode| inner.contents[inode].seen.clone())
    }

    /// Puts other bytes into a file, durably.
    pub fn set_contents(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.inner();
        let contents = Contents { seen: bytes.to_vec(), synced: bytes.to_vec() };
        let inode = inner.contents.len();
        inner.contents.push(contents);
        inner.names.insert(name.to_owned(), inode);
        inner.synced_names.insert(name.to_owned(), inode);
    }
}

impl Storage for SimulatedDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.inner().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.inner();
        if inner.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.strike(Operation::Create).map_err(failed)?;
        let inode = inner.contents.len();
        inner.contents.push(Contents::default());
        inner.names.insert(name.to_owned(), inode);
        Ok(Arc::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let inode = self.inner().inode(name)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.inode(name)?;
        inner.names.remove(name);
        Ok(())
    }

    /// Atomic, and outside the faults that a test orders.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.set_contents(name, bytes);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.strike(Operation::SyncNames).map_err(failed)?;
        inner.synced_names = inner.names.clone();
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let inner = self.inner();
        Ok(inner.capacity.map_or(u64::MAX, |all| all.saturating_sub(inner.used()) as u64))
    }

    fn place(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    inode: usize,
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}

impl StorageFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.inner().contents[self.inode].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inner = self.disk.inner();
        let bytes = inner.contents[self.inode].seen.get(position(offset)?..).unwrap_or_default();
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = position(offset)?;
        let mut inner = self.disk.inner();
        if let Err(fault) = inner.strike(Operation::Write) {
            inner.write(self.inode, offset, &bytes[..fault.written.min(bytes.len())]);
            return Err(failed(fault));
        }
        let size = inner.contents[self.inode].seen.len();
        let growth = (offset + bytes.len()).saturating_sub(size);
        let free = inner.capacity.map_or(usize::MAX, |all| all.saturating_sub(inner.used()));
        if growth > free {
            let fitting = bytes.len() - growth + free;
            inner.write(self.inode, offset, &bytes[..fitting]);
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.write(self.inode, offset, bytes);
        Ok(())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        let mut inner = self.disk.inner();
        inner.strike(Operation::SetSize).map_err(failed)?;
        inner.contents[self.inode].seen.resize(position(size)?, 0);
        Ok(())
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        self.set_size(size)
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.inner();
        inner.strike(Operation::Sync).map_err(failed)?;
        let contents = &mut inner.contents[self.inode];
        contents.synced = contents.seen.clone();
        Ok(())
    }

    fn forget_cached(&self) {}
}
