//! The payment list: form of the files, truth, and rates of errors.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{generated, table};
use renkei_testkit::{Class, ErrorRates, Line, Mix, PaymentList, Population, RecipeError};

fn silent(_: renkei_testkit::Stage, _: usize, _: usize) {}

/// Deviations of the normal distribution that 100 comparisons practically never reach.
const DEVIATIONS: f64 = 4.5;

/// A register whose postal codes begin with zero, so that every class has something to change.
fn population() -> (Population, u64) {
    for seed in 1..100 {
        let population = Population::settle(24_000, seed, &mut silent).expect("a good size");
        let mut register = Vec::new();
        population.write_register(&mut register, &mut silent).expect("memory takes everything");
        let register = String::from_utf8(register).expect("UTF-8");
        if table(register.trim_start_matches('\u{feff}'))[1][6].starts_with('0') {
            return (population, seed);
        }
    }
    unreachable!("a third of the cities have such codes");
}

fn assert_near(what: &str, counted: usize, expected: f64, variance: f64) {
    let bound = DEVIATIONS * variance.sqrt() + 1.0;
    assert!(
        (counted as f64 - expected).abs() <= bound,
        "{what}: {counted}, expected {expected:.1} ± {bound:.1}"
    );
}

fn assert_rate(lines: &[Line], class: Class, rates: &ErrorRates) {
    // A letter CP932 does not have is lost without a draw.
    let drawn = lines.iter().filter(|line| class != Class::KanjiGaiji || !line.letters_lost());
    let (mut counted, mut expected, mut variance, mut applicable) = (0, 0.0, 0.0, 0);
    for line in drawn.filter(|line| line.applicable().contains(class)) {
        let quality = if class.loses_information() { line.quality() } else { 1.0 };
        let probability = (rates.rate(class) * quality).min(1.0);
        expected += probability;
        variance += probability * (1.0 - probability);
        counted += usize::from(line.classes().contains(class));
        applicable += 1;
    }
    assert!(applicable > 40, "{}: {applicable} lines it can apply to", class.name());
    assert_near(class.name(), counted, expected, variance);
}

#[test]
fn every_class_strikes_as_often_as_the_table_says() {
    let (population, seed) = population();
    for mix in [Mix::Typical, Mix::Nasty] {
        let rates = ErrorRates::of(mix);
        let list = PaymentList::draw(&population, 20_000, &rates, seed, &mut silent).unwrap();
        for class in Class::ALL.iter().copied().filter(|class| *class < Class::DuplicateLine) {
            assert_rate(list.lines(), class, &rates);
        }
        let lines = list.lines().len() as f64;
        let totals = list.totals(&population);
        let binomial = |rate: f64, of: f64| (of * rate, of * rate * (1.0 - rate));
        let (expected, variance) = binomial(rates.rate(Class::NonResident), lines);
        assert_near("nonresident", totals.nonresidents, expected, variance);
        let residents = lines - totals.nonresidents as f64;
        let (expected, variance) = binomial(rates.rate(Class::DuplicateLine), residents);
        assert_near("dup_line", totals.duplicates, expected, variance);
        for kind in Class::ALL.iter().copied().filter(|class| *class > Class::NonResident) {
            let counted = list.lines().iter().filter(|line| line.classes().contains(kind)).count();
            let (expected, variance) = binomial(rates.rate(kind), totals.nonresidents as f64);
            assert_near(kind.name(), counted, expected, variance);
        }
    }
}

#[test]
fn errors_gather_on_careless_lines_with_mean_quality_one() {
    let population = Population::settle(20_000, 9, &mut silent).unwrap();
    let rates = ErrorRates::of(Mix::Typical);
    let list = PaymentList::draw(&population, 20_000, &rates, 9, &mut silent).unwrap();
    let lines = list.lines();
    let mean = lines.iter().map(Line::quality).sum::<f64>() / lines.len() as f64;
    assert!((0.96..1.04).contains(&mean), "{mean}");
    let losses =
        |line: &&Line| line.classes().iter().filter(|class| class.loses_information()).count();
    let (careless, careful): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| line.quality() > 1.0);
    let average =
        |lines: &[&Line]| lines.iter().map(losses).sum::<usize>() as f64 / lines.len() as f64;
    assert!(average(&careless) > 2.0 * average(&careful));
}

#[test]
fn every_line_has_nine_columns_of_cp932_and_a_known_resident_or_nobody() {
    let (files, totals) = generated(20_000, 6_000, Mix::Nasty, 10);
    let text = files.list();
    let rows = table(&text);
    assert_eq!(
        rows[0].join(","),
        "申請番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,支給額,口座名義カナ"
    );
    assert!(rows.iter().all(|row| row.len() == 9));
    let ids: BTreeSet<&str> = rows[1..].iter().map(|row| row[0]).collect();
    assert_eq!((rows.len(), ids.len(), rows[1][0]), (6001, 6000, "B000000001"));
    let yen: u64 = rows[1..].iter().map(|row| row[7].parse::<u64>().unwrap()).sum();
    assert_eq!(yen, totals.yen);

    let register = table(files.register());
    let residents: BTreeSet<&str> = register[1..].iter().map(|row| row[0]).collect();
    let truth = files.truth();
    assert!(truth.keys().map(String::as_str).eq(ids.iter().copied()));
    let mut lines_of: BTreeMap<&str, usize> = BTreeMap::new();
    for resident in truth.values().filter(|resident| !resident.is_empty()) {
        assert!(residents.contains(resident.as_str()));
        *lines_of.entry(resident).or_default() += 1;
    }
    assert_eq!(truth.values().filter(|resident| resident.is_empty()).count(), totals.nonresidents);
    assert_eq!(lines_of.values().filter(|count| **count == 2).count(), totals.duplicates);
    assert!(lines_of.values().all(|count| *count <= 2));
}

