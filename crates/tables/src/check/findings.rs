//! The findings of a check.

use std::sync::Arc;

use jiff::civil::Date;
use renkei_types::DateOrder;

use super::profile::Profile;
use crate::batch::Batch;
use crate::cell_damage::{Role, classes_of, has_lost_digits, is_total_label, postal_zeros};
use crate::columns::fold;
use crate::damage::{Class, Severity};
use crate::read::FileReport;

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What.
    pub class: Class,
    /// How bad it is.
    pub severity: Severity,
    /// The line of the file, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// The name of the column, where one is meant. Findings of one column share it.
    pub column: Option<Arc<str>>,
}

/// Collects findings.
pub(super) struct Findings {
    names: Vec<Arc<str>>,
    found: Vec<Found>,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Found {
    line: u64,
    column: Option<usize>,
    class: Class,
}

impl Findings {
    /// Columns are named by number where they have no name, and where the first line may be data, not a header: its cells
    /// would say something about a person.
    pub(super) fn new(header: &[String], is_header: bool) -> Self {
        let names = header.iter().enumerate().map(|(index, name)| {
            if name.is_empty() || !is_header {
                Arc::from(format!("#{}", index + 1))
            } else {
                Arc::from(&**name)
            }
        });
        Self { names: names.collect(), found: Vec::new() }
    }

    pub(super) fn add(&mut self, class: Class, line: u64, column: Option<usize>) {
        self.found.push(Found { line, column, class });
    }

    /// What the header and the workbook say.
    pub(super) fn of_file(&mut self, report: &FileReport, header: &[String], is_header: bool) {
        for (index, name) in header.iter().enumerate() {
            if name.is_empty() {
                self.add(Class::HeaderEmpty, 0, Some(index));
            } else if header.iter().take(index).any(|other| fold(other) == fold(name)) {
                self.add(Class::HeaderRepeated, 0, Some(index));
            }
        }
        if !is_header {
            self.add(Class::HeaderUnknown, 0, None);
        }
        if report.merged_regions > 0 {
            self.add(Class::MergedCells, 0, None);
        }
        if report.other_sheets > 0 {
            self.add(Class::OtherSheets, 0, None);
        }
    }

    /// What each cell of a batch shows.
    pub(super) fn of_cells(
        &mut self,
        batch: &Batch,
        profile: &Profile,
        order: DateOrder,
        today: Date,
    ) {
        let line = |row: usize| batch.lines.get(row).copied().unwrap_or(0);
        for damage in &batch.damage {
            self.add(damage.class, line(damage.row), Some(damage.column));
        }
        for (index, column) in batch.columns.iter().enumerate() {
            let role = profile.role(index);
            let lost_digits = profile.has_lost_digits(index);
            for (row, cell) in column.iter().enumerate() {
                if cell.is_empty() {
                    continue;
                }
                classes_of(cell, role, order, today, |class| {
                    self.add(class, line(row), Some(index));
                });
                let value = cell.trim();
                let zeros = match role {
                    Role::PostalCode => postal_zeros(value).is_some(),
                    Role::Code { .. } => profile.is_short(index, value),
                    Role::Amount | Role::Date | Role::Name | Role::Address | Role::Other => false,
                };
                if zeros {
                    self.add(Class::ZerosLost, line(row), Some(index));
                }
                if lost_digits && has_lost_digits(value) {
                    self.add(Class::DigitsLost, line(row), Some(index));
                }
            }
        }
        for row in 0..batch.rows() {
            let first = batch.columns.iter().map(|column| column.get(row)).find(|c| !c.is_empty());
            if first.is_some_and(is_total_label) {
                self.add(Class::FooterTotal, line(row), None);
            }
        }
    }

    /// Where My Numbers were found: lines, and columns of whole files (line 0).
    pub(super) fn my_numbers(&self) -> impl Iterator<Item = (u64, Option<usize>)> {
        let found = self.found.iter().filter(|found| found.class == Class::MyNumber);
        found.map(|found| (found.line, found.column))
    }

    /// In order of line, column and class, each once.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_unstable();
        self.found.dedup();
        let names = self.names;
        let finding = |found: Found| Finding {
            class: found.class,
            severity: found.class.severity(),
            line: found.line,
            column: found.column.and_then(|column| names.get(column).cloned()),
        };
        self.found.into_iter().map(finding).collect()
    }
}
