//! Why, and why not: what is said of a pair is what linking did with it.

mod common;

use common::{Row, Table, against, crowd, index, run};
use renkei_linkage::{
    Cardinality, Inquiry, Linkable, Linkage, MatchWeight, Miss, Obstacle, Outcome, RegisterIndex,
    Search, TermView,
};
use renkei_types::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first residents as lines, each with one thing changed.
fn list(register: &[Row], change: impl Fn(usize, &mut Row)) -> Vec<Row> {
    let mut lines: Vec<Row> = register.iter().take(60).cloned().collect();
    for (number, line) in lines.iter_mut().enumerate() {
        line[0] = format!("L{number:03}");
        change(number, line);
    }
    lines
}

struct City {
    index: Arc<RegisterIndex>,
    lines: Vec<Row>,
    linkable: Linkable,
    linkage: Linkage,
}

impl City {
    fn new(register: &[Row], lines: Vec<Row>) -> Self {
        let index = index(register);
        let linkable = against(&index, &lines);
        let linkage = run(&linkable, Cardinality::OneToOne, None);
        Self { index, lines, linkable, linkage }
    }

    fn inquire(&self, line: u32) -> Inquiry<'_> {
        self.linkage.inquire(&self.linkable, line)
    }

    fn resident(&self, row: usize) -> u32 {
        self.index.row(&format!("R{row:05}")).expect("a resident")
    }
}

/// Slips of every kind, so that pairs of many patterns are looked at.
fn slips(number: usize, line: &mut Row) {
    match number % 7 {
        0 => line[3].clear(),
        1 => line[1] = line[1].replace('　', ""),
        2 => line[2].clear(),
        3 => line[6] = "千葉県若葉市新町9番9号".to_owned(),
        4 => line[3] = line[3].replace("-0", "-1"),
        5 => (line[1], line[6]) = (String::new(), String::new()),
        _ => {}
    }
}

#[test]
fn a_query_explains_every_pair_in_the_numbers_of_the_job() {
    let register = crowd(400);
    let city = City::new(&register, list(&register, slips));
    let model = city.index.prepare(city.linkage.model.clone()).expect("its own model");
    let mut pairs = 0;
    for (number, line) in (0u32..).zip(&city.lines) {
        let query = city.index.read(&Table(std::slice::from_ref(line)));
        let (of_query, of_job) = (city.index.inquire(&query, &model), city.inquire(number));
        let weighed = city.linkage.candidates(&city.linkable, number, MatchWeight::NEVER);
        assert_eq!(of_query.candidates(), weighed);
        assert_eq!(of_job.candidates(), weighed);
        for candidate in weighed {
            let explained = of_query.explain(candidate.resident);
            assert_eq!(explained, of_job.explain(candidate.resident));
            assert_eq!(explained.weight, candidate.weight);
            pairs += 1;
        }
        assert_eq!(of_query.search(), of_job.search());
    }
    assert!(pairs > 100, "{pairs} pairs say little");
}

#[test]
fn every_rule_either_brought_a_pair_together_or_says_why_not() {
    let register = crowd(300);
    let city = City::new(&register, list(&register, slips));
    let rules: BTreeSet<&str> =
        city.linkage.blocking.iter().map(|report| report.rule.as_str()).collect();
    let (mut compared, mut apart) = (0, 0);
    for line in 0..20 {
        let inquiry = city.inquire(line);
        let met: BTreeSet<u32> =
            inquiry.candidates().iter().map(|candidate| candidate.resident).collect();
        for resident in 0..300u32 {
            let obstacles = inquiry.obstacles(resident);
            let Some(Obstacle::NotCompared(missed)) = obstacles.first() else {
                assert!(met.contains(&resident));
                compared += 1;
                continue;
            };
            assert!(!met.contains(&resident));
            let named: BTreeSet<&str> = missed.iter().map(|miss| miss.rule.as_str()).collect();
            assert_eq!(named, rules, "every rule missed, and says so");
            apart += 1;
        }
    }
    assert!(compared > 20 && apart > 1_000, "{compared} {apart}");
}

#[test]
fn a_resident_who_was_never_compared_is_told_which_part_of_each_rule_missed() {
    let mut register = crowd(200);
    let place = "千葉県若葉市寿町";
    let resident = |id: &str, birth: &str| {
        common::row(&format!("{id}|真壁　蒼|マカベ　アオイ|{birth}|1||{place}7番3号"))
    };
    register.extend([resident("R00200", "1971-01-01"), resident("R00201", "")]);
    let line = |id: &str, birth: &str| {
        common::row(&format!("{id}|遠山　凜|トオヤマ　リン|{birth}|2||{place}1番1号"))
    };
    let city = City::new(&register, vec![line("L0", "1999-09-09"), line("L1", "")]);
    let missed = |line: u32, resident: usize| -> BTreeMap<String, Miss> {
        let obstacle = city.inquire(line).obstacles(city.resident(resident)).remove(0);
        let Obstacle::NotCompared(missed) = obstacle else { panic!("{obstacle:?}") };
        missed.into_iter().map(|missed| (missed.rule, missed.miss)).collect()
    };
    let rule = "birth_date + family name as read";
    let parts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let both = Miss::ValuesDiffer(parts(&["birth_date", "family name as read"]));
    assert_eq!(missed(0, 200)[rule], both);
    assert_eq!(missed(1, 200)[rule], Miss::LineHasNone(parts(&["birth_date"])));
    assert_eq!(missed(0, 201)[rule], Miss::ResidentHasNone(parts(&["birth_date"])));
    // They live in one town.
    let name = Miss::ValuesDiffer(parts(&["whole name as read"]));
    assert_eq!(missed(0, 200)["whole name as read + town"], name);
}

