//! Numbers as people write them in addresses and dates: 百四十一, 一四一, 壱弐参, 2千, １４.
//!
//! Invariant: `parse(&to_kanji(n)) == Some(n)` for every `n`, and a number that does not fit is `None`, never wrapped.

use crate::text;

/// The value of a number in kanji, digits of any width, or both; `None` when it is not one number.
pub fn parse(text: &str) -> Option<u32> {
    let folded = text::fold(text);
    let folded = folded.trim();
    if folded.is_empty() {
        return None;
    }
    let mut sum = Sum::default();
    for letter in folded.chars() {
        sum.add(Numeral::read(letter)?)?;
    }
    u32::try_from(sum.total()?).ok()
}

/// Whether a letter can stand in a number that [`parse`] reads.
pub fn is_numeral(letter: char) -> bool {
    Numeral::read(text::simple(letter).unwrap_or(letter)).is_some()
}

/// The number in kanji with units: 141 is 百四十一, 0 is 〇.
pub fn to_kanji(number: u32) -> String {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    if number == 0 {
        return DIGITS[0].into();
    }
    let mut kanji = String::new();
    for (myriad, sign) in [(100_000_000, Some('億')), (10_000, Some('万')), (1, None)] {
        let part = number / myriad % 10_000;
        for (unit, unit_sign) in
            [(1000, Some('千')), (100, Some('百')), (10, Some('十')), (1, None)]
        {
            let digit = part / unit % 10;
            if digit == 0 {
                continue;
            }
            // 一 before 十, 百 and 千 is left out, except in 一千万 and 一千億, as on a cheque.
            if digit > 1 || unit == 1 || (unit == 1000 && sign.is_some()) {
                kanji.push(DIGITS[digit as usize]);
            }
            kanji.extend(unit_sign);
        }
        if part > 0 {
            kanji.extend(sign);
        }
    }
    kanji
}

/// One letter of a number.
#[derive(Clone, Copy)]
enum Numeral {
    /// 0 to 9.
    Digit(u64),
    /// 十, 百, 千.
    Unit(u64),
    /// 廿 and 卅: a digit and its unit in one letter.
    Tens(u64),
    /// 万, 億.
    Myriad(u64),
}

impl Numeral {
    fn read(letter: char) -> Option<Numeral> {
        Some(match letter {
            '0'..='9' => Numeral::Digit(u64::from(u32::from(letter) - u32::from('0'))),
            '〇' | '○' | '零' => Numeral::Digit(0),
            '一' | '壱' | '壹' | '弌' => Numeral::Digit(1),
            '二' | '弐' | '貳' | '貮' | '弍' => Numeral::Digit(2),
            '三' | '参' | '參' | '弎' => Numeral::Digit(3),
            '四' | '肆' => Numeral::Digit(4),
            '五' | '伍' => Numeral::Digit(5),
            '六' | '陸' => Numeral::Digit(6),
            '七' | '漆' => Numeral::Digit(7),
            '八' | '捌' => Numeral::Digit(8),
            '九' | '玖' => Numeral::Digit(9),
            '十' | '拾' => Numeral::Unit(10),
            '百' | '佰' | '陌' => Numeral::Unit(100),
            '千' | '仟' | '阡' => Numeral::Unit(1000),
            '廿' => Numeral::Tens(20),
            '卅' => Numeral::Tens(30),
            '万' | '萬' => Numeral::Myriad(10_000),
            '億' => Numeral::Myriad(100_000_000),
            _ => return None,
        })
    }
}

/// A number read so far; each part is smaller than the one before it.
#[derive(Default)]
struct Sum {
    /// Complete parts with 億 or 万.
    myriads: u64,
    /// The last of these; the next must be smaller.
    myriad: Option<u64>,
    /// Units since the last 億 or 万.
    units: u64,
    /// The last of these; the next must be smaller.
    unit: Option<u64>,
    /// Digits with no unit behind them yet.
    digits: Option<u64>,
}

