//! Space held back for the day the disk is full.
//!
//! A broker that cannot write cannot even record that it stopped. The ballast is a file of no content that is deleted
//! then, so that the last frames, and the work of an operator, have room. Invariant: it never takes the last space.

use std::io;

use super::LocalJournal;
use crate::storage::Storage;

const NAME: &str = "ballast";

/// Takes the space, if at least as much stays free. The journal works without ballast too.
pub(super) fn take(storage: &dyn Storage, bytes: u64) {
    if bytes == 0 || storage.open(NAME).and_then(|file| file.size()).is_ok_and(|size| size == bytes)
    {
        return;
    }
    let _ = storage.remove(NAME);
    if storage.free_bytes().is_ok_and(|free| free / 2 >= bytes)
        && storage.create(NAME).and_then(|file| file.reserve(bytes)).is_err()
    {
        let _ = storage.remove(NAME);
    }
}

impl LocalJournal {
    /// Whether there is ballast to release.
    pub fn has_ballast(&self) -> bool {
        self.storage.open(NAME).is_ok()
    }

    /// Gives the ballast's space back to the disk; says whether there was any.
    pub fn release_ballast(&self) -> io::Result<bool> {
        match self.storage.remove(NAME) {
            Ok(()) => self.storage.sync_names().map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
