//! Digits in which the number of a person could hide.
//!
//! A leaf cannot be taken back, so this errs on the side of refusing: of every eleven numbers with 11 or 12 digits one
//! fits by chance. Names are chosen by people and can be chosen again.

/// Whether 12 digits in a row fit the check digit of a 個人番号, or 11 that of a 住民票コード, also within a longer row.
pub fn holds_personal_number(text: &str) -> bool {
    text.as_bytes()
        .split(|byte| !byte.is_ascii_digit())
        .any(|digits| digits.windows(12).any(fits) || digits.windows(11).any(fits))
}

/// Both numbers have one rule: weights 2 to 7 from the right, again and again; with r = sum mod 11 the check digit is 0
/// for r up to 1, else 11 - r.
fn fits(digits: &[u8]) -> bool {
    let Some((check, base)) = digits.split_last() else { return false };
    let weights = (2..=7_u32).cycle();
    let sum: u32 = base.iter().rev().zip(weights).map(|(&c, weight)| value(c) * weight).sum();
    let expected = match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder,
    };
    value(*check) == expected
}

fn value(digit: u8) -> u32 {
    u32::from(digit - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_fitting_check_digit_are_found_anywhere_in_a_name() {
        // 123456789018 is the example of the ordinance's rule; the second is made up for the eleven-digit rule.
        for text in ["123456789018", "x-123456789018", "a00123456789018b", "00000000000"] {
            assert!(holds_personal_number(text), "{text}");
        }
        let code = (0..10)
            .map(|check| format!("staff_1234567890{check}"))
            .filter(|text| holds_personal_number(text))
            .count();
        assert_eq!(code, 1, "one check digit fits eleven digits");
    }

    #[test]
    fn other_names_pass() {
        for text in ["", "c-0042", "1234567890", "123456789019", "2026-11-21", "1234-5678-9018"] {
            assert!(!holds_personal_number(text), "{text}");
        }
    }
}
