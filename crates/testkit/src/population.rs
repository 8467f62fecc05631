//! The population of the invented city, and its register as a file.
//!
//! Ten million people take about 300 MB: a person is 24 bytes of indices, and text is made only while it is written.
//! Invariant: a population depends on the number of residents and the seed alone, so lists of any kind can be drawn from
//! one register.

use std::io::{self, Write};

use crate::chance::Chance;
use crate::city::City;
use crate::names::{NameBooks, WrittenName};
use crate::person::{Alias, Extra, NO_EXTRA, Person};
use crate::place::Place;
use crate::recipe::{RecipeError, Stage};
use crate::settlement::Settlement;

/// Rows between two calls of a progress function.
pub(crate) const PROGRESS_STEP: usize = 8192;

/// Residents a register can have: places in it are 32 bits, two are kept back.
const RESIDENTS_MAX: usize = 100_000_000;

/// Size of the other city.
const ELSEWHERE_RESIDENTS: usize = 24_000;

/// Head of the register file.
const HEADER: &str = "宛名番号,世帯番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,方書,旧氏,通称名";

/// Place of a household in the register: its members stand together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Household {
    pub(crate) first: u32,
    pub(crate) place: Place,
}

/// Everybody in the register.
#[derive(Debug)]
pub struct Population {
    pub(crate) books: NameBooks,
    pub(crate) city: City,
    /// Where people who moved came from.
    pub(crate) elsewhere: City,
    pub(crate) people: Vec<Person>,
    pub(crate) households: Vec<Household>,
    pub(crate) extras: Vec<Extra>,
    resident_numbers: Numbers,
    household_numbers: Numbers,
}

impl Population {
    /// Settles a city with exactly so many residents.
    pub fn settle(
        residents: usize,
        seed: u64,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Self, RecipeError> {
        if residents == 0 || residents > RESIDENTS_MAX {
            return Err(RecipeError::Residents { residents, max: RESIDENTS_MAX });
        }
        let books = NameBooks::compose();
        let city = City::invent(residents, &mut Chance::new(seed, "city"));
        let mut chance = Chance::new(seed, "elsewhere");
        let mut elsewhere = City::invent(ELSEWHERE_RESIDENTS, &mut chance);
        while elsewhere.name == city.name {
            elsewhere = City::invent(ELSEWHERE_RESIDENTS, &mut chance);
        }
        let settlement = Settlement::new(&books, &city, Chance::new(seed, "people"), residents);
        let settled = settlement.settle(progress);
        Ok(Self {
            people: settled.people,
            households: settled.households,
            extras: settled.extras,
            books,
            city,
            elsewhere,
            resident_numbers: Numbers::new(&mut Chance::new(seed, "resident numbers")),
            household_numbers: Numbers::new(&mut Chance::new(seed, "household numbers")),
        })
    }

    /// Number of residents.
    pub fn residents(&self) -> usize {
        self.people.len()
    }

    /// Number of households.
    pub fn households(&self) -> usize {
        self.households.len()
    }

    /// 宛名番号 of the resident at a place of the register.
    pub fn resident_id(&self, resident: usize) -> String {
        self.resident_numbers.text(resident)
    }

    /// Writes the register: UTF-8 with BOM, CRLF, Japanese headers.
    pub fn write_register(
        &self,
        file: &mut dyn Write,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> io::Result<()> {
        let mut rows = String::from("\u{feff}");
        rows.push_str(HEADER);
        rows.push_str("\r\n");
        for (at, person) in self.people.iter().enumerate() {
            self.push_row(&mut rows, at, person);
            if (at + 1).is_multiple_of(PROGRESS_STEP) {
                file.write_all(rows.as_bytes())?;
                rows.clear();
                progress(Stage::Register, at + 1, self.people.len());
            }
        }
        file.write_all(rows.as_bytes())?;
        progress(Stage::Register, self.people.len(), self.people.len());
        Ok(())
    }

    /// Where a person lives.
    pub(crate) fn place_of(&self, person: &Person) -> Place {
        let household = self.households.get(person.household as usize);
        household.map_or(Place::plot(0, 0, 1, 0), |household| household.place)
    }

    /// The people of a household; nobody for a household that is not here.
    pub(crate) fn members(&self, household: u32) -> &[Person] {
        let first =
            |at: u32| self.households.get(at as usize).map(|household| household.first as usize);
        let Some(start) = first(household) else { return &[] };
        let end = first(household + 1).unwrap_or(self.people.len());
        self.people.get(start..end).unwrap_or(&[])
    }

    /// What the person has besides.
    pub(crate) fn extra_of(&self, person: &Person) -> Option<Extra> {
        (person.extra != NO_EXTRA)
            .then(|| self.extras.get(person.extra as usize).copied())
            .flatten()
    }

    fn push_row(&self, rows: &mut String, at: usize, person: &Person) {
        let place = self.place_of(person);
        let birth = person.birth_date();
        let names = RegisterNames::of(person, self.extra_of(person), &self.books);
        let cells = [
            self.resident_numbers.text(at),
            self.household_numbers.text(person.household as usize),
            names.name,
            names.kana,
            format!("{:04}-{:02}-{:02}", birth.year, birth.month, birth.day),
            person.sex.code().to_owned(),
            self.city.register_postal(&place),
            self.city.register_address(&place),
            place.register_building(),
            names.former_surname,
            names.alias,
        ];
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                rows.push(',');
            }
            rows.push_str(cell);
        }
        rows.push_str("\r\n");
    }
}

/// The name columns of one row.
struct RegisterNames {
    name: String,
    kana: String,
    former_surname: String,
    alias: String,
}

impl RegisterNames {
    fn of(person: &Person, extra: Option<Extra>, books: &NameBooks) -> Self {
        let plain = |name: &WrittenName| Self {
            name: format!("{}　{}", name.family, name.given),
            kana: name.kana(),
            former_surname: String::new(),
            alias: String::new(),
        };
        match extra {
            None => plain(&person.japanese_name(books)),
            Some(Extra::FormerSurname(former)) => {
                let former_surname = books.family_name(former).0;
                Self { former_surname, ..plain(&person.japanese_name(books)) }
            }
            Some(Extra::Foreign { name, alias }) => {
                let gap = if name.is_latin() && !name.full_width { ' ' } else { '　' };
                let legal = name.written();
                let legal_text = format!("{}{gap}{}", legal.family, legal.given);
                let japanese = person.japanese_name(books);
                let alias_text = format!("{}　{}", japanese.family, japanese.given);
                match alias {
                    Alias::None => Self { name: legal_text, ..plain(&legal) },
                    Alias::InColumn => {
                        Self { name: legal_text, alias: alias_text, ..plain(&legal) }
                    }
                    Alias::InBrackets => {
                        Self { name: format!("{legal_text}（{alias_text}）"), ..plain(&japanese) }
                    }
                }
            }
        }
    }
}

/// Fifteen-digit numbers that are unique and in no order: place times factor, modulo a prime.
#[derive(Debug)]
struct Numbers {
    factor: u64,
    offset: u64,
}

impl Numbers {
    /// The largest prime of ten digits.
    const PRIME: u64 = 9_999_999_967;

    fn new(chance: &mut Chance) -> Self {
        let factor = 1_000_000_000 + chance.below_wide(8_000_000_000);
        Self { factor, offset: chance.below_wide(Self::PRIME) }
    }

    fn text(&self, at: usize) -> String {
        // No overflow: 10^8 residents times a factor below 10^10 stay below 2^63.
        let number = ((at as u64 + 1) * self.factor + self.offset) % Self::PRIME;
        format!("{number:015}")
    }
}
