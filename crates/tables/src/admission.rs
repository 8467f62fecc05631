//! The one place that decides what rejects a line.
//!
//! Only what the money or the identity of a line needs: its id, its field count, its letters, its amount, and no My
//! Number in it. Everything else that cannot be read is no evidence, and no reason to send anybody away. A rejected line
//! still counts: lines and yen add up to those of the file, always.
//!
//! Feed every batch to [`Admission::observe`], then [`Admission::finish`]. The verdicts come at the end because a
//! repeated id rejects every line that has it, the first one too.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use renkei_types::{Reason, Yen, without_zeros};

pub use crate::admission_error::AdmissionError;

use crate::batch::{Batch, TextColumn};
use crate::binding::{Binding, Side};
use crate::my_number::{Firewall, MyNumberColumn, forbidden_column};
use crate::read::TableReader;

/// Examines a file batch by batch.
#[derive(Debug)]
pub struct Admission {
    file: String,
    header: Vec<String>,
    binding: Binding,
    firewall: Firewall,
    ids: Ids,
    rejections: Vec<Rejection>,
    /// The line of each row: needed for rows whose verdict comes late.
    lines: Vec<u32>,
    /// The amount of each row of a list; nothing where it cannot be read.
    amounts: Vec<Option<Yen>>,
    yen: u64,
    yen_unreadable: u64,
    undecodable: u64,
    undecodable_line: Option<(u64, Option<usize>)>,
}

/// What admission says about a file, and whether it refuses it.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) admitted: Admitted,
    pub(crate) my_number_column: Option<usize>,
    pub(crate) refusal: Option<AdmissionError>,
}

/// Why one line is rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The row among all rows of the file, from 0.
    pub row: usize,
    /// The line of the file, from 1.
    pub line: u64,
    /// The column, from 0, where one is meant.
    pub column: Option<usize>,
    /// Why.
    pub reason: Reason,
}

/// The verdict over a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Admitted {
    lines: u64,
    yen: Yen,
    yen_unreadable: u64,
    amounts: Vec<Option<Yen>>,
    rejections: Vec<Rejection>,
    zeros_differ: Option<u64>,
}

impl Admitted {
    /// The first line whose id differs by zeros in front alone from that of a line before; nothing where there is none. No line is
    /// rejected for it: whether the two are one, whoever keeps the file has to say.
    pub fn zeros_differ(&self) -> Option<u64> {
        self.zeros_differ
    }

    /// The amount of a row; nothing where it cannot be read, or where the file has no amounts.
    pub fn amount(&self, row: usize) -> Option<Yen> {
        self.amounts.get(row).copied().flatten()
    }

    /// How many lines the file has, rejected ones included.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The sum of all amounts that can be read, those of rejected lines included.
    pub fn yen(&self) -> Yen {
        self.yen
    }

    /// How many lines have an amount that cannot be read.
    pub fn yen_unreadable(&self) -> u64 {
        self.yen_unreadable
    }

    /// The rejected lines in row order, each once.
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Why a row is rejected; nothing where it is not.
    pub fn reason(&self, row: usize) -> Option<Reason> {
        let found = self.rejections.binary_search_by_key(&row, |rejection| rejection.row).ok()?;
        self.rejections.get(found).map(|rejection| rejection.reason)
    }
}

impl Admission {
    /// Starts on a file whose header has been bound. A column that is named as My Numbers refuses it at once.
    pub fn new(file: &str, header: &[String], binding: &Binding) -> Result<Self, AdmissionError> {
        if let Some(column) = forbidden_column(header) {
            return Err(AdmissionError::MyNumberColumn {
                file: file.to_owned(),
                column: header.get(column).cloned().unwrap_or_default(),
            });
        }
        Ok(Self::judging(file, header, binding))
    }

    /// Starts without regard to the names of the columns.
    pub(crate) fn judging(file: &str, header: &[String], binding: &Binding) -> Self {
        Self {
            file: file.to_owned(),
            header: header.to_vec(),
            firewall: Firewall::new(header.len(), Some(binding)),
            binding: binding.clone(),
            ids: Ids::default(),
            rejections: Vec::new(),
            lines: Vec::new(),
            amounts: Vec::new(),
            yen: 0,
            yen_unreadable: 0,
            undecodable: 0,
            undecodable_line: None,
        }
    }

    /// Starts on an open table.
    pub fn of(reader: &TableReader, binding: &Binding) -> Result<Self, AdmissionError> {
        Self::new(&reader.report().file, reader.header(), binding)
    }

