//! What a single cell shows of its damage, and how some of it is undone.
//!
//! A detector knows the cell and the [`Role`] of its column, nothing else. A repair is made only where there is one way
//! to make it; names are never touched.

use jiff::ToSpan as _;
use jiff::civil::Date;
use renkei_types::{DateOrder, FieldKind};

use crate::damage::Class;
use crate::japanese::{DateRead, is_gaiji, is_lost_letter, read_date};
use crate::spreadsheet_cell::is_formula_like;

/// What a column is, as far as its damage is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// A number or code; `width` where every value has so many digits.
    Code { width: Option<usize> },
    /// Seven digits, with or without a hyphen.
    PostalCode,
    /// Money.
    Amount,
    /// A day in the past.
    Date,
    /// A name or its kana.
    Name,
    /// An address or a part of one.
    Address,
    /// Anything else.
    Other,
}

impl Role {
    /// The role of a built-in column or, without one, of a field.
    pub(crate) fn of(column: Option<&str>, kind: Option<FieldKind>) -> Self {
        match column {
            Some("bank_code") => return Self::Code { width: Some(4) },
            Some("branch_code") => return Self::Code { width: Some(3) },
            Some("account_number") => return Self::Code { width: Some(7) },
            Some("resident_id" | "benefit_id" | "household_id") => {
                return Self::Code { width: None };
            }
            Some("date_of_event" | "date_processed") => return Self::Date,
            Some(_) | None => {}
        }
        let kind = kind.or(match column {
            Some("name_kanji" | "name_kana" | "former_name" | "alias" | "account_holder_kana") => {
                Some(FieldKind::PersonName)
            }
            Some("birth_date") => Some(FieldKind::Date),
            Some("postal_code") => Some(FieldKind::PostalCode),
            Some("address" | "building" | "previous_address") => Some(FieldKind::Address),
            Some("amount") => Some(FieldKind::Amount),
            Some(_) | None => None,
        });
        match kind {
            Some(
                FieldKind::PersonName
                | FieldKind::GivenName
                | FieldKind::FamilyName
                | FieldKind::KanaName,
            ) => Self::Name,
            Some(FieldKind::Date) => Self::Date,
            Some(FieldKind::PostalCode) => Self::PostalCode,
            Some(FieldKind::Address) => Self::Address,
            Some(FieldKind::Identifier) => Self::Code { width: None },
            Some(FieldKind::Amount) => Self::Amount,
            Some(FieldKind::Sex | FieldKind::Phone | FieldKind::Category | FieldKind::FreeText)
            | None => Self::Other,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Code { .. } | Self::PostalCode | Self::Amount)
    }
}

/// Everything that a cell by itself shows.
pub(crate) fn classes_of(
    cell: &str,
    role: Role,
    order: DateOrder,
    today: Date,
    mut found: impl FnMut(Class),
) {
    if cell.is_empty() {
        return;
    }
    let value = cell.trim();
    if value.len() != cell.len() {
        found(Class::OuterSpace);
    }
    let ascii = value.is_ascii();
    if value.bytes().any(|byte| byte < 0x20 || byte == 0x7F) {
        if value.contains(['\n', '\r']) {
            found(Class::LineBreak);
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r')) {
            found(Class::ControlCharacter);
        }
    }
    if is_formula_like(value) {
        found(Class::FormulaLike);
    }
    if value.starts_with('#') && is_error_value(value) {
        found(Class::ErrorValue);
    }
    if ascii && (value.eq_ignore_ascii_case("TRUE") || value.eq_ignore_ascii_case("FALSE")) {
        found(Class::Boolean);
    }
    if ascii && role != Role::Name && is_scientific(value) {
        found(Class::ScientificNotation);
    }
    if !ascii {
        beyond_ascii(value, role, &mut found);
    }
    if matches!(role, Role::Name | Role::Address) && value.chars().any(is_lost_letter) {
        found(Class::LetterLost);
    }
    if role == Role::Address && address_date(value).is_some() {
        found(Class::AddressDate);
    }
    if role == Role::Date {
        if serial(value).is_some() {
            found(Class::DateSerial);
        } else {
            match read_date(value, order) {
                DateRead::Day(day) if day > today => found(Class::DateFuture),
                DateRead::Day(_) | DateRead::Partial => {}
                DateRead::Impossible => found(Class::DateImpossible),
                DateRead::Unreadable => found(Class::DateUnreadable),
            }
        }
    }
}

fn beyond_ascii(value: &str, role: Role, found: &mut impl FnMut(Class)) {
    let (mut half, mut full, mut wide_digits, mut digits, mut gaiji) =
        (false, false, false, false, false);
    for letter in value.chars() {
        match letter {
            '0'..='9' => digits = true,
            '０'..='９' => wide_digits = true,
            '\u{FF66}'..='\u{FF9F}' => half = true,
            'ァ'..='ヺ' => full = true,
            _ => gaiji |= is_gaiji(letter),
        }
    }
    if gaiji {
        found(Class::Gaiji);
    }
    if wide_digits && role.is_number() {
        found(Class::FullWidthDigits);
    } else if (half && full) || (wide_digits && digits) {
        found(Class::MixedWidth);
    }
}

