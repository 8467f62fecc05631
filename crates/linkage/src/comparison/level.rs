//! Comparison levels: the ordered answers a comparison can give, and what is believed of them before any data is seen.
//!
//! Level 0 of every comparison is "no evidence": one side is missing or unreadable, so the pair learns nothing. The
//! other levels fall into groups by what was there to compare (both views of a name, one, or one against the other);
//! probabilities sum to one within a group.

/// What is believed of a level before data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LevelPrior {
    /// Name in model files, reports and explanations.
    pub(crate) name: &'static str,
    /// Which levels it shares its sum with; 0 only for level 0.
    pub(crate) group: u8,
    /// P(level | the same person).
    pub(crate) m: f64,
    /// P(level | two unrelated people); replaced by what the register shows, as far as it shows anything.
    pub(crate) u: f64,
    /// P(level | two people of one household).
    pub(crate) relative: f64,
    /// P(level | a stranger of the same name and much the same birthday).
    pub(crate) namesake: f64,
    /// P(level | an elder or younger relative of the same name in the same household).
    pub(crate) elder: f64,
}

const fn level(
    name: &'static str,
    group: u8,
    m: f64,
    u: f64,
    relative: f64,
    namesake: f64,
    elder: f64,
) -> LevelPrior {
    LevelPrior { name, group, m, u, relative, namesake, elder }
}

const MISSING: LevelPrior = level("missing", 0, 1.0, 1.0, 1.0, 1.0, 1.0);

/// How a written part compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Written {
    Missing,
    Equal,
    /// A lost letter, a cut end, a weak variant, one slip in a longer word.
    Near,
    /// Shares most letters.
    Similar,
    Different,
}

/// How a part as read compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Read {
    Missing,
    Equal,
    /// Equal but for voicing, long vowels and small kana.
    Near,
    /// One slip, or a cut end.
    Similar,
    Different,
}

/// How a part that one side gives as written alone compares with the reading that the other side gives alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Across {
    /// Nothing is known of how the part is read.
    Unknown,
    /// Many of those who are written so read it so.
    Usual,
    /// Few of them do.
    Rare,
    /// One slip from a known reading, or equal but for voicing, long vowels and small kana.
    Near,
    /// No known reading is near.
    Other,
}

/// The level of a part that the two sides give in different views.
pub(crate) const fn across_level(across: Across) -> u8 {
    match across {
        Across::Unknown => 0,
        Across::Usual | Across::Rare | Across::Near | Across::Other => {
            part_level(Written::Different, Read::Different) + across as u8
        }
    }
}

/// Levels of a part whose reading is known of what is written.
pub(crate) const USUAL_READING: u8 = across_level(Across::Usual);
pub(crate) const RARE_READING: u8 = across_level(Across::Rare);

/// The level of a part that the line gives as read alone, otherwise than the resident, but as others read what is written of
/// the resident.
pub(crate) const READ_AS_OTHERS: u8 = across_level(Across::Other) + 1;

/// The level of a part of which one side gives the reading alone, and another.
pub(crate) const READ_DIFFERENT: u8 = part_level(Written::Missing, Read::Different);

/// How many levels a part of a name has.
pub(crate) const PART_LEVELS: usize = READ_AS_OTHERS as usize + 1;

/// The level of a part that is `written` and `read`.
pub(crate) const fn part_level(written: Written, read: Read) -> u8 {
    written as u8 * 5 + read as u8
}

/// Which views of a part were held against each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PartViews {
    /// Both, on both sides.
    Both,
    /// What is written, since one side gives no more.
    Written,
    /// What is read, since one side gives no more.
    Read,
    /// What one side writes against what the other reads, or nothing at all.
    Across,
}

/// Which views a level of a part of a name is about.
pub(crate) fn part_views(level: u8) -> PartViews {
    const FIRST_WRITTEN: u8 = part_level(Written::Equal, Read::Missing);
    const FIRST_ACROSS: u8 = across_level(Across::Usual);
    match level {
        0 => PartViews::Across,
        READ_AS_OTHERS => PartViews::Read,
        FIRST_ACROSS.. => PartViews::Across,
        1..FIRST_WRITTEN => PartViews::Read,
        level if level % 5 == Read::Missing as u8 => PartViews::Written,
        _ => PartViews::Both,
    }
}

/// The level of a part that is equal in these views; nothing across views.
pub(crate) fn equal_in(views: PartViews) -> Option<u8> {
    match views {
        PartViews::Both => Some(part_level(Written::Equal, Read::Equal)),
        PartViews::Written => Some(part_level(Written::Equal, Read::Missing)),
        PartViews::Read => Some(part_level(Written::Missing, Read::Equal)),
        PartViews::Across => None,
    }
}

