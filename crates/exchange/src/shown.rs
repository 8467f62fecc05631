//! What a clerk is shown: a line beside its candidates, differences marked, the score hidden.
//!
//! Candidates stand in an order that depends on chance alone, so that nobody learns to take the first. Only the fields of
//! the agreement are shown.

use renkei_japanese::text::fold;
use renkei_types::Reason;

use crate::book::DecidedLine;
use crate::disclosed::Disclosed;
use crate::link_code::Naming;
use crate::permit::{DecideLines, Permit};
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::review::TaskPlace;
use crate::rows::{self, Rows};
use crate::run::CHUNK_LINES;
use crate::snapshot::RegisterRows;
use crate::state::State;
use crate::store::Vault;

/// Most candidates that are shown at once.
pub const CANDIDATES_MAX: usize = 10;

/// How a value of a candidate relates to the line's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Difference {
    /// Equal, as far as width and spaces go.
    Same,
    /// Written differently.
    Other,
    /// Only the line has it.
    LineOnly,
    /// Only the candidate has it.
    CandidateOnly,
}

/// One field of a candidate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComparedCell {
    /// The candidate's text.
    pub cell: Disclosed,
    /// How it relates to the line's.
    pub difference: Difference,
}

/// Somebody the line could mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Row in the register.
    pub row: u32,
    /// What the clerk calls the person: the id in the register, or a link code.
    pub name: String,
    /// The fields that may be shown.
    pub cells: Vec<ComparedCell>,
}

/// A line and its candidates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// What the engine decided.
    pub decided: DecidedLine,
    /// The line.
    pub line: Vec<(String, String)>,
    /// Whom it could mean.
    pub candidates: Vec<Candidate>,
}

/// Columns of a list that say nothing about who is meant.
const NOT_SHOWN: &[&str] = &["bank_code", "branch_code", "account_type", "account_number"];

/// By what residents are called, and of whom it is withheld where they live.
#[derive(Clone, Copy, Debug)]
pub struct Withheld<'a> {
    /// Their names.
    pub naming: &'a Naming,
    /// Who is protected.
    pub protected: &'a Protected,
}

/// What a clerk is shown of a task. `row` is the line's. Blocks: for threads that may wait.
pub fn task(
    vault: &Vault,
    state: &State,
    permit: &Permit<DecideLines>,
    withheld: Withheld<'_>,
    place: TaskPlace,
    row: u32,
) -> Result<Shown, Refusal> {
    let (_, linked) = state.linked_list(place.list)?;
    let decided = decided_line(vault, linked, row)?;
    let rows: Vec<u32> = decided.register_row.iter().chain(&decided.others).copied().collect();
    let line = line(vault, state, place, row)?;
    let candidates = candidates(vault, state, permit, withheld, place, &line, &rows)?;
    Ok(Shown { decided, line, candidates })
}

/// What the engine decided on one line.
pub fn decided_line(
    vault: &Vault,
    linked: &crate::list::LinkedList,
    row: u32,
) -> Result<DecidedLine, Refusal> {
    let reader = vault.open_blob(&linked.result)?;
    let lines = CHUNK_LINES as u32;
    let bytes = reader.chunk(row / lines).map_err(|error| Refusal::internal(&error))?;
    let mut chunk: Vec<DecidedLine> =
        postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
    let at = (row % lines) as usize;
    if at < chunk.len() { Ok(chunk.swap_remove(at)) } else { Err(Reason::Internal.into()) }
}

/// The line of a task.
pub fn line(
    vault: &Vault,
    state: &State,
    place: TaskPlace,
    row: u32,
) -> Result<Vec<(String, String)>, Refusal> {
    let (_, sealed) = state.sealed_list(place.list)?;
    let cells = record(vault, &sealed.rows, row)?;
    Ok(cells.into_iter().filter(|(field, _)| !NOT_SHOWN.contains(&field.as_str())).collect())
}

fn record(vault: &Vault, rows: &Rows, row: u32) -> Result<Vec<(String, String)>, Refusal> {
    let reader = rows.open(vault)?;
    let (chunk, at) = rows::place(u64::from(row));
    let chunk = rows::chunk(&reader, chunk)?;
    let cell = |(column, name): (usize, &String)| (name.clone(), chunk.cell(column, at).to_owned());
    Ok(rows.columns.iter().enumerate().map(cell).collect())
}

