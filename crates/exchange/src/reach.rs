//! Whom a stop or an exclusion reaches: more than the id that it names.
//!
//! Where households are paid, any member's line pays the household, so a stop on one member stops the payment to all. Where
//! persons are paid, a household that is named stands for its members. And an id whose leading zeros are lost means who it
//! meant before: a stop that reaches too far is noticed the same day, one that reaches nobody when the money is gone.

use std::collections::HashSet;

use jiff::civil::Date;
use renkei_types::{ListId, ProgrammeId, Reason, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::division::Divisions;
use crate::history::StateAt;
use crate::hold::HeldPayees;
use crate::payee::{PayeeRule, Resident};
use crate::programme::{PayeeUnit, Programme};
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::Vault;
use crate::together::Together;
use crate::unknown_ids::without_zeros;

/// Everybody whom some ids stand for. Ids are compared without their leading zeros.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The ids themselves, and the households that are paid for the persons among them.
    payees: HashSet<String>,
    /// Members of the households among the ids.
    members: HashSet<String>,
    /// The ids among them that mean somebody, as the register or a division writes them.
    met: HashSet<String>,
}

/// Stops and exclusions that reach nobody: they were placed before there was a register to compare them with, or whom they mean is not
/// in it any more.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unmet {
    /// Stops of one payee.
    pub stops: u64,
    /// Excluded payees.
    pub exclusions: u64,
}

impl Unmet {
    /// Those of a programme: of its stops and of the ids that it excludes, each with whom they reach.
    pub(crate) fn of(
        (stops, held_up): (&HeldPayees, &Reach),
        (excluded, not_paid): (&HashSet<String>, &Reach),
    ) -> Self {
        let (placed, met) = stops.count(held_up.met.iter().map(String::as_str));
        let met_exclusions: HashSet<&str> =
            not_paid.met.iter().map(|id| without_zeros(id)).collect();
        let is_unmet = |id: &&String| !met_exclusions.contains(id.as_str());
        Self { stops: placed - met, exclusions: excluded.iter().filter(is_unmet).count() as u64 }
    }
}

impl Reach {
    /// Whether one of these is meant: the keys under which a payment or a resident is known.
    pub(crate) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| !key.is_empty() && self.payees.contains(without_zeros(key)))
    }

    /// Whether a line is meant that names a resident and pays somebody. Whoever names a payee may know the household of today or that
    /// of the base date; and where persons are paid, whoever was of a household that is named is meant in any other too.
    pub(crate) fn has_line(&self, unit: PayeeUnit, payee: &str, resident: &Resident) -> bool {
        self.has(&[payee, &resident.person, &resident.household])
            || (unit == PayeeUnit::Person && self.members.contains(without_zeros(&resident.person)))
    }

    /// Whether a payment is meant.
    pub(crate) fn has_payment(&self, payee: &str, person: &str) -> bool {
        self.has(&[payee, person]) || self.members.contains(without_zeros(person))
    }
}

impl State {
    /// Whom ids of persons and households stand for in a programme. As long as no list is linked they stand for themselves.
    /// Blocks: for threads that may wait.
    pub(crate) fn reach<'a>(
        &self,
        vault: &Vault,
        today: Date,
        programme: ProgrammeId,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Reach, Refusal> {
        let named: HashSet<String> =
            ids.into_iter().map(|id| without_zeros(id).to_owned()).collect();
        let is_named = |id: &str| named.contains(without_zeros(id));
        let mut reach = Reach { payees: named.clone(), ..Reach::default() };
        if !named.is_empty() {
            self.extend_reach(&mut reach, vault, today, programme, is_named)?;
        }
        Ok(reach)
    }

    /// Whom the holds on payees of a programme stand for. They are known by digests alone, so every id of the register is
    /// digested; nobody being on hold, nothing is read. Blocks: for threads that may wait.
    pub(crate) fn reach_of_holds(
        &self,
        vault: &Vault,
        today: Date,
        programme: ProgrammeId,
    ) -> Result<Reach, Refusal> {
        let mut reach = Reach::default();
        if self.held_payees(programme).next().is_some() {
            let held = HeldPayees::of(vault, self, programme)?;
            self.extend_reach(&mut reach, vault, today, programme, |id| held.has(id))?;
        }
        Ok(reach)
    }

