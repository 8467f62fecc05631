//! What can be said of a bundle with the crates that others have published for its formats.
//!
//! They check a checkpoint, and for each entry a proof that is made from the tiles. Which files a folder must not have, and
//! what an entry must look like, they do not know. The crate's `TileHashReader` is not used: where several subtrees below
//! the root share a tile, version 0.2.0 passes as many other tiles on unchecked, which this test brought to light.

use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::tlog::{Error, Hash, HashReader, check_record, prove_record, record_hash};
use tlog_tiles::{Checkpoint, Tile};

use crate::bundle::{Bundle, entries_of};

/// The hashes that stand in the tiles of a bundle, as they stand there.
struct Tiles<'a> {
    bundle: &'a Bundle,
    size: u64,
}

impl HashReader for Tiles<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |&index: &u64| {
            let tile = Tile::from_index(8, index).parent(0, self.size).ok_or(Error::BadMath)?;
            // The crate names the height as well: tile/8/<level>/...
            let name = tile.path().replacen("tile/8/", "tile/", 1);
            let bytes = self.bundle.file(&name).ok_or(Error::InvalidTile)?;
            if bytes.len() != tile.width() as usize * 32 {
                return Err(Error::InvalidTile);
            }
            tile.hash_at_index(bytes, index)
        };
        indexes.iter().map(read).collect()
    }
}

/// Of a large log every so many entries are proven, and the last one.
const STEP: usize = 61;

/// Whether the checkpoint is signed by the key and every entry is the one whose hash the signed root vouches for.
pub(crate) fn verdict(bundle: &Bundle, key: &str) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| error.to_string();
    let verifier = StandardVerifier::new(key).map_err(|error| wrong(&error))?;
    let origin = key.split('+').next().expect("a name");
    let note = bundle.file("checkpoint").ok_or("no checkpoint")?;
    let note = Note::from_bytes(note).map_err(|error| wrong(&error))?;
    let known = VerifierList::new(vec![Box::new(verifier)]);
    note.verify(&known).map_err(|error| wrong(&error))?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|error| wrong(&error))?;
    if checkpoint.origin() != origin {
        return Err("another origin".to_owned());
    }
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    let tiles = Tiles { bundle, size };
    for first in (0..size).step_by(256) {
        let width = (size - first).min(256);
        let name = Bundle::entries_name(first / 256, width);
        let entries = bundle.file(&name).and_then(|bytes| entries_of(bytes).ok());
        let entries = entries.filter(|entries| entries.len() as u64 == width).ok_or(name)?;
        let step = if size > 1_000 { STEP } else { 1 };
        for (index, entry) in
            (first..).zip(&entries).step_by(step).chain((first..).zip(&entries).last())
        {
            let proof = prove_record(size, index, &tiles).map_err(|error| wrong(&error))?;
            check_record(&proof, size, root, index, record_hash(entry))
                .map_err(|error| format!("entry {index}: {error}"))?;
        }
    }
    Ok(())
}
