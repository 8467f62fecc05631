use super::*;
use crate::encoding::encode_cp932;
use crate::schema::Schema;
use proptest::prelude::*;
use renkei_types::Reason;

fn open(bytes: impl Into<Vec<u8>>) -> Result<TableReader, ReadError> {
    TableReader::from_bytes(bytes.into(), "file.csv", &ReadOptions::default())
}

fn rows(reader: &mut TableReader) -> Result<Vec<(u64, Vec<String>)>, ReadError> {
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        for row in 0..batch.rows() {
            let cells = batch.columns.iter().map(|column| column.get(row).to_owned()).collect();
            rows.push((batch.lines[row], cells));
        }
    }
    Ok(rows)
}

fn read(bytes: impl Into<Vec<u8>>) -> Vec<(u64, Vec<String>)> {
    rows(&mut open(bytes).expect("a table")).expect("rows")
}

fn faults(bytes: impl Into<Vec<u8>>) -> Vec<(u64, Reason, Option<usize>)> {
    let mut reader = open(bytes).expect("a table");
    let mut faults = Vec::new();
    while let Some(batch) = reader.next_batch().expect("rows") {
        faults.extend(
            batch.faults.iter().map(|fault| (batch.lines[fault.row], fault.reason, fault.column)),
        );
    }
    faults
}

fn cells(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (line, cells.iter().map(|&cell| cell.to_owned()).collect())
}

const TEXT: &str = "宛名番号,氏名\r\n0012,谷口　光弘\r\n0034,\"ヤマダ,ハナコ\"\r\n";

#[test]
fn the_same_rows_come_from_every_encoding_and_line_end() {
    let expected = [cells(2, &["0012", "谷口　光弘"]), cells(3, &["0034", "ヤマダ,ハナコ"])];
    let utf16 = |text: &str, order: fn(u16) -> [u8; 2], mark: &[u8]| {
        let mut bytes = mark.to_vec();
        bytes.extend(text.encode_utf16().flat_map(order));
        bytes
    };
    let tabs = "宛名番号\t氏名\r\n0012\t谷口　光弘\r\n0034\tヤマダ,ハナコ\r\n";
    for (bytes, encoding, bom, ending) in [
        (TEXT.into(), Encoding::Utf8, false, LineEnding::Crlf),
        (format!("\u{FEFF}{TEXT}").into_bytes(), Encoding::Utf8, true, LineEnding::Crlf),
        (TEXT.replace("\r\n", "\n").into(), Encoding::Utf8, false, LineEnding::Lf),
        (TEXT.replace("\r\n", "\r").into(), Encoding::Utf8, false, LineEnding::Cr),
        (encode_cp932(TEXT).expect("letters"), Encoding::Cp932, false, LineEnding::Crlf),
        (utf16(tabs, u16::to_le_bytes, b"\xFF\xFE"), Encoding::Utf16Le, true, LineEnding::Crlf),
        (utf16(tabs, u16::to_be_bytes, b"\xFE\xFF"), Encoding::Utf16Be, true, LineEnding::Crlf),
        (utf16(tabs, u16::to_le_bytes, b""), Encoding::Utf16Le, false, LineEnding::Crlf),
    ] {
        let mut reader = open(bytes).expect("a table");
        let report = reader.report();
        assert_eq!(
            (report.encoding, report.bom, report.line_ending),
            (Some(encoding), bom, Some(ending))
        );
        assert_eq!(reader.header(), ["宛名番号", "氏名"]);
        assert_eq!(rows(&mut reader).expect("rows"), expected, "{encoding}");
    }
}

#[test]
fn files_as_registers_and_excel_write_them_are_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    for (file, encoding, bom) in
        [("residents.csv", Encoding::Utf8, true), ("payments.csv", Encoding::Cp932, false)]
    {
        let mut reader =
            TableReader::open(&folder.join(file), &ReadOptions::default()).expect("a file");
        let report = reader.report();
        assert_eq!((report.encoding, report.bom), (Some(encoding), bom));
        assert_eq!(report.line_ending, Some(LineEnding::Crlf));
        let rows = rows(&mut reader).expect("rows");
        assert_eq!((rows.len(), rows.last().map(|row| row.0)), (300, Some(301)));
    }
}

#[test]
fn a_byte_order_mark_before_a_quoted_header_is_no_part_of_it() {
    let reader = open("\u{FEFF}\"宛名番号\",\"氏名\"\n1,a\n").expect("a table");
    assert_eq!(reader.header(), ["宛名番号", "氏名"]);
}

#[test]
fn line_numbers_are_those_of_the_file() {
    assert_eq!(
        read("a,b\n\n1,\"x\ny\"\n\n\n2,z\n\"3\",\"\"\n"),
        [cells(3, &["1", "x\ny"]), cells(7, &["2", "z"]), cells(8, &["3", ""])]
    );
    assert_eq!(read("\n\r\na,b\n1,2\n"), [cells(4, &["1", "2"])]);
}

