//! Households under other numbers (世帯番号の変更): what a number that was paid, stopped or excluded means today.
//!
//! A household gets another number by a late notice, by the death of its head, or because a register is made anew; whatever was said
//! of it holds under the new number too. But people move as well, and whoever joins another household does not make it
//! the one that was left. Who is left tells the two apart:
//!
//! | of those who were together under the number, and are in the register in use | it means |
//! |---|---|
//! | somebody is of it still | itself alone |
//! | all are of others | itself, and those others |
//! | there is nobody | itself alone |
//!
//! Together were those whom the register, as a list was linked to it, has under the number on the base date: whoever moved into a paid
//! household after that was counted elsewhere. Of a number that nobody had then, it is those who have it in that register; and of one that
//! the household got before the list was paid, those of them who have been of it since.
//!
//! The number of a household that a division calls still one (module `division`) is older than the register may tell. Together under it were
//! all who have ever had it since the base date's file, but for those whom divisions name. Likewise whoever stops a household may know a number
//! that it has had for a while only, between two states of the register that count.
//!
//! Whom a division counts to another household says nothing about this one. Each state of a register is asked by itself: a number may be
//! given to strangers later, who would otherwise seem to be left.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use renkei_types::{ListId, SnapshotId};

use crate::books::Payees;
use crate::division::Divisions;
use crate::history::StateAt;
use crate::payee::{PayeeRule, Resident, Residents};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::snapshot::{Snapshot, gather};
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// Who was together in some households, by the state of the register that says so and by number. Ids have no zeros in front.
#[derive(Debug, Default)]
pub(crate) struct Together(HashMap<(SnapshotId, String), HashSet<String>>);

impl Together {
    /// Those of all households that a programme has paid: each as the list had it that paid it, and whom its line named. Blocks: for
    /// threads that may wait.
    pub(crate) fn paid(
        vault: &Vault,
        state: &State,
        today: Date,
        programme: &Programme,
        payees: &Payees,
    ) -> Result<Self, Refusal> {
        let mut together = Self::default();
        let paid: HashMap<(ListId, u32), &str> =
            payees.households().map(|(household, place)| (place, household)).collect();
        if paid.is_empty() {
            return Ok(together);
        }
        let linked: HashMap<ListId, SnapshotId> = programme
            .lists
            .iter()
            .filter_map(|&list| Some((list, state.linked_list(list).ok()?.1.snapshot)))
            .collect();
        let lists: HashSet<ListId> = paid.keys().map(|(list, _)| *list).collect();
        let snapshots: HashSet<SnapshotId> =
            lists.iter().filter_map(|list| linked.get(list)).copied().collect();
        let base = StateAt { on: programme.rules.base_date, known: today };
        // Whom a division had counted to the household may have lived in another.
        let divisions = Divisions::of(vault, programme)?;
        for snapshot in snapshots {
            let is_linked = |list: ListId| linked.get(&list) == Some(&snapshot);
            let named = || {
                payees.named().filter_map(|(person, place)| {
                    let household = paid.get(&place).filter(|_| is_linked(place.0))?;
                    divisions.household(person).is_none().then_some((person, *household))
                })
            };
            if state.readable_rows(snapshot).is_some() {
                let out = state.rows_out_of_force(vault, snapshot)?;
                let is_paid = |household: &str| {
                    payees.line(household).is_some_and(|(list, _)| is_linked(list))
                };
                together.read(vault, state, base, (snapshot, &out), is_paid)?;
                let elsewhere = named()
                    .filter(|(person, household)| !together.has(snapshot, household, person));
                let elsewhere = elsewhere.collect();
                together.read_since(vault, state, base, (snapshot, &out), &elsewhere)?;
            }
            named().for_each(|(person, household)| together.add(snapshot, household, person));
        }
        Ok(together)
    }

