//! Files that say the same in more than one column: a name whole and in parts, or whole twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use renkei_linkage::{
    DedupeOptions, Deduplication, Field, Fields, Model, RegisterIntake, Rows, Serves, Unwatched,
    dedupe,
};
use renkei_types::{FieldKind, FixedClock};

const BEGINNINGS: [&str; 12] =
    ["Ash", "Black", "Cala", "Den", "Eder", "Far", "Gar", "Hol", "Ing", "Kel", "Lam", "Mor"];
const ENDS: [&str; 7] = ["worth", "wood", "ford", "beck", "well", "ley", "field"];
const GIVENS: [&str; 8] =
    ["Albert", "Charlotte", "Dorothy", "Edward", "Florence", "George", "Harriet", "Isabella"];

/// A record: id, given name, family name, both, both the other way round, day of birth, place.
type Record = [String; 7];

/// People of whom each stands there up to three times, the last time with a slip in the family name and another place.
fn people() -> Vec<Record> {
    let mut records = Vec::new();
    for person in 0..240_usize {
        let given = GIVENS[(person + person / 84 * 3) % GIVENS.len()];
        let (beginning, end) = (BEGINNINGS[person % 12], ENDS[person / 12 % 7]);
        let family = format!("{beginning}{end}");
        let born = format!(
            "{}-{:02}-{:02}",
            1700 + person * 37 % 190,
            1 + person * 5 % 12,
            1 + person * 11 % 28
        );
        for copy in 0..=person % 3 {
            let family = if copy == 2 { family.replacen('e', "a", 1) } else { family.clone() };
            let place = ["Norton", "Oswick", "Penley", "Radham", "Selby"][(person + copy / 2) % 5];
            records.push([
                format!("r{person:03}-{copy}"),
                given.to_owned(),
                family.clone(),
                format!("{given} {family}"),
                format!("{family}, {given}"),
                born.clone(),
                place.to_owned(),
            ]);
        }
    }
    records
}

struct Table<'a>(&'a [Record], &'a [usize]);

impl Rows for Table<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, row: usize) -> &str {
        &self.0[row][0]
    }

    fn text<'a>(&'a self, field: usize, row: usize, _: &'a mut String) -> &'a str {
        &self.0[row][self.1[field]]
    }
}

/// These columns of the records, taken in.
fn intake(records: &[Record], columns: &[(usize, FieldKind)]) -> RegisterIntake {
    let field = |&(column, kind): &(usize, FieldKind)| Field {
        name: format!("column {column}"),
        kind,
        in_register: true,
        in_list: true,
    };
    let fields = Fields { fields: columns.iter().map(field).collect(), ..Fields::default() };
    let places: Vec<usize> = columns.iter().map(|&(column, _)| column).collect();
    let mut intake = RegisterIntake::new(fields);
    intake.extend(&Table(records, &places));
    intake
}

/// Finds who stands there twice, from these columns.
fn deduplicate(records: &[Record], columns: &[(usize, FieldKind)]) -> Deduplication {
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let records = intake(records, columns).seal_for_dedupe(&[], None, &clock, &Unwatched);
    dedupe(records, DedupeOptions::default(), &clock, &Unwatched).expect("no model is given")
}

/// The weight of each pair in thousandths of a bit, by ids.
fn pairs(found: &Deduplication) -> BTreeMap<(&str, &str), i32> {
    let ids = |row: u32| found.id(row);
    found.pairs().map(|pair| ((ids(pair.a), ids(pair.b)), pair.weight.millibits())).collect()
}

/// The cluster of each record, by ids.
fn clusters(found: &Deduplication) -> BTreeMap<&str, &str> {
    let ids = (0u32..).zip(&found.clusters);
    ids.map(|(row, &cluster)| (found.id(row), found.id(cluster))).collect()
}

const PARTS: [(usize, FieldKind); 4] = [
    (1, FieldKind::GivenName),
    (2, FieldKind::FamilyName),
    (5, FieldKind::Date),
    (6, FieldKind::FreeText),
];
const WHOLE: (usize, FieldKind) = (3, FieldKind::PersonName);
const OTHER_WHOLE: (usize, FieldKind) = (4, FieldKind::PersonName);

#[test]
fn a_name_that_stands_there_whole_and_in_parts_counts_once() {
    let records = people();
    let parts = deduplicate(&records, &PARTS);
    let [given, family, date, place] = PARTS;
    let both = deduplicate(&records, &[WHOLE, given, family, date, place]);
    assert_eq!(pairs(&both), pairs(&parts));
    assert!(pairs(&parts).len() > 100);
}

#[test]
fn a_part_beside_a_whole_name_counts_for_nothing() {
    let records = people();
    let [_, family, date, place] = PARTS;
    let whole = deduplicate(&records, &[WHOLE, date, place]);
    let both = deduplicate(&records, &[WHOLE, family, date, place]);
    assert_eq!(pairs(&both), pairs(&whole));
}

