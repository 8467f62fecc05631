//! The file of candidates.

use std::collections::BTreeMap;

use crate::linking::{has_decimals, linked};
use crate::support::Sheet;

#[test]
fn candidates_are_ranked_from_one_above_the_floor_of_the_review_band() {
    let candidates = Sheet::read(&linked().file("candidates.csv"));
    assert_eq!(
        candidates.header,
        ["list_id", "register_id", "rank", "probability", "match_weight"]
    );
    let model = fs_err::read_to_string(linked().file("model.toml")).expect("a model");
    let floor: f64 = number_after(&model, "\nreview = ");
    let mut last: Option<(&str, u32, f64)> = None;
    let mut first_of: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for row in &candidates.rows {
        let [list_id, register_id, rank, probability, weight] = row.as_slice() else {
            panic!("five columns, not {}", row.len())
        };
        assert!(has_decimals(probability, 9) && has_decimals(weight, 3), "{row:?}");
        let (rank, weight_bits): (u32, f64) =
            (rank.parse().expect("a rank"), weight.parse().expect("a weight"));
        match last {
            Some((line, before, heavier)) if line == list_id => {
                assert_eq!(rank, before + 1, "{row:?}");
                assert!(weight_bits <= heavier, "{row:?}");
            }
            _ => {
                assert_eq!(rank, 1, "{row:?}");
                // What rivals take may put the others of a line below the floor, and only them.
                assert!(weight_bits >= floor - 1.0, "{row:?}");
                assert_eq!(first_of.insert(list_id, (register_id, weight)), None, "{row:?}");
            }
        }
        last = Some((list_id, rank, weight_bits));
    }
    // Who stands in the links is the first of the candidates.
    let links = &linked().links;
    for row in 0..links.rows.len() {
        let named = (links.cell(row, "register_id"), links.cell(row, "match_weight"));
        let first = first_of.get(links.cell(row, "list_id")).copied().unwrap_or_default();
        assert_eq!(named, first, "row {row}");
    }
}

/// The number behind a text.
fn number_after(text: &str, before: &str) -> f64 {
    let rest = text.split_once(before).expect("the number is there").1;
    rest.lines().next().and_then(|line| line.trim().parse().ok()).expect("a number")
}
