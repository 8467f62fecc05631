//! Blocking rules: which properties two records must share to be compared.

use crate::comparison::Measure;
use crate::pattern::Radix;
use crate::records::Normalised;

/// Which view of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum View {
    Written,
    Kana,
}

/// Which part of a date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DatePart {
    Whole,
    Year,
    MonthDay,
}

/// Which part of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlacePart {
    Town,
    Building,
}

/// A property of a record that a key is made of. Numbers are those of comparisons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyPart {
    Family(View),
    Given(View),
    Whole(View),
    Date(DatePart, usize),
    Place(PlacePart, usize),
    /// A value, loosely.
    Value(usize),
}

impl KeyPart {
    /// Whether both are parts of one date.
    fn is_of_the_date_of(self, other: Self) -> bool {
        matches!((self, other), (Self::Date(_, one), Self::Date(_, another)) if one == another)
    }

    /// Whether it is a name as read, or a part of one.
    pub(super) fn is_as_read(self) -> bool {
        matches!(self, Self::Family(View::Kana) | Self::Given(View::Kana) | Self::Whole(View::Kana))
    }

    pub(super) fn describe(self, side: &Normalised) -> String {
        let view = |view: View| match view {
            View::Written => "as written",
            View::Kana => "as read",
        };
        let comparison = |index: usize| &*side.comparisons[index].name;
        match self {
            Self::Family(of) => format!("family name {}", view(of)),
            Self::Given(of) => format!("given name {}", view(of)),
            Self::Whole(of) => format!("whole name {}", view(of)),
            Self::Date(DatePart::Year, index) => format!("year of {}", comparison(index)),
            Self::Date(DatePart::MonthDay, index) => {
                format!("month and day of {}", comparison(index))
            }
            Self::Place(PlacePart::Town, _) => "town".to_owned(),
            Self::Place(PlacePart::Building, _) => "town and house number".to_owned(),
            Self::Date(DatePart::Whole, index) | Self::Value(index) => comparison(index).to_owned(),
        }
    }
}

/// Records that agree on all parts are candidates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BlockingRule {
    pub(crate) parts: Vec<KeyPart>,
    /// Larger blocks of the register are left to the other rules.
    pub(crate) block_records_max: usize,
}

/// No rule compares a line with more records than this by one key.
const BLOCK_MAX: usize = 5_000;

/// A single property that more records share than this tells too little.
pub(super) const SINGLE_BLOCK_MAX: usize = 40;

/// Of residents with one name, a line that agrees in nothing else means none more than another.
const NAMESAKES_MAX: usize = 12;

/// Of residents of one town who were born on one day, a line with another name means none more than another. In a small
/// register they are one or two, in a large one dozens, and whoever has half of a name right is found by other rules. A line
/// for which these find nobody is still compared with all of them.
const BIRTHMATES_MAX: usize = 3;

/// What somebody whom a rule finds shares with the line beside the date of birth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shown(u8);

impl Shown {
    pub(super) const NOTHING: Self = Self(0);
    const FAMILY: Self = Self(1);
    const GIVEN: Self = Self(2);
    const HOUSE: Self = Self(4);
    const ENOUGH: Self = Self(Self::FAMILY.0 | Self::GIVEN.0 | Self::HOUSE.0);

    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is both halves of the name and the house.
    pub(super) fn is_enough(self) -> bool {
        self == Self::ENOUGH
    }
}

impl BlockingRule {
    fn new(parts: &[KeyPart]) -> Self {
        let block_records_max = if parts.len() == 1 { SINGLE_BLOCK_MAX } else { BLOCK_MAX };
        Self { parts: parts.to_vec(), block_records_max }
    }

    /// The same rule with one more property.
    pub(super) fn with(&self, part: KeyPart) -> Self {
        let parts: Vec<KeyPart> = self.parts.iter().copied().chain([part]).collect();
        Self::new(&parts)
    }

    /// Whether the rules ask for the same, in any order.
    pub(super) fn same_parts(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self.parts.iter().all(|part| other.parts.contains(part))
    }

    /// What the rule shows of whom it finds beside the date of birth; nothing where it asks for anything else.
    pub(super) fn shows(&self) -> Shown {
        match self.parts[..] {
            [KeyPart::Date(DatePart::Whole, _), KeyPart::Family(_)] => Shown::FAMILY,
            [KeyPart::Date(DatePart::Whole, _), KeyPart::Given(_)] => Shown::GIVEN,
            [KeyPart::Date(DatePart::Whole, _), KeyPart::Place(PlacePart::Building, _)] => {
                Shown::HOUSE
            }
            _ => Shown::NOTHING,
        }
    }

