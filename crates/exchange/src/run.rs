//! Running a job: rows out of blobs, through the engine, decisions into a blob.

use std::collections::BTreeMap;

use renkei_linkage::{Costs, Linkable, Linkage, Options, Outcome, Watcher, link};
use renkei_types::{Clock, LinkageJobId, Reason};

use crate::book::{DecidedLine, outcome_code};
use crate::command::Call;
use crate::index::{Indexed, Indexes};
use crate::job::{FailJob, FinishJob, Job, JobResult, StartJob};
use crate::ledger::Exchange;
use crate::lines::Lines;
use crate::list::Totals;
use crate::manifest::{self, DecidedOn, Manifest};
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::{Vault, blob_refusal};
use crate::subject::Handles;
use crate::supersede::Kept;
use crate::{model, rows, supersede, trainer};

/// Most lines in a chunk of a result: those of a chunk of the list.
pub const CHUNK_LINES: usize = rows::CHUNK_ROWS;

/// Most further candidates that are kept for a clerk.
const OTHERS_MAX: usize = 9;

/// Runs a job to its end. Blocks: for threads that may wait. A job that was stopped is left as it was.
pub fn run(
    exchange: &Exchange,
    indexes: &Indexes,
    id: LinkageJobId,
    watcher: &dyn Watcher,
) -> Result<(), Refusal> {
    let state = exchange.state();
    let job = state.jobs.get(&id).ok_or(Reason::NoAgreement)?;
    if let Err(withdrawn) = state.check_provided(job.dataset) {
        exchange.execute_now(Call::own(), FailJob { job: id, reason: withdrawn.reason })?;
        return Err(withdrawn);
    }
    // As long as the register is not there the job has not begun.
    let indexed = indexes.get(job.snapshot)?;
    let clock = exchange.clock().as_ref();
    let finished = exchange
        .execute_now(Call::own(), StartJob { job: id })
        .and_then(|_| Handles::of_today(exchange, job.dataset))
        .and_then(|handles| {
            link_list(exchange.vault(), &state, job, (&indexed, &handles), clock, watcher)
        })
        .and_then(|result| keep_decisions(exchange, &state, job, result))
        .and_then(|result| exchange.execute_now(Call::own(), FinishJob { job: id, result }));
    // A job that is stopped because its agreement ended does not wait for another day.
    let permitted = exchange.state().job_is_permitted(id, clock.today());
    let finished =
        finished.map_err(|refusal| if permitted { refusal } else { Reason::NoAgreement.into() });
    match finished {
        Ok(_) => Ok(()),
        // It waits for better times; everything else would only fail again.
        Err(refusal)
            if matches!(
                refusal.reason,
                Reason::Stopping | Reason::StorageFull | Reason::Overloaded
            ) =>
        {
            Err(refusal)
        }
        Err(refusal) => {
            exchange.execute_now(Call::own(), FailJob { job: id, reason: refusal.reason })?;
            Err(refusal)
        }
    }
}

fn link_list(
    vault: &Vault,
    state: &State,
    job: &Job,
    (indexed, handles): (&Indexed, &Handles),
    clock: &dyn Clock,
    watcher: &dyn Watcher,
) -> Result<JobResult, Refusal> {
    let (list, sealed) = state.sealed_list(job.list)?;
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    let Lines { linkable, rejected, yen } = Lines::read(vault, sealed, &indexed.index)?;
    let cardinality = programme.rules.unit.cardinality();
    let pinned = job.model.map(|digest| state.open_model(vault, job.dataset, digest));
    let options = Options { cardinality, model: pinned.transpose()?, costs: Costs::default() };
    let linkage = link(&linkable, &rejected, options, clock, watcher)
        .map_err(|error| trainer::refusal_of(&error))?;
    // Hashing the lines and writing the decisions down share nothing, and each keeps one core busy.
    std::thread::scope(|scope| {
        let lines = decided_lines(&linkable, &linkage);
        let manifest = scope.spawn(|| manifest::write(vault, handles, lines));
        let manifest = || manifest.join().map_err(|_| Refusal::from(Reason::Internal))?;
        keep(vault, list, &linkable, &linkage, &yen, manifest)
    })
}

