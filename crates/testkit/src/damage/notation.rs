//! Other notations of Latin names and of numbers.

use super::Damage;
use super::name::Signature;
use crate::names::full_width;
use crate::rates::Class;

/// Ways to write a Latin name that is registered in capitals.
#[derive(Clone, Copy)]
enum LatinStyle {
    OtherWidth,
    Capitalised,
    GivenFirst,
    Kana,
}

impl Damage<'_> {
    /// A Latin name as somebody types it.
    pub(super) fn latin_notation(&mut self, signature: &Signature) -> String {
        let as_registered = signature.letters();
        let Some(name) = signature.latin else { return as_registered };
        if !self.strikes(Class::LatinNotation, true) {
            return as_registered;
        }
        let styles = [
            (30, LatinStyle::OtherWidth),
            (28, LatinStyle::Capitalised),
            (20, LatinStyle::GivenFirst),
            (22, LatinStyle::Kana),
        ];
        let (family, given) = (&signature.name.family, &signature.name.given);
        match self.chance.weighted(&styles) {
            LatinStyle::OtherWidth if name.full_width => signature
                .spelled(half_width_latin(family), half_width_latin(given))
                .replace('　', " "),
            LatinStyle::OtherWidth => full_width(&as_registered),
            LatinStyle::Capitalised => {
                signature.spelled(capitalised(family), capitalised(given)).replace('　', " ")
            }
            LatinStyle::GivenFirst => {
                let swapped = signature.spelled(half_width_latin(given), half_width_latin(family));
                swapped.replace('　', " ")
            }
            LatinStyle::Kana => {
                let name = &signature.name;
                signature.spelled(name.family_kana.clone(), name.given_kana.clone())
            }
        }
    }
}

/// Full-width letters and spaces in half width.
pub(super) fn half_width_latin(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '　' => ' ',
            '！'..='～' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            _ => letter,
        })
        .collect()
}

/// Every word with one capital.
fn capitalised(text: &str) -> String {
    let mut first = true;
    half_width_latin(text)
        .chars()
        .map(|letter| {
            let cased =
                if first { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            first = letter == ' ';
            cased
        })
        .collect()
}

/// A number below 10,000 in kanji: 2014 is 二千十四.
pub(super) fn kanji_number(number: u16) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let mut text = String::new();
    for (unit, word) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = usize::from(number / unit % 10);
        if digit > 0 {
            if digit > 1 || unit == 1 {
                text.push_str(DIGITS[digit]);
            }
            text.push_str(word);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_kanji() {
        assert_eq!(kanji_number(2014), "二千十四");
        assert_eq!(kanji_number(141), "百四十一");
        assert_eq!(kanji_number(10), "十");
    }

    #[test]
    fn latin_names_change_width_and_case() {
        assert_eq!(half_width_latin("ＫＣ　Ａ"), "KC A");
        assert_eq!(capitalised("ＲＡＭ　ＢＡＨＡＤＵＲ"), "Ram Bahadur");
    }
}
