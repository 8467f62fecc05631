//! Laws of the engine: what the order of records, the threads, the length of a list and a saved model may not change.

mod common;

use std::collections::BTreeMap;

use common::{Row, against, crowd, index, linkable, row, run};
use proptest::prelude::*;
use renkei_linkage::{Cardinality, ENGINE_VERSION, MatchWeight, Model, ModelError, Outcome};

/// Lines of every third resident, some with a mistake.
fn lines(register: &[Row]) -> Vec<Row> {
    let spoil = |(number, resident): (usize, &Row)| {
        let mut line = resident.clone();
        line[0] = format!("L{number:04}");
        match number % 20 {
            0 => line[1].clear(),
            1 => line[3] = line[3].replace('1', "2"),
            2 => line[6] = "若葉市平和99番9号".to_owned(),
            3 => line[2] = line[2].replace('　', ""),
            _ => {}
        }
        line
    };
    register.iter().step_by(3).enumerate().map(spoil).collect()
}

fn shuffled(rows: &[Row], seed: u64) -> Vec<Row> {
    let mut keyed: Vec<(u64, &Row)> = (1u64..)
        .zip(rows)
        .map(|(number, row)| {
            (number.wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7, row)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, row)| row.clone()).collect()
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let register = crowd(600);
    let list = lines(&register);
    let digests: Vec<_> = [1, 2, 4]
        .into_iter()
        .map(|threads| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let linkable = linkable(&register, &list);
                let linkage = run(&linkable, Cardinality::OneToOne, None);
                (linkage.model.digest(), linkage.result_digest(&linkable))
            })
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
}

#[test]
fn a_saved_model_decides_as_the_trained_one_did() {
    let register = crowd(600);
    let list = lines(&register);
    let linkable = linkable(&register, &list);
    let trained = run(&linkable, Cardinality::OneToOne, None);
    let text = trained.model.to_toml();
    let model = Model::from_toml(&text).expect("its own file");
    assert_eq!(model.digest(), trained.model.digest());
    let again = run(&linkable, Cardinality::OneToOne, Some(model));
    assert_eq!(again.result_digest(&linkable), trained.result_digest(&linkable));
}

#[test]
fn a_model_file_tells_how_it_was_trained_and_its_report_decides_nothing() {
    let register = crowd(600);
    let mut list = lines(&register);
    list.iter_mut().for_each(|line| line[3].clear());
    let linkable = linkable(&register, &list);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    let model = linkage.model_with_report(&linkable);
    let back = Model::from_toml(&model.to_toml()).expect("its own file");
    let report = back.report.clone().expect("a report");
    assert_eq!(report.lines, list.len() as u64);
    assert_eq!(report.pairs, linkage.candidate_pairs as u64);
    assert!(report.rounds > 1 && report.converged, "{report:?}");
    // Nobody on the list has a birthday.
    assert_eq!(back.untrained_comparisons().collect::<Vec<_>>(), ["birth_date"]);
    let expected = report.expected.expect("what is expected");
    let linked = linkage
        .decisions
        .iter()
        .filter(|decision| matches!(decision.outcome, Outcome::Linked | Outcome::Duplicate));
    assert_eq!(expected.links, linked.count() as u64);
    let precision = expected.precision;
    assert!(precision.interval.low <= precision.value && precision.value > 0.9, "{expected:?}");
    // Without it the digest is the same, and so are the decisions.
    let text = model.to_toml();
    let (head, rest) = text.split_once("[report]").expect("a report");
    let (_, comparisons) = rest.split_once("[[comparison]]").expect("comparisons");
    let bare = Model::from_toml(&format!("{head}[[comparison]]{comparisons}")).expect("a model");
    assert_eq!(bare.report, None);
    assert_eq!(bare.digest(), model.digest());
    let other = text.replacen("version = 1\n", "version = 2\n", 1);
    assert!(Model::from_toml(&other).is_err(), "a report of another version");
}

#[test]
fn a_model_with_a_changed_number_is_refused() {
    let register = crowd(200);
    let linkable = linkable(&register, &lines(&register));
    let text = run(&linkable, Cardinality::OneToOne, None).model.to_toml();
    let changed = text.replacen("match_rate = 0.9", "match_rate = 0.8", 1);
    assert_ne!(changed, text);
    assert!(Model::from_toml(&changed).is_err());
    assert!(Model::from_toml("format = 1").is_err());
}

#[test]
fn a_model_of_an_engine_with_other_levels_is_to_be_trained_again() {
    let register = crowd(200);
    let linkable = linkable(&register, &lines(&register));
    let text = run(&linkable, Cardinality::OneToOne, None).model.to_toml();
    let engine = format!("engine = \"{ENGINE_VERSION}\"");
    assert!(text.contains(&engine));
    let older = text.replacen(&engine, "engine = \"2\"", 1);
    let refused = Model::from_toml(&older).expect_err("it has fewer levels");
    assert!(refused.to_string().contains("train it again"), "{refused}");
    let ModelError::OtherEngine { found } = refused else { panic!("{refused}") };
    assert_eq!(found, "2");
}

