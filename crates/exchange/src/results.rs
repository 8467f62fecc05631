//! Results: handing out what became of a list's lines.
//!
//! A weight says how well the line's address fits, so guesses at where somebody lives could be tried out with lists. Of a
//! protected person the weight is therefore that of another line with the same outcome, chosen by a key that nobody has: it looks
//! like every other, and says no more than the outcome does.

use std::collections::HashMap;

use renkei_linkage::{Outcome, Thresholds};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::ListId;

use crate::book::{DecidedLine, outcome};
use crate::command::{Command, Decision, Desk};
use crate::list::LinkedList;
use crate::mark::Mark;
use crate::model;
use crate::permit::{Link, Permit};
use crate::refusal::Refusal;
use crate::store::Vault;

/// The weights of a chunk's lines as they may be told, in thousandths of a bit. `is_protected` says it of the best candidate of
/// a line. Where no other line has the outcome, the weight is that of the threshold below it.
pub fn told_weights(
    vault: &Vault,
    linked: &LinkedList,
    number: u32,
    lines: &[DecidedLine],
    thresholds: Option<Thresholds>,
    is_protected: impl Fn(u32) -> bool,
) -> Result<Vec<i32>, Refusal> {
    let key = vault.key(linked.result.key)?;
    let protected: Vec<bool> =
        lines.iter().map(|line| line.register_row.is_some_and(&is_protected)).collect();
    // All lines are gone through, whoever is protected; others are taken from those who are not.
    let mut others: HashMap<u8, Vec<i32>> = HashMap::new();
    for (line, protected) in lines.iter().zip(&protected) {
        if line.register_row.is_some() && !protected {
            others.entry(line.outcome).or_default().push(line.weight);
        }
    }
    let told = |(at, (line, protected)): (usize, (&DecidedLine, &bool))| {
        if !protected {
            return line.weight;
        }
        let place = [number.to_be_bytes(), (at as u32).to_be_bytes()].concat();
        let digest = key.keyed_digest("renkei weight of another line", &place);
        let chance =
            digest.as_bytes().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let weights = others.get(&line.outcome).map_or(&[][..], Vec::as_slice);
        let chosen =
            chance.checked_rem(weights.len() as u64).and_then(|at| weights.get(at as usize));
        chosen.copied().unwrap_or_else(|| floor(outcome(line.outcome), thresholds))
    };
    Ok(lines.iter().zip(&protected).enumerate().map(told).collect())
}

/// Where outcomes divided in the job of a list; nothing where its model was not kept or is of another engine.
pub fn thresholds(vault: &Vault, linked: &LinkedList) -> Option<Thresholds> {
    let model = linked.model.as_ref()?;
    model::read(vault, model).ok().map(|model| model.thresholds)
}

/// The least weight with which a line has an outcome.
fn floor(outcome: Outcome, thresholds: Option<Thresholds>) -> i32 {
    let Some(thresholds) = thresholds else { return 0 };
    match outcome {
        Outcome::Linked | Outcome::LinkedByClerk | Outcome::Ambiguous | Outcome::Duplicate => {
            thresholds.link.millibits()
        }
        Outcome::Review => thresholds.review.millibits(),
        Outcome::NotFound | Outcome::Unlinkable | Outcome::RejectedInput => 0,
    }
}

/// Notes that the results of a list are handed out, before they are.
#[derive(Debug)]
pub struct ReadResults {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The list.
    pub list: ListId,
    /// How many lines.
    pub lines: u64,
}

impl Command for ReadResults {
    type Reply = ();
    const METHOD: &'static str = "Results";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::Export).about(self.list).under(&self.permit);
        Ok(Decision::new((), mark.count(Counter::Out, self.lines)))
    }
}
