//! The two time axes of a register: what was so on a day, and what was known of it by a day.
//!
//! A benefit asks who lived in the town on its base date (基準日), and a notice of a move may be handled weeks later. So
//! each version of a record has the day on which it came about (異動日) and the day on which it was handled (処理日). Rows
//! are never changed, so every version that a snapshot or a delta has brought is still there:
//!
//! ```text
//!                 異動日      処理日          on 09-01 as known 09-05: lives in A
//! lives in A      2020-04-01  2020-04-03     on 09-01 as known 09-30: lives in B
//! moved to B      2026-08-30  2026-09-10
//! ```
//! A version without 異動日 has been so for ever; one without 処理日 is known since its file was sealed. What came before
//! the last whole file is not looked at: the file says what it says of the past.
//!
//! Whom a household's benefit pays goes by the same: a household that parted after the base date is still one. There the whole
//! files of before are looked at too, back to the one that was in use on the base date, and a change that a delta or a later
//! file brings without 異動日 counts from the day on which it was handled, since it would otherwise undo the past: a
//! household that was paid could part, and be paid again.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use renkei_japanese::date::{DateOrder, DateReading, read};
use renkei_types::{DatasetId, Reason, SnapshotId};

use crate::refusal::Refusal;
use crate::rows::{self, Chunk};
use crate::snapshot::{Snapshot, each, gather};
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// Which state of a register is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StateAt {
    /// The day on which it was so: a base date.
    pub on: Date,
    /// The day by which it was known.
    pub known: Date,
}

/// Who was in a register at some day, as it was known by some day.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InForce {
    /// The row of each record that was in force, by id.
    pub rows: HashMap<String, u32>,
    /// How many of them have no readable 異動日 and count as having been so for ever.
    pub undated: u64,
}

/// Since when a version counts that has no 異動日.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Undated {
    /// It has been so for ever.
    ForEver,
    /// Likewise in the whole file that comes first; in whatever came later since it was handled.
    SinceHandled,
}

/// A version of a record: when it came about, and what is asked of it; nothing where the record left.
#[derive(Clone, Copy)]
struct Version<T> {
    came: Option<Date>,
    what: Option<T>,
}

impl State {
    /// Who was in a register. Blocks: for threads that may wait.
    pub fn in_force(
        &self,
        vault: &Vault,
        dataset: DatasetId,
        at: StateAt,
    ) -> Result<InForce, Refusal> {
        let segments = self.segments(self.snapshot_in_use(dataset)?)?;
        let versions =
            versions(vault, &segments, at, Undated::ForEver, everybody, |_, row, _, _| row)?;
        let there = versions.iter().filter(|(_, version)| version.what.is_some());
        let undated = there.filter(|(_, version)| version.came.is_none()).count() as u64;
        let rows = versions.into_iter().filter_map(|(id, version)| Some((id, version.what?)));
        Ok(InForce { rows: rows.collect(), undated })
    }

    /// The households of some people as they were, of those alone for whom some delta or file has said anything else than what
    /// `now` gives as theirs: nothing of whoever is not asked for, an empty text of whoever is not in the register. Zeros in front
    /// make no difference, and the ids that are asked for and answered have none: a file may come without them. Blocks: for threads
    /// that may wait.
    pub fn households_on<'a>(
        &self,
        vault: &Vault,
        dataset: DatasetId,
        at: StateAt,
        now: impl Fn(&str) -> Option<&'a str> + Sync,
    ) -> Result<HashMap<String, String>, Refusal> {
        self.households_known_to(vault, self.snapshot_in_use(dataset)?, at, now)
    }

    /// The same as a snapshot has them: what came after it is not looked at. Blocks: for threads that may wait.
    pub(crate) fn households_known_to<'a>(
        &self,
        vault: &Vault,
        snapshot: SnapshotId,
        at: StateAt,
        now: impl Fn(&str) -> Option<&'a str> + Sync,
    ) -> Result<HashMap<String, String>, Refusal> {
        let segments = self.segments_since(snapshot, at.on)?;
        // One file is looked at too where it is the only one: whoever asks may know somebody from a file before it.
        let mut touched = HashSet::new();
        for segment in &segments {
            touched.extend(gather(vault, segment, |_, chunk, at, touched: &mut Vec<String>| {
                let id = without_zeros(chunk.cell(0, at));
                let home = without_zeros(household(segment, chunk, at));
                let is_other = |now: &str| without_zeros(now) != home;
                if now(id).is_some_and(|now| segment.follows.is_some() || is_other(now)) {
                    touched.push(id.to_owned());
                }
            })?);
        }
        if touched.is_empty() {
            return Ok(HashMap::new());
        }
        let what =
            |segment: &Snapshot, _, chunk: &Chunk, at| household(segment, chunk, at).to_owned();
        let versions = versions(
            vault,
            &segments,
            at,
            Undated::SinceHandled,
            |id| Some(without_zeros(id)).filter(|id| touched.contains(*id)),
            what,
        )?;
        Ok(versions.into_iter().filter_map(|(id, version)| Some((id, version.what?))).collect())
    }

    /// All that was brought of a register up to a snapshot, since the last whole file that was sealed by some day, that file
    /// first; where there is none, or its key is destroyed, since the first one that is kept.
    pub(crate) fn segments_since(
        &self,
        snapshot: SnapshotId,
        day: Date,
    ) -> Result<Vec<&Snapshot>, Refusal> {
        let own = self.segments(snapshot)?;
        let file = *own.first().ok_or(Reason::Internal)?;
        let kept = || self.snapshots.iter().filter(|(_, one)| !one.destroyed);
        let followed: HashSet<SnapshotId> =
            kept().filter_map(|(_, one)| Some(one.follows?.previous)).collect();
        let is_file = |one: &Snapshot, other: &Snapshot| std::ptr::eq(one, other);
        // The file that is in use is the last one.
        let in_use = self.snapshot_in_use(file.dataset).ok().map(|id| self.segments(id));
        let last = in_use.and_then(Result::ok).and_then(|segments| segments.first().copied());
        let is_earlier = |other: &Snapshot| {
            !is_file(other, file)
                && other.sealed_at <= file.sealed_at
                && last.is_none_or(|last| !is_file(other, last))
        };
        let ends = kept().filter(|(id, one)| one.dataset == file.dataset && !followed.contains(id));
        let mut earlier: Vec<(SnapshotId, Vec<&Snapshot>)> =
            ends.filter_map(|(id, _)| Some((*id, self.segments(*id).ok()?))).collect();
        earlier.retain(|(_, segments)| segments.first().is_some_and(|other| is_earlier(other)));
        earlier.sort_by_key(|(id, segments)| (segments.first().map(|file| file.sealed_at), *id));
        let mut segments: Vec<&Snapshot> =
            earlier.into_iter().flat_map(|(_, segments)| segments).collect();
        segments.extend(own);
        let is_first = |one: &&Snapshot| {
            one.follows.is_none() && one.sealed_on().is_none_or(|sealed| sealed <= day)
        };
        let first = segments.iter().rposition(is_first).unwrap_or(0);
        Ok(segments.split_off(first))
    }
}