fn is_error_value(value: &str) -> bool {
    const VALUES: [&str; 10] = [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
    ];
    VALUES.contains(&value) || value.bytes().all(|byte| byte == b'#')
}

/// `1.23E+11`: the digits behind the third are gone.
fn is_scientific(value: &str) -> bool {
    let Some((mantissa, exponent)) = value.split_once(['E', 'e']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1
        && digits(whole)
        && digits(rest)
        && exponent.strip_prefix('+').is_some_and(digits)
}

/// Whether a number has more digits than a spreadsheet keeps, and zeros in place of the rest.
pub(crate) fn has_lost_digits(value: &str) -> bool {
    const KEPT: usize = 15;
    value.len() > KEPT
        && value.bytes().all(|byte| byte.is_ascii_digit())
        && !value.starts_with('0')
        && value.as_bytes()[KEPT..].iter().all(|&byte| byte == b'0')
}

/// The day that a spreadsheet's number stands for: five digits, 1927 to 2064, counted from 1899-12-30.
pub(crate) fn serial(value: &str) -> Option<Date> {
    const FIRST: i64 = 10_000;
    const LAST: i64 = 60_000;
    if value.len() != 5 {
        return None;
    }
    let days: i64 = value.parse().ok().filter(|days| (FIRST..=LAST).contains(days))?;
    Date::new(1899, 12, 30).ok()?.checked_add(days.days()).ok()
}

/// The house number that a date inside an address was: `9月23日` was `9-23`, `2001/2/3` was `1-2-3`, and
/// `2001-02-03` too. A plain `2001-2-3` is a house number.
pub(crate) fn address_date(address: &str) -> Option<String> {
    for (start, letter) in address.char_indices() {
        if !letter.is_ascii_digit()
            || address[..start].chars().next_back().is_some_and(is_part_of_number)
        {
            continue;
        }
        if let Some((length, number)) = date_at(&address[start..]) {
            return Some(format!("{}{number}{}", &address[..start], &address[start + length..]));
        }
    }
    None
}

fn is_part_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '-' | '/' | '.' | '第')
}

/// A date at the start of `text`: its length and the house number that it was.
fn date_at(text: &str) -> Option<(usize, String)> {
    let (first, rest) = number(text)?;
    if let Some(rest) = rest.strip_prefix('月') {
        let (day, rest) = number(rest)?;
        let rest = rest.strip_prefix('日')?;
        let fits = is_month_and_day(first, day);
        return fits.then(|| (text.len() - rest.len(), format!("{first}-{day}")));
    }
    let separator = ['/', '-', '年'].into_iter().find(|&separator| rest.starts_with(separator))?;
    let rest = rest.strip_prefix(separator)?;
    let (month, after_month) = number(rest)?;
    let month_width = rest.len() - after_month.len();
    let rest = after_month.strip_prefix(if separator == '年' { '月' } else { separator })?;
    let (day, after_day) = number(rest)?;
    let day_width = rest.len() - after_day.len();
    let rest = if separator == '年' { after_day.strip_prefix('日')? } else { after_day };
    // A spreadsheet takes two-digit years up to 29 for the 2000s.
    let year = match first {
        2000..=2029 => first - 2000,
        1930..=1999 => first - 1900,
        _ => return None,
    };
    let padded = month_width == 2 && day_width == 2 && (month < 10 || day < 10);
    if !is_month_and_day(month, day)
        || (separator == '-' && !padded)
        || rest.starts_with(['/', '月'])
    {
        return None;
    }
    Some((text.len() - rest.len(), format!("{year}-{month}-{day}")))
}

