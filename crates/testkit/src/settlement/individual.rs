//! One person of a settlement: birth, name, and the rare things a register has about somebody.

use super::Settlement;
use crate::date::Date;
use crate::names::IVS_FORM;
use crate::names::{ForeignName, Generation, Nation};
use crate::person::{Alias, Extra, FamilyName, NO_EXTRA, Person, Sex};

/// Forms of a name a register can hold besides the usual one.
const FORMS: u32 = 6;
/// Days in a century, to count back whole years.
const DAYS_PER_CENTURY: u32 = 36_525;

impl Settlement<'_> {
    /// A family name by frequency, sometimes in another form or reading.
    pub(super) fn family_name(&mut self) -> FamilyName {
        let surname = self.books.surnames.draw(&mut self.chance);
        let kanji = self.books.surnames.kanji(surname);
        let varied = self.books.letters.has_forms(kanji) && self.chance.percent(6);
        let form = match (varied, kanji.contains(['辻', '葛', '渡', '榊', '樋'])) {
            (true, _) => self.chance.between(1, FORMS) as u8,
            (false, true) if self.chance.percent(1) => IVS_FORM,
            (false, _) => 0,
        };
        let readings = self.books.surnames.readings(surname).len();
        let reading = if self.chance.percent(8) { self.chance.index(readings) as u8 } else { 0 };
        FamilyName { surname, form, reading }
    }

    /// Day of birth of somebody of that age.
    pub(super) fn born(&mut self, age: u32) -> u16 {
        let days = age.min(108) * DAYS_PER_CENTURY / 100 + self.chance.below(365);
        self.today - days as u16
    }

    /// A new member of a household, with a name after the fashion of the year of birth.
    pub(super) fn move_in(
        &mut self,
        household: u32,
        name: FamilyName,
        sex: Sex,
        age: u32,
    ) -> Person {
        let birth = self.born(age);
        let given = self.given_name(sex, birth);
        self.enter(household, name, sex, birth, given)
    }

    /// A given name for somebody born on that day.
    pub(super) fn given_name(&mut self, sex: Sex, birth: u16) -> u32 {
        let year = Date::from_day_number(birth).year;
        let generation = Generation::of_birth_year(year, &mut self.chance);
        self.books.given.draw(sex, generation, &mut self.chance)
    }

    /// Enters a person in the register.
    pub(super) fn enter(
        &mut self,
        household: u32,
        name: FamilyName,
        sex: Sex,
        birth: u16,
        given: u32,
    ) -> Person {
        let kanji = self.books.given.kanji(given);
        let varied = self.books.letters.has_forms(kanji) && self.chance.percent(5);
        let given_form = if varied { self.chance.between(1, FORMS) as u8 } else { 0 };
        let readings = self.books.given.readings(given).len();
        let given_reading =
            if self.chance.percent(25) { self.chance.index(readings) as u8 } else { 0 };
        let person = Person {
            household,
            given,
            surname: name.surname,
            extra: NO_EXTRA,
            birth,
            surname_form: name.form,
            surname_reading: name.reading,
            given_form,
            given_reading,
            sex,
        };
        self.settled.people.push(person);
        person
    }

    /// Enters a person exactly as given.
    pub(super) fn enter_as(&mut self, person: Person) {
        self.settled.people.push(person);
    }

    /// The last person entered has 旧氏.
    pub(super) fn keep_former_surname(&mut self) {
        let former = self.family_name();
        self.attach(Extra::FormerSurname(former));
    }

    /// Enters a foreign resident; many have 1 January for a day of birth nobody wrote down.
    pub(super) fn enter_foreigner(
        &mut self,
        household: u32,
        nation: Nation,
        family: Option<u8>,
        sex: Sex,
        age: u32,
    ) -> ForeignName {
        let name = ForeignName::draw(nation, family, &mut self.chance);
        let alias = match self.chance.below(200) {
            0..14 => Alias::InColumn,
            14..28 => Alias::InBrackets,
            _ => Alias::None,
        };
        let mut birth = self.born(age);
        if self.chance.percent(8) {
            birth = Date { month: 1, day: 1, ..Date::from_day_number(birth) }.day_number();
        }
        let alias_name = self.family_name();
        let given = self.given_name(sex, birth);
        self.enter(household, alias_name, sex, birth, given);
        self.attach(Extra::Foreign { name, alias });
        name
    }

    fn attach(&mut self, extra: Extra) {
        if let Some(person) = self.settled.people.last_mut() {
            person.extra = self.settled.extras.len() as u32;
            self.settled.extras.push(extra);
        }
    }
}
