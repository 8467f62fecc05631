//! Names and readings as pairs of fields with what they are to each other.

use renkei_japanese::kana::{kana_exact, kana_fuzzy};
use renkei_japanese::kanji::fold_weak;
use renkei_japanese::name::{KanaName, WrittenName};

/// Rows of three cells, and all that are not what they should be.
fn check(rows: &str, relation: impl Fn(&str, &str) -> &'static str) {
    let mut wrong = Vec::new();
    for row in rows.lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [expected, one, other] = cells[..] else { panic!("three cells: {row}") };
        let found = relation(one, other);
        assert_eq!(found, relation(other, one), "{row}");
        if found != expected {
            wrong.push(format!("{one} | {other}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn written_names_agree_as_family_registers_do() {
    check(include_str!("data/names.tsv"), |one, other| {
        let read = |field| WrittenName::read(field).expect("a name");
        let (a, b) = (read(one), read(other));
        let weak = |name: &WrittenName| name.full.chars().map(fold_weak).collect::<String>();
        match (a.exact == b.exact, a.full == b.full) {
            (true, _) => "same",
            (false, true) => "variant",
            // One letter alone is a row about the letter; names of the weak table are other names.
            (false, false) if a.full.chars().count() == 1 && weak(&a) == weak(&b) => "weak",
            (false, false) => "differs",
        }
    });
}

#[test]
fn readings_agree_as_the_resident_system_searches() {
    check(include_str!("data/kana.tsv"), |one, other| {
        let read = |field| KanaName::read(field).expect("a name");
        let (a, b) = (read(one), read(other));
        assert_eq!((kana_exact(one), kana_fuzzy(one)), (a.exact.clone(), a.fuzzy.clone()), "{one}");
        match (a.exact == b.exact, a.fuzzy == b.fuzzy) {
            (true, _) => "same",
            (false, true) => "near",
            (false, false) => "differs",
        }
    });
}
