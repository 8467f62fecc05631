//! A pair's match weight as a waterfall: from the odds before any evidence, term by term, to the sum.
//!
//! One row a bar. The names of the rows are text of the page beside the chart (above the bars where the page is narrow),
//! so that they wrap and keep their size; `ROW` and `HEAD` are what both sides agree on.

use renkei_linkage::{Explanation, MatchWeight, Thresholds};
use renkei_types::{Language, Localised};

use super::chart::{Anchor, Chart, Mark, Scale};
use super::number::{chance, plain, probability, short, signed};
use super::{Kind, Waterfall, thresholds};
use crate::words;

/// Height of a row; its bar fills the lower part, the upper part is free for the name.
pub(crate) const ROW: f64 = 42.0;

/// Height above the first row.
pub(crate) const HEAD: f64 = thresholds::LABELS_HEIGHT;

const BAR_TOP: f64 = 19.0;
const BAR_HEIGHT: f64 = 16.0;

/// A pair as the page shows it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) title: &'static str,
    pub(crate) outcome: String,
    pub(crate) weight: String,
    pub(crate) probability: String,
    pub(crate) rules: Vec<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) chart: Chart,
    /// Field, value of the line, value of the record.
    pub(crate) values: Vec<(String, String, String)>,
    pub(crate) terms: Vec<TermRow>,
    pub(crate) prior: String,
    pub(crate) relatives: String,
    pub(crate) rivals: String,
}

/// A bar of the waterfall.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) detail: String,
    weight: MatchWeight,
    class: &'static str,
}

/// A row of the table beneath.
#[derive(Debug)]
pub(crate) struct TermRow {
    pub(crate) comparison: String,
    pub(crate) level: String,
    pub(crate) m: String,
    pub(crate) u: String,
    pub(crate) weight: String,
    pub(crate) frequency: String,
}

/// What the colours of the bars mean.
pub(crate) fn legend(language: Language) -> [(&'static str, &'static str); 5] {
    [
        ("gain", language.pick("speaks for one person", "同一人物らしい")),
        ("gain-frequency", language.pick("more, as the value is rare", "珍しい値のための加算")),
        ("loss", language.pick("speaks against it", "別人らしい")),
        (
            "loss-frequency",
            language.pick("less, as the value is common", "ありふれた値のための減算"),
        ),
        ("relatives", language.pick("relatives, namesakes and rivals", "家族・同姓同名・他の候補")),
    ]
}

impl Shown {
    pub(crate) fn of(waterfall: &Waterfall, cut: Thresholds, language: Language) -> Self {
        let Waterfall { kind, outcome, explanation, values } = waterfall;
        let title = match kind {
            Kind::Clear => language.pick("A clear case", "明らかな例"),
            Kind::Doubtful => language.pick("A doubtful case", "判断に迷う例"),
            Kind::Refused => language.pick("A refused case", "別人とみなした例"),
        };
        let steps = steps(explanation, language);
        let field = |(name, line, record): &(String, String, String)| {
            (words::field(language, name), line.clone(), record.clone())
        };
        Self {
            title,
            outcome: outcome.localised(language),
            weight: plain(explanation.weight),
            probability: probability(explanation.weight),
            rules: explanation.rules.iter().map(|rule| words::rule(language, rule)).collect(),
            chart: draw(&steps, explanation.weight, cut, language),
            steps,
            values: values.iter().map(field).collect(),
            terms: term_rows(explanation, language),
            prior: signed(explanation.prior),
            relatives: signed(explanation.relatives),
            rivals: signed(explanation.rivals),
        }
    }
}

