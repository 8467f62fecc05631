//! Deltas: records that join, change or leave a register while its index serves.
//!
//! A city of a million people has some hundred births, moves and deaths a day, and building its index takes seconds. So
//! [`RegisterIndex::apply`] makes a second index of the first, which shares all with it but what the delta changes:
//!
//! ```text
//!              as built               of deltas, a few layers each
//! values       names, places, .. <──  those that the register did not have
//! records      columns of ids    <──  those that joined, and changed ones as they are now
//! postings     of all rules      <──  keys of these records             without the records that have gone
//! frequencies, what relatives share, rules and their limits, how names and addresses are read: as built
//! ```
//!
//! The first index stays what it is. Whoever holds it finishes with it, and whoever asks after the second one was put in
//! its place gets the second, so nobody waits and nobody sees a part of a delta. Two other shapes were weighed. An index
//! changed in place needs a lock that a job of minutes would hold against every delta, or a version beside every value. A
//! single small index beside the large one would be copied whole for each delta, or built twice. In layers (see `layers`)
//! a record is copied a few times as the deltas grow fourfold, and nothing is copied for the size of the register.
//!
//! What was learned and counted does not move: a model that was prepared for the first index serves the second one, and
//! a pair that no delta touches weighs what it weighed. Invariant: lines and queries get the candidates and weights that
//! they get from [`seal_counted_as`](crate::RegisterIntake::seal_counted_as) of the records that are there, in whatever
//! order and in however many deltas they came. Row numbers differ: a record that changes gets a new one, and the old one
//! keeps its id and is never found again. And of a block that is far too large to be compared, the number of residents
//! that is told may include records that have gone.
//!
//! What an index counted anew would say differs in what is counted: how common values are (a value that the register did
//! not have counts as neither rare nor common), how many residents there are, what strangers and relatives share, which
//! rules are too wide, which municipalities, towns and halves of names are known to readers, and how names are read. Hence
//! [`RegisterIndex::needs_rebuild`].

use std::sync::Arc;

use hashbrown::HashMap;
use renkei_types::{Classify, Kind, Language, Localised};

use crate::field::Fields;
use crate::hash::Seeded;
use crate::intake::{RawRecords, Rows};
use crate::intern::TextArena;
use crate::register_index::RegisterIndex;
use crate::sealing;

/// Once deltas have touched one record in so many, the index should be built anew.
const TOUCHED_ONE_IN: usize = 10;

/// What is to be changed of a register, in order.
#[derive(Clone, Debug)]
pub struct Delta {
    fields: Arc<Fields>,
    /// Records to be added, and changed ones as they will be.
    raw: RawRecords,
    /// Ids of records to be removed.
    removed: TextArena,
    entries: Vec<Entry>,
}

/// One change.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// The number among the raw records.
    Add(u32),
    /// The number among the raw records.
    Change(u32),
    /// The number among the removed ids.
    Remove(u32),
}

/// A delta does not fit the register. Nothing of it was applied. Entries are counted from 1, in the order in which they
/// were put into the delta.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeltaError {
    /// A record to be added has an id that the register has already.
    #[error(
        "entry {entry} of the delta adds a record whose id the register has already; send it as a change, \
         or remove the other one first"
    )]
    AlreadyThere {
        /// Which entry.
        entry: usize,
    },
    /// A record to be changed is not in the register.
    #[error(
        "entry {entry} of the delta changes a record that the register does not have; send it as an addition, \
         or send the deltas before this one"
    )]
    NothingToChange {
        /// Which entry.
        entry: usize,
    },
    /// A record to be removed is not in the register.
    #[error(
        "entry {entry} of the delta removes a record that the register does not have; \
         leave it out, or send the deltas before this one"
    )]
    NothingToRemove {
        /// Which entry.
        entry: usize,
    },
    /// A record to be added has no id.
    #[error("entry {entry} of the delta adds a record without an id; give it one")]
    NoId {
        /// Which entry.
        entry: usize,
    },
    /// The delta was made for a register with other fields.
    #[error("the delta was made for a register with other fields; make one for this register")]
    OtherFields,
    /// The index serves a single list.
    #[error("the index serves a single list and takes no deltas; build one that serves any lists")]
    ServesOneList,
}

impl Classify for DeltaError {
    fn kind(&self) -> Kind {
        match self {
            Self::AlreadyThere { .. } => Kind::Conflict,
            Self::NothingToChange { .. } | Self::NothingToRemove { .. } => Kind::NotFound,
            Self::NoId { .. } | Self::OtherFields | Self::ServesOneList => Kind::InvalidArgument,
        }
    }
}

