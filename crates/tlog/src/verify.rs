//! The auditor's check of a log, from its folder and a public key, with no network and no trust in who runs the log.
//!
//! Everything is recomputed from the entries in one pass: each leaf hash, each tile above, the root.
//! What was recomputed is compared with each file byte for byte, so that a change anywhere is found and also named. Where
//! an entry and its hash disagree, the root tells which of the two is wrong: if the entries alone lead to the signed
//! root, the tile was changed, otherwise the entry.
//!
//! Invariant: `ok` means that the folder below `tile/` is exactly the signed tree, that each entry reads as a
//! [`Leaf`](crate::leaf::Leaf), and that one follows the other as a broker writes them. Files beside `tile/` and `checkpoint`
//! are named and not looked at, keys least of all.

mod flaw;
pub(crate) mod levels;
mod sequence;

use std::io;
use std::path::Path;

use renkei_types::{Classify, Digest, Kind, Language, Localised, with_file};

pub use self::flaw::{FirstBad, Flaw};
use self::levels::Levels;
use self::sequence::{Sequence, YearBegin};
use crate::checkpoint::{Checkpoint, NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey};
use crate::folder::files::Files;
use crate::folder::{CHECKPOINT, COSIGNED, LogCopy};
use crate::hash::{Hash, leaf_hash};
use crate::policy::{Policy, Standing};
use crate::proof::root_at;
use crate::tile::{
    ENTRY_BYTES_MAX, Entries, TILE_WIDTH, TileKind, TilePath, tile_bytes, tile_hashes,
};

/// The most bytes that a bundle can have.
const BUNDLE_BYTES_MAX: usize = (ENTRY_BYTES_MAX + 2) * TILE_WIDTH as usize;

/// What the check found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verification {
    /// The folder is exactly the log that was signed.
    pub ok: bool,
    /// Entries, as signed; 0 where the checkpoint cannot be relied on.
    pub size: u64,
    /// The root, as signed; nothing where the checkpoint cannot be relied on.
    pub root: Option<Hash>,
    /// What is wrong, if anything is.
    pub first_bad: Option<FirstBad>,
    /// Who has cosigned it, where that was to be checked.
    pub cosigned: Option<Standing>,
    /// What lies in the folder beside the log, by name. It was not signed, and is not looked at.
    pub beside: Vec<String>,
}

/// Why the check could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such folder.
    #[error("{folder} is not a folder; name the folder that holds `checkpoint` and `tile`")]
    NoFolder {
        /// As named by the caller.
        folder: String,
    },
    /// A file is there and cannot be read.
    #[error("a file of the log cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Classify for VerifyError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoFolder { .. } | Self::Io(_) => Kind::InvalidArgument,
        }
    }
}

impl Localised for VerifyError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::NoFolder { folder } => format!(
                "{folder}はフォルダーではありません。`checkpoint`と`tile`のあるフォルダーを指定してください"
            ),
            Self::Io(error) => {
                format!("ログのファイルを読めません: {}", with_file(error, language))
            }
        };
        language.pick(self.to_string(), japanese)
    }
}

/// Checks a folder against the log's public key.
pub fn verify_folder(folder: &Path, key: &VerifierKey) -> Result<Verification, VerifyError> {
    verify_folder_by(folder, std::slice::from_ref(key))
}

/// Checks a folder against the log's public keys in the order in which they came into use. A log that a later one has
/// signed must announce it.
pub fn verify_folder_by(folder: &Path, keys: &[VerifierKey]) -> Result<Verification, VerifyError> {
    verify_folder_with(folder, keys, None)
}

/// The same; the checkpoint must also be what a policy asks for: signed by a log that it names, where it names any, and
/// cosigned by a quorum of its witnesses.
pub fn verify_folder_with(
    folder: &Path,
    keys: &[VerifierKey],
    policy: Option<&Policy>,
) -> Result<Verification, VerifyError> {
    if !folder.is_dir() {
        return Err(VerifyError::NoFolder { folder: folder.display().to_string() });
    }
    let files = Files::in_folder(folder);
    let beside = beside(&files)?;
    let opened = match read_file(&files, CHECKPOINT, NOTE_BYTES_MAX)? {
        Ok(note) => open(&note, keys, policy),
        Err(flaw) => Err(flaw),
    };
    let Opened { signed, signer, cosigned } = match opened {
        Ok(opened) => opened,
        Err(flaw) => {
            let first_bad = Some(FirstBad { index: None, flaw });
            let (size, root, cosigned) = (0, None, None);
            return Ok(Verification { ok: false, size, root, first_bad, cosigned, beside });
        }
    };
    let checkpoint = signed.checkpoint();
    // The first key was handed over; every later one needs an announcement.
    let announced = signer.filter(|signer| *signer > 0).map(|signer| &keys[signer]);
    let later = signer.and_then(|signer| keys.get(signer + 1..)).unwrap_or_default();
    let mut years = Vec::new();
    let mut first_bad = Check::new(&files, checkpoint, announced, later).run(&mut years)?;
    if first_bad.is_none() && !years.is_empty() {
        let copy = LogCopy::of(files.clone(), signed.clone());
        let broken = |year: &&YearBegin| !year.continues(&copy);
        first_bad = years.iter().find(broken).map(|year| {
            let flaw = Flaw::YearNotContinued { entry: year.entry };
            FirstBad { index: Some(year.entry), flaw }
        });
    }
    if first_bad.is_none()
        && let Some(standing) = cosigned.as_ref().filter(|standing| !standing.met)
    {
        let flaw = Flaw::NotCosigned { by: standing.by.clone() };
        first_bad = Some(FirstBad { index: None, flaw });
    }
    Ok(Verification {
        ok: first_bad.is_none(),
        size: checkpoint.size,
        root: Some(checkpoint.root),
        first_bad,
        cosigned,
        beside,
    })
}

