//! The books that are open, and whom programmes pay.
//!
//! A book is read from the sealed result of its list's job and from the sealed parts of frames, and dropped when others are
//! needed more. Invariant: a change is carried out in an open book only if what was declared adds up with it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use renkei_journal::{BlobRef, DataKey, Journal, Seq};
use renkei_types::{BatchId, ListId, ProgrammeId, Reason};

use crate::batch::Payment;
use crate::book::{Book, BookChange, read_lines, read_lines_ahead};
use crate::ledger::Exchange;
use crate::programme::PayeeUnit;
use crate::refusal::Refusal;
use crate::sealed_parts;
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// Whom a programme pays, by payee key: the list and the line. Keys have no zeros in front: a register that comes without those of its
/// ids would make a new payee of everybody.
#[derive(Clone, Debug, Default)]
pub struct Payees {
    by_key: PayingById,
    /// The persons whom lines name that pay their households; nothing where persons are paid.
    by_person: Option<PayingById>,
    /// The batches, as [`Paying`] numbers them.
    batches: Vec<BatchId>,
}

type PayingById = HashMap<Box<str>, Paying, RandomState>;

/// A line that pays somebody.
#[derive(Clone, Copy, Debug)]
struct Paying {
    line: (ListId, u32),
    /// The number of its batch.
    batch: u32,
}

impl Payees {
    /// Reads them from the batches of a programme. `book` is asked for those of which transfers came back.
    fn read(
        vault: &Vault,
        state: &State,
        id: ProgrammeId,
        mut book: impl FnMut(ListId) -> Result<Arc<Book>, Refusal>,
    ) -> Result<Self, Refusal> {
        let programme = state.programmes.get(&id).ok_or(Reason::NoAgreement)?;
        let pays_households = programme.rules.unit == PayeeUnit::Household;
        let mut payees =
            Self { by_person: pays_households.then(HashMap::default), ..Self::default() };
        for list_id in &programme.lists {
            let batches = state.lists.get(list_id).map(|list| list.batches.as_slice());
            for id in batches.unwrap_or_default() {
                let batch = state.batches.get(id).ok_or(Reason::Internal)?;
                if batch.state == crate::batch::BatchState::Withdrawn {
                    continue;
                }
                // A transfer that came back leaves its payee to be paid again.
                let book = match batch.returned.lines {
                    0 => None,
                    _ => Some(book(*list_id)?),
                };
                payees.start(*id);
                for payment in crate::batch::payments(vault, batch)? {
                    if !book.as_ref().is_some_and(|book| book.is_returned(payment.row)) {
                        payees.add(&payment, *list_id);
                    }
                }
            }
        }
        Ok(payees)
    }

    /// The line that pays somebody.
    pub fn line(&self, key: &str) -> Option<(ListId, u32)> {
        self.by_key.get(without_zeros(key)).map(|paying| paying.line)
    }

    /// The line that names a person, whatever household it pays.
    pub(crate) fn line_of_person(&self, person: &str) -> Option<(ListId, u32)> {
        // A person and a household may have one number.
        let named = self.by_person.as_ref().unwrap_or(&self.by_key);
        named.get(without_zeros(person)).map(|paying| paying.line)
    }

    /// The persons whom lines name that pay their households, without zeros in front; none where persons are paid.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, (ListId, u32))> {
        let named = self.by_person.iter().flat_map(|named| named.iter());
        named.map(|(person, paying)| (person.as_ref(), paying.line))
    }

    /// The households that lines pay, without zeros in front, each with its line and the batch of that; none where persons are paid.
    pub(crate) fn households(&self) -> impl Iterator<Item = (&str, (ListId, u32), BatchId)> {
        let paid = self.by_person.iter().flat_map(|_| self.by_key.iter());
        paid.filter_map(|(household, paying)| {
            let batch = self.batches.get(paying.batch as usize)?;
            Some((household.as_ref(), paying.line, *batch))
        })
    }

    /// Goes on to the payments of the next batch.
    fn start(&mut self, batch: BatchId) {
        self.batches.push(batch);
    }

    fn add(&mut self, payment: &Payment, list: ListId) {
        let batch = self.batches.len().saturating_sub(1) as u32;
        let paying = Paying { line: (list, payment.row), batch };
        if let Some(named) = &mut self.by_person {
            named.insert(without_zeros(&payment.person).into(), paying);
        }
        self.by_key.insert(without_zeros(&payment.payee).into(), paying);
    }
}

/// A book as the engine's result begins it. Read by whoever needs it, before their turn: a million lines take most of a second, for
/// which all others would wait.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// What it was read from.
    result: BlobRef,
    book: Book,
}

impl Beginning {
    /// Reads it. Blocks: for threads that may wait.
    pub(crate) fn read(vault: &Vault, state: &State, list: ListId) -> Result<Self, Refusal> {
        let (_, linked) = state.linked_list(list)?;
        let book = Book::new(read_lines_ahead(vault, linked)?);
        Ok(Self { result: linked.result, book })
    }
}

/// Whom a programme pays, read before the turn of whoever needs it, for the same reason.
#[derive(Clone, Debug)]
pub(crate) struct PayeesRead {
    payees: Arc<Payees>,
    of: ProgrammeId,
    /// How many batches the programme had.
    batches: u64,
}

impl PayeesRead {
    /// Reads it where no book is needed for it, which is as long as no transfer came back. Blocks: for threads that may wait.
    fn ahead(vault: &Vault, state: &State, of: ProgrammeId) -> Option<Self> {
        let batches = state.programmes.get(&of)?.batches;
        let no_book = |_| Err(Reason::WrongState.into());
        let payees = Payees::read(vault, state, of, no_book).ok()?;
        Some(Self { payees: Arc::new(payees), of, batches })
    }

