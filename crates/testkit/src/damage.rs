//! Damage: what happens to a person's data between the register and a payment list.
//!
//! Each class strikes a line it can apply to with its rate; classes that lose information have it multiplied by the
//! line's quality (log-normal, mean 1), so errors gather on the same lines as they do on real forms.
//! Invariant: a class is recorded exactly when it changed something it could change.

mod address;
mod birth;
mod codes;
mod kana;
mod name;
mod notation;

use crate::chance::Chance;
use crate::population::Population;
use crate::rates::{Class, ClassSet, ErrorRates};
use crate::subject::Subject;

/// Standard deviation of the logarithm of a line's quality.
const QUALITY_DEVIATION: f64 = 0.8;

/// The text columns of one line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) name: String,
    pub(crate) kana: String,
    pub(crate) birth: String,
    pub(crate) sex: String,
    pub(crate) postal: String,
    pub(crate) address: String,
}

/// The damage done to one line.
pub(crate) struct Damage<'a> {
    population: &'a Population,
    rates: &'a ErrorRates,
    chance: &'a mut Chance,
    subject: &'a Subject,
    quality: f64,
    struck: ClassSet,
    applicable: ClassSet,
}

/// What was done to a line, for the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strikes {
    /// Classes that struck.
    pub(crate) struck: ClassSet,
    /// Classes that could have struck.
    pub(crate) applicable: ClassSet,
    /// Factor on the rates of this line.
    pub(crate) quality: f64,
}

impl<'a> Damage<'a> {
    /// A line of random quality about the subject.
    pub(crate) fn new(
        population: &'a Population,
        rates: &'a ErrorRates,
        subject: &'a Subject,
        chance: &'a mut Chance,
    ) -> Self {
        let spread = QUALITY_DEVIATION * chance.normal();
        let quality = libm::exp(spread - QUALITY_DEVIATION * QUALITY_DEVIATION / 2.0);
        Self {
            population,
            rates,
            chance,
            subject,
            quality,
            struck: ClassSet::default(),
            applicable: ClassSet::default(),
        }
    }

    /// Writes the line.
    pub(crate) fn write(mut self) -> (Columns, Strikes) {
        let (name, kana) = self.names();
        let birth = self.birth();
        let sex = self.sex();
        let (address, postal) = self.address_and_postal();
        let Self { struck, applicable, quality, .. } = self;
        (
            Columns { name, kana, birth, sex, postal, address },
            Strikes { struck, applicable, quality },
        )
    }

    /// Whether a class strikes here; `applies` says whether there is anything it could change.
    fn strikes(&mut self, class: Class, applies: bool) -> bool {
        if !applies {
            return false;
        }
        self.applicable.insert(class);
        let struck = self.chance.unit() < self.rates.probability(class, self.quality);
        if struck {
            self.struck.insert(class);
        }
        struck
    }
}
