//! One register for many lists and queries: what an index that is used again may not change, and what a query says.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Row, Table, against, crowd, index, linkable, row, run};
use proptest::prelude::*;
use renkei_linkage::{
    Cardinality, Costs, LinkError, MatchWeight, Model, ModelError, Options, Outcome, RegisterIndex,
    Stage, Watcher, link,
};
use renkei_types::FixedClock;

/// Lines of every `step`th resident, damaged in one of several ways.
fn lines(register: &[Row], step: usize, salt: usize) -> Vec<Row> {
    let spoil = |(number, resident): (usize, &Row)| {
        let mut line = resident.clone();
        line[0] = format!("L{salt}-{number:04}");
        match (number + salt) % 9 {
            0 => line[1].clear(),
            1 => line[3] = line[3].replace('1', "2"),
            2 => line[6] = format!("若葉市新町{}番9号", 1 + number % 50),
            3 => (line[1], line[2]) = (line[1].replace('　', ""), line[2].replace('　', "")),
            4 => line[1] = format!("珍{}", line[1]),
            5 => line[2] = line[2].replace('　', ""),
            6 => (line[4], line[5]) = (String::new(), String::new()),
            _ => {}
        }
        line
    };
    register.iter().skip(salt % step).step_by(step).enumerate().map(spoil).collect()
}

/// That every query says what a job with the same model says of the line.
fn assert_queries_equal_job(
    index: &Arc<RegisterIndex>,
    list: &[Row],
    model: &Model,
) -> Result<(), TestCaseError> {
    let linkable = against(index, list);
    let linkage = run(&linkable, Cardinality::ManyToOne, Some(model.clone()));
    let prepared = index.prepare(model.clone()).expect("the model fits");
    for (number, line) in (0u32..).zip(list) {
        let query = Table(std::slice::from_ref(line));
        let answer = index.decide(&query, &prepared);
        let of_job = linkage.candidates(&linkable, number, MatchWeight::NEVER);
        prop_assert_eq!(&answer.candidates, &of_job, "{:?}", line);
        prop_assert_eq!(answer.decision, linkage.decisions[number as usize], "{:?}", line);
        let best = index.identify(&query, &prepared, 2);
        prop_assert_eq!(&best[..], &of_job[..of_job.len().min(2)]);
    }
    Ok(())
}

#[test]
fn lists_against_one_index_get_what_each_gets_with_an_index_of_its_own() {
    let register = crowd(700);
    let shared = index(&register);
    for (step, salt) in [(3, 0), (5, 4), (3, 0)] {
        let list = lines(&register, step, salt);
        let (again, fresh) = (against(&shared, &list), linkable(&register, &list));
        let (of_shared, of_fresh) =
            (run(&again, Cardinality::OneToOne, None), run(&fresh, Cardinality::OneToOne, None));
        assert_eq!(of_shared.model.digest(), of_fresh.model.digest());
        assert_eq!(of_shared.result_digest(&again), of_fresh.result_digest(&fresh));
        assert_eq!(of_shared.blocking, of_fresh.blocking);
    }
}

#[test]
fn a_query_says_what_a_job_with_a_trained_model_says() {
    let register = crowd(800);
    let index = index(&register);
    let list = lines(&register, 2, 1);
    let trained = run(&against(&index, &list), Cardinality::OneToOne, None).model;
    assert_queries_equal_job(&index, &list, &trained).expect("equal");
}

#[test]
fn many_threads_ask_one_index_at_a_time() {
    let register = crowd(500);
    let index = index(&register);
    let model = index.prepare(index.prior_model(Costs::default())).expect("its own model");
    let list = lines(&register, 4, 2);
    let ask = || -> Vec<_> {
        list.iter().map(|line| index.decide(&Table(std::slice::from_ref(line)), &model)).collect()
    };
    let alone = ask();
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for other in others {
            assert_eq!(other.join().expect("no panic"), alone);
        }
    });
}

#[test]
fn a_query_without_evidence_is_unlinkable_and_one_without_a_person_is_not_found() {
    let index = index(&crowd(100));
    let model = index.prepare(index.prior_model(Costs::default())).expect("its own model");
    let outcome = |text: &str| {
        let line = row(text);
        index.decide(&Table(std::slice::from_ref(&line)), &model).decision.outcome
    };
    assert_eq!(outcome("Q|||||"), Outcome::Unlinkable);
    assert_eq!(outcome("Q|遠山　凜|トオヤマ　リン|1999-09-09|2||"), Outcome::NotFound);
    let nobody = Table(&[]);
    assert_eq!(index.decide(&nobody, &model).decision.outcome, Outcome::Unlinkable);
}

#[test]
fn a_list_without_a_field_is_linked_by_the_others() {
    let register = crowd(600);
    let index = index(&register);
    let mut list: Vec<Row> = register.iter().step_by(5).cloned().collect();
    for line in &mut list {
        line[2].clear();
        line[4].clear();
    }
    let linkable = against(&index, &list);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    let linked = linkage
        .decisions
        .iter()
        .zip(&list)
        .filter(|(decision, line)| {
            decision.outcome == Outcome::Linked
                && decision.best.is_some_and(|(person, _)| index.id(person) == line[0])
        })
        .count();
    assert!(linked * 10 >= list.len() * 9, "{linked} of {}", list.len());
}

#[test]
fn a_model_for_other_fields_is_refused() {
    let index = index(&crowd(50));
    let mut model = index.prior_model(Costs::default());
    model.comparisons.pop();
    assert!(matches!(index.prepare(model), Err(ModelError::OtherFields { .. })));
}

/// Asks for a stop after some questions.
struct Impatient {
    questions: AtomicUsize,
    patience: usize,
}

impl Watcher for Impatient {
    fn stage(&self, _: Stage, _: usize) {}

    fn done(&self, _: usize) {}

    fn stopped(&self) -> bool {
        self.questions.fetch_add(1, Ordering::Relaxed) >= self.patience
    }
}

#[test]
fn a_job_that_is_stopped_ends_without_a_result_and_the_index_serves_on() {
    let register = crowd(300);
    let index = index(&register);
    let linkable = against(&index, &lines(&register, 3, 0));
    let clock = FixedClock(jiff::Timestamp::UNIX_EPOCH);
    let go = |patience: usize| {
        let watcher = Impatient { questions: AtomicUsize::new(0), patience };
        link(&linkable, &Default::default(), Options::default(), &clock, &watcher)
    };
    for patience in 0..4 {
        assert!(matches!(go(patience), Err(LinkError::Stopped(_))), "after {patience}");
    }
    assert!(go(usize::MAX).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn queries_say_what_a_job_says(people in 40usize..500, step in 1usize..6, salt in 0usize..9) {
        let register = crowd(people);
        let index = index(&register);
        let list = lines(&register, step, salt);
        assert_queries_equal_job(&index, &list, &index.prior_model(Costs::default()))?;
    }

    #[test]
    fn queries_of_any_text_say_what_a_job_says(values in prop::collection::vec(prop::array::uniform6("\\PC{0,12}"), 1..8)) {
        let rows = |prefix: &str| -> Vec<Row> {
            let row = |(number, values): (usize, &[String; 6])| {
                row(&format!("{prefix}{number}|{}", values.join("|")))
            };
            values.iter().enumerate().map(row).collect()
        };
        let mut register = crowd(60);
        register.extend(rows("R"));
        let index = index(&register);
        assert_queries_equal_job(&index, &rows("L"), &index.prior_model(Costs::default()))?;
    }
}
