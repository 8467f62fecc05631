//! Why a line of a finished job was linked to a resident, and why not.
//!
//! The job's model, the line's own cells and the register's index give the numbers that the job had; nothing is kept of
//! them. Levels are told, no values. But that two addresses are of one town says where somebody lives: levels are told only
//! where the agreement releases every field that is compared, and never of protected persons. Who is protected cannot be
//! told from who lives in a register whose fields are not all released.

use renkei_linkage::{
    Decision as LineDecision, Explanation, Inquiry, MatchWeight, Obstacle, Outcome,
    RankedCandidate, RuleSearch, Thresholds,
};
use renkei_tables::Side;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Digest, LinkageJobId, Reason, SnapshotId};

use crate::agreement::use_volume;
use crate::book::outcome;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::index::{ChunkView, Indexes};
use crate::ledger::Exchange;
use crate::link_code::Naming;
use crate::mark::Mark;
use crate::model;
use crate::permit::{Link, Permit};
use crate::refusal::Refusal;
use crate::rows;
use crate::shown;
use crate::snapshot::RegisterRows;
use crate::subject::{Handles, Said, SubjectSet};

/// Fields of a register that are no evidence.
const NOT_COMPARED: &[&str] =
    &["resident_id", "household_id", "date_of_event", "date_processed", "protected"];

/// Most candidates of whom it is looked up whether they are protected.
const LOOKED_AT_MAX: usize = 50;

/// Most candidates that are told.
const CANDIDATES_MAX: usize = 5;

/// What is asked.
#[derive(Clone, Debug)]
pub struct ExplainLine {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The job.
    pub job: LinkageJobId,
    /// Id of the line.
    pub line: String,
    /// The resident, as the agreement has residents named; the best candidate where none is.
    pub resident: Option<String>,
}

/// What is told of a line.
#[derive(Clone, Debug)]
pub struct ExplainedLine {
    /// What the engine decided.
    pub outcome: Outcome,
    /// Why: a code, with a line's id where one is meant.
    pub reason: String,
    /// The model.
    pub model: Digest,
    /// Its thresholds.
    pub thresholds: Thresholds,
    /// The best candidates that reach the review threshold, by their ids; none where they may not be told.
    pub candidates: Vec<(String, RankedCandidate)>,
    /// Whom each rule finds for the line; nothing where it may not be told.
    pub rules: Option<Vec<RuleSearch>>,
    /// The pair, where there is one.
    pub pair: Option<ExplainedPair>,
}

/// What is told of a pair.
#[derive(Clone, Debug)]
pub struct ExplainedPair {
    /// Id of the resident.
    pub resident: String,
    /// Terms and obstacles; nothing where they may not be told.
    pub told: Option<(Explanation, Vec<Obstacle<String>>)>,
}

