//! Books: the lines of a linked list in memory, with what became of each.
//!
//! The state knows how many lines of a list have which outcome, but not which: that says something about persons. The
//! book knows. It is read from the sealed result of the job, and from the sealed parts of the frames in which clerks
//! decided; a line takes 24 bytes, so 300,000 lines take 7 MB. A book that nobody uses is dropped and read again.
//!
//! Invariant: a book says the same as the state, line by line: [`Book::totals`] over all outcomes is what was declared.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use renkei_journal::{DataKey, Journal, Seq};
use renkei_linkage::Outcome;
use renkei_types::{BatchId, ListId, ProgrammeId, Reason};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use serde::{Deserialize, Serialize};

use crate::list::Totals;
use crate::refusal::Refusal;
use crate::state::State;
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
}

/// The lines of a linked list.
#[derive(Clone, Debug)]
pub struct Book {
    engine: Arc<[Line]>,
    decided: RedBlackTreeMapSync<u32, Line>,
    batched: RedBlackTreeMapSync<u32, BatchId>,
    /// Which line holds a resident.
    holders: HashTrieMapSync<u32, u32>,
    tasks: Arc<[u32]>,
}

impl Book {
    /// A book of what the engine decided.
    pub fn new(decided: &[DecidedLine]) -> Self {
        let engine: Arc<[Line]> = decided
            .iter()
            .map(|line| Line {
                outcome: outcome(line.outcome),
                register_row: line.register_row,
                yen: line.yen,
            })
            .collect();
        let mut holders = HashTrieMapSync::new_sync();
        let mut tasks = Vec::new();
        for (row, line) in (0u32..).zip(engine.iter()) {
            if let Some(resident) = line.register_row.filter(|_| line.is_payable()) {
                holders.insert_mut(resident, row);
            }
            if matches!(line.outcome, Outcome::Review | Outcome::Ambiguous) {
                tasks.push(row);
            }
        }
        let decided = RedBlackTreeMapSync::new_sync();
        let batched = RedBlackTreeMapSync::new_sync();
        Self { engine, decided, batched, holders, tasks: tasks.into() }
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
        self.batched.get(&row).copied()
    }

    /// The line that holds a resident.
    pub fn holder(&self, resident: u32) -> Option<u32> {
        self.holders.get(&resident).copied()
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
            BookChange::Decided { row, register_row, outcome: code, dissolved } => {
                self.dissolve(dissolved.as_slice());
                let Some(before) = self.line(*row) else { return };
                if let Some(resident) = before.register_row.filter(|_| before.is_payable()) {
                    self.holders.remove_mut(&resident);
                }
                let line = Line { outcome: outcome(*code), register_row: *register_row, ..before };
                if let Some(resident) = line.register_row.filter(|_| line.is_payable()) {
                    self.holders.insert_mut(resident, *row);
                }
                self.decided.insert_mut(*row, line);
            }
            BookChange::Batched { batch, runs, dissolved } => {
                self.dissolve(dissolved);
                for &(first, more) in runs {
                    (first..=first + more).for_each(|row| {
                        self.batched.insert_mut(row, *batch);
                    });
                }
            }
        }
    }

    /// Takes the lines out of batches that are no more.
    fn dissolve(&mut self, batches: &[BatchId]) {
        if batches.is_empty() {
            return;
        }
        let fallen: Vec<u32> = self
            .batched
            .iter()
            .filter(|(_, batch)| batches.contains(batch))
            .map(|(row, _)| *row)
            .collect();
        fallen.iter().for_each(|row| {
            self.batched.remove_mut(row);
        });
    }
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

/// Whom a programme pays, by payee key: the list and the line.
#[derive(Clone, Debug, Default)]
pub struct Payees {
    by_key: HashTrieMapSync<Box<str>, (ListId, u32)>,
}

impl Payees {
    /// The line that pays somebody.
    pub fn line(&self, key: &str) -> Option<(ListId, u32)> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn add(&mut self, key: &str, list: ListId, row: u32) {
        self.by_key.insert_mut(key.into(), (list, row));
    }
}

/// The books that are open.
pub struct Books {
    vault: Arc<Vault>,
    open: HashMap<ListId, Arc<Book>>,
    /// In the order in which they were opened.
    opened: VecDeque<ListId>,
    payees: HashMap<ProgrammeId, Arc<Payees>>,
}

/// Most books that stay open.
const BOOKS_MAX: usize = 16;

