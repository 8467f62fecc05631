//! Snapshots: states of a register, switched to as a whole.
//!
//! A snapshot is either a file of its own or what a numbered delta made of the snapshot before. Rows only ever join: a
//! record that changes gets a new row behind all others, and the old row stays what it was.
//!
//! ```text
//! row   0 ............ 999,999 | 1,000,000 .. 1,000,149 | 1,000,150 ..
//!       the file               | delta 1                | delta 2
//! ```
//! So a row means the same version of a record in every snapshot that has it. A job and its book, which hold rows, are
//! pinned to one snapshot and stay true while deltas go on; and who was in the register at some day can be asked later.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;
use renkei_types::{DataKeyId, DatasetId, Digest, Reason, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::rows::{self, Rows};
use crate::state::State;
use crate::store::Vault;

/// A state of a register.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Snapshot {
    /// The register.
    pub dataset: DatasetId,
    /// The records; of a delta those that join and those that change, as they are from then on.
    pub rows: Rows,
    /// The file's own bytes.
    pub file: renkei_journal::BlobRef,
    /// The key that seals both.
    pub key: DataKeyId,
    /// Keyed digest of the rows.
    pub digest: Digest,
    /// When it was sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_at: Option<Timestamp>,
    /// What it follows, where a delta made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// Whether its key has been destroyed, see [`crate::retention`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destroyed: bool,
}

/// How a snapshot comes of the one before.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Follows {
    /// The snapshot before.
    pub previous: SnapshotId,
    /// Number of the delta.
    pub number: u64,
    /// Row of its first record: how many rows all before it have.
    pub first_row: u64,
    /// How many records the register has with it.
    pub records: u64,
    /// Entries of deltas since values were last counted.
    pub touched: u64,
    /// Whether values are counted anew with this delta: the register has changed so much that what was counted no longer
    /// describes it. It is a fact, so that an index that is read back weighs what the one that served did.
    pub recounts: bool,
}

impl Snapshot {
    /// How many records the register has.
    pub fn records(&self) -> u64 {
        self.follows.map_or(self.rows.rows, |follows| follows.records)
    }

    /// Row of its first record.
    pub fn first_row(&self) -> u64 {
        self.follows.map_or(0, |follows| follows.first_row)
    }

    /// The day on which it was sealed, in Japan.
    pub(crate) fn sealed_on(&self) -> Option<jiff::civil::Date> {
        let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
        self.sealed_at.map(|sealed| sealed.to_zoned(japan).date())
    }

    /// How many rows the register has, those of records included that have gone or changed.
    pub fn rows_through(&self) -> u64 {
        self.first_row() + self.rows.rows
    }
}

impl State {
    /// A snapshot and all that it comes of, from the file on.
    pub fn segments(&self, id: SnapshotId) -> Result<Vec<&Snapshot>, Refusal> {
        let ids = self.segment_ids(id)?;
        Ok(ids.iter().filter_map(|id| self.snapshots.get(id)).collect())
    }

    /// The same by id.
    pub(crate) fn segment_ids(&self, id: SnapshotId) -> Result<Vec<SnapshotId>, Refusal> {
        let mut ids = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let known = self.snapshots.get(&id).filter(|snapshot| !snapshot.destroyed);
            next = known.ok_or(Reason::DataDestroyed)?.follows.map(|follows| follows.previous);
            ids.push(id);
        }
        ids.reverse();
        Ok(ids)
    }

    /// A snapshot's rows, to be read one by one.
    pub fn register_rows(&self, id: SnapshotId) -> Result<RegisterRows<'_>, Refusal> {
        Ok(RegisterRows { segments: self.segments(id)? })
    }
}

/// The rows of a register, wherever they lie.
#[derive(Debug)]
pub struct RegisterRows<'a> {
    segments: Vec<&'a Snapshot>,
}

