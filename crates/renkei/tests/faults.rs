//! The page of faults names tests and lines that exist: a fault without a test, or a test that was renamed, is noticed.

mod support;

use std::collections::BTreeSet;

use support::pages::{assert_is_a_test, bodies, pairs, rows, source};

/// A row of docs/faults.md.
struct Row {
    number: String,
    test: (String, String),
    held: (String, String),
    line: String,
}

fn table() -> Vec<Row> {
    let one = |cell: &str| pairs(cell).pop().expect("a file and a name");
    let row = |[number, _, _, test, held, line]: [String; 6]| {
        let line = line.trim_matches('`').to_owned();
        Row { number, test: one(&test), held: one(&held), line }
    };
    rows(include_str!("../../../docs/faults.md")).into_iter().map(row).collect()
}

#[test]
fn every_fault_has_a_test_of_its_name_and_a_line_that_holds_it() {
    for Row { number, test, held, line } in table() {
        assert_is_a_test(&number, &test);
        let (file, function) = &held;
        let all = source(file);
        let found = bodies(&all, function);
        assert!(!found.is_empty(), "{number}: {file} has no function {function}");
        // Formatting breaks lines where it likes.
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let line = plain(&line);
        let holds = found.iter().any(|body| plain(body).contains(&line));
        assert!(holds, "{number}: {function} of {file} lacks {line}");
    }
}

#[test]
fn no_fault_of_the_list_is_left_out() {
    let known: BTreeSet<String> = table().into_iter().map(|row| row.number).collect();
    let numbers = |letter: char, from: u32, to: u32| {
        (from..=to).map(move |number| format!("{letter}{number}"))
    };
    for number in numbers('D', 1, 17)
        .chain(numbers('G', 1, 18))
        .chain(numbers('T', 1, 15))
        .chain(numbers('R', 1, 10))
        .chain(numbers('A', 7, 7))
    {
        assert!(known.contains(&number), "{number} has no row");
    }
}
