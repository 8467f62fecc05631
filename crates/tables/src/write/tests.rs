use super::*;
use crate::read::{ReadOptions, TableReader};
use renkei_types::{Classify as _, Kind};

fn columns() -> Vec<Column> {
    vec![
        Column::text("宛名番号"),
        Column::text("備考"),
        Column::float("probability"),
        Column::integer("rank"),
    ]
}

const ROWS: [[&str; 4]; 4] = [
    ["000000000012345", "谷口 \"光弘\", 様", "0.999123456", "1"],
    ["=1+1", "二行\nの値", "0.5", "2"],
    ["007", "", "", ""],
    [" 前後 ", "𠮷髙", "1", "9007199254740993"],
];

fn written(ending: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("out.{ending}"));
    let mut writer = TableWriter::create(&path, &columns()).expect("a writer");
    for row in ROWS {
        writer.row(row).expect("a row");
    }
    assert_eq!(writer.rows(), 4);
    assert!(!path.exists());
    writer.finish().expect("a file");
    assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 1);
    let mut reader = TableReader::open(&path, &ReadOptions::default()).expect("a table");
    assert_eq!(reader.header(), ["宛名番号", "備考", "probability", "rank"]);
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch().expect("rows") {
        for row in 0..batch.rows() {
            rows.push(batch.columns.iter().map(|column| column.get(row).to_owned()).collect());
        }
    }
    rows
}

#[test]
fn every_format_gives_back_what_was_written() {
    for ending in ["csv", "xlsx", "parquet", "CSV"] {
        assert_eq!(written(ending), ROWS, "{ending}");
    }
}

#[test]
fn csv_is_plain_utf8_with_quotes_where_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.csv");
    let mut writer =
        TableWriter::create(&path, &[Column::text("a"), Column::text("b")]).expect("a writer");
    writer.row(["1", "x,\"y\""]).expect("a row");
    writer.row(["", ""]).expect("a row");
    writer.finish().expect("a file");
    assert_eq!(fs_err::read_to_string(&path).expect("text"), "a,b\n1,\"x,\"\"y\"\"\"\n,\n");
}

#[test]
fn what_people_open_runs_nothing_and_its_numbers_stay_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.csv");
    let columns = [Column::text("a"), Column::float("b"), Column::integer("c")];
    let mut writer = TableWriter::for_people(&path, &columns).expect("a writer");
    writer.row(["=1,\"x\"", "-0.007", "-5"]).expect("a row");
    writer.row(["x\0", "", ""]).expect("a row");
    assert_eq!(writer.changed_cells(), 2);
    writer.finish().expect("a file");
    let text = fs_err::read_to_string(&path).expect("text");
    assert_eq!(text, "a,b,c\n\"'=1,\"\"x\"\"\",-0.007,-5\nx␀,,\n");
    // In the other formats text is text.
    for ending in ["xlsx", "parquet"] {
        let path = folder.path().join(format!("out.{ending}"));
        let mut writer = TableWriter::for_people(&path, &columns).expect("a writer");
        writer.row(["=1", "1", "5"]).expect("a row");
        assert_eq!(writer.changed_cells(), 0);
        writer.finish().expect("a file");
        let mut reader = TableReader::open(&path, &ReadOptions::default()).expect("a table");
        assert_eq!(reader.next_batch().expect("rows").expect("a batch").cell(0, 0), "=1");
    }
}

#[test]
fn a_lone_empty_cell_stays_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.csv");
    let mut writer = TableWriter::create(&path, &[Column::text("a")]).expect("a writer");
    writer.row([""]).expect("a row");
    writer.finish().expect("a file");
    let mut reader = TableReader::open(&path, &ReadOptions::default()).expect("a table");
    assert_eq!(reader.next_batch().expect("rows").expect("a batch").rows(), 1);
}

#[test]
fn an_unfinished_table_leaves_nothing_behind_and_an_old_one_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    for ending in ["csv", "xlsx", "parquet"] {
        let path = folder.path().join(format!("out.{ending}"));
        fs_err::write(&path, "old").expect("an old file");
        let mut writer = TableWriter::create(&path, &columns()).expect("a writer");
        writer.row(ROWS[0]).expect("a row");
        drop(writer);
        assert_eq!(fs_err::read_to_string(&path).expect("text"), "old");
    }
    assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 3);
}

#[test]
fn an_unknown_ending_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["out.txt", "out", "out.xls"] {
        let error = TableWriter::create(&folder.path().join(name), &columns()).expect_err(name);
        assert!(matches!(error, WriteError::UnknownEnding { .. }));
        assert!(error.to_string().contains(".parquet"));
    }
    assert_eq!(fs_err::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_the_files_name() {
    let error =
        TableWriter::create(Path::new("/nowhere/out.csv"), &columns()).expect_err("no folder");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("/nowhere/out.csv"));
}

#[test]
fn a_full_disk_is_exhaustion() {
    // Every write to this device fails as if the disk were full.
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let mut out = fs_err::OpenOptions::new().write(true).open(full).expect("the device");
    let error = out.write_all(b"x").expect_err("no space");
    assert_eq!(WriteError::io(full, error).kind(), Kind::Exhausted);
}

#[test]
fn rows_of_another_width_and_words_as_numbers_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for ending in ["csv", "xlsx", "parquet"] {
        let path = folder.path().join(format!("out.{ending}"));
        let mut writer = TableWriter::create(&path, &columns()).expect("a writer");
        assert!(matches!(writer.row(["1", "2"]), Err(WriteError::CellCount { row: 1, .. })));
        if ending != "csv" {
            assert!(matches!(writer.row(["1", "2", "x", "1"]), Err(WriteError::NotANumber { .. })));
        }
    }
}