    /// Adds those who were together with people whose household got the number, under which it was paid, after a snapshot: those whom
    /// the snapshot has in one household with them, and who were of that number since. Blocks: for threads that may wait.
    fn read_since(
        &mut self,
        vault: &Vault,
        state: &State,
        base: StateAt,
        (snapshot, out): (SnapshotId, &HashSet<u32>),
        named: &HashMap<&str, &str>,
    ) -> Result<(), Refusal> {
        let dataset = state.snapshots.get(&snapshot).map(|snapshot| snapshot.dataset);
        let in_use = dataset.and_then(|dataset| state.snapshot_in_use(dataset).ok());
        let Some(in_use) = in_use.filter(|_| !named.is_empty()) else { return Ok(()) };
        let numbers: HashSet<&str> = named.values().copied().collect();
        let is_number = |_: &str, household: &str| numbers.contains(household);
        let mut since: HashMap<String, HashSet<String>> = HashMap::new();
        for segment in state.segments_since(in_use, base.on)? {
            let found = members(vault, segment, is_number)?;
            found.into_iter().for_each(|Member { person, household, .. }| {
                since.entry(person).or_default().insert(household);
            });
        }
        let is_asked = |person: &str| since.contains_key(person) || named.contains_key(person);
        let mut homes: HashMap<String, String> = HashMap::new();
        for segment in state.segments(snapshot)? {
            let found = members(vault, segment, |person, _| is_asked(person))?;
            let in_force = found.into_iter().filter(|one| !out.contains(&one.row));
            homes.extend(in_force.map(|one| (one.person, one.household)));
        }
        let now = |person: &str| homes.get(person).map(String::as_str);
        let then = state.households_known_to(vault, snapshot, base, now)?;
        let home = |person: &str| {
            let home = then.get(person).or_else(|| homes.get(person)).map(String::as_str);
            home.map(without_zeros).filter(|home| !home.is_empty())
        };
        let groups: HashSet<(&str, &str)> =
            named.iter().filter_map(|(person, number)| Some((*number, home(person)?))).collect();
        for (person, numbers) in &since {
            let Some(home) = home(person) else { continue };
            for number in numbers.iter().filter(|number| groups.contains(&(number.as_str(), home)))
            {
                self.add(snapshot, number, person);
            }
        }
        Ok(())
    }

    /// Adds the members of the households that are meant, as the head of this module says; what a snapshot has is what it has apart from
    /// rows that are out of force. Blocks: for threads that may wait.
    pub(crate) fn read(
        &mut self,
        vault: &Vault,
        state: &State,
        base: StateAt,
        (snapshot, out): (SnapshotId, &HashSet<u32>),
        is_meant: impl Fn(&str) -> bool + Sync,
    ) -> Result<(), Refusal> {
        // Whoever was ever of one that is meant, with the household that the snapshot has; none where that is not meant.
        let mut homes: HashMap<String, String> = HashMap::new();
        let own = state.segments(snapshot)?;
        for segment in state.segments_since(snapshot, base.on)? {
            let is_own = own.iter().any(|one| std::ptr::eq(*one, segment));
            for Member { row, person, household } in
                members(vault, segment, |_, household| is_meant(household))?
            {
                match is_own && !out.contains(&row) {
                    true => drop(homes.insert(person, household)),
                    false => drop(homes.entry(person).or_default()),
                }
            }
        }
        let now = |person: &str| homes.get(person).map(String::as_str);
        let then = state.households_known_to(vault, snapshot, base, now)?;
        let on_base_date = |person: &str, home| then.get(person).map_or(home, String::as_str);
        let mut had_then = HashSet::new();
        for (person, home) in &homes {
            let household = on_base_date(person, home);
            if !household.is_empty() && is_meant(household) {
                self.add(snapshot, household, person);
                had_then.insert(without_zeros(household));
            }
        }
        for (person, home) in homes.iter().filter(|(_, home)| !home.is_empty()) {
            if !had_then.contains(home.as_str()) {
                self.add(snapshot, home, person);
            }
        }
        Ok(())
    }

    /// Those who were ever of the households that a division calls still one, as a snapshot knows them. Blocks: for threads that may
    /// wait.
    pub(crate) fn still_one(
        vault: &Vault,
        state: &State,
        base: StateAt,
        snapshot: SnapshotId,
        divisions: &Divisions,
    ) -> Result<Self, Refusal> {
        let (mut together, numbers) = (Self::default(), divisions.still_one());
        if !numbers.is_empty() {
            together.read_ever(vault, state, base, snapshot, |person, household| {
                numbers.contains(household) && divisions.household(person).is_none()
            })?;
        }
        Ok(together)
    }