fn is_month_and_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Up to four digits at the start of `text`, and the rest.
fn number(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=4).contains(&length) {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Half-width digits for full-width ones.
pub(crate) fn half_width_digits(value: &str) -> String {
    let half = |letter: char| match letter {
        '０'..='９' => {
            char::from_u32(u32::from(letter) - u32::from('０') + u32::from('0')).unwrap_or(letter)
        }
        _ => letter,
    };
    value.chars().map(half).collect()
}

/// A postal code with its zeros: `600001` and `60-0001` are `0600001` and `060-0001`.
pub(crate) fn postal_zeros(value: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match value.split_once('-') {
        None if (5..=6).contains(&value.len()) && digits(value) => Some(format!("{value:0>7}")),
        Some((area, town))
            if (1..=2).contains(&area.len()) && town.len() == 4 && digits(area) && digits(town) =>
        {
            Some(format!("{area:0>3}-{town}"))
        }
        Some(_) | None => None,
    }
}

/// Whether the first cell with text of a line says that the line is a total.
pub(crate) fn is_total_label(value: &str) -> bool {
    const LABELS: [&str; 11] = [
        "合計",
        "総計",
        "総合計",
        "小計",
        "計",
        "合計額",
        "合計金額",
        "件数合計",
        "total",
        "grandtotal",
        "sum",
    ];
    value.len() <= 60 && LABELS.contains(&crate::columns::fold(value).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn classes(cell: &str, role: Role) -> Vec<Class> {
        let mut found = Vec::new();
        classes_of(cell, role, DateOrder::Ymd, date(2026, 11, 21), |class| found.push(class));
        found
    }

    #[test]
    fn a_house_number_is_restored_from_the_date_that_it_became() {
        for (damaged, restored) in [
            ("若葉市緑ヶ丘8月7日　シャトー南708号", "若葉市緑ヶ丘8-7　シャトー南708号"),
            ("若葉市若松2004/2/10　第二南312号", "若葉市若松4-2-10　第二南312号"),
            ("千葉県若葉市渡辺通2004/3/7-1104", "千葉県若葉市渡辺通4-3-7-1104"),
            ("若葉市若松2001-02-03", "若葉市若松1-2-3"),
            ("1998年5月6日", "98-5-6"),
        ] {
            assert_eq!(address_date(damaged).as_deref(), Some(restored), "{damaged}");
        }
    }

    #[test]
    fn a_house_number_is_not_taken_for_a_date() {
        for address in [
            "若葉市白山2046番地ノ28",
            "若葉市平和2004-2-10",
            "若葉市平和1-2-3",
            "若葉市3丁目12番5号",
            "若葉市平和2004/13/1",
            "北海道二月田町1-1",
            "若葉市13月1日",
        ] {
            assert_eq!(address_date(address), None, "{address}");
        }
    }

    #[test]
    fn each_detector_sees_its_damage() {
        let code = Role::Code { width: None };
        for (cell, role, class) in [
            ("1.23457E+11", code, Class::ScientificNotation),
            ("#N/A", Role::Address, Class::ErrorValue),
            ("########", Role::Date, Class::ErrorValue),
            ("TRUE", Role::Other, Class::Boolean),
            ("山田\n太郎", Role::Name, Class::LineBreak),
            ("山田\0太郎", Role::Name, Class::ControlCharacter),
            ("山田太郎　", Role::Name, Class::OuterSpace),
            ("１２３", Role::Amount, Class::FullWidthDigits),
            ("ヤマﾀﾞ", Role::Name, Class::MixedWidth),
            ("\u{E000}田", Role::Name, Class::Gaiji),
            ("?田", Role::Name, Class::LetterLost),
            ("=HYPERLINK(1)", Role::Other, Class::FormulaLike),
            ("@SUM", Role::Other, Class::FormulaLike),
            ("29335", Role::Date, Class::DateSerial),
            ("2023-02-30", Role::Date, Class::DateImpossible),
            ("2030-01-01", Role::Date, Class::DateFuture),
            ("きのう", Role::Date, Class::DateUnreadable),
        ] {
            assert_eq!(classes(cell, role), [class], "{cell}");
        }
    }

    #[test]
    fn sound_cells_raise_nothing() {
        for (cell, role) in [
            ("-500", Role::Amount),
            ("100,000", Role::Amount),
            ("昭和55年4月24日", Role::Date),
            ("S55.4.24", Role::Date),
            ("1980-04-24", Role::Date),
            ("3550424", Role::Date),
            ("谷口　光弘", Role::Name),
            ("千葉県若葉市渡辺通５丁目３番１４号", Role::Address),
            ("275-5375", Role::PostalCode),
        ] {
            assert_eq!(classes(cell, role), [], "{cell}");
        }
    }

    #[test]
    fn a_serial_is_the_day_that_the_spreadsheet_shows() {
        assert_eq!(serial("29335"), Some(date(1980, 4, 24)));
        assert_eq!(serial("99999"), None);
        assert_eq!(serial("1234a"), None);
    }

    #[test]
    fn postal_codes_get_their_zeros_back() {
        assert_eq!(postal_zeros("600001").as_deref(), Some("0600001"));
        assert_eq!(postal_zeros("60-0001").as_deref(), Some("060-0001"));
        assert_eq!(postal_zeros("275-5375"), None);
        assert_eq!(postal_zeros("2755375"), None);
        assert_eq!(postal_zeros("12"), None);
    }

    #[test]
    fn lost_digits_are_zeros_behind_the_fifteenth() {
        assert!(has_lost_digits("1234567890123450"));
        assert!(has_lost_digits("12345678901234500000"));
        assert!(!has_lost_digits("1234567890123456"));
        assert!(!has_lost_digits("000000000012345000"));
        assert!(!has_lost_digits("123456789012345"));
    }
}
