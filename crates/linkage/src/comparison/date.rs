//! Dates of birth: exact, slipped, or merely alike.

/// A date of which parts may be unknown.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct DateForm {
    pub(crate) year: Option<i16>,
    pub(crate) month: Option<u8>,
    pub(crate) day: Option<u8>,
}

impl DateForm {
    fn complete(self) -> Option<(i16, u8, u8)> {
        Some((self.year?, self.month?, self.day?))
    }
}

/// Years by which a date slips when somebody mistakes the year by one, the decade or the century, the era (昭和 for 平成
/// 63, 大正 for 平成 77, 昭和 for 令和 93, 大正 for 令和 107) or the year of an era for that of the century (平成 88,
/// 令和 18).
const SLIPS: [u16; 8] = [1, 10, 63, 77, 88, 93, 100, 107];

/// Slips that may as well be the years between parent and child (大正 for 昭和 14, 令和 for a year 18, decades 20, 30 and
/// 40, 昭和 for a year of the century 25, 平成 for 令和 30, 明治 for 大正 44).
const SLIPS_OR_GENERATIONS: [u16; 7] = [14, 18, 20, 25, 30, 40, 44];

/// Years between parent and child.
const GENERATION: std::ops::RangeInclusive<u16> = 15..=50;

/// The level of [`super::level::DATE`] for two dates.
pub(crate) fn level(a: DateForm, b: DateForm) -> u8 {
    let (Some(a), Some(b)) = (a.complete(), b.complete()) else {
        return partial_level(a, b);
    };
    let ((ay, am, ad), (by, bm, bd)) = (a, b);
    match (ay == by, am == bm, ad == bd) {
        (true, true, true) => 1,
        (true, ..) if am == bd && ad == bm => 2,
        (false, true, true) => match ay.abs_diff(by) {
            slip if SLIPS.contains(&slip) => 3,
            slip if SLIPS_OR_GENERATIONS.contains(&slip) => 4,
            years if GENERATION.contains(&years) => 5,
            _ if one_digit_off(a, b) => 6,
            _ => 11,
        },
        (true, ..) if one_digit_off(a, b) => 7,
        (true, ..) if (am, ad) == (1, 1) || (bm, bd) == (1, 1) => 9,
        (true, true, false) => 10,
        (true, false, true) => 12,
        _ => 13,
    }
}

/// Unknown parts say nothing; a year alone or a month alone is too little to call equal.
fn partial_level(a: DateForm, b: DateForm) -> u8 {
    fn agree<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<bool> {
        Some(a? == b?)
    }
    let answers = [agree(a.year, b.year), agree(a.month, b.month), agree(a.day, b.day)];
    if answers.iter().all(Option::is_none) {
        0
    } else if answers.contains(&Some(false)) {
        13
    } else {
        8
    }
}

fn digits((year, month, day): (i16, u8, u8)) -> [u8; 8] {
    let mut digits = [0; 8];
    let mut rest =
        u32::from(year.unsigned_abs()) * 10_000 + u32::from(month) * 100 + u32::from(day);
    for digit in digits.iter_mut().rev() {
        *digit = (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

/// One of the eight digits differs, or two neighbours are exchanged.
fn one_digit_off(a: (i16, u8, u8), b: (i16, u8, u8)) -> bool {
    let (a, b) = (digits(a), digits(b));
    let mut unlike = (0..8).filter(|&i| a[i] != b[i]);
    match (unlike.next(), unlike.next(), unlike.next()) {
        (Some(_), None, _) => true,
        (Some(i), Some(j), None) => j == i + 1 && a[i] == b[j] && a[j] == b[i],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::level::DATE;
    use super::*;

    fn date(text: &str) -> DateForm {
        let mut parts = text.split('-').map(|part| part.parse::<i16>().ok());
        let mut next = || parts.next().flatten();
        DateForm {
            year: next(),
            month: next().and_then(|month| u8::try_from(month).ok()),
            day: next().and_then(|day| u8::try_from(day).ok()),
        }
    }

    #[test]
    fn slips_are_told_apart() {
        for (a, b, name) in [
            ("1980-04-24", "1980-04-24", "equal"),
            ("1980-04-11", "1980-11-04", "day and month exchanged"),
            ("1950-03-02", "2013-03-02", "year slipped"),
            ("1950-03-02", "1975-03-02", "year slipped by an era or a generation"),
            ("1950-03-02", "1972-03-02", "a generation apart"),
            ("1929-01-28", "2022-01-28", "year slipped"),
            ("1950-03-02", "1970-03-02", "year slipped by an era or a generation"),
            ("1980-04-24", "1980-04-21", "one digit of month or day off"),
            ("1980-04-24", "1980-11-24", "year and day equal"),
            ("1980-04-24", "1908-04-24", "one digit of the year off"),
            ("1980-04-24", "1983-04-24", "one digit of the year off"),
            ("1980-04-24", "1928-04-24", "another year"),
            ("1980-04-24", "1980-01-01", "placeholder of the year"),
            ("1980-04-24", "1980-04-13", "another day of the month"),
            ("1980-04-24", "1955-09-30", "different"),
            ("1945-?-?", "1945-09-30", "equal as far as known"),
            ("1945-?-?", "1946-09-30", "different"),
            ("?-?-?", "1946-09-30", "missing"),
        ] {
            assert_eq!(DATE[usize::from(level(date(a), date(b)))].name, name, "{a} {b}");
            assert_eq!(level(date(a), date(b)), level(date(b), date(a)), "{a} {b}");
        }
    }

    proptest! {
        /// Of eight digits against eight, one edit replaces a digit or exchanges two.
        #[test]
        fn one_digit_off_is_one_edit_of_the_digits(
            (year, month, day) in (1i16..=9_999, 1u8..=12, 1u8..=31),
            at in 0usize..8,
            digit in 0u8..10,
            exchanged in any::<bool>(),
            other in (1i16..=9_999, 1u8..=12, 1u8..=31),
        ) {
            let text = |(year, month, day): (i16, u8, u8)| format!("{year:04}{month:02}{day:02}");
            let date = (year, month, day);
            let mut letters = text(date).into_bytes();
            if exchanged { letters.swap(at, (at + 1) % 8) } else { letters[at] = b'0' + digit }
            let damaged = String::from_utf8(letters).expect("digits");
            let part = |range: std::ops::Range<usize>| damaged[range].parse::<i16>().expect("digits");
            let narrow = |number: i16| u8::try_from(number).expect("two digits");
            let damaged = (part(0..4), narrow(part(4..6)), narrow(part(6..8)));
            for other in [damaged, other, date] {
                let distance = strsim::osa_distance(&text(date), &text(other));
                prop_assert_eq!(one_digit_off(date, other), distance == 1, "{:?} {:?}", date, other);
            }
        }
    }
}