/// Whether a level of a part of a name is about one view alone.
pub(crate) fn is_of_one_view(level: u8) -> bool {
    matches!(part_views(level), PartViews::Written | PartViews::Read)
}

/// The levels that a part would have reached were it only written, and were it only read.
pub(crate) fn in_one_view(level: u8) -> (Option<u8>, Option<u8>) {
    match part_views(level) {
        PartViews::Both => (Some(level - level % 5), Some(level % 5)),
        PartViews::Written => (Some(level), None),
        PartViews::Read if level == READ_AS_OTHERS => (None, Some(READ_DIFFERENT)),
        PartViews::Read => (None, Some(level)),
        PartViews::Across => (None, None),
    }
}

/// The view in which a part is equal, where it is not in the other.
pub(crate) fn equal_view(level: u8) -> Option<PartViews> {
    const WRITTEN_EQUAL: u8 = part_level(Written::Equal, Read::Missing);
    const READ_EQUAL: u8 = part_level(Written::Missing, Read::Equal);
    if part_views(level) != PartViews::Both {
        return None;
    }
    match (level - level % 5, level % 5) {
        (WRITTEN_EQUAL, READ_EQUAL) => None,
        (WRITTEN_EQUAL, _) => Some(PartViews::Written),
        (_, READ_EQUAL) => Some(PartViews::Read),
        _ => None,
    }
}

/// Whether a part of a name is missing, or equal in every view there is.
pub(crate) fn is_equal_name(level: u8) -> bool {
    const MISSING: u8 = part_level(Written::Missing, Read::Missing);
    const READ: u8 = part_level(Written::Missing, Read::Equal);
    const WRITTEN: u8 = part_level(Written::Equal, Read::Missing);
    const BOTH: u8 = part_level(Written::Equal, Read::Equal);
    matches!(level, MISSING | READ | WRITTEN | BOTH | USUAL_READING | RARE_READING)
}

/// Whether a part of a name is another one in every view there is.
pub(crate) fn is_other_name(level: u8) -> bool {
    const READ: u8 = part_level(Written::Missing, Read::Different);
    const WRITTEN: u8 = part_level(Written::Different, Read::Missing);
    const BOTH: u8 = part_level(Written::Different, Read::Different);
    const ACROSS: u8 = across_level(Across::Other);
    matches!(level, READ | WRITTEN | BOTH | ACROSS)
}

/// A family name in both views.
pub(crate) const FAMILY: &[LevelPrior] = &[
    MISSING,
    level("reading equal", 3, 0.93, 0.006, 0.94, 0.97, 0.97),
    level("reading near", 3, 0.025, 0.0025, 0.006, 0.012, 0.012),
    level("reading similar", 3, 0.012, 0.009, 0.008, 0.006, 0.006),
    level("reading different", 3, 0.023, 0.9815, 0.043, 0.008, 0.008),
    level("written equal", 2, 0.953, 0.005, 0.945, 0.97, 0.97),
    level("both equal", 1, 0.893, 0.004, 0.92, 0.955, 0.955),
    level("written equal, reading near", 1, 0.02, 0.0001, 0.005, 0.008, 0.008),
    level("written equal, reading similar", 1, 0.008, 0.0001, 0.005, 0.004, 0.004),
    level("written equal, reading different", 1, 0.032, 0.0003, 0.012, 0.01, 0.01),
    level("written near", 2, 0.025, 0.0015, 0.006, 0.012, 0.012),
    level("written near, reading equal", 1, 0.021, 0.0003, 0.006, 0.008, 0.008),
    level("written near, reading near", 1, 0.0006, 0.0001, 0.0004, 0.0004, 0.0004),
    level("written near, reading similar", 1, 0.0004, 0.0001, 0.0004, 0.0004, 0.0004),
    level("written near, reading different", 1, 0.0015, 0.001, 0.0008, 0.0006, 0.0006),
    level("written similar", 2, 0.007, 0.03, 0.005, 0.006, 0.006),
    level("written similar, reading equal", 1, 0.006, 0.0005, 0.002, 0.004, 0.004),
    level("written similar, reading near", 1, 0.0003, 0.0005, 0.0003, 0.0003, 0.0003),
    level("written similar, reading similar", 1, 0.0003, 0.002, 0.0006, 0.0003, 0.0003),
    level("written similar, reading different", 1, 0.0009, 0.03, 0.003, 0.0006, 0.0006),
    level("written different", 2, 0.015, 0.9635, 0.044, 0.012, 0.012),
    level("written different, reading equal", 1, 0.002, 0.0015, 0.001, 0.002, 0.002),
    level("written different, reading near", 1, 0.0003, 0.0015, 0.0005, 0.0003, 0.0003),
    level("written different, reading similar", 1, 0.0006, 0.007, 0.001, 0.0005, 0.0005),
    level("both different", 1, 0.013, 0.95, 0.041, 0.005, 0.005),
    level("usual reading of the written", 4, 0.925, 0.006, 0.93, 0.965, 0.965),
    level("rare reading of the written", 4, 0.013, 0.002, 0.012, 0.01, 0.01),
    level("near a reading of the written", 4, 0.03, 0.011, 0.012, 0.012, 0.012),
    level("no reading of the written", 4, 0.032, 0.981, 0.046, 0.013, 0.013),
    level("reading known of the same letters", 3, 0.01, 0.001, 0.003, 0.004, 0.004),
];

