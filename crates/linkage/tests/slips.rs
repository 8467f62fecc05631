//! Slips in names: what a letter lost, misread or misheard takes from what a name says.
//!
//! Whose name is nearly the resident's is either somebody of the resident's name who made a slip, or somebody whose name is
//! nearly the same. A stranger of the very name makes the same slips, so a slip says nothing about who made it.

mod common;

use common::{Row, against, crowd, index, row, run};
use proptest::prelude::*;
use renkei_linkage::{Cardinality, MatchWeight};

/// A register in which one resident has a rare name, and many are written 裕美: half are read ヒロミ, half ユミ.
fn register() -> Vec<Row> {
    let mut register = crowd(400);
    register.extend((0..20).map(|n| {
        let reading = if n % 2 == 0 { "ヒロミ" } else { "ユミ" };
        let (year, day) = (1950 + n, 10 + n % 9);
        row(&format!(
            "Y{n:03}|北畑　裕美|キタハタ　{reading}|{year}-03-{day}|2|275-0009|千葉県若葉市新町{n}番1号"
        ))
    }));
    register.extend((0..12).map(|n| {
        let (year, day) = (1960 + n, 10 + n);
        row(&format!(
            "G{n:03}|後藤　勇作|ゴトウ　ユウサク|{year}-05-{day}|1|275-0009|千葉県若葉市新町{n}番2号"
        ))
    }));
    register
        .push(row("P1|森淵　春奈子|モリフチ　ハナコ|1971-11-03|2|275-0009|千葉県若葉市新町9番3号"));
    register
}

/// Level, and weight with frequency, of family and given name of a line and a resident of the register of these tests.
fn names(line: &str, resident: &str) -> [(String, MatchWeight); 2] {
    names_of(&register(), line, resident)
}

/// The same with another register.
fn names_of(register: &[Row], line: &str, resident: &str) -> [(String, MatchWeight); 2] {
    let index = index(register);
    let linkable = against(&index, &[row(line)]);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    let explanation =
        linkage.inquire(&linkable, 0).explain(index.row(resident).expect("it is there"));
    ["family name", "given name"].map(|part| {
        let term = explanation.terms.iter().find(|term| term.comparison.starts_with(part));
        let term = term.expect("names are compared");
        (term.level.clone(), term.weight + term.frequency)
    })
}

/// A line of the resident of the rare name.
fn of_rare_name(written: &str, read: &str) -> String {
    format!("L|{written}|{read}|1971-11-03|2|275-0001|千葉県若葉市平和5番5号")
}

/// A line of the first of twelve of one name.
fn of_goto(written: &str, read: &str) -> String {
    format!("L|{written}|{read}|1960-05-10|1|275-0001|千葉県若葉市平和5番5号")
}

const A_BIT: MatchWeight = MatchWeight::from_millibits(1_000);

#[test]
fn a_letter_that_the_list_lost_takes_little_from_a_name_that_is_read_alike() {
    let [(_, clean), _] = names(&of_goto("後藤　勇作", "ゴトウ　ユウサク"), "G000");
    let [(level, lost), _] = names(&of_goto("後●　勇作", "ゴトウ　ユウサク"), "G000");
    assert_eq!(level, "written near, reading equal");
    assert!(lost + A_BIT > clean && clean + A_BIT > lost, "{lost} for {clean}");
}

#[test]
fn a_slip_in_the_kana_takes_little_from_a_name_that_is_written_alike() {
    let [_, (_, clean)] = names(&of_goto("後藤　勇作", "ゴトウ　ユウサク"), "G000");
    for read in ["ユウテク", "ユウザク"] {
        let line = of_goto("後藤　勇作", &format!("ゴトウ　{read}"));
        let [_, (level, slipped)] = names(&line, "G000");
        assert!(level.starts_with("written equal, reading "), "{level}");
        assert!(slipped + A_BIT > clean && clean + A_BIT > slipped, "{slipped} for {clean}");
    }
}

#[test]
fn what_many_others_would_show_too_says_less_than_the_name() {
    // Of those who are written 裕美 half are read ユミ: that a line says so is no slip of the one who is read ヒロミ.
    let line = |read: &str| {
        format!("L|北畑　裕美|キタハタ　{read}|1950-03-10|2|275-0001|千葉県若葉市平和5番5号")
    };
    let [_, (_, clean)] = names(&line("ヒロミ"), "Y000");
    let [_, (level, other)] = names(&line("ユミ"), "Y000");
    assert_eq!(level, "written equal, reading different");
    assert!(other + A_BIT < clean, "{other} for {clean}");
}

