//! A person of the register in 24 bytes, and what few people have besides.

use crate::date::Date;
use crate::names::{ForeignName, NameBooks, WrittenName};

/// Sex as the register codes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Sex {
    Male,
    Female,
}

impl Sex {
    /// The register's code: 1 or 2.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Male => "1",
            Self::Female => "2",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Male => Self::Female,
            Self::Female => Self::Male,
        }
    }
}

/// Which name, written and read how: indices into the name books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyName {
    pub(crate) surname: u32,
    pub(crate) form: u8,
    pub(crate) reading: u8,
}

/// One person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) household: u32,
    pub(crate) given: u32,
    pub(crate) surname: u32,
    /// Place in the register's list of extras, or [`NO_EXTRA`].
    pub(crate) extra: u32,
    /// Day number, see [`Date`].
    pub(crate) birth: u16,
    pub(crate) surname_form: u8,
    pub(crate) surname_reading: u8,
    pub(crate) given_form: u8,
    pub(crate) given_reading: u8,
    pub(crate) sex: Sex,
}

/// A person without extras.
pub(crate) const NO_EXTRA: u32 = u32::MAX;

/// The household of people who are not in the register.
pub(crate) const NO_HOUSEHOLD: u32 = u32::MAX;

/// What few people have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extra {
    /// 旧氏 beside the present surname.
    FormerSurname(FamilyName),
    /// A foreign name; the Japanese indices of the person are those of the 通称, where there is one.
    Foreign {
        /// The legal name.
        name: ForeignName,
        /// 通称 and where the register keeps it.
        alias: Alias,
    },
}

/// 通称 of a foreign resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    None,
    /// In its own column.
    InColumn,
    /// In brackets after the name, as converted from an older system; the kana are then the alias's.
    InBrackets,
}

impl Person {
    /// Day of birth.
    pub(crate) fn birth_date(&self) -> Date {
        Date::from_day_number(self.birth)
    }

    /// The family name as indices.
    pub(crate) fn family_name(&self) -> FamilyName {
        FamilyName { surname: self.surname, form: self.surname_form, reading: self.surname_reading }
    }

    /// The same person under another family name.
    pub(crate) fn with_family_name(self, name: FamilyName) -> Self {
        Self {
            surname: name.surname,
            surname_form: name.form,
            surname_reading: name.reading,
            ..self
        }
    }

    /// The Japanese name: of a foreign resident the alias.
    pub(crate) fn japanese_name(&self, books: &NameBooks) -> WrittenName {
        let (family, family_kana) = books.family_name(self.family_name());
        WrittenName {
            family,
            family_kana,
            given: books.given.form(self.given, self.given_form, &books.letters),
            given_kana: books.given.reading(self.given, self.given_reading).to_owned(),
        }
    }
}

impl NameBooks {
    /// A family name in letters and kana.
    pub(crate) fn family_name(&self, name: FamilyName) -> (String, String) {
        let letters = self.surnames.form(name.surname, name.form, &self.letters);
        (letters, self.surnames.reading(name.surname, name.reading).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_million_people_fit_in_a_quarter_of_a_gigabyte() {
        assert_eq!(size_of::<Person>(), 24);
    }
}
