//! A small text beside the keys that is replaced whole: a head, a final checkpoint, a public key, a dispute.
//!
//! Invariant: whoever reads it finds the text before or the text after, also behind a power cut.

use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file; durable on return.
pub(crate) fn keep(place: &Path, text: &str) -> io::Result<()> {
    let mut beside = place.as_os_str().to_owned();
    beside.push(".part");
    let mut file = fs_err::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs_err::rename(&beside, place)?;
    sync_folder_of(place)
}

/// Makes durable that a file was renamed, or is new.
pub(crate) fn sync_folder_of(place: &Path) -> io::Result<()> {
    match place.parent() {
        Some(folder) => fs_err::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