    /// Whether it is still so: every batch that is drawn up or falls counts, and so does what came back.
    fn holds(&self, state: &State) -> bool {
        let Some(programme) = state.programmes.get(&self.of) else { return false };
        let has_returns = || state.batches_of(programme).any(|(_, batch)| batch.returned.lines > 0);
        programme.batches == self.batches && !has_returns()
    }
}

/// Whom the programme of a list pays, where that is not known yet and need not be found out in the turn of the ledger. Blocks: for
/// threads that may wait.
pub(crate) fn payees_ahead(
    exchange: &Exchange,
    list: ListId,
) -> Result<Option<PayeesRead>, Refusal> {
    let programme = exchange.state().linked_list(list)?.0.programme;
    let is_known = exchange.ask_now(move |desk| Ok(desk.books.knows_payees(programme)))?;
    let read = || PayeesRead::ahead(exchange.vault(), &exchange.state(), programme);
    Ok((!is_known).then(read).flatten())
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

    /// Whether the book of a list is open.
    pub(crate) fn is_open(&self, id: ListId) -> bool {
        self.open.contains_key(&id)
    }

    /// The book of a list, read if it is not open.
    pub fn of_list(
        &mut self,
        state: &State,
        journal: &dyn Journal,
        id: ListId,
    ) -> Result<Arc<Book>, Refusal> {
        self.of_list_from(state, journal, id, None)
    }

    /// The same, where its beginning may have been read before. If that is of another result, it is not used.
    pub(crate) fn of_list_from(
        &mut self,
        state: &State,
        journal: &dyn Journal,
        id: ListId,
        beginning: Option<&Beginning>,
    ) -> Result<Arc<Book>, Refusal> {
        if let Some(book) = self.open.get(&id) {
            return Ok(Arc::clone(book));
        }
        let (list, linked) = state.linked_list(id)?;
        let mut book = match beginning.filter(|beginning| beginning.result == linked.result) {
            Some(beginning) => beginning.book.clone(),
            None => Book::new(read_lines(&self.vault, linked)?),
        };
        let key = self.vault.key(list.key)?;
        // One pass over the journal, however many decisions there are.
        let mut wanted = state.book_frames(id).peekable();
        if let Some(&first) = wanted.peek() {
            for frame in journal.read(Seq(first)).map_err(|error| Refusal::internal(&error))? {
                let (seq, frame) = frame.map_err(|error| Refusal::internal(&error))?;
                if wanted.next_if_eq(&seq.0).is_some() {
                    book.apply(&open_change(&key, sealed_parts::book_part(&frame)?)?);
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
    pub fn payees(
        &mut self,
        state: &State,
        journal: &dyn Journal,
        id: ProgrammeId,
    ) -> Result<Arc<Payees>, Refusal> {
        if let Some(payees) = self.payees.get(&id) {
            return Ok(Arc::clone(payees));
        }
        let vault = Arc::clone(&self.vault);
        let payees = Payees::read(&vault, state, id, |list| self.of_list(state, journal, list))?;
        let payees = Arc::new(payees);
        self.payees.insert(id, Arc::clone(&payees));
        Ok(payees)
    }

    /// Whether it is known whom a programme pays.
    pub(crate) fn knows_payees(&self, id: ProgrammeId) -> bool {
        self.payees.contains_key(&id)
    }

    /// Takes over what was read ahead, if nothing has changed since.
    pub(crate) fn take_payees(&mut self, state: &State, read: Option<&PayeesRead>) {
        if let Some(PayeesRead { payees, of, .. }) = read.filter(|read| read.holds(state)) {
            self.payees.entry(*of).or_insert_with(|| Arc::clone(payees));
        }
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

    /// Carries a change out in a book that is open, if the draft adds up with it.
    ///
    /// Held against what was declared are the list whose book changes, and the lists of batches that the draft moves.
    pub(crate) fn settle(
        &mut self,
        draft: &State,
        journal: &dyn Journal,
        moved: &[BatchId],
        change: Option<&(ListId, BookChange)>,
    ) -> Result<(), Refusal> {
        let changed = match change {
            None => None,
            Some((list, change)) => {
                let Some(book) = self.open.get(list) else {
                    tracing::error!(%list, "a book was changed that nobody had opened");
                    return Err(Reason::Internal.into());
                };
                let mut book = Book::clone(book);
                book.apply(change);
                crate::balance::check(draft, *list, &book)?;
                Some((*list, book))
            }
        };
        let of_batch = |batch| draft.batches.get(batch).map(|batch| batch.list);
        let mut lists: Vec<ListId> = moved.iter().filter_map(of_batch).collect();
        lists.sort_unstable();
        lists.dedup();
        lists.retain(|list| changed.as_ref().is_none_or(|(changed, _)| changed != list));
        for list in lists {
            match self.of_list(draft, journal, list) {
                Ok(book) => crate::balance::check(draft, list, &book)?,
                // Its lines are gone; what is public is still there.
                Err(refusal) if refusal.reason == Reason::DataDestroyed => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if let Some((list, book)) = changed {
            let decided = change.is_some_and(|(_, change)| {
                matches!(change, BookChange::Decided { dissolved: None, .. })
            });
            if !decided {
                self.payees.clear();
            }
            self.open.insert(list, Arc::new(book));
        }
        Ok(())
    }

    /// Forgets one book.
    pub(crate) fn forget(&mut self, list: ListId) {
        self.open.remove(&list);
        self.opened.retain(|opened| *opened != list);
    }

    /// Forgets everything; it will be read again from what is durable.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.opened.clear();
        self.payees.clear();
    }
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
