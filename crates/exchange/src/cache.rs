//! The cache: the state in a sled database, so that a start need not read the whole journal.
//!
//! It is a projection, and may be deleted at any time. sled is opened with care, because a crash can leave it in a
//! state that it will not open (see the module's functions); a cache that will not open, or does not belong to the
//! journal, is set aside and built again. It is never asked whether something was written: only the journal knows.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use renkei_journal::Seq;
use renkei_types::Digest;

use crate::state::{Change, State};

/// The version of the entries; another version is built again.
const FORMAT: &[u8] = b"1";
const FORMAT_KEY: &[u8] = b"\0format";
const APPLIED_KEY: &[u8] = b"\0applied";
/// Values above this belong in blobs: sled keeps large values badly.
const VALUE_BYTES_MAX: usize = 16 * 1024;
const CACHE_BYTES: u64 = 32 << 20;
const FLUSH_MILLISECONDS: u64 = 500;
const QUEUE: usize = 256;
/// How long the cache waits for further changes before it writes, and how many groups it gathers at most.
const PATIENCE: Duration = Duration::from_millis(200);
const GATHERED_MAX: usize = 2_000;

/// Why a cache is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("sled: {0}")]
    Sled(#[from] sled::Error),
    #[error("it was written by another version")]
    Format,
    #[error("sled panicked while opening")]
    Panicked,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("an entry cannot be read: {0}")]
    Entry(#[from] crate::state::FactsError),
    #[error("an entry cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("an entry is larger than {VALUE_BYTES_MAX} bytes")]
    TooLarge,
}

/// An open cache.
pub(crate) struct Cache {
    db: sled::Db,
    file: fs_err::File,
}

impl Cache {
    /// Opens the cache, or sets it aside and begins a new one. Answers the state that it holds and the frame it stands
    /// at; `belongs` tells whether the journal has that frame with that leaf.
    pub(crate) fn open(
        path: &Path,
        belongs: impl Fn(Seq, Digest) -> bool,
    ) -> Result<(Self, State, Seq), CacheError> {
        if path.exists() {
            match Self::open_existing(path) {
                Ok((cache, state, Some((seq, leaf)))) if belongs(seq, leaf) => {
                    return Ok((cache, state, seq));
                }
                Ok((cache, _, None)) => return Ok((cache, State::default(), Seq(0))),
                Ok(_) => tracing::warn!("the cache is not of this journal; building a new one"),
                Err(error) => {
                    tracing::warn!(%error, "the cache cannot be opened; building a new one")
                }
            }
            set_aside(path)?;
        }
        let (cache, ..) = Self::open_existing(path)?;
        Ok((cache, State::default(), Seq(0)))
    }

    #[allow(clippy::type_complexity, reason = "used once, just above")]
    fn open_existing(path: &Path) -> Result<(Self, State, Option<(Seq, Digest)>), CacheError> {
        fs_err::create_dir_all(path)?;
        // sled writes snapshots under this name and takes a half-written one for a whole one when it opens.
        for entry in fs_err::read_dir(path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(".generating") {
                fs_err::remove_file(entry.path())?;
            }
        }
        // sled answers some kinds of damage with a panic.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            sled::Config::new()
                .path(path)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(Some(FLUSH_MILLISECONDS))
                .open()
        }));
        let db = opened.map_err(|_| CacheError::Panicked)??;
        let file = fs_err::OpenOptions::new().write(true).open(path.join("db"))?;
        let cache = Self { db, file };
        let read = catch_unwind(AssertUnwindSafe(|| cache.read()));
        let (state, at) = read.map_err(|_| CacheError::Panicked)??;
        Ok((cache, state, at))
    }

    fn read(&self) -> Result<(State, Option<(Seq, Digest)>), CacheError> {
        if self.db.is_empty() {
            return Ok((State::default(), None));
        }
        let Some(applied) = self.db.get(APPLIED_KEY)? else { return Err(CacheError::Format) };
        let mut state = State::default();
        if self.db.get(FORMAT_KEY)?.is_none_or(|format| format != FORMAT) {
            return Err(CacheError::Format);
        }
        for entry in self.db.iter() {
            let (key, value) = entry?;
            if !key.starts_with(b"\0") {
                let change: Change = serde_json::from_slice(&value)?;
                state.apply(&change)?;
            }
        }
        let _ = state.take_changes()?;
        let (seq, leaf): (u64, Digest) = serde_json::from_slice(&applied)?;
        Ok((state, Some((Seq(seq), leaf))))
    }

    /// Writes changes and the frame they bring the cache to, all or nothing.
    fn write(
        &self,
        changes: impl IntoIterator<Item = Change>,
        applied: (Seq, Digest),
    ) -> Result<(), CacheError> {
        let mut batch = sled::Batch::default();
        for change in changes {
            let key = [change.table.as_bytes(), b"\x01", change.key.get().as_bytes()].concat();
            if change.value.is_some() {
                let value = serde_json::to_vec(&change)?;
                if value.len() > VALUE_BYTES_MAX {
                    return Err(CacheError::TooLarge);
                }
                batch.insert(key, value);
            } else {
                batch.remove(key);
            }
        }
        batch.insert(FORMAT_KEY, FORMAT);
        batch.insert(APPLIED_KEY, serde_json::to_vec(&(applied.0.0, applied.1))?);
        self.db.apply_batch(batch)?;
        Ok(())
    }

    /// sled's own flush does not reach the disk.
    fn flush(&self) -> Result<(), CacheError> {
        self.db.flush()?;
        self.file.sync_all()?;
        Ok(())
    }
}

/// Moves a cache out of the way; the last one that was moved is dropped.
fn set_aside(path: &Path) -> Result<PathBuf, CacheError> {
    let aside = path.with_extension("set-aside");
    if aside.exists() {
        fs_err::remove_dir_all(&aside)?;
    }
    fs_err::rename(path, &aside)?;
    Ok(aside)
}

/// What a durable batch of frames changed.
pub(crate) struct Projection {
    pub(crate) changes: Vec<Change>,
    pub(crate) applied: (Seq, Digest),
}

/// Starts the one writer of the cache.
pub(crate) fn start(cache: Cache) -> std::io::Result<(SyncSender<Projection>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("renkei-cache".to_owned())
        .spawn(move || project(&cache, &receiver))?;
    Ok((sender, thread))
}

fn project(cache: &Cache, projections: &Receiver<Projection>) {
    while let Ok(first) = projections.recv() {
        // Of an entry that changed several times only the last value counts. Waiting for more costs nothing: what is not
        // here yet is read from the journal, whose own syncs are not slowed down by ours.
        let mut changes = BTreeMap::new();
        let mut applied = first.applied;
        let mut next = Some(first);
        let mut gathered = 0;
        while let Some(projection) = next {
            applied = projection.applied;
            gathered += 1;
            for change in projection.changes {
                changes.insert((change.table.clone(), change.key.get().to_owned()), change);
            }
            let patience = if gathered < GATHERED_MAX { PATIENCE } else { Duration::ZERO };
            next = projections.recv_timeout(patience).ok();
        }
        if let Err(error) = cache.write(changes.into_values(), applied).and_then(|()| cache.flush())
        {
            tracing::warn!(%error, "the cache cannot be written; it will be built again at the next start");
            return;
        }
    }
}