impl ExplainLine {
    /// Explains, and notes it in the log before it is told. Blocks: for threads that may wait.
    pub fn explain(
        &self,
        exchange: &Exchange,
        indexes: &Indexes,
    ) -> Result<(ExplainedLine, Done<()>), Refusal> {
        let (state, vault) = (exchange.state(), exchange.vault());
        let job = state.jobs.get(&self.job).ok_or(Reason::NoAgreement)?;
        let (_, linked) = state.linked_list(job.list)?;
        let (_, sealed) = state.sealed_list(job.list)?;
        let file = linked.model.as_ref().ok_or(Reason::WrongState)?;
        let indexed =
            indexes.get_earlier(&state, vault, linked.snapshot, exchange.clock().as_ref())?;
        let index = &indexed.index;
        let prepared = index.prepare(model::read(vault, file)?);
        let prepared = prepared.map_err(|error| Refusal::internal(&error))?;
        let row = rows::find(vault, &sealed.rows, &self.line)?.ok_or(Reason::NoAgreement)?;
        let decided = shown::decided_line(vault, linked, row)?;

        let (number, at) = rows::place(u64::from(row));
        let chunk = rows::chunk(&sealed.rows.open(vault)?, number)?;
        let view = ChunkView::new(&sealed.rows, Side::List);
        let query = index.read(&view.of(&chunk).only(at));
        // Which line holds the person is known by its id alone.
        let (code, holder) = match decided.reason.split_once(':') {
            Some((code, holder)) => (code, Some(holder.to_owned())),
            None => (decided.reason.as_str(), None),
        };
        let reason = Reason::ALL.iter().find(|reason| reason.as_str() == code);
        let weight = MatchWeight::from_millibits(decided.weight);
        let decision = LineDecision {
            outcome: outcome(decided.outcome),
            best: decided.register_row.map(|resident| (resident, weight)),
            reason: *reason.ok_or(Reason::Internal)?,
            nearest: None,
            holder: holder.as_ref().map(|_| row),
        };
        let inquiry = index.inquire(&query, &prepared).decided(decision);
        let naming = Naming::under(exchange, &self.permit, job.dataset)?;
        let asked = match &self.resident {
            Some(name) => Some(naming.row(index, name).ok_or(Reason::NoAgreement)?),
            None => inquiry.candidates().first().map(|best| best.resident),
        };
        let id = |resident: u32| naming.name(index.id(resident));
        let register = state.register_rows(linked.snapshot)?;
        let protected = indexes.protected(&state, vault, job.dataset, exchange.clock().now());
        let is_protected = |resident| {
            let named = protected.covers(index.id(resident));
            Ok(named | shown::is_protected_row(vault, &register, resident)?)
        };
        let told = self.may_be_told(&register, &inquiry, asked, is_protected)?;
        let holder = holder.unwrap_or_default();
        let pair = asked.map(|resident| explained(&inquiry, resident, told, id, holder));
        let thresholds = inquiry.model().thresholds;
        let reaches = |candidate: &&RankedCandidate| candidate.alone >= thresholds.review;
        let candidates = inquiry.candidates().iter().filter(reaches).take(CANDIDATES_MAX);
        let candidates: Vec<&RankedCandidate> = candidates.filter(|_| told).collect();
        let candidates_told: Vec<u32> = candidates
            .iter()
            .map(|candidate| candidate.resident)
            .filter(|resident| Some(*resident) != asked)
            .collect();
        let explained = ExplainedLine {
            outcome: decision.outcome,
            reason: decided.reason.clone(),
            model: linked.model_digest,
            thresholds,
            candidates: candidates
                .into_iter()
                .map(|candidate| (id(candidate.resident), *candidate))
                .collect(),
            rules: told.then(|| inquiry.search()),
            pair,
        };
        let told_of = candidates_told.iter().chain(&asked).map(|resident| index.id(*resident));
        let handles = Handles::of_today(exchange, job.dataset)?;
        let persons = SubjectSet::new(&handles, vault.entropy(), Said::Answered, told_of);
        let noted = NoteExplained {
            persons,
            permit: self.permit.clone(),
            job: self.job,
            dataset: job.dataset,
            snapshot: linked.snapshot,
            model: linked.model_digest,
        };
        let done = exchange.execute_now(Call::read(self.permit.caller().clone()), noted)?;
        Ok((explained, done))
    }
}

impl ExplainLine {
    /// Whether levels may be told: every field that is compared is released, and nobody whom the answer is about is
    /// protected.
    fn may_be_told(
        &self,
        register: &RegisterRows<'_>,
        inquiry: &Inquiry<'_>,
        asked: Option<u32>,
        is_protected: impl Fn(u32) -> Result<bool, Refusal>,
    ) -> Result<bool, Refusal> {
        let mut compared =
            register.columns().iter().filter(|field| !NOT_COMPARED.contains(&field.as_str()));
        if !compared.all(|field| self.permit.allows_field(field)) {
            return Ok(false);
        }
        // Whether somebody is protected whom the line was never compared with must not show in what is withheld.
        if asked.is_some_and(|asked| inquiry.candidate(asked).is_none()) {
            return Ok(false);
        }
        // Of more people than can be looked at nobody knows.
        if inquiry.candidates().len() > LOOKED_AT_MAX {
            return Ok(false);
        }
        let candidates = inquiry.candidates().iter().map(|candidate| candidate.resident);
        for resident in candidates {
            if is_protected(resident)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn explained(
    inquiry: &Inquiry<'_>,
    resident: u32,
    told: bool,
    id: impl Fn(u32) -> String,
    holder: String,
) -> ExplainedPair {
    let explanation = inquiry.explain(resident);
    let told = told.then(|| {
        let obstacles = inquiry.obstacles(resident).into_iter();
        let named = obstacles.map(|obstacle| obstacle.named(&id, |_| holder.clone()));
        (explanation, named.collect())
    });
    ExplainedPair { resident: id(resident), told }
}

/// Notes that a line is explained, before it is.
#[derive(Debug)]
struct NoteExplained {
    persons: SubjectSet,
    permit: Permit<Link>,
    job: LinkageJobId,
    dataset: DatasetId,
    snapshot: SnapshotId,
    model: Digest,
}

impl Command for NoteExplained {
    type Reply = ();
    const METHOD: &'static str = "Explain";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        // Each answer tells something of one person.
        use_volume(desk, &self.permit, 1)?;
        let mark = Mark::ok(Operation::QuerySingle)
            .about(self.job)
            .of_dataset(self.dataset)
            .of_snapshot(self.snapshot)
            .by_model(self.model)
            .under(&self.permit)
            .count(Counter::Out, 1);
        Ok(Decision::concerning((), mark, self.persons.clone()))
    }
}