/// Every record, under its own id.
fn everybody(id: &str) -> Option<&str> {
    Some(id)
}

/// The household of a row.
fn household<'a>(segment: &Snapshot, chunk: &'a Chunk, at: usize) -> &'a str {
    segment.rows.column("household_id").map_or("", |column| chunk.cell(column, at))
}

/// The newest version of each wanted record that had come about on a day and was known by one, under the name that `key` gives it.
fn versions<T>(
    vault: &Vault,
    segments: &[&Snapshot],
    at: StateAt,
    undated: Undated,
    key: impl Fn(&str) -> Option<&str>,
    what: impl Fn(&Snapshot, u32, &Chunk, usize) -> T,
) -> Result<HashMap<String, Version<T>>, Refusal> {
    let mut versions: HashMap<String, Version<T>> = HashMap::new();
    let mut take = |id: &str, version: Version<T>| {
        // The newest event counts, and of two on one day the one that was sent last.
        match versions.get_mut(id) {
            Some(known) if version.came >= known.came => *known = version,
            Some(_) => {}
            None => {
                versions.insert(id.to_owned(), version);
            }
        }
    };
    for (place, segment) in segments.iter().enumerate() {
        let sealed = segment.sealed_on();
        let is_first = place == 0 && segment.follows.is_none();
        // The day on which a version came about, where it had and was known.
        let counts = |[came, handled]: [&str; 2]| {
            let known = day(handled).or(sealed);
            let since = known.filter(|_| undated == Undated::SinceHandled && !is_first);
            let came = day(came).or(since);
            let is_later = known.is_some_and(|known| known > at.known)
                || came.is_some_and(|came| came > at.on);
            (!is_later).then_some(came)
        };
        let column = |name| segment.rows.column(name);
        let days = [column("date_of_event"), column("date_processed")];
        // What took no part in the register was not in it; deltas with such lines are refused.
        let rejected: HashSet<u32> = match segment.follows {
            Some(_) => HashSet::new(),
            None => rows::rejected(&segment.rows.open(vault)?, &segment.rows)?
                .into_iter()
                .map(|rejected| rejected.row)
                .collect(),
        };
        // An id that is put right is removed and added in one delta: under one name nobody has left.
        let mut joined = HashSet::new();
        each(vault, segment, |row, chunk, cell| {
            let id = chunk.cell(0, cell);
            if segment.follows.is_some() {
                joined.extend(key(id).map(str::to_owned));
            }
            let days = days.map(|column| column.map_or("", |at| chunk.cell(at, cell)));
            if let Some(key) = key(id)
                && !rejected.contains(&row)
                && let Some(came) = counts(days)
            {
                take(key, Version { came, what: Some(what(segment, row, chunk, cell)) });
            }
        })?;
        if segment.follows.is_some() {
            for gone in crate::delta::behind(vault, segment)?.removed {
                if let Some(key) = key(&gone.id)
                    && !joined.contains(key)
                    && let Some(came) = counts([&gone.date_of_event, &gone.date_processed])
                {
                    take(key, Version { came, what: None });
                }
            }
        }
    }
    Ok(versions)
}

/// A whole day; nothing where there is none, or where a part of it is unknown.
pub(crate) fn day(text: &str) -> Option<Date> {
    let DateReading::Read(date) = read(text, DateOrder::Ymd) else { return None };
    let (year, month, day) = (date.year?, date.month?, date.day?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
