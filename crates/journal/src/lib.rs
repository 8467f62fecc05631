//! The commit point: durable frames, sealed blobs and data keys.
//!
//! Everything else in a broker may be lost and made again; what is here may not. A change is a [`Frame`] that a
//! [`Journal`] has made durable; large bodies are sealed [`Blobs`] that a frame refers to; what is personal in either
//! can be read only with a [`DataKey`] of the [`KeyFolder`], and is gone for good when that key is destroyed.
//! Invariant: what was acknowledged is durable and is read back exactly as it was written, or refused with its place.
//! What a frame means is left to the caller; time plays no part here, and chance is passed in.

mod blob_error;
mod blob_layout;
mod blob_reader;
mod blob_writer;
mod blobs;
mod error;
mod folder;
mod frame;
mod journal;
mod keys;
mod local;
mod lock;
mod memory;
mod seal;
mod secret_file;
mod segment;
mod simulated_disk;
mod spool;
mod storage;
mod window;

pub use blob_error::BlobError;
pub use blob_reader::{BlobReader, Chunks};
pub use blob_writer::BlobWriter;
pub use blobs::{BlobRef, Blobs, CHUNK_BYTES_MAX};
pub use error::{AppendError, OpenError, ReadError};
pub use folder::Folder;
pub use frame::{FRAME_BYTES_MAX, Frame, Seq};
pub use journal::{Frames, Journal};
pub use keys::{KeyError, KeyFolder};
pub use local::{LocalJournal, Opened, Options, Verify, frames_beside, last_frame_beside};
pub use lock::{Lock, LockError};
pub use memory::{AppendFault, MemoryJournal};
pub use seal::{DataKey, KeyedDigest, SealError};
pub use secret_file::{
    SecretFileError, read_credential, read_secret, replace_secret, write_secret,
};
pub use simulated_disk::{Fault, Operation, SimulatedDisk};
pub use spool::{ReopenedSpool, Spool, SpoolError, SpoolReader};
pub use storage::{Storage, StorageFile};
