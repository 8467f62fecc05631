//! How many pairs a job would compare, before it compares any.
//!
//! Each rule's blocks are looked up and counted, which takes a small part of the time that comparing takes. The counts are
//! those that the job's own report will show.

use std::collections::BTreeMap;

use rayon::prelude::*;
use renkei_types::Reason;

use crate::blocking::{BlockingReport, Round, RuleCounts};
use crate::equal_lines::Asker;
use crate::records::Linkable;

/// Lines that one task counts.
const CHUNK: u32 = 4_096;

impl Linkable {
    /// What each blocking rule would bring. `rejected` are the lines that take no part.
    pub fn estimate(&self, rejected: &BTreeMap<u32, Reason>) -> Vec<BlockingReport> {
        let lines = u32::try_from(self.list_lines()).expect("fewer than 2^32 lines");
        let blocking = self.sides().blocking;
        let none = || vec![RuleCounts::default(); blocking.rules().len()];
        let count = |chunk: u32| {
            let (mut round, mut counts) = (Round::default(), none());
            let chunk = chunk * CHUNK..lines.min((chunk + 1).saturating_mul(CHUNK));
            let lines: Vec<Asker> =
                chunk.filter(|line| !rejected.contains_key(line)).map(Asker::from).collect();
            round.look_up(blocking, &self.list, &lines, &mut counts);
            (0..lines.len()).for_each(|at| {
                round.find(blocking, at, lines[at].times, &mut counts);
            });
            counts
        };
        let add = |mut sum: Vec<RuleCounts>, part: Vec<RuleCounts>| {
            sum.iter_mut().zip(&part).for_each(|(sum, part)| sum.add(part));
            sum
        };
        let counts = (0..lines.div_ceil(CHUNK)).into_par_iter().map(count).reduce(none, add);
        BlockingReport::of_rules(blocking.rules(), &counts, &self.index.register)
    }
}