impl Localised for DeltaError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::AlreadyThere { entry } => format!(
                "差分の {entry} 件目は、台帳に既にある識別子の追加です。変更として送るか、先に元の記録を削除してください"
            ),
            Self::NothingToChange { entry } => format!(
                "差分の {entry} 件目は、台帳にない記録の変更です。追加として送るか、先行する差分を先に送ってください"
            ),
            Self::NothingToRemove { entry } => format!(
                "差分の {entry} 件目は、台帳にない記録の削除です。取り除くか、先行する差分を先に送ってください"
            ),
            Self::NoId { entry } => {
                format!("差分の {entry} 件目は、識別子のない記録の追加です。識別子を付けてください")
            }
            Self::OtherFields => {
                "差分の項目が台帳と異なります。この台帳の項目で作り直してください".to_owned()
            }
            Self::ServesOneList => {
                "この索引は一つのリスト専用で、差分を適用できません。共用の索引を作ってください"
                    .to_owned()
            }
        };
        language.pick(self.to_string(), japanese)
    }
}

impl Delta {
    /// Adds all of `rows`: records that the register does not have.
    pub fn add(&mut self, rows: &impl Rows) {
        self.take(rows, Entry::Add);
    }

    /// Changes records to what `rows` say, each in all its fields.
    pub fn change(&mut self, rows: &impl Rows) {
        self.take(rows, Entry::Change);
    }

    /// Removes the record with this id.
    pub fn remove(&mut self, id: &str) {
        self.entries.push(Entry::Remove(self.removed.push(id)));
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn take(&mut self, rows: &impl Rows, entry: fn(u32) -> Entry) {
        let taken =
            |raw: &RawRecords| u32::try_from(raw.ids.len()).expect("fewer than 2^32 records");
        let before = taken(&self.raw);
        let fields = &self.fields;
        self.raw.extend(std::slice::from_ref(rows), |field| fields.reads_of_register(field));
        self.entries.extend((before..taken(&self.raw)).map(entry));
    }
}

impl RegisterIndex {
    /// A delta for this register, still empty.
    pub fn delta(&self) -> Delta {
        Delta {
            fields: Arc::clone(&self.fields),
            raw: RawRecords::new(&self.fields),
            removed: TextArena::default(),
            entries: Vec::new(),
        }
    }

    /// The index of the register as the delta leaves it. This one stays as it is, and shares with the other what the delta
    /// does not change. Entries take effect in their order: a record may be removed and added again.
    /// The first delta finds out once which id is where, for this index and all that come of it.
    ///
    /// # Errors
    /// The delta does not fit the register; nothing of it was applied.
    pub fn apply(&self, delta: Delta) -> Result<Self, DeltaError> {
        let blocking = self.blocking().ok_or(DeltaError::ServesOneList)?;
        if *delta.fields != *self.fields {
            return Err(DeltaError::OtherFields);
        }
        let (gone, touched) = (self.leavers(&delta)?, self.touched() + delta.len());
        let first = u32::try_from(self.rows()).expect("fewer than 2^32 records");
        let mut register = sealing::joining(self, delta.raw);
        let blocking = blocking.changed(&register, first, &gone);
        // Whole names serve to find people; from here on their keys do.
        register.wholes.forget_keys();
        register.wholes.leave();
        register.records.leave();
        register.leave_values();
        Ok(self.with(register, Some(blocking), touched))
    }

    /// The rows that are no longer there after a delta: of records that go, and of those that change, as they were.
    fn leavers(&self, delta: &Delta) -> Result<Vec<u32>, DeltaError> {
        let first = u32::try_from(self.rows()).expect("fewer than 2^32 records");
        // Of records that earlier entries touch, the row, if they are still there.
        let mut touched: HashMap<&str, Option<u32>, Seeded> = HashMap::default();
        let mut gone = Vec::new();
        for (entry, change) in (1..).zip(&delta.entries) {
            let (id, new) = match *change {
                Entry::Add(raw) | Entry::Change(raw) => (delta.raw.ids.get(raw), Some(first + raw)),
                Entry::Remove(removed) => (delta.removed.get(removed), None),
            };
            let taking_part =
                || self.row(id).filter(|&row| !self.register.records.is_forgotten(row));
            let old = touched.get(id).copied().unwrap_or_else(taking_part);
            match (change, old) {
                (Entry::Add(_), _) if id.is_empty() => return Err(DeltaError::NoId { entry }),
                (Entry::Add(_), None) => {}
                (Entry::Add(_), Some(_)) => return Err(DeltaError::AlreadyThere { entry }),
                (Entry::Change(_) | Entry::Remove(_), Some(old)) => gone.push(old),
                (Entry::Change(_), None) => return Err(DeltaError::NothingToChange { entry }),
                (Entry::Remove(_), None) => return Err(DeltaError::NothingToRemove { entry }),
            }
            touched.insert(id, new);
        }
        Ok(gone)
    }

    /// Whether deltas have touched so many records that the index should be built anew, beside this one: what was
    /// counted then no longer describes the register, and memory is spent on records that have gone.
    pub fn needs_rebuild(&self) -> bool {
        self.touched() * TOUCHED_ONE_IN > self.built()
    }
}