impl<'a> RegisterRows<'a> {
    /// Canonical names of the columns; deltas have those of the file.
    pub fn columns(&self) -> &'a [String] {
        self.segments.first().map_or(&[], |file| file.rows.columns.as_slice())
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns().iter().position(|known| known == name)
    }

    /// The cells of a row.
    pub fn record(&self, vault: &Vault, row: u32) -> Result<Vec<String>, Refusal> {
        let records = self.records(vault, &[row])?;
        Ok(records.into_iter().next().ok_or(Reason::Internal)?)
    }

    /// The cells of some rows, in the order of `rows`. A chunk is opened once, however many of them it has: families stand side
    /// by side in most registers.
    pub fn records(&self, vault: &Vault, rows: &[u32]) -> Result<Vec<Vec<String>>, Refusal> {
        let mut opened: HashMap<(usize, u32), rows::Chunk> = HashMap::new();
        let mut records = Vec::with_capacity(rows.len());
        for &row in rows {
            let (segment, number, at) = self.place(row)?;
            let (place, segment) = (segment, self.segments.get(segment).ok_or(Reason::Internal)?);
            let chunk = match opened.entry((place, number)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    free.insert(rows::chunk(&segment.rows.open(vault)?, number)?)
                }
            };
            let columns = 0..segment.rows.columns.len();
            records.push(columns.map(|column| chunk.cell(column, at).to_owned()).collect());
        }
        Ok(records)
    }

    /// The segment, the chunk and the place in it of a row.
    fn place(&self, row: u32) -> Result<(usize, u32, usize), Refusal> {
        let row = u64::from(row);
        let after = self.segments.partition_point(|segment| segment.first_row() <= row);
        let place = after.checked_sub(1).ok_or(Reason::Internal)?;
        let segment = self.segments.get(place).filter(|segment| row < segment.rows_through());
        let (number, at) = rows::place(row - segment.ok_or(Reason::Internal)?.first_row());
        Ok((place, number, at))
    }

    /// The row of a record that is in the register; reads through all.
    pub fn find(
        &self,
        vault: &Vault,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<(u32, String)>, Refusal> {
        let mut found = None;
        self.each(vault, |row, chunk, at| {
            // The newest version stands last.
            if is_wanted(chunk.cell(0, at)) {
                found = Some((row, chunk.cell(0, at).to_owned()));
            }
        })?;
        let Some((row, id)) = found else { return Ok(None) };
        for segment in self.segments.iter().rev().filter(|segment| segment.follows.is_some()) {
            if u64::from(row) >= segment.first_row() {
                break;
            }
            if crate::delta::behind(vault, segment)?.removed.iter().any(|gone| gone.id == id) {
                return Ok(None);
            }
        }
        Ok(Some((row, id)))
    }

    /// The ids of some rows; reads through all.
    pub fn ids(
        &self,
        vault: &Vault,
        wanted: &HashSet<u32>,
    ) -> Result<HashMap<u32, String>, Refusal> {
        let mut ids = HashMap::with_capacity(wanted.len());
        self.each(vault, |row, chunk, at| {
            if wanted.contains(&row) {
                ids.insert(row, chunk.cell(0, at).to_owned());
            }
        })?;
        Ok(ids)
    }

    /// Looks at every row, in order.
    pub fn each(
        &self,
        vault: &Vault,
        mut look: impl FnMut(u32, &rows::Chunk, usize),
    ) -> Result<(), Refusal> {
        self.segments.iter().try_for_each(|segment| each(vault, segment, &mut look))
    }

    /// Looks at every row by all threads; what they find comes in the order of the rows.
    pub(crate) fn gather<T: Send>(
        &self,
        vault: &Vault,
        look: impl Fn(u32, &rows::Chunk, usize, &mut Vec<T>) + Sync,
    ) -> Result<Vec<T>, Refusal> {
        let mut found = Vec::new();
        for segment in &self.segments {
            found.append(&mut gather(vault, segment, &look)?);
        }
        Ok(found)
    }
}

/// Looks at every row of a segment, in order. Opening chunks is most of the work, so some are opened ahead, by all threads.
pub(crate) fn each(
    vault: &Vault,
    segment: &Snapshot,
    mut look: impl FnMut(u32, &rows::Chunk, usize),
) -> Result<(), Refusal> {
    const AHEAD: usize = 8;
    let reader = segment.rows.open(vault)?;
    let numbers: Vec<u32> = (0..segment.rows.chunks()).collect();
    for numbers in numbers.chunks(AHEAD) {
        let opened: Vec<Result<rows::Chunk, Refusal>> =
            numbers.par_iter().map(|&number| rows::chunk(&reader, number)).collect();
        for (&number, chunk) in numbers.iter().zip(opened) {
            let chunk = chunk?;
            rows_of(segment, number, &chunk).for_each(|(row, at)| look(row, &chunk, at));
        }
    }
    Ok(())
}

/// Looks at every row of a segment by all threads; what they find comes in the order of the rows.
pub(crate) fn gather<T: Send>(
    vault: &Vault,
    segment: &Snapshot,
    look: impl Fn(u32, &rows::Chunk, usize, &mut Vec<T>) + Sync,
) -> Result<Vec<T>, Refusal> {
    let reader = segment.rows.open(vault)?;
    let found: Vec<Vec<T>> = (0..segment.rows.chunks())
        .into_par_iter()
        .map(|number| {
            let (chunk, mut found) = (rows::chunk(&reader, number)?, Vec::new());
            rows_of(segment, number, &chunk)
                .for_each(|(row, at)| look(row, &chunk, at, &mut found));
            Ok(found)
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The rows of a chunk of a segment, and their places in it.
fn rows_of(
    segment: &Snapshot,
    number: u32,
    chunk: &rows::Chunk,
) -> impl Iterator<Item = (u32, usize)> {
    let first = segment.first_row() + u64::from(number) * rows::CHUNK_ROWS as u64;
    // A register has fewer than 2^32 rows: a delta that would pass that is refused.
    (0..chunk.rows()).map(move |at| (u32::try_from(first + at as u64).unwrap_or(u32::MAX), at))
}

/// The rows of records that deltas have changed or taken away.
pub(crate) fn out_of_force(vault: &Vault, segments: &[&Snapshot]) -> Result<Vec<usize>, Refusal> {
    let deltas = || segments.iter().filter(|segment| segment.follows.is_some());
    let mut touched = HashSet::new();
    for segment in deltas() {
        each(vault, segment, |_, chunk, at| {
            touched.insert(chunk.cell(0, at).to_owned());
        })?;
        touched
            .extend(crate::delta::behind(vault, segment)?.removed.into_iter().map(|gone| gone.id));
    }
    let mut in_force: HashMap<String, u32> = HashMap::with_capacity(touched.len());
    let mut out = Vec::new();
    for segment in segments {
        each(vault, segment, |row, chunk, at| {
            let id = chunk.cell(0, at);
            if touched.contains(id) {
                out.extend(in_force.insert(id.to_owned(), row));
            }
        })?;
        if segment.follows.is_some() {
            for gone in crate::delta::behind(vault, segment)?.removed {
                out.extend(in_force.remove(&gone.id));
            }
        }
    }
    Ok(out.into_iter().map(|row| row as usize).collect())
}
