//! Excel workbooks.
//!
//! One sheet is read whole. A cell becomes the text that its value has: a number without `.0`, a date as `YYYY-MM-DD`, an
//! error as `#N/A`. What a number no longer shows is noted as damage: beyond 15 digits a spreadsheet keeps zeros.
//! Number formats are not looked at, so zeros that were only displayed are missing, as they are in the file.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, Xlsx};

use crate::batch::{Batch, CellDamage, TextColumn};
use crate::damage::Class;
use crate::number_text::{EXACT_MAX, plain};
use crate::read::{Opened, ReadOptions, Rows, Source};
use crate::read_error::ReadError;

const BATCH_ROWS: usize = 8192;
const LEADING_ROWS: usize = 30;
/// The columns of the format.
const COLUMNS_MAX: usize = 16_384;

/// Opens a workbook.
pub(crate) fn open(
    file: &str,
    source: Box<dyn Source>,
    options: &ReadOptions,
) -> Result<Opened, ReadError> {
    // The file comes from outside and the reader of workbooks is not ours: a panic in it is a broken workbook.
    std::panic::catch_unwind(AssertUnwindSafe(|| read(file, source, options)))
        .unwrap_or_else(|_| Err(broken(file, "its parts contradict each other")))
}

fn broken(file: &str, what: &str) -> ReadError {
    ReadError::Workbook { file: file.to_owned(), what: what.to_owned() }
}

fn read(file: &str, source: Box<dyn Source>, options: &ReadOptions) -> Result<Opened, ReadError> {
    let mut book = Xlsx::new(source).map_err(|error| broken(file, &error.to_string()))?;
    let sheets = book.sheet_names();
    let sheet = match &options.sheet {
        Some(wanted) => {
            sheets.iter().find(|name| *name == wanted).ok_or_else(|| ReadError::NoSheet {
                file: file.to_owned(),
                wanted: wanted.clone(),
                found: sheets.join(", "),
            })?
        }
        None => sheets.first().ok_or_else(|| broken(file, "it has no sheet"))?,
    };
    let merged_regions = book.merge_cells_by_sheet_name(sheet).map_or(0, |regions| regions.len());
    let mut table = Table::new(options);
    let mut cells =
        book.worksheet_cells_reader(sheet).map_err(|error| broken(file, &error.to_string()))?;
    while let Some(cell) = cells.next_cell().map_err(|error| broken(file, &error.to_string()))? {
        let (row, column) = cell.get_position();
        let column = column as usize;
        if column >= COLUMNS_MAX {
            return Err(ReadError::TooManyColumns {
                file: file.to_owned(),
                line: u64::from(row) + 1,
                limit: COLUMNS_MAX,
            });
        }
        table.cell(u64::from(row) + 1, column, cell.get_value());
    }
    table.end_row();
    let Some(mut header) = table.header else {
        return Err(ReadError::Empty { file: file.to_owned() });
    };
    header.resize(table.width, String::new());
    let mut batches = table.batches;
    if table.batch.rows() > 0 {
        batches.push_back(table.batch);
    }
    for batch in &mut batches {
        widen(batch, table.width);
    }
    Ok(Opened {
        header,
        leading: table.leading,
        sheet: Some(sheet.clone()),
        other_sheets: sheets.len() - 1,
        merged_regions,
        rows: Box::new(SheetRows(batches)),
        ..Opened::default()
    })
}

fn widen(batch: &mut Batch, width: usize) {
    let empty = TextColumn { text: String::new(), ends: vec![0; batch.rows()] };
    while batch.columns.len() < width {
        batch.columns.push(empty.clone());
    }
}

struct SheetRows(VecDeque<Batch>);

impl Rows for SheetRows {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        Ok(self.0.pop_front())
    }
}

/// Builds batches from cells in row order.
struct Table {
    header_line: u64,
    header: Option<Vec<String>>,
    /// The widest row so far.
    width: usize,
    line: u64,
    cells: Vec<(String, Option<Class>)>,
    leading: Vec<(u64, Vec<String>)>,
    batch: Batch,
    batches: VecDeque<Batch>,
}

impl Table {
    fn new(options: &ReadOptions) -> Self {
        Self {
            header_line: options.header_line.unwrap_or(1),
            header: None,
            width: 0,
            line: 0,
            cells: Vec::new(),
            leading: Vec::new(),
            batch: Batch::default(),
            batches: VecDeque::new(),
        }
    }

    fn cell(&mut self, line: u64, column: usize, value: &DataRef<'_>) {
        if line != self.line {
            self.end_row();
            self.line = line;
        }
        let (text, damage) = text(value);
        if text.is_empty() {
            return;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, (String::new(), None));
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = (text, damage);
        }
    }

    fn end_row(&mut self) {
        if self.cells.is_empty() || self.line < self.header_line {
            self.cells.clear();
            return;
        }
        self.width = self.width.max(self.cells.len());
        if self.header.is_none() {
            let names = self.cells.drain(..).map(|(text, _)| text.trim().to_owned());
            self.header = Some(names.collect());
            return;
        }
        if self.leading.len() < LEADING_ROWS {
            let texts = self.cells.iter().map(|(text, _)| text.clone()).collect();
            self.leading.push((self.line, texts));
        }
        widen(&mut self.batch, self.width);
        let row = self.batch.rows();
        self.batch.lines.push(self.line);
        for (index, column) in self.batch.columns.iter_mut().enumerate() {
            match self.cells.get(index) {
                Some((text, damage)) => {
                    column.push(text);
                    if let Some(class) = *damage {
                        self.batch.damage.push(CellDamage { row, column: index, class });
                    }
                }
                None => column.end_cell(),
            }
        }
        self.cells.clear();
        if self.batch.rows() == BATCH_ROWS {
            self.batches.push_back(std::mem::take(&mut self.batch));
        }
    }
}

fn text(value: &DataRef<'_>) -> (String, Option<Class>) {
    match value {
        DataRef::Empty => (String::new(), None),
        DataRef::String(text) => (text.clone(), None),
        DataRef::SharedString(text) => ((*text).to_owned(), None),
        DataRef::Int(number) => {
            let lost = (number.unsigned_abs() as f64 >= EXACT_MAX).then_some(Class::DigitsLost);
            (number.to_string(), lost)
        }
        DataRef::Float(number) => {
            (plain(*number), (number.abs() >= EXACT_MAX).then_some(Class::DigitsLost))
        }
        DataRef::Bool(value) => ((if *value { "TRUE" } else { "FALSE" }).to_owned(), None),
        DataRef::DateTime(moment) => (date_text(moment), None),
        DataRef::DateTimeIso(text) => {
            (text.strip_suffix("T00:00:00").unwrap_or(text).to_owned(), None)
        }
        DataRef::DurationIso(text) => (text.clone(), None),
        DataRef::Error(error) => (Data::Error(error.clone()).to_string(), None),
    }
}

/// `YYYY-MM-DD`, with the time of day where there is one; a time alone as `HH:MM:SS`.
fn date_text(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let value = moment.as_f64();
    if moment.is_duration() || value < 1.0 {
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if value.fract() == 0.0 { date } else { format!("{date} {hour:02}:{minute:02}:{second:02}") }
}

#[cfg(test)]
mod tests;
