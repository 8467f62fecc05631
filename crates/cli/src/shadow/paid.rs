//! Whom one result pays: its file, gathered by payee.
//!
//! A file with a column `outcome` is a result of ours, and only LINKED and LINKED_BY_CLERK are paid; every line of any other
//! file is. My Numbers refuse the file or leave their line out, as they do everywhere. Values other than ids and amounts are not
//! looked at.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use renkei_linkage::Outcome;
use renkei_tables::my_number::{Firewall, MyNumberColumn, forbidden_column};
use renkei_tables::{AdmissionError, Batch, ReadOptions, TableReader, built_in_column};
use renkei_types::Yen;

use crate::environment::Environment;
use crate::failure::{CommandError, Failure};
use crate::progress::Progress;

/// By what payees are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Key {
    /// The resident: resident_id 宛名番号, or register_id of a result
    Resident,
    /// The household: household_id 世帯番号
    Household,
    /// The application: benefit_id 申請番号, or list_id of a result
    Benefit,
}

impl Key {
    /// From the surest to the last: money goes to people, and one person may apply twice.
    const ALL: [Self; 3] = [Self::Resident, Self::Benefit, Self::Household];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Resident => "resident_id",
            Self::Household => "household_id",
            Self::Benefit => "benefit_id",
        }
    }

    fn column(self, header: &[String]) -> Option<usize> {
        let register_id = || header.iter().position(|name| name.trim() == "register_id");
        match self {
            Self::Resident => register_id().or_else(|| built_in_column(header, self.as_str())),
            Self::Household | Self::Benefit => built_in_column(header, self.as_str()),
        }
    }

    /// The surest that both headers have.
    pub(crate) fn common(old: &[String], new: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.column(old).is_some() && key.column(new).is_some())
    }
}

/// What somebody is paid.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Payee {
    /// Over all lines; those that cannot be read are left out.
    pub(crate) yen: u64,
    pub(crate) lines: u64,
    /// Line of the file on which the payee stands first.
    pub(crate) first_line: u64,
    /// Whether an amount cannot be read.
    pub(crate) unreadable: bool,
}

/// Whom one result pays.
pub(crate) struct Paid {
    pub(crate) file: String,
    pub(crate) has_amounts: bool,
    /// Rows of the file.
    pub(crate) rows: u64,
    pub(crate) payees: HashMap<Box<str>, Payee>,
    /// Payees of whom no line is paid.
    pub(crate) unpaid: HashMap<Box<str>, Outcome>,
    /// Lines that are not paid, by outcome.
    pub(crate) not_paid: BTreeMap<Outcome, u64>,
    /// Lines that would be paid and name nobody.
    pub(crate) without_id: u64,
    /// Lines that are broken or carry a My Number.
    pub(crate) left_out: u64,
    pub(crate) amounts_unreadable: u64,
}

/// Where a file has what is needed.
struct Places {
    key: usize,
    amount: Option<usize>,
    outcome: Option<usize>,
}

