//! Households with a protected person (DV等支援措置): payments that could reach the wrong person or tell where somebody is.
//!
//! A household benefit is paid once for all members, mostly into an account of one of them. Where one is protected from
//! another, that is the one payment that must not be made without thought, and no clerk can see it: who is protected is shown
//! to nobody who reviews or certifies. So the broker looks at every line before it is put in a batch.
//!
//! | finding | when |
//! |---|---|
//! | `PROTECTED_MEMBER` | the payee is a household of protected and other persons |
//! | `MEMBER_LEFT` | somebody protected was of the payee household, when the list was linked or after the base date, and is not now |
//! | `HOLDER_IS_OTHER` | a protected person, or somebody who lives with one, is paid into an account that is neither their own nor a protected member's |
//! | `OTHER_ADDRESS` | the line of a protected person has an address that is not the one of the register: letters would go there |
//! | `COUNTS_DIVIDED` | the amount counts somebody who was divided away from the household (module `division`) |
//! | `PAID_WITH_OLD` | somebody who was divided away was counted in the old household when that was paid |
//!
//! Such a line is left out of batches until two people have cleared it (module `household_case`); certifiers are told of it as
//! of any payee on hold, by a number. What cannot be compared is a finding. Whole households of protected persons are not: a
//! mother and her children, all protected, are paid like everybody. Nor is the household that somebody fled from who is known to
//! apply by herself, as long as nobody counts her in it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::civil::Date;
use renkei_japanese::address::Address;
use renkei_japanese::kana::kana_exact;
use renkei_linkage::RegisterIndex;
use renkei_types::{Reason, SnapshotId};

use crate::delta::behind;
use crate::division::Divisions;
use crate::history::day;
use crate::homes::Standpoint;
use crate::programme::PayeeUnit;
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::remainder::Remainders;
use crate::role::closed_list;
use crate::snapshot::{Snapshot, gather};
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

closed_list! {
    /// Why a payment to or beside a protected person must be looked at by two people.
    HouseholdFinding {
        /// The payee is a household of protected and other persons.
        ProtectedMember = "PROTECTED_MEMBER",
        /// Somebody protected has left the payee household.
        MemberLeft = "MEMBER_LEFT",
        /// The account is somebody else's.
        HolderIsOther = "HOLDER_IS_OTHER",
        /// The line has another address than the register.
        OtherAddress = "OTHER_ADDRESS",
        /// The amount counts somebody who was divided away.
        CountsDivided = "COUNTS_DIVIDED",
        /// The person was paid for with the old household.
        PaidWithOld = "PAID_WITH_OLD",
    }
}

/// One version of a protected person's record.
#[derive(Clone, Debug, Default)]
struct Version {
    /// How many rows the register had before it: versions sort by it.
    at: u64,
    /// The day on which it came about, where that can be read.
    came: Option<Date>,
    /// Nothing where the record left the register.
    home: Option<Home>,
}

/// Where a protected person lives.
#[derive(Clone, Debug, Default)]
struct Home {
    household: String,
    address: String,
    building: String,
    /// Key of the person's name.
    kana: String,
}

/// Who lives in a household with a protected person.
#[derive(Clone, Debug, Default)]
struct Members {
    /// Protected members, and the keys of their names.
    protected: BTreeSet<String>,
    kana: HashSet<String>,
    /// Whether there are others.
    others: bool,
}

/// Protected persons and the households around them, in the register that is in use. Ids have no zeros in front: those of a list may
/// be of a register that had them.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Nothing where a protected person is not in the register now.
    people: HashMap<String, Option<Home>>,
    households: HashMap<String, Members>,
    /// Households that somebody protected has left since it counts.
    left: HashSet<String>,
    remainders: Remainders,
    divisions: Divisions,
}

/// A register that was linked to, and the one in use.
pub(crate) struct Registers<'a> {
    /// The snapshot that the list was linked to.
    pub(crate) linked: SnapshotId,
    /// The snapshot in use.
    pub(crate) in_use: SnapshotId,
    /// Its index.
    pub(crate) index: &'a RegisterIndex,
    /// From when on it counts who lives where.
    pub(crate) base_date: Date,
    /// Who lived where then; nothing where persons are paid.
    pub(crate) homes: Option<Standpoint<'a>>,
}