    /// Adds those who were ever of the numbers that are meant and that no state of a register, of those that were read, has for anybody:
    /// a household may have had one for a while, between two of them. Blocks: for threads that may wait.
    pub(crate) fn read_unknown(
        &mut self,
        vault: &Vault,
        state: &State,
        base: StateAt,
        snapshot: SnapshotId,
        is_meant: impl Fn(&str) -> bool + Sync,
    ) -> Result<(), Refusal> {
        let known: HashSet<String> = self.0.keys().map(|(_, number)| number.clone()).collect();
        self.read_ever(vault, state, base, snapshot, |_, household| {
            is_meant(household) && !known.contains(household)
        })
    }

    fn read_ever(
        &mut self,
        vault: &Vault,
        state: &State,
        base: StateAt,
        snapshot: SnapshotId,
        is_meant: impl Fn(&str, &str) -> bool + Sync,
    ) -> Result<(), Refusal> {
        for segment in state.segments_since(snapshot, base.on)? {
            for Member { person, household, .. } in members(vault, segment, &is_meant)? {
                self.add(snapshot, &household, &person);
            }
        }
        Ok(())
    }

    fn has(&self, snapshot: SnapshotId, household: &str, person: &str) -> bool {
        let of_household = (snapshot, without_zeros(household).to_owned());
        self.0.get(&of_household).is_some_and(|people| people.contains(without_zeros(person)))
    }

    fn add(&mut self, snapshot: SnapshotId, household: &str, person: &str) {
        let of_household = (snapshot, without_zeros(household).to_owned());
        self.0.entry(of_household).or_default().insert(without_zeros(person).to_owned());
    }

    /// What the register in use says of them, as [`Residents::now`] does. Blocks: for threads that may wait.
    pub(crate) fn now(
        &self,
        vault: &Vault,
        state: &State,
        list: ListId,
    ) -> Result<Vec<Resident>, Refusal> {
        let people: HashSet<&str> = self.0.values().flatten().map(String::as_str).collect();
        match people.is_empty() {
            true => Ok(Vec::new()),
            false => Residents::now(vault, state, list, |id| people.contains(without_zeros(id))),
        }
    }

    /// The other numbers that a number means, by number: the table of this module. The rule has to know whom `now` has.
    pub(crate) fn renumbered(
        &self,
        now: &[Resident],
        rule: &PayeeRule,
    ) -> HashMap<&str, HashSet<String>> {
        let now: HashMap<&str, &Resident> =
            now.iter().map(|one| (without_zeros(&one.person), one)).collect();
        let mut renumbered: HashMap<&str, HashSet<String>> = HashMap::new();
        for ((_, number), people) in &self.0 {
            let is_it = |household: &str| without_zeros(household) == number;
            let left = people.iter().filter_map(|person| now.get(person.as_str()));
            let left = left.filter(|one| rule.divided(&one.person).is_none_or(is_it));
            let numbers: HashSet<&str> = left
                .map(|one| without_zeros(rule.household_of_register(one)))
                .filter(|household| !household.is_empty())
                .collect();
            if !numbers.contains(number.as_str()) {
                let others = numbers.into_iter().map(str::to_owned);
                renumbered.entry(number).or_default().extend(others);
            }
        }
        renumbered
    }
}

/// A row that says of which household somebody is. Ids have no zeros in front.
struct Member {
    row: u32,
    person: String,
    household: String,
}

/// The rows of a segment that are meant by the ids of person and household, without zeros in front; none without a household.
fn members(
    vault: &Vault,
    segment: &Snapshot,
    is_meant: impl Fn(&str, &str) -> bool + Sync,
) -> Result<Vec<Member>, Refusal> {
    let Some(column) = segment.rows.column("household_id") else { return Ok(Vec::new()) };
    gather(vault, segment, |row, chunk, at, found: &mut Vec<Member>| {
        let [person, household] = [0, column].map(|column| without_zeros(chunk.cell(column, at)));
        if !household.is_empty() && is_meant(person, household) {
            let [person, household] = [person, household].map(str::to_owned);
            found.push(Member { row, person, household });
        }
    })
}
