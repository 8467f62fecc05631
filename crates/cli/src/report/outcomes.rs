//! The outcomes of a list in lines and yen, as rows of a table and as bars.

use renkei_linkage::{Outcome, OutcomeTotals, Total};
use renkei_types::{Language, Localised, Yen};

use super::chart::{Anchor, Chart, Mark};
use super::number::{Count, as_length, share};

/// Where the share of yen outside the largest outcome is too small to see, it gets a bar of its own.
const ENLARGE_BELOW: f64 = 20.0;

/// The class that colours an outcome.
pub(crate) fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Linked => "linked",
        Outcome::LinkedByClerk => "clerk",
        Outcome::Review => "review",
        Outcome::Ambiguous => "ambiguous",
        Outcome::Duplicate => "duplicate",
        Outcome::NotFound => "not-found",
        Outcome::Unlinkable => "unlinkable",
        Outcome::RejectedInput => "rejected",
    }
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) class: &'static str,
    pub(crate) code: &'static str,
    pub(crate) name: String,
    pub(crate) lines: Count,
    pub(crate) share: String,
    pub(crate) yen: Count,
    pub(crate) share_of_yen: String,
    pub(crate) bar: Chart,
}

/// One row for every outcome, those without lines too: a missing row would leave open whether it was forgotten.
pub(crate) fn rows(totals: &OutcomeTotals, language: Language) -> Vec<Row> {
    let whole = sum(totals, |_| true);
    let most = Outcome::ALL.map(|outcome| totals.of(outcome).lines).into_iter().max();
    let most = as_length(most.unwrap_or(0).max(1));
    let row = |outcome: Outcome| {
        let Total { lines: own, yen } = totals.of(outcome);
        Row {
            class: class(outcome),
            code: outcome.as_str(),
            name: outcome.localised(language),
            lines: Count(own),
            share: share(own, whole.lines),
            yen: Count(yen.0),
            share_of_yen: share(yen.0, whole.yen.0),
            bar: Chart::cell([(100.0 * as_length(own) / most, class(outcome))]),
        }
    };
    Outcome::ALL.into_iter().map(row).collect()
}

/// The sum over some outcomes; yen that do not fit are held at the most that can be counted.
pub(crate) fn sum(totals: &OutcomeTotals, wanted: impl Fn(Outcome) -> bool) -> Total {
    let wanted = || Outcome::ALL.into_iter().filter(|outcome| wanted(*outcome));
    Total {
        lines: wanted().map(|outcome| totals.of(outcome).lines).sum(),
        yen: wanted().map(|outcome| totals.of(outcome).yen).sum(),
    }
}

/// All yen in one bar; beneath it, enlarged, what remains beside an outcome that fills nearly all of it. Nothing for a
/// list without amounts.
pub(crate) fn yen_bar(totals: &OutcomeTotals, language: Language) -> Option<Chart> {
    let all = sum(totals, |_| true).yen.0;
    if all == 0 {
        return None;
    }
    let largest = Outcome::ALL.into_iter().max_by_key(|outcome| totals.of(*outcome).yen)?;
    let rest = all - totals.of(largest).yen.0;
    let mut marks = Vec::new();
    let after = stack(totals, language, all, |_| true, 0.0, &mut marks);
    let mut height = after;
    let rest_share = 100.0 * as_length(rest) / as_length(all);
    if rest > 0 && rest_share < ENLARGE_BELOW {
        let text = language.pick(
            format!("All but “{}”, enlarged: {}", largest.localised(language), share(rest, all)),
            format!("「{}」以外を拡大: {}", largest.localised(language), share(rest, all)),
        );
        marks.push(Mark::Text {
            x: 0.0,
            shift: 0.0,
            y: after + 22.0,
            anchor: Anchor::Start,
            class: "note",
            text,
        });
        height = stack(totals, language, rest, |one| one != largest, after + 30.0, &mut marks);
    }
    let label = language.pick("Yen by outcome", "結果別の金額").to_owned();
    Some(Chart { label, height, marks })
}

/// Lays outcomes end to end over the whole width, at `y`; says where the bar ends below.
fn stack(
    totals: &OutcomeTotals,
    language: Language,
    whole: u64,
    wanted: impl Fn(Outcome) -> bool,
    y: f64,
    marks: &mut Vec<Mark>,
) -> f64 {
    let height = 30.0;
    let mut x = 0.0;
    for outcome in Outcome::ALL.into_iter().filter(|outcome| wanted(*outcome)) {
        let yen = totals.of(outcome).yen;
        if yen == Yen(0) {
            continue;
        }
        let width = 100.0 * as_length(yen.0) / as_length(whole);
        let name = outcome.localised(language);
        let title = language.pick(format!("{name}: {yen} yen"), format!("{name}: {yen}円"));
        marks.push(Mark::Bar { x, width, y, height, class: class(outcome), title });
        x += width;
    }
    y + height
}