#[test]
fn a_namesake_of_a_line_that_agrees_with_somebody_in_all_is_told_not_to_have_been_asked_for() {
    let mut register = crowd(200);
    let namesake = register.len();
    let rare = ["遠山　凜", "トオヤマ　リン"].map(str::to_owned);
    register[20][1..3].clone_from_slice(&rare);
    let mut other = register[20].clone();
    (other[0], other[3], other[5]) = ("R00200".to_owned(), "1911-12-31".to_owned(), String::new());
    other[6] = "北海道札幌市中央区北一条西2丁目5番".to_owned();
    register.push(other);
    let mut line = register[20].clone();
    line[0] = "L0".to_owned();
    let mut without_house = line.clone();
    (without_house[0], without_house[6]) = ("L1".to_owned(), String::new());
    let city = City::new(&register, vec![line, without_house]);
    let (person, namesake) = (city.resident(20), city.resident(namesake));
    let found = city.inquire(0);
    assert!(found.candidate(person).is_some() && found.candidate(namesake).is_none());
    let rule = "whole name as read";
    let obstacle = found.obstacles(namesake).remove(0);
    let Obstacle::NotCompared(missed) = obstacle else { panic!("{obstacle:?}") };
    let why = |rule: &str| &missed.iter().find(|missed| missed.rule == rule).expect("missed").miss;
    assert_eq!(why(rule), &Miss::NotAsked);
    assert_ne!(why("birth_date + family name as read"), &Miss::NotAsked);
    let search = |line: u32| {
        let found = city.inquire(line).search();
        found.into_iter().find(|search| search.rule == rule).expect("the rule").found
    };
    assert_eq!(search(0), Search::NotAsked);
    // Who gives no house may mean either.
    assert_eq!(search(1), Search::Residents(2));
    assert!(city.inquire(1).candidate(namesake).is_some());
}

#[test]
fn who_is_meant_by_a_part_of_a_line_is_compared_though_another_of_the_house_agrees_with_the_rest() {
    let mut register = crowd(200);
    let house = "千葉県若葉市寿町99番9号";
    let resident = |text: &str| common::row(&format!("{text}||{house}"));
    register.extend([
        resident("R00200|遠山　一路|トオヤマ　イチロ|1950-02-03|1"),
        resident("R00201|遠山　凜|トオヤマ　リン|1952-11-20|2"),
        resident("R00202|真壁　博|マカベ　ヒロシ|1948-05-06|1"),
        resident("R00203|真壁　宏|マカベ　ヒロシ|1975-07-08|1"),
    ]);
    // The wife with the date and, behind her own, the name of the head of the household; the father with the son's date.
    let wife = format!("L0|遠山　凜（遠山　一路）||1950-02-03|||{house}");
    let father = format!("L1|真壁　博|マカベ　ヒロシ|1975-07-08|||{house}");
    let city = City::new(&register, vec![common::row(&wife), common::row(&father)]);
    for (line, others) in [(0, [200, 201]), (1, [202, 203])] {
        for other in others {
            let resident = city.resident(other);
            assert!(city.inquire(line).candidate(resident).is_some(), "{line} {other}");
        }
    }
}

#[test]
fn a_block_that_was_too_large_is_told_with_its_size() {
    // So many of one name that the name alone says nothing, and nothing else is shared.
    let mut register = crowd(120);
    for resident in register.iter_mut().skip(20) {
        (resident[1], resident[2]) = ("大林　実".to_owned(), "オオバヤシ　ミノル".to_owned());
    }
    let mut line = register[20].clone();
    (line[0], line[3], line[5]) = ("L1".to_owned(), "1911-12-31".to_owned(), String::new());
    line[6] = "北海道札幌市中央区北一条西2丁目5番".to_owned();
    let city = City::new(&register, vec![line]);
    let inquiry = city.inquire(0);
    let rule = "whole name as read";
    let found = inquiry.search();
    let search = found.iter().find(|search| search.rule == rule).expect("the rule");
    let Search::TooMany { residents, most } = search.found else {
        panic!("{search:?}");
    };
    assert_eq!(residents, 100);
    assert!(most < residents);
}

