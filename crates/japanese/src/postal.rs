//! Postal codes: seven digits, whatever stands around them.
//!
//! Invariant: a [`PostalCode`] holds a number of at most seven digits; what has more or fewer digits than a code with at
//! most one lost leading zero is not read at all, because padding two zeros would invent a place.

use std::fmt;

/// A Japanese postal code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostalCode {
    /// The seven digits as one number: 060-0001 is 600001.
    pub number: u32,
    /// Whether a leading zero, lost in a spreadsheet, was put back.
    pub repaired: bool,
}

impl PostalCode {
    /// Reads a code in any width, with or without 〒, dashes and spaces.
    ///
    /// Six digits are a code whose leading zero was lost, and are marked repaired. Anything else is `None`, and so are
    /// `000-0000` and `999-9999`, which no place has.
    pub fn read(text: &str) -> Option<Self> {
        let mut number = 0_u32;
        let mut digits = 0_u32;
        let mut dash_at = None;
        for c in text.chars() {
            let value = match c {
                '0'..='9' => u32::from(c) - u32::from('0'),
                '０'..='９' => u32::from(c) - u32::from('０'),
                '〒' | '〶' if digits == 0 => continue,
                'ー' | 'ｰ' => {
                    dash_at = Some(digits);
                    continue;
                }
                _ if crate::text::is_dash(c) => {
                    dash_at = Some(digits);
                    continue;
                }
                _ if c.is_whitespace() || c == '\u{feff}' => continue,
                _ => return None,
            };
            digits += 1;
            if digits > 7 {
                return None;
            }
            number = number * 10 + value;
        }
        let repaired = match (digits, dash_at) {
            (7, None | Some(3 | 7)) => false,
            (6, None | Some(2 | 6)) => true,
            _ => return None,
        };
        (number != 0 && number != 9_999_999).then_some(Self { number, repaired })
    }
}

impl fmt::Display for PostalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_read_in_every_notation() {
        let notations = [
            "060-0001",
            "0600001",
            "０６０－０００１",
            "060ー0001",
            "〒060-0001",
            "〒 060-0001",
            "060 0001",
            "０６０ｰ０００１",
            "060−0001",
            " 〒０６０　０００１ ",
        ];
        for text in notations {
            let code = PostalCode::read(text).unwrap();
            assert_eq!(
                (code.number, code.repaired, code.to_string().as_str()),
                (600_001, false, "0600001"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_lost_leading_zero_is_put_back_and_marked() {
        for text in ["600001", "60-0001", "６００００１"] {
            assert_eq!(
                PostalCode::read(text),
                Some(PostalCode { number: 600_001, repaired: true }),
                "{text}"
            );
        }
    }

    #[test]
    fn other_text_is_not_a_code() {
        for text in [
            "", "〒", "12345", "12345678", "060-001", "0600-001", "06A-0001", "不明", "000-0000",
            "9999999", "-",
        ] {
            assert_eq!(PostalCode::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = PostalCode::read(&text);
        }

        #[test]
        fn displayed_codes_read_back(number in 1_u32..9_999_999) {
            let code = PostalCode { number, repaired: false };
            prop_assert_eq!(PostalCode::read(&code.to_string()), Some(code));
        }
    }
}