impl Sum {
    fn add(&mut self, numeral: Numeral) -> Option<()> {
        match numeral {
            Numeral::Digit(digit) => {
                let value = self.digits.unwrap_or(0).checked_mul(10)?.checked_add(digit)?;
                self.digits = Some(value);
            }
            Numeral::Unit(unit) => {
                let digit = self.digits.take().unwrap_or(1);
                self.add_unit(digit, unit)?;
            }
            Numeral::Tens(value) => {
                if self.digits.is_some() {
                    return None;
                }
                self.add_unit(value / 10, 10)?;
            }
            Numeral::Myriad(myriad) => {
                let part = self.part()?;
                if part == 0 || self.myriad.is_some_and(|last| last <= myriad) {
                    return None;
                }
                self.myriads = self.myriads.checked_add(part.checked_mul(myriad)?)?;
                self.myriad = Some(myriad);
                (self.units, self.unit, self.digits) = (0, None, None);
            }
        }
        Some(())
    }

    fn add_unit(&mut self, digit: u64, unit: u64) -> Option<()> {
        if digit == 0 || digit > 9 || self.unit.is_some_and(|last| last <= unit) {
            return None;
        }
        self.units += digit * unit;
        self.unit = Some(unit);
        Some(())
    }

    /// The value since the last 億 or 万.
    fn part(&self) -> Option<u64> {
        let digits = self.digits.unwrap_or(0);
        // 百四十一二 is two numbers; 百〇一 is a spelling of 101.
        let room = self.unit.unwrap_or(u64::MAX);
        if digits >= room { None } else { self.units.checked_add(digits) }
    }

    fn total(&self) -> Option<u64> {
        let part = self.part()?;
        if self.myriad.is_some_and(|last| part >= last) {
            None
        } else {
            self.myriads.checked_add(part)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_in_every_notation() {
        for (text, number) in [
            ("百四十一", 141),
            ("一四一", 141),
            ("１４１", 141),
            ("141", 141),
            ("十", 10),
            ("十二", 12),
            ("二十", 20),
            ("二〇", 20),
            ("〇", 0),
            ("○", 0),
            ("007", 7),
            ("弐拾参", 23),
            ("壱", 1),
            ("廿三", 23),
            ("卅", 30),
            ("百〇一", 101),
            ("2千", 2000),
            ("2千5百", 2500),
            ("千九百八十六", 1986),
            ("一万二千", 12_000),
            ("12万3456", 123_456),
            ("四十二億九千四百九十六万七千二百九十五", u32::MAX),
            (" 三 ", 3),
            ("⑫", 12),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_number_is_refused() {
        for text in [
            "",
            " ",
            "番",
            "1-2",
            "十百",
            "百百",
            "二十三十",
            "四十一二",
            "〇十",
            "12百",
            "万",
            "〇万",
            "一万二万",
            "4294967296",
            "99999999999999999999999999",
            "四十三億",
            "1 2",
            "二廿",
            "+1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn kanji_are_written_as_in_addresses() {
        for (number, kanji) in [
            (0, "〇"),
            (10, "十"),
            (11, "十一"),
            (141, "百四十一"),
            (1986, "千九百八十六"),
            (10_000, "一万"),
            (10_000_000, "一千万"),
            (100_010_001, "一億一万一"),
        ] {
            assert_eq!(to_kanji(number), kanji);
        }
    }

    #[test]
    fn numerals_are_told_from_other_letters() {
        assert!("0９一〇壱拾廿千萬億".chars().all(is_numeral));
        assert!(!"番地ニ口A-".chars().any(is_numeral));
    }

    proptest! {
        #[test]
        fn kanji_read_back(number in any::<u32>()) {
            prop_assert_eq!(parse(&to_kanji(number)), Some(number));
            prop_assert_eq!(parse(&number.to_string()), Some(number));
        }

        #[test]
        fn nothing_panics(text in prop_oneof![any::<String>(), "[0-9一-九十百千万億〇]{0,40}"]) {
            let _ = parse(&text);
        }
    }
}