/// Names in a folder that are none of a log's. A broker keeps what was cosigned last in its own.
fn beside(files: &Files) -> io::Result<Vec<String>> {
    let names = files.list("")?.into_iter().map(|(name, _)| name);
    Ok(names.filter(|name| ![CHECKPOINT, COSIGNED, "tile"].contains(&name.as_str())).collect())
}

/// A checkpoint that can be relied on.
struct Opened {
    signed: SignedCheckpoint,
    /// Which of the keys has signed it.
    signer: Option<usize>,
    cosigned: Option<Standing>,
}

fn open(note: &[u8], keys: &[VerifierKey], policy: Option<&Policy>) -> Result<Opened, Flaw> {
    let signed = SignedCheckpoint::open(note, keys).map_err(Flaw::Checkpoint)?;
    let signer = keys.iter().position(|key| signed.is_signed_by(key));
    let named = |policy: &Policy| {
        policy.logs().is_empty() || signer.is_some_and(|by| policy.logs().contains(&keys[by]))
    };
    if policy.is_some_and(|policy| !named(policy)) {
        return Err(Flaw::NotInPolicy);
    }
    let cosigned = policy.map(|policy| policy.standing(&signed, None)).transpose();
    Ok(Opened { signer, cosigned: cosigned.map_err(Flaw::Checkpoint)?, signed })
}

impl YearBegin {
    /// Whether the year before ended, and as the entry says. The tree has been found as it was signed.
    fn continues(&self, log: &LogCopy) -> bool {
        let root = root_at(log, self.entry).ok().map(Digest::from);
        let seen = self.seen.filter(|seen| seen.size == self.entry);
        self.after_end && seen.is_some_and(|seen| Some(seen.root) == root)
    }
}

/// Reads a file that should be there; outside the result, a failure that says nothing about the folder's contents.
fn read_file(files: &Files, name: &str, most: usize) -> io::Result<Result<Vec<u8>, Flaw>> {
    let file = || name.to_owned();
    if files.is_special(name) {
        return Ok(Err(Flaw::NotAFile { file: file() }));
    }
    match files.read_at_most(name, most) {
        Ok(Some(bytes)) if bytes.len() > most => Ok(Err(Flaw::TooLong { file: file() })),
        Ok(Some(bytes)) => Ok(Ok(bytes)),
        Ok(None) => Ok(Err(Flaw::Missing { file: file() })),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            Ok(Err(Flaw::Missing { file: file() }))
        }
        Err(error) => Err(error),
    }
}

/// One pass over a folder. Of each kind of flaw only the first is kept.
struct Check<'a> {
    files: &'a Files,
    checkpoint: &'a Checkpoint,
    levels: Levels,
    /// An entry or bundle is missing, or not what its tile says.
    entry: Option<FirstBad>,
    /// Some bundle could not be read to its end, so the entries alone lead to no root.
    entries_incomplete: bool,
    /// A tile is missing, or not what lies below it says.
    tile: Option<FirstBad>,
    /// What the entries say.
    sequence: Sequence,
}

impl<'a> Check<'a> {
    fn new(
        files: &'a Files,
        checkpoint: &'a Checkpoint,
        announced: Option<&VerifierKey>,
        later: &[VerifierKey],
    ) -> Self {
        Self {
            files,
            checkpoint,
            levels: Levels::new(),
            entry: None,
            entries_incomplete: false,
            tile: None,
            sequence: Sequence::new(checkpoint.size, announced, later),
        }
    }