impl Paid {
    /// Reads a result.
    pub(crate) fn read(path: &Path, key: Key, environment: &Environment) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let guarded = rows_with_my_numbers(path)?;
        let mut reader = open(path)?;
        let header = reader.header();
        let missing = CommandError::ColumnMissing { file: file.clone(), column: key.as_str() };
        let places = Places {
            key: key.column(header).ok_or(missing)?,
            amount: built_in_column(header, "amount"),
            outcome: header.iter().position(|name| name.trim() == "outcome"),
        };
        let mut paid = Self {
            file,
            has_amounts: places.amount.is_some(),
            rows: 0,
            payees: HashMap::new(),
            unpaid: HashMap::new(),
            not_paid: BTreeMap::new(),
            without_id: 0,
            left_out: 0,
            amounts_unreadable: 0,
        };
        let progress = Progress::lines(environment, "reading", "読込", 0);
        while let Some(batch) = reader.next_batch()? {
            let broken: HashSet<usize> = batch.faults.iter().map(|fault| fault.row).collect();
            for row in 0..batch.rows() {
                let in_file = paid.rows;
                paid.rows += 1;
                if broken.contains(&row) || guarded.contains(&in_file) {
                    paid.left_out += 1;
                } else {
                    paid.line(&batch, row, &places)?;
                }
            }
            progress.set(paid.rows);
        }
        // Who is paid on one line and not on another is paid.
        let Self { payees, unpaid, .. } = &mut paid;
        unpaid.retain(|id, _| !payees.contains_key(id));
        Ok(paid)
    }

    fn line(&mut self, batch: &Batch, row: usize, places: &Places) -> Result<(), CommandError> {
        let line = batch.lines.get(row).copied().unwrap_or_default();
        let id = batch.cell(places.key, row).trim();
        if let Some(column) = places.outcome {
            let outcome: Outcome =
                batch.cell(column, row).trim().parse().map_err(|_| CommandError::Value {
                    file: self.file.clone(),
                    line,
                    column: "outcome".to_owned(),
                    wanted: "an outcome",
                })?;
            if !matches!(outcome, Outcome::Linked | Outcome::LinkedByClerk) {
                *self.not_paid.entry(outcome).or_default() += 1;
                if !id.is_empty() {
                    self.unpaid.entry(id.into()).or_insert(outcome);
                }
                return Ok(());
            }
        }
        if id.is_empty() {
            self.without_id += 1;
            return Ok(());
        }
        let amount = places.amount.map(|column| Yen::read(batch.cell(column, row)));
        let payee = match self.payees.get_mut(id) {
            Some(payee) => payee,
            None => {
                let payee = Payee { first_line: line, ..Payee::default() };
                self.payees.entry(id.into()).or_insert(payee)
            }
        };
        payee.lines += 1;
        match amount {
            Some(Ok(Yen(yen))) => payee.yen += yen,
            Some(Err(_)) => {
                payee.unreadable = true;
                self.amounts_unreadable += 1;
            }
            None => {}
        }
        Ok(())
    }

    /// Lines that are paid.
    pub(crate) fn lines(&self) -> u64 {
        self.payees.values().map(|payee| payee.lines).sum()
    }

    /// What they come to, as far as it can be read.
    pub(crate) fn yen(&self) -> u64 {
        self.payees.values().map(|payee| payee.yen).sum()
    }

    /// Who is paid on more than one line, by id.
    pub(crate) fn twice(&self) -> Vec<(&str, Payee)> {
        let several = self.payees.iter().filter(|(_, payee)| payee.lines > 1);
        let mut several: Vec<(&str, Payee)> = several.map(|(id, payee)| (&**id, *payee)).collect();
        several.sort_unstable_by_key(|(id, _)| *id);
        several
    }
}

pub(crate) fn open(path: &Path) -> Result<TableReader, Failure> {
    Ok(TableReader::open(path, &ReadOptions::default())?)
}

/// Which rows carry a My Number. Known only at the end of a file, so it is read once for that alone.
fn rows_with_my_numbers(path: &Path) -> Result<HashSet<u64>, Failure> {
    let mut reader = open(path)?;
    let header = reader.header().to_vec();
    let refused = |column: usize| AdmissionError::MyNumberColumn {
        file: path.display().to_string(),
        column: header.get(column).cloned().unwrap_or_default(),
    };
    if let Some(column) = forbidden_column(&header) {
        return Err(refused(column).into());
    }
    let mut firewall = Firewall::new(header.len(), None);
    let (mut rows, mut found) = (0, HashSet::new());
    while let Some(batch) = reader.next_batch()? {
        firewall.observe(&batch, rows, |row, _| {
            found.insert(row as u64);
        });
        rows += batch.rows();
    }
    let single = firewall.finish().map_err(|MyNumberColumn(column)| refused(column))?;
    found.extend(single.into_iter().map(|(row, _)| row as u64));
    Ok(found)
}
