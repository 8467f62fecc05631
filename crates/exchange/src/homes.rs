//! Homes: who was of which household when, as the states of a register know it.
//!
//! A household benefit pays households as they were on its base date. Registers go on: people move, late notices say where
//! somebody lived, households get other numbers, and a list is linked to one state of the register, drawn up with another and
//! signed with a third. Whom a line pays, who was paid already and whom a stop means are all questions about one thing, so it is
//! read once: every version of everybody's household, since the last whole file that was sealed by the base date.
//!
//! ```text
//! parts:        file      delta 1   delta 2   file      delta 1
//! person 17     N ──────────────────────────  M ──────────────      a version holds from one part through another
//! person 18     N ──────  P (異動日, 処理日)   not in it
//! ```
//! [`Homes::seen_from`] answers as one state knew it: on the base date, and by its own rows. A change that a delta or a later file
//! brings without 異動日 counts from the day on which it was handled: it would otherwise undo the past, and a household that was paid
//! could part, and be paid again. So does another household in a later file beside the 異動日 of before: numbers were given anew.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use jiff::civil::Date;
use renkei_types::{DatasetId, SnapshotId};

use crate::history::{Event, Part, events};
use crate::refusal::Refusal;
use crate::register_ids::RegisterIds;
use crate::state::State;
use crate::store::Vault;

pub(crate) use crate::history::StateAt;

/// The households of everybody in one register. Persons and households are numbered; household 0 is none.
#[derive(Debug)]
pub(crate) struct Homes {
    base: StateAt,
    parts: Vec<Part>,
    /// Where the parts of each state start that was asked for, and its own file.
    starts: BTreeMap<SnapshotId, Seen>,
    persons: RegisterIds,
    households: RegisterIds,
    /// The first version of each person.
    first: Vec<Version>,
    /// All further ones, in order.
    later: HashMap<u32, Vec<Version>>,
}

/// What somebody's household was, from one part through another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Version {
    household: u32,
    /// 異動日 and 処理日.
    came: Option<Date>,
    handled: Option<Date>,
    /// Whether a whole file has brought another household with the 異動日 of before: nobody knows since when.
    is_undated: bool,
    from: u32,
    through: u32,
}

/// The household of whoever has left the register.
const GONE: u32 = u32::MAX;

/// The parts of a state, by number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Seen {
    /// The file that comes first: that of the base date.
    since: u32,
    /// The state's own file.
    file: u32,
    through: u32,
}

/// The homes as some state of the register knows those of the base date, and as some state's own rows have them: mostly the same state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standpoint<'a> {
    homes: &'a Homes,
    asked: Seen,
    own: Seen,
}

impl Homes {
    /// Reads a register as it is known to some of its states; of those whose data is destroyed nothing is known. Blocks: for threads
    /// that may wait.
    pub(crate) fn read(
        vault: &Vault,
        state: &State,
        dataset: DatasetId,
        base: StateAt,
        states: impl IntoIterator<Item = SnapshotId>,
    ) -> Result<Self, Refusal> {
        let mut parts = state.parts(dataset);
        let place: HashMap<SnapshotId, usize> =
            parts.iter().enumerate().map(|(at, part)| (part.snapshot, at)).collect();
        let counts = |part: &Part| part.sealed.is_none_or(|sealed| sealed <= base.on);
        let mut starts = BTreeMap::new();
        for asked in states {
            let Some(&through) = place.get(&asked) else { continue };
            let file = parts[through].file;
            let first = parts[..=file].iter().rposition(|part| part.is_file && counts(part));
            starts.insert(asked, (first.unwrap_or(0), file, through));
        }
        // What came before all of them is not read.
        let before = starts.values().map(|(since, file, _)| *since.min(file)).min().unwrap_or(0);
        parts.drain(..before);
        parts.iter_mut().for_each(|part| part.file -= before);
        // A register has fewer than 2^32 rows, and no part without one.
        let number = |at: usize| (at - before) as u32;
        let seen = |(since, file, through)| Seen {
            since: number(since),
            file: number(file),
            through: number(through),
        };
        let starts: BTreeMap<SnapshotId, Seen> =
            starts.into_iter().map(|(asked, places)| (asked, seen(places))).collect();
        let last = starts.values().map(|seen| seen.through as usize + 1).max().unwrap_or(0);
        parts.truncate(last);
        let mut homes = Self {
            base,
            parts,
            starts,
            persons: RegisterIds::default(),
            households: RegisterIds::default(),
            first: Vec::new(),
            later: HashMap::new(),
        };
        homes.households.intern("");
        for at in 0..homes.parts.len() {
            homes.read_part(vault, state, at)?;
        }
        Ok(homes)
    }

