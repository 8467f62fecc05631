//! Comparisons: what is asked of a pair of records, and the ordered levels of the answer.

mod date;
pub(crate) mod level;
mod part;
mod place;
mod text;

pub(crate) use date::DateForm;
pub(crate) use level::LevelPrior;
use level::{HOLDER_ALONE, OTHER_THAN_HOLDER};

use std::sync::Arc;

use crate::forms::NONE;
use crate::forms::addresses::Addresses;
use crate::forms::names::Names;
use crate::forms::parts::Parts;
use crate::forms::readings::NamePart;
use crate::layers::Distinct;
use crate::records::{How, NameValues, Normalised, OtherName, Sides};
use part::STRENGTH;

/// One question asked of a pair.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The field or fields it looks at.
    pub(crate) name: Arc<str>,
    pub(crate) measure: Measure,
}

/// How the question is answered, with the distinct values it looks at.
#[derive(Debug)]
pub(crate) enum Measure {
    /// Which of its names the person used: how the names were laid side by side.
    Arrangement,
    /// Family name in both views.
    Family,
    /// Given name in both views.
    Given,
    Date {
        column: usize,
        dates: Distinct<DateForm>,
    },
    Sex {
        column: usize,
    },
    Place {
        column: usize,
        addresses: Box<Addresses>,
    },
    Text {
        column: usize,
        texts: Parts,
    },
    Identifier {
        column: usize,
        texts: Parts,
    },
    Category {
        column: usize,
        texts: Parts,
    },
}

impl Measure {
    /// What is believed of the levels before data.
    pub(crate) fn levels(&self) -> &'static [LevelPrior] {
        match self {
            Self::Arrangement => level::ARRANGEMENT,
            Self::Family => level::FAMILY,
            Self::Given => level::GIVEN,
            Self::Date { .. } => level::DATE,
            Self::Sex { .. } => level::SEX,
            Self::Place { .. } => level::PLACE,
            Self::Text { .. } => level::TEXT,
            Self::Identifier { .. } => level::IDENTIFIER,
            Self::Category { .. } => level::CATEGORY,
        }
    }

    /// The name of the measure in model files.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Arrangement => "arrangement",
            Self::Family => "family_name",
            Self::Given => "given_name",
            Self::Date { .. } => "date",
            Self::Sex { .. } => "sex",
            Self::Place { .. } => "place",
            Self::Text { .. } => "text",
            Self::Identifier { .. } => "identifier",
            Self::Category { .. } => "category",
        }
    }

    /// The column of values, for measures of one value.
    pub(crate) fn column(&self) -> Option<usize> {
        match self {
            Self::Arrangement | Self::Family | Self::Given => None,
            Self::Date { column, .. }
            | Self::Sex { column }
            | Self::Place { column, .. }
            | Self::Text { column, .. }
            | Self::Identifier { column, .. }
            | Self::Category { column, .. } => Some(*column),
        }
    }

    /// The level of two values; level 0 where either is missing.
    pub(crate) fn level(&self, names: &Names, a: u32, b: u32) -> u8 {
        if a == NONE || b == NONE {
            return 0;
        }
        let part_level =
            |part| part::level(names, part, names.joint.views(a), names.joint.views(b));
        match self {
            Self::Arrangement => 0,
            Self::Family => part_level(NamePart::Family),
            Self::Given => part_level(NamePart::Given),
            Self::Date { dates, .. } => date::level(*dates.value(a), *dates.value(b)),
            Self::Sex { .. } => 1 + u8::from(a != b),
            Self::Place { addresses, .. } => measure_place(addresses, a, b),
            Self::Text { texts, .. } => text::text_level(texts, a, b),
            Self::Identifier { texts, .. } => text::identifier_level(texts, a, b),
            Self::Category { .. } => 1 + u8::from(a != b),
        }
    }
}

/// Level of a part of a name of which there is a reading alone, nearly equal.
const READING_NEAR: u8 = 2;

