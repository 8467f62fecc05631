//! What a whole file shows: the lengths of a column's numbers, the sum of the amounts, lines that repeat others.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use renkei_types::{Reason, Yen};

use super::Totals;
use super::findings::Findings;
use crate::admission::Admission;
use crate::batch::Batch;
use crate::binding::{Binding, Side};
use crate::cell_damage::{Role, has_lost_digits, is_total_label};
use crate::columns::canonical;
use crate::damage::Class;
use crate::my_number::{Firewall, MyNumberColumn, forbidden_column};
use crate::read::{FileReport, Format};

/// Lengths of numbers are counted up to here.
const LENGTHS: usize = 33;
/// So many different amounts are counted, to know the usual one.
const AMOUNTS_MAX: usize = 1000;

/// Measures a file.
pub(super) struct Profile {
    columns: Vec<ColumnProfile>,
    judge: Judge,
    header: Vec<String>,
    amount: Option<usize>,
    id: Option<usize>,
    amounts: Amounts,
    seen: HashSet<u128, FixedState>,
    /// Lines that repeat others.
    repeated: Vec<u64>,
    hashers: [FixedState; 2],
    rows: usize,
}

/// Who judges the lines.
enum Judge {
    /// The columns are known.
    Admission { admission: Box<Admission>, has_amount: bool, overflown: bool },
    /// They are not; faults and My Numbers can still be told.
    Firewall { firewall: Firewall, found: Vec<(Class, u64, Option<usize>)>, lines: Vec<u32> },
}

#[derive(Clone, Debug)]
struct ColumnProfile {
    role: Role,
    is_kana: bool,
    filled: u64,
    /// How many cells are nothing but digits, by length.
    lengths: [u64; LENGTHS],
    longest: usize,
    /// How many of the longest begin with a zero.
    longest_with_zero: u64,
    beyond_fifteen: u64,
    beyond_fifteen_zeros: u64,
    /// All values have this many digits, known or measured.
    width: Option<usize>,
    /// Shorter values have lost zeros, though how many is not known.
    sparse: bool,
}

#[derive(Default)]
struct Amounts {
    total: u128,
    largest: u64,
    largest_line: u64,
    count: u64,
    usual: HashMap<u64, u64, FixedState>,
}

impl Profile {
    pub(super) fn new(header: &[String], binding: Option<&Binding>) -> Self {
        let columns = header.iter().enumerate().map(|(index, name)| {
            let field = binding
                .and_then(|binding| binding.fields.iter().find(|f| f.columns.contains(&index)));
            let known = canonical(name);
            let mut role = Role::of(known, field.map(|field| field.kind));
            if binding.is_some_and(|binding| binding.id == index) {
                role = Role::Code { width: None };
            }
            let is_kana = known == Some("name_kana")
                || field.is_some_and(|f| f.kind == renkei_types::FieldKind::KanaName);
            ColumnProfile {
                role,
                is_kana,
                filled: 0,
                lengths: [0; LENGTHS],
                longest: 0,
                longest_with_zero: 0,
                beyond_fifteen: 0,
                beyond_fifteen_zeros: 0,
                width: None,
                sparse: false,
            }
        });
        let columns: Vec<ColumnProfile> = columns.collect();
        let judge = Judge::new(header, binding);
        Self {
            amount: binding
                .and_then(|binding| binding.amount)
                .or_else(|| columns.iter().position(|column| column.role == Role::Amount)),
            id: binding.map(|binding| binding.id),
            columns,
            judge,
            header: header.to_vec(),
            amounts: Amounts::default(),
            seen: HashSet::default(),
            repeated: Vec::new(),
            hashers: [FixedState::with_seed(1), FixedState::with_seed(2)],
            rows: 0,
        }
    }

    pub(super) fn role(&self, column: usize) -> Role {
        self.columns.get(column).map_or(Role::Other, |column| column.role)
    }

    pub(super) fn observe(&mut self, batch: &Batch) {
        for (profile, column) in self.columns.iter_mut().zip(&batch.columns) {
            column.iter().for_each(|cell| profile.observe(cell.trim()));
        }
        if let Some(column) = self.amount.and_then(|amount| batch.columns.get(amount)) {
            for (row, cell) in column.iter().enumerate() {
                if let Ok(Yen(yen)) = Yen::read(cell) {
                    let first = batch.columns.iter().map(|c| c.get(row)).find(|c| !c.is_empty());
                    if !first.is_some_and(is_total_label) {
                        self.amounts.add(yen, batch.lines.get(row).copied().unwrap_or(0));
                    }
                }
            }
        }
        self.repeats(batch);
        self.judge.observe(batch, self.rows);
        self.rows += batch.rows();
    }

