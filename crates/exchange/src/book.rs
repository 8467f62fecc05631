//! Books: the lines of a linked list in memory, with what became of each.
//!
//! The state knows how many lines of a list have which outcome, but not which: that says something about persons. The
//! book knows. It is read from the sealed result of the job, and from the sealed parts of the frames in which clerks
//! decided; a line takes 24 bytes, and 8 more where it holds a resident, so 300,000 lines take 10 MB. See `books` for those that are open.
//!
//! A book keeps its [`Sums`] while it changes, so that every command can be held against what was declared without
//! counting all lines again; see the module `balance`. Reconciling counts them again, and both must agree.
//!
//! Invariant: a book says the same as the state, line by line: [`Book::totals`] over all outcomes is what was declared.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use renkei_journal::BlobReader;
use renkei_linkage::Outcome;
use renkei_types::BatchId;
use rpds::{HashTrieMapSync, RedBlackTreeMapSync, RedBlackTreeSetSync};
use serde::{Deserialize, Serialize};

use crate::list::Totals;
use crate::refusal::Refusal;
use crate::store::Vault;

/// What the engine decided on a line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DecidedLine {
    /// Index into [`Outcome::ALL`].
    pub outcome: u8,
    /// Row of the best candidate in the register.
    pub register_row: Option<u32>,
    /// Weight of the pair, in thousandths of a bit.
    pub weight: i32,
    /// Code of the reason, with a list id where one is meant.
    pub reason: String,
    /// The amount; 0 where it cannot be read, which a sealed list has only in lines of 0 yen.
    pub yen: u64,
    /// Further candidates that reach the review threshold, for a clerk: rows of the register.
    pub others: Vec<u32>,
}

/// A line as it stands now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line {
    /// What became of it.
    pub outcome: Outcome,
    /// Row of the person in the register, or of the best candidate.
    pub register_row: Option<u32>,
    /// The amount.
    pub yen: u64,
}

impl Line {
    /// A line as the engine left it.
    fn of_engine(decided: &DecidedLine) -> Self {
        let DecidedLine { register_row, yen, .. } = *decided;
        Self { outcome: outcome(decided.outcome), register_row, yen }
    }

    /// Whether it may be paid.
    pub fn is_payable(&self) -> bool {
        matches!(self.outcome, Outcome::Linked | Outcome::LinkedByClerk)
    }
}

/// What changes in a book.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum BookChange {
    /// A clerk decided a line.
    Decided {
        /// The line.
        row: u32,
        /// Whom it means; nobody where nothing.
        register_row: Option<u32>,
        /// Index into [`Outcome::ALL`].
        outcome: u8,
        /// The proposal that fell because of it.
        dissolved: Option<BatchId>,
    },
    /// Lines were put in a batch.
    Batched {
        /// The batch.
        batch: BatchId,
        /// The lines, as runs of a first line and how many follow it: most lines of a list are payable, so a million of
        /// them are few runs.
        runs: Vec<(u32, u32)>,
        /// Proposals that it takes the place of.
        dissolved: Vec<BatchId>,
    },
    /// Lines were put in a batch, and others were left out of it.
    Gathered {
        /// The batch.
        batch: BatchId,
        /// Its lines, as runs.
        runs: Vec<(u32, u32)>,
        /// Proposals that it takes the place of.
        dissolved: Vec<BatchId>,
        /// Payable lines whose payee is paid by another line of the programme, as runs.
        already_paid: Vec<(u32, u32)>,
        /// Payable lines whose payee is excluded, as runs.
        excluded: Vec<(u32, u32)>,
    },
    /// Transfers came back from the bank.
    Returned {
        /// The batch that paid them.
        batch: BatchId,
        /// The lines.
        rows: Vec<u32>,
    },
    /// A payee gave money back.
    Refunded {
        /// The batch that paid it.
        batch: BatchId,
        /// The line.
        row: u32,
        /// How much of it.
        yen: u64,
    },
    /// Lines of a corrected list take the place of these.
    Replaced {
        /// The lines, as runs.
        runs: Vec<(u32, u32)>,
        /// Proposals that fell because of it.
        dissolved: Vec<BatchId>,
    },
    /// Decisions of clerks on equal lines of the list that this one takes the place of.
    Carried {
        /// Line, person in the register, and index into [`Outcome::ALL`].
        decisions: Vec<(u32, Option<u32>, u8)>,
    },
    /// Nothing could be put in a batch, because all payable lines are left out.
    LeftOut {
        /// Payable lines whose payee is paid by another line of the programme, as runs.
        already_paid: Vec<(u32, u32)>,
        /// Payable lines whose payee is excluded, as runs.
        excluded: Vec<(u32, u32)>,
    },
    /// The same, and proposals fell whose lines are left out too.
    NothingLeft {
        /// Payable lines whose payee is paid by another line of the programme, as runs.
        already_paid: Vec<(u32, u32)>,
        /// Payable lines whose payee is excluded, as runs.
        excluded: Vec<(u32, u32)>,
        /// The proposals.
        dissolved: Vec<BatchId>,
    },
}

