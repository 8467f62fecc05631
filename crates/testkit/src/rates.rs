//! Error classes and how often each strikes a line.

use std::fmt;

use crate::recipe::Mix;

const TABLE: &str = include_str!("../data/error_rates.tsv");

macro_rules! classes {
    ($($variant:ident = $name:literal,)*) => {
        /// One kind of difference between a payment line and the register; `data/error_rates.tsv` says what each means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Class {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Class {
            /// Every class, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name used in files.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

classes! {
    NameSpace = "fmt_name_space",
    KanaHalf = "fmt_kana_half",
    KanaHira = "fmt_kana_hira",
    KanaBigSmall = "fmt_kana_bigsmall",
    KanjiVariant = "fmt_kanji_variant",
    BirthNotation = "fmt_dob",
    AddressNotation = "fmt_addr",
    PrefectureOmitted = "fmt_pref_omitted",
    CityOmitted = "fmt_city_omitted",
    BuildingOmitted = "fmt_bld_omitted",
    RoomOnly = "fmt_room_only",
    TownVariant = "fmt_town_variant",
    PostalNotation = "fmt_postal",
    SexNotation = "fmt_sex",
    LatinNotation = "fmt_latin",
    AliasUsed = "fmt_alias",
    KanjiMissing = "kanji_missing",
    KanaMissing = "kana_missing",
    KanjiGaiji = "kanji_gaiji",
    KanjiHomophone = "kanji_homophone",
    KanjiTypo = "kanji_typo",
    KanaVoiced = "kana_voiced",
    KanaLongVowel = "kana_longvowel",
    KanaReading = "kana_reading",
    KanaTypo = "kana_typo",
    GivenInKana = "given_in_kana",
    NameSwapped = "name_swapped",
    SurnameChanged = "surname_changed",
    NameTruncated = "name_truncated",
    BirthTypo = "dob_typo",
    BirthSwap = "dob_swap",
    BirthYear = "dob_year",
    BirthMissing = "dob_missing",
    BirthFirst = "dob_first",
    SexWrong = "sex_wrong",
    SexMissing = "sex_missing",
    PostalMissing = "postal_missing",
    PostalTypo = "postal_typo",
    PostalZeroLost = "postal_zero_lost",
    AddressMoved = "addr_moved",
    AddressExcelDate = "addr_excel_date",
    AddressTruncated = "addr_truncated",
    AddressMissing = "addr_missing",
    AddressNumberTypo = "addr_number_typo",
    DuplicateLine = "dup_line",
    NonResident = "nonresident",
    Stranger = "nr_random",
    StrangerSameName = "nr_same_name",
    StrangerFamily = "nr_family",
    StrangerParent = "nr_parent",
    StrangerNearBirth = "nr_name_neardob",
    StrangerSameNameBirth = "nr_same_name_dob",
}

impl Class {
    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }

    /// Whether the class loses information, so that the line's quality counts; the others change notation only or are
    /// about the whole line.
    pub fn loses_information(self) -> bool {
        !self.name().starts_with("fmt_") && self < Self::DuplicateLine
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSet(u64);

impl ClassSet {
    /// Adds a class.
    pub fn insert(&mut self, class: Class) {
        self.0 |= 1 << (class as u8);
    }

    /// Takes a class out.
    pub fn remove(&mut self, class: Class) {
        self.0 &= !(1 << (class as u8));
    }

    /// Whether the class is in.
    pub fn contains(self, class: Class) -> bool {
        self.0 & (1 << (class as u8)) != 0
    }

    /// The classes in, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.iter().copied().filter(move |class| self.contains(*class))
    }
}

impl fmt::Display for ClassSet {
    /// Names joined with `|`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, class) in self.iter().enumerate() {
            let bar = if at == 0 { "" } else { "|" };
            write!(formatter, "{bar}{}", class.name())?;
        }
        Ok(())
    }
}

