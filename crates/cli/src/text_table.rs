//! Tables on standard output: columns apart by spaces, numbers to the right.

use comfy_table::{CellAlignment, Row, Table, presets};

/// A table without lines. `numbers` are the columns to align to the right.
pub(crate) fn text_table(header: impl Into<Row>, numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for &number in numbers {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