#[test]
fn a_row_with_a_wrong_field_count_is_still_a_row() {
    let bytes = "a,b,c\n1,2\n1,2,3\n1,2,3,4\n";
    assert_eq!(
        read(bytes),
        [cells(2, &["1", "2", ""]), cells(3, &["1", "2", "3"]), cells(4, &["1", "2", "3"])]
    );
    assert_eq!(faults(bytes), [(2, Reason::FieldCount, None), (4, Reason::FieldCount, None)]);
}

#[test]
fn one_broken_byte_empties_its_cell_and_nothing_else() {
    let mut bytes = "id,氏名,住所\n1,谷口,千葉県\n2,山田,若葉市\n3,佐藤,平和\n".as_bytes().to_vec();
    let position = bytes.windows(6).position(|w| w == "山田".as_bytes()).expect("the name");
    bytes[position] = 0xFF;
    assert_eq!(
        read(bytes.clone()),
        [
            cells(2, &["1", "谷口", "千葉県"]),
            cells(3, &["2", "", "若葉市"]),
            cells(4, &["3", "佐藤", "平和"])
        ]
    );
    assert_eq!(faults(bytes), [(3, Reason::Undecodable, Some(1))]);
}

#[test]
fn a_broken_letter_of_cp932_does_not_swallow_its_delimiter() {
    let mut bytes = encode_cp932("id,氏名,住所\n1,谷口,千葉県\n2,").expect("letters");
    bytes.extend(b"\x91,");
    bytes.extend(encode_cp932("若葉市\n3,佐藤,平和\n").expect("letters"));
    assert_eq!(read(bytes.clone())[1], cells(3, &["2", "", "若葉市"]));
    assert_eq!(faults(bytes), [(3, Reason::Undecodable, Some(1))]);
}

#[test]
fn an_unclosed_quote_names_the_line_where_it_opens() {
    for tail in [10, 100_000] {
        let bytes = format!("a,b,c\n1,2,3\n4,\"5,6\n{}", "7,8,9\n".repeat(tail));
        let error = rows(&mut open(bytes).expect("a table")).expect_err("an open quote");
        assert!(
            matches!(
                error,
                ReadError::UnclosedQuote { line: 3, column: 2, .. }
                    | ReadError::SwallowedLines { line: 3, column: 2, .. }
            ),
            "{error}"
        );
    }
    let error = open("a,\"b\n1,2\n").expect_err("an open quote");
    assert!(matches!(error, ReadError::UnclosedQuote { line: 1, column: 2, .. }), "{error}");
}

#[test]
fn a_cell_of_ten_mebibytes_is_refused_with_its_line() {
    let long = "x".repeat(10 << 20);
    let error = rows(&mut open(format!("a,b\n1,2\n3,{long}\n5,6\n")).expect("a table"))
        .expect_err("a long cell");
    assert!(matches!(error, ReadError::CellTooLong { line: 3, column: 2, .. }), "{error}");
    let error = rows(&mut open(format!("a,b\n1,2\n3,\"{long}\"\n5,6\n")).expect("a table"))
        .expect_err("a long quoted cell");
    assert!(
        matches!(
            error,
            ReadError::CellTooLong { line: 3, .. } | ReadError::UnclosedQuote { line: 3, .. }
        ),
        "{error}"
    );
    let options = ReadOptions { cell_bytes_max: 16 << 20, ..ReadOptions::default() };
    let bytes = format!("a,b\n3,\"{long}\"\n5,6\n").into_bytes();
    let mut reader = TableReader::from_bytes(bytes, "f", &options).expect("a table");
    let rows = rows(&mut reader).expect("rows");
    assert_eq!((rows.len(), rows[0].1[1].len()), (2, 10 << 20));
}

#[test]
fn a_reader_may_change_threads() {
    let mut reader = open("a,b\n1,2\n").expect("a table");
    let rows = std::thread::spawn(move || rows(&mut reader)).join().expect("a thread");
    assert_eq!(rows.expect("rows"), [cells(2, &["1", "2"])]);
}

#[test]
fn a_header_of_many_columns_is_read_and_of_too_many_refused() {
    let wide = vec!["c"; 16_384].join(",");
    let mut reader = open(format!("{wide}\n{wide}\n")).expect("a table");
    assert_eq!(rows(&mut reader).expect("rows").len(), 1);
    let wider = vec!["c"; 16_385].join(",");
    assert!(matches!(open(wider), Err(ReadError::TooManyColumns { line: 1, .. })));
}

#[test]
fn nul_bytes_are_kept() {
    assert_eq!(read("a,b\n1\0,\0\n"), [cells(2, &["1\0", "\0"])]);
}