/// How the two names of a pair were laid side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamesOfPair {
    /// Level of [`level::ARRANGEMENT`].
    pub(crate) arrangement: u8,
    pub(crate) family: (u32, u32),
    pub(crate) given: (u32, u32),
    family_level: u8,
    given_level: u8,
}

impl Comparison {
    /// The same question asked of a list: its values stand above the register's.
    pub(crate) fn above(&self) -> Self {
        let measure = match &self.measure {
            Measure::Arrangement => Measure::Arrangement,
            Measure::Family => Measure::Family,
            Measure::Given => Measure::Given,
            Measure::Date { column, dates } => {
                Measure::Date { column: *column, dates: dates.above() }
            }
            Measure::Sex { column } => Measure::Sex { column: *column },
            Measure::Place { column, addresses } => {
                Measure::Place { column: *column, addresses: Box::new(addresses.above()) }
            }
            Measure::Text { column, texts } => {
                Measure::Text { column: *column, texts: texts.above() }
            }
            Measure::Identifier { column, texts } => {
                Measure::Identifier { column: *column, texts: texts.above() }
            }
            Measure::Category { column, texts } => {
                Measure::Category { column: *column, texts: texts.above() }
            }
        };
        Self { name: Arc::clone(&self.name), measure }
    }

    /// From now on, the values of lists may stand on these.
    pub(crate) fn share(&mut self) {
        match &mut self.measure {
            Measure::Arrangement | Measure::Family | Measure::Given | Measure::Sex { .. } => {}
            Measure::Date { dates, .. } => dates.share(),
            Measure::Place { addresses, .. } => addresses.share(),
            Measure::Text { texts, .. }
            | Measure::Identifier { texts, .. }
            | Measure::Category { texts, .. } => texts.share(),
        }
    }

    /// From now on, the values of lists may stand on what a delta has added.
    pub(crate) fn leave(&mut self) {
        match &mut self.measure {
            Measure::Arrangement | Measure::Family | Measure::Given | Measure::Sex { .. } => {}
            Measure::Date { dates, .. } => dates.leave(),
            Measure::Place { addresses, .. } => addresses.leave(),
            Measure::Text { texts, .. }
            | Measure::Identifier { texts, .. }
            | Measure::Category { texts, .. } => texts.leave(),
        }
    }
}

impl Normalised {
    /// The level of a part of the names of two records.
    pub(crate) fn measure_names(
        &self,
        measure: &Measure,
        a: u32,
        b: u32,
        part: impl Fn(NameValues) -> u32,
    ) -> u8 {
        measure.level(&self.names, part(self.records.name(a)), part(self.records.name(b)))
    }

    /// Whether names are compared at all.
    pub(crate) fn has_names(&self) -> bool {
        self.comparisons.iter().any(|comparison| matches!(comparison.measure, Measure::Family))
    }
}

