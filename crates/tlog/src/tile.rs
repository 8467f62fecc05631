//! Where the tree's hashes and entries stand in files: the C2SP tlog-tiles layout.
//!
//! A tile holds up to 256 hashes of one level, a bundle the 256 entries below a tile of level 0. Full ones never change,
//! so a log is static files that a web server or a USB stick can carry. A partial one bears its width in its name,
//! `tile/0/x001/234.p/67`, so that it never changes either: growing writes a new file. Entry bundles put a big-endian
//! 16-bit length before each entry.

use std::fmt;
use std::str::FromStr;

use renkei_types::{Classify, Kind};

use crate::hash::Hash;

/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;
/// Tile levels that a tree can have: a tree of 2^64 leaves has eight.
pub const TILE_LEVELS: u8 = 8;
/// Bytes that the length before an entry can express.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// What a tile file holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TileKind {
    /// Hashes of one tile level, 0 nearest the leaves.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// One file of the log. Text form: its path below the log's folder.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// The text is not the path of a tile or of an entry bundle.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a tile's path is tile/<level>/<number> or tile/entries/<number>, then .p/<width> if it is partial"
)]
pub struct InvalidTilePath;

impl TilePath {
    /// The tile with 256 hashes or entries.
    pub fn full(kind: TileKind, index: u64) -> Self {
        Self { kind, index, width: TILE_WIDTH as u16 }
    }

    /// The tile `index` as it is in a tree whose level has `count` hashes (or which has `count` entries): full, partial,
    /// or absent.
    pub fn in_row(kind: TileKind, index: u64, count: u64) -> Option<Self> {
        let width = count.saturating_sub(index.checked_mul(TILE_WIDTH)?).min(TILE_WIDTH);
        // At most 256.
        (width > 0).then_some(Self { kind, index, width: width as u16 })
    }

    /// Hashes or entries.
    pub fn kind(self) -> TileKind {
        self.kind
    }

    /// Its number within its level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has: 1 to 256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it has all 256.
    pub fn is_full(self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// Whether the tree of this size consists of this file among others.
    pub fn belongs_to(self, tree_size: u64) -> bool {
        Self::in_row(self.kind, self.index, row_count(self.kind, tree_size)) == Some(self)
    }
}

/// Every bundle and tile that a tree of this size has.
pub fn files_of(tree_size: u64) -> impl Iterator<Item = TilePath> {
    tile_kinds().flat_map(move |kind| {
        let count = row_count(kind, tree_size);
        (0..count.div_ceil(TILE_WIDTH))
            .filter_map(move |index| TilePath::in_row(kind, index, count))
    })
}

/// How many hashes a level has in a tree of this size, or how many entries.
pub(crate) fn row_count(kind: TileKind, tree_size: u64) -> u64 {
    match kind {
        TileKind::Entries => tree_size,
        TileKind::Hashes(level) => {
            tree_size.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or_default()
        }
    }
}

/// Every kind of file that a log of any size can have.
pub(crate) fn tile_kinds() -> impl Iterator<Item = TileKind> {
    std::iter::once(TileKind::Entries).chain((0..TILE_LEVELS).map(TileKind::Hashes))
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // Groups of three digits, all but the last marked with an x: no folder has more than a thousand files.
        let groups = (1..7).rev().filter(|&group| self.index >= 1000_u64.pow(group));
        for group in groups {
            write!(f, "x{:03}/", self.index / 1000_u64.pow(group) % 1000)?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if !self.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = InvalidTilePath;

    fn from_str(text: &str) -> Result<Self, InvalidTilePath> {
        let (kind, rest) = text
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(InvalidTilePath)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().map_err(|_| InvalidTilePath)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().map_err(|_| InvalidTilePath)?),
            None => (rest, TILE_WIDTH as u16),
        };
        let mut index: u64 = 0;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let value: u64 = digits.parse().map_err(|_| InvalidTilePath)?;
            index = index
                .checked_mul(1000)
                .and_then(|index| index.checked_add(value))
                .ok_or(InvalidTilePath)?;
        }
        let path = Self { kind, index, width };
        // One path, one text: leading zeros, signs, a missing x or a width of 256 spell the same tile otherwise.
        let canonical = path.to_string() == text && (1..=256).contains(&width);
        let level_exists = !matches!(kind, TileKind::Hashes(level) if level > 63);
        if canonical && level_exists { Ok(path) } else { Err(InvalidTilePath) }
    }
}

/// A bundle that cannot be read or made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// The bytes end within an entry.
    #[error("entry {place} of the bundle is cut off")]
    CutOff {
        /// Its place within the bundle, from 0.
        place: usize,
    },
    /// An entry is longer than its length field can say.
    #[error("an entry has {bytes} bytes, and at most 65,535 fit into a bundle")]
    EntryTooLong {
        /// Its bytes.
        bytes: usize,
    },
}

