//! Names without a view in common: what one side writes against what the other reads, by readings that the register shows.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{Row, Table, against, crowd, decisions, index, intake, row, run};
use jiff::Timestamp;
use proptest::prelude::*;
use renkei_linkage::{
    Cardinality, DedupeOptions, Explanation, MatchWeight, Outcome, RegisterIndex, Serves, TermView,
    Unwatched, dedupe,
};
use renkei_types::FixedClock;

const CLOCK: FixedClock = FixedClock(Timestamp::UNIX_EPOCH);

/// Columns of a row.
const WRITTEN: usize = 1;
const READ: usize = 2;

/// What stands in a row of people who are written 裕子: twelve are read ユウコ, eight ヒロコ, one ユキコ.
fn readers_of_yuko() -> Vec<Row> {
    let readings = [("ユウコ", 12), ("ヒロコ", 8), ("ユキコ", 1)]
        .into_iter()
        .flat_map(|(reading, people)| std::iter::repeat_n(reading, people));
    let person = |(n, reading): (usize, &str)| {
        row(&format!(
            "Y{n:03}|北畑　裕子|キタハタ　{reading}|19{}-0{}-1{}|2|275-0009|千葉県若葉市新町{n}番1号",
            50 + n,
            1 + n % 9,
            n % 10,
        ))
    };
    readings.enumerate().map(person).collect()
}

/// The register of the tests, with one more resident.
fn register(resident: &str) -> Vec<Row> {
    let mut register = crowd(400);
    register.extend(readers_of_yuko());
    register.push(row(resident));
    register
}

/// The pair of a line and the last resident of a register laid open.
fn explain(register: &[Row], line: &str) -> Explanation {
    let index = index(register);
    let linkable = against(&index, &[row(line)]);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    let last = &register[register.len() - 1][0];
    linkage.inquire(&linkable, 0).explain(index.row(last).expect("it is there"))
}

/// Level, weight with frequency, and view of family and given name.
fn names(explanation: &Explanation) -> [(&str, MatchWeight, TermView); 2] {
    ["family name", "given name"].map(|part| {
        let term = explanation.terms.iter().find(|term| term.comparison.starts_with(part));
        let term = term.expect("names are compared");
        (term.level.as_str(), term.weight + term.frequency, term.view)
    })
}

const USUAL: &str = "usual reading of the written";
const RARE: &str = "rare reading of the written";
const NEAR: &str = "near a reading of the written";
const NONE: &str = "no reading of the written";

#[test]
fn a_line_in_kanji_is_held_against_the_readings_of_a_resident_in_kana() {
    let given = |reading: &str| {
        let register = register(&format!("P1||ウエサワ　{reading}|1971-03-03|2||"));
        let explanation = explain(&register, "L|上沢　裕子||1971-03-03|2||");
        let [(family, family_weight, view), (given, weight, _)] = names(&explanation);
        assert_eq!((family, view), (USUAL, TermView::Both));
        assert!(family_weight > MatchWeight::ZERO, "{family_weight:?}");
        (given.to_owned(), weight)
    };
    let (usual, also_usual, rare) = (given("ユウコ"), given("ヒロコ"), given("ユキコ"));
    assert_eq!([&usual.0, &also_usual.0, &rare.0], [USUAL, USUAL, RARE]);
    assert!(usual.1 > MatchWeight::ZERO && also_usual.1 > MatchWeight::ZERO, "{usual:?}");
    assert!(rare.1 > MatchWeight::ZERO && rare.1 < also_usual.1, "{rare:?}");
    assert_eq!(given("ヒロゴ").0, NEAR);
    let none = given("サチエ");
    assert!(none.0 == NONE && none.1 < MatchWeight::ZERO, "{none:?}");
}

#[test]
fn a_line_in_kana_is_held_against_the_readings_of_what_a_resident_writes() {
    let register = register("P1|上沢　裕子||1971-03-03|2||");
    let given = |reading: &str| {
        let explanation = explain(&register, &format!("L||ウエサワ　{reading}|1971-03-03|2||"));
        names(&explanation)[1].0.to_owned()
    };
    assert_eq!(["ユウコ", "ヒロコ", "ユキコ", "サチエ"].map(given), [USUAL, USUAL, RARE, NONE]);
}

#[test]
fn kanji_whose_reading_hardly_anybody_shows_say_nothing() {
    let mut register = register("P1||ウエサワ　ミツハ|1971-03-03|2||");
    let level = |register: &[Row]| {
        names(&explain(register, "L|上沢　光葉||1971-03-03|2||"))[1].0.to_owned()
    };
    assert_eq!(level(&register), "missing", "nobody is written so");
    register.insert(0, row("Q1|江岸　光葉|エギシ　テルハ|1980-01-01|2||"));
    assert_eq!(level(&register), "missing", "of one reading nobody knows that it is the only one");
    register.insert(0, row("Q2|江岸　光葉|エギシ　ミツハ|1980-01-01|2||"));
    assert_eq!(level(&register), USUAL);
}