/// The bars before the sum; a term that neither adds nor takes has none.
fn steps(explanation: &Explanation, language: Language) -> Vec<Step> {
    let mut steps = vec![Step {
        name: language.pick("Before any evidence", "比較前（事前）").to_owned(),
        detail: language.pick("one resident among all", "全住民のうちの一人").to_owned(),
        weight: explanation.prior,
        class: "prior",
    }];
    let signed =
        |weight: MatchWeight, gain, loss| if weight > MatchWeight::ZERO { gain } else { loss };
    for term in &explanation.terms {
        // The fields in brackets are named in the table beneath.
        let name = term.comparison.split(" (").next().unwrap_or_default();
        let name = words::comparison(language, name);
        steps.push(Step {
            name: name.clone(),
            detail: words::level(language, &term.level),
            weight: term.weight,
            class: signed(term.weight, "gain", "loss"),
        });
        let rarity = signed(
            term.frequency,
            language.pick("frequency of the value: rare", "値の頻度: 珍しい"),
            language.pick("frequency of the value: common", "値の頻度: ありふれている"),
        );
        steps.push(Step {
            name,
            detail: rarity.to_owned(),
            weight: term.frequency,
            class: signed(term.frequency, "gain-frequency", "loss-frequency"),
        });
    }
    steps.push(Step {
        name: language.pick("Relatives and namesakes", "家族・同姓同名").to_owned(),
        detail: language.pick("who would look alike", "似て見える別人の分").to_owned(),
        weight: explanation.relatives,
        class: "relatives",
    });
    steps.push(Step {
        name: language.pick("Rivals", "他の候補").to_owned(),
        detail: language
            .pick("whom the line may mean instead", "この行が指しうる別の住民の分")
            .to_owned(),
        weight: explanation.rivals,
        class: "relatives",
    });
    steps.retain(|step| step.weight != MatchWeight::ZERO);
    steps.push(Step {
        name: language.pick("Match weight", "一致度").to_owned(),
        detail: probability(explanation.weight),
        weight: explanation.weight,
        class: "total",
    });
    steps
}

/// Draws the steps; the last of them is the sum and starts from zero again.
fn draw(steps: &[Step], total: MatchWeight, cut: Thresholds, language: Language) -> Chart {
    let mut sum = MatchWeight::ZERO;
    let mut ends = Vec::with_capacity(steps.len());
    for (number, step) in steps.iter().enumerate() {
        if number + 1 == steps.len() {
            ends.push((MatchWeight::ZERO, total));
        } else {
            ends.push((sum, sum + step.weight));
            sum += step.weight;
        }
    }
    let bits = || ends.iter().flat_map(|(from, to)| [from.bits(), to.bits()]);
    let extremes = || bits().chain([cut.link.bits(), cut.review.bits()]);
    let (least, most) = (extremes().fold(0.0, f64::min), extremes().fold(0.0, f64::max));
    // Room at both ends for the numbers beside the bars, even on a phone.
    let air = (most - least).max(1.0) * 0.18;
    let scale = Scale { low: least - air, high: most + air };

    let mut y = HEAD;
    let mut marks = Vec::new();
    let bottom = ends.iter().fold(HEAD, |bottom, _| bottom + ROW);
    scale.axis(HEAD, bottom, &mut marks);
    thresholds::draw(cut, scale, bottom, language, &mut marks);
    for (number, (step, &(from, to))) in steps.iter().zip(&ends).enumerate() {
        let (x, width) = scale.between(from.bits(), to.bits());
        let at = scale.at(to.bits());
        let title = format!("{}: {} ({})", step.name, signed(step.weight), step.detail);
        let top = y + BAR_TOP;
        marks.push(Mark::Bar { x, width, y: top, height: BAR_HEIGHT, class: step.class, title });
        // The running sum leads down to where the next bar starts; the sum itself starts from zero.
        if number + 2 < steps.len() {
            let next = (at, top + ROW + BAR_HEIGHT);
            marks.push(Mark::Line { from: (at, top), to: next, class: "running" });
        }
        let (anchor, shift) = if to >= from { (Anchor::Start, 5.0) } else { (Anchor::End, -5.0) };
        let is_sum = number + 1 == steps.len();
        let class = if is_sum { "value sum" } else { "value" };
        let plus = if step.weight > MatchWeight::ZERO && !is_sum { "+" } else { "" };
        let text = format!("{plus}{}", short(step.weight));
        marks.push(Mark::Text { x: at, shift, y: top + 12.0, anchor, class, text });
        y += ROW;
    }
    let label = language.pick("Match weight, term by term", "一致度の内訳").to_owned();
    Chart { label, height: bottom + 22.0, marks }
}

fn term_rows(explanation: &Explanation, language: Language) -> Vec<TermRow> {
    let row = |term: &renkei_linkage::Term| TermRow {
        comparison: words::comparison(language, &term.comparison),
        level: words::level(language, &term.level),
        m: chance(term.m),
        u: chance(term.u),
        weight: signed(term.weight),
        frequency: signed(term.frequency),
    };
    explanation.terms.iter().map(row).collect()
}
