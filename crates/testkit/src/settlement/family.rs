//! Households: who lives with whom.

use super::Settlement;
use crate::names::Nation;
use crate::person::{FamilyName, NO_EXTRA, Person, Sex};

/// Households by size, in percent.
const SIZES: [(u32, usize); 6] = [(38, 1), (26, 2), (17, 3), (12, 4), (5, 5), (2, 6)];

/// Ages in bands with their shares: people living alone, couples without children, eldest children at home.
const AGES_ALONE: [(u32, (u32, u32)); 5] =
    [(12, (18, 29)), (20, (30, 49)), (24, (50, 64)), (30, (65, 79)), (14, (80, 94))];
const AGES_COUPLE: [(u32, (u32, u32)); 4] =
    [(8, (24, 39)), (18, (40, 59)), (46, (60, 76)), (28, (77, 90))];
const AGES_ELDEST_CHILD: [(u32, (u32, u32)); 3] = [(24, (0, 9)), (34, (10, 19)), (42, (20, 38))];

impl Settlement<'_> {
    /// A Japanese household.
    pub(super) fn found_family(&mut self) {
        let size = self.chance.weighted(&SIZES).min(self.vacancies());
        let place = self.home(if size == 1 { 52 } else { 33 });
        let household = self.open_household(place);
        let name = self.family_name();
        match size {
            1 => self.move_in_alone(household, name),
            2 if self.chance.percent(62) => {
                let age = self.age(&AGES_COUPLE);
                self.move_in_couple(household, name, age);
            }
            2 if self.chance.percent(45) => {
                // Grown-up child and old parent.
                let age = self.chance.between(35, 66);
                let (child, parent) = (self.either_sex(), self.mostly_mother(75));
                self.move_in(household, name, child, age);
                self.move_in_elder(household, name, parent, age);
            }
            _ => self.move_in_family(household, name, size),
        }
    }

    /// A household of foreign residents.
    pub(super) fn found_foreign_household(&mut self) {
        let size = self.chance.weighted(&[(62, 1), (18, 2), (12, 3), (8, 4)]).min(self.vacancies());
        let place = self.home(65);
        let household = self.open_household(place);
        let nation = Nation::draw(&mut self.chance);
        let sex = self.either_sex();
        let age = self.chance.between(19, 55);
        let head = self.enter_foreigner(household, nation, None, sex, age);
        // Colleagues share a flat without sharing a name.
        let colleagues = self.chance.percent(40);
        for member in 1..size {
            let (family, sex, age) = match (colleagues, member) {
                (true, _) => (None, sex, self.chance.between(19, 45)),
                (false, 1) => (None, sex.other(), age),
                (false, _) => {
                    (Some(head.family), self.either_sex(), self.chance.between(0, age.min(40) - 18))
                }
            };
            self.enter_foreigner(household, nation, family, sex, age);
        }
    }

    fn move_in_alone(&mut self, household: u32, name: FamilyName) {
        if self.chance.permille(3) && !self.settled.people.is_empty() {
            // Another person with the name and the birthday of somebody elsewhere in the city.
            let at = self.chance.index(self.settled.people.len());
            let other = self.settled.people[at];
            if other.extra == NO_EXTRA {
                self.enter_as(Person { household, ..other });
                return;
            }
        }
        let age = self.age(&AGES_ALONE);
        let sex = self.either_sex();
        self.move_in(household, name, sex, age);
    }

    /// A couple; now and then unmarried under two names, of two nations, or with a 旧氏.
    fn move_in_couple(&mut self, household: u32, name: FamilyName, age: u32) {
        let husband_age = (age + self.chance.below(8)).saturating_sub(3).max(18);
        self.move_in(household, name, Sex::Male, husband_age);
        match self.chance.below(1000) {
            0..8 => {
                let nation = Nation::draw(&mut self.chance);
                self.enter_foreigner(household, nation, None, Sex::Female, age);
            }
            8..30 => {
                let own_name = self.family_name();
                self.move_in(household, own_name, Sex::Female, age);
            }
            30..50 => {
                self.move_in(household, name, Sex::Female, age);
                self.keep_former_surname();
            }
            _ => {
                self.move_in(household, name, Sex::Female, age);
            }
        }
    }

    /// Parents, children and grandparents, `size` people together.
    fn move_in_family(&mut self, household: u32, name: FamilyName, size: usize) {
        let grandparents = match (size, self.chance.below(100)) {
            (3, 0..13) | (4, 0..18) | (5, 0..35) | (6, 0..45) => 1,
            (4, 18..22) | (5, 35..52) | (6, 45..85) => 2,
            _ => 0,
        };
        let couple = size >= grandparents + 3 && self.chance.percent(86);
        let children = size - grandparents - if couple { 2 } else { 1 };
        let eldest = self.age(&AGES_ELDEST_CHILD);
        let parent_age = eldest + self.chance.between(22, 37);
        let first_parent = self.settled.people.len();
        if couple {
            self.move_in_couple(household, name, parent_age);
        } else {
            let sex = self.mostly_mother(85);
            self.move_in(household, name, sex, parent_age);
        }
        self.move_in_children(household, name, children, eldest, first_parent);
        let first_grandparent = if self.chance.percent(70) { Sex::Female } else { Sex::Male };
        for grandparent in 0..grandparents {
            let sex = if grandparent == 0 { first_grandparent } else { first_grandparent.other() };
            self.move_in_elder(household, name, sex, parent_age);
        }
    }

    /// Children from the eldest down; one birth in a hundred is of twins.
    fn move_in_children(
        &mut self,
        household: u32,
        name: FamilyName,
        children: usize,
        eldest: u32,
        parent: usize,
    ) {
        let mut age = eldest;
        let mut left = children;
        while left > 0 {
            let sex = self.either_sex();
            let child = self.move_in(household, name, sex, age);
            left -= 1;
            if self.chance.permille(5) {
                self.name_after_parent(parent);
            }
            if left > 0 && self.chance.permille(42) {
                self.move_in_twin(household, name, child);
                left -= 1;
            }
            age = age.saturating_sub(self.chance.between(1, 5));
        }
    }

    /// A twin of the last child: mostly the same sex, often with a name that begins alike.
    fn move_in_twin(&mut self, household: u32, name: FamilyName, first: Person) {
        let sex = if self.chance.percent(70) { first.sex } else { first.sex.other() };
        let similar = match self.chance.percent(60) {
            true => self.books.given.similar(first.given, sex, &mut self.chance),
            false => None,
        };
        let given = similar.unwrap_or_else(|| self.given_name(sex, first.birth));
        self.enter(household, name, sex, first.birth, given);
    }

    /// Gives the last child the sound of the parent's name in other letters: 浩 and 博, both ヒロシ.
    fn name_after_parent(&mut self, parent: usize) {
        let Some(parent) = self.settled.people.get(parent).copied() else { return };
        let kana = self.books.given.reading(parent.given, parent.given_reading).to_owned();
        let same = self.books.given.same_sound(parent.given, &kana, parent.sex, &mut self.chance);
        if let (Some(given), Some(child)) = (same, self.settled.people.last_mut())
            && parent.extra == NO_EXTRA
        {
            child.given = given;
            child.given_form = 0;
            child.given_reading = self.books.given.reading_place(given, &kana);
            child.sex = parent.sex;
        }
    }

    /// A parent of somebody of that age; a mother's parent has another name.
    fn move_in_elder(&mut self, household: u32, name: FamilyName, sex: Sex, age: u32) {
        let name = if self.chance.percent(12) { self.family_name() } else { name };
        let older = self.chance.between(22, 35);
        self.move_in(household, name, sex, age + older);
    }

    fn age(&mut self, bands: &[(u32, (u32, u32))]) -> u32 {
        let (low, high) = self.chance.weighted(bands);
        self.chance.between(low, high)
    }

    fn either_sex(&mut self) -> Sex {
        if self.chance.percent(51) { Sex::Male } else { Sex::Female }
    }

    fn mostly_mother(&mut self, percent: u32) -> Sex {
        if self.chance.percent(percent) { Sex::Female } else { Sex::Male }
    }
}