/// Records of the register beside a line.
pub fn candidates(
    vault: &Vault,
    state: &State,
    permit: &Permit<DecideLines>,
    withheld: Withheld<'_>,
    place: TaskPlace,
    line: &[(String, String)],
    rows: &[u32],
) -> Result<Vec<Candidate>, Refusal> {
    let (_, linked) = state.linked_list(place.list)?;
    let Withheld { naming, protected: known } = withheld;
    let register = state.register_rows(linked.snapshot)?;
    let mut candidates = Vec::new();
    let rows = rows.get(..CANDIDATES_MAX).unwrap_or(rows);
    for (&row, cells_of_record) in rows.iter().zip(register.records(vault, rows)?) {
        let mut id = String::new();
        let mut cells = Vec::new();
        let record: Vec<(&str, String)> =
            register.columns().iter().map(String::as_str).zip(cells_of_record).collect();
        // Who was protected when the list was linked, or is now: both count, and both are looked up.
        let flagged =
            record.iter().any(|(field, value)| *field == PROTECTED && is_protected(value));
        let named = record.first().is_none_or(|(_, id)| known.covers(id));
        let protected = flagged | named;
        for (field, value) in record {
            if field == "resident_id" {
                id = value;
            } else if field != PROTECTED {
                // Who is protected cannot be told from who has no address.
                let withheld = protected && WITHHELD.contains(&field);
                let value = if withheld { String::new() } else { value };
                let of_line = line.iter().find(|(name, _)| name == field);
                let of_line = of_line.map_or("", |(_, value)| value.as_str());
                let difference = difference(of_line, &value);
                let cell = permit.disclose(field, value);
                cells.extend(cell.map(|cell| ComparedCell { cell, difference }));
            }
        }
        candidates.push((id.clone(), Candidate { row, name: naming.name(&id), cells }));
    }
    // A key that nobody chooses, and that stays the same while the clerk looks.
    let key = vault.key(linked.result.key)?;
    candidates.sort_by_cached_key(|(id, _)| {
        let name = [place.number.to_be_bytes().as_slice(), id.as_bytes()].concat();
        *key.keyed_digest("renkei order of candidates", &name).as_bytes()
    });
    Ok(candidates.into_iter().map(|(_, candidate)| candidate).collect())
}

/// The flag of protected persons (支援措置). It is shown of nobody.
pub(crate) const PROTECTED: &str = "protected";

/// Fields from which it could be found out where somebody lives.
pub(crate) const WITHHELD: &[&str] =
    &["address", "building", "postal_code", "previous_address", "household_id"];

/// Whether a row of a register is of a protected person.
pub(crate) fn is_protected_row(
    vault: &Vault,
    register: &RegisterRows<'_>,
    row: u32,
) -> Result<bool, Refusal> {
    let Some(column) = register.column(PROTECTED) else { return Ok(false) };
    let record = register.record(vault, row)?;
    Ok(record.get(column).is_some_and(|value| is_protected(value)))
}

/// Whether a record is of a protected person. What cannot be read as a plain no is a yes.
pub(crate) fn is_protected(value: &str) -> bool {
    !matches!(fold(value.trim()).as_ref(), "" | "0" | "無" | "なし" | "false" | "no")
}

fn difference(line: &str, candidate: &str) -> Difference {
    let plain =
        |text: &str| -> String { fold(text).chars().filter(|c| !c.is_whitespace()).collect() };
    match (plain(line), plain(candidate)) {
        (line, candidate) if line == candidate => Difference::Same,
        (_, candidate) if candidate.is_empty() => Difference::LineOnly,
        (line, _) if line.is_empty() => Difference::CandidateOnly,
        _ => Difference::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_is_not_a_plain_no_protects() {
        for no in ["", "0", "０", "無", "なし", "false"] {
            assert!(!is_protected(no), "{no}");
        }
        for yes in ["1", "有", "支援措置", "?", "2026-04-01"] {
            assert!(is_protected(yes), "{yes}");
        }
    }

    #[test]
    fn differences_are_those_of_content_not_of_width() {
        assert_eq!(difference("ｻﾄｳ　ﾊﾅ", "サトウ ハナ"), Difference::Same);
        assert_eq!(difference("佐藤", "加藤"), Difference::Other);
        assert_eq!(difference("佐藤", ""), Difference::LineOnly);
        assert_eq!(difference("", "佐藤"), Difference::CandidateOnly);
    }
}
