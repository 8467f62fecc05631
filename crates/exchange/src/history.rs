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
//! the last whole file is not looked at: the file says what it says of the past. Households are asked about in another way,
//! since money follows them: see the module `homes`.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use renkei_japanese::date::{DateOrder, DateReading, read};
use renkei_types::{DatasetId, SnapshotId};

use crate::refusal::Refusal;
use crate::rows;
use crate::snapshot::{Snapshot, each};
use crate::state::State;
use crate::store::Vault;

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

/// What a part of a register says of somebody.
pub(crate) enum Event<'a> {
    /// A row of theirs, and their household as it is written there.
    Row(u32, &'a str),
    /// That they have left.
    Gone,
}

/// A whole file or a delta of a register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) snapshot: SnapshotId,
    /// Whether it is a whole file.
    pub(crate) is_file: bool,
    /// The place of the file that it goes on from; its own, if it is one.
    pub(crate) file: usize,
    pub(crate) sealed: Option<Date>,
}

impl State {
    /// Who was in a register. Blocks: for threads that may wait.
    pub fn in_force(
        &self,
        vault: &Vault,
        dataset: DatasetId,
        at: StateAt,
    ) -> Result<InForce, Refusal> {
        // When each record came about, and its row; none where it has left.
        let mut versions: HashMap<String, (Option<Date>, Option<u32>)> = HashMap::new();
        for segment in self.segments(self.snapshot_in_use(dataset)?)? {
            let sealed = segment.sealed_on();
            // Who is removed and added in one delta has not left.
            let mut joined = HashSet::new();
            events(vault, segment, |id, event, [came, handled]| {
                let row = match event {
                    Event::Row(row, _) if segment.follows.is_some() => {
                        joined.insert(id.to_owned());
                        Some(row)
                    }
                    Event::Row(row, _) => Some(row),
                    Event::Gone if joined.contains(id) => return,
                    Event::Gone => None,
                };
                let is_later = handled.or(sealed).is_some_and(|handled| handled > at.known)
                    || came.is_some_and(|came| came > at.on);
                if is_later {
                    return;
                }
                match versions.get_mut(id) {
                    // The newest event counts, and of two on one day the one that was sent last.
                    Some(known) if came >= known.0 => *known = (came, row),
                    Some(_) => {}
                    None => drop(versions.insert(id.to_owned(), (came, row))),
                }
            })?;
        }
        let there = || versions.iter().filter_map(|(id, (came, row))| Some((id, came, (*row)?)));
        let undated = there().filter(|(_, came, _)| came.is_none()).count() as u64;
        Ok(InForce { rows: there().map(|(id, _, row)| (id.clone(), row)).collect(), undated })
    }

    /// All that was brought of a register and is kept, in order: each whole file with its deltas behind it, the one in use last.
    pub(crate) fn parts(&self, dataset: DatasetId) -> Vec<Part> {
        let kept = || self.snapshots.iter().filter(|(_, one)| !one.destroyed);
        let followed: HashSet<SnapshotId> =
            kept().filter_map(|(_, one)| Some(one.follows?.previous)).collect();
        let in_use = self.snapshot_in_use(dataset).ok();
        let ends = kept().filter(|(id, one)| one.dataset == dataset && !followed.contains(id));
        let mut chains = Vec::new();
        for (&end, _) in ends {
            let Ok(ids) = self.segment_ids(end) else { continue };
            let file = ids.first().and_then(|file| self.snapshots.get(file));
            let is_in_use = in_use.is_some_and(|in_use| ids.contains(&in_use));
            chains.push(((is_in_use, file.and_then(|file| file.sealed_at), end), ids));
        }
        chains.sort_unstable();
        let mut parts = Vec::new();
        for (_, ids) in chains {
            let file = parts.len();
            for snapshot in ids {
                let sealed = self.snapshots.get(&snapshot).and_then(Snapshot::sealed_on);
                let is_file = parts.len() == file;
                parts.push(Part { snapshot, is_file, file, sealed });
            }
        }
        parts
    }
}

/// Goes through what a whole file or a delta says of whom, with 異動日 and 処理日: its rows in order, then who has left.
pub(crate) fn events(
    vault: &Vault,
    segment: &Snapshot,
    mut take: impl FnMut(&str, Event<'_>, [Option<Date>; 2]),
) -> Result<(), Refusal> {
    let columns = ["date_of_event", "date_processed"].map(|name| segment.rows.column(name));
    let household = segment.rows.column("household_id");
    // What took no part in the register was not in it; deltas with such lines are refused.
    let rejected: HashSet<u32> = match segment.follows {
        Some(_) => HashSet::new(),
        None => rows::rejected(&segment.rows.open(vault)?, &segment.rows)?
            .into_iter()
            .map(|rejected| rejected.row)
            .collect(),
    };
    each(vault, segment, |row, chunk, at| {
        if rejected.is_empty() || !rejected.contains(&row) {
            let cell = |column: Option<usize>| column.map_or("", |column| chunk.cell(column, at));
            let event = Event::Row(row, cell(household));
            take(chunk.cell(0, at), event, columns.map(|column| day(cell(column))));
        }
    })?;
    if segment.follows.is_some() {
        for gone in crate::delta::behind(vault, segment)?.removed {
            let days = [&gone.date_of_event, &gone.date_processed].map(|text| day(text));
            take(&gone.id, Event::Gone, days);
        }
    }
    Ok(())
}

/// A whole day; nothing where there is none, or where a part of it is unknown.
pub(crate) fn day(text: &str) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    let DateReading::Read(date) = read(text, DateOrder::Ymd) else { return None };
    let (year, month, day) = (date.year?, date.month?, date.day?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
