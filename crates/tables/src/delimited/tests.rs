use super::*;
use proptest::prelude::*;

const COMMA: Shape = Shape { delimiter: b',', terminator: b'\n' };

fn split_all(bytes: &[u8]) -> Vec<Vec<String>> {
    let (mut start, mut spans, mut records) = (0, Vec::new(), Vec::new());
    while start < bytes.len() {
        match COMMA.split(bytes, start, true, None, &mut spans) {
            Step::Record { next, .. } => {
                assert!(next > start, "progress");
                let cells = spans.iter().map(|span| {
                    let text = String::from_utf8_lossy(&bytes[span.range.clone()]).into_owned();
                    if span.doubled { text.replace("\"\"", "\"") } else { text }
                });
                records.push(cells.collect());
                start = next;
            }
            Step::Incomplete { .. } | Step::Swallowed { .. } => break,
        }
    }
    records
}

#[test]
fn quotes_are_taken_off_and_doubled_ones_halved() {
    assert_eq!(
        split_all(b"a,\"b,c\",\"d \"\"e\"\"\"\r\n\"\",,\"x\"\n"),
        [vec!["a", "b,c", "d \"e\""], vec!["", "", "x"]]
    );
}

#[test]
fn a_quote_inside_a_cell_is_a_letter() {
    assert_eq!(split_all(b"a\"b,c\"\n"), [["a\"b", "c\""]]);
}

#[test]
fn text_behind_a_closing_quote_keeps_the_cell_as_written() {
    assert_eq!(
        split_all(b"\"a\"b,c\nd,\"e\" ,f\n"),
        [vec!["\"a\"b", "c"], vec!["d", "\"e\" ", "f"]]
    );
}

#[test]
fn the_last_line_needs_no_line_end() {
    assert_eq!(split_all(b"a,b"), [["a", "b"]]);
    assert_eq!(split_all(b"a,"), [["a", ""]]);
    assert_eq!(split_all(b"a,\"b\""), [["a", "b"]]);
}

#[test]
fn a_quoted_line_break_counts_as_a_line() {
    let mut spans = Vec::new();
    let step = COMMA.split(b"\"a\nb\",c\nd,e\n", 0, true, Some(2), &mut spans);
    assert_eq!(step, Step::Record { next: 8, lines: 2 });
}

#[test]
fn a_quote_that_swallows_lines_of_the_table_is_noticed() {
    let mut spans = Vec::new();
    // Closed by a stray quote at the end of a cell, with a whole line in between.
    let bytes = b"1,\"a,x,9\n2,b,y,9\n3,c\",z,9\n";
    let step = COMMA.split(bytes, 0, true, Some(4), &mut spans);
    assert_eq!(step, Step::Swallowed { column: 1, quote_lines: 0 });
    // Closed by the next stray quote at the start of a cell.
    let bytes = b"1,\"a,x,9\n2,\"b,y,9\n";
    let step = COMMA.split(bytes, 0, true, Some(4), &mut spans);
    assert_eq!(step, Step::Swallowed { column: 1, quote_lines: 0 });
}

#[test]
fn an_unfinished_record_asks_for_more() {
    let mut spans = Vec::new();
    let step = |bytes: &[u8], spans: &mut Vec<Span>| COMMA.split(bytes, 0, false, Some(2), spans);
    assert_eq!(
        step(b"a,bc", &mut spans),
        Step::Incomplete { cell: 2, column: 1, quote_lines: None }
    );
    assert_eq!(
        step(b"a,\"b\nc", &mut spans),
        Step::Incomplete { cell: 2, column: 1, quote_lines: Some(0) }
    );
    // The byte behind the quote is not known yet.
    for bytes in [&b"a,\"b\""[..], b"a,\"b\"\r"] {
        assert!(matches!(step(bytes, &mut spans), Step::Incomplete { .. }));
    }
}

proptest! {
    /// On well-formed input the cells are those of the `csv` crate.
    #[test]
    fn well_formed_text_is_split_as_the_csv_crate_splits_it(
        rows in prop::collection::vec(prop::collection::vec("[a-c,\"\n \u{3042}\u{8868}]{0,6}", 3), 1..20),
        crlf in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("memory");
        }
        let bytes = writer.into_inner().expect("memory");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.expect("text").iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(split_all(&bytes), expected);
    }
}
