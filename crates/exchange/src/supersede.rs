//! Superseding: a corrected file takes the place of a list, as a whole or line by line.
//!
//! There is no arrow back: what was signed stays signed. So lines of the earlier list that are on their way or paid stay
//! there, and are never paid again, neither to the same payee nor under the same line id. All others are `REPLACED` in
//! the earlier list and begin anew in the corrected one. A transfer that came back from the bank is corrected in this way
//! too: the new line has another account, and the old one stays `RETURNED` until then.
//!
//! | | the corrected file has | other lines of the earlier list |
//! |---|---|---|
//! | whole | every line that is still wanted | are replaced |
//! | some lines | only lines of the earlier list that are not paid | stay as they are |
//!
//! A line whose evidence and candidates are what they were keeps the decision of its clerk, who may not certify it then
//! either.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use renkei_linkage::Outcome;
use renkei_types::{BatchId, Identity, ListId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchState, payments};
use crate::book::{Book, BookChange, DecidedLine, outcome_code, read_result, runs};
use crate::command::Desk;
use crate::ledger::Exchange;
use crate::list::{List, SealedList};
use crate::refusal::Refusal;
use crate::review::TaskState;
use crate::rows::{self, Chunk, LIST_FIELDS};
use crate::snapshot::RegisterRows;
use crate::state::State;
use crate::store::Vault;

/// The list whose place a list takes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Supersedes {
    /// The earlier list.
    pub list: ListId,
    /// Whether all of it is replaced, or only the lines that the corrected file has.
    pub whole: bool,
}

/// How a corrected file differs from the one before: lines by their ids.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Differences {
    /// In both, every cell alike.
    pub equal: u64,
    /// In both, some cell another.
    pub changed: u64,
    /// Only in the corrected file.
    pub added: u64,
    /// Only in the earlier file.
    pub removed: u64,
}

/// Fields that say nothing about who is meant. The account's holder does.
const NOT_EVIDENCE: &[&str] =
    &["amount", "bank_code", "branch_code", "account_type", "account_number"];

/// May a new list take the place of this one?
pub(crate) fn may_open(state: &State, of: &List, supersedes: Supersedes) -> Result<(), Refusal> {
    let field = "supersedes";
    let (earlier, _) = state.sealed_list(supersedes.list).map_err(|error| error.in_field(field))?;
    if earlier.programme != of.programme {
        return Err(Refusal::new(Reason::NoAgreement));
    }
    if earlier.superseded_by.is_some() {
        return Err(Refusal::new(Reason::Superseded).in_field(field));
    }
    if !supersedes.whole && earlier.linked.is_none() {
        return Err(Refusal::new(Reason::WrongState).in_field(field));
    }
    Ok(())
}

/// What the corrected file says about lines of the earlier list.
#[derive(Debug)]
pub(crate) struct Corrected {
    supersedes: Supersedes,
    /// Row in the earlier list, and line in the corrected file.
    rows: Vec<(u32, u64)>,
    differences: Differences,
}

/// The ids of a list with their rows; those that stand on more than one line are no ids.
fn ids(vault: &Vault, sealed: &SealedList) -> Result<HashMap<String, (u32, u64)>, Refusal> {
    let mut ids = HashMap::new();
    let mut repeated = HashSet::new();
    each_row(vault, sealed, |row, chunk, at| {
        let id = chunk.cell(0, at).to_owned();
        if !repeated.contains(&id)
            && ids.insert(id.clone(), (row, cells(sealed, chunk, at))).is_some()
        {
            ids.remove(&id);
            repeated.insert(id);
        }
    })?;
    ids.remove("");
    Ok(ids)
}

fn each_row(
    vault: &Vault,
    sealed: &SealedList,
    mut see: impl FnMut(u32, &Chunk, usize),
) -> Result<(), Refusal> {
    let reader = sealed.rows.open(vault)?;
    for number in 0..sealed.rows.chunks() {
        let chunk = rows::chunk(&reader, number)?;
        for at in 0..chunk.rows() {
            see(number * rows::CHUNK_ROWS as u32 + at as u32, &chunk, at);
        }
    }
    Ok(())
}

