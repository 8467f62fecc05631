//! Year, month and day as they come out of the tokens, and the checks that make a date of them.
//!
//! Invariant: [`Parts::finish`] is the only way to a [`PartialDate`] from text, so every form obeys the same calendar.

use super::calendar::{self, Era};
use super::token::Token;
use super::{DateForm, DateReading, PartialDate, Why};

/// One part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Not written.
    Absent,
    /// Written as unknown.
    Unknown,
    /// A number and how many digits it was written with.
    Known(u64, u8),
}

/// The parts of one date, not yet checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// Year, month, day.
    pub(crate) parts: [Part; 3],
    /// The era the year counts in; none for a western year.
    pub(crate) era: Option<Era>,
    /// Whether anything said so far makes it an estimate.
    pub(crate) approximate: bool,
    /// How it was written.
    pub(crate) form: DateForm,
}

impl Parts {
    /// No part written yet.
    pub(crate) fn new(form: DateForm) -> Self {
        Self { parts: [Part::Absent; 3], era: None, approximate: false, form }
    }

    /// Checks the parts against eras and calendar.
    pub(crate) fn finish(self) -> DateReading {
        match self.checked() {
            Ok(Some(date)) => DateReading::Read(date),
            Ok(None) => DateReading::Missing,
            Err(why) => DateReading::Unreadable(why),
        }
    }

    fn checked(self) -> Result<Option<PartialDate>, Why> {
        let [year, month, day] = self.parts;
        if self.parts == [Part::Absent; 3] {
            return Err(Why::NotADate);
        }
        // 9999-12-31 and 0001-01-01 are what programs write for "never"; 1899-12-30 and 1900-01-00 are a spreadsheet's
        // empty cell.
        if self.era.is_none()
            && matches!(
                (number(year), number(month), number(day)),
                (Some(9_999), ..)
                    | (Some(1), Some(1), Some(1))
                    | (Some(1_899), Some(12), Some(30))
                    | (Some(1_900), Some(1), Some(0))
            )
        {
            return Ok(None);
        }
        let mut approximate = self.approximate;
        let year = match (year, self.era) {
            (Part::Absent | Part::Unknown | Part::Known(0, _), _) => None,
            // An era year runs from 1; the first year of the era is year 1.
            (Part::Known(year @ 1..=99, _), Some(era)) => Some(era.first_year() + year as i32 - 1),
            (Part::Known(year @ 1800..=2199, _), None) => Some(year as i32),
            // Registers of the dead and of history: a year written out, as 1742-03-01.
            (Part::Known(year @ 1000..=1799, 4), None) => Some(year as i32),
            // 55年4月24日 without an era: the year could be 昭和55 or 1955 and is left unknown.
            (Part::Known(_, 1..=2), None) => {
                approximate = true;
                None
            }
            (Part::Known(..), _) => return Err(Why::Year),
        };
        let month = match number(month) {
            None | Some(0 | 99) => None,
            Some(month @ 1..=12) => Some(month as u8),
            Some(_) => return Err(Why::Month),
        };
        let day = match number(day) {
            None | Some(0 | 99) => None,
            Some(day @ 1..=31) => Some(day as u8),
            Some(_) => return Err(Why::Day),
        };
        if year.is_none() && month.is_none() && day.is_none() {
            return Ok(None);
        }
        let lunisolar =
            self.era.is_some() && year.is_some_and(|year| year < calendar::GREGORIAN_FROM);
        if let (Some(month), Some(day)) = (month, day) {
            let longest = match year {
                // Lunisolar months have 29 or 30 days, whatever their number.
                Some(_) if lunisolar => 30,
                // The standard allows 29 February of a common year as a birth date.
                Some(year) if month == 2 => {
                    approximate |= day > calendar::days_in_month(year, month);
                    29
                }
                Some(year) => calendar::days_in_month(year, month),
                None => calendar::days_in_month(2000, month),
            };
            if day > longest {
                return Err(Why::Day);
            }
        }
        if let (Some(era), Some(year)) = (self.era, year) {
            approximate |= lunisolar || !era.covers(year, month, day);
        }
        Ok(Some(PartialDate { year, month, day, approximate, form: self.form, repaired: false }))
    }
}

fn number(part: Part) -> Option<u64> {
    match part {
        Part::Known(value, _) => Some(value),
        Part::Absent | Part::Unknown => None,
    }
}

/// Whether all that is left is a time of day.
pub(crate) fn is_time(tokens: &[Token]) -> bool {
    let fits = |token: &Token| {
        matches!(token, Token::Number(..) | Token::Time | Token::Blank | Token::Separator)
    };
    tokens.contains(&Token::Time) && tokens.iter().all(fits)
}

/// Reads parts in the order year, month, day, named by units or only separated.
pub(crate) fn read(tokens: &[Token]) -> DateReading {
    match Walk::over(tokens) {
        Ok(parts) => parts.finish(),
        Err(why) => DateReading::Unreadable(why),
    }
}

/// A walk over the tokens, filling parts from left to right.
struct Walk {
    found: Parts,
    /// The part that comes next: 0 year, 1 month, 2 day, 3 none.
    next: usize,
    /// A number not yet known to be which part.
    pending: Option<Part>,
}