#[test]
fn the_rival_the_missing_weight_and_the_margin_are_those_of_the_candidates() {
    let register = crowd(400);
    let city = City::new(&register, list(&register, slips));
    let thresholds = city.linkage.model.thresholds;
    let (mut rivals, mut shorts, mut linked) = (0, 0, 0);
    for line in 0..60u32 {
        let inquiry = city.inquire(line);
        let Some(&best) = inquiry.candidates().first() else { continue };
        for candidate in inquiry.candidates() {
            let obstacles = inquiry.obstacles(candidate.resident);
            let is_linked = inquiry.decision().outcome == Outcome::Linked
                && candidate.resident == best.resident;
            assert_eq!(obstacles.is_empty(), is_linked, "{obstacles:?}");
            linked += usize::from(is_linked);
            for obstacle in obstacles {
                match obstacle {
                    Obstacle::Rival { resident, by, evidence_by } => {
                        assert_eq!(resident, best.resident);
                        assert_eq!(by, best.alone - candidate.alone);
                        assert_eq!(evidence_by, best.evidence - candidate.evidence);
                        rivals += 1;
                    }
                    Obstacle::Short { of_link, of_review } => {
                        assert_eq!(candidate.alone + of_link, thresholds.link);
                        assert_eq!(of_review.is_some(), candidate.alone < thresholds.review);
                        shorts += 1;
                    }
                    Obstacle::SmallMargin { margin, short, .. } => {
                        assert_eq!(margin + short, thresholds.margin);
                    }
                    Obstacle::Rivals { take, short } => {
                        assert_eq!(candidate.weight, candidate.alone - take);
                        assert_eq!(candidate.weight + short, thresholds.link);
                    }
                    Obstacle::NotCompared(_) | Obstacle::HeldByLine { .. } | Obstacle::Other(_) => {
                    }
                }
            }
        }
    }
    assert!(rivals > 20 && shorts > 20 && linked > 20, "{rivals} {shorts} {linked}");
}

#[test]
fn a_tie_a_second_line_and_an_empty_line_are_told_apart() {
    let mut register = crowd(300);
    // Two residents whom nothing tells apart.
    let mut double = register[40].clone();
    double[0] = "R00300".to_owned();
    register.push(double);
    let mut lines = list(&register, |_, _| {});
    let mut again = lines[3].clone();
    again[0] = "L900".to_owned();
    lines.push(again);
    lines.push(common::row("L901||||||"));
    let city = City::new(&register, lines);
    let tie = city.inquire(40).obstacles(city.resident(40));
    assert!(
        matches!(tie[..], [Obstacle::Rivals { .. }, Obstacle::SmallMargin { margin: MatchWeight::ZERO, resident, .. }]
            if resident == city.resident(300)),
        "{tie:?}"
    );
    let other = city.inquire(40).obstacles(city.resident(300));
    assert!(matches!(other[0], Obstacle::Rival { by: MatchWeight::ZERO, .. }), "{other:?}");
    assert_eq!(city.inquire(3).obstacles(city.resident(3)), []);
    let second = city.inquire(60).obstacles(city.resident(3));
    assert_eq!(second, [Obstacle::HeldByLine { line: 3 }]);
    let empty = city.inquire(61);
    assert_eq!(empty.obstacles(0), [Obstacle::Other(Reason::NoEvidence)]);
    assert!(empty.search().iter().all(|search| search.found == Search::NoValue));
}

#[test]
fn terms_say_which_view_of_a_name_was_compared() {
    let register = crowd(300);
    let lines = list(&register, |number, line| match number {
        0 => line[2].clear(),
        1 => line[1].clear(),
        2 => {
            (line[1], line[2]) = ("一馬　青浜".to_owned(), "カズマ　アオハマ".to_owned());
            let of_resident: Vec<&str> = register[2][1].split('　').collect();
            line[1] = format!("{}　{}", of_resident[1], of_resident[0]);
            let of_resident: Vec<&str> = register[2][2].split('　').collect();
            line[2] = format!("{}　{}", of_resident[1], of_resident[0]);
        }
        _ => {}
    });
    let city = City::new(&register, lines);
    let views = |line: usize| -> Vec<TermView> {
        let number = u32::try_from(line).expect("few lines");
        let explained = city.inquire(number).explain(city.resident(line));
        explained.terms.iter().take(3).map(|term| term.view).collect()
    };
    assert_eq!(views(0), [TermView::Registered, TermView::Written, TermView::Written]);
    assert_eq!(views(1), [TermView::Registered, TermView::Read, TermView::Read]);
    assert_eq!(views(2), [TermView::Exchanged, TermView::Both, TermView::Both]);
    assert_eq!(views(3), [TermView::Registered, TermView::Both, TermView::Both]);
}

#[test]
fn an_estimate_counts_the_pairs_that_the_job_compares() {
    let register = crowd(500);
    let city = City::new(&register, list(&register, slips));
    let estimate = city.linkable.estimate(&BTreeMap::new());
    assert_eq!(estimate, city.linkage.blocking);
    assert!(estimate.iter().map(|rule| rule.new_pairs).sum::<u64>() > 100);
    let without = BTreeMap::from([(0, Reason::IdRepeated)]);
    let fewer: u64 = city.linkable.estimate(&without).iter().map(|rule| rule.pairs).sum();
    assert!(fewer < estimate.iter().map(|rule| rule.pairs).sum());
}