/// All cells of a row as one number. A column that a file lacks is an empty one.
fn cells(sealed: &SealedList, chunk: &Chunk, at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    for field in LIST_FIELDS {
        cell(sealed, chunk, at, field).hash(&mut hasher);
    }
    hasher.finish()
}

fn cell<'a>(sealed: &SealedList, chunk: &'a Chunk, at: usize, field: &str) -> &'a str {
    sealed.rows.column(field).map_or("", |column| chunk.cell(column, at))
}

/// Reads a corrected file beside the earlier one. Blocks: for threads that may wait.
pub(crate) fn read(
    vault: &Vault,
    state: &State,
    supersedes: Supersedes,
    corrected: &SealedList,
) -> Result<Corrected, Refusal> {
    let (_, earlier) = state.sealed_list(supersedes.list)?;
    let before = ids(vault, earlier)?;
    let mut differences = Differences::default();
    let mut found = HashSet::new();
    let mut rows = Vec::new();
    let mut unknown = None;
    each_row(vault, corrected, |_, chunk, at| {
        let line = chunk.lines.get(at).copied().unwrap_or_default();
        match before.get(chunk.cell(0, at)) {
            Some((row, before)) => {
                if found.insert(*row) {
                    rows.push((*row, line));
                }
                if *before == cells(corrected, chunk, at) {
                    differences.equal += 1;
                } else {
                    differences.changed += 1;
                }
            }
            None => {
                differences.added += 1;
                unknown = unknown.or(Some(line));
            }
        }
    })?;
    if let Some(line) = unknown.filter(|_| !supersedes.whole) {
        return Err(Refusal::new(Reason::UnknownLine).at_line(line));
    }
    // Nobody deletes everyone by sending an empty file.
    if corrected.declared.lines == 0 {
        return Err(Reason::EmptyList.into());
    }
    let other = earlier.declared.lines - found.len() as u64;
    differences.removed = if supersedes.whole { other } else { 0 };
    rows.sort_unstable();
    Ok(Corrected { supersedes, rows, differences })
}

/// Takes the place of the earlier list, in the draft. Answers what changes in the earlier list's book, where it has one.
pub(crate) fn take_place(
    desk: &mut Desk<'_>,
    id: ListId,
    corrected: &Corrected,
) -> Result<Option<BookChange>, Refusal> {
    let Supersedes { list: earlier_id, whole } = corrected.supersedes;
    let list = desk.state.lists.get_shared(&id).ok_or(Reason::NoAgreement)?;
    may_open(desk.state, &list, corrected.supersedes)?;
    let differences = Some(corrected.differences);
    desk.state.lists.change(&id, |list| list.differences = differences);
    if whole {
        desk.state.lists.change(&earlier_id, |earlier| earlier.superseded_by = Some(id));
    }
    let earlier = desk.state.lists.get_shared(&earlier_id).ok_or(Reason::NoAgreement)?;
    if earlier.linked.is_none() {
        return Ok(None);
    }
    let book = desk.book(earlier_id)?;
    let proposal = |batch: &BatchId| crate::batch::is_proposal(desk.state, *batch);
    let mut dissolved: BTreeSet<BatchId> = BTreeSet::new();
    if whole {
        dissolved.extend(earlier.batches.iter().copied().filter(proposal));
    } else {
        for &(row, line) in &corrected.rows {
            // Never a line that is paid, or whose place is taken.
            match book.batch_of(row).filter(|_| !book.is_returned(row)) {
                Some(batch) if proposal(&batch) => {
                    dissolved.insert(batch);
                }
                Some(_) => return Err(Refusal::new(Reason::AlreadyPaid).at_line(line)),
                None if book.is_replaced(row) => {
                    return Err(Refusal::new(Reason::Superseded).at_line(line));
                }
                None => {}
            }
        }
    }
    dissolved.iter().for_each(|&batch| crate::batch::dissolve(desk.state, batch));
    desk.state.lists.change(&earlier_id, |earlier| {
        if let Some(linked) = &mut earlier.linked {
            linked.version += 1;
        }
    });
    // The whole list is known by its successor: its lines need not be named.
    let rows: Vec<u32> =
        if whole { Vec::new() } else { corrected.rows.iter().map(|(row, _)| *row).collect() };
    let dissolved = dissolved.into_iter().collect();
    Ok(Some(BookChange::Replaced { runs: runs(&rows), dissolved }))
}