impl Walk {
    fn over(tokens: &[Token]) -> Result<Parts, Why> {
        let mut walk = Self { found: Parts::new(DateForm::Western), next: 0, pending: None };
        let mut after_separator = false;
        for (at, &token) in tokens.iter().enumerate() {
            match token {
                Token::Number(value, digits) => {
                    walk.settle()?;
                    if walk.next == 3 {
                        // Behind a whole date only a time of day may stand.
                        return if is_time(&tokens[at..]) {
                            Ok(walk.found)
                        } else {
                            Err(Why::NotADate)
                        };
                    }
                    walk.number(value, digits)?;
                }
                Token::First => {
                    walk.settle()?;
                    if walk.next != 0 || walk.found.era.is_none() {
                        return Err(Why::NotADate);
                    }
                    walk.pending = Some(Part::Known(1, 1));
                }
                // 昭和20年5月日不詳 names parts already taken as unknown; 5月1日不詳 doubts a whole date.
                Token::Unknown if walk.next == 3 => {
                    let whole = walk.found.parts.iter().all(|part| matches!(part, Part::Known(..)));
                    walk.found.approximate |= whole;
                }
                Token::Unknown => match walk.pending {
                    // 昭和2? and 195*: the digits in front belong to the unknown part.
                    Some(_) if !matches!(tokens.get(at.wrapping_sub(1)), Some(Token::Blank)) => {
                        walk.pending = Some(Part::Unknown);
                    }
                    _ => {
                        walk.settle()?;
                        walk.pending = Some(Part::Unknown);
                    }
                },
                Token::Era(era, latin) => {
                    if walk.found.era.is_some() || walk.next != 0 || walk.pending.is_some() {
                        return Err(Why::NotADate);
                    }
                    walk.found.era = Some(era);
                    walk.found.form = if latin { DateForm::EraLatin } else { DateForm::EraKanji };
                }
                Token::Unit(unit) => walk.unit(usize::from(unit))?,
                Token::Separator => {
                    if walk.pending.is_some() {
                        walk.settle()?;
                    } else if after_separator && walk.next > 0 && walk.next < 3 {
                        walk.put(Part::Unknown)?;
                    }
                }
                Token::Blank => continue,
                Token::Time => {
                    walk.settle()?;
                    return if walk.next == 3 && is_time(&tokens[at..]) {
                        Ok(walk.found)
                    } else {
                        Err(Why::NotADate)
                    };
                }
                Token::About => walk.found.approximate = true,
                Token::PartOfMonth | Token::Season => {
                    walk.settle()?;
                    let last = if token == Token::Season { 1 } else { 2 };
                    if walk.next > last {
                        return Err(Why::NotADate);
                    }
                    walk.found.approximate = true;
                    walk.next = 3;
                }
                Token::Range => {
                    walk.settle()?;
                    return walk.range(&tokens[at + 1..]);
                }
                Token::Month(_) => return Err(Why::NotADate),
            }
            after_separator = token == Token::Separator;
        }
        walk.settle()?;
        Ok(walk.found)
    }

    fn number(&mut self, value: u64, digits: u8) -> Result<(), Why> {
        let start = self.next == 0;
        if start && self.found.era.is_some() && digits == 6 {
            // S551226: the parts are not separated.
            let two = |value: u64| Part::Known(value % 100, 2);
            self.found.parts = [two(value / 10_000), two(value / 100), two(value)];
            self.next = 3;
            return Ok(());
        }
        let fits = match (start, self.found.era) {
            (true, Some(_)) => digits <= 2,
            (true, None) => digits != 3 && digits <= 4,
            (false, _) => digits <= 2,
        };
        if !fits {
            return Err(Why::Digits);
        }
        self.pending = Some(Part::Known(value, digits));
        Ok(())
    }

    fn unit(&mut self, unit: usize) -> Result<(), Why> {
        if unit < self.next {
            return Err(Why::NotADate);
        }
        self.next = unit;
        let part = self.pending.take().unwrap_or(Part::Unknown);
        self.put(part)
    }

    /// Gives a pending number to the part that comes next.
    fn settle(&mut self) -> Result<(), Why> {
        match self.pending.take() {
            // 12/26: without era and unit two digits are no year.
            Some(Part::Known(_, 1..=2)) if self.next == 0 && self.found.era.is_none() => {
                Err(Why::Digits)
            }
            Some(part) => self.put(part),
            None => Ok(()),
        }
    }

    fn put(&mut self, part: Part) -> Result<(), Why> {
        *self.found.parts.get_mut(self.next).ok_or(Why::NotADate)? = part;
        self.next += 1;
        Ok(())
    }

    /// A range keeps only the parts in which both ends are known to agree.
    fn range(mut self, end: &[Token]) -> Result<Parts, Why> {
        self.found.approximate = true;
        let has = |fits: fn(&Token) -> bool| end.iter().any(fits);
        if !has(|token| matches!(token, Token::Number(..) | Token::First)) {
            return Ok(self.found);
        }
        let own_year = self.found.parts[0];
        if has(|token| matches!(token, Token::Era(..) | Token::Unit(0) | Token::Number(_, 3..))) {
            let end = Self::over(end)?;
            if end.parts[0] != own_year
                || end.era != self.found.era
                || matches!(own_year, Part::Absent)
            {
                return Err(Why::Range);
            }
        }
        let same_month =
            !has(|token| !matches!(token, Token::Number(..) | Token::Unit(2) | Token::Blank));
        self.found.parts[2] = Part::Unknown;
        if !same_month {
            self.found.parts[1] = Part::Unknown;
        }
        Ok(self.found)
    }
}
