//! The halves of an address: the names, and what stands behind from the first number on.
//!
//! A city has a few thousand towns, and the numbers of its houses repeat from town to town. Who reads many addresses reads
//! each half once. Invariant: where both halves can be read alone and not both have streets, the address has the town of
//! the one and the numbers, building and room of the other; a test holds the two ways against each other.

use super::Address;
use super::letters::{self, at, is_kanji, is_katakana, is_plain_dash, numeral_end};

/// Half an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressHalf {
    /// What it says.
    pub read: Address,
    /// Of names: whether a street of Kyoto may stand behind them. Of numbers: whether one may stand among them. Halves of
    /// which both may have one are read together.
    pub streets: bool,
}

/// The two halves of an address with a number: what stands before the first digit, and the rest. `None` where there is no
/// digit, or nothing before it.
pub fn divide(address: &str) -> Option<(&str, &str)> {
    let at =
        address.find(|letter| matches!(letter, '0'..='9' | '０'..='９')).filter(|&at| at > 0)?;
    Some(address.split_at(at))
}

impl AddressHalf {
    /// Reads the names. `None` where they mean something else in other company, or may: letters other than kanji and kana,
    /// and letters that belong to the number behind them.
    pub fn of_names(names: &str) -> Option<Self> {
        let plain =
            |letter| is_kanji(letter) || is_katakana(letter) || matches!(letter, 'ぁ'..='ゖ');
        if !names.chars().all(plain) {
            return None;
        }
        // Of all numbers, these say the least.
        let mut read = Address::read(&format!("{names}1番1号"), "")?;
        let numbers = std::mem::take(&mut read.numbers);
        let names_alone = Address {
            prefecture: read.prefecture,
            town: read.town.clone(),
            municipality_end: read.municipality_end,
            ..Address::default()
        };
        if numbers.as_slice() != [1, 1] || read != names_alone || read.town.is_empty() {
            return None;
        }
        let streets = read.prefecture.is_none_or(|name| name == "京都府");
        Some(Self { read, streets })
    }

    /// Reads the numbers, and what stands behind them. `None` where the first of them may belong to a name.
    pub fn of_numbers(numbers: &str) -> Option<Self> {
        let letters = letters::of(numbers);
        let end = numeral_end(&letters, 0);
        let digits = letters[..end].iter().all(char::is_ascii_digit);
        let next = at(&letters, end + 1);
        let is_number = match at(&letters, end) {
            None | Some('号' | ' ') => true,
            Some('丁') => next == Some('目'),
            Some('番') => !matches!(next, Some('町' | '丁')),
            Some(letter) => is_plain_dash(letter),
        };
        if end == 0 || !digits || !is_number {
            return None;
        }
        let mut read = Address::default();
        let rest = read.take_numbers(&letters);
        read.set_building(rest, &[]);
        let streets = letters.iter().any(|letter| matches!(letter, 'る' | 'ル' | '入'));
        Some(Self { read, streets })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of names: towns of every kind, and what belongs to numbers, streets or rows of a grid.
    const NAMES: &str = "(兵庫県|京都府|京都市|北海道)?(美空市|中京区|小豆郡土庄町|札幌市)?(大字|字)?[若緑条三八北西東番無地の之ノケヶイ甲乙第寺通上下入るル町丁目丘が一千百　 -]{0,4}";
    const NUMBERS: &str = "[0-9０-９一二三]{1,4}(丁目|番地?の?|号|条|番町|-|－|ー|の|/|区| |　|西|先|甲|イ|日){0,2}[0-9０-９三]{0,3}(号室?|番|-|地先|ハイツ|入江ビル| 上る)?[0-9A-Bイ入る]{0,3}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn two_halves_read_apart_are_the_address_read_as_a_whole(names in NAMES, numbers in NUMBERS) {
            let address = format!("{names}{numbers}");
            let halves = divide(&address);
            let halves = halves.and_then(|(names, numbers)| {
                AddressHalf::of_names(names).zip(AddressHalf::of_numbers(numbers))
            });
            if let Some((names, numbers)) = halves && !(names.streets && numbers.streets) {
                let both = Address {
                    prefecture: names.read.prefecture,
                    town: names.read.town,
                    municipality_end: names.read.municipality_end,
                    ..numbers.read
                };
                prop_assert_eq!(Some(both), Address::read(&address, ""), "{}", address);
            }
        }
    }

    #[test]
    fn plain_addresses_are_read_in_halves() {
        for address in [
            "兵庫県美空市大字東鶴見野２３０９番地３０ サニーコート２０１号室",
            "美空市滝ノ沢1-368-32",
            "若葉市緑ヶ丘２１番１１号",
            "千葉県若葉市若松５丁目5番地ノ28　グランドハイツ北208号",
        ] {
            let (names, numbers) = divide(address).expect("it has a number");
            let (names, numbers) = (AddressHalf::of_names(names), AddressHalf::of_numbers(numbers));
            assert!(
                names.zip(numbers).is_some_and(|(a, b)| !(a.streets && b.streets)),
                "{address}"
            );
        }
    }

    #[test]
    fn halves_that_mean_more_in_company_are_not_read_alone() {
        for names in ["若葉市甲", "若葉市緑1条", "〒", "Ｒｏｏｍ", "若葉市 緑", ""]
        {
            assert_eq!(AddressHalf::of_names(names), None, "{names}");
        }
        for numbers in ["1条西2丁目", "5番町3", "4日市2", "2三", "番1", "", "3の5"] {
            assert_eq!(AddressHalf::of_numbers(numbers), None, "{numbers}");
        }
    }
}