/// The lists whose place a list has taken, one after the other, with their books.
pub(crate) fn earlier(
    desk: &mut Desk<'_>,
    list: ListId,
) -> Result<Vec<(ListId, Arc<Book>)>, Refusal> {
    let mut earlier = Vec::new();
    let mut next = desk.state.lists.get(&list).and_then(|list| list.supersedes);
    while let Some(Supersedes { list, .. }) = next {
        if desk.state.linked_list(list).is_ok() {
            earlier.push((list, desk.book(list)?));
        }
        next = desk.state.lists.get(&list).and_then(|list| list.supersedes);
    }
    Ok(earlier)
}

/// Ids of lines of earlier lists whose money is on its way or there.
pub(crate) fn lines_out(
    vault: &Vault,
    state: &State,
    earlier: &[(ListId, Arc<Book>)],
) -> Result<HashSet<String>, Refusal> {
    let mut out = HashSet::new();
    for (list, book) in earlier {
        let batches = state.lists.get(list).map(|list| list.batches.as_slice());
        for batch in batches.unwrap_or_default() {
            let batch = state.batches.get(batch).ok_or(Reason::Internal)?;
            if batch.state == BatchState::Withdrawn {
                continue;
            }
            let payments = payments(vault, batch)?;
            out.extend(
                payments
                    .into_iter()
                    .filter(|payment| !book.is_returned(payment.row))
                    .map(|payment| payment.line),
            );
        }
    }
    Ok(out)
}

/// Decisions of clerks that a corrected list keeps.
#[derive(Debug, Default)]
pub struct Kept {
    /// Line, person in the register, outcome.
    pub(crate) decisions: Vec<(u32, Option<u32>, Outcome)>,
    /// Everybody who took part in each, in the same order.
    pub(crate) deciders: Vec<BTreeSet<Identity>>,
}

impl Kept {
    /// What they are in the book.
    pub(crate) fn change(&self) -> BookChange {
        let decisions =
            self.decisions.iter().map(|(row, whom, outcome)| (*row, *whom, outcome_code(*outcome)));
        BookChange::Carried { decisions: decisions.collect() }
    }
}

/// A line that a clerk has decided, or is to decide.
struct Doubtful {
    evidence: u64,
    /// Ids of the candidates in the register, best first.
    candidates: Vec<String>,
}

/// The lines with these rows: id, evidence, candidates.
fn doubtful(
    vault: &Vault,
    sealed: &SealedList,
    register: &RegisterRows<'_>,
    lines: &HashMap<u32, &DecidedLine>,
) -> Result<HashMap<String, (u32, Doubtful)>, Refusal> {
    let residents = lines
        .values()
        .flat_map(|line| line.register_row.into_iter().chain(line.others.iter().copied()))
        .collect();
    let residents = register.ids(vault, &residents)?;
    let mut doubtful = HashMap::new();
    each_row(vault, sealed, |row, chunk, at| {
        let Some(line) = lines.get(&row) else { return };
        let mut hasher = DefaultHasher::new();
        for field in LIST_FIELDS.iter().filter(|field| !NOT_EVIDENCE.contains(field)) {
            cell(sealed, chunk, at, field).hash(&mut hasher);
        }
        let candidates = line.register_row.iter().chain(&line.others);
        let candidates = candidates.filter_map(|row| residents.get(row).cloned()).collect();
        let known = Doubtful { evidence: hasher.finish(), candidates };
        doubtful.insert(chunk.cell(0, at).to_owned(), (row, known));
    })?;
    Ok(doubtful)
}

