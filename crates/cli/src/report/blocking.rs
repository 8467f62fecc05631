//! What each blocking rule found, as rows with bars on a logarithmic scale.

use renkei_linkage::BlockingReport;
use renkei_types::Language;

use super::chart::Chart;
use super::number::{Count, as_length};
use crate::words;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) rule: String,
    pub(crate) pairs: Count,
    pub(crate) new_pairs: Count,
    pub(crate) largest_block: Count,
    pub(crate) blocks_left_out: Count,
    pub(crate) pairs_left_out: Count,
    /// All pairs in a pale colour, the new ones over them.
    pub(crate) bar: Chart,
}

/// The rules in the order in which they were applied, which decides whose pairs are new.
pub(crate) fn rows(reports: &[BlockingReport], language: Language) -> Vec<Row> {
    let most = reports.iter().map(|report| report.pairs.max(report.new_pairs)).max().unwrap_or(0);
    let most = as_length(most.max(1)).ln_1p();
    let length = |pairs: u64| 100.0 * as_length(pairs).ln_1p() / most;
    let row = |report: &BlockingReport| Row {
        rule: words::rule(language, &report.rule),
        pairs: Count(report.pairs),
        new_pairs: Count(report.new_pairs),
        largest_block: Count(report.largest_block),
        blocks_left_out: Count(report.blocks_left_out),
        pairs_left_out: Count(report.pairs_left_out),
        bar: Chart::cell([
            (length(report.pairs), "pairs"),
            (length(report.new_pairs), "new-pairs"),
        ]),
    };
    reports.iter().map(row).collect()
}