/// Lines and yen of a batch as the book has them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BatchSums {
    /// All its lines.
    pub all: Totals,
    /// Those that came back from the bank.
    pub returned: Totals,
    /// Those that were given back as a whole, and all yen that were given back.
    pub refunded: Totals,
}

/// What a book adds up to, kept while it changes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sums {
    /// By outcome.
    pub outcomes: BTreeMap<Outcome, Totals>,
    /// By batch.
    pub batches: BTreeMap<BatchId, BatchSums>,
}

/// The lines of a linked list.
#[derive(Clone, Debug)]
pub struct Book {
    engine: Arc<[Line]>,
    decided: RedBlackTreeMapSync<u32, Line>,
    /// Runs of lines in one batch: by the first line, the last one and the batch.
    batched: RedBlackTreeMapSync<u32, (u32, BatchId)>,
    /// Runs of payable lines that the last proposal left out as paid elsewhere.
    already_paid: RedBlackTreeMapSync<u32, u32>,
    /// The same of those whose payee is excluded.
    excluded: RedBlackTreeMapSync<u32, u32>,
    returned: RedBlackTreeSetSync<u32>,
    /// Yen that were given back.
    refunded: RedBlackTreeMapSync<u32, u64>,
    /// Runs of lines whose place a corrected list has taken.
    replaced: RedBlackTreeMapSync<u32, u32>,
    sums: Sums,
    /// Residents whom the engine's decisions hold, each with the line, ascending.
    engine_holders: Arc<[(u32, u32)]>,
    /// Which line holds a resident since; none where a clerk has freed it.
    holders: HashTrieMapSync<u32, Option<u32>>,
    tasks: Arc<[u32]>,
}

impl Book {
    /// A book of what the engine decided.
    pub(crate) fn new(engine: Vec<Line>) -> Self {
        let (mut holders, mut tasks) = (Vec::new(), Vec::new());
        for (row, line) in (0u32..).zip(&engine) {
            if let Some(resident) = line.register_row.filter(|_| line.is_payable()) {
                holders.push((resident, row));
            }
            if matches!(line.outcome, Outcome::Review | Outcome::Ambiguous) {
                tasks.push(row);
            }
        }
        holders.sort_unstable();
        let mut sums = Sums::default();
        for line in engine.iter() {
            sums.outcomes.entry(line.outcome).or_default().add(line.yen);
        }
        Self {
            engine: engine.into(),
            decided: RedBlackTreeMapSync::new_sync(),
            batched: RedBlackTreeMapSync::new_sync(),
            already_paid: RedBlackTreeMapSync::new_sync(),
            excluded: RedBlackTreeMapSync::new_sync(),
            returned: RedBlackTreeSetSync::new_sync(),
            refunded: RedBlackTreeMapSync::new_sync(),
            replaced: RedBlackTreeMapSync::new_sync(),
            sums,
            engine_holders: holders.into(),
            holders: HashTrieMapSync::new_sync(),
            tasks: tasks.into(),
        }
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.engine.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.engine.is_empty()
    }

    /// A line as it stands now.
    pub fn line(&self, row: u32) -> Option<Line> {
        self.decided.get(&row).or_else(|| self.engine.get(row as usize)).copied()
    }

    /// Every line as it stands now.
    pub fn lines(&self) -> impl Iterator<Item = (u32, Line)> {
        (0u32..)
            .zip(self.engine.iter())
            .map(|(row, line)| (row, *self.decided.get(&row).unwrap_or(line)))
    }

    /// The lines that a clerk has decided, as they stand now.
    pub fn decided(&self) -> impl Iterator<Item = (u32, Line)> {
        self.decided.iter().map(|(row, line)| (*row, *line))
    }

    /// The lines that a clerk must decide or has decided, in order.
    pub fn task_rows(&self) -> &[u32] {
        &self.tasks
    }

    /// The batch that a line is in.
    pub fn batch_of(&self, row: u32) -> Option<BatchId> {
        let (_, (last, batch)) = self.batched.range(..=row).next_back()?;
        (row <= *last).then_some(*batch)
    }

    /// The lines of a batch, in order.
    pub fn lines_of(&self, batch: BatchId) -> impl Iterator<Item = (u32, Line)> {
        let runs = self.batched.iter().filter(move |(_, (_, of))| *of == batch);
        runs.flat_map(|(first, (last, _))| *first..=*last)
            .filter_map(|row| self.line(row).map(|line| (row, line)))
    }

