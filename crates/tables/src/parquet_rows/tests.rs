use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray,
};
use parquet::arrow::ArrowWriter;

use crate::read::{Format, ReadError, ReadOptions, TableReader};
use crate::schema::{Schema, SchemaError, Side};

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a batch");
    writer.close().expect("a file");
    bytes
}

fn open(bytes: Vec<u8>) -> Result<TableReader, ReadError> {
    TableReader::from_bytes(bytes, "file.parquet", &ReadOptions::default())
}

#[test]
fn every_plain_type_becomes_text() {
    let words: DictionaryArray<arrow_array::types::Int32Type> =
        vec![Some("男"), None, Some("男")].into_iter().collect();
    let decimals = Decimal128Array::from(vec![Some(12_345), None, Some(-5)])
        .with_precision_and_scale(10, 2)
        .expect("a scale");
    let bytes = file(vec![
        ("id", Arc::new(StringArray::from(vec!["0012", "0034", "0056"]))),
        ("large", Arc::new(LargeStringArray::from(vec![Some("谷口"), None, Some("")]))),
        ("int", Arc::new(Int64Array::from(vec![Some(100_000), None, Some(-1)]))),
        ("float", Arc::new(Float64Array::from(vec![Some(12_345.0), None, Some(0.5)]))),
        ("date", Arc::new(Date32Array::from(vec![Some(3_766), None, Some(0)]))),
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("decimal", Arc::new(decimals)),
        ("word", Arc::new(words)),
    ]);
    let mut reader = open(bytes).expect("a table");
    assert_eq!(reader.report().format, Format::Parquet);
    assert_eq!(reader.header().len(), 8);
    let batch = reader.next_batch().expect("rows").expect("a batch");
    assert_eq!(batch.lines, [1, 2, 3]);
    let row = |row: usize| -> Vec<&str> { batch.columns.iter().map(|c| c.get(row)).collect() };
    assert_eq!(row(0), ["0012", "谷口", "100000", "12345", "1980-04-24", "true", "123.45", "男"]);
    assert_eq!(row(1), ["0034", "", "", "", "", "", "", ""]);
    assert_eq!(row(2), ["0056", "", "-1", "0.5", "1970-01-01", "false", "-0.05", "男"]);
    assert!(batch.faults.is_empty());
    assert!(reader.next_batch().expect("the end").is_none());
}

#[test]
fn a_nested_column_is_an_error_only_where_it_is_wanted() {
    let mut names = ListBuilder::new(StringBuilder::new());
    names.values().append_value("谷口");
    names.append(true);
    let names: ArrayRef = Arc::new(names.finish());
    let id: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let reader =
        open(file(vec![("宛名番号", id.clone()), ("氏名", names.clone())])).expect("a table");
    assert_eq!(reader.header(), ["宛名番号"]);
    let error = reader.bind(&Schema::resident_payment(), Side::Register).expect_err("a list");
    assert!(
        matches!(&error, SchemaError::ColumnNested { file, column, .. } if file == "file.parquet" && column == "氏名"),
        "{error}"
    );
    let kana: ArrayRef = Arc::new(StringArray::from(vec!["タニグチ"]));
    let reader =
        open(file(vec![("注", names), ("宛名番号", id), ("氏名カナ", kana)])).expect("a table");
    let binding = reader.bind(&Schema::resident_payment(), Side::Register).expect("a binding");
    assert_eq!((binding.id, binding.fields[1].columns.as_slice()), (0, [1].as_slice()));
}

#[test]
fn damaged_files_are_errors() {
    let id: ArrayRef = Arc::new(StringArray::from(vec!["1"; 100]));
    let bytes = file(vec![("id", id)]);
    for position in 4..bytes.len() {
        assert!(open(bytes[..position].to_vec()).is_err());
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x55;
        if let Ok(mut reader) = open(flipped) {
            while let Ok(Some(_)) = reader.next_batch() {}
        }
    }
}