#[test]
fn a_reading_of_another_part_of_a_name_is_none_of_this_one() {
    // 青浜 is read アオハマ as a family name; as a given name nobody bears it.
    let register = register("P1||ウエサワ　アオハマ|1971-03-03|2||");
    assert_eq!(names(&explain(&register, "L|上沢　青浜||1971-03-03|2||"))[1].0, "missing");
}

#[test]
fn a_pair_without_a_view_in_common_is_found_by_its_name() {
    let resident = "P1||ウエサワ　ヒロコ|1971-03-03|2|275-0001|千葉県若葉市寿町77番1号";
    // Of two of name, birthday and place, one is always another.
    for line in [
        "L|上沢　裕子||1971-03-03|2|275-0001|千葉県若葉市平和5番5号",
        "L|裕子　上沢||1971-03-03|2||",
    ] {
        let explanation = explain(&register(resident), line);
        let by_reading = explanation.rules.iter().filter(|rule| rule.contains("as read")).count();
        assert!(by_reading > 0, "{line}: {:?}", explanation.rules);
    }
    let resident = "P1|上沢　裕子||1971-03-03|2|275-0001|千葉県若葉市寿町77番1号";
    let explanation = explain(&register(resident), "L||ウエサワヒロコ|1971-03-03|2||");
    assert!(!explanation.rules.is_empty());
    assert_eq!(names(&explanation).map(|(level, ..)| level), [USUAL, USUAL]);
}

#[test]
fn a_twin_who_is_read_otherwise_is_not_linked() {
    let twin = "P1|上沢　裕子||1971-03-03|2|275-0001|千葉県若葉市寿町77番1号";
    let line = row("L||ウエサワ　サチエ|1971-03-03|2|275-0001|千葉県若葉市寿町77番1号");
    let (decision, _) = decisions(&register(twin), &[line]).remove("L").expect("decided");
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
}

/// How many of the lines, in kana and without an address, have their person as the best candidate.
fn found(register: &[Row]) -> usize {
    let mut lines = crowd(600);
    for line in &mut lines {
        line[WRITTEN].clear();
        line[6].clear();
        line[5].clear();
    }
    let decisions = decisions(register, &lines);
    decisions.iter().filter(|(line, (_, person))| *line == person).count()
}

#[test]
fn half_a_register_without_readings_is_found_by_those_of_the_other_half() {
    let mut register = crowd(600);
    register.iter_mut().step_by(2).for_each(|resident| resident[READ].clear());
    let with = found(&register);
    // Where the other half is not written, nobody shows how anything is read.
    register.iter_mut().skip(1).step_by(2).for_each(|resident| resident[WRITTEN].clear());
    let without = found(&register);
    assert!(with >= 570, "{with} of 600 are found");
    assert!(without <= 330, "{without} of 600 are found without readings");
}

#[test]
fn what_was_learned_does_not_depend_on_the_order_of_the_register() {
    let mut register = register("P1|上沢　裕子||1971-03-03|2||");
    register.iter_mut().step_by(3).for_each(|resident| resident[READ].clear());
    let mut lines = register.clone();
    lines.iter_mut().for_each(|line| line[WRITTEN].clear());
    let digest = |index: &Arc<RegisterIndex>| {
        let linkable = against(index, &lines);
        run(&linkable, Cardinality::OneToOne, None).result_digest(&linkable)
    };
    let straight = digest(&index(&register));
    let of_one_list = intake(&register).seal(&[], Serves::OneList, &CLOCK, &Unwatched);
    assert_eq!(digest(&Arc::new(of_one_list)), straight, "nor on whom the index serves");
    register.reverse();
    assert_eq!(digest(&index(&register)), straight);
}

