//! The threat model names tests that exist, in both languages the same ones; and says of every threat and every rule of law
//! what holds it, or that nothing does.

mod support;

use std::collections::BTreeSet;

use support::pages::{assert_is_a_test, pairs, rows};

const ENGLISH: &str = include_str!("../../../docs/threat-model.md");
const JAPANESE: &str = include_str!("../../../docs/threat-model.ja.md");

/// A threat by its number, or a rule of law by its name; and its tests, where it has any.
struct Row {
    name: String,
    tests: Vec<(String, String)>,
    says_none: bool,
}

fn table(page: &str) -> Vec<Row> {
    let row = |[what, _, _, fourth, last]: [String; 5]| {
        let is_threat =
            what.strip_prefix('M').is_some_and(|rest| rest.starts_with(char::is_numeric));
        // Of a threat the tests stand before what remains, of a rule at the end.
        let cell = if is_threat { fourth } else { last };
        let says_none = cell.starts_with("none: ") || cell.starts_with("なし：");
        let tests = if says_none { Vec::new() } else { pairs(&cell) };
        let name =
            if is_threat { what.split(' ').next().unwrap_or_default().to_owned() } else { what };
        Row { name, tests, says_none }
    };
    rows::<5>(page).into_iter().map(row).collect()
}

#[test]
fn every_threat_and_every_rule_of_law_names_tests_that_exist_or_says_that_there_is_none() {
    for page in [ENGLISH, JAPANESE] {
        let all = table(page);
        assert!(all.len() > 40, "{}", all.len());
        for Row { name, tests, says_none } in all {
            assert!(says_none || !tests.is_empty(), "{name} has neither a test nor a reason");
            tests.iter().for_each(|test| assert_is_a_test(&name, test));
        }
    }
}

#[test]
fn both_languages_have_the_same_threats_and_rules_held_by_the_same_tests() {
    let tests = |page| table(page).into_iter().map(|row| row.tests).collect::<Vec<_>>();
    assert_eq!(tests(ENGLISH), tests(JAPANESE));
    let numbers = |page| -> BTreeSet<String> {
        let names = table(page).into_iter().map(|row| row.name);
        names.filter(|name| name.starts_with('M')).collect()
    };
    assert_eq!(numbers(ENGLISH), numbers(JAPANESE));
    let chapters = |page: &str| page.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(chapters(ENGLISH), chapters(JAPANESE));
}

#[test]
fn all_six_kinds_of_threat_are_thought_of() {
    let rows = rows::<5>(ENGLISH);
    let kinds: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row[0].starts_with('M'))
        .filter_map(|row| row[0].split(' ').nth(1))
        .collect();
    assert_eq!(kinds, BTreeSet::from(["S", "T", "R", "I", "D", "E"]));
}
