//! From text to a date: which form it is, and what its parts are.
//!
//! ISO dates and eight digits, the bulk of every file, are read from their bytes; everything else goes through tokens.
//! Invariant: both ways agree.

use super::calendar::{self, Era};
use super::parts::{self, Part, Parts};
use super::token::{Token, Tokens};
use super::{DateForm, DateOrder, DateReading, PartialDate, Why};

/// Reads one cell.
///
/// `order` decides only where the form does not: with the year last, or with years of two digits. Values that programs
/// write for "no date" (0000-00-00, 0001-01-01, 9999-12-31, a spreadsheet's 1899-12-30 and 1900-01-00) are missing.
pub fn read(text: &str, order: DateOrder) -> DateReading {
    if let Some(reading) = read_digits(text.as_bytes(), order) {
        return reading;
    }
    let folded = crate::text::fold(text);
    let folded = folded.trim();
    if let Some(reading) = read_bracketed(folded, order) {
        return reading;
    }
    read_plain(folded, order)
}

/// The fast way: `1980-04-24`, `1980/04/24` and `19800424`.
fn read_digits(text: &[u8], order: DateOrder) -> Option<DateReading> {
    let number = |range: std::ops::Range<usize>| {
        text.get(range)?.iter().try_fold(0_u32, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
        })
    };
    match text.len() {
        0 => Some(DateReading::Missing),
        10 if matches!(text[4], b'-' | b'/') && text[7] == text[4] => {
            let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
            Some(western(year, month, day, DateForm::Western))
        }
        8 => number(0..8).map(|digits| compact(digits, order)),
        _ => None,
    }
}

/// A year of four digits, and month and day of two.
fn western(year: u32, month: u32, day: u32, form: DateForm) -> DateReading {
    let parts =
        [Part::Known(year.into(), 4), Part::Known(month.into(), 2), Part::Known(day.into(), 2)];
    Parts { parts, ..Parts::new(form) }.finish()
}

/// Eight digits: year first, an era code of two digits first, or by a declared order the year last.
fn compact(digits: u32, order: DateOrder) -> DateReading {
    let (high, low) = (digits / 10_000, digits % 10_000);
    if digits == 0 || high == 9_999 {
        return DateReading::Missing;
    }
    let plausible = |year: u32| (1800..2200).contains(&year);
    if !plausible(high) && plausible(low) {
        match order {
            DateOrder::Ymd => {}
            DateOrder::Dmy => return western(low, high % 100, high / 100, DateForm::Compact),
            DateOrder::Mdy => return western(low, high / 100, high % 100, DateForm::Compact),
        }
    }
    if let Some(era) = Era::from_code(high / 100) {
        return era_digits(era, high % 100, low, DateForm::EraCode);
    }
    western(high, low / 100, low % 100, DateForm::Compact)
}

/// A year of an era in two digits and month and day in four.
fn era_digits(era: Era, year: u32, month_and_day: u32, form: DateForm) -> DateReading {
    let (month, day) = (month_and_day / 100, month_and_day % 100);
    // Old systems fill with 99 what they do not know.
    let year = if year == 0 || year == 99 { Part::Unknown } else { Part::Known(year.into(), 2) };
    let parts = [year, Part::Known(month.into(), 2), Part::Known(day.into(), 2)];
    Parts { parts, era: Some(era), ..Parts::new(form) }.finish()
}