    /// Whether the last proposal left a line out because its payee is paid by another line.
    pub fn is_already_paid(&self, row: u32) -> bool {
        within(&self.already_paid, row)
    }

    /// Whether the last proposal left a line out because its payee is excluded.
    pub fn is_excluded(&self, row: u32) -> bool {
        within(&self.excluded, row)
    }

    /// Whether the line's transfer came back from the bank.
    pub fn is_returned(&self, row: u32) -> bool {
        self.returned.contains(&row)
    }

    /// How many transfers came back.
    pub fn returned_lines(&self) -> usize {
        self.returned.size()
    }

    /// Yen of the line that were given back.
    pub fn refunded(&self, row: u32) -> u64 {
        self.refunded.get(&row).copied().unwrap_or_default()
    }

    /// Whether a line of a corrected list has taken the line's place.
    pub fn is_replaced(&self, row: u32) -> bool {
        within(&self.replaced, row)
    }

    /// Whether the line's money is on its way or there: it is in a batch, and did not come back.
    pub fn is_out(&self, row: u32) -> bool {
        self.batch_of(row).is_some() && !self.is_returned(row)
    }

    /// What the book adds up to.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// The line that holds a resident.
    pub fn holder(&self, resident: u32) -> Option<u32> {
        if let Some(&holder) = self.holders.get(&resident) {
            return holder;
        }
        // The last line, where several may.
        let end = self.engine_holders.partition_point(|(held, _)| *held <= resident);
        let (held, row) = *self.engine_holders[..end].last()?;
        (held == resident).then_some(row)
    }

    /// Lines and yen by outcome.
    pub fn totals(&self) -> BTreeMap<Outcome, Totals> {
        let mut totals = BTreeMap::<Outcome, Totals>::new();
        self.lines().for_each(|(_, line)| totals.entry(line.outcome).or_default().add(line.yen));
        totals
    }

    /// Carries a change out.
    pub fn apply(&mut self, change: &BookChange) {
        match change {
            BookChange::Decided { row, register_row, outcome, dissolved } => {
                self.dissolve(dissolved.as_slice());
                self.decide(*row, *register_row, *outcome);
            }
            BookChange::Batched { batch, runs, dissolved } => {
                self.gather(*batch, runs, dissolved);
            }
            BookChange::Gathered { batch, runs, dissolved, already_paid, excluded } => {
                self.gather(*batch, runs, dissolved);
                self.leave_out(already_paid, excluded);
            }
            BookChange::LeftOut { already_paid, excluded } => {
                self.leave_out(already_paid, excluded);
            }
            BookChange::NothingLeft { already_paid, excluded, dissolved } => {
                self.dissolve(dissolved);
                self.leave_out(already_paid, excluded);
            }
            BookChange::Returned { batch, rows } => {
                for &row in rows {
                    let Some(line) = self.line(row).filter(|_| !self.is_returned(row)) else {
                        continue;
                    };
                    self.returned.insert_mut(row);
                    self.sums.batches.entry(*batch).or_default().returned.add(line.yen);
                }
            }
            BookChange::Refunded { batch, row, yen } => {
                let Some(line) = self.line(*row) else { return };
                let all = self.refunded(*row) + yen;
                self.refunded.insert_mut(*row, all);
                let sums = &mut self.sums.batches.entry(*batch).or_default().refunded;
                sums.yen += yen;
                sums.lines += u64::from(all == line.yen);
            }
            BookChange::Replaced { runs, dissolved } => {
                self.dissolve(dissolved);
                for &(first, more) in runs {
                    self.replaced.insert_mut(first, first + more);
                }
            }
            BookChange::Carried { decisions } => {
                for &(row, register_row, outcome) in decisions {
                    self.decide(row, register_row, outcome);
                }
            }
        }
    }

    fn decide(&mut self, row: u32, register_row: Option<u32>, code: u8) {
        let Some(before) = self.line(row) else { return };
        if let Some(resident) = before.register_row.filter(|_| before.is_payable()) {
            self.holders.insert_mut(resident, None);
        }
        let line = Line { outcome: outcome(code), register_row, ..before };
        if let Some(resident) = line.register_row.filter(|_| line.is_payable()) {
            self.holders.insert_mut(resident, Some(row));
        }
        if let Some(sum) = self.sums.outcomes.get_mut(&before.outcome) {
            sum.lines -= 1;
            sum.yen -= before.yen;
        }
        self.sums.outcomes.entry(line.outcome).or_default().add(line.yen);
        self.decided.insert_mut(row, line);
    }

    fn gather(&mut self, batch: BatchId, runs: &[(u32, u32)], dissolved: &[BatchId]) {
        self.dissolve(dissolved);
        for &(first, more) in runs {
            self.batched.insert_mut(first, (first + more, batch));
            let lines = (first..=first + more).filter_map(|row| self.line(row));
            let sum: Totals = lines.map(|line| Totals { lines: 1, yen: line.yen }).sum();
            self.sums.batches.entry(batch).or_default().all += sum;
        }
    }