    /// Makes the pass; `years` gets the entries with which fiscal years begin.
    fn run(mut self, years: &mut Vec<YearBegin>) -> io::Result<Option<FirstBad>> {
        let size = self.checkpoint.size;
        for index in 0..size.div_ceil(TILE_WIDTH) {
            self.check_bundle(index)?;
            // A folder that ends early is not searched for every file that a large size promises.
            if self.entries_incomplete && self.entry.is_some() {
                break;
            }
        }
        let mut root_found = false;
        if !self.entries_incomplete {
            for (tile, hashes) in self.levels.last_tiles(size) {
                self.check_tile(tile, &hashes)?;
            }
            root_found = self.levels.root() == self.checkpoint.root;
        }
        let superfluous = self.first_superfluous("tile")?;
        let superfluous =
            superfluous.map(|file| FirstBad { index: None, flaw: Flaw::Superfluous { file } });
        let Self { entry, tile, sequence, .. } = self;
        let told = sequence.told();
        years.extend(told.years);
        if root_found {
            // The entries are those that were signed: whatever contradicts them is a tile, also where an entry seemed to.
            let blamed = entry.map(FirstBad::blame_the_tile);
            let key = FirstBad { index: None, flaw: Flaw::UnannouncedKey };
            let key = told.is_unannounced.then_some(key);
            return Ok(told.flaw.or(blamed).or(tile).or(superfluous).or(key));
        }
        let root = FirstBad { index: None, flaw: Flaw::Root };
        Ok(Some(entry.or(tile.map(FirstBad::blame_what_is_below)).unwrap_or(root)))
    }

    /// Reads one bundle, compares each entry with its hash in the tile above, and passes the hashes on.
    fn check_bundle(&mut self, index: u64) -> io::Result<()> {
        let size = self.checkpoint.size;
        let (Some(bundle), Some(tile)) = (
            TilePath::in_row(TileKind::Entries, index, size),
            TilePath::in_row(TileKind::Hashes(0), index, size),
        ) else {
            return Ok(());
        };
        let stored =
            match read_file(self.files, &tile.to_string(), TILE_WIDTH as usize * Hash::BYTES)? {
                Ok(bytes) => tile_hashes(&bytes).filter(|h| h.len() == usize::from(tile.width())),
                Err(_) => None,
            };
        let bytes = match read_file(self.files, &bundle.to_string(), BUNDLE_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(flaw) => {
                self.entries_incomplete = true;
                self.entry.get_or_insert(FirstBad { index: None, flaw });
                return Ok(());
            }
        };
        let first = index * TILE_WIDTH;
        let mut entries = Entries::of(&bytes);
        let mut hashes = Vec::with_capacity(usize::from(bundle.width()));
        for place in 0..usize::from(bundle.width()) {
            let at = first + place as u64;
            let bad = |flaw| FirstBad { index: Some(at), flaw };
            let Some(Ok(entry)) = entries.next() else {
                self.entries_incomplete = true;
                self.entry.get_or_insert(bad(Flaw::CutOff { entry: at, bundle }));
                return Ok(());
            };
            let hash = leaf_hash(entry);
            hashes.push(hash);
            // Without a readable tile the root alone will tell.
            if stored.as_ref().is_some_and(|stored| stored[place] != hash) {
                self.entry.get_or_insert(bad(Flaw::Entry { entry: at, bundle, tile }));
            }
            // Believed only where the entries alone lead to the root.
            self.sequence.read(at, entry);
        }
        if entries.next().is_some() {
            // The entries themselves may all be good; what follows them belongs to none.
            let file = bundle.to_string();
            self.entry.get_or_insert(FirstBad { index: None, flaw: Flaw::TooLong { file } });
            self.entries_incomplete = true;
            return Ok(());
        }
        self.check_tile(tile, &hashes)?;
        for (tile, hashes) in self.levels.append(index, hashes) {
            self.check_tile(tile, &hashes)?;
        }
        Ok(())
    }

    /// Compares a tile's file with the hashes that were recomputed.
    fn check_tile(&mut self, tile: TilePath, hashes: &[Hash]) -> io::Result<()> {
        let file = tile.to_string();
        let flaw = match read_file(self.files, &file, TILE_WIDTH as usize * Hash::BYTES)? {
            Ok(bytes) => {
                if bytes == tile_bytes(hashes) {
                    return Ok(());
                }
                Flaw::Tile { tile }
            }
            Err(flaw) => flaw,
        };
        self.tile.get_or_insert(FirstBad { index: None, flaw });
        Ok(())
    }

    /// The first file below `tile/` that is no part of the signed tree.
    fn first_superfluous(&self, folder: &str) -> io::Result<Option<String>> {
        for (name, is_folder) in self.files.list(folder)? {
            let path = format!("{folder}/{name}");
            if is_folder {
                if let Some(file) = self.first_superfluous(&path)? {
                    return Ok(Some(file));
                }
                continue;
            }
            let tile = path.parse::<TilePath>();
            if !tile.is_ok_and(|tile| tile.belongs_to(self.checkpoint.size)) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use self::tests::synthetic_leaf;