impl Sides<'_> {
    /// Compares a line with a resident.
    pub(crate) fn compare(
        self,
        line: u32,
        resident: u32,
        levels: &mut Vec<u8>,
    ) -> Option<NamesOfPair> {
        levels.clear();
        let has_names = self.list.records.has_names() && self.register().has_names();
        let names = has_names.then(|| self.compare_names(line, resident));
        for comparison in &self.list.comparisons {
            levels.push(match (&comparison.measure, &names) {
                (Measure::Arrangement, Some(names)) => names.arrangement,
                (Measure::Family, Some(names)) => names.family_level,
                (Measure::Given, Some(names)) => names.given_level,
                (measure, _) => self.compare_values(measure, line, resident),
            });
        }
        names
    }

    fn compare_values(self, measure: &Measure, line: u32, resident: u32) -> u8 {
        let Some(column) = measure.column() else {
            return 0;
        };
        let value = self.list.records.value(column, line);
        let level = measure.level(&self.list.names, value, self.register().value(column, resident));
        if let (Measure::Place { addresses, .. }, Some(former)) =
            (measure, self.register().former_place(resident))
        {
            return level::or_former_place(level, measure_place(addresses, value, former));
        }
        level
    }

    /// Lays the names side by side in the way that speaks most for one person; as registered, where ways tie.
    fn compare_names(self, line: u32, resident: u32) -> NamesOfPair {
        let (list, register) = (self.list.records.name(line), self.register().name(resident));
        let lay = |arrangement: u8, family: (u32, u32), given: (u32, u32)| {
            let family_level = Measure::Family.level(&self.list.names, family.0, family.1);
            let given_level = Measure::Given.level(&self.list.names, given.0, given.1);
            NamesOfPair { arrangement, family, given, family_level, given_level }
        };
        let strength = |names: &NamesOfPair| {
            STRENGTH[usize::from(names.family_level)] + STRENGTH[usize::from(names.given_level)]
        };
        let as_registered = lay(1, (list.family, register.family), (list.given, register.given));
        let mut best = as_registered;
        if strength(&best) >= 18 {
            return self.settle(best);
        }
        let mut consider = |names: NamesOfPair| {
            if strength(&names) > strength(&best) {
                best = names;
            }
        };
        // Exchanged: the line's family name stands where the given name belongs.
        consider(lay(2, (list.given, register.family), (list.family, register.given)));
        if self.same_words(list, register) {
            consider(lay(2, (register.family, register.family), (register.given, register.given)));
        }
        for &OtherName { name, how } in self.register().other_names(resident) {
            consider(lay(how as u8, (list.family, name.family), (list.given, name.given)));
        }
        // An account is often a relative's: its holder's reading helps to read a given name that is there, and never
        // stands against it.
        let own_given = STRENGTH[usize::from(as_registered.given_level)];
        for &OtherName { name, how } in self.list.records.other_names(line) {
            if how == How::Alias || list.given != NONE && own_given >= 0 {
                consider(lay(
                    how as u8,
                    (name.family, register.family),
                    (name.given, register.given),
                ));
            }
        }
        let holder = self.list.records.other_names(line).iter();
        let mut holder = holder.filter(|other| other.how == How::AccountHolder);
        match holder.next() {
            Some(OtherName { name, .. }) if list.given == NONE && best.arrangement == 1 => {
                let holder =
                    lay(HOLDER_ALONE, (name.family, register.family), (name.given, register.given));
                self.settle(by_holder_alone(best, holder))
            }
            _ => self.settle(best),
        }
    }

    /// Whether two Latin names hold the same words in another order.
    fn same_words(self, a: NameValues, b: NameValues) -> bool {
        let written = |part: u32| self.list.names.joint.views(part).written;
        if written(a.family) == written(b.family) {
            return false;
        }
        let of_line = self.list.wholes.words(a.written);
        of_line.is_some() && of_line == self.index.register.wholes.words(b.written)
    }

    /// Without any part to compare there is no arrangement either.
    fn settle(self, names: NamesOfPair) -> NamesOfPair {
        let compared = names.family_level != 0 || names.given_level != 0;
        NamesOfPair { arrangement: if compared { names.arrangement } else { 0 }, ..names }
    }
}

/// A line that gives no given name but the account holder's.
fn by_holder_alone(as_registered: NamesOfPair, holder: NamesOfPair) -> NamesOfPair {
    let strength = |level: u8| STRENGTH[usize::from(level)];
    let is_holder = strength(holder.given_level) >= STRENGTH[usize::from(READING_NEAR)];
    let arrangement = if is_holder { HOLDER_ALONE } else { OTHER_THAN_HOLDER };
    let (own, of_holder) = (as_registered.family_level, holder.family_level);
    let family_level = if strength(own) > strength(of_holder) { own } else { of_holder };
    NamesOfPair { arrangement, family_level, given_level: 0, ..holder }
}

fn measure_place(addresses: &Addresses, a: u32, b: u32) -> u8 {
    match (addresses.place(a), addresses.place(b)) {
        (Some(a), Some(b)) => place::level(addresses, a, b),
        _ => 0,
    }
}