#[test]
fn a_delta_is_read_by_what_was_learned_and_teaches_nothing() {
    let mut first = register("P1|上沢　裕子||1971-03-03|2||");
    let index = index(&first);
    let mut delta = index.delta();
    // Were it learned, ten more who are read サチエ would make that reading usual.
    let newcomers: Vec<Row> = (0..10)
        .map(|n| row(&format!("N{n}|石森　裕子|イシモリ　サチエ|1990-01-0{}|2||", 1 + n % 9)))
        .chain([row("N99|石森　裕子||1988-08-08|2||")])
        .collect();
    delta.add(&Table(&newcomers));
    let index = Arc::new(index.apply(delta).expect("it fits"));
    let given = |reading: &str| {
        let line = row(&format!("L||イシモリ　{reading}|1988-08-08|2||"));
        let linkable = against(&index, &[line]);
        let linkage = run(&linkable, Cardinality::OneToOne, None);
        let newcomer = index.row("N99").expect("it has joined");
        let explanation = linkage.inquire(&linkable, 0).explain(newcomer);
        assert!(!explanation.rules.is_empty(), "{reading}: the two meet");
        names(&explanation)[1].0.to_owned()
    };
    assert_eq!(given("ユウコ"), USUAL);
    assert_eq!(given("サチエ"), NONE);
    first.extend(newcomers);
    let learned = explain(&first, "L||イシモリ　サチエ|1988-08-08|2||");
    assert_eq!(names(&learned)[1].0, USUAL, "an index built anew learns it");
}

#[test]
fn records_of_one_file_that_share_no_view_are_put_together() {
    let mut records = register("P1|上沢　裕子||1971-03-03|2|275-0001|千葉県若葉市寿町77番1号");
    records.push(row("P2||ウエサワ　ヒロコ|1971-03-03|2||"));
    records.push(row("P3||ウエサワ　サチエ|1971-03-03|2||"));
    let file = intake(&records).seal_for_dedupe(&[], None, &CLOCK, &Unwatched);
    let found = dedupe(file, DedupeOptions::default(), &CLOCK, &Unwatched).expect("no model");
    let weight = |a: &str, b: &str| {
        let pair = found.pairs().find(|pair| (found.id(pair.a), found.id(pair.b)) == (a, b));
        pair.map_or(MatchWeight::NEVER, |pair| pair.weight)
    };
    assert!(weight("P1", "P2") > MatchWeight::ZERO, "{:?}", weight("P1", "P2"));
    assert!(weight("P1", "P3") < MatchWeight::ZERO, "{:?}", weight("P1", "P3"));
}

/// Which views of a name stand in a row.
fn keep(row: &mut Row, views: u8) {
    if views == 1 {
        row[READ].clear();
    } else if views == 2 {
        row[WRITTEN].clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Where a pair has a view in common, readings have no say: whatever is known of them, it weighs the same.
    #[test]
    fn only_pairs_without_a_view_in_common_are_weighed_by_readings(
        residents in prop::collection::vec(0u8..3, 120),
        lines in prop::collection::vec(0u8..3, 120),
    ) {
        let mut register = crowd(120);
        let mut list = register.clone();
        register.iter_mut().zip(&residents).for_each(|(row, views)| keep(row, *views));
        list.iter_mut().zip(&lines).for_each(|(row, views)| keep(row, *views));
        let index = index(&register);
        let linkable = against(&index, &list);
        let linkage = run(&linkable, Cardinality::OneToOne, None);
        let mut seen = BTreeSet::new();
        for line in 0..120u32 {
            let (of_line, of_resident) = (lines[line as usize], residents[line as usize]);
            let explanation = linkage.inquire(&linkable, line).explain(line);
            let apart = of_line + of_resident == 3 && of_line != 0 && of_resident != 0;
            for (level, _, view) in names(&explanation) {
                let across = level.ends_with("of the written");
                prop_assert_eq!(across || level == "missing", apart, "{}", level);
                prop_assert!(!across || view == TermView::Both);
                seen.insert(across);
            }
        }
        prop_assert!(seen.contains(&false));
    }

    /// Residents that a delta brings are found and weighed as they are in an index that was built of all.
    #[test]
    fn deltas_find_names_without_a_view_in_common_as_the_built_index_does(
        residents in prop::collection::vec(0u8..3, 160),
        lines in prop::collection::vec(0u8..3, 160),
        built in 60usize..140,
    ) {
        let mut register = crowd(160);
        let mut list = register.clone();
        register.iter_mut().zip(&residents).for_each(|(row, views)| keep(row, *views));
        list.iter_mut().zip(&lines).for_each(|(row, views)| keep(row, *views));
        // By name and birthday alone.
        list.iter_mut().for_each(|line| line[5..].iter_mut().for_each(String::clear));
        let base = index(&register[..built]);
        let mut delta = base.delta();
        delta.add(&Table(&register[built..]));
        let joined = Arc::new(base.apply(delta).expect("it fits"));
        let rebuilt = Arc::new(intake(&register).seal_counted_as(&base, &[], &CLOCK, &Unwatched));
        let [joined, rebuilt] = [joined, rebuilt].map(|index| {
            let linkable = against(&index, &list);
            let linkage = run(&linkable, Cardinality::OneToOne, None);
            (linkage.candidate_pairs, linkage.model.digest(), linkage.result_digest(&linkable))
        });
        prop_assert_eq!(joined, rebuilt);
    }
}