impl Classify for BundleError {
    fn kind(&self) -> Kind {
        match self {
            Self::CutOff { .. } => Kind::Internal,
            Self::EntryTooLong { .. } => Kind::InvalidArgument,
        }
    }
}

/// Adds one entry to the bytes of a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length =
        u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, one after the other. After an error it ends.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    place: usize,
}

impl<'a> Entries<'a> {
    /// Reads the bytes of a bundle.
    pub fn of(bundle: &'a [u8]) -> Self {
        Self { rest: bundle, place: 0 }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let place = self.place;
        self.place += 1;
        let entry = self.rest.split_first_chunk::<2>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        match entry {
            Some((entry, rest)) => {
                self.rest = rest;
                Some(Ok(entry))
            }
            None => {
                self.rest = &[];
                Some(Err(BundleError::CutOff { place }))
            }
        }
    }
}

/// The hashes of a tile file; nothing if its length is not a whole number of hashes.
pub fn tile_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    rest.is_empty().then(|| hashes.iter().copied().map(Hash::from_bytes).collect())
}

/// The bytes of a tile file.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(hashes.len() * Hash::BYTES);
    hashes.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for (kind, index, count, text) in [
            (TileKind::Hashes(0), 0, 256, "tile/0/000"),
            (TileKind::Hashes(0), 0, 255, "tile/0/000.p/255"),
            (TileKind::Hashes(1), 1_234_067, u64::MAX, "tile/1/x001/x234/067"),
            (TileKind::Hashes(2), 1_000, 256_001, "tile/2/x001/000.p/1"),
            (TileKind::Entries, 999, 256_000, "tile/entries/999"),
            (TileKind::Entries, 7, 1_800, "tile/entries/007.p/8"),
        ] {
            let path = TilePath::in_row(kind, index, count).expect("within the row");
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
        assert_eq!(TilePath::in_row(TileKind::Entries, 1, 256), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/00/000",
            "tile/+1/000",
            "tile/64/000",
            "tile/256/000",
            "tile/data/000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/-01",
            "tile/0/x099/x999/x999/x999/x999/x999/999",
            "tile/0/000/",
            "/tile/0/000",
            "tile/0/../000",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(InvalidTilePath), "{text}");
        }
    }

    #[test]
    fn a_file_of_another_size_of_the_tree_does_not_belong() {
        let path = |text: &str| text.parse::<TilePath>().expect("a path");
        assert!(path("tile/0/002.p/88").belongs_to(600));
        assert!(path("tile/1/000.p/2").belongs_to(600));
        assert!(path("tile/entries/001").belongs_to(600));
        for text in
            ["tile/0/002", "tile/0/002.p/87", "tile/1/000.p/3", "tile/0/003", "tile/2/000.p/1"]
        {
            assert!(!path(text).belongs_to(600), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_path_parses_back_and_equals_the_oracles(
            level in 0_u8..8, index in 0..u64::from(u32::MAX), width in 1_u64..=256,
        ) {
            let path = TilePath::in_row(TileKind::Hashes(level), index, index * 256 + width)
                .expect("within the row");
            prop_assert_eq!(path.to_string().parse(), Ok(path));
            // The oracle names the tile height as well: tile/8/<level>/...
            let oracle = tlog_tiles::Tile::new(8, level, index, width as u32, false).path();
            prop_assert_eq!(oracle.replacen("tile/8/", "tile/", 1), path.to_string());
        }

        #[test]
        fn a_bundle_reads_back(entries in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..40), 0..20)
        ) {
            let mut bundle = Vec::new();
            for entry in &entries {
                push_entry(&mut bundle, entry).expect("a short entry");
            }
            let read: Vec<Vec<u8>> = Entries::of(&bundle)
                .map(|entry| entry.expect("a whole entry").to_vec())
                .collect();
            prop_assert_eq!(read, entries);
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,40}",
        ) {
            let _ = Entries::of(&bytes).count();
            let _ = tile_hashes(&bytes);
            let _ = text.parse::<TilePath>();
            let _ = format!("tile/{text}").parse::<TilePath>();
        }
    }

    #[test]
    fn an_entry_that_its_length_field_cannot_express_is_refused() {
        let mut bundle = Vec::new();
        assert!(push_entry(&mut bundle, &vec![0; ENTRY_BYTES_MAX]).is_ok());
        assert_eq!(
            push_entry(&mut bundle, &vec![0; ENTRY_BYTES_MAX + 1]),
            Err(BundleError::EntryTooLong { bytes: 65_536 })
        );
    }
}
