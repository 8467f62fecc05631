//! The town's register as a table, and deltas of it.

use super::Town;

/// The register's header and its records, as cells.
pub(crate) fn table(town: &Town) -> (Vec<String>, Vec<Vec<String>>) {
    let split = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = town.residents().lines();
    let header = split(lines.next().expect("a header"));
    // Cells with commas are quoted; the tests take records without.
    let records = lines.map(split).filter(|cells| cells.len() == header.len()).collect();
    (header, records)
}

/// A delta of the register's columns: what is done, and with which record.
pub(crate) fn delta(header: &[String], entries: &[(&str, Vec<String>)]) -> String {
    let mut text = format!("異動区分,{}\n", header.join(","));
    for (operation, cells) in entries {
        text.push_str(&format!("{operation},{}\n", cells.join(",")));
    }
    text
}

pub(crate) fn column(header: &[String], name: &str) -> usize {
    header.iter().position(|known| known.trim() == name).expect("a column")
}
