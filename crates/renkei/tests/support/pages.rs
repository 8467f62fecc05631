//! Pages that name tests and lines of code: what is needed to hold them against the source.

use std::path::Path;

/// The words in backquotes of a cell, in pairs: a file below `crates` and a name in it.
pub(crate) fn pairs(cell: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [file, name] => ((*file).to_owned(), (*name).to_owned()),
        _ => panic!("a file without a name in: {cell}"),
    });
    pairs.collect()
}

/// The rows of all tables of a page whose head has so many cells.
pub(crate) fn rows<const CELLS: usize>(page: &str) -> Vec<[String; CELLS]> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_start_matches('|').trim_end().trim_end_matches('|');
        line.split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if is_head && cells(line).len() == CELLS {
            lines.next();
            while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
                let row = <[String; CELLS]>::try_from(cells(line));
                rows.push(row.unwrap_or_else(|row| panic!("{} cells: {line}", row.len())));
            }
        }
    }
    rows
}

/// A source file below `crates`.
pub(crate) fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs_err::read_to_string(path).expect("a source file")
}

/// The bodies of all functions of a name: from its head to the next line that is a closing brace as deep as the head.
pub(crate) fn bodies<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
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

/// Expects a test of this name in a file.
#[track_caller]
pub(crate) fn assert_is_a_test(row: &str, (file, name): &(String, String)) {
    let source = source(file);
    assert!(!bodies(&source, name).is_empty(), "{row}: {file} has no {name}");
    let before = source.split(&format!("fn {name}(")).next().unwrap_or_default();
    // A few lines above it: the attribute, and perhaps others.
    let marked = before.lines().rev().take(4).any(|line| {
        let line = line.trim();
        line.starts_with("#[test]") || line.starts_with("#[tokio::test")
    });
    assert!(marked, "{row}: {name} of {file} is no test");
}
