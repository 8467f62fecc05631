use crate::damage::Class;
use crate::encoding::encode_cp932;
use crate::layout::{Layout, LayoutError};
use crate::read::{Batch, Format, ReadError, ReadOptions, TableReader};
use renkei_types::Reason;

fn layout(text: &str) -> Layout {
    Layout::parse(text, "layout.toml").expect("a layout")
}

fn open(bytes: Vec<u8>, layout: Layout) -> Result<TableReader, ReadError> {
    let options = ReadOptions { layout: Some(layout), ..ReadOptions::default() };
    TableReader::from_bytes(bytes, "file.dat", &options)
}

fn batch(bytes: Vec<u8>, layout: Layout) -> Batch {
    open(bytes, layout).expect("a table").next_batch().expect("rows").expect("a batch")
}

fn row(batch: &Batch, row: usize) -> Vec<&str> {
    batch.columns.iter().map(|column| column.get(row)).collect()
}

const NAMES: &str = "encoding = \"cp932\"\nrecord_length = 20\nline_ending = \"crlf\"\n\
    [[column]]\nname = \"番号\"\nstart = 1\nlength = 6\n\
    [[column]]\nname = \"氏名\"\nstart = 7\nlength = 10\n\
    [[column]]\nname = \"金額\"\nstart = 17\nlength = 4\n";

fn cp932(text: &str) -> Vec<u8> {
    encode_cp932(text).expect("letters")
}

#[test]
fn cells_are_cut_by_bytes_and_lose_their_padding() {
    let bytes = cp932("000012谷口　　　0300\r\n000034ﾔﾏﾀﾞ      0500\r\n");
    let mut reader = open(bytes, layout(NAMES)).expect("a table");
    assert_eq!(reader.header(), ["番号", "氏名", "金額"]);
    assert_eq!(reader.report().format, Format::FixedLength);
    let batch = reader.next_batch().expect("rows").expect("a batch");
    assert_eq!(row(&batch, 0), ["000012", "谷口", "0300"]);
    assert_eq!(row(&batch, 1), ["000034", "ﾔﾏﾀﾞ", "0500"]);
    assert_eq!(batch.lines, [1, 2]);
    assert!(batch.faults.is_empty() && batch.damage.is_empty());
}

#[test]
fn a_letter_cut_in_half_is_dropped_and_noted() {
    let mut bytes = cp932("000012谷口谷口");
    bytes.extend(b" \x92");
    bytes.extend(b"0300\r\n");
    let batch = batch(bytes, layout(NAMES));
    assert_eq!(row(&batch, 0), ["000012", "谷口谷口", "0300"]);
    assert_eq!(batch.damage.len(), 1);
    assert_eq!((batch.damage[0].column, batch.damage[0].class), (1, Class::LetterCut));
    let utf8 = "encoding = \"utf-8\"\nrecord_length = 4\n[[column]]\nname = \"a\"\nstart = 1\nlength = 4\n";
    let cut = self::batch("谷口".as_bytes()[..4].to_vec(), layout(utf8));
    assert_eq!((row(&cut, 0), cut.damage[0].class), (vec!["谷"], Class::LetterCut));
}

#[test]
fn short_and_long_records_cost_only_themselves() {
    let bytes = cp932(
        "000012谷口　　　0300\r\n000034谷\r\n\r\n000056谷口　　　0300XX\r\n000078谷口　　　0300",
    );
    let batch = batch(bytes, layout(NAMES));
    assert_eq!(batch.lines, [1, 2, 4, 5]);
    let faults: Vec<(usize, Reason)> = batch.faults.iter().map(|f| (f.row, f.reason)).collect();
    assert_eq!(faults, [(1, Reason::FieldCount), (2, Reason::FieldCount)]);
    assert_eq!(row(&batch, 1), ["000034", "谷", ""]);
    assert_eq!(row(&batch, 3), ["000078", "谷口", "0300"]);
}