    /// Examines the next batch. Undecodable bytes refuse a register at once.
    pub fn observe(&mut self, batch: &Batch) -> Result<(), AdmissionError> {
        let first = self.lines.len();
        if first + batch.rows() > u32::MAX as usize {
            return Err(AdmissionError::TooManyLines { file: self.file.clone() });
        }
        self.lines.extend(batch.lines.iter().map(|&line| u32::try_from(line).unwrap_or(u32::MAX)));
        let miscounted = self.faults(batch, first)?;

        let Self { firewall, rejections, .. } = self;
        firewall.observe(batch, first, |row, column| {
            let line = batch.lines.get(row - first).copied().unwrap_or_default();
            let reason = Reason::MyNumber;
            rejections.push(Rejection { row, line, column: Some(column), reason });
        });

        let room = batch.columns.get(self.binding.id).map_or(0, |column| column.text.len());
        let mut ids = TextColumn::with_capacity(batch.rows(), room);
        for row in 0..batch.rows() {
            let id = self.binding.id(batch, row);
            ids.push(id);
            if id.is_empty() {
                let written = batch.cell(self.binding.id, row).trim();
                let is_missing = written.is_empty();
                let reason = if is_missing { Reason::IdMissing } else { Reason::IdUnusable };
                self.reject(batch, first, row, Some(self.binding.id), reason);
            }
        }
        ids.text.shrink_to_fit();
        ids.ends.shrink_to_fit();
        self.ids.observe(first, ids);
        self.amounts(batch, first, &miscounted)
    }

    /// Notes faults; answers the rows whose cells do not stand where the header says.
    fn faults(&mut self, batch: &Batch, first: usize) -> Result<Vec<usize>, AdmissionError> {
        let mut miscounted = Vec::new();
        let mut undecodable_row = None;
        for fault in &batch.faults {
            if fault.reason != Reason::Undecodable {
                miscounted.push(fault.row);
            } else {
                let line = batch.lines.get(fault.row).copied().unwrap_or_default();
                if self.binding.side != Side::List {
                    return Err(AdmissionError::Undecodable {
                        file: self.file.clone(),
                        line,
                        column: self.column_name(fault.column),
                    });
                }
                if undecodable_row != Some(fault.row) {
                    self.undecodable += 1;
                    undecodable_row = Some(fault.row);
                    self.undecodable_line.get_or_insert((line, fault.column));
                }
            }
            self.reject(batch, first, fault.row, fault.column, fault.reason);
        }
        Ok(miscounted)
    }

    /// Sums the amounts of a list. In a line with too few or too many fields nobody knows which cell is the amount.
    fn amounts(
        &mut self,
        batch: &Batch,
        first: usize,
        miscounted: &[usize],
    ) -> Result<(), AdmissionError> {
        let Some(amount) = self.binding.amount.filter(|_| self.binding.side == Side::List) else {
            return Ok(());
        };
        let mut miscounted = miscounted.iter().copied().peekable();
        let Some(cells) = batch.columns.get(amount) else {
            return Ok(());
        };
        for (row, cell) in cells.iter().enumerate() {
            let known = miscounted.next_if_eq(&row).is_none();
            while miscounted.next_if(|&miscounted| miscounted <= row).is_some() {}
            let read = Yen::read(cell);
            self.amounts.push(read.ok().filter(|_| known));
            match read {
                Ok(Yen(yen)) if known => {
                    self.yen =
                        self.yen.checked_add(yen).ok_or_else(|| AdmissionError::TotalOverflow {
                            file: self.file.clone(),
                            line: batch.lines.get(row).copied().unwrap_or_default(),
                        })?;
                }
                Ok(_) => self.yen_unreadable += 1,
                Err(_) => {
                    self.yen_unreadable += 1;
                    self.reject(batch, first, row, Some(amount), Reason::AmountUnreadable);
                }
            }
        }
        Ok(())
    }

    fn reject(
        &mut self,
        batch: &Batch,
        first: usize,
        row: usize,
        column: Option<usize>,
        reason: Reason,
    ) {
        let line = batch.lines.get(row).copied().unwrap_or_default();
        self.rejections.push(Rejection { row: first + row, line, column, reason });
    }