/// A given name in both views.
pub(crate) const GIVEN: &[LevelPrior] = &[
    MISSING,
    level("reading equal", 3, 0.915, 0.002, 0.006, 0.97, 0.15),
    level("reading near", 3, 0.028, 0.004, 0.008, 0.012, 0.05),
    level("reading similar", 3, 0.018, 0.014, 0.035, 0.006, 0.25),
    level("reading different", 3, 0.017, 0.978, 0.948, 0.005, 0.545),
    level("written equal", 2, 0.953, 0.001, 0.003, 0.97, 0.13),
    level("both equal", 1, 0.886, 0.0007, 0.0005, 0.955, 0.12),
    level("written equal, reading near", 1, 0.022, 0.0001, 0.0002, 0.008, 0.005),
    level("written equal, reading similar", 1, 0.012, 0.0001, 0.0002, 0.005, 0.005),
    level("written equal, reading different", 1, 0.038, 0.0003, 0.001, 0.01, 0.01),
    level("written near", 2, 0.025, 0.003, 0.006, 0.012, 0.04),
    level("written near, reading equal", 1, 0.02, 0.0003, 0.001, 0.008, 0.02),
    level("written near, reading near", 1, 0.0008, 0.0001, 0.0004, 0.0004, 0.005),
    level("written near, reading similar", 1, 0.0008, 0.0003, 0.0008, 0.0004, 0.01),
    level("written near, reading different", 1, 0.0015, 0.002, 0.004, 0.0006, 0.02),
    level("written similar", 2, 0.01, 0.04, 0.1, 0.006, 0.47),
    level("written similar, reading equal", 1, 0.009, 0.0005, 0.002, 0.004, 0.035),
    level("written similar, reading near", 1, 0.0004, 0.0008, 0.002, 0.0003, 0.02),
    level("written similar, reading similar", 1, 0.00015, 0.003, 0.009, 0.0003, 0.1),
    level("written similar, reading different", 1, 0.0009, 0.04, 0.09, 0.0006, 0.3),
    level("written different", 2, 0.012, 0.956, 0.891, 0.012, 0.36),
    level("written different, reading equal", 1, 0.003, 0.001, 0.002, 0.002, 0.04),
    level("written different, reading near", 1, 0.0004, 0.003, 0.005, 0.0003, 0.02),
    level("written different, reading similar", 1, 0.0006, 0.012, 0.03, 0.0005, 0.06),
    level("both different", 1, 0.0042, 0.9362, 0.85, 0.0046, 0.23),
    level("usual reading of the written", 4, 0.86, 0.003, 0.007, 0.92, 0.15),
    level("rare reading of the written", 4, 0.04, 0.002, 0.004, 0.035, 0.02),
    level("near a reading of the written", 4, 0.045, 0.02, 0.044, 0.02, 0.27),
    level("no reading of the written", 4, 0.055, 0.975, 0.945, 0.025, 0.56),
    level("reading known of the same letters", 3, 0.022, 0.002, 0.003, 0.007, 0.005),
];

/// Which of its names the person used. Where a line gives no given name but the account holder's, it may be a relative's:
/// then the name tells less than a name does, and the household is one explanation of it.
pub(crate) const ARRANGEMENT: &[LevelPrior] = &[
    MISSING,
    level("as registered", 1, 0.978, 0.98, 0.99, 0.99, 0.99),
    level("family and given exchanged", 1, 0.008, 0.01, 0.004, 0.004, 0.004),
    level("former name or alias", 1, 0.014, 0.01, 0.006, 0.006, 0.006),
    level("read as the account holder is", 2, 1.0, 1.0, 1.0, 1.0, 1.0),
    level("given name of the account holder alone", 3, 0.85, 0.1, 0.15, 0.85, 0.85),
    level("other given name than the account holder's", 3, 0.15, 0.9, 0.85, 0.15, 0.15),
];

