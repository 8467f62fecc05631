//! The engine over a list outside of a job: how many pairs there would be, what the list teaches, how good a model is.
//!
//! Nothing here decides a line. It all blocks, for threads that may wait, and at most one runs at a time: it needs as much
//! memory as a job.

use std::collections::HashMap;

use renkei_linkage::evaluation::Accuracy;
use renkei_linkage::{
    BlockingReport, Cardinality, Costs, Expectation, LinkError, Linkage, Model, Options, Outcome,
    Watcher, link,
};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{Clock, DatasetId, Digest, ListId, Reason, SnapshotId};

use crate::book::Book;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::index::{Indexed, Indexes};
use crate::ledger::Exchange;
use crate::lines::Lines;
use crate::mark::Mark;
use crate::model::{self, KeepModel, KeptModel, LINES_MIN};
use crate::permit::{Link, Permit};
use crate::refusal::Refusal;

/// A list, the register that it is set beside, and who asks.
#[derive(Clone, Debug)]
pub struct Study {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The list, sealed.
    pub list: ListId,
    /// The register.
    pub dataset: DatasetId,
}

/// A list read beside a register.
struct Opened {
    snapshot: SnapshotId,
    indexed: std::sync::Arc<Indexed>,
    lines: Lines,
    cardinality: Cardinality,
}

impl Study {
    fn open(&self, exchange: &Exchange, indexes: &Indexes) -> Result<Opened, Refusal> {
        let state = exchange.state();
        let (list, sealed) = state.sealed_list(self.list)?;
        let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
        let snapshot = state.snapshot_in_use(self.dataset)?;
        let indexed = indexes.get(snapshot)?;
        let lines = Lines::read(exchange.vault(), sealed, &indexed.index)?;
        Ok(Opened { snapshot, indexed, lines, cardinality: programme.rules.unit.cardinality() })
    }

    /// Notes in the log that the list was looked at.
    fn note(
        &self,
        exchange: &Exchange,
        what: Looked,
        snapshot: SnapshotId,
        lines: u64,
    ) -> Result<Done<()>, Refusal> {
        let call = Call::read(self.permit.caller().clone());
        let study = self.clone();
        exchange.execute_now(call, NoteStudy { study, what, snapshot, lines })
    }

    /// The pairs that each blocking rule would bring, without comparing any.
    pub fn estimate(
        &self,
        exchange: &Exchange,
        indexes: &Indexes,
    ) -> Result<(Vec<BlockingReport>, Done<()>), Refusal> {
        let opened = self.open(exchange, indexes)?;
        let report = opened.lines.linkable.estimate(&opened.lines.rejected);
        let lines = opened.lines.linkable.list_lines() as u64;
        let done = self.note(exchange, Looked::Estimated, opened.snapshot, lines)?;
        Ok((report, done))
    }

    /// Trains a model and keeps it.
    pub fn train(
        &self,
        exchange: &Exchange,
        indexes: &Indexes,
        call: Call,
        watcher: &dyn Watcher,
    ) -> Result<(Model, Done<Digest>), Refusal> {
        let opened = self.open(exchange, indexes)?;
        let lines = opened.lines.taking_part() as u64;
        if lines < LINES_MIN {
            return Err(Reason::TooFewLines.into());
        }
        let linkage = opened.link(None, exchange.clock().as_ref(), watcher)?;
        let model = linkage.model_with_report(&opened.lines.linkable);
        let digest = model.digest();
        let state = exchange.state();
        // Trained before: what is kept is equal.
        let kept = match state.kept_model(self.dataset, digest) {
            Ok(kept) => kept.clone(),
            Err(_) => {
                let key = exchange.vault().create_key(exchange.clock().now())?;
                KeptModel {
                    snapshot: opened.snapshot,
                    list: self.list,
                    lines,
                    engine: renkei_linkage::ENGINE_VERSION.to_owned(),
                    untrained: model.untrained_comparisons().map(str::to_owned).collect(),
                    file: model::write(exchange.vault(), &model, key)?,
                }
            }
        };
        let permit = self.permit.clone();
        let keep = KeepModel { permit, dataset: self.dataset, digest, model: kept };
        let done = exchange.execute_now(call, keep)?;
        // A repeated request is answered with what it was answered.
        if done.reply == digest {
            return Ok((model, done));
        }
        Ok((exchange.state().open_model(exchange.vault(), self.dataset, done.reply)?, done))
    }

