//! Check digits of the numbers that municipal files carry.
//!
//! The broker refuses files with 個人番号 before it stores a byte of them, so [`looks_like_my_number`] is asked about
//! every cell and stops at the first letter that cannot belong to one. Invariant: nothing here allocates or keeps a
//! number, and no error text repeats one.

/// The check digit of a 個人番号 from its first eleven digits (values 0-9, left to right).
///
/// Weights from the right are 2 3 4 5 6 7 2 3 4 5 6; with r = sum mod 11 the digit is 0 for r ≤ 1, else 11 − r.
pub fn my_number_check_digit(digits: &[u8; 11]) -> u8 {
    const WEIGHTS: [u32; 11] = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 =
        digits.iter().zip(WEIGHTS).map(|(&digit, weight)| u32::from(digit) * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        // 2..=10 leaves 1..=9, which fits.
        remainder => (11 - remainder) as u8,
    }
}

/// Whether a cell holds exactly twelve digits, in any width and also grouped by fours, with a fitting check digit.
///
/// One random twelve-digit number in eleven fits by chance, so one hit alone proves nothing; a column of hits does.
pub fn looks_like_my_number(text: &str) -> bool {
    let Some(digits) = digits::<12>(text, true) else { return false };
    let [base @ .., check] = digits;
    my_number_check_digit(&base) == check
}

/// Whether a cell holds a 法人番号: thirteen digits, the first of them the check digit 1-9.
///
/// The rule cannot see a 0 mistaken for a 9 or the reverse.
pub fn corporate_number_is_valid(text: &str) -> bool {
    let Some([check, base @ ..]) = digits::<13>(text, false) else { return false };
    let sum: u32 = base
        .iter()
        .rev()
        .zip([1_u32, 2].into_iter().cycle())
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    u32::from(check) == 9 - sum % 9
}

/// Whether a cell holds a 全国地方公共団体コード of six digits: two for the prefecture, three for the municipality, one
/// check digit.
///
/// Weights are 6 5 4 3 2 from the left; the digit is 11 − (sum mod 11), of which only the last digit counts.
pub fn municipality_code_is_valid(text: &str) -> bool {
    let Some([base @ .., check]) = digits::<6>(text, false) else { return false };
    let prefecture = base[0] * 10 + base[1];
    if !(1..=47).contains(&prefecture) {
        return false;
    }
    let sum: u32 = base
        .iter()
        .zip([6_u32, 5, 4, 3, 2])
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    u32::from(check) == (11 - sum % 11) % 10
}

/// The check digit of a 宛名番号 from its digits without it: modulus 11, weights 2-7 from the right, again and again.
///
/// Remainder 0 gives 0. Remainder 1 has no digit: such a number is never issued, and neither is one that is empty or
/// holds something other than digits; all three are `None`.
pub fn reference_number_check_digit(text: &str) -> Option<u8> {
    let mut sum = 0_u32;
    let mut weight = 2;
    for c in text.chars().rev() {
        sum += u32::from(digit(c)?) * weight;
        weight = if weight == 7 { 2 } else { weight + 1 };
        // Taken early so that no length overflows.
        sum %= 11;
    }
    match (text.is_empty(), sum) {
        (true, _) | (_, 1) => None,
        (_, 0) => Some(0),
        // 2..=10 leaves 1..=9, which fits.
        (_, remainder) => Some((11 - remainder) as u8),
    }
}

/// The value of an ASCII or full-width digit.
fn digit(c: char) -> Option<u8> {
    match c {
        // Both ranges leave 0..=9, which fits.
        '0'..='9' => Some((u32::from(c) - u32::from('0')) as u8),
        '０'..='９' => Some((u32::from(c) - u32::from('０')) as u8),
        _ => None,
    }
}

