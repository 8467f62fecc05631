//! The register: form of the file, households, and who lives in the city.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{generated, table};
use renkei_testkit::{Mix, Population, RecipeError};

const ID: usize = 0;
const HOUSEHOLD: usize = 1;
const NAME: usize = 2;
const KANA: usize = 3;
const BIRTH: usize = 4;
const ADDRESS: usize = 7;
const BUILDING: usize = 8;
const FORMER: usize = 9;
const ALIAS: usize = 10;

fn surname(name: &str) -> &str {
    name.split('　').next().unwrap_or(name)
}

#[test]
fn every_row_has_the_columns_of_the_contract() {
    let (files, _) = generated(3000, 10, Mix::Typical, 1);
    let rows = table(files.register());
    assert_eq!(
        rows[0].join(","),
        "宛名番号,世帯番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,方書,旧氏,通称名"
    );
    assert_eq!(rows.len(), 3001);
    for row in &rows[1..] {
        assert_eq!(row.len(), 11);
        assert!(row[ID].len() == 15 && row[HOUSEHOLD].len() == 15);
        assert!(row[BIRTH].len() == 10 && row[BIRTH] <= "2026-04-01", "{}", row[BIRTH]);
        assert!(matches!(row[5], "1" | "2"));
        assert!(row[6].len() == 8 && row[6].as_bytes()[3] == b'-');
        assert!(
            row[KANA].chars().all(|kana| matches!(kana, 'ァ'..='ヶ' | 'ー' | '　')),
            "{}",
            row[KANA]
        );
    }
}

#[test]
fn resident_numbers_are_unique_and_in_no_order() {
    let (files, _) = generated(20_000, 10, Mix::Typical, 2);
    let rows = table(files.register());
    let ids: Vec<&str> = rows[1..].iter().map(|row| row[ID]).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let rises = ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((2_000..18_000).contains(&rises), "{rises}");
}

#[test]
fn households_stand_together_at_one_address() {
    let (files, totals) = generated(20_000, 10, Mix::Typical, 3);
    let rows = table(files.register());
    let mut households: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().skip(1) {
        households.entry(row[HOUSEHOLD]).or_default().push(at);
    }
    assert_eq!(households.len(), totals.households);
    let mut of_one_name = 0;
    for members in households.values() {
        assert!((1..=6).contains(&members.len()));
        assert!(members.windows(2).all(|pair| pair[1] == pair[0] + 1));
        let address = |at: &usize| (rows[*at][ADDRESS], rows[*at][BUILDING]);
        assert!(members.iter().all(|at| address(at) == address(&members[0])));
        let names: BTreeSet<&str> = members.iter().map(|at| surname(rows[*at][NAME])).collect();
        of_one_name += usize::from(names.len() == 1);
    }
    let share = of_one_name as f64 / households.len() as f64;
    assert!((0.9..0.99).contains(&share), "{share}");
}

#[test]
fn twins_strangers_alike_and_care_homes_are_among_the_residents() {
    let (files, _) = generated(20_000, 10, Mix::Typical, 4);
    let rows = table(files.register());
    let mut same_birth: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut same_name_and_birth: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut same_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut homes: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in &rows[1..] {
        *same_birth.entry((row[HOUSEHOLD], row[BIRTH])).or_default() += 1;
        *same_name_and_birth.entry((row[NAME], row[BIRTH])).or_default() += 1;
        *same_name.entry(row[NAME]).or_default() += 1;
        homes.entry((row[ADDRESS], row[BUILDING])).or_default().insert(row[HOUSEHOLD]);
    }
    let twins = same_birth.values().filter(|count| **count > 1).count();
    assert!((30..200).contains(&twins), "{twins}");
    let alike = same_name_and_birth.values().filter(|count| **count > 1).count();
    assert!((3..60).contains(&alike), "{alike}");
    assert!(same_name.values().filter(|count| **count > 1).count() > 200);
    assert_eq!(homes.values().filter(|households| households.len() >= 50).count(), 4);
}

#[test]
fn foreign_residents_former_names_and_aliases_are_in_the_register() {
    let (files, _) = generated(20_000, 10, Mix::Typical, 5);
    let rows = table(files.register());
    let count = |which: &dyn Fn(&&Vec<&str>) -> bool| rows[1..].iter().filter(which).count();
    let latin = count(&|row| {
        row[NAME].starts_with(|letter: char| matches!(letter, 'A'..='Z' | 'Ａ'..='Ｚ'))
    });
    assert!((150..700).contains(&latin), "{latin}");
    assert!(count(&|row| !row[FORMER].is_empty()) > 20);
    assert!(count(&|row| !row[ALIAS].is_empty()) > 5);
    assert!(count(&|row| row[NAME].contains('（')) > 5);
    assert!(count(&|row| row[BIRTH].ends_with("-01-01")) > 70);
}

#[test]
fn names_grow_in_number_with_the_register() {
    let distinct = |residents| {
        let (files, _) = generated(residents, 10, Mix::Typical, 6);
        let rows = table(files.register());
        let full: BTreeSet<&str> = rows[1..].iter().map(|row| row[NAME]).collect();
        let surnames: BTreeSet<&str> = full.iter().map(|name| surname(name)).collect();
        (surnames.len(), full.len())
    };
    let (small, large) = (distinct(5_000), distinct(100_000));
    assert!(large.0 > 3 * small.0 && large.0 > 6_000, "{small:?} {large:?}");
    assert!(large.1 > 75_000 && large.1 < 95_000, "{small:?} {large:?}");
}

#[test]
fn the_register_does_not_depend_on_the_list() {
    let (typical, _) = generated(3000, 10, Mix::Typical, 7);
    let (nasty, _) = generated(3000, 3000, Mix::Nasty, 7);
    let (other, _) = generated(3000, 10, Mix::Typical, 8);
    assert!(typical.residents == nasty.residents);
    assert!(typical.residents != other.residents);
}

#[test]
fn a_register_without_residents_is_refused() {
    let refused = Population::settle(0, 1, &mut |_, _, _| {}).map(|_| ());
    assert!(matches!(refused, Err(RecipeError::Residents { residents: 0, .. })));
    let (files, _) = generated(1, 1, Mix::Nasty, 1);
    assert_eq!(table(files.register()).len(), 2);
}
