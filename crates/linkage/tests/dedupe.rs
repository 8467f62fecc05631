//! One file linked to itself.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Row, crowd, intake, row};
use jiff::Timestamp;
use proptest::prelude::*;
use renkei_linkage::{DedupeOptions, Deduplication, Model, Unwatched, dedupe};
use renkei_types::FixedClock;

fn deduplicate(records: &[Row], model: Option<Model>) -> Deduplication {
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let records = intake(records).seal_for_dedupe(&[], None, &clock, &Unwatched);
    let options = DedupeOptions { model, ..DedupeOptions::default() };
    dedupe(records, options, &clock, &Unwatched).expect("no model is given, or one that fits")
}

/// The cluster of each record, by ids.
fn clusters(found: &Deduplication) -> BTreeMap<&str, &str> {
    let ids = (0u32..).zip(&found.clusters);
    ids.map(|(row, &cluster)| (found.id(row), found.id(cluster))).collect()
}

/// The records that are not the least of their cluster.
fn joined<'a>(clusters: &BTreeMap<&'a str, &'a str>) -> Vec<(&'a str, &'a str)> {
    clusters.iter().map(|(&record, &cluster)| (record, cluster)).filter(|(a, b)| a != b).collect()
}

/// The weight of each pair in thousandths of a bit, by ids.
fn pairs(found: &Deduplication) -> BTreeMap<(&str, &str), i32> {
    let mut pairs = BTreeMap::new();
    for pair in found.pairs() {
        let ids = (found.id(pair.a), found.id(pair.b));
        assert!(ids.0 < ids.1, "{ids:?}");
        assert_eq!(pairs.insert(ids, pair.weight.millibits()), None, "{ids:?} stands twice");
    }
    pairs
}

/// A crowd of 300, and these.
fn among_others(records: &[&str]) -> Vec<Row> {
    let mut all = crowd(300);
    all.extend(records.iter().map(|text| row(text)));
    all
}

const AKIRA: &str = "X1|四月一日　彰|ワタヌキ　アキラ|1971-03-09|1|273-0105|千葉県若葉市栄7番3号";
/// The same in another notation.
const AKIRA_AGAIN: &str = "X2|四月一日彰|ワタヌキアキラ|昭和46年3月9日|男|2730105|栄7-3";

/// People, some of whom stand there twice.
fn with_duplicates() -> Vec<Row> {
    among_others(&[
        AKIRA,
        AKIRA_AGAIN,
        "X3|若月　みどり|ワカツキ　ミドリ|1988-11-30|2|273-0105|千葉県若葉市栄1番1号",
        "X4|若月　みどり|ワカツキ　ミドリ|1988-11-03|2|273-0105|千葉県若葉市栄1番1号",
        "X5|若月　のぞみ|ワカツキ　ノゾミ|1988-11-30|2|273-0105|千葉県若葉市栄1番1号",
    ])
}

#[test]
fn people_who_are_registered_twice_are_found_and_nobody_else() {
    let records = with_duplicates();
    let found = deduplicate(&records, None);
    let clusters = clusters(&found);
    assert_eq!(clusters.len(), records.len());
    assert_eq!(joined(&clusters), [("X2", "X1"), ("X4", "X3")]);
}

#[test]
fn a_register_without_duplicates_is_left_as_it_is() {
    let records = crowd(400);
    let found = deduplicate(&records, None);
    assert_eq!(joined(&clusters(&found)), []);
    assert!(found.model.match_rate < 0.02, "{}", found.model.match_rate);
}

#[test]
fn a_pair_weighs_the_same_whichever_of_its_records_comes_first() {
    let records = with_duplicates();
    let found = deduplicate(&records, None);
    assert!(pairs(&found).contains_key(&("X1", "X2")));
    // The ids of the two are exchanged, and with them their places.
    let exchanged: Vec<Row> = records
        .iter()
        .map(|record| {
            let mut record = record.clone();
            record[0] = match record[0].as_str() {
                "X1" => "X2".to_owned(),
                "X2" => "X1".to_owned(),
                other => other.to_owned(),
            };
            record
        })
        .collect();
    assert_eq!(pairs(&deduplicate(&exchanged, None)), pairs(&found));
}