/// A payment as it is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paid<'a> {
    /// Id of the person whom the line means.
    pub(crate) person: &'a str,
    /// The person's household when the list was linked.
    pub(crate) household: &'a str,
    /// Who is paid, to the programme.
    pub(crate) payee: &'a str,
    /// The amount.
    pub(crate) yen: u64,
    /// The person's name as the register reads it.
    pub(crate) kana: &'a str,
    /// Holder of the account; empty where the list has none.
    pub(crate) holder: &'a str,
    /// The line's address; empty where the list has none.
    pub(crate) address: &'a str,
    /// Its 方書.
    pub(crate) building: &'a str,
}

impl Surroundings {
    /// Reads the registers. Nobody being protected, nothing is read. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        state: &State,
        protected: &Protected,
        registers: &Registers<'_>,
        divisions: Divisions,
        remainders: Remainders,
    ) -> Result<Self, Refusal> {
        let mut surroundings = Self { remainders, divisions, ..Self::default() };
        if protected.is_nobody() {
            return Ok(surroundings);
        }
        let segments = state.segments(registers.in_use)?;
        let (versions, others) = versions(vault, &segments, protected)?;
        for (id, versions) in &versions {
            let now = versions.last().and_then(|version| version.home.clone());
            if surroundings.divisions.has_fled(id) {
                surroundings.people.insert(without_zeros(id).to_owned(), now);
                continue;
            }
            surroundings.left.extend(
                left_after(versions, registers.base_date)
                    .iter()
                    .map(|home| without_zeros(&home.household).to_owned()),
            );
            if let Some(home) = now.as_ref().filter(|home| !home.household.is_empty()) {
                let household = without_zeros(&home.household).to_owned();
                let members = surroundings.households.entry(household).or_default();
                members.protected.insert(id.clone());
                members.kana.insert(home.kana.clone());
            }
            surroundings.people.insert(without_zeros(id).to_owned(), now);
        }
        // A whole file that has come since says nothing of the households before it, so those are asked for by themselves.
        let on_base_date = registers.homes.into_iter().flat_map(|now| {
            let homes = now.homes();
            let covered = homes.persons().filter(|one| protected.covers(homes.person_id(*one)));
            covered.filter_map(move |one| {
                let household = homes.household_id(now.on_base_date(one)?);
                Some((homes.person_id(one).to_owned(), household.to_owned()))
            })
        });
        let linked = then(vault, state, protected, registers, &segments, &versions)?;
        for (id, household) in on_base_date.chain(linked) {
            let household = without_zeros(&household);
            let is_other = without_zeros(surroundings.household_of(&id)) != household;
            if is_other && !surroundings.divisions.has_fled(&id) {
                surroundings.left.insert(household.to_owned());
            }
        }
        surroundings.left.remove("");
        let index = registers.index;
        // Rows that were changed or have gone do not count any more.
        let in_force = |row: u32| index.row(index.id(row)) == Some(row);
        let by_hash: HashMap<u64, String> =
            surroundings.households.keys().map(|id| (hash(id), id.clone())).collect();
        for (row, household) in others {
            if let Some(id) = by_hash.get(&household)
                && in_force(row)
                && let Some(members) = surroundings.households.get_mut(id)
            {
                members.others = true;
            }
        }
        Ok(surroundings)
    }

    fn household(&self, household: &str) -> Option<&Members> {
        self.households.get(without_zeros(household))
    }

    /// The household of somebody protected; empty where there is none.
    fn household_of(&self, id: &str) -> &str {
        let home = self.people.get(without_zeros(id)).and_then(Option::as_ref);
        home.map_or("", |home| home.household.as_str())
    }

    /// What about a payment must be looked at.
    pub(crate) fn look(&self, unit: PayeeUnit, paid: &Paid<'_>) -> BTreeSet<HouseholdFinding> {
        let mut found = BTreeSet::new();
        // A household with another number since the base date is paid under the older one.
        let own_alone = self.divisions.is_separate(paid.person);
        let of = [Some(paid.payee), Some(paid.household).filter(|_| !own_alone)];
        let counts = |household| self.remainders.counts_divided(household, paid.yen);
        if of.into_iter().flatten().any(counts) {
            found.insert(HouseholdFinding::CountsDivided);
        }
        if self.remainders.paid_with_old(paid.person) {
            found.insert(HouseholdFinding::PaidWithOld);
        }
        if self.people.is_empty() {
            return found;
        }
        let own = self.people.get(without_zeros(paid.person));
        let household = self.household(paid.household);
        if unit == PayeeUnit::Household && !self.divisions.has_fled(paid.person) {
            let of = [paid.household, paid.payee];
            let mut members = of.iter().filter_map(|household| self.household(household));
            if members.any(|members| own.is_none() || members.others) {
                found.insert(HouseholdFinding::ProtectedMember);
            }
            if of.iter().any(|household| self.left.contains(without_zeros(household))) {
                found.insert(HouseholdFinding::MemberLeft);
            }
        }
        let concerned = own.is_some() || household.is_some();
        if concerned && !paid.holder.trim().is_empty() {
            let holder = kana_exact(paid.holder);
            let is_own = !paid.kana.trim().is_empty() && holder == kana_exact(paid.kana);
            if !is_own && !household.is_some_and(|members| members.kana.contains(&holder)) {
                found.insert(HouseholdFinding::HolderIsOther);
            }
        }
        if let Some(home) = own
            && !paid.address.trim().is_empty()
            && !home.as_ref().is_some_and(|home| is_at(home, paid))
        {
            found.insert(HouseholdFinding::OtherAddress);
        }
        found
    }

    /// Everybody protected on whom the findings about a payment may rest.
    pub(crate) fn concerned<'a>(&'a self, paid: &Paid<'a>) -> impl Iterator<Item = &'a str> {
        let own = self.people.contains_key(without_zeros(paid.person)).then_some(paid.person);
        let members = self.household(paid.household).into_iter();
        own.into_iter().chain(members.flat_map(|members| &members.protected).map(String::as_str))
    }
}

