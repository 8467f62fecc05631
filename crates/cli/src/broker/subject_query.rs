//! `renkei audit query --subject`: the leaves that concern one person, of those that the person may be told of.
//!
//! Leaves name nobody, so no filter over them can find a person. What can is the question of `audit subject`, and this is that
//! question: the same role in the office that keeps the register, the same leaf in the log, the same single empty answer.
//! Auditors cannot ask it: it would show them whom a programme supports. Invariant: what is shown here is a part of what
//! `audit subject --proofs` hands out.

use jiff::Timestamp;
use renkei_api::v1::{SubjectEntry, SubjectReportRequest};
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{LeafResult, Operation};
use serde_json::{Value, json};

use super::error::BrokerError;
use super::identify::tell_notice;
use super::log_query::{LeafTable, QueryArguments, leaf_value};
use super::session::Session;
use super::subject::say_nothing_is_told;
use crate::failure::{Exit, Failure};
use crate::json;

/// What was asked for beside the person, read once.
struct Wanted<'a> {
    arguments: &'a QueryArguments,
    operations: Vec<Operation>,
    results: Vec<LeafResult>,
}

/// Words of a closed list, which have been checked.
fn words<T: std::str::FromStr>(texts: &[String]) -> Vec<T> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Whether something is among what is wanted; everything is where nothing is named.
fn is_among<T: PartialEq>(wanted: &[T], found: Option<&T>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.contains(found))
}

impl<'a> Wanted<'a> {
    fn of(arguments: &'a QueryArguments) -> Result<Self, Failure> {
        arguments.check()?;
        let (operations, results) = (words(&arguments.operations), words(&arguments.results));
        Ok(Self { arguments, operations, results })
    }

    fn fits(&self, index: u64, leaf: &Leaf, entry: &SubjectEntry) -> bool {
        let asked = self.arguments;
        let sides = [&entry.requester, &entry.provider];
        let agencies: Vec<String> = asked.agency.iter().map(ToString::to_string).collect();
        let time: Option<Timestamp> = entry.time.parse().ok();
        index >= asked.from_leaf
            && asked.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && asked.until.is_none_or(|until| time.is_some_and(|time| time < until))
            && is_among(&self.operations, Some(&leaf.op))
            && is_among(&self.results, Some(&leaf.res))
            && is_among(&asked.purpose, leaf.purpose.as_ref())
            && is_among(&asked.agreement, leaf.agr.as_ref().map(|agreement| &agreement.id))
            && (agencies.is_empty() || sides.iter().any(|side| agencies.contains(side)))
    }
}

/// The leaf of an entry, which stands in its proof.
fn leaf_of(entry: &SubjectEntry) -> Option<String> {
    let proof: Value = serde_json::from_slice(&entry.proof).ok()?;
    Some(proof["leaf"].as_str()?.to_owned())
}

pub(super) async fn query(
    session: &Session<'_>,
    arguments: &QueryArguments,
) -> Result<Exit, Failure> {
    let wanted = Wanted::of(arguments)?;
    let [dataset] = &arguments.dataset[..] else { return Err(BrokerError::OneRegister.into()) };
    let request_id = session.new_request_id();
    let call = SubjectReportRequest {
        request_id: request_id.to_string(),
        dataset_id: dataset.to_string(),
        resident_ids: arguments.subject.clone(),
        by_proxy: false,
        with_proofs: true,
    };
    let told = session.change(&request_id, call).await?;
    tell_notice(&told.notice, session.environment);
    let mut leaves: Vec<(u64, String)> = Vec::new();
    for entry in &told.entries {
        let unusable = || BrokerError::Answer { what: "an entry without its leaf" };
        let text = leaf_of(entry).ok_or_else(unusable)?;
        let leaf = Leaf::parse(text.as_bytes()).map_err(|_| unusable())?;
        // A job may have several lines of one person.
        let is_new = leaves.last().is_none_or(|(last, _)| *last != entry.leaf_index);
        if is_new && wanted.fits(entry.leaf_index, &leaf, entry) {
            leaves.push((entry.leaf_index, text));
        }
    }
    leaves.truncate(usize::try_from(arguments.max).unwrap_or(usize::MAX));
    let mut table = LeafTable::new(session.environment);
    for (index, leaf) in &leaves {
        let leaf = leaf_value(leaf.as_bytes());
        if session.environment.json {
            json::print(&json!({"leaf_index": index, "leaf": leaf}));
        } else {
            table.add(*index, &leaf);
        }
    }
    let shown = if leaves.is_empty() {
        say_nothing_is_told(session.environment);
        String::new()
    } else {
        table.to_string()
    };
    let object = json!({"event_id": told.event_id, "notice": told.notice});
    Ok(session.done(object, &shown, told.receipt.as_ref()))
}