/// A table of rates that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RatesError {
    /// The class is none of ours.
    #[error("line {line}: unknown class")]
    UnknownClass {
        /// Line of the table, from 1.
        line: usize,
    },
    /// A rate is missing or no number from 0 to 1.
    #[error("line {line}: not a rate from 0 to 1")]
    NotARate {
        /// Line of the table, from 1.
        line: usize,
    },
    /// The table says nothing about a class.
    #[error("no rate for class {class}")]
    MissingClass {
        /// The class.
        class: &'static str,
    },
}

/// How often each class strikes: shares of the lines it can apply to.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRates {
    rates: Vec<f64>,
}

impl ErrorRates {
    /// The rates of a built-in mix.
    pub fn of(mix: Mix) -> Self {
        // The built-in table is parsed by a test; an empty table would mean lists without errors.
        Self::parse(TABLE, mix).unwrap_or(Self { rates: vec![0.0; Class::ALL.len()] })
    }

    /// Reads a table of the same form: class, typical, nasty, meaning, separated by tabs; `#` begins a comment.
    pub fn parse(table: &str, mix: Mix) -> Result<Self, RatesError> {
        let mut rates = vec![None; Class::ALL.len()];
        let rows = table
            .lines()
            .enumerate()
            .filter(|(_, row)| !row.starts_with('#') && !row.trim().is_empty());
        for (at, row) in rows.filter(|(_, row)| !row.starts_with("class\t")) {
            let line = at + 1;
            let mut cells = row.split('\t');
            let class =
                cells.next().and_then(Class::named).ok_or(RatesError::UnknownClass { line })?;
            let mut rate = || cells.next().and_then(|cell| cell.trim().parse::<f64>().ok());
            let (typical, nasty) = (rate(), rate());
            let chosen = match mix {
                Mix::Typical => typical,
                Mix::Nasty => nasty,
            };
            let rate = chosen.filter(|rate| (0.0..=1.0).contains(rate));
            rates[class as usize] = Some(rate.ok_or(RatesError::NotARate { line })?);
        }
        let rates = rates
            .into_iter()
            .zip(Class::ALL)
            .map(|(rate, class)| rate.ok_or(RatesError::MissingClass { class: class.name() }));
        Ok(Self { rates: rates.collect::<Result<_, _>>()? })
    }

    /// The rate of a class.
    pub fn rate(&self, class: Class) -> f64 {
        self.rates.get(class as usize).copied().unwrap_or(0.0)
    }

    /// Sets the rate of a class; outside 0 to 1 it is cut.
    pub fn set(&mut self, class: Class, rate: f64) {
        if let Some(slot) = self.rates.get_mut(class as usize) {
            *slot = rate.clamp(0.0, 1.0);
        }
    }

    /// The probability that a class strikes a line of that quality it can apply to.
    pub(crate) fn probability(&self, class: Class, quality: f64) -> f64 {
        let factor = if class.loses_information() { quality } else { 1.0 };
        (self.rate(class) * factor).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_names_every_class_for_both_mixes() {
        let (typical, nasty) = (
            ErrorRates::parse(TABLE, Mix::Typical).unwrap(),
            ErrorRates::parse(TABLE, Mix::Nasty).unwrap(),
        );
        assert_eq!(typical.rate(Class::AddressNotation), 0.85);
        assert_eq!(nasty.rate(Class::NonResident), 0.05);
        assert!(Class::ALL.iter().all(|class| typical.rate(*class) <= nasty.rate(*class)));
    }

    #[test]
    fn a_table_with_a_fault_is_refused_by_its_line() {
        let parse = |table: &str| ErrorRates::parse(table, Mix::Typical);
        assert_eq!(parse("fmt_sux\t0.1\t0.2"), Err(RatesError::UnknownClass { line: 1 }));
        assert_eq!(parse("# a\nfmt_sex\t2\t0.2"), Err(RatesError::NotARate { line: 2 }));
        assert_eq!(parse(""), Err(RatesError::MissingClass { class: "fmt_name_space" }));
    }

    #[test]
    fn sets_are_written_in_the_order_of_the_table() {
        let mut set = ClassSet::default();
        set.insert(Class::NonResident);
        set.insert(Class::SexWrong);
        assert_eq!(set.to_string(), "sex_wrong|nonresident");
        set.remove(Class::SexWrong);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Class::NonResident]);
    }
}