/// What the engine decided on each line, in the order of the list.
fn decided_lines<'a>(
    linkable: &'a Linkable,
    linkage: &'a Linkage,
) -> impl ExactSizeIterator<Item = DecidedOn<'a>> + Send {
    linkage.decisions.iter().enumerate().map(|(row, decision)| DecidedOn {
        // A list has fewer than 2^32 lines.
        line: linkable.list_id(row as u32),
        person: decision.best.map(|(resident, _)| linkable.register_id(resident)),
        outcome: decision.outcome,
        weight: decision.best.map_or(0, |(_, weight)| weight.millibits()),
        reason: decision.reason,
    })
}

/// Finds out which decisions on the list whose place this one takes hold for it too.
fn keep_decisions(
    exchange: &Exchange,
    state: &State,
    job: &Job,
    result: JobResult,
) -> Result<JobResult, Refusal> {
    let (list, sealed) = state.sealed_list(job.list)?;
    if list.supersedes.is_none() {
        return Ok(result);
    }
    let register = state.register_rows(job.snapshot)?;
    let decided = crate::book::read_blob(exchange.vault(), &result.result)?;
    let kept = supersede::kept(exchange, state, list, sealed, &register, &decided)?;
    Ok(JobResult { kept, ..result })
}

/// Writes the decisions down.
fn keep(
    vault: &Vault,
    list: &crate::list::List,
    linkable: &Linkable,
    linkage: &Linkage,
    yen: &[u64],
    manifest: impl FnOnce() -> Result<Manifest, Refusal>,
) -> Result<JobResult, Refusal> {
    let key = vault.key(list.key)?;
    let mut writer = vault.blob_writer(&key, list.key)?;
    let mut totals = BTreeMap::<Outcome, Totals>::new();
    let mut chunk = Vec::with_capacity(CHUNK_LINES);
    for (row, (decision, &yen)) in (0u32..).zip(linkage.decisions.iter().zip(yen)) {
        totals.entry(decision.outcome).or_default().add(yen);
        let best = decision.best.map(|(resident, _)| resident);
        let others = match decision.outcome {
            Outcome::Review | Outcome::Ambiguous => linkage
                .candidates(linkable, row, linkage.model.thresholds.review)
                .iter()
                .map(|candidate| candidate.resident)
                .filter(|&resident| Some(resident) != best)
                .take(OTHERS_MAX)
                .collect(),
            Outcome::Linked
            | Outcome::LinkedByClerk
            | Outcome::Duplicate
            | Outcome::NotFound
            | Outcome::Unlinkable
            | Outcome::RejectedInput => Vec::new(),
        };
        chunk.push(DecidedLine {
            outcome: outcome_code(decision.outcome),
            register_row: best,
            weight: decision.best.map_or(0, |(_, weight)| weight.millibits()),
            reason: linkage.reason_text(linkable, decision),
            yen,
            others,
        });
        if chunk.len() == CHUNK_LINES {
            write(&mut writer, &mut chunk)?;
        }
    }
    if !chunk.is_empty() {
        write(&mut writer, &mut chunk)?;
    }
    Ok(JobResult {
        result: writer.finish().map_err(|error| blob_refusal(&error))?,
        result_digest: linkage.result_digest(linkable),
        model_digest: linkage.model.digest(),
        model: model::write(vault, &linkage.model_with_report(linkable), list.key)?,
        totals,
        kept: Kept::default(),
        manifest: manifest()?,
    })
}

fn write(
    writer: &mut renkei_journal::BlobWriter,
    chunk: &mut Vec<DecidedLine>,
) -> Result<(), Refusal> {
    let bytes = postcard::to_stdvec(chunk).map_err(|error| Refusal::internal(&error))?;
    chunk.clear();
    writer.chunk(&bytes).map_err(|error| blob_refusal(&error))
}