/// Levels of [`ARRANGEMENT`] for a line that gives no given name but the account holder's.
pub(crate) const HOLDER_ALONE: u8 = 5;
pub(crate) const OTHER_THAN_HOLDER: u8 = 6;

/// Whether the account holder alone gives a given name.
pub(crate) fn is_by_holder_alone(arrangement: u8) -> bool {
    matches!(arrangement, HOLDER_ALONE | OTHER_THAN_HOLDER)
}

/// A date of birth.
pub(crate) const DATE: &[LevelPrior] = &[
    MISSING,
    level("equal", 1, 0.962, 0.00004, 0.01, 0.1, 0.001),
    level("day and month exchanged", 1, 0.004, 0.00003, 0.0002, 0.0005, 0.0002),
    level("year slipped", 1, 0.0055, 0.0002, 0.0005, 0.0005, 0.011),
    level("year slipped by an era or a generation", 1, 0.0018, 0.0002, 0.001, 0.0005, 0.14),
    level("a generation apart", 1, 0.0002, 0.0015, 0.002, 0.0005, 0.21),
    level("one digit of the year off", 1, 0.0035, 0.0002, 0.0005, 0.001, 0.028),
    level("one digit of month or day off", 1, 0.0105, 0.0013, 0.0055, 0.05, 0.003),
    level("equal as far as known", 1, 0.003, 0.001, 0.002, 0.001, 0.001),
    level("placeholder of the year", 1, 0.003, 0.0003, 0.0005, 0.001, 0.0008),
    level("another day of the month", 1, 0.0015, 0.0011, 0.003, 0.19, 0.001),
    level("another year", 1, 0.0005, 0.002, 0.005, 0.001, 0.028),
    level("year and day equal", 1, 0.001, 0.0011, 0.003, 0.001, 0.001),
    level("different", 1, 0.003, 0.99105, 0.9668, 0.6535, 0.5768),
];

/// Sex.
pub(crate) const SEX: &[LevelPrior] = &[
    MISSING,
    level("equal", 1, 0.993, 0.5, 0.47, 0.97, 0.97),
    level("different", 1, 0.007, 0.5, 0.53, 0.03, 0.03),
];

/// Where somebody lives: town, numbers, room and postal code together, since each implies the others.
pub(crate) const PLACE: &[LevelPrior] = &[
    MISSING,
    level("same place", 1, 0.78, 0.0002, 0.78, 0.0002, 0.78),
    level("same building, room missing", 1, 0.125, 0.0002, 0.125, 0.0002, 0.125),
    level("same building, other room", 1, 0.001, 0.0002, 0.001, 0.0002, 0.001),
    level("same town, numbers near", 1, 0.018, 0.002, 0.018, 0.002, 0.018),
    level("same numbers, town unlike", 1, 0.003, 0.0005, 0.003, 0.0005, 0.003),
    level("same town", 1, 0.006, 0.03, 0.006, 0.03, 0.006),
    level("same postal code", 1, 0.007, 0.005, 0.007, 0.005, 0.007),
    level("former place", 1, 0.005, 0.0002, 0.005, 0.0002, 0.005),
    level("different", 1, 0.045, 0.9609, 0.045, 0.9609, 0.045),
    level("same place, repaired", 1, 0.009, 0.00004, 0.009, 0.00004, 0.009),
    level("same postal code, repaired", 1, 0.001, 0.001, 0.001, 0.001, 0.001),
];

/// The level of [`PLACE`] for two equal places, one of them read from a value that a spreadsheet had damaged.
pub(crate) const PLACE_REPAIRED: u8 = 10;
/// The level of [`PLACE`] for two equal postal codes where there is no more, one of them with its zero put back.
pub(crate) const POSTAL_REPAIRED: u8 = 11;

/// The level of a place where the resident's former place has been compared too.
pub(crate) fn or_former_place(current: u8, former: u8) -> u8 {
    let weak = current >= 6 && current != PLACE_REPAIRED;
    if weak && ((1..=4).contains(&former) || former == PLACE_REPAIRED) { 8 } else { current }
}

