//! The page of faults names tests and lines that exist: a fault without a test, or a test that was renamed, is noticed.

use std::collections::BTreeSet;
use std::path::Path;

/// A row of docs/faults.md.
struct Row {
    number: String,
    test: (String, String),
    held: (String, String),
    line: String,
}

/// The two words in backquotes of a cell.
fn pair(cell: &str) -> (String, String) {
    let mut words = cell.split('`').skip(1).step_by(2).map(str::to_owned);
    (words.next().expect("a file"), words.next().expect("a name"))
}

fn rows() -> Vec<Row> {
    let page = include_str!("../../../docs/faults.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let table = page.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells);
    let row = |cells: Vec<String>| {
        let [number, _, _, test, held, line] = <[String; 6]>::try_from(cells).expect("six cells");
        let line = line.trim_matches('`').to_owned();
        Row { number, test: pair(&test), held: pair(&held), line }
    };
    table.map(row).collect()
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs_err::read_to_string(path).expect("a source file")
}

/// The bodies of all functions of a name: from its head to the next line that is a closing brace as deep as the head.
fn bodies<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let heads = source.match_indices("fn ").filter(|(at, _)| {
        let rest = source[at + 3..].strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    });
    let body = |(at, _): (usize, &str)| {
        let begins = source[..at].rfind('\n').map_or(0, |end| end + 1);
        let depth = source[begins..].len() - source[begins..].trim_start_matches(' ').len();
        let closing = format!("\n{}}}", " ".repeat(depth));
        let ends = source[at..].find(&closing).map_or(source.len(), |end| at + end);
        &source[at..ends]
    };
    heads.map(body).collect()
}

#[test]
fn every_fault_has_a_test_of_its_name_and_a_line_that_holds_it() {
    for Row { number, test, held, line } in rows() {
        let (file, name) = &test;
        let tests = source(file);
        assert!(!bodies(&tests, name).is_empty(), "{number}: {file} has no {name}");
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
    let known: BTreeSet<String> = rows().into_iter().map(|row| row.number).collect();
    let numbers = |letter: char, from: u32, to: u32| {
        (from..=to).map(move |number| format!("{letter}{number}"))
    };
    for number in numbers('D', 1, 17)
        .chain(numbers('G', 9, 16))
        .chain(numbers('T', 10, 11))
        .chain(numbers('R', 1, 10))
    {
        assert!(known.contains(&number), "{number} has no row");
    }
}
