//! What is wrong with a file, and a copy in which is right what can be put right without guessing.
//!
//! A file is read twice: the first pass measures each column (how long are its numbers, how many have leading zeros) and
//! lets admission judge the lines; the second looks at every cell with that knowledge and writes the repaired copy.
//! Memory is bounded by the findings and 16 bytes per row.
//!
//! Repairs: leading zeros up to the column's own width, dates in addresses, day numbers in date columns, full-width
//! digits in codes and amounts, white space around values. Names are never altered. A file in which a cell cannot be
//! read is not copied, because the copy would lose that cell. Nor is one in which a My Number was found: the copy would be
//! one more file that holds it.

mod findings;
mod profile;

use std::path::Path;

use jiff::civil::Date;
use renkei_types::{Classify, Kind, Language, Localised, Yen};

pub use findings::Finding;

use crate::batch::Batch;
use crate::cell_damage::{Role, address_date, half_width_digits, postal_zeros, serial};
use crate::columns::is_known;
use crate::damage::Class;
use crate::my_number::holds_my_number;
use crate::read::{FileReport, ReadError, ReadOptions, TableReader};
use crate::schema::{Binding, Schema, SchemaError, Side};
use crate::write::{Column, TableWriter, WriteError};
use findings::Findings;
use profile::Profile;

/// What is known about a file that is checked.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// How to read it.
    pub read: ReadOptions,
    /// Its schema; without one the built-in columns are looked for.
    pub schema: Option<Schema>,
    /// The part it plays; without one the part whose id column it has.
    pub side: Option<Side>,
    /// Today, after which a date is in the future.
    pub today: Date,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// What the file is.
    pub file: FileReport,
    /// The part it plays, where its columns are known.
    pub side: Option<Side>,
    /// How many rows it has.
    pub rows: u64,
    /// Everything found, by line, column and class.
    pub findings: Vec<Finding>,
    /// Lines and yen.
    pub totals: Totals,
    /// What became of the repaired copy.
    pub repair: Repair,
}

/// The sums over a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// How many lines.
    pub lines: u64,
    /// The sum of the readable amounts, where the file has an amount column.
    pub yen: Option<Yen>,
    /// How many amounts cannot be read.
    pub yen_unreadable: u64,
}

/// What became of the repaired copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repair {
    /// Nobody asked for one.
    NotAsked,
    /// It was written, with so many cells repaired.
    Written {
        /// How many cells differ from the file.
        cells: u64,
    },
    /// It was not written: the cells of this line cannot all be read, and a copy would lose them; or the line holds a
    /// My Number, and a copy would hold it too.
    NotPossible {
        /// The first such line.
        line: u64,
    },
}

/// Why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It does not fit the schema that was given.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The repaired copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Classify for CheckError {
    fn kind(&self) -> Kind {
        match self {
            Self::Read(error) => error.kind(),
            Self::Schema(error) => error.kind(),
            Self::Write(error) => error.kind(),
        }
    }
}

impl Localised for CheckError {
    fn localised(&self, language: Language) -> String {
        match self {
            Self::Read(error) => error.localised(language),
            Self::Schema(error) => error.localised(language),
            Self::Write(error) => error.localised(language),
        }
    }
}

/// Checks a file on disk, and writes a repaired copy where `repair` names one.
pub fn check_file(
    path: &Path,
    options: &CheckOptions,
    repair: Option<&Path>,
) -> Result<CheckReport, CheckError> {
    check(&|| TableReader::open(path, &options.read), options, repair)
}

/// Checks whatever `open` opens; it is opened twice.
pub fn check(
    open: &dyn Fn() -> Result<TableReader, ReadError>,
    options: &CheckOptions,
    repair: Option<&Path>,
) -> Result<CheckReport, CheckError> {
    let mut reader = open()?;
    let header = reader.header().to_vec();
    let binding = bind(&reader, options)?;
    let date_order = options.schema.as_ref().map(|schema| schema.date_order).unwrap_or_default();

    let is_header = binding.is_some() || header.iter().any(|name| is_known(name));
    let mut findings = Findings::new(&header, is_header);
    findings.of_file(reader.report(), &header, is_header);
    let mut profile = Profile::new(&header, binding.as_ref());
    let mut rows = 0;
    let mut last_line = 0;
    let mut unreadable_line = None;
    while let Some(batch) = reader.next_batch()? {
        rows += batch.rows() as u64;
        last_line = batch.lines.last().copied().unwrap_or(last_line);
        if let Some(fault) = batch.faults.first() {
            unreadable_line = unreadable_line.or(batch.lines.get(fault.row).copied());
        }
        profile.observe(&batch);
    }
    let totals = profile.finish(rows, last_line, reader.report(), &mut findings);
    drop(reader);

    let mut copy = None;
    let mut my_numbers = MyNumbers::of(&findings);
    if let (Some(target), None, None) = (repair, unreadable_line, &my_numbers) {
        let columns: Vec<Column> = header.iter().map(Column::text).collect();
        copy = Some(TableWriter::create(target, &columns)?);
    }
    let mut repaired_cells = 0;
    let mut cells = vec![String::new(); header.len()];
    let mut reader = open()?;
    while let Some(batch) = reader.next_batch()? {
        findings.of_cells(&batch, &profile, date_order, options.today);
        if let Some(my_numbers) = &mut my_numbers {
            my_numbers.observe(&batch);
        }
        let Some(copy) = &mut copy else {
            continue;
        };
        for row in 0..batch.rows() {
            for (index, cell) in cells.iter_mut().enumerate() {
                let classes = repaired(&batch, row, index, &profile, cell);
                repaired_cells += u64::from(!classes.is_empty());
                for class in classes {
                    findings.add(class, batch.lines.get(row).copied().unwrap_or(0), Some(index));
                }
            }
            copy.row(cells.iter().map(String::as_str))?;
        }
    }
    let refused_line =
        unreadable_line.into_iter().chain(my_numbers.map(|found| found.line())).min();
    let repair = match (repair, refused_line, copy) {
        (_, _, Some(copy)) => {
            copy.finish()?;
            Repair::Written { cells: repaired_cells }
        }
        (Some(_), Some(line), None) => Repair::NotPossible { line },
        (_, _, None) => Repair::NotAsked,
    };
    Ok(CheckReport {
        file: reader.report().clone(),
        side: binding.map(|binding| binding.side),
        rows,
        findings: findings.finish(),
        totals,
        repair,
    })
}

