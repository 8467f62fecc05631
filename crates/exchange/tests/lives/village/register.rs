//! What the register of a village brings: deltas and whole files.

use super::{Person, Village};
use crate::life::{Day, FAMILIES, House, People, Which};
use crate::town::families::id;
use crate::town::moves::{changed, moved};
use crate::town::records::{column, delta, table};

impl Village {
    pub(super) fn send_delta(&mut self, people: People, house: House, day: Day) {
        let those = self.those(people);
        self.house(&those, house, day);
        self.apply(&[], &those, day);
    }

    /// What a delta says of some people, as a file has it later.
    fn house(&mut self, those: &[usize], house: House, day: Day) {
        let to = self.number(house);
        for &person in those {
            let person = &mut self.known.people[person];
            person.household.clone_from(&to);
            written(day).clone_into(&mut person.days[0]);
            // Nobody knows when it was handled either.
            if day == Day::Unknown {
                person.days[1].clear();
            }
        }
    }

    pub(super) fn remove(&mut self, person: usize, successors: Option<House>, day: Day) {
        let gone = self.those(People::One(person));
        if gone.is_empty() {
            return;
        }
        // Whoever is named has applied before.
        for which in [Which::First, Which::Second] {
            if self.known.names[which as usize] == person {
                self.link(which);
            }
        }
        self.known.people[person].is_here = false;
        let successors = successors.map(|house| {
            let rest = self.those(People::Family(FAMILIES[person]));
            self.house(&rest, house, day);
            rest
        });
        self.apply(&gone, &successors.unwrap_or_default(), day);
    }

    fn apply(&mut self, gone: &[usize], changed: &[usize], day: Day) {
        let (header, records) = table(&self.town);
        let of = |operation, person: &usize| {
            let Person { record, household, .. } = &self.known.people[*person];
            (operation, moved(&header, &records, record, (household, written(day))))
        };
        let gone = gone.iter().map(|person| of("削除", person));
        let entries: Vec<_> = gone.chain(changed.iter().map(|one| of("変更", one))).collect();
        if !entries.is_empty() {
            self.known.deltas += 1;
            self.town.apply(self.known.deltas, &delta(&header, &entries)).expect("a delta");
        }
    }

    pub(super) fn send_file(&mut self, people: People, house: House, day: Day) {
        let to = self.number(house);
        for person in self.those(people) {
            let person = &mut self.known.people[person];
            person.household.clone_from(&to);
            if day != Day::Unknown {
                person.days = [written(day), "2020-04-02"].map(str::to_owned);
            }
        }
        let known =
            |cells: &str| self.known.people.iter().find(|one| cells.starts_with(&id(&one.record)));
        let file = changed(&self.town, |header, cells| {
            let Some(person) = known(&cells[column(header, "宛名番号")]) else { return };
            cells[column(header, "世帯番号")].clone_from(&person.household);
            cells[column(header, "異動日")].clone_from(&person.days[0]);
            cells[column(header, "処理日")].clone_from(&person.days[1]);
        });
        let is_here = |line: &&str| known(line).is_none_or(|person| person.is_here);
        let file = file.lines().filter(is_here).map(|line| format!("{line}\n")).collect();
        // Which file came first is told by the day.
        self.known.day += 1;
        self.town.restart_on(&format!("2026-11-{}", self.known.day));
        self.town.replace_register(file);
    }
}

/// A day as a register writes it.
fn written(day: Day) -> &'static str {
    match day {
        Day::Before => "2026-08-20",
        Day::After => "2026-10-05",
        Day::Unknown => "",
    }
}
