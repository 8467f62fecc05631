//! The report of a linkage: one HTML page that needs nothing else.
//!
//! It says first what a clerk must know, in one sentence, and ends with what an auditor compares, two digests. No script,
//! no font, no picture comes from elsewhere, so the page may be kept and printed for as long as the payment is on file.
//! Invariant: a value of a file reaches the page only through the escaping of a template.

mod blocking;
pub(crate) mod chart;
mod histogram;
pub(crate) mod number;
pub(crate) mod outcomes;
mod page;
mod summary;
mod thresholds;
mod waterfall;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use askama::Template;
use renkei_linkage::{BlockingReport, Decision, Explanation, Outcome, OutcomeTotals, Thresholds};
use renkei_types::{Digest, Language};

/// Everything the report shows.
#[derive(Debug)]
pub(crate) struct ReportInput<'a> {
    pub(crate) language: Language,
    /// Whether values of records are hidden.
    pub(crate) masked: bool,
    /// Name, format and encoding of the register and of the list, for people.
    pub(crate) register: FileSummary,
    pub(crate) list: FileSummary,
    pub(crate) totals: &'a OutcomeTotals,
    pub(crate) thresholds: Thresholds,
    /// The decision on every line, in list order.
    pub(crate) decisions: &'a [Decision],
    pub(crate) blocking: &'a [BlockingReport],
    pub(crate) candidate_pairs: usize,
    /// One clear, one doubtful, one refused pair, as far as there are such.
    pub(crate) waterfalls: Vec<Waterfall>,
    /// Stage names (already in the language) and seconds.
    pub(crate) seconds: Vec<(String, f64)>,
    pub(crate) peak_rss_bytes: u64,
    pub(crate) model_digest: Digest,
    pub(crate) result_digest: Digest,
    /// Lines the model was trained on; 0 for a prior model.
    pub(crate) trained_lines: u64,
}

/// A file in the report.
#[derive(Debug)]
pub(crate) struct FileSummary {
    pub(crate) name: String,
    /// Such as "CSV, CP932".
    pub(crate) format: String,
    pub(crate) rows: usize,
}

/// Why a pair is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Linked without doubt.
    Clear,
    /// For a clerk.
    Doubtful,
    /// Not the same person.
    Refused,
}

/// A pair laid open.
#[derive(Debug)]
pub(crate) struct Waterfall {
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) explanation: Explanation,
    /// Field, value of the line, value of the record; masked already where they must be.
    pub(crate) values: Vec<(String, String, String)>,
}

/// The page.
pub(crate) fn render(input: &ReportInput<'_>) -> String {
    // Unwrap safety: a template fails only where a value's `Display` does, and none here can.
    page::Page::new(input).render().expect("every value of the page can be displayed")
}