    /// How good a model is on the list: from its own posteriors, and against what clerks decided.
    pub fn evaluate(
        &self,
        exchange: &Exchange,
        indexes: &Indexes,
        digest: Option<Digest>,
        watcher: &dyn Watcher,
    ) -> Result<(Evaluated, Done<()>), Refusal> {
        let state = exchange.state();
        let model = digest
            .map(|digest| state.open_model(exchange.vault(), self.dataset, digest))
            .transpose()?;
        let opened = self.open(exchange, indexes)?;
        let linkage = opened.link(model, exchange.clock().as_ref(), watcher)?;
        let list = self.list;
        let linked = state.lists.get(&list).and_then(|list| list.linked.as_ref());
        let against_clerks = match linked {
            Some(linked) if linked.snapshot == opened.snapshot => {
                let book = exchange.ask_now(move |desk| desk.book(list))?;
                Some(against_clerks(&book, &linkage)).filter(|found| found.lines > 0)
            }
            Some(_) | None => None,
        };
        let evaluated = Evaluated {
            model: linkage.model.digest(),
            expectation: linkage.expectation(&opened.lines.linkable),
            lines: opened.lines.linkable.list_lines() as u64,
            outcomes: count(&linkage),
            against_clerks,
        };
        let looked = Looked::Evaluated(evaluated.model);
        let done = self.note(exchange, looked, opened.snapshot, evaluated.lines)?;
        Ok((evaluated, done))
    }
}

impl Opened {
    fn link(
        &self,
        model: Option<Model>,
        clock: &dyn Clock,
        watcher: &dyn Watcher,
    ) -> Result<Linkage, Refusal> {
        let options = Options { cardinality: self.cardinality, model, costs: Costs::default() };
        let Lines { linkable, rejected, .. } = &self.lines;
        debug_assert!(std::sync::Arc::ptr_eq(linkable.index(), &self.indexed.index));
        link(linkable, rejected, options, clock, watcher).map_err(|error| refusal_of(&error))
    }
}

/// What a job or a study is told when the engine refuses.
pub(crate) fn refusal_of(error: &LinkError) -> Refusal {
    match error {
        LinkError::Stopped(_) => Reason::Stopping.into(),
        LinkError::Model(error) => {
            tracing::error!(%error, "the engine refused a model");
            Reason::ModelUnfit.into()
        }
    }
}

/// How good a model is on a list.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The model; where none was named, the one that the list itself trains.
    pub model: Digest,
    /// What is expected of its links.
    pub expectation: Expectation,
    /// Lines of the list.
    pub lines: u64,
    /// Lines by outcome.
    pub outcomes: Vec<(Outcome, u64)>,
    /// Where clerks have decided lines of the list.
    pub against_clerks: Option<AgainstClerks>,
}

/// A model's links against clerks' decisions. Clerks see the lines that were doubtful, so these figures are of doubtful
/// lines and not of the list.
#[derive(Clone, Copy, Debug)]
pub struct AgainstClerks {
    /// Lines that clerks have decided.
    pub lines: u64,
    /// Of these, lines whose person a clerk found.
    pub persons: u64,
    /// Lines whose best candidate is the person whom the clerk found.
    pub best_is_persons: u64,
    /// What the model would have linked by itself.
    pub linked: Accuracy,
}

fn count(linkage: &Linkage) -> Vec<(Outcome, u64)> {
    let count = |outcome: Outcome| {
        let lines = linkage.decisions.iter().filter(|decision| decision.outcome == outcome);
        (outcome, lines.count() as u64)
    };
    Outcome::ALL.into_iter().map(count).filter(|(_, lines)| *lines > 0).collect()
}

fn against_clerks(book: &Book, linkage: &Linkage) -> AgainstClerks {
    let decided: HashMap<u32, Option<u32>> = book
        .decided()
        .map(|(row, line)| (row, line.register_row.filter(|_| line.is_payable())))
        .collect();
    let persons = decided.values().filter(|person| person.is_some()).count() as u64;
    let (mut best_is_persons, mut links, mut right) = (0, 0, 0);
    for (&row, &person) in &decided {
        let Some(decision) = linkage.decisions.get(row as usize) else { continue };
        let best = decision.best.map(|(resident, _)| resident);
        let same = person.is_some() && best == person;
        best_is_persons += u64::from(same);
        if matches!(decision.outcome, Outcome::Linked | Outcome::Duplicate) {
            links += 1;
            right += u64::from(same);
        }
    }
    AgainstClerks {
        lines: decided.len() as u64,
        persons,
        best_is_persons,
        linked: Accuracy::of(links, right, persons),
    }
}

/// What a list was looked at for.
#[derive(Clone, Copy, Debug)]
enum Looked {
    /// To count pairs.
    Estimated,
    /// To measure a model.
    Evaluated(Digest),
}

/// Notes that a list was looked at, before it is told what was seen.
#[derive(Debug)]
struct NoteStudy {
    study: Study,
    what: Looked,
    snapshot: SnapshotId,
    lines: u64,
}

impl Command for NoteStudy {
    type Reply = ();
    const METHOD: &'static str = "Study";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let Study { permit, list, dataset } = &self.study;
        permit.check(desk.state, desk.today)?;
        let mark = match self.what {
            Looked::Estimated => Mark::ok(Operation::Validate),
            Looked::Evaluated(model) => Mark::ok(Operation::LinkRun).by_model(model),
        };
        let mark = mark
            .about(*list)
            .of_dataset(*dataset)
            .of_snapshot(self.snapshot)
            .under(permit)
            .count(Counter::In, self.lines);
        Ok(Decision::new((), mark))
    }
}