#[test]
fn a_name_that_is_near_in_both_views_says_no_more_than_the_name() {
    let [(_, clean), _] = names(&of_rare_name("森淵　春奈子", "モリフチ　ハナコ"), "P1");
    let [(level, near), _] = names(&of_rare_name("森●　春奈子", "モリブチ　ハナコ"), "P1");
    assert_eq!(level, "written near, reading near");
    assert!(near < clean + A_BIT, "{near} for {clean}");
}

/// What the line of the first resident of a large register gets for family and given name, with these names.
fn in_a_city(written: &str, read: &str) -> [(String, MatchWeight); 2] {
    let mut register = crowd(20_000);
    // Names that are written in kana have one view, and hardly any is near another.
    register.extend((0..200).map(|n| {
        let given = ["マツ", "トメ", "ハナエ", "キヨミ"][n % 4];
        row(&format!("K{n:03}|青浜　{given}|アオハマ　{given}|1931-02-0{}|2||", 1 + n % 9))
    }));
    register
        .push(row("P1|片倉　康介|カタクラ　コウスケ|1971-11-03|1|275-0009|千葉県若葉市新町9番3号"));
    let line = format!("L|{written}|{read}|1971-11-03|1|275-0001|千葉県若葉市平和5番5号");
    names_of(&register, &line, "P1")
}

#[test]
fn in_a_city_too_what_is_near_in_both_views_says_no_more_than_the_name() {
    let [(_, clean), _] = in_a_city("片倉　康介", "カタクラ　コウスケ");
    let [(level, near), _] = in_a_city("片●　康介", "カダクラ　コウスケ");
    assert_eq!(level, "written near, reading near");
    assert!(near < clean + A_BIT, "{near} for {clean}");
}

#[test]
fn kana_alone_that_are_near_say_no_more_than_kana_that_are_equal() {
    let [_, (_, equal)] = in_a_city("", "カタクラ　コウスケ");
    let [_, (level, near)] = in_a_city("", "カタクラ　ゴウスケ");
    assert_eq!(level, "reading near");
    assert!(near < equal + A_BIT, "{near} for {equal}");
}

#[test]
fn a_line_in_kana_may_read_the_letters_otherwise_than_the_register() {
    let line =
        |read: &str| format!("L||キタハタ　{read}|1950-03-10|2|275-0001|千葉県若葉市平和5番5号");
    let [_, (equal, as_registered)] = names(&line("ヒロミ"), "Y000");
    let [_, (level, otherwise)] = names(&line("ユミ"), "Y000");
    let [_, (other_level, other)] = names(&line("トシエ"), "Y000");
    assert_eq!(equal, "reading equal");
    assert_eq!(level, "reading known of the same letters");
    assert_eq!(other_level, "reading different");
    assert!(other < MatchWeight::ZERO && other < otherwise && otherwise < as_registered);
    // The readings of other letters are no readings of these.
    let [_, (level, _)] = names(&of_rare_name("", "モリフチ　ユミ"), "P1");
    assert_eq!(level, "reading different");
}

#[test]
fn a_long_mark_is_the_vowel_that_it_lengthens() {
    let line = |read: &str| of_goto("後藤　勇作", read);
    let [(family, _), (given, _)] = names(&line("ゴトー　ユーサク"), "G000");
    assert_eq!(
        (family.as_str(), given.as_str()),
        ("written equal, reading near", "written equal, reading near")
    );
    let [(family, _), _] = names(&line("ゴト　ユウサク"), "G000");
    assert_eq!(family, "written equal, reading similar");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_slip_speaks_more_for_a_resident_than_the_name(
        letter in prop::sample::select(vec!["●", "〓", "森", "野", ""]),
        at in 0usize..3,
        kana in prop::sample::select(vec!["ー", "ブ", "マ", ""]),
        kana_at in 0usize..3,
        alone in 0usize..3,
    ) {
        let put = |text: &str, at: usize, letter: &str| -> String {
            let instead = |(place, old): (usize, char)| {
                if place == at { letter.to_owned() } else { old.to_string() }
            };
            text.chars().enumerate().map(instead).collect()
        };
        let line = |written: &str, read: &str| {
            let written = if alone == 1 { String::new() } else { format!("森淵　{written}") };
            let read = if alone == 2 { String::new() } else { format!("モリフチ　{read}") };
            of_rare_name(&written, &read)
        };
        let [_, (_, clean)] = names(&line("春奈子", "ハナコ"), "P1");
        let slipped = line(&put("春奈子", at, letter), &put("ハナコ", kana_at, kana));
        let [_, (level, slipped)] = names(&slipped, "P1");
        prop_assert!(slipped < clean + A_BIT, "{level}: {slipped} for {clean}");
    }
}
