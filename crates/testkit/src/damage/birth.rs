//! Damage to birth dates: wrong days, and right days in ten notations.

use super::Damage;
use crate::date::{Date, REFERENCE_DATE};
use crate::names::full_width;
use crate::rates::Class;

/// Notations of a date other than the register's.
#[derive(Clone, Copy)]
enum Notation {
    Slashes { padded: bool },
    Digits,
    EraLetter { padded: bool },
    EraName { wide: bool },
    Kanji,
    EraCode,
    Serial,
    WideDots,
}

/// How often each is used among dates in another notation.
const NOTATIONS: [(u32, Notation); 10] = [
    (16, Notation::Slashes { padded: true }),
    (16, Notation::Slashes { padded: false }),
    (12, Notation::Digits),
    (12, Notation::EraLetter { padded: true }),
    (13, Notation::EraLetter { padded: false }),
    (12, Notation::EraName { wide: false }),
    (4, Notation::EraName { wide: true }),
    (7, Notation::Kanji),
    (4, Notation::EraCode),
    (4, Notation::Serial),
];
/// One more, rare.
const WIDE_DOTS_PERCENT: u32 = 3;

impl Damage<'_> {
    /// The birth date as it stands on the line.
    pub(super) fn birth(&mut self) -> String {
        if self.strikes(Class::BirthMissing, true) {
            return String::new();
        }
        let date = self.wrong_birth(self.subject.person.birth_date());
        if !self.strikes(Class::BirthNotation, true) {
            return format!("{:04}-{:02}-{:02}", date.year, date.month, date.day);
        }
        let notation = match self.chance.percent(WIDE_DOTS_PERCENT) {
            true => Notation::WideDots,
            false => self.chance.weighted(&NOTATIONS),
        };
        written(date, notation)
    }

    /// The date after at most one error.
    fn wrong_birth(&mut self, date: Date) -> Date {
        let first_of_january = Date { month: 1, day: 1, ..date };
        let swappable = date.day <= 12 && date.day != date.month;
        if self.strikes(Class::BirthFirst, first_of_january != date) {
            first_of_january
        } else if self.strikes(Class::BirthSwap, swappable) {
            Date { month: date.day, day: date.month, ..date }
        } else if self.strikes(Class::BirthYear, true) {
            self.wrong_year(date)
        } else if self.strikes(Class::BirthTypo, true) {
            self.wrong_digit(date)
        } else {
            date
        }
    }

    fn wrong_year(&mut self, date: Date) -> Date {
        let (era, year_of_era) = date.era();
        for _ in 0..20 {
            let year = u32::from(date.year);
            let other = match self.chance.below(10) {
                0..3 => year + 1,
                3..6 => year - 1,
                6 => year + 10,
                7 => year - 10,
                // The year of another era: 昭和 5 for 平成 5.
                _ => {
                    let first_years = [(5, 2019), (4, 1989), (3, 1926), (2, 1912)];
                    let (code, first) = self.chance.pick(&first_years);
                    if code == era.code { year + 1 } else { first + year_of_era - 1 }
                }
            };
            let other = Date::new(other, u32::from(date.month), u32::from(date.day));
            if let Some(other) = plausible(other, date) {
                return other;
            }
        }
        Date { year: date.year - 1, day: date.day.min(28), ..date }
    }

    fn wrong_digit(&mut self, date: Date) -> Date {
        for _ in 0..40 {
            let mut digits: Vec<u32> = [
                u32::from(date.year) / 10 % 10,
                u32::from(date.year) % 10,
                u32::from(date.month) / 10,
                u32::from(date.month) % 10,
                u32::from(date.day) / 10,
                u32::from(date.day) % 10,
            ]
            .to_vec();
            let at = self.chance.index(digits.len());
            digits[at] = self.chance.below(10);
            let year = u32::from(date.year) / 100 * 100 + digits[0] * 10 + digits[1];
            let other = Date::new(year, digits[2] * 10 + digits[3], digits[4] * 10 + digits[5]);
            if let Some(other) = plausible(other, date) {
                return other;
            }
        }
        Date { day: if date.day == 1 { 2 } else { date.day - 1 }, ..date }
    }
}

/// The other date, when it is another one on which somebody alive can be born.
fn plausible(other: Option<Date>, date: Date) -> Option<Date> {
    other.filter(|other| *other != date && other.year >= 1912 && *other <= REFERENCE_DATE)
}

fn written(date: Date, notation: Notation) -> String {
    let Date { year, month, day } = date;
    let (era, year_of_era) = date.era();
    // The first year of an era is 元年 on most forms.
    let counted = if year_of_era == 1 { "元".to_owned() } else { year_of_era.to_string() };
    match notation {
        Notation::Slashes { padded: true } => format!("{year}/{month:02}/{day:02}"),
        Notation::Slashes { padded: false } => format!("{year}/{month}/{day}"),
        Notation::Digits => format!("{year:04}{month:02}{day:02}"),
        Notation::EraLetter { padded: true } => {
            format!("{}{year_of_era:02}.{month:02}.{day:02}", era.letter)
        }
        Notation::EraLetter { padded: false } => format!("{}{counted}.{month}.{day}", era.letter),
        Notation::EraName { wide: false } => format!("{}{counted}年{month}月{day}日", era.name),
        Notation::EraName { wide: true } => {
            full_width(&format!("{}{counted}年{month}月{day}日", era.name))
        }
        Notation::Kanji => format!("{year}年{month}月{day}日"),
        Notation::EraCode => format!("{}{year_of_era:02}{month:02}{day:02}", era.code),
        Notation::Serial => date.serial().to_string(),
        Notation::WideDots => full_width(&format!("{year}.{month}.{day}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_in_all_notations() {
        let day = Date { year: 1975, month: 1, day: 25 };
        let notations = NOTATIONS.map(|(_, notation)| written(day, notation));
        assert_eq!(
            notations,
            [
                "1975/01/25",
                "1975/1/25",
                "19750125",
                "S50.01.25",
                "S50.1.25",
                "昭和50年1月25日",
                "昭和５０年１月２５日",
                "1975年1月25日",
                "3500125",
                "27419",
            ]
        );
        let first = Date { year: 2019, month: 5, day: 2 };
        assert_eq!(written(first, Notation::EraName { wide: false }), "令和元年5月2日");
    }
}