    /// What the rule asks for, in words.
    pub(crate) fn describe(&self, side: &Normalised) -> String {
        let parts = self.parts.iter().map(|part| part.describe(side));
        parts.collect::<Vec<_>>().join(" + ")
    }
}

/// The rules for these comparisons.
pub(crate) fn rules(side: &Normalised) -> Vec<BlockingRule> {
    // Every two fields make a rule. More fields than a pattern holds are refused by whoever compares, and until then they
    // must not cost their square.
    let levels = side.comparisons.iter().map(|comparison| comparison.measure.levels().len());
    if Radix::new(levels).is_err() {
        return Vec::new();
    }
    let find = |wanted: fn(&Measure) -> bool| {
        side.comparisons.iter().position(|comparison| wanted(&comparison.measure))
    };
    let date = find(|measure| matches!(measure, Measure::Date { .. }));
    let place = find(|measure| matches!(measure, Measure::Place { .. }));
    match (side.has_names(), date, place) {
        (true, Some(date), Some(place)) => resident_rules(&views(side), date, place),
        _ => other_rules(side, &views(side)),
    }
}

/// The views of names that the register has, the surer one for finding people first.
fn views(side: &Normalised) -> Vec<View> {
    if side.records.alone().has_readings {
        vec![View::Kana, View::Written]
    } else {
        vec![View::Written]
    }
}

/// Names, a date of birth and a place: whoever has two of the three right is found, and whoever has a whole name that few
/// others have. People who moved and have a wrong date of birth share their name and a part of the date.
fn resident_rules(views: &[View], date: usize, place: usize) -> Vec<BlockingRule> {
    let birth = KeyPart::Date(DatePart::Whole, date);
    let building = KeyPart::Place(PlacePart::Building, place);
    let town = KeyPart::Place(PlacePart::Town, place);
    let mut rules = Vec::new();
    let mut add = |parts: &[KeyPart]| rules.push(BlockingRule::new(parts));
    views.iter().for_each(|&view| add(&[birth, KeyPart::Family(view)]));
    views.iter().for_each(|&view| add(&[birth, KeyPart::Given(view)]));
    for &view in views {
        add(&[KeyPart::Whole(view), KeyPart::Date(DatePart::Year, date)]);
        add(&[KeyPart::Whole(view), KeyPart::Date(DatePart::MonthDay, date)]);
    }
    views.iter().for_each(|&view| add(&[building, KeyPart::Given(view)]));
    views.iter().for_each(|&view| add(&[KeyPart::Whole(view), town]));
    add(&[birth, building]);
    rules.push(BlockingRule { parts: vec![birth, town], block_records_max: BIRTHMATES_MAX });
    rules.extend(views.iter().map(|&view| BlockingRule {
        parts: vec![KeyPart::Whole(view)],
        block_records_max: NAMESAKES_MAX,
    }));
    rules
}

/// Records of any other shape: every two fields together, and every field alone where few records share its value.
fn other_rules(side: &Normalised, views: &[View]) -> Vec<BlockingRule> {
    let mut parts: Vec<KeyPart> = Vec::new();
    for (index, comparison) in side.comparisons.iter().enumerate() {
        match &comparison.measure {
            Measure::Text { .. } | Measure::Identifier { .. } | Measure::Category { .. } => {
                parts.push(KeyPart::Value(index));
            }
            Measure::Date { .. } => {
                // Of people of the past often the year alone is known.
                parts.push(KeyPart::Date(DatePart::Whole, index));
                parts.push(KeyPart::Date(DatePart::Year, index));
            }
            Measure::Place { .. } => parts.push(KeyPart::Place(PlacePart::Building, index)),
            Measure::Family => parts.extend(views.iter().map(|&view| KeyPart::Family(view))),
            Measure::Given => parts.extend(views.iter().map(|&view| KeyPart::Given(view))),
            Measure::Arrangement | Measure::Sex { .. } => {}
        }
    }
    let mut rules = Vec::new();
    for (i, &first) in parts.iter().enumerate() {
        let others = parts[i + 1..].iter().filter(|&&second| !first.is_of_the_date_of(second));
        rules.extend(others.map(|&second| BlockingRule::new(&[first, second])));
    }
    if side.has_names() {
        rules.extend(views.iter().map(|&view| BlockingRule::new(&[KeyPart::Whole(view)])));
    }
    rules.extend(parts.iter().map(|&part| BlockingRule::new(&[part])));
    rules
}
