//! Cells that a spreadsheet runs instead of showing, and how they are shown after all.
//!
//! Who opens a CSV file in a spreadsheet runs what its cells say: a name `=HYPERLINK(…)` on an application form sends what stands
//! beside it to whoever filled the form in. An apostrophe in front makes it text, which is what spreadsheets themselves use. Plain
//! numbers run nothing and stay as they are. In a workbook no cell is a formula, so nothing has to be done there.
//!
//! Only for tables that people open: what a program reads must say what was sent.

use std::borrow::Cow;

/// The letters with which a formula begins; spreadsheets for Japanese take the full-width ones for the same.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet would run the cell. What stands for nothing, such as a lone hyphen, is no formula.
pub(crate) fn is_formula_like(cell: &str) -> bool {
    // Tabs and line breaks at the start are skipped by spreadsheets.
    let value = cell.trim();
    let mut letters = value.chars();
    letters.next().is_some_and(|first| FORMULA_STARTS.contains(&first))
        && letters.next().is_some()
        && value.parse::<f64>().is_err()
}

/// The cell as a spreadsheet shows it without running anything: with an apostrophe where it would be run, and with a picture of
/// each control character. Line breaks are text.
pub(crate) fn shown(cell: &str) -> Cow<'_, str> {
    let is_control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r');
    let formula = is_formula_like(cell);
    if !formula && !cell.chars().any(is_control) {
        return Cow::Borrowed(cell);
    }
    let picture = |letter: char| match letter {
        '\n' | '\r' => letter,
        '\0'..='\x1f' => {
            char::from_u32('␀' as u32 + letter as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '␡',
        _ if letter.is_control() => char::REPLACEMENT_CHARACTER,
        _ => letter,
    };
    let apostrophe = formula.then_some('\'');
    Cow::Owned(apostrophe.into_iter().chain(cell.chars().map(picture)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_gets_an_apostrophe_and_nothing_else_is_changed() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+81-90", "'+81-90"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'␉=1"),
            ("\r=1", "'\r=1"),
            ("＝1+1", "'＝1+1"),
            ("山\0田", "山␀田"),
            ("山\u{7f}\u{85}田", "山␡\u{fffd}田"),
            // Not run, and not changed.
            ("-", "-"),
            ("－", "－"),
            ("-5", "-5"),
            ("+1.5", "+1.5"),
            ("", ""),
            ("000=1", "000=1"),
            ("ヤマダ　ハナコ", "ヤマダ　ハナコ"),
            ("二行\nの値", "二行\nの値"),
        ] {
            assert_eq!(shown(cell), expected, "{cell:?}");
        }
    }
}
