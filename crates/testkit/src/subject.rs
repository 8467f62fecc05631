//! Who a line is about: a resident, or one of the people who are not in the register but look like it.

use crate::chance::Chance;
use crate::date::{Date, REFERENCE_DATE};
use crate::names::{Generation, WrittenName};
use crate::person::{Alias, Extra, NO_EXTRA, NO_HOUSEHOLD, Person, Sex};
use crate::place::Place;
use crate::population::Population;
use crate::rates::{Class, ErrorRates};

/// What a stranger has in common with some resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    Nothing,
    Name,
    FamilyAndHome,
    ParentOfFamily,
    NameAndNearBirth,
    NameAndBirth,
}

impl Likeness {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Name,
        Self::FamilyAndHome,
        Self::ParentOfFamily,
        Self::NameAndNearBirth,
        Self::NameAndBirth,
    ];

    /// The class under which it is recorded.
    fn class(self) -> Class {
        match self {
            Self::Nothing => Class::Stranger,
            Self::Name => Class::StrangerSameName,
            Self::FamilyAndHome => Class::StrangerFamily,
            Self::ParentOfFamily => Class::StrangerParent,
            Self::NameAndNearBirth => Class::StrangerNearBirth,
            Self::NameAndBirth => Class::StrangerSameNameBirth,
        }
    }

    /// One of them, by the rates.
    fn draw(rates: &ErrorRates, chance: &mut Chance) -> Self {
        let total: f64 = Self::ALL.iter().map(|likeness| rates.rate(likeness.class())).sum();
        let mut at = chance.unit() * total;
        for likeness in Self::ALL {
            at -= rates.rate(likeness.class());
            if at < 0.0 {
                return likeness;
            }
        }
        Self::Nothing
    }

    /// Whether the stranger belongs to the resident's family.
    fn is_family(self) -> bool {
        matches!(self, Self::FamilyAndHome | Self::ParentOfFamily)
    }
}

/// The oldest anybody on a list is.
const EARLIEST_BIRTH_YEAR: u16 = 1912;

/// The person behind a line.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) person: Person,
    pub(crate) extra: Option<Extra>,
    pub(crate) place: Place,
    /// Place in the register; nobody's for strangers.
    pub(crate) resident: Option<usize>,
}

impl Subject {
    /// Somebody of the register.
    pub(crate) fn resident(population: &Population, at: usize) -> Option<Self> {
        let person = *population.people.get(at)?;
        let place = population.place_of(&person);
        Some(Self { person, extra: population.extra_of(&person), place, resident: Some(at) })
    }

    /// Somebody outside the register, of a kind drawn by the rates.
    pub(crate) fn stranger(
        population: &Population,
        rates: &ErrorRates,
        chance: &mut Chance,
    ) -> Option<(Self, Class)> {
        let likeness = Likeness::draw(rates, chance);
        let model = model(population, likeness, chance)?;
        let sex = if chance.percent(50) { Sex::Male } else { Sex::Female };
        let elsewhere = population.city.plot(chance);
        let elsewhere = if chance.percent(35) { elsewhere.with_flats(chance) } else { elsewhere };
        let home = model.place;
        let moved = |person| Self {
            person: Person { household: NO_HOUSEHOLD, ..person },
            place: elsewhere,
            ..model.clone()
        };
        let born = |person: Person, birth| Person { birth, ..person };
        let stranger = match likeness {
            Likeness::Name => {
                let birth = other_birth(model.person.birth, chance);
                moved(born(model.person, birth))
            }
            Likeness::NameAndNearBirth => {
                let birth = near_birth(model.person.birth, chance);
                moved(born(model.person, birth))
            }
            Likeness::NameAndBirth => moved(model.person),
            Likeness::FamilyAndHome => {
                let person =
                    newcomer(population, sex, chance).with_family_name(model.person.family_name());
                Self { person, place: home, ..model }
            }
            Likeness::ParentOfFamily => {
                let years = chance.between(22, 35) as u16;
                let birth = earlier(model.person.birth, years);
                let books = &population.books;
                let given = books.given.similar(model.person.given, model.person.sex, chance);
                let given = given.unwrap_or(model.person.given);
                let person =
                    Person { birth, given, given_form: 0, given_reading: 0, ..model.person };
                Self { person, place: home, ..model }
            }
            Likeness::Nothing => {
                let person = newcomer(population, sex, chance);
                Self { person, extra: None, place: elsewhere, resident: None }
            }
        };
        Some((Self { resident: None, ..stranger }, likeness.class()))
    }

    /// The name the register and the bank know: of foreign residents with an alias in brackets the alias.
    pub(crate) fn registered_name(&self, population: &Population) -> WrittenName {
        match self.extra {
            Some(Extra::Foreign { name, alias }) if alias != Alias::InBrackets => name.written(),
            _ => self.person.japanese_name(&population.books),
        }
    }
}

/// The resident a stranger looks like; families and parents are those of Japanese names.
fn model(population: &Population, likeness: Likeness, chance: &mut Chance) -> Option<Subject> {
    let mut model = Subject::resident(population, chance.index(population.residents()))?;
    for _ in 0..50 {
        let old = model.person.birth_date().year < 1945;
        let too_old = likeness == Likeness::ParentOfFamily && old;
        if !likeness.is_family() || model.extra.is_none() && !too_old {
            break;
        }
        model = Subject::resident(population, chance.index(population.residents()))?;
    }
    let extra = if likeness.is_family() { None } else { model.extra };
    Some(Subject { extra, ..model })
}

/// A person of no household, of any age.
fn newcomer(population: &Population, sex: Sex, chance: &mut Chance) -> Person {
    let books = &population.books;
    let birth = REFERENCE_DATE.day_number() - chance.below(95 * 365) as u16;
    let year = Date::from_day_number(birth).year;
    let generation = Generation::of_birth_year(year, chance);
    Person {
        household: NO_HOUSEHOLD,
        given: books.given.draw(sex, generation, chance),
        surname: books.surnames.draw(chance),
        extra: NO_EXTRA,
        birth,
        surname_form: 0,
        surname_reading: 0,
        given_form: 0,
        given_reading: 0,
        sex,
    }
}

/// A birth date at least three months away.
fn other_birth(birth: u16, chance: &mut Chance) -> u16 {
    let distance = chance.between(90, 9000) as u16;
    let latest = REFERENCE_DATE.day_number();
    let earlier = birth.saturating_sub(distance);
    match chance.percent(50) && birth + distance <= latest {
        true => birth + distance,
        false => earlier.max(EARLIEST_BIRTH_YEAR - 1900),
    }
}

/// A birth date in the same month of which the day differs.
fn near_birth(birth: u16, chance: &mut Chance) -> u16 {
    let date = Date::from_day_number(birth);
    for _ in 0..20 {
        let day = chance.between(1, 28) as u8;
        let other = Date { day, ..date };
        if day != date.day && other <= REFERENCE_DATE {
            return other.day_number();
        }
    }
    birth - 1
}

/// So many years before, but within a human life.
fn earlier(birth: u16, years: u16) -> u16 {
    let date = Date::from_day_number(birth);
    let year = (date.year - years).max(EARLIEST_BIRTH_YEAR);
    Date { year, day: date.day.min(28), ..date }.day_number()
}