    /// Notes which payable lines the last proposal left out for good.
    fn leave_out(&mut self, already_paid: &[(u32, u32)], excluded: &[(u32, u32)]) {
        let runs =
            |runs: &[(u32, u32)]| runs.iter().map(|(first, more)| (*first, first + more)).collect();
        self.already_paid = runs(already_paid);
        self.excluded = runs(excluded);
    }

    /// Whether the last proposal left out exactly these lines.
    pub(crate) fn left_out(&self, already_paid: &[u32], excluded: &[u32]) -> bool {
        let same = |known: &RedBlackTreeMapSync<u32, u32>, rows: &[u32]| {
            let known = known.iter().flat_map(|(first, last)| *first..=*last);
            known.eq(rows.iter().copied())
        };
        same(&self.already_paid, already_paid) && same(&self.excluded, excluded)
    }

    /// Takes the lines out of batches that are no more.
    fn dissolve(&mut self, batches: &[BatchId]) {
        if batches.is_empty() {
            return;
        }
        let fallen: Vec<u32> = self
            .batched
            .iter()
            .filter(|(_, (_, batch))| batches.contains(batch))
            .map(|(first, _)| *first)
            .collect();
        fallen.iter().for_each(|first| {
            self.batched.remove_mut(first);
        });
        batches.iter().for_each(|batch| {
            self.sums.batches.remove(batch);
        });
    }
}

/// Whether a line is in one of the runs.
fn within(runs: &RedBlackTreeMapSync<u32, u32>, row: u32) -> bool {
    runs.range(..=row).next_back().is_some_and(|(_, last)| row <= *last)
}

/// Lines in order as runs of a first line and how many follow it.
pub(crate) fn runs(rows: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &row in rows {
        match runs.last_mut() {
            Some((first, more)) if *first + *more + 1 == row => *more += 1,
            _ => runs.push((row, 0)),
        }
    }
    runs
}

/// The code of an outcome in sealed parts.
pub fn outcome_code(outcome: Outcome) -> u8 {
    Outcome::ALL.iter().position(|&known| known == outcome).map_or(0, |at| at as u8)
}

/// The outcome of a code.
pub fn outcome(code: u8) -> Outcome {
    Outcome::ALL.get(usize::from(code)).copied().unwrap_or(Outcome::RejectedInput)
}

/// The engine's decisions on a list, in its order.
pub fn read_result(
    vault: &Vault,
    linked: &crate::list::LinkedList,
) -> Result<Vec<DecidedLine>, Refusal> {
    read_blob(vault, &linked.result)
}

/// The same, of a list that is being linked.
pub(crate) fn read_blob(
    vault: &Vault,
    result: &renkei_journal::BlobRef,
) -> Result<Vec<DecidedLine>, Refusal> {
    let reader = vault.open_blob(result)?;
    let mut lines = Vec::new();
    for number in 0..result.chunks {
        lines.extend(result_chunk(&reader, number)?);
    }
    Ok(lines)
}

/// The lines that a book begins with, chunk by chunk: a decision has a text, a line has none.
pub(crate) fn read_lines(
    vault: &Vault,
    linked: &crate::list::LinkedList,
) -> Result<Vec<Line>, Refusal> {
    let reader = vault.open_blob(&linked.result)?;
    let mut lines = Vec::new();
    for number in 0..linked.result.chunks {
        lines.extend(lines_of_chunk(&reader, number)?);
    }
    Ok(lines)
}

/// The same, read by all threads. Not for the ledger's own thread, which must not wait for theirs.
pub(crate) fn read_lines_ahead(
    vault: &Vault,
    linked: &crate::list::LinkedList,
) -> Result<Vec<Line>, Refusal> {
    let reader = vault.open_blob(&linked.result)?;
    let chunks = (0..linked.result.chunks).into_par_iter();
    let chunks = chunks.map(|number| lines_of_chunk(&reader, number));
    Ok(chunks.collect::<Result<Vec<_>, Refusal>>()?.concat())
}

fn lines_of_chunk(reader: &BlobReader, number: u32) -> Result<Vec<Line>, Refusal> {
    Ok(result_chunk(reader, number)?.iter().map(Line::of_engine).collect())
}

/// The engine's decisions on one chunk of a list.
pub fn read_result_chunk(
    vault: &Vault,
    linked: &crate::list::LinkedList,
    number: u32,
) -> Result<Vec<DecidedLine>, Refusal> {
    result_chunk(&vault.open_blob(&linked.result)?, number)
}

fn result_chunk(reader: &BlobReader, number: u32) -> Result<Vec<DecidedLine>, Refusal> {
    let bytes = reader.chunk(number).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}