/// The versions of records, by id.
type Versions = HashMap<String, Vec<Version>>;

/// A row of a register: a version of a protected person's record, or of which household somebody else is.
enum Seen {
    Protected(String, Version),
    Other(u32, u64),
}

/// The versions of the records of protected persons, in order; and of everybody else the row, and the hash of the household.
fn versions(
    vault: &Vault,
    segments: &[&Snapshot],
    protected: &Protected,
) -> Result<(Versions, Vec<(u32, u64)>), Refusal> {
    let (mut versions, mut others) = (Versions::new(), Vec::new());
    for segment in segments {
        let columns = ["household_id", "address", "building", "name_kana", "date_of_event"]
            .map(|name| segment.rows.column(name));
        let seen = gather(vault, segment, |row, chunk, at, seen: &mut Vec<Seen>| {
            let id = chunk.cell(0, at);
            let [household, address, building, kana, came] =
                columns.map(|column| column.map_or("", |column| chunk.cell(column, at)));
            if protected.covers(id) {
                let home = Home {
                    household: household.to_owned(),
                    address: address.to_owned(),
                    building: building.to_owned(),
                    kana: kana_exact(kana),
                };
                let version = Version { at: u64::from(row), came: day(came), home: Some(home) };
                seen.push(Seen::Protected(id.to_owned(), version));
            } else if !household.is_empty() {
                seen.push(Seen::Other(row, hash(without_zeros(household))));
            }
        })?;
        for seen in seen {
            match seen {
                Seen::Protected(id, version) => versions.entry(id).or_default().push(version),
                Seen::Other(row, household) => others.push((row, household)),
            }
        }
        if segment.follows.is_some() {
            for gone in behind(vault, segment)?.removed {
                if let Some(versions) = versions.get_mut(gone.id.as_str()) {
                    let (at, came) = (segment.rows_through(), day(&gone.date_of_event));
                    versions.push(Version { at, came, home: None });
                }
            }
        }
    }
    Ok((versions, others))
}

/// Homes in other households than the last, that were left after a day, or nobody knows when.
fn left_after(versions: &[Version], day: Date) -> Vec<&Home> {
    let household = |version: &Version| version.home.as_ref().map(|home| home.household.clone());
    let now = versions.last().and_then(household);
    let mut left = Vec::new();
    for (at, version) in versions.iter().enumerate() {
        let Some(home) = version.home.as_ref().filter(|home| now.as_ref() != Some(&home.household))
        else {
            continue;
        };
        let next = versions.iter().skip(at + 1).find(|next| household(next) != household(version));
        if next.is_some_and(|next| next.came.is_none_or(|came| came > day)) {
            left.push(home);
        }
    }
    left
}