    /// The verdict over the whole file.
    pub fn finish(self) -> Result<Admitted, AdmissionError> {
        let judgement = self.judge();
        match judgement.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(judgement.admitted),
        }
    }

    /// The verdict on every line, also where the file as a whole is refused.
    pub(crate) fn judge(mut self) -> Judgement {
        let mut refusals = Vec::new();
        let firewall = std::mem::replace(&mut self.firewall, Firewall::new(0, None)).finish();
        let my_number_column = firewall.as_ref().err().map(|&MyNumberColumn(column)| column);
        if my_number_column.is_some() {
            refusals.push(AdmissionError::MyNumberColumn {
                file: self.file.clone(),
                column: self.column_name(my_number_column).unwrap_or_default(),
            });
        }
        let lines = self.lines.len() as u64;
        if self.undecodable * 100 > lines {
            let (line, column) = self.undecodable_line.unwrap_or_default();
            refusals.push(AdmissionError::TooManyUndecodable {
                file: self.file.clone(),
                line,
                column: self.column_name(column),
                undecodable: self.undecodable,
                lines,
            });
        }
        let Alike { repeated, zeros_differ } = self.ids.alike();
        let second = repeated.iter().find(|(row, first)| row != first);
        if self.binding.side != Side::List
            && let Some(&(second, first)) = second
        {
            refusals.push(AdmissionError::IdsRepeated {
                file: self.file.clone(),
                column: self.column_name(Some(self.binding.id)).unwrap_or_default(),
                first: self.line(first),
                second: self.line(second),
                lines: repeated.len() as u64,
            });
        }
        let id = Some(self.binding.id);
        for (row, _) in repeated {
            let line = self.line(row);
            self.rejections.push(Rejection { row, line, column: id, reason: Reason::IdRepeated });
        }
        for (row, column) in firewall.unwrap_or_default() {
            let line = self.line(row);
            let column = Some(column);
            self.rejections.push(Rejection { row, line, column, reason: Reason::MyNumber });
        }
        self.rejections.sort_by_key(|rejection| (rejection.row, precedence(rejection.reason)));
        self.rejections.dedup_by_key(|rejection| rejection.row);
        let admitted = Admitted {
            lines,
            yen: Yen(self.yen),
            yen_unreadable: self.yen_unreadable,
            amounts: self.amounts,
            rejections: self.rejections,
            zeros_differ: zeros_differ.map(|row| u64::from(self.lines[row])),
        };
        Judgement { admitted, my_number_column, refusal: refusals.into_iter().next() }
    }

    fn line(&self, row: usize) -> u64 {
        self.lines.get(row).map_or(0, |&line| u64::from(line))
    }

    fn column_name(&self, column: Option<usize>) -> Option<String> {
        self.header.get(column?).cloned()
    }
}

/// Which of several reasons a line is given.
fn precedence(reason: Reason) -> usize {
    const ORDER: [Reason; 7] = [
        Reason::MyNumber,
        Reason::Undecodable,
        Reason::FieldCount,
        Reason::IdMissing,
        Reason::IdUnusable,
        Reason::IdRepeated,
        Reason::AmountUnreadable,
    ];
    ORDER.iter().position(|&other| other == reason).unwrap_or(ORDER.len())
}

/// The ids of a file, to find those that are alike at its end.
///
/// A key is the upper half of the hash of an id without the zeros in front, above its row. Sorting a million keys takes a twentieth of
/// a second and puts ids that are alike side by side; ids that only share half a hash are told apart by their text. A million ids of
/// fifteen letters take 30 MB.
#[derive(Debug, Default)]
struct Ids {
    keys: Vec<u64>,
    /// The ids of each batch, and the row of its first.
    texts: Vec<(usize, TextColumn)>,
    hasher: FixedState,
}

impl Ids {
    /// Adds the ids of a batch; rows without one have none.
    fn observe(&mut self, first: usize, ids: TextColumn) {
        self.keys.reserve(ids.len());
        for (row, id) in ids.iter().enumerate() {
            if !id.is_empty() {
                let hash = self.hasher.hash_one(without_zeros(id).as_bytes());
                self.keys.push((hash & !u64::from(u32::MAX)) | (first + row) as u64);
            }
        }
        self.texts.push((first, ids));
    }

    fn get(&self, row: usize) -> &str {
        let batch = self.texts.partition_point(|&(first, _)| first <= row);
        let batch = batch.checked_sub(1).and_then(|before| self.texts.get(before));
        batch.map_or("", |(first, ids)| ids.get(row - first))
    }

    /// Looks through all of them.
    fn alike(&mut self) -> Alike {
        self.keys.sort_unstable();
        let row_of = |key: u64| (key & u64::from(u32::MAX)) as usize;
        let mut found = Alike::default();
        for alike in self.keys.chunk_by(|one, other| one >> 32 == other >> 32) {
            if alike.len() < 2 {
                continue;
            }
            let mut rows: Vec<(&str, usize)> =
                alike.iter().map(|&key| (self.get(row_of(key)), row_of(key))).collect();
            rows.sort_unstable_by_key(|&(id, row)| (without_zeros(id), id, row));
            for equal in rows.chunk_by(|one, other| one.0 == other.0) {
                if let [(_, first), _, ..] = equal {
                    found.repeated.extend(equal.iter().map(|&(_, row)| (row, *first)));
                }
            }
            let bare = |one: &(&str, usize), other: &(&str, usize)| {
                without_zeros(one.0) == without_zeros(other.0)
            };
            for alike in rows.chunk_by(bare) {
                let written = alike.chunk_by(|one, other| one.0 == other.0);
                let mut firsts: Vec<usize> =
                    written.filter_map(|equal| Some(equal.first()?.1)).collect();
                firsts.sort_unstable();
                let second = firsts.get(1).copied();
                found.zeros_differ = found.zeros_differ.into_iter().chain(second).min();
            }
        }
        found.repeated.sort_unstable();
        found
    }
}

/// Ids that are alike.
#[derive(Debug, Default)]
struct Alike {
    /// Every row whose id stands in another row too, with the row that has it first, in order of rows.
    repeated: Vec<(usize, usize)>,
    /// The first row whose id differs by zeros in front alone from that of a row before.
    zeros_differ: Option<usize>,
}

#[cfg(test)]
mod tests;