/// Text with brackets: `昭和55年(1980年)4月24日`, `1980年4月24日(木)`, `昭和20年(推定)`.
///
/// What stands in brackets must be a weekday, an estimate, or a date that does not contradict the rest.
fn read_bracketed(text: &str, order: DateOrder) -> Option<DateReading> {
    let open = text.find(['(', '[', '〔', '【'])?;
    let behind = &text[open..];
    let close = open + behind.find([')', ']', '〕', '】'])?;
    let inner = text[open..close].trim_start_matches(['(', '[', '〔', '【']).trim();
    let after = text[close..].trim_start_matches([')', ']', '〕', '】']);
    let mut outer = String::with_capacity(text.len());
    outer.push_str(&text[..open]);
    outer.push_str(after);
    let reading = read_plain(outer.trim(), order);
    let DateReading::Read(mut date) = reading else { return Some(reading) };
    let weekday = inner.trim_end_matches('日').trim_end_matches('曜');
    if matches!(weekday, "月" | "火" | "水" | "木" | "金" | "土" | "" | "生" | "生まれ") {
        return Some(reading);
    }
    if let Some(tokens) = Tokens::split(inner)
        && tokens.as_slice().iter().all(|token| matches!(token, Token::About | Token::Unknown))
    {
        date.approximate = true;
        return Some(DateReading::Read(date));
    }
    let agrees = |other: PartialDate| {
        fn fits<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        fits(date.year, other.year) && fits(date.month, other.month) && fits(date.day, other.day)
    };
    Some(match read_plain(inner, order) {
        DateReading::Read(other) if agrees(other) => reading,
        DateReading::Read(_) | DateReading::Missing | DateReading::Unreadable(_) => {
            DateReading::Unreadable(Why::NotADate)
        }
    })
}

fn read_plain(text: &str, order: DateOrder) -> DateReading {
    match Tokens::split(text) {
        Some(tokens) => read_tokens(trim_blanks(tokens.as_slice()), order),
        None if is_placeholder(text) => DateReading::Missing,
        None => DateReading::Unreadable(Why::NotADate),
    }
}

/// Spellings of "no date" that are no words of a date.
fn is_placeholder(text: &str) -> bool {
    const PLACEHOLDERS: [&str; 22] = [
        "なし",
        "無し",
        "無",
        "ナシ",
        "未記入",
        "未入力",
        "空白",
        "未定",
        "該当なし",
        "null",
        "none",
        "nan",
        "nat",
        "n/a",
        "na",
        "#n/a",
        "#value!",
        "#ref!",
        "#name?",
        "nil",
        "unknown",
        "\\n",
    ];
    PLACEHOLDERS.iter().any(|word| word.eq_ignore_ascii_case(text))
        || text.bytes().all(|byte| byte == b'#')
}

fn trim_blanks(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Blank, rest @ ..] | [rest @ .., Token::Blank] = tokens {
        tokens = rest;
    }
    tokens
}

fn read_tokens(tokens: &[Token], order: DateOrder) -> DateReading {
    let silent = |token: &Token| {
        matches!(
            token,
            Token::Unknown | Token::Separator | Token::Blank | Token::Unit(_) | Token::Number(0, _)
        )
    };
    if tokens.iter().all(silent) {
        return DateReading::Missing;
    }
    if tokens.iter().any(|token| matches!(token, Token::Month(_))) {
        return read_english(tokens);
    }
    if let [Token::Number(value, digits @ 5..), rest @ ..] = tokens {
        return read_one_number(*value, *digits, rest, order);
    }
    if let Some(reading) = read_ordered(tokens, order) {
        return reading;
    }
    parts::read(tokens)
}

/// A date in one number; a time or a spreadsheet's `.0` may follow.
fn read_one_number(value: u64, digits: u8, rest: &[Token], order: DateOrder) -> DateReading {
    let decimals = matches!(rest, [Token::Separator, Token::Number(..)]);
    if !(rest.is_empty() || decimals || parts::is_time(rest)) {
        return DateReading::Unreadable(Why::Digits);
    }
    // Every branch keeps at most eight digits, which fit.
    match digits {
        14 => compact((value / 1_000_000) as u32, order),
        12 => compact((value / 10_000) as u32, order),
        8 => compact(value as u32, order),
        7 => match Era::from_code((value / 1_000_000) as u32) {
            Some(era) => {
                let rest = (value % 1_000_000) as u32;
                era_digits(era, rest / 10_000, rest % 10_000, DateForm::EraCode)
            }
            None if value == 0 || value == 9_999_999 => DateReading::Missing,
            None => DateReading::Unreadable(Why::Digits),
        },
        5 if (10_000..=60_000).contains(&value) => {
            // Day 25569 of the spreadsheet is 1970-01-01.
            let date = calendar::from_day_number(value as i32 - 25_569);
            DateReading::Read(PartialDate { form: DateForm::Serial, repaired: true, ..date })
        }
        5 | 6 if value == 0 => DateReading::Missing,
        _ => DateReading::Unreadable(Why::Digits),
    }
}

