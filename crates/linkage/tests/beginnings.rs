//! Beginnings of names: who types the first letters of a name finds whoever bears it.

mod common;

use std::collections::BTreeSet;

use common::{Row, crowd, index, row};
use renkei_linkage::{Beginnings, RegisterIndex};

fn register() -> Vec<Row> {
    let mut register = crowd(400);
    register
        .push(row("R90001|斎　さくら|サイ　サクラ|1990-01-01|2|273-0001|千葉県若葉市寿町1番1号"));
    register
        .push(row("R90002|斎上　桜|サイガミ　サクラ|1991-01-01|2|273-0001|千葉県若葉市寿町1番2号"));
    register
}

fn ids(index: &RegisterIndex, found: &Beginnings) -> BTreeSet<String> {
    found.rows.iter().map(|row| index.id(*row).to_owned()).collect()
}

/// A name as it is typed: without its space.
fn letters(name: &str) -> String {
    name.replace('　', "")
}

#[test]
fn every_beginning_of_a_name_finds_exactly_those_whose_name_begins_so() {
    let register = register();
    let index = index(&register);
    for column in [1, 2] {
        let typed: BTreeSet<String> = register
            .iter()
            .flat_map(|one| {
                let name: Vec<char> = letters(&one[column]).chars().collect();
                (2..=name.len()).map(move |most| name.iter().take(most).collect::<String>())
            })
            .collect();
        assert!(typed.len() > 30, "{}", typed.len());
        for typed in typed {
            let expected: BTreeSet<String> = register
                .iter()
                .filter(|one| letters(&one[column]).starts_with(&typed))
                .map(|one| one[0].clone())
                .collect();
            let (written, kana) = if column == 1 { (&*typed, "") } else { ("", &*typed) };
            let found = index.beginning_with(written, kana, usize::MAX);
            assert_eq!(ids(&index, &found), expected, "{typed}");
            assert!(!found.more);
        }
    }
}

#[test]
fn both_views_must_begin_as_typed_and_width_or_spaces_make_no_difference() {
    let index = index(&register());
    let found = |written: &str, kana: &str| ids(&index, &index.beginning_with(written, kana, 10));
    let one = |id: &str| BTreeSet::from([id.to_owned()]);
    assert_eq!(found("斎", "サイガ"), one("R90002"));
    assert_eq!(found("", "ｻｲ ｻ"), one("R90001"));
    assert_eq!(found("", "さいがみ　さ"), one("R90002"));
    assert_eq!(found("斎 さく", ""), one("R90001"));
}

#[test]
fn one_letter_is_no_beginning_and_more_than_asked_for_is_told() {
    let index = index(&register());
    assert_eq!(index.beginning_with("", "ア", 10), Beginnings::default());
    assert_eq!(index.beginning_with("", "", 10), Beginnings::default());
    let some = index.beginning_with("", "アオ", 10);
    assert_eq!((some.rows.len(), some.more), (10, true));
    assert_eq!(index.beginning_with("", "アオ", 10), some);
}
