//! The plain text of numbers from typed files.

/// Beyond this a spreadsheet's number no longer has all its digits.
pub(crate) const EXACT_MAX: f64 = 1.0e15;

/// A number without `.0` and without an exponent.
pub(crate) fn plain(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { format!("{number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_point_and_no_exponent() {
        for (number, text) in [
            (12345.0, "12345"),
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (1.0e14, "100000000000000"),
            (1.0e21, "1000000000000000000000"),
        ] {
            assert_eq!(plain(number), text);
        }
    }
}