#[test]
fn an_empty_file_is_an_error_and_a_header_alone_is_not() {
    for bytes in ["", "\u{FEFF}", "\n\n\r\n"] {
        assert!(matches!(open(bytes), Err(ReadError::Empty { .. })), "{bytes:?}");
    }
    for bytes in ["a,b", "a,b\r\n", "\u{FEFF}a,b\n\n"] {
        let mut reader = open(bytes).expect("a table");
        assert_eq!(reader.header(), ["a", "b"]);
        assert_eq!(rows(&mut reader).expect("rows"), []);
    }
}

#[test]
fn a_header_below_title_lines_is_pointed_out_and_can_be_chosen() {
    let text = "令和8年度 支給対象者リスト\n作成日,2026-11-01\n\n申請番号,氏名,支給額\nB1,谷口　光弘,30000\n";
    let reader = open(text).expect("a table");
    let error = reader.bind(&Schema::resident_payment(), Side::List).expect_err("a title");
    assert!(
        matches!(error, SchemaError::ColumnMissing { header_may_be: Some(4), .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("line 4 looks like the header"), "{error}");
    let options = ReadOptions { header_line: Some(4), ..ReadOptions::default() };
    let mut reader = TableReader::from_bytes(text.into(), "f", &options).expect("a table");
    reader.bind(&Schema::resident_payment(), Side::List).expect("a binding");
    assert_eq!(rows(&mut reader).expect("rows"), [cells(5, &["B1", "谷口　光弘", "30000"])]);
}

#[test]
fn old_workbooks_are_told_from_text() {
    let error = open(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec()).expect_err("an old workbook");
    assert!(matches!(error, ReadError::Unsupported { .. }), "{error}");
    assert!(matches!(open(b"PK\x03\x04junk".to_vec()), Err(ReadError::Workbook { .. })));
    assert!(matches!(open(b"PAR1junkPAR1".to_vec()), Err(ReadError::Parquet { .. })));
}

#[test]
fn an_undecodable_header_is_an_error() {
    let error = open(b"\xFF\xFFa,b\xFF\n1,2\n".to_vec());
    // FF FE would be a mark; FF FF is nothing.
    assert!(matches!(error, Err(ReadError::HeaderUndecodable { line: 1, .. })), "{error:?}");
}

#[test]
fn many_blocks_give_the_rows_of_one() {
    let mut text = String::from("a,b,c\r\n");
    for row in 0..60_000 {
        text.push_str(&format!("{row:08},\"値\r\n{row}\",谷口　光弘\r\n"));
    }
    let rows = read(text);
    assert_eq!(rows.len(), 60_000);
    for (index, (line, row)) in rows.iter().enumerate() {
        assert_eq!(*line, 2 + 2 * index as u64);
        assert_eq!(*row, [format!("{index:08}"), format!("値\r\n{index}"), "谷口　光弘".into()]);
    }
}

#[test]
fn errors_are_said_in_both_languages_without_values() {
    let mut reader = open("a,b,c\n1,\"秘密の値\n").expect("a table");
    let error = rows(&mut reader).expect_err("an open quote");
    for language in [renkei_types::Language::English, renkei_types::Language::Japanese] {
        let text = renkei_types::Localised::localised(&error, language);
        assert!(text.contains("file.csv") && text.contains('2'), "{text}");
        assert!(!text.contains("秘密"), "{text}");
    }
    assert!(reader.next_batch().expect("nothing more").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the bytes: no panic, and every line that is not empty is a row, unless quotes join lines or the file is
    /// refused.
    #[test]
    fn any_bytes_are_rows_or_an_error(
        bytes in prop::collection::vec(prop_oneof![
            any::<u8>(), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'"'), Just(b'a'), Just(0x81), Just(0xE3),
        ], 0..200)
    ) {
        if let Ok(mut reader) = open(bytes.clone()) {
            let _ = rows(&mut reader);
        }
    }

    /// Without quotes and carriage returns every line behind the header is a row with its own number.
    #[test]
    fn every_line_is_a_row_with_its_number(
        lines in prop::collection::vec(
            prop::collection::vec(prop_oneof![
                any::<u8>().prop_filter("shape", |b| !matches!(b, b'\n' | b'\r' | b'"' | b'\t')),
                Just(b','), Just(0x81), Just(0x82), Just(0xE3),
            ], 0..12), 0..40)
    ) {
        let mut bytes = b"id,name,place\n".to_vec();
        for line in &lines {
            bytes.extend(line);
            bytes.push(b'\n');
        }
        let mut reader = open(bytes).expect("an ASCII header");
        let mut found = Vec::new();
        let mut columns_ok = true;
        while let Some(batch) = reader.next_batch().expect("no quotes") {
            columns_ok &= batch.columns.iter().all(|column| column.len() == batch.rows());
            found.extend(batch.lines);
        }
        let expected: Vec<u64> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, _)| index as u64 + 2)
            .collect();
        prop_assert!(columns_ok);
        prop_assert_eq!(found, expected);
    }
}
