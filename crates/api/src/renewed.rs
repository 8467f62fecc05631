//! A channel whose certificate is renewed under it.
//!
//! A program that runs for months outlives its certificate. Its client file, and what that names, are looked at again once a
//! second while calls are made; when they have changed and fit together, new calls go over a new connection with the new
//! certificate, and calls that are under way end on the old one. So nobody restarts a program because of a certificate, and
//! no call fails. Invariant: files that do not fit together change nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::client_file::{ClientFile, ClientFileError};
use crate::connection::channel_of;

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The channel in use, and the files that it was made of.
pub(crate) struct Renewed(Mutex<InUse>);

struct InUse {
    file: ClientFile,
    seen: [u8; 32],
    looked: Instant,
    /// How often it was exchanged.
    generation: u64,
    channel: Channel,
}

impl Renewed {
    /// Reads the files, all of which must be usable.
    pub(crate) fn open(file: &ClientFile) -> Result<Self, ClientFileError> {
        let in_use = InUse {
            seen: fingerprint(file),
            looked: Instant::now(),
            generation: 0,
            channel: channel_of(file)?,
            file: file.clone(),
        };
        Ok(Self(Mutex::new(in_use)))
    }

    /// The channel for a new call.
    pub(crate) fn channel(&self) -> Channel {
        let mut in_use = self.in_use();
        if in_use.looked.elapsed() >= LOOK_EVERY {
            in_use.look();
        }
        in_use.channel.clone()
    }

    /// How often the channel was exchanged.
    pub(crate) fn generation(&self) -> u64 {
        self.in_use().generation
    }

    /// Looks at the files now.
    pub(crate) fn look(&self) {
        self.in_use().look();
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        // Unwrap safety: what a poisoned lock holds is a whole channel all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InUse {
    fn look(&mut self) {
        self.looked = Instant::now();
        // A file that is being exchanged may be missing for a moment.
        let Ok(file) = self.file.again() else { return };
        let seen = fingerprint(&file);
        if seen == self.seen {
            return;
        }
        let Ok(renewed) = channel_of(&file) else { return };
        let generation = self.generation + 1;
        *self = Self { file, seen, looked: self.looked, generation, channel: renewed };
    }
}

/// A digest over the client file and what it names; files that cannot be read count as empty.
fn fingerprint(file: &ClientFile) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(file.address());
    for path in file.files() {
        let content = fs_err::read(path).unwrap_or_default();
        digest.update((content.len() as u64).to_le_bytes());
        digest.update(content);
    }
    digest.finalize().into()
}
