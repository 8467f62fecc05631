//! Names: surnames, given names and foreign names with their readings and frequencies.
//!
//! 300 surnames and 290 given names come from tables; the rest is composed from parts, with a long thin tail, so that a
//! million residents have tens of thousands of each. Invariant: the books are the same for every recipe; a person is a
//! few indices into them.

mod foreign;
mod given;
mod parts;
mod surname;

pub(crate) use foreign::{ForeignName, Nation, full_width};
pub(crate) use given::{Generation, GivenNames};
pub(crate) use surname::{IVS_FORM, Surnames};

use crate::letters::Letters;
use parts::{Parts, homophone_groups};

/// All name books.
#[derive(Debug)]
pub(crate) struct NameBooks {
    pub(crate) surnames: Surnames,
    pub(crate) given: GivenNames,
    pub(crate) letters: Letters,
}

impl NameBooks {
    /// Composes the books from the tables.
    pub(crate) fn compose() -> Self {
        let parts = Parts::read();
        let letters = Letters::new(&homophone_groups(&parts));
        Self { surnames: Surnames::compose(&parts), given: GivenNames::compose(&parts), letters }
    }
}

/// A name as written: family and given part, in letters and in kana.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenName {
    pub(crate) family: String,
    pub(crate) given: String,
    pub(crate) family_kana: String,
    pub(crate) given_kana: String,
}

impl WrittenName {
    /// Both kana parts with a full-width space, as the register writes them.
    pub(crate) fn kana(&self) -> String {
        format!("{}　{}", self.family_kana, self.given_kana)
    }
}