    fn read_part(&mut self, vault: &Vault, state: &State, at: usize) -> Result<(), Refusal> {
        let Some(snapshot) = state.snapshots.get(&self.parts[at].snapshot) else { return Ok(()) };
        let part = at as u32;
        // Families stand side by side in most registers.
        let mut last = (String::new(), 0);
        events(vault, snapshot, |id, row, [came, handled]| {
            let household = match row {
                Event::Row(_, household) if household == last.0 => last.1,
                Event::Row(_, household) => {
                    last = (household.to_owned(), self.households.intern(household));
                    last.1
                }
                Event::Gone => GONE,
            };
            let person = self.persons.intern(id);
            // An id that is put right is removed and added in one delta: under one name nobody has left.
            let is_there = |one: &Version| one.through == part && one.household != GONE;
            if household == GONE && self.versions(person).last().is_some_and(is_there) {
                return;
            }
            // Of a change with a day of its own the day of handling says only whether it was known: files that give another one
            // each time say nothing new by it.
            let handled = handled.filter(|day| came.is_none() || *day > self.base.known);
            let (from, through, is_undated) = (part, part, false);
            self.add(person, Version { household, came, handled, is_undated, from, through });
        })
    }

    fn add(&mut self, person: u32, mut version: Version) {
        // A whole file that says the same as what came before it goes on with that; a delta with what its own file has: whom that does
        // not have comes back with the delta alone.
        let (at, file) = (version.from as usize, self.parts[version.from as usize].file);
        let goes_on_from = match at == file && file > 0 {
            true => self.parts[file - 1].file,
            false => file,
        };
        let last = match self.later.get_mut(&person).and_then(|later| later.last_mut()) {
            Some(last) => Some(last),
            None => self.first.get_mut(person as usize),
        };
        let Some(last) = last else { return self.first.push(version) };
        let Version { from, through, is_undated, .. } = *last;
        if *last == (Version { from, through, is_undated, ..version })
            && through as usize >= goes_on_from
        {
            last.through = version.through;
        } else {
            let is_one = |household: u32| !matches!(household, 0 | GONE);
            let is_other = last.household != version.household
                && is_one(last.household)
                && is_one(version.household);
            version.is_undated = at == file && is_other && last.came == version.came;
            self.later.entry(person).or_default().push(version);
        }
    }

    /// The homes as a state of the register knows them, where it is one that was read.
    pub(crate) fn seen_from(&self, state: SnapshotId) -> Option<Standpoint<'_>> {
        self.seen_beside(state, state)
    }

    /// The homes of the base date as one state of the register knows them; of whomever it says nothing, what the rows of another have,
    /// to which a list was linked.
    pub(crate) fn seen_beside(
        &self,
        state: SnapshotId,
        linked: SnapshotId,
    ) -> Option<Standpoint<'_>> {
        let [asked, own] = [state, linked].map(|state| self.starts.get(&state).copied());
        Some(Standpoint { homes: self, asked: asked?, own: own? })
    }

    /// Everybody whom some state has or had.
    pub(crate) fn persons(&self) -> Range<u32> {
        0..self.persons.len() as u32
    }

    /// How many households there are, none included.
    pub(crate) fn households(&self) -> usize {
        self.households.len()
    }

    /// The id of a person, as the register wrote it first.
    pub(crate) fn person_id(&self, person: u32) -> &str {
        self.persons.written(person)
    }

    /// The id of a household likewise.
    pub(crate) fn household_id(&self, household: u32) -> &str {
        self.households.written(household)
    }

    /// The person of an id.
    pub(crate) fn person(&self, id: &str) -> Option<u32> {
        self.persons.find(id)
    }

    /// The household of an id; nothing where it is empty.
    pub(crate) fn household(&self, id: &str) -> Option<u32> {
        self.households.find(id).filter(|household| *household > 0)
    }

    /// All households that a person ever had.
    pub(crate) fn ever(&self, person: u32) -> impl Iterator<Item = u32> {
        let households = self.versions(person).map(|version| version.household);
        households.filter(|household| !matches!(*household, 0 | GONE))
    }

    /// The household of somebody by the rows that a state has in force.
    fn in_force(&self, person: u32, state: Seen) -> Option<u32> {
        let is_own =
            |version: &&Version| version.through >= state.file && version.from <= state.through;
        let last = self.versions(person).filter(is_own).last()?;
        (last.household != GONE).then_some(last.household)
    }

    fn versions(&self, person: u32) -> impl Iterator<Item = &Version> {
        let later = self.later.get(&person).into_iter().flatten();
        self.first.get(person as usize).into_iter().chain(later)
    }
}