/// Which decisions of clerks on the earlier list hold for this one too. Blocks: for threads that may wait.
///
/// A decision for somebody who was not among the candidates is not carried over: it rests on a search that nobody has
/// made again.
pub(crate) fn kept(
    exchange: &Exchange,
    state: &State,
    list: &List,
    sealed: &SealedList,
    register: &RegisterRows<'_>,
    decided: &[DecidedLine],
) -> Result<Kept, Refusal> {
    let mut kept = Kept::default();
    let Some(Supersedes { list: earlier_id, .. }) = list.supersedes else { return Ok(kept) };
    let Ok((_, linked)) = state.linked_list(earlier_id) else { return Ok(kept) };
    let vault = exchange.vault();
    let (_, earlier) = state.sealed_list(earlier_id)?;
    let before = state.register_rows(linked.snapshot)?;
    let book = exchange.ask_now(move |desk| desk.book(earlier_id))?;
    let engine = read_result(vault, linked)?;
    let is_task = |line: &DecidedLine| {
        matches!(crate::book::outcome(line.outcome), Outcome::Review | Outcome::Ambiguous)
    };
    let mut deciders = HashMap::new();
    let mut old = HashMap::new();
    for (place, task) in state.tasks(earlier_id) {
        let row = book.task_rows().get(place.number as usize).copied().ok_or(Reason::Internal)?;
        if task.state == TaskState::Decided
            && let Some(line) = engine.get(row as usize)
        {
            old.insert(row, line);
            deciders.insert(row, task.deciders.clone());
        }
    }
    let new: HashMap<u32, &DecidedLine> =
        (0u32..).zip(decided).filter(|(_, line)| is_task(line)).collect();
    if old.is_empty() || new.is_empty() {
        return Ok(kept);
    }
    let mut held: HashSet<u32> = decided
        .iter()
        .filter(|line| crate::book::outcome(line.outcome) == Outcome::Linked)
        .filter_map(|line| line.register_row)
        .collect();
    let old = doubtful(vault, earlier, &before, &old)?;
    let by_id = doubtful(vault, sealed, register, &new)?;
    let mut by_row: Vec<(&String, &(u32, Doubtful))> = by_id.iter().collect();
    by_row.sort_unstable_by_key(|(_, (row, _))| *row);
    let residents = |row: u32| {
        new.get(&row).into_iter().flat_map(|line| line.register_row.iter().chain(&line.others))
    };
    for (id, (row, line)) in by_row {
        let Some((old_row, known)) = old.get(id) else { continue };
        let Some(decision) = book.line(*old_row) else { continue };
        if known.evidence != line.evidence || known.candidates != line.candidates {
            continue;
        }
        let whom = match decision.outcome {
            Outcome::LinkedByClerk => {
                let engine = engine.get(*old_row as usize);
                let place = decision.register_row.and_then(|chosen| {
                    let candidates = engine
                        .into_iter()
                        .flat_map(|line| line.register_row.iter().chain(&line.others));
                    candidates.copied().position(|candidate| candidate == chosen)
                });
                let Some(&resident) = place.and_then(|place| residents(*row).nth(place)) else {
                    continue;
                };
                // Somebody else's line by now: a clerk looks again.
                if !held.insert(resident) {
                    continue;
                }
                Some(resident)
            }
            Outcome::NotFound => None,
            Outcome::Duplicate => residents(*row).next().copied(),
            Outcome::Linked
            | Outcome::Review
            | Outcome::Ambiguous
            | Outcome::Unlinkable
            | Outcome::RejectedInput => continue,
        };
        kept.decisions.push((*row, whom, decision.outcome));
        kept.deciders.push(deciders.get(old_row).cloned().unwrap_or_default());
    }
    Ok(kept)
}
