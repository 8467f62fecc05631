use crate::damage::Class;
use crate::read::{Format, ReadError, ReadOptions, TableReader};
use crate::schema::{Schema, Side};
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Formula, Workbook};

fn open(book: &mut Workbook, options: &ReadOptions) -> Result<TableReader, ReadError> {
    let bytes = book.save_to_buffer().expect("a workbook");
    TableReader::from_bytes(bytes, "book.xlsx", options)
}

#[test]
fn cells_become_the_text_that_their_value_has() {
    let mut book = Workbook::new();
    let day = CellFormat::new().set_num_format("yyyy/mm/dd");
    let sheet = book.add_worksheet();
    for (column, name) in ["番号", "数", "日付", "真偽", "誤り", "小数"].iter().enumerate()
    {
        sheet.write_string(0, column as u16, *name).expect("a cell");
    }
    sheet.write_string(1, 0, "0012").expect("a cell");
    sheet.write_number(1, 1, 100_000.0).expect("a cell");
    let date = ExcelDateTime::parse_from_str("1980-04-24").expect("a date");
    sheet.write_datetime_with_format(1, 2, &date, &day).expect("a cell");
    sheet.write_boolean(1, 3, true).expect("a cell");
    sheet.write_formula(1, 4, Formula::new("NA()").set_result("#N/A")).expect("a cell");
    sheet.write_number(1, 5, 0.1).expect("a cell");
    sheet.write_number(4, 1, 123_456_789_012.0).expect("a cell");
    sheet.write_number(4, 0, 1.234_567_890_123_456_7e17).expect("a cell");
    let mut reader = open(&mut book, &ReadOptions::default()).expect("a table");
    assert_eq!(reader.report().format, Format::Xlsx);
    assert_eq!(reader.header(), ["番号", "数", "日付", "真偽", "誤り", "小数"]);
    let batch = reader.next_batch().expect("rows").expect("a batch");
    // Rows 3 and 4 are empty.
    assert_eq!(batch.lines, [2, 5]);
    let row = |row: usize| -> Vec<&str> { batch.columns.iter().map(|c| c.get(row)).collect() };
    assert_eq!(row(0), ["0012", "100000", "1980-04-24", "TRUE", "#N/A", "0.1"]);
    assert_eq!(row(1)[1], "123456789012");
    assert_eq!(batch.damage.len(), 1);
    assert_eq!((batch.damage[0].row, batch.damage[0].column), (1, 0));
    assert_eq!(batch.damage[0].class, Class::DigitsLost);
    assert!(reader.next_batch().expect("the end").is_none());
}

#[test]
fn a_sheet_is_chosen_by_name_and_the_others_are_counted() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("表紙").expect("a name").write_string(0, 0, "x").expect("a cell");
    let sheet = book.add_worksheet().set_name("一覧").expect("a name");
    sheet.write_string(0, 0, "宛名番号").expect("a cell");
    sheet.write_string(1, 0, "1").expect("a cell");
    sheet.merge_range(3, 0, 3, 2, "注", &CellFormat::new()).expect("a merged region");
    let reader = open(&mut book, &ReadOptions::default()).expect("the first sheet");
    assert_eq!(reader.header(), ["x"]);
    let options = ReadOptions { sheet: Some("一覧".into()), ..ReadOptions::default() };
    let reader = open(&mut book, &options).expect("the second sheet");
    // The merged region makes the sheet wider than its header.
    assert_eq!(reader.header()[0], "宛名番号");
    assert_eq!((reader.report().other_sheets, reader.report().merged_regions), (1, 1));
    let options = ReadOptions { sheet: Some("なし".into()), ..ReadOptions::default() };
    let error = open(&mut book, &options).expect_err("no such sheet");
    assert!(error.to_string().contains("表紙, 一覧"), "{error}");
}

#[test]
fn a_header_on_row_three_is_pointed_out() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "支給対象者一覧").expect("a cell");
    for (column, name) in ["申請番号", "氏名", "支給額"].iter().enumerate() {
        sheet.write_string(2, column as u16, *name).expect("a cell");
        sheet.write_string(3, column as u16, "1").expect("a cell");
    }
    let reader = open(&mut book, &ReadOptions::default()).expect("a table");
    let error = reader.bind(&Schema::resident_payment(), Side::List).expect_err("a title");
    assert!(error.to_string().contains("line 3 looks like the header"), "{error}");
    let options = ReadOptions { header_line: Some(3), ..ReadOptions::default() };
    let reader = open(&mut book, &options).expect("a table");
    reader.bind(&Schema::resident_payment(), Side::List).expect("a binding");
}

#[test]
fn an_empty_sheet_is_an_error_and_many_rows_are_many_batches() {
    let mut book = Workbook::new();
    book.add_worksheet();
    assert!(matches!(open(&mut book, &ReadOptions::default()), Err(ReadError::Empty { .. })));
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "id").expect("a cell");
    for row in 1..=20_000u32 {
        sheet.write_number(row, 0, row).expect("a cell");
    }
    sheet.write_string(20_000, 3, "beyond the header").expect("a cell");
    let mut reader = open(&mut book, &ReadOptions::default()).expect("a table");
    assert_eq!(reader.header(), ["id", "", "", ""]);
    let mut rows = 0;
    while let Some(batch) = reader.next_batch().expect("rows") {
        assert_eq!(batch.columns.len(), 4);
        assert!(batch.columns.iter().all(|column| column.len() == batch.rows()));
        assert!(batch.faults.is_empty());
        rows += batch.rows();
    }
    assert_eq!(rows, 20_000);
}

#[test]
fn damaged_workbooks_are_errors() {
    let mut book = Workbook::new();
    book.add_worksheet().write_string(0, 0, "id").expect("a cell");
    let bytes = book.save_to_buffer().expect("a workbook");
    for length in (4..bytes.len()).step_by(bytes.len() / 40) {
        let cut = bytes[..length].to_vec();
        let _ = TableReader::from_bytes(cut, "cut.xlsx", &ReadOptions::default());
        let mut flipped = bytes.clone();
        flipped[length] ^= 0x55;
        if let Ok(mut reader) = TableReader::from_bytes(flipped, "f.xlsx", &ReadOptions::default())
        {
            while let Ok(Some(_)) = reader.next_batch() {}
        }
    }
}