/// Exactly `N` digits, blanks at both ends aside; `grouped` also allows one dash or space after every fourth.
fn digits<const N: usize>(text: &str, grouped: bool) -> Option<[u8; N]> {
    let mut found = [0_u8; N];
    let mut count = 0;
    let mut after_gap = false;
    for c in text.trim().chars() {
        if let Some(value) = digit(c) {
            *found.get_mut(count)? = value;
            count += 1;
            after_gap = false;
        } else if grouped && count % 4 == 0 && count > 0 && count < N && !after_gap && is_gap(c) {
            after_gap = true;
        } else {
            return None;
        }
    }
    (count == N).then_some(found)
}

fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\u{3000}' | 'ー' | 'ｰ') || crate::text::is_dash(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn my_number_check_digits_follow_the_ministerial_rule() {
        // 12345678901: 2·1+3·0+4·9+5·8+6·7+7·6+2·5+3·4+4·3+5·2+6·1 = 212, 212 mod 11 = 3, 11 − 3 = 8.
        assert_eq!(my_number_check_digit(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]), 8);
        assert_eq!(my_number_check_digit(&[0; 11]), 0);
        // Remainder 1 gives 0: only the last weight pair counts, 2·6 = 12.
        assert_eq!(my_number_check_digit(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6]), 0);
    }

    #[test]
    fn my_numbers_are_found_in_every_width_and_grouping() {
        for text in [
            "123456789018",
            "1234-5678-9018",
            "1234 5678 9018",
            "１２３４５６７８９０１８",
            "１２３４－５６７８－９０１８",
            " 123456789018 ",
        ] {
            assert!(looks_like_my_number(text), "{text}");
        }
        for text in [
            "123456789017",
            "1234567890188",
            "12345678901",
            "123-456789018",
            "1234--56789018",
            "1234567890180",
            "",
            "あ",
            "-123456789018",
            "1234-5678-9018-",
        ] {
            assert!(!looks_like_my_number(text), "{text}");
        }
    }

    #[test]
    fn corporate_numbers_carry_the_check_digit_in_front() {
        // The tax agency's own number, printed in its notices.
        assert!(corporate_number_is_valid("7000012050002"));
        assert!(corporate_number_is_valid("７００００１２０５０００２"));
        assert!(!corporate_number_is_valid("6000012050002"));
        assert!(!corporate_number_is_valid("700001205000"));
        assert!(!corporate_number_is_valid(""));
    }

    #[test]
    fn municipality_codes_are_checked() {
        for text in ["131016", "011002", "130001", "242021", "１３１０１６", "473821"] {
            assert!(municipality_code_is_valid(text), "{text}");
        }
        for text in ["131017", "11002", "999999", "481016", "001016", "13101", "1310166", ""] {
            assert!(!municipality_code_is_valid(text), "{text}");
        }
    }

    #[test]
    fn reference_numbers_with_remainder_one_have_no_digit() {
        assert_eq!(reference_number_check_digit("0"), Some(0));
        // 2·6 = 12, remainder 1.
        assert_eq!(reference_number_check_digit("6"), None);
        // 2·1 = 2, 11 − 2 = 9.
        assert_eq!(reference_number_check_digit("1"), Some(9));
        // 4·2+3·3+2·4 = 25, remainder 3.
        assert_eq!(reference_number_check_digit("234"), Some(8));
        assert_eq!(reference_number_check_digit(""), None);
        assert_eq!(reference_number_check_digit("12a"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = (looks_like_my_number(&text), corporate_number_is_valid(&text));
            let _ = (municipality_code_is_valid(&text), reference_number_check_digit(&text));
        }

        #[test]
        fn one_wrong_digit_is_noticed_in_a_reference_number(base in "[0-9]{14}", at in 0_usize..14, shift in 1_u8..10) {
            if let Some(digit) = reference_number_check_digit(&base) {
                let mut wrong = base.into_bytes();
                wrong[at] = b'0' + (wrong[at] - b'0' + shift) % 10;
                prop_assert_ne!(reference_number_check_digit(&String::from_utf8(wrong).unwrap()), Some(digit));
            }
        }
    }
}