    /// Notes lines that equal an earlier one in all but the id.
    fn repeats(&mut self, batch: &Batch) {
        /// With fewer columns equal lines mean nothing.
        const COLUMNS_MIN: usize = 3;
        let compared: Vec<_> = batch
            .columns
            .iter()
            .enumerate()
            .filter(|&(index, _)| Some(index) != self.id)
            .map(|(_, column)| column)
            .collect();
        if compared.len() < COLUMNS_MIN {
            return;
        }
        for row in 0..batch.rows() {
            let mut halves = [0u64; 2];
            for column in &compared {
                let cell = column.get(row);
                for (half, hasher) in halves.iter_mut().zip(&self.hashers) {
                    *half = hasher.hash_one((*half, cell));
                }
            }
            let key = (u128::from(halves[0]) << 64) | u128::from(halves[1]);
            let blank = compared.iter().all(|column| column.get(row).is_empty());
            if !self.seen.insert(key) && !blank {
                self.repeated.push(batch.lines.get(row).copied().unwrap_or(0));
            }
        }
    }

    /// Adds the findings of the whole file and answers its sums.
    pub(super) fn finish(
        &mut self,
        rows: u64,
        last_line: u64,
        report: &FileReport,
        findings: &mut Findings,
    ) -> Totals {
        for column in &mut self.columns {
            column.measure(rows);
        }
        for &line in &self.repeated {
            findings.add(Class::RowRepeated, line, None);
        }
        self.repeated = Vec::new();
        self.seen = HashSet::default();
        if let (Some(line), Some(amount)) = (self.amounts.outlier(), self.amount) {
            findings.add(Class::AmountIsTotal, line, Some(amount));
        }
        // The rows of .xls and .xlsx sheets.
        let sheet = matches!(report.format, Format::Xlsx | Format::Csv);
        if sheet && [65_536, 1_048_576].contains(&last_line) {
            findings.add(Class::RowLimit, last_line, None);
        }
        self.empty_kana(findings);
        if let Some(column) = forbidden_column(&self.header) {
            findings.add(Class::MyNumber, 0, Some(column));
        }
        let judge = std::mem::replace(&mut self.judge, Judge::new(&[], None));
        let mut totals = judge.finish(findings);
        totals.lines = rows;
        totals
    }

    fn empty_kana(&self, findings: &mut Findings) {
        /// Fewer names say nothing about a column.
        const NAMES_MIN: u64 = 10;
        let names = self
            .columns
            .iter()
            .filter(|column| column.role == Role::Name && !column.is_kana)
            .map(|column| column.filled)
            .max()
            .unwrap_or(0);
        for (index, column) in self.columns.iter().enumerate() {
            if column.is_kana && names >= NAMES_MIN && column.filled * 10 < names {
                findings.add(Class::KanaEmpty, 0, Some(index));
            }
        }
    }

    /// Whether a number has lost zeros, by the measure of its column.
    pub(super) fn is_short(&self, column: usize, value: &str) -> bool {
        let Some(profile) = self.columns.get(column) else {
            return false;
        };
        let usual = profile.width.or(profile.sparse.then_some(profile.longest));
        is_digits(value) && usual.is_some_and(|usual| value.len() < usual)
    }

    /// The number with its zeros, where the width of the column is beyond doubt.
    pub(super) fn zeros(&self, column: usize, value: &str) -> Option<String> {
        let width = self.columns.get(column)?.width?;
        (is_digits(value) && value.len() < width).then(|| format!("{value:0>width$}"))
    }

    /// Whether the numbers of a column end in zeros from the 16th digit on.
    pub(super) fn has_lost_digits(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| {
            column.beyond_fifteen > 0 && column.beyond_fifteen == column.beyond_fifteen_zeros
        })
    }
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

impl ColumnProfile {
    fn observe(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        self.filled += 1;
        if !matches!(self.role, Role::Code { .. } | Role::Other) || !is_digits(value) {
            return;
        }
        let length = value.len();
        if let Some(count) = self.lengths.get_mut(length) {
            *count += 1;
        }
        if length > self.longest {
            self.longest = length;
            self.longest_with_zero = 0;
        }
        if length == self.longest && value.starts_with('0') {
            self.longest_with_zero += 1;
        }
        if length > 15 && !value.starts_with('0') {
            self.beyond_fifteen += 1;
            self.beyond_fifteen_zeros += u64::from(has_lost_digits(value));
        }
    }