/// Where a file holds My Numbers.
struct MyNumbers {
    /// Columns that hold nothing else.
    columns: Vec<usize>,
    /// The first line that is known to hold one.
    number: Option<u64>,
    /// The first line with anything in those columns.
    filled: Option<u64>,
}

impl MyNumbers {
    /// What the first pass found, if anything.
    fn of(findings: &Findings) -> Option<Self> {
        findings.my_numbers().next()?;
        Some(Self {
            columns: findings
                .my_numbers()
                .filter(|&(line, _)| line == 0)
                .filter_map(|(_, column)| column)
                .collect(),
            number: findings.my_numbers().map(|(line, _)| line).filter(|&line| line > 0).min(),
            filled: None,
        })
    }

    /// Looks for the first line of the columns, which the first pass does not know.
    fn observe(&mut self, batch: &Batch) {
        for &column in &self.columns {
            for (row, &line) in batch.lines.iter().enumerate() {
                let cell = batch.cell(column, row);
                if cell.trim().is_empty() {
                    continue;
                }
                self.filled = Some(self.filled.map_or(line, |filled| filled.min(line)));
                if holds_my_number(cell) {
                    self.number = Some(self.number.map_or(line, |number| number.min(line)));
                    break;
                }
            }
        }
    }

    /// The first line; the header where a column is named for them and empty.
    fn line(&self) -> u64 {
        self.number.or(self.filled).unwrap_or(1)
    }
}

/// The columns by the schema given, which must fit; or by the built-in one, if it does.
fn bind(reader: &TableReader, options: &CheckOptions) -> Result<Option<Binding>, SchemaError> {
    let sides = options
        .side
        .map_or_else(|| vec![Side::List, Side::Register, Side::Input], |side| vec![side]);
    let built_in = Schema::resident_payment();
    let schema = options.schema.as_ref().unwrap_or(&built_in);
    let mut error = None;
    for side in sides {
        match reader.bind(schema, side) {
            Ok(binding) => return Ok(Some(binding)),
            // The first side that has an id column at all says best what is missing.
            Err(SchemaError::NoIdColumn { .. }) => {}
            Err(other) => error = error.or(Some(other)),
        }
    }
    match error {
        Some(error) if options.schema.is_some() => Err(error),
        Some(_) | None => Ok(None),
    }
}

/// Writes the repaired cell to `cell`; answers what was repaired.
fn repaired(
    batch: &Batch,
    row: usize,
    column: usize,
    profile: &Profile,
    cell: &mut String,
) -> Vec<Class> {
    cell.clear();
    cell.push_str(batch.cell(column, row));
    let role = profile.role(column);
    let mut classes = Vec::new();
    if role == Role::Name || cell.is_empty() {
        return classes;
    }
    if cell.trim().len() != cell.len() {
        *cell = cell.trim().to_owned();
        classes.push(Class::RepairedOuterSpace);
    }
    let is_number = matches!(role, Role::Code { .. } | Role::PostalCode | Role::Amount);
    if is_number && cell.contains(|letter| ('０'..='９').contains(&letter)) {
        *cell = half_width_digits(cell);
        classes.push(Class::RepairedFullWidthDigits);
    }
    let (restored, class) = match role {
        Role::PostalCode => (postal_zeros(cell), Class::RepairedZeros),
        Role::Code { .. } => (profile.zeros(column, cell), Class::RepairedZeros),
        Role::Address => (address_date(cell), Class::RepairedAddressDate),
        Role::Date => (serial(cell).map(|day| day.to_string()), Class::RepairedDateSerial),
        Role::Amount | Role::Name | Role::Other => (None, Class::RepairedZeros),
    };
    if let Some(restored) = restored {
        *cell = restored;
        classes.push(class);
    }
    classes
}

#[cfg(test)]
mod tests;