#[test]
fn headers_and_trailers_are_skipped_by_record_type_or_by_place() {
    let zengin = "encoding = \"cp932\"\nrecord_length = 5\n\
        record_type = { at = 1, length = 1, data = \"2\" }\n\
        [[column]]\nname = \"銀行コード\"\nstart = 2\nlength = 4\n";
    let bytes = b"1000120009200108xxxx9yyyy".to_vec();
    let found = batch(bytes, layout(zengin));
    assert_eq!(found.lines, [2, 3]);
    assert_eq!((row(&found, 0), row(&found, 1)), (vec!["0009"], vec!["0010"]));
    let by_place = "encoding = \"cp932\"\nrecord_length = 3\nline_ending = \"lf\"\nskip_first = 1\nskip_last = 2\n\
        [[column]]\nname = \"a\"\nstart = 1\nlength = 3\ntrim = \"none\"\n";
    let found = batch(b"HHH\na  \n b \nTTT\nEEE\n\x1A".to_vec(), layout(by_place));
    assert_eq!(found.lines, [2, 3]);
    assert_eq!((row(&found, 0), row(&found, 1)), (vec!["a  "], vec![" b "]));
}

#[test]
fn undecodable_cells_are_empty_and_reported() {
    let mut bytes = cp932("000012");
    bytes.extend(b"\xFF\xFFabcdefgh0300\r\n");
    let batch = batch(bytes, layout(NAMES));
    assert_eq!(row(&batch, 0), ["000012", "", "0300"]);
    assert_eq!(batch.faults[0].reason, Reason::Undecodable);
    assert_eq!(batch.faults[0].column, Some(1));
}

#[test]
fn an_empty_file_and_a_file_of_headers_are_told_apart() {
    assert!(matches!(open(Vec::new(), layout(NAMES)), Err(ReadError::Empty { .. })));
    let zengin = "encoding = \"cp932\"\nrecord_length = 2\nskip_first = 1\n[[column]]\nname = \"a\"\nstart = 1\nlength = 2\n";
    let mut reader = open(b"HH".to_vec(), layout(zengin)).expect("a table");
    assert!(reader.next_batch().expect("no data").is_none());
}

#[test]
fn many_records_are_many_batches() {
    let text = "encoding = \"utf-8\"\nrecord_length = 8\n[[column]]\nname = \"a\"\nstart = 1\nlength = 8\n";
    let bytes: Vec<u8> = (0..20_000).flat_map(|n| format!("{n:08}").into_bytes()).collect();
    let mut reader = open(bytes, layout(text)).expect("a table");
    let mut next = 0;
    while let Some(batch) = reader.next_batch().expect("rows") {
        for cell in batch.columns[0].iter() {
            assert_eq!(cell, format!("{next:08}"));
            next += 1;
        }
    }
    assert_eq!(next, 20_000);
}

#[test]
fn wrong_layouts_name_what_is_wrong() {
    let column = "[[column]]\nname = \"a\"\nstart = 1\nlength = 4\n";
    for (text, part) in [
        (format!("encoding = \"euc\"\nrecord_length = 4\n{column}"), "line 1"),
        (format!("encoding = \"cp932\"\nrecord_length = 0\n{column}"), "record_length"),
        (format!("encoding = \"cp932\"\nrecord_length = 3\n{column}"), "column `a`"),
        (format!("encoding = \"cp932\"\nrecord_length = 9\n{column}{column}"), "two columns"),
        ("encoding = \"cp932\"\nrecord_length = 4\ncolumn = []\n".to_owned(), "no [[column]]"),
        (format!("encoding = \"cp932\"\nrecord_length = 4\nrecord_size = 4\n{column}"), "line 3"),
        (
            format!(
                "encoding = \"cp932\"\nrecord_length = 4\nrecord_type = {{ at = 5, length = 1, data = \"2\" }}\n{column}"
            ),
            "record_type",
        ),
    ] {
        let error = Layout::parse(&text, "layout.toml").expect_err(part);
        assert!(error.to_string().contains(part), "{error}");
        assert!(!matches!(error, LayoutError::Unreadable { .. }));
    }
}