    /// Decides how wide the column's numbers are. Numbers padded to one width show it: most are that long and some
    /// begin with a zero. Without such a witness the numbers may still be too sparse for a count from one: a column
    /// of 1,000 rows whose largest number has twelve digits was not numbered in sequence.
    fn measure(&mut self, rows: u64) {
        let Role::Code { width } = self.role else {
            return;
        };
        let digits: u64 = self.lengths.iter().sum();
        let at_longest = self.lengths.get(self.longest).copied().unwrap_or(0);
        if let Some(width) = width {
            self.width = (self.longest <= width).then_some(width);
        } else if self.longest_with_zero > 0 && at_longest * 2 >= digits {
            self.width = Some(self.longest);
        } else {
            let largest = 10u128.saturating_pow(u32::try_from(self.longest).unwrap_or(u32::MAX));
            self.sparse = at_longest * 10 >= digits * 8
                && digits * 100 >= self.filled * 95
                && largest / 10 > u128::from(rows.max(50)) * 20;
        }
    }
}

impl Amounts {
    fn add(&mut self, yen: u64, line: u64) {
        self.total += u128::from(yen);
        self.count += 1;
        if yen > self.largest {
            self.largest = yen;
            self.largest_line = line;
        }
        if self.usual.len() < AMOUNTS_MAX || self.usual.contains_key(&yen) {
            *self.usual.entry(yen).or_default() += 1;
        }
    }

    /// The line whose amount is the sum of all others, or that sum and one usual amount: the whole programme's money to
    /// one account.
    fn outlier(&self) -> Option<u64> {
        /// With two lines of equal amounts either is the sum of the others.
        const LINES_MIN: u64 = 3;
        let largest = u128::from(self.largest);
        let others = self.total - largest;
        let usual = self.usual.iter().max_by_key(|&(&yen, &count)| (count, yen));
        let usual = usual.map_or(0, |(&yen, _)| u128::from(yen));
        let is_total = largest > 0 && (largest == others || largest == others + usual);
        (self.count >= LINES_MIN && is_total).then_some(self.largest_line)
    }
}

impl Judge {
    fn new(header: &[String], binding: Option<&Binding>) -> Self {
        match binding {
            // A check reports what admission would refuse: as lines of a list, all are judged.
            Some(binding) => {
                let judged = Binding { side: Side::List, ..binding.clone() };
                let has_amount = binding.amount.is_some();
                let admission = Box::new(Admission::judging("", header, &judged));
                Self::Admission { admission, has_amount, overflown: false }
            }
            None => {
                let firewall = Firewall::new(header.len(), None);
                Self::Firewall { firewall, found: Vec::new(), lines: Vec::new() }
            }
        }
    }

    fn observe(&mut self, batch: &Batch, first: usize) {
        match self {
            Self::Admission { admission, overflown, .. } => {
                *overflown |= admission.observe(batch).is_err();
            }
            Self::Firewall { firewall, found, lines } => {
                lines.extend(
                    batch.lines.iter().map(|&line| u32::try_from(line).unwrap_or(u32::MAX)),
                );
                let line = |row: usize| batch.lines.get(row).copied().unwrap_or(0);
                firewall.observe(batch, first, |row, column| {
                    found.push((Class::MyNumber, line(row.saturating_sub(first)), Some(column)));
                });
                for fault in &batch.faults {
                    found.push((class(fault.reason), line(fault.row), fault.column));
                }
            }
        }
    }

    fn finish(self, findings: &mut Findings) -> Totals {
        match self {
            Self::Admission { admission, has_amount, overflown } => {
                let judgement = admission.judge();
                if let Some(column) = judgement.my_number_column {
                    findings.add(Class::MyNumber, 0, Some(column));
                }
                for rejection in judgement.admitted.rejections() {
                    findings.add(class(rejection.reason), rejection.line, rejection.column);
                }
                Totals {
                    lines: judgement.admitted.lines(),
                    // A sum beyond `u64` is no sum.
                    yen: (has_amount && !overflown).then(|| judgement.admitted.yen()),
                    yen_unreadable: judgement.admitted.yen_unreadable(),
                }
            }
            Self::Firewall { firewall, found, lines } => {
                for (class, line, column) in found {
                    findings.add(class, line, column);
                }
                match firewall.finish() {
                    Err(MyNumberColumn(column)) => findings.add(Class::MyNumber, 0, Some(column)),
                    Ok(single) => {
                        for (row, column) in single {
                            let line = lines.get(row).map_or(0, |&line| u64::from(line));
                            findings.add(Class::MyNumber, line, Some(column));
                        }
                    }
                }
                Totals::default()
            }
        }
    }
}

fn class(reason: Reason) -> Class {
    if reason == Reason::IdMissing {
        Class::IdMissing
    } else if reason == Reason::IdUnusable {
        Class::IdUnusable
    } else if reason == Reason::IdRepeated {
        Class::IdRepeated
    } else if reason == Reason::FieldCount {
        Class::FieldCount
    } else if reason == Reason::AmountUnreadable {
        Class::AmountUnreadable
    } else if reason == Reason::MyNumber {
        Class::MyNumber
    } else {
        Class::Undecodable
    }
}