/// The households of protected persons when the list was linked, by id.
fn then(
    vault: &Vault,
    state: &State,
    protected: &Protected,
    registers: &Registers<'_>,
    segments: &[&Snapshot],
    versions_in_use: &Versions,
) -> Result<Vec<(String, String)>, Refusal> {
    let linked = state.snapshots.get(&registers.linked).ok_or(Reason::DataDestroyed)?;
    let household = |version: Option<&Version>| {
        version.and_then(|version| version.home.as_ref()).map(|home| home.household.clone())
    };
    // What deltas made of the linked snapshot has all of its rows; another file has to be read by itself.
    if segments.iter().any(|segment| std::ptr::eq(*segment, linked)) {
        let rows = linked.rows_through();
        let known = |version: &&Version| match version.home {
            Some(_) => version.at < rows,
            None => version.at <= rows,
        };
        let last = |versions: &[Version]| household(versions.iter().take_while(known).last());
        return Ok(versions_in_use
            .iter()
            .filter_map(|(id, versions)| Some((id.clone(), last(versions)?)))
            .collect());
    }
    let (before, _) = versions(vault, &state.segments(registers.linked)?, protected)?;
    Ok(before
        .into_iter()
        .filter_map(|(id, versions)| household(versions.last()).map(|home| (id, home)))
        .collect())
}

fn hash(household: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    household.hash(&mut hasher);
    hasher.finish()
}

/// Whether the line's address is that of the register. A building that only one of them names says nothing.
fn is_at(home: &Home, paid: &Paid<'_>) -> bool {
    let register = Address::read(&home.address, &home.building);
    let line = Address::read(paid.address, paid.building);
    let Some((register, line)) = register.zip(line) else { return false };
    let rooms = register.room.is_empty() || line.room.is_empty() || register.room == line.room;
    register.has_place()
        && register.same_town(&line)
        && register.numbers == line.numbers
        && register.block == line.block
        && rooms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: u64, came: &str, household: &str) -> Version {
        let home = Home { household: household.to_owned(), ..Home::default() };
        let home = (!household.is_empty()).then_some(home);
        Version { at: place, came: day(came), home }
    }

    #[test]
    fn a_household_counts_as_left_only_if_it_was_left_after_the_day_or_nobody_knows_when() {
        let base = Date::constant(2026, 9, 1);
        let left = |versions: &[Version]| -> Vec<String> {
            left_after(versions, base).iter().map(|home| home.household.clone()).collect()
        };
        let lived = || at(0, "2020-04-01", "A");
        assert!(left(&[lived()]).is_empty());
        assert!(left(&[lived(), at(9, "2026-09-01", "B")]).is_empty(), "on the day: lives in B");
        assert_eq!(left(&[lived(), at(9, "2026-09-02", "B")]), ["A"]);
        assert_eq!(left(&[lived(), at(9, "", "B")]), ["A"]);
        assert_eq!(left(&[lived(), at(9, "2026-10-01", "")]), ["A"], "left the town");
        assert!(left(&[lived(), at(9, "2026-09-02", "B"), at(12, "2026-09-20", "A")]) == ["B"]);
    }

    #[test]
    fn an_address_is_the_registers_in_any_notation_and_another_room_is_not() {
        let home = Home {
            address: "若葉市緑ヶ丘２１番１１号".to_owned(),
            building: "メゾン南１００６号室".to_owned(),
            ..Home::default()
        };
        let is_at =
            |address, building| is_at(&home, &Paid { address, building, ..Paid::default() });
        assert!(is_at("千葉県若葉市緑が丘21-11", "メゾン南1006"));
        assert!(is_at("緑ガ丘二十一番十一", ""));
        assert!(!is_at("緑ガ丘21-11", "1007"));
        assert!(!is_at("若葉市緑ヶ丘22-11", "メゾン南1006"));
        assert!(!is_at("?", ""));
    }
}