#[test]
fn the_terms_of_a_pair_add_up_to_its_weight() {
    let register = crowd(400);
    let list = lines(&register);
    let linkable = linkable(&register, &list);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    for (line, decision) in (0u32..).zip(&linkage.decisions) {
        let Some((resident, weight)) = decision.best else { continue };
        let explanation = linkage.inquire(&linkable, line).explain(resident);
        let terms: MatchWeight =
            explanation.terms.iter().map(|term| term.weight + term.frequency).sum();
        let others = explanation.relatives + explanation.rivals;
        assert_eq!(explanation.prior + terms + others, explanation.weight);
        assert_eq!(explanation.weight, weight);
        assert!(!explanation.rules.is_empty(), "a compared pair shares a key");
    }
}

#[test]
fn many_lines_may_be_one_person_where_that_is_allowed() {
    let register = crowd(300);
    let twice: Vec<Row> = (0..2)
        .map(|copy| {
            let mut line = register[17].clone();
            line[0] = format!("L{copy}");
            line
        })
        .collect();
    let linkable = linkable(&register, &twice);
    let one = run(&linkable, Cardinality::OneToOne, None);
    let many = run(&linkable, Cardinality::ManyToOne, None);
    let outcomes = |linkage: &renkei_linkage::Linkage| {
        linkage.decisions.iter().map(|decision| decision.outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&one), [Outcome::Linked, Outcome::Duplicate]);
    assert_eq!(outcomes(&many), [Outcome::Linked, Outcome::Linked]);
}

#[test]
fn equal_lines_are_decided_as_one_of_them_is_and_counted_for_each() {
    let register = crowd(300);
    let once = lines(&register);
    let copy = |line: &Row| {
        ["a", "b", "c"].map(|end| {
            let mut copy = line.clone();
            copy[0] += end;
            copy
        })
    };
    let thrice: Vec<Row> = once.iter().flat_map(copy).collect();
    let index = index(&register);
    let (one, three) = (against(&index, &once), against(&index, &thrice));
    let of_once = run(&one, Cardinality::ManyToOne, None);
    let model = || Some(of_once.model.clone());
    let (of_once, of_thrice) =
        (run(&one, Cardinality::ManyToOne, model()), run(&three, Cardinality::ManyToOne, model()));
    assert!(of_once.candidate_pairs > 100);
    assert_eq!(of_thrice.candidate_pairs, 3 * of_once.candidate_pairs);
    for (one, three) in of_once.blocking.iter().zip(&of_thrice.blocking) {
        let times = |times: u64| (times * one.pairs, times * one.new_pairs, one.largest_block);
        assert_eq!((three.pairs, three.new_pairs, three.largest_block), times(3), "{}", one.rule);
    }
    let expected = of_once.expected_matches(&one);
    assert!(expected.iter().any(|rule| rule.first > 1.0));
    for (one, three) in expected.iter().zip(of_thrice.expected_matches(&three)) {
        assert!((3.0 * one.first - three.first).abs() < 1e-5, "{one:?} {three:?}");
    }
    for (line, decision) in of_once.decisions.iter().enumerate() {
        assert_eq!(of_thrice.decisions[3 * line..][..3], [*decision; 3], "line {line}");
    }
}

#[test]
fn an_empty_side_is_no_error() {
    let register = crowd(50);
    let list = lines(&register);
    let empty: Vec<Row> = Vec::new();
    let no_register = linkable(&empty, &list);
    let linkage = run(&no_register, Cardinality::OneToOne, None);
    assert_eq!(linkage.decisions.len(), list.len());
    assert!(linkage.decisions.iter().all(|decision| decision.outcome == Outcome::NotFound));
    let no_list = linkable(&register, &empty);
    assert!(run(&no_list, Cardinality::OneToOne, None).decisions.is_empty());
}

#[test]
fn a_line_alone_gets_the_outcome_it_has_among_others() {
    let register = crowd(900);
    let list = lines(&register);
    let all = linkable(&register, &list);
    let together = run(&all, Cardinality::OneToOne, None);
    let by_id: BTreeMap<&str, Outcome> =
        (0u32..).zip(&together.decisions).map(|(line, d)| (all.list_id(line), d.outcome)).collect();
    let mut changed = 0;
    for line in list.iter().take(60) {
        let alone = linkable(&register, std::slice::from_ref(line));
        let outcome = run(&alone, Cardinality::OneToOne, None).decisions[0].outcome;
        let among = by_id[line[0].as_str()];
        changed += usize::from(among != Outcome::Duplicate && outcome != among);
    }
    assert!(changed <= 3, "{changed} of 60 lines have another outcome alone");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_result_does_not_depend_on_the_order_of_records(first in any::<u64>(), second in any::<u64>()) {
        let register = crowd(300);
        let list = lines(&register);
        let straight = linkable(&register, &list);
        let other = linkable(&shuffled(&register, first), &shuffled(&list, second));
        let straight_run = run(&straight, Cardinality::OneToOne, None);
        let other_run = run(&other, Cardinality::OneToOne, None);
        prop_assert_eq!(straight_run.model.digest(), other_run.model.digest());
        prop_assert_eq!(straight_run.result_digest(&straight), other_run.result_digest(&other));
    }

    #[test]
    fn no_value_makes_the_engine_panic(values in prop::collection::vec(prop::array::uniform6("\\PC{0,12}"), 1..12)) {
        let rows = |prefix: &str| -> Vec<Row> {
            values
                .iter()
                .enumerate()
                .map(|(number, values)| row(&format!("{prefix}{number}|{}", values.join("|"))))
                .collect()
        };
        let linkable = linkable(&rows("R"), &rows("L"));
        let linkage = run(&linkable, Cardinality::OneToOne, None);
        prop_assert_eq!(linkage.decisions.len(), values.len());
    }
}
