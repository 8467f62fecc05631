//! Extracts: who was in a register on a day, as known by a day, for whoever may know it.
//!
//! A benefit begins with the people of its base date (基準日). The state of that day is put together from all versions of
//! each record, see [`crate::history`]; what is handed out of it are the fields that the agreement names, a chunk of the
//! register at a time:
//!
//! ```text
//! permit -> rows in force -> count against the day's volume, leaf -> chunk, chunk, chunk
//! ```
//! So a receiver that reads slowly holds one chunk and the numbers of rows. Invariant: the leaf that says how many records
//! leave is durable before the first of them does; where protected persons live is in no extract, whether a version of the
//! record or the feed of today says that they are. A register lies in the order of its households, so within a chunk people
//! come in the order of their names in the extract: who stands beside whom says nothing. That something is withheld of
//! somebody can be told, where everybody else has it.

use std::sync::Arc;

use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Reason, SnapshotId};

use crate::agreement::use_volume;
use crate::command::{Command, Decision, Desk};
use crate::disclosed::Disclosed;
use crate::history::StateAt;
use crate::link_code::Naming;
use crate::mark::Mark;
use crate::permit::{Permit, ReadState};
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::rows;
use crate::shown::{PROTECTED, WITHHELD, is_protected};
use crate::state::State;
use crate::store::Vault;

/// When a record came about: of a protected person that is the day of a move.
const DAYS: &[&str] = &["date_of_event", "date_processed"];

/// The people of a register on some day.
pub struct Extract {
    state: Arc<State>,
    /// The state of the register that they are read from.
    pub snapshot: SnapshotId,
    /// The rows in force, in order.
    rows: Vec<u32>,
    /// How many of them have no readable 異動日 and count as having been so for ever.
    pub undated: u64,
}

/// One person of an extract.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Extracted {
    /// The id in the register where the agreement names it, else a link code.
    pub person: String,
    /// The fields that the agreement names.
    pub cells: Vec<Disclosed>,
}

/// By what people are named, and of whom it is withheld where they live.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// That the caller may.
    pub permit: &'a Permit<ReadState>,
    /// Their names.
    pub naming: &'a Naming,
    /// Who is protected.
    pub protected: &'a Protected,
}

impl Extract {
    /// Finds out who was there. Blocks: for threads that may wait.
    pub fn open(
        state: Arc<State>,
        vault: &Vault,
        dataset: DatasetId,
        at: StateAt,
    ) -> Result<Self, Refusal> {
        let snapshot = state.snapshot_in_use(dataset)?;
        let in_force = state.in_force(vault, dataset, at)?;
        let mut rows: Vec<u32> = in_force.rows.into_values().collect();
        rows.sort_unstable();
        Ok(Self { state, snapshot, rows, undated: in_force.undated })
    }

    /// How many people.
    pub fn records(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The columns that are handed out, in the order of the register.
    pub fn fields(&self, permit: &Permit<ReadState>) -> Result<Vec<String>, Refusal> {
        let register = self.state.register_rows(self.snapshot)?;
        let named = register.columns().iter().skip(1).filter(|field| *field != PROTECTED);
        Ok(named.filter(|field| permit.allows_field(field)).cloned().collect())
    }

    /// The people from one on, as far as their rows lie in one chunk; none at the end. Blocks: for threads that may wait.
    pub fn chunk_from(
        &self,
        vault: &Vault,
        shown: Shown<'_>,
        from: u64,
    ) -> Result<Vec<Extracted>, Refusal> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let Some(&first) = self.rows.get(from) else { return Ok(Vec::new()) };
        let segments = self.state.segments(self.snapshot)?;
        let behind = segments.partition_point(|one| one.first_row() <= u64::from(first));
        let segment = behind.checked_sub(1).and_then(|at| segments.get(at));
        let segment = segment.ok_or(Reason::Internal)?;
        let (number, _) = rows::place(u64::from(first) - segment.first_row());
        let chunk = rows::chunk(&segment.rows.open(vault)?, number)?;
        let begins = segment.first_row() + u64::from(number) * rows::CHUNK_ROWS as u64;
        let ends = begins + chunk.rows() as u64;
        let [start, end] =
            [begins, ends].map(|row| self.rows.partition_point(|one| u64::from(*one) < row));
        let columns = &segment.rows.columns;
        let here = self.rows[start..end].iter();
        let mut people: Vec<Extracted> = here
            .filter_map(|row| usize::try_from(u64::from(*row) - begins).ok())
            .map(|at| person(columns, &chunk, at, shown))
            .collect();
        people.sort_unstable_by(|one, other| one.person.cmp(&other.person));
        Ok(people.split_off(from - start))
    }
}

/// One record as it may be seen.
fn person(columns: &[String], chunk: &rows::Chunk, at: usize, shown: Shown<'_>) -> Extracted {
    let id = chunk.cell(0, at);
    let cells = || columns.iter().enumerate().map(|(column, name)| (name, chunk.cell(column, at)));
    let flagged = cells().any(|(field, value)| field == PROTECTED && is_protected(value));
    let withheld = flagged | shown.protected.covers(id);
    let cells = cells().skip(1).filter(|(field, _)| *field != PROTECTED).filter_map(|cell| {
        let (field, value) = cell;
        let hidden = withheld && [WITHHELD, DAYS].iter().any(|all| all.contains(&field.as_str()));
        shown.permit.disclose(field, if hidden { String::new() } else { value.to_owned() })
    });
    Extracted { person: shown.naming.name(id), cells: cells.collect() }
}

/// Notes that people of a register are handed out, before they are.
#[derive(Debug)]
pub struct NoteExtract {
    /// That the caller may.
    pub permit: Permit<ReadState>,
    /// The register.
    pub dataset: DatasetId,
    /// Its state.
    pub snapshot: SnapshotId,
    /// How many people.
    pub records: u64,
}

impl Command for NoteExtract {
    type Reply = ();
    const METHOD: &'static str = "StateOn";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        use_volume(desk, &self.permit, self.records.max(1))?;
        let mark = Mark::ok(Operation::Export)
            .of_dataset(self.dataset)
            .of_snapshot(self.snapshot)
            .under(&self.permit)
            .count(Counter::Out, self.records);
        Ok(Decision::new((), mark))
    }
}