impl<'a> Standpoint<'a> {
    /// What it is the standpoint over.
    pub(crate) fn homes(&self) -> &'a Homes {
        self.homes
    }

    /// The household on the base date, where the state says one: 0 for whoever had none, nothing for whoever was not in the register.
    pub(crate) fn on_base_date(&self, person: u32) -> Option<u32> {
        let StateAt { on, known } = self.homes.base;
        let mut newest: Option<(Option<Date>, u32)> = None;
        for version in self.homes.versions(person) {
            if version.through < self.asked.since || version.from > self.asked.through {
                continue;
            }
            let first = version.from.max(self.asked.since);
            let part = self.homes.parts.get(first as usize);
            let is_first = first == self.asked.since && part.is_some_and(|part| part.is_file);
            let handled = version.handled.filter(|_| !version.is_undated || is_first);
            let handled = handled.or(part.and_then(|part| part.sealed));
            let dated = version.came.filter(|_| !version.is_undated || is_first);
            let came = dated.or(handled.filter(|_| !is_first));
            let is_later =
                handled.is_some_and(|day| day > known) || came.is_some_and(|day| day > on);
            // The newest event counts, and of two on one day the one that was sent last.
            if !is_later && newest.is_none_or(|(known, _)| came >= known) {
                newest = Some((came, version.household));
            }
        }
        newest.map(|(_, household)| household).filter(|household| *household != GONE)
    }

    /// The household that the rows have which are in force: 0 for whoever has none, nothing for whoever is not there.
    pub(crate) fn own(&self, person: u32) -> Option<u32> {
        self.homes.in_force(person, self.own)
    }

    /// Whether somebody is in the register, as either of the two states has it.
    pub(crate) fn is_there(&self, person: u32) -> bool {
        [self.own, self.asked].iter().any(|state| self.homes.in_force(person, *state).is_some())
    }

    /// The household of the base date, or that of the rows; nothing for whoever has none.
    pub(crate) fn home(&self, person: u32) -> Option<u32> {
        self.on_base_date(person).or_else(|| self.own(person)).filter(|household| *household > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    /// The day on which somebody's household counts, and the one by which it is known.
    const BASE: StateAt =
        StateAt { on: Date::constant(2026, 9, 10), known: Date::constant(2026, 9, 28) };

    /// What a part says of a person: a household with 異動日 and 処理日, or that she has left.
    type Said = Option<(Option<u32>, Option<Date>, Option<Date>)>;

    /// A part: whether it is a whole file, when it was sealed, and what it says of each person.
    type Brought = (bool, Date, Vec<Said>);

    fn day() -> impl Strategy<Value = Date> {
        (1i8..=28).prop_map(|day| Date::constant(2026, 9, day))
    }

    fn said() -> impl Strategy<Value = Said> {
        let days = || option::of(prop_oneof![Just(Date::constant(2026, 9, 5)), day()]);
        let household = prop_oneof![4 => (0u32..3).prop_map(Some), 1 => Just(None)];
        option::of((household, days(), days()))
    }

    /// Files and deltas in order, as a register accepts them: nobody is removed who is not there, and no file removes anybody.
    fn register() -> impl Strategy<Value = Vec<Brought>> {
        let part = (any::<bool>(), day(), vec(said(), 3));
        vec(part, 1..7).prop_map(|mut parts: Vec<Brought>| {
            parts.sort_by_key(|(_, sealed, _)| *sealed);
            let mut there = [false; 3];
            for (at, (is_file, _, said)) in parts.iter_mut().enumerate() {
                *is_file |= at == 0;
                for (person, said) in said.iter_mut().enumerate() {
                    let is_gone = matches!(said, Some((None, ..)));
                    if is_gone && (*is_file || !there[person]) {
                        *said = None;
                    }
                    there[person] = match said {
                        Some((household, ..)) => household.is_some(),
                        None => there[person] && !*is_file,
                    };
                }
            }
            parts
        })
    }

    fn snapshot(at: usize) -> SnapshotId {
        SnapshotId::from_bytes([at as u8 + 1; 16])
    }

    fn file_of(parts: &[Brought], at: usize) -> usize {
        parts[..=at].iter().rposition(|(is_file, ..)| *is_file).expect("a file")
    }

    fn since(parts: &[Brought], at: usize) -> usize {
        let is_first = |(is_file, sealed, _): &Brought| *is_file && *sealed <= BASE.on;
        parts[..=file_of(parts, at)].iter().rposition(is_first).unwrap_or(0)
    }

    /// The homes of these parts, each state of which is asked for.
    fn homes(parts: &[Brought]) -> Homes {
        let places = 0..parts.len();
        let part = |at: usize| {
            let (is_file, sealed, _) = &parts[at];
            let file = file_of(parts, at);
            Part { snapshot: snapshot(at), is_file: *is_file, file, sealed: Some(*sealed) }
        };
        let seen = |at: usize| Seen {
            since: since(parts, at) as u32,
            file: file_of(parts, at) as u32,
            through: at as u32,
        };
        let mut homes = Homes {
            base: BASE,
            parts: places.clone().map(part).collect(),
            starts: places.map(|at| (snapshot(at), seen(at))).collect(),
            persons: RegisterIds::default(),
            households: RegisterIds::default(),
            first: Vec::new(),
            later: HashMap::new(),
        };
        for (at, (.., said)) in parts.iter().enumerate() {
            for (person, said) in said.iter().enumerate() {
                let Some((household, came, handled)) = *said else { continue };
                let person = homes.persons.intern(&format!("p{person}"));
                let household = household.unwrap_or(GONE);
                let (from, through) = (at as u32, at as u32);
                let is_undated = false;
                homes.add(person, Version { household, came, handled, is_undated, from, through });
            }
        }
        homes
    }

    /// What the rows of a state have of somebody.
    fn own(parts: &[Brought], at: usize, person: usize) -> Said {
        let said = parts[file_of(parts, at)..=at].iter().rev().find_map(|(.., said)| said[person]);
        said.filter(|(household, ..)| household.is_some())
    }

    /// The household of the base date by the words of the module: all changes since the file of the base date in their order, the
    /// newest of which counts. What says the same as what was in force is no change.
    fn on_base_date(parts: &[Brought], at: usize, person: usize) -> Option<u32> {
        let start = since(parts, at);
        let mut newest: Option<(Option<Date>, Option<u32>)> = None;
        for part in start..=at {
            let (is_file, sealed, said) = &parts[part];
            let Some((household, came, handled)) = said[person] else { continue };
            let before = part.checked_sub(1).filter(|_| part > start);
            if before.and_then(|before| own(parts, before, person)) == said[person] {
                continue;
            }
            let last = parts[..part].iter().rev().find_map(|(.., said)| said[person]);
            let is_one = |household: Option<u32>| household.is_some_and(|household| household > 0);
            let is_renumbered = |(last, day, _): (Option<u32>, Option<Date>, Option<Date>)| {
                is_one(last) && is_one(household) && last != household && day == came
            };
            let is_undated = *is_file && part > start && last.is_some_and(is_renumbered);
            let came = came.filter(|_| !is_undated);
            let handled = handled.filter(|_| !is_undated).unwrap_or(*sealed);
            let came = came.or(Some(handled).filter(|_| !(*is_file && part == start)));
            if handled > BASE.known || came.is_some_and(|came| came > BASE.on) {
                continue;
            }
            if newest.is_none_or(|(known, _)| came >= known) {
                newest = Some((came, household));
            }
        }
        newest?.1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn every_state_knows_what_its_parts_say_one_by_one(parts in register()) {
            let homes = homes(&parts);
            for at in 0..parts.len() {
                let seen = homes.seen_from(snapshot(at)).expect("a state");
                for person in 0..3 {
                    let id = format!("p{person}");
                    let number = homes.person(&id);
                    let found = number.and_then(|number| seen.own(number));
                    let expected = own(&parts, at, person).and_then(|(household, ..)| household);
                    prop_assert_eq!(found, expected, "rows of {} of {}", id, at);
                    let found = number.and_then(|number| seen.on_base_date(number));
                    let expected = on_base_date(&parts, at, person);
                    prop_assert_eq!(found, expected, "base date of {} as {} knows it", id, at);
                }
            }
        }
    }
}