/// Raises the chances of levels of [`PLACE`] that pairs of residents cannot show, because only lists are damaged or lack an
/// address. Left alone they would look impossible, and weigh more than the clean value.
///
/// A repaired value can be read in more ways than one, hence the factor.
pub(crate) fn raise_what_registers_lack(u: &mut [f64]) {
    const READINGS: f64 = 4.0;
    let (same_place, same_building) = (u[1], u[1] + u[2] + u[3]);
    let same_town = same_building + u[4] + u[6];
    let mut raise = |level: usize, chance: f64| u[level] = u[level].max(chance);
    raise(usize::from(PLACE_REPAIRED), READINGS * PLACE[10].m * same_place);
    // Who lives in the same town has the same postal code.
    raise(7, PLACE[7].m * same_town);
    raise(usize::from(POSTAL_REPAIRED), 2.0 * PLACE[11].m * same_town);
    raise(8, PLACE[8].m * same_building);
}

/// Free or short text of any language.
pub(crate) const TEXT: &[LevelPrior] = &[
    MISSING,
    level("equal", 1, 0.80, 0.01, 0.01, 0.01, 0.01),
    level("near", 1, 0.10, 0.005, 0.005, 0.005, 0.005),
    level("similar", 1, 0.04, 0.02, 0.02, 0.02, 0.02),
    level("different", 1, 0.06, 0.965, 0.965, 0.965, 0.965),
];

/// Numbers and codes that name something.
pub(crate) const IDENTIFIER: &[LevelPrior] = &[
    MISSING,
    level("equal", 1, 0.88, 0.0001, 0.0001, 0.0001, 0.0001),
    level("one edit off", 1, 0.06, 0.0002, 0.0002, 0.0002, 0.0002),
    level("different", 1, 0.06, 0.9997, 0.9997, 0.9997, 0.9997),
];

/// One of a few values.
pub(crate) const CATEGORY: &[LevelPrior] = &[
    MISSING,
    level("equal", 1, 0.92, 0.1, 0.1, 0.1, 0.1),
    level("different", 1, 0.08, 0.9, 0.9, 0.9, 0.9),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priors_sum_to_one_within_each_group() {
        for table in [FAMILY, GIVEN, ARRANGEMENT, DATE, SEX, PLACE, TEXT, IDENTIFIER, CATEGORY] {
            let groups: std::collections::BTreeSet<u8> =
                table.iter().skip(1).map(|level| level.group).collect();
            for group in groups {
                let sum = |of: fn(&LevelPrior) -> f64| {
                    table.iter().filter(|level| level.group == group).map(of).sum::<f64>()
                };
                let name = table[1].name;
                for (what, total) in [
                    ("m", sum(|level| level.m)),
                    ("u", sum(|level| level.u)),
                    ("relative", sum(|level| level.relative)),
                    ("namesake", sum(|level| level.namesake)),
                    ("elder", sum(|level| level.elder)),
                ] {
                    assert!((total - 1.0).abs() < 0.02, "{name} group {group} {what}: {total}");
                }
            }
        }
    }

    #[test]
    fn levels_of_one_group_are_about_the_same_views_of_a_name() {
        for table in [FAMILY, GIVEN] {
            assert_eq!(table.len(), PART_LEVELS);
            for (number, level) in (0u8..).zip(table).skip(1) {
                let views = match level.group {
                    1 => PartViews::Both,
                    2 => PartViews::Written,
                    3 => PartViews::Read,
                    _ => PartViews::Across,
                };
                assert_eq!(part_views(number), views, "{}", level.name);
                let equal = equal_in(views).map(|equal| table[usize::from(equal)].name);
                let is_equal =
                    matches!(level.name, "both equal" | "written equal" | "reading equal");
                assert_eq!(equal == Some(level.name), is_equal, "{}", level.name);
            }
        }
    }

    #[test]
    fn what_is_equal_in_one_view_alone_is_so_by_name() {
        for (number, level) in (0u8..).zip(GIVEN) {
            let view = match level.name {
                name if name.starts_with("written equal, ") => Some(PartViews::Written),
                name if name.ends_with(", reading equal") => Some(PartViews::Read),
                _ => None,
            };
            assert_eq!(equal_view(number), view, "{}", level.name);
        }
    }

    #[test]
    fn a_level_in_one_view_says_what_the_level_in_both_said_of_it() {
        let name = |level: Option<u8>| level.map(|level| GIVEN[usize::from(level)].name);
        for (number, level) in (0u8..).zip(GIVEN) {
            if let Some((written, read)) = level.name.split_once(", ") {
                let (of_written, of_read) = in_one_view(number);
                assert_eq!((name(of_written), name(of_read)), (Some(written), Some(read)));
            }
        }
        assert_eq!(name(in_one_view(READ_AS_OTHERS).1), Some("reading different"));
    }
}
