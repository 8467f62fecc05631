//! Tables that a broker's answers are written to, which people open and programs read.
//!
//! What others wrote into a file stands in these tables, so in CSV no cell of theirs may run in a spreadsheet. A program needs what was
//! sent: it asks for that with `--exact`. Whoever gets a cell that does not say exactly what was sent is told so.

use std::path::Path;

use clap::Args;
use renkei_tables::{Column, TableWriter, WriteError};

use crate::environment::Environment;

/// Whether a program reads the table.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ExactArgument {
    /// For programs: write every cell of a CSV file as it is, also those that a spreadsheet would run as formulas
    #[arg(long)]
    exact: bool,
}

impl ExactArgument {
    /// Starts the table.
    pub(super) fn create(self, path: &Path, columns: &[Column]) -> Result<TableWriter, WriteError> {
        match self.exact {
            true => TableWriter::create(path, columns),
            false => TableWriter::for_people(path, columns),
        }
    }
}

/// Ends a table, and says what of it is not exactly what was sent.
pub(super) fn finish(writer: TableWriter, environment: &Environment) -> Result<(), WriteError> {
    let changed = writer.changed_cells();
    writer.finish()?;
    say_changed(changed, environment);
    Ok(())
}

/// Says how many cells are not exactly what was sent.
pub(super) fn say_changed(changed: u64, environment: &Environment) {
    if changed > 0 {
        environment.warn(
            &format!("{changed} cells have an apostrophe in front, or pictures of control characters, so that a spreadsheet runs nothing; --exact writes them as they are, for programs, and .xlsx needs neither"),
            &format!("表計算ソフトが数式として実行しないよう、{changed} 個のセルの先頭に「'」を付けるか、制御文字を記号に替えました。プログラムで読むときは --exact で元のまま書き出せます。.xlsx ではどちらも不要です"),
        );
    }
}