impl Books {
    /// No book is open.
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault, open: HashMap::new(), opened: VecDeque::new(), payees: HashMap::new() }
    }

    /// The book of a list, read if it is not open.
    pub fn of_list(
        &mut self,
        state: &State,
        journal: &dyn Journal,
        id: ListId,
    ) -> Result<Arc<Book>, Refusal> {
        if let Some(book) = self.open.get(&id) {
            return Ok(Arc::clone(book));
        }
        let (list, linked) = state.linked_list(id)?;
        let mut book = Book::new(&read_result(&self.vault, linked)?);
        let key = self.vault.key(list.key)?;
        // One pass over the journal, however many decisions there are.
        let mut wanted = state.book_frames(id).peekable();
        if let Some(&first) = wanted.peek() {
            for frame in journal.read(Seq(first)).map_err(|error| Refusal::internal(&error))? {
                let (seq, frame) = frame.map_err(|error| Refusal::internal(&error))?;
                if wanted.next_if_eq(&seq.0).is_some() {
                    book.apply(&open_change(&key, &frame.sealed)?);
                }
                if wanted.peek().is_none() {
                    break;
                }
            }
        }
        if wanted.peek().is_some() {
            tracing::error!(list = %id, "the journal lacks frames of a book");
            return Err(Reason::Internal.into());
        }
        self.opened.push_back(id);
        let book = Arc::new(book);
        self.open.insert(id, Arc::clone(&book));
        Ok(book)
    }

    /// Whom a programme pays, read if it is not known.
    pub fn payees(&mut self, state: &State, id: ProgrammeId) -> Result<Arc<Payees>, Refusal> {
        if let Some(payees) = self.payees.get(&id) {
            return Ok(Arc::clone(payees));
        }
        let programme = state.programmes.get(&id).ok_or(Reason::NoAgreement)?;
        let mut payees = Payees::default();
        for list_id in &programme.lists {
            let batches = state.lists.get(list_id).map(|list| list.batches.as_slice());
            for batch in batches.unwrap_or_default() {
                let batch = state.batches.get(batch).ok_or(Reason::Internal)?;
                if batch.state == crate::batch::BatchState::Withdrawn {
                    continue;
                }
                for payment in crate::batch::payments(&self.vault, batch)? {
                    payees.add(&payment.payee, *list_id, payment.row);
                }
            }
        }
        let payees = Arc::new(payees);
        self.payees.insert(id, Arc::clone(&payees));
        Ok(payees)
    }

    /// Closes books where too many are open. Not while a group is decided: a book that is changed and closed in the same
    /// group could not be read again before the group is durable.
    pub(crate) fn trim(&mut self) {
        while self.opened.len() > BOOKS_MAX {
            if let Some(oldest) = self.opened.pop_front() {
                self.open.remove(&oldest);
            }
        }
    }

    /// Carries a change out in a book that is open.
    pub(crate) fn apply(&mut self, list: ListId, change: &BookChange) {
        let unchanged = matches!(change, BookChange::Decided { dissolved: None, .. });
        if !unchanged {
            self.payees.clear();
        }
        if let Some(book) = self.open.get_mut(&list) {
            Arc::make_mut(book).apply(change);
        }
    }

    /// Forgets everything; it will be read again from what is durable.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.opened.clear();
        self.payees.clear();
    }
}

/// The engine's decisions on a list, in its order.
pub fn read_result(
    vault: &Vault,
    linked: &crate::list::LinkedList,
) -> Result<Vec<DecidedLine>, Refusal> {
    let reader = vault.open_blob(&linked.result)?;
    let mut lines = Vec::new();
    for chunk in 0..linked.result.chunks {
        let bytes = reader.chunk(chunk).map_err(|error| Refusal::internal(&error))?;
        let chunk: Vec<DecidedLine> =
            postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
        lines.extend(chunk);
    }
    Ok(lines)
}

/// The engine's decisions on one chunk of a list.
pub fn read_result_chunk(
    vault: &Vault,
    linked: &crate::list::LinkedList,
    number: u32,
) -> Result<Vec<DecidedLine>, Refusal> {
    let reader = vault.open_blob(&linked.result)?;
    let bytes = reader.chunk(number).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}

/// The label under which changes of books are sealed.
const SEAL_LABEL: &[u8] = b"renkei book change";

pub(crate) fn seal_change(
    key: &DataKey,
    entropy: &dyn renkei_types::Entropy,
    change: &BookChange,
) -> Result<Vec<u8>, Refusal> {
    let bytes = postcard::to_stdvec(change).map_err(|error| Refusal::internal(&error))?;
    Ok(key.seal(entropy, SEAL_LABEL, &bytes))
}

fn open_change(key: &DataKey, sealed: &[u8]) -> Result<BookChange, Refusal> {
    let bytes = key.open(SEAL_LABEL, sealed).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}
