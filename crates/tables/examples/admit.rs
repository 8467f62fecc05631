//! Reads a file, admits or checks its lines and prints counts: `admit FILE register|list|read|check`, or copies it: `admit FILE copy TARGET`.
//!
//! Run under `time` to measure reading, or reading with admission.

use std::path::Path;

use renkei_tables::{
    Admission, CheckOptions, Column, ReadOptions, Schema, Side, TableReader, TableWriter,
    check_file,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: admit FILE register|list|read|check|copy TARGET")?;
    let mode = arguments.next().unwrap_or_default();
    if mode == "check" {
        let options = CheckOptions {
            read: ReadOptions::default(),
            schema: None,
            side: None,
            today: jiff::civil::date(2026, 11, 21),
        };
        let report = check_file(Path::new(&file), &options, None)?;
        println!("{} rows, {:?}", report.rows, report.totals);
        let mut counts = std::collections::BTreeMap::<_, usize>::new();
        for finding in &report.findings {
            *counts.entry((finding.severity, finding.class, &finding.column)).or_default() += 1;
        }
        for ((severity, class, column), count) in counts {
            println!("{severity} {class} {} {count}", column.as_deref().unwrap_or("-"));
        }
        return Ok(());
    }
    let mut reader = TableReader::open(Path::new(&file), &ReadOptions::default())?;
    println!("{:?}", reader.report());
    if mode == "read" {
        let (mut rows, mut faults) = (0, 0);
        while let Some(batch) = reader.next_batch()? {
            rows += batch.rows();
            faults += batch.faults.len();
        }
        println!("{rows} rows, {faults} faults");
        return Ok(());
    }
    if mode == "copy" {
        let target = arguments.next().ok_or("copy needs a target")?;
        let columns: Vec<Column> = reader.header().iter().map(Column::text).collect();
        let mut writer = TableWriter::create(Path::new(&target), &columns)?;
        while let Some(batch) = reader.next_batch()? {
            for row in 0..batch.rows() {
                writer.row(batch.columns.iter().map(|column| column.get(row)))?;
            }
        }
        println!("{} rows", writer.rows());
        writer.finish()?;
        return Ok(());
    }
    let side = if mode == "list" { Side::List } else { Side::Register };
    let binding = reader.bind(&Schema::resident_payment(), side)?;
    let mut admission = Admission::of(&reader, &binding)?;
    while let Some(batch) = reader.next_batch()? {
        admission.observe(&batch)?;
    }
    let admitted = admission.finish()?;
    println!(
        "{} lines, {} yen, {} unreadable amounts, {} rejected",
        admitted.lines(),
        admitted.yen(),
        admitted.yen_unreadable(),
        admitted.rejections().len()
    );
    Ok(())
}