    /// The snapshots that say whom an id of a programme means, each once with a list of its register: those to which the lists were
    /// linked, and those in use, since whoever names somebody may know the number of today.
    fn snapshots_of_ids(&self, programme: &Programme) -> Vec<(ListId, SnapshotId)> {
        let mut seen = HashSet::new();
        let of_list = |&list: &ListId| {
            let linked = self.linked_list(list).ok()?.1.snapshot;
            let dataset = self.snapshots.get(&linked).map(|snapshot| snapshot.dataset);
            let in_use = dataset.and_then(|dataset| self.snapshot_in_use(dataset).ok());
            Some([Some(linked), in_use].map(|snapshot| snapshot.map(|snapshot| (list, snapshot))))
        };
        let all = programme.lists.iter().filter_map(of_list).flatten().flatten();
        all.filter(|(_, snapshot)| seen.insert(*snapshot)).collect()
    }

    /// Adds whom the named ids stand for in the registers of the programme's lists.
    fn extend_reach(
        &self,
        reach: &mut Reach,
        vault: &Vault,
        today: Date,
        programme: ProgrammeId,
        is_named: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let programme = self.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
        // A household of its own has a number that no register needs to have.
        let divisions = Divisions::of(vault, programme)?;
        let divided = divisions.households().into_iter().filter(|household| is_named(household));
        reach.met.extend(divided.map(str::to_owned));
        let pays_households = programme.rules.unit == PayeeUnit::Household;
        let mut read = Vec::new();
        for (list, snapshot) in self.snapshots_of_ids(programme) {
            let Some(register) = self.readable_rows(snapshot) else { continue };
            // Who left a household before is none of it; an id that stands in such a row alone means somebody all the same.
            let out = self.rows_out_of_force(vault, snapshot)?;
            let household = register.column("household_id");
            let mut residents = Vec::<Resident>::new();
            // Families stand side by side in most registers: their household is looked at once.
            let mut last = (String::new(), false);
            register.each(vault, |row, chunk, at| {
                let person = chunk.cell(0, at);
                let household = household.map_or("", |column| chunk.cell(column, at));
                let is_in_force = !out.contains(&row);
                if !person.is_empty() && is_named(person) {
                    reach.payees.insert(without_zeros(person).to_owned());
                    reach.met.insert(person.to_owned());
                    if is_in_force {
                        residents.push(Resident::of(person, household));
                    }
                }
                if last.0 != household {
                    last = (household.to_owned(), !household.is_empty() && is_named(household));
                    if last.1 {
                        reach.met.insert(household.to_owned());
                        reach.payees.insert(without_zeros(household).to_owned());
                    }
                }
                if last.1 && is_in_force {
                    reach.members.insert(without_zeros(person).to_owned());
                }
            })?;
            if pays_households {
                let rule = PayeeRule::read(vault, self, today, list, residents.iter())?;
                for resident in &residents {
                    let households = [rule.payee(resident), resident.household.as_str()];
                    let households = households.into_iter().filter(|id| !id.is_empty());
                    reach.payees.extend(households.map(|id| without_zeros(id).to_owned()));
                }
                read.push((list, snapshot, out));
            }
        }
        // All that are reached, also for one of their members.
        let mut together = Together::default();
        let base = StateAt { on: programme.rules.base_date, known: today };
        for (_, snapshot, out) in read.iter().filter(|_| !reach.payees.is_empty()) {
            let is_reached = |household: &str| reach.payees.contains(without_zeros(household));
            together.read(vault, self, base, (*snapshot, out), is_reached)?;
        }
        for (_, snapshot, _) in read.iter().filter(|_| !reach.payees.is_empty()) {
            let is_reached = |household: &str| reach.payees.contains(without_zeros(household));
            together.read_unknown(vault, self, base, *snapshot, is_reached)?;
        }
        let mut registers = HashSet::new();
        for (list, snapshot, _) in read {
            let dataset = self.snapshots.get(&snapshot).map(|snapshot| snapshot.dataset);
            if registers.insert(dataset) {
                let now = together.now(vault, self, list)?;
                let rule = PayeeRule::read(vault, self, today, list, now.iter())?;
                reach.payees.extend(together.renumbered(&now, &rule).into_values().flatten());
            }
        }
        Ok(())
    }
}