/// Three numbers of which the first has at most two digits: the year is last, or short.
fn read_ordered(tokens: &[Token], order: DateOrder) -> Option<DateReading> {
    let gap = |token: &Token| matches!(token, Token::Separator | Token::Blank);
    let [
        Token::Number(a, 1..=2),
        g1,
        Token::Number(b, 1..=2),
        g2,
        Token::Number(c, c_digits),
        rest @ ..,
    ] = tokens
    else {
        return None;
    };
    if !(gap(g1) && gap(g2)) {
        return None;
    }
    if !(rest.is_empty() || parts::is_time(rest)) {
        return Some(DateReading::Unreadable(Why::NotADate));
    }
    let two = |value: &u64| Part::Known(*value, 2);
    let (year, month, day, form) = match (c_digits, order) {
        (4, DateOrder::Dmy) => (Part::Known(*c, 4), two(b), two(a), DateForm::YearLast),
        (4, DateOrder::Mdy) => (Part::Known(*c, 4), two(a), two(b), DateForm::YearLast),
        (4, DateOrder::Ymd) => {
            let (month, day) = match (*a, *b) {
                (13.., _) => (two(b), two(a)),
                (_, 13..) => (two(a), two(b)),
                (a, b) if a == b => (Part::Known(a, 2), Part::Known(b, 2)),
                _ => (Part::Unknown, Part::Unknown),
            };
            (Part::Known(*c, 4), month, day, DateForm::YearLast)
        }
        (2, DateOrder::Dmy) => (short_year(*c), two(b), two(a), DateForm::ShortYear),
        (2, DateOrder::Mdy) => (short_year(*c), two(a), two(b), DateForm::ShortYear),
        (1 | 2, DateOrder::Ymd) if matches!(tokens[0], Token::Number(_, 2)) => {
            (short_year(*a), two(b), two(c), DateForm::ShortYear)
        }
        _ => return Some(DateReading::Unreadable(Why::Digits)),
    };
    let undecided = matches!((form, month), (DateForm::YearLast, Part::Unknown));
    let approximate = form == DateForm::ShortYear || undecided;
    Some(Parts { parts: [year, month, day], approximate, ..Parts::new(form) }.finish())
}

/// A year of two digits by the rule spreadsheets use: 00 to 29 are 2000 to 2029, the rest 1930 to 1999.
fn short_year(year: u64) -> Part {
    Part::Known(if year < 30 { 2000 + year } else { 1900 + year }, 4)
}

/// A date with an English month name; day and year are told apart by their size, else by their place.
fn read_english(tokens: &[Token]) -> DateReading {
    let mut month = None;
    let mut numbers = [(0_u64, 0_u8); 2];
    let mut count = 0;
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            Token::Month(_) if month.is_some() => return DateReading::Unreadable(Why::NotADate),
            Token::Month(named) => month = Some(named),
            Token::Number(..) if count == 2 && parts::is_time(&tokens[at..]) => break,
            Token::Number(value, digits) if count < 2 => {
                numbers[count] = (value, digits);
                count += 1;
            }
            Token::Separator | Token::Blank => {}
            Token::Number(..)
            | Token::First
            | Token::Unknown
            | Token::Era(..)
            | Token::Unit(_)
            | Token::Time
            | Token::About
            | Token::PartOfMonth
            | Token::Season
            | Token::Range => return DateReading::Unreadable(Why::NotADate),
        }
    }
    let month = month.map_or(Part::Unknown, |month| Part::Known(month.into(), 2));
    let (year, day, approximate) = match (&numbers[..count], count) {
        (&[(year, 4)], _) => (Part::Known(year, 4), Part::Unknown, false),
        (&[(day, 1..=2), (year, 4)] | &[(year, 4), (day, 1..=2)], _) => {
            (Part::Known(year, 4), Part::Known(day, 2), false)
        }
        (&[(day, 1..=2), (year, 2)], _) => (short_year(year), Part::Known(day, 2), true),
        _ => return DateReading::Unreadable(Why::Digits),
    };
    Parts { parts: [year, month, day], approximate, ..Parts::new(DateForm::EnglishMonth) }.finish()
}