#[test]
fn twins_are_not_joined_through_a_record_without_a_given_name() {
    let records = among_others(&[
        "X1|若月　みどり|ワカツキ　ミドリ|1988-11-30|2|273-0105|千葉県若葉市栄1番1号",
        "X2|若月　のぞみ|ワカツキ　ノゾミ|1988-11-30|2|273-0105|千葉県若葉市栄1番1号",
        "X3|若月|ワカツキ|1988-11-30|2|273-0105|千葉県若葉市栄1番1号",
    ]);
    let found = deduplicate(&records, None);
    let clusters = clusters(&found);
    assert_ne!(clusters["X1"], clusters["X2"]);
}

#[test]
fn copies_are_one_person_however_many_there_are() {
    for copies in [2, 70, 1_200] {
        let mut records = crowd(300);
        records.extend((0..copies).map(|number| {
            let mut copy = row(AKIRA);
            copy[0] = format!("X{number:05}");
            copy
        }));
        let found = deduplicate(&records, None);
        let clusters = clusters(&found);
        let people: BTreeSet<&str> = clusters.values().copied().collect();
        assert_eq!((clusters.len(), people.len()), (300 + copies, 301));
        assert_eq!(clusters[format!("X{:05}", copies - 1).as_str()], "X00000");
        // Beyond a thousand, each is paired with the first alone.
        let wanted = if copies > 1_000 { copies - 1 } else { copies * (copies - 1) / 2 };
        let paired = pairs(&found);
        assert_eq!(paired.keys().filter(|ids| ids.0.starts_with('X')).count(), wanted);
    }
}

#[test]
fn records_with_nothing_in_common_but_a_sex_are_not_copies_of_one_person() {
    let records: Vec<Row> = (0..50).map(|number| row(&format!("X{number:02}||||1||"))).collect();
    let found = deduplicate(&records, None);
    assert_eq!(joined(&clusters(&found)), []);
    let empty: Vec<Row> = (0..50).map(|number| row(&format!("X{number:02}||||||"))).collect();
    let found = deduplicate(&empty, None);
    assert_eq!(joined(&clusters(&found)), []);
    assert_eq!(found.pairs().count(), 0);
}

#[test]
fn whoever_is_registered_often_does_not_make_his_own_name_common() {
    let few = deduplicate(&among_others(&[AKIRA, AKIRA_AGAIN]), None);
    let more: Vec<String> = (3..9)
        .map(|number| {
            format!("X{number}|四月一日　彰|ワタヌキ　アキラ|1971-03-09|1|273-0105|千葉県若葉市北町{number}番3号")
        })
        .collect();
    let mut records = vec![AKIRA, AKIRA_AGAIN];
    records.extend(more.iter().map(String::as_str));
    let many = deduplicate(&among_others(&records), Some(few.model.clone()));
    let weight = |found: &Deduplication| pairs(found)[&("X1", "X2")];
    assert!(weight(&many).abs_diff(weight(&few)) < 200, "{} {}", weight(&many), weight(&few));
    let many = deduplicate(&among_others(&records), None);
    assert!(clusters(&many).iter().all(|(id, of)| !id.starts_with('X') || *of == "X1"));
}

#[test]
fn a_saved_model_finds_the_same_people() {
    let records = with_duplicates();
    let found = deduplicate(&records, None);
    let model = Model::from_toml(&found.model.to_toml()).expect("a model");
    let again = deduplicate(&records, Some(model));
    assert_eq!(clusters(&again), clusters(&found));
    assert_eq!(pairs(&again), pairs(&found));
    assert_eq!(again.result_digest(), found.result_digest());
}

#[test]
fn a_model_of_other_fields_is_refused() {
    let mut model = deduplicate(&crowd(20), None).model;
    model.comparisons.pop();
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let records = intake(&crowd(20)).seal_for_dedupe(&[], None, &clock, &Unwatched);
    let options = DedupeOptions { model: Some(model), ..DedupeOptions::default() };
    assert!(dedupe(records, options, &clock, &Unwatched).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn neither_order_nor_threads_change_anything(
        order in Just((0..305usize).collect::<Vec<_>>()).prop_shuffle(),
        threads in 1usize..5,
    ) {
        let records = with_duplicates();
        let found = deduplicate(&records, None);
        let shuffled: Vec<Row> = order.iter().map(|&at| records[at].clone()).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let again = pool.install(|| deduplicate(&shuffled, None));
        prop_assert_eq!(clusters(&again), clusters(&found));
        prop_assert_eq!(pairs(&again), pairs(&found));
        prop_assert_eq!(again.model.digest(), found.model.digest());
        prop_assert_eq!(again.candidate_pairs, found.candidate_pairs);
        prop_assert_eq!(again.result_digest(), found.result_digest());
    }
}