#[test]
fn a_second_whole_name_joins_nobody_whom_the_first_keeps_apart() {
    let records = people();
    let [_, _, date, place] = PARTS;
    let once = deduplicate(&records, &[WHOLE, date, place]);
    let twice = deduplicate(&records, &[WHOLE, OTHER_WHOLE, date, place]);
    assert_eq!(clusters(&twice), clusters(&once));
    let person = |id: &str| id.split('-').next().map(str::to_owned);
    for (record, cluster) in clusters(&once) {
        assert_eq!(person(record), person(cluster));
    }
}

#[test]
fn a_whole_name_is_read_where_a_record_lacks_parts() {
    let mut records = people();
    let lacking = records.iter_mut().filter(|record| record[0].ends_with("-1"));
    for (number, record) in lacking.enumerate() {
        if number % 3 < 2 {
            record[1].clear();
        }
        if number % 3 > 0 {
            record[2].clear();
        }
    }
    let [given, family, date, place] = PARTS;
    let found = deduplicate(&records, &[WHOLE, given, family, date, place]);
    let clusters = clusters(&found);
    let is_joined = |(record, cluster): &(&&str, &&str)| {
        record.ends_with("-1") && cluster.ends_with("-0") && record[..4] == cluster[..4]
    };
    assert_eq!(clusters.iter().filter(is_joined).count(), 160);
}

#[test]
fn texts_that_say_again_what_others_say_are_left_out() {
    let records = people();
    let text = |column| (column, FieldKind::FreeText);
    let [_, _, date, place] = PARTS;
    let parts = deduplicate(&records, &[text(1), text(2), date, place]);
    let all = [text(3), text(1), text(2), text(4), text(2), date, place];
    assert_eq!(pairs(&deduplicate(&records, &all)), pairs(&parts));
}

#[test]
fn a_part_of_a_text_that_says_more_is_left_out() {
    let records = people();
    let text = |column| (column, FieldKind::FreeText);
    let [_, _, date, place] = PARTS;
    let whole = deduplicate(&records, &[text(3), date, place]);
    let both = deduplicate(&records, &[text(3), text(2), date, place]);
    assert_eq!(pairs(&both), pairs(&whole));
}

/// The names of the fields that are not compared where the records are linked to each other.
fn repeated(records: &[Record], columns: &[(usize, FieldKind)]) -> Vec<String> {
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let records = intake(records, columns).seal_for_dedupe(&[], None, &clock, &Unwatched);
    records.index().repeated_fields().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_model_says_itself_which_fields_it_was_made_without() {
    let records = people();
    let text = |column| (column, FieldKind::FreeText);
    let [_, _, date, place] = PARTS;
    let columns = [text(3), text(1), text(2), date, place];
    let model = Model::from_toml(&deduplicate(&records, &columns).model.to_toml());
    let model = model.expect("what was written can be read");
    assert_eq!(model.repeated, ["column 3"]);
    // Too few to show which fields repeat each other.
    let few = &records[..30];
    assert_eq!(repeated(few, &columns), [""; 0]);
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let sealed = intake(few, &columns).seal_for_dedupe(&[], Some(&model), &clock, &Unwatched);
    assert_eq!(sealed.index().repeated_fields(), ["column 3"]);
    let options = DedupeOptions { model: Some(model), ..DedupeOptions::default() };
    dedupe(sealed, options, &clock, &Unwatched).expect("the model fits");
}

#[test]
fn what_says_more_than_others_do_is_compared() {
    let mut records = people();
    for (number, record) in records.iter_mut().enumerate() {
        // Two flags that nearly everybody has, and a number that a note repeats.
        record[5] = if number % 23 == 0 { "no" } else { "yes" }.to_owned();
        record[6] = if number % 29 == 1 { "no" } else { "yes" }.to_owned();
        record[3] = format!("file {number} opened");
        record[4] = number.to_string();
    }
    let flags = [(5, FieldKind::Category), (6, FieldKind::Category)];
    assert_eq!(repeated(&records, &flags), [""; 0]);
    let notes = [(3, FieldKind::FreeText), (4, FieldKind::Identifier)];
    assert_eq!(repeated(&records, &notes), [""; 0]);
    // A whole of which half the records have the parts.
    let mut records = people();
    records.iter_mut().step_by(2).for_each(|record| record[1].clear());
    let text = |column| (column, FieldKind::FreeText);
    let named = repeated(&records, &[text(3), text(1), text(2)]);
    assert!(!named.contains(&"column 3".to_owned()), "{named:?}");
}

#[test]
fn what_a_register_says_twice_a_list_may_say_once() {
    let records = people();
    let text = |column| (column, FieldKind::FreeText);
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let columns = [text(3), text(1), text(2)];
    let index = intake(&records, &columns).seal(&[], Serves::AnyLists, &clock, &Unwatched);
    assert_eq!(index.repeated_fields(), [""; 0]);
    assert_eq!(repeated(&records, &columns), ["column 3"]);
}