#[test]
fn classes_are_written_for_every_line_by_their_names() {
    let (files, totals) = generated(5_000, 5_000, Mix::Nasty, 11);
    let text = String::from_utf8(files.classes.clone()).unwrap();
    let rows = table(&text);
    assert_eq!((rows.len(), rows[0].join(",").as_str()), (5001, "benefit_id,classes"));
    let mut nonresidents = 0;
    for row in &rows[1..] {
        let names: Vec<&str> = row[1].split('|').filter(|name| !name.is_empty()).collect();
        assert!(names.iter().all(|name| Class::named(name).is_some()), "{names:?}");
        nonresidents += usize::from(names.contains(&"nonresident"));
    }
    assert_eq!(nonresidents, totals.nonresidents);
}

#[test]
fn without_errors_a_line_says_what_the_register_says() {
    let mut rates = ErrorRates::of(Mix::Typical);
    for class in Class::ALL {
        rates.set(*class, 0.0);
    }
    let population = Population::settle(3_000, 12, &mut silent).unwrap();
    let list = PaymentList::draw(&population, 3_000, &rates, 12, &mut silent).unwrap();
    let (mut register, mut payments) = (Vec::new(), Vec::new());
    population.write_register(&mut register, &mut silent).unwrap();
    list.write_list(&mut payments).unwrap();
    let register = String::from_utf8(register).unwrap();
    let residents = table(&register);
    let payments = encoding_rs::SHIFT_JIS.decode(&payments).0.into_owned();
    for (row, line) in table(&payments)[1..].iter().zip(list.lines()) {
        let resident = &residents[line.resident().unwrap() + 1];
        let alias = !resident[10].is_empty() || resident[2].contains('（');
        assert!(line.letters_lost() || alias || row[1] == resident[2], "{row:?} {resident:?}");
        assert!(alias || row[2] == resident[3], "{row:?} {resident:?}");
        assert_eq!(row[3..6], resident[4..7]);
        // A space after the prefecture is no error of any class.
        let address = row[6].replacen("県 ", "県", 1);
        assert!(address.starts_with(resident[7]), "{row:?} {resident:?}");
        assert!(
            row[6].len() >= resident[7].len() && line.classes().iter().all(|_| line.letters_lost())
        );
    }
}

#[test]
fn a_line_bears_every_error_at_once() {
    let mut rates = ErrorRates::of(Mix::Nasty);
    for seed in 0..8 {
        let population = Population::settle(300, seed, &mut silent).unwrap();
        for rate in [1.0, 0.5] {
            for class in Class::ALL.iter().filter(|class| **class < Class::DuplicateLine) {
                rates.set(*class, rate);
            }
            // Missing values would hide everything else.
            for class in [
                Class::KanjiMissing,
                Class::KanaMissing,
                Class::BirthMissing,
                Class::AddressMissing,
            ] {
                rates.set(class, 0.1);
            }
            let list = PaymentList::draw(&population, 300, &rates, seed, &mut silent).unwrap();
            let mut payments = Vec::new();
            list.write_list(&mut payments).unwrap();
            let (text, _, malformed) = encoding_rs::SHIFT_JIS.decode(&payments);
            assert!(!malformed && table(&text).iter().all(|row| row.len() == 9));
        }
    }
}

#[test]
fn one_recipe_gives_the_same_bytes_and_another_seed_others() {
    let recipe = |seed| generated(4_000, 2_000, Mix::Nasty, seed).0;
    assert!(recipe(13) == recipe(13));
    assert!(recipe(13).payments != recipe(14).payments);
}

#[test]
fn strangers_with_a_residents_name_and_birthday_live_elsewhere() {
    let population = Population::settle(10_000, 15, &mut silent).unwrap();
    let mut rates = ErrorRates::of(Mix::Typical);
    for class in Class::ALL {
        rates.set(*class, 0.0);
    }
    rates.set(Class::NonResident, 1.0);
    rates.set(Class::StrangerSameNameBirth, 1.0);
    let list = PaymentList::draw(&population, 500, &rates, 15, &mut silent).unwrap();
    let (mut register, mut payments) = (Vec::new(), Vec::new());
    population.write_register(&mut register, &mut silent).unwrap();
    list.write_list(&mut payments).unwrap();
    let register = String::from_utf8(register).unwrap();
    let rows = table(register.strip_prefix('\u{feff}').unwrap());
    let known: BTreeMap<(&str, &str), &str> =
        rows[1..].iter().map(|row| ((row[3], row[4]), row[7])).collect();
    let payments = encoding_rs::SHIFT_JIS.decode(&payments).0.into_owned();
    let mut found = 0;
    for row in &table(&payments)[1..] {
        if let Some(address) = known.get(&(row[2], row[3])) {
            assert!(!row[6].starts_with(address));
            found += 1;
        }
    }
    // Foreign residents with an alias are listed under another name.
    assert!(found > 480, "{found}");
    assert!(list.lines().iter().all(|line| line.resident().is_none()));
}

#[test]
fn more_lines_than_residents_are_refused() {
    let population = Population::settle(100, 1, &mut silent).unwrap();
    let rates = ErrorRates::of(Mix::Typical);
    let refused = PaymentList::draw(&population, 101, &rates, 1, &mut silent).map(|_| ());
    assert_eq!(refused, Err(RecipeError::Lines { lines: 101, residents: 100 }));
}
