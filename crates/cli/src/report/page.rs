//! What the page says, before it is laid out by the template.

use askama::Template;
use renkei_linkage::Total;
use renkei_types::{Language, Yen};

use super::chart::Chart;
use super::histogram::Histogram;
use super::number::{self, Count, grouped, share};
use super::waterfall::{self, Shown};
use super::{FileSummary, ReportInput, blocking, outcomes, summary};

/// The page.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub(crate) struct Page<'a> {
    input: &'a ReportInput<'a>,
    summary: String,
    /// What deserves attention; nothing where nothing is wrong.
    notices: Vec<String>,
    received: String,
    lines: Count,
    yen: Yen,
    files: [(&'static str, &'a FileSummary, Count); 2],
    outcomes: Vec<outcomes::Row>,
    yen_bar: Option<Chart>,
    histogram: Option<Histogram>,
    blocking: Vec<blocking::Row>,
    waterfalls: Vec<Shown>,
    /// Stage, seconds, bar.
    stages: Vec<(&'a str, String, Chart)>,
    seconds: String,
    memory: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(input: &'a ReportInput<'a>) -> Self {
        let language = input.language;
        let Total { lines, yen } = outcomes::sum(input.totals, |_| true);
        let longest = input.seconds.iter().map(|(_, seconds)| *seconds).fold(1e-9, f64::max);
        let stage = |(name, seconds): &'a (String, f64)| {
            let bar = Chart::cell([(100.0 * seconds / longest, "pairs")]);
            (name.as_str(), number::seconds(*seconds), bar)
        };
        let shown = |waterfall| Shown::of(waterfall, input.thresholds, language);
        Self {
            input,
            summary: summary::sentence(input),
            notices: summary::notices(input),
            received: summary::received(input),
            lines: Count(lines),
            yen,
            files: [
                (language.pick("List", "リスト"), &input.list, Count(input.list.rows as u64)),
                (
                    language.pick("Register", "台帳"),
                    &input.register,
                    Count(input.register.rows as u64),
                ),
            ],
            memory: number::bytes(input.peak_rss_bytes),
            outcomes: outcomes::rows(input.totals, language),
            yen_bar: outcomes::yen_bar(input.totals, language),
            histogram: Histogram::of(input.decisions, input.thresholds, language),
            blocking: blocking::rows(input.blocking, language),
            waterfalls: input.waterfalls.iter().map(shown).collect(),
            stages: input.seconds.iter().map(stage).collect(),
            seconds: number::seconds(input.seconds.iter().map(|(_, seconds)| seconds).sum()),
        }
    }

    /// The text of the reader's language.
    fn say<'t>(&self, english: &'t str, japanese: &'t str) -> &'t str {
        self.input.language.pick(english, japanese)
    }

    fn language_tag(&self) -> &'static str {
        self.input.language.pick("en", "ja")
    }

    /// The pairs that were compared, against all that there are.
    fn compared(&self) -> String {
        let pairs = self.input.candidate_pairs as u64;
        let (residents, lines) = (self.input.register.rows as u64, self.input.list.rows as u64);
        let all = residents.saturating_mul(lines);
        let (pairs, all, part) = (grouped(pairs), grouped(all), share(pairs, all));
        self.input.language.pick(
            format!("{pairs} of {all} possible pairs ({part}) were compared: those that agree on at least one rule."),
            format!("考えられる{all}組のうち、いずれかの規則で一致した{pairs}組（{part}）を比較しました。"),
        )
    }

    /// The weights and probabilities at which outcomes divide.
    fn thresholds(&self) -> String {
        let cut = self.input.thresholds;
        let [link, review] = [cut.link, cut.review]
            .map(|weight| (number::plain(weight), number::probability(weight)));
        let margin = number::plain(cut.margin);
        self.input.language.pick(
            format!(
                "Link threshold: {} bits (probability {}). Review threshold: {} bits ({}). The best resident must \
                 lead the second by {margin} bits.",
                link.0, link.1, review.0, review.1
            ),
            format!(
                "リンクしきい値: {}ビット（確率 {}）。確認しきい値: {}ビット（確率 {}）。最良の候補は次点を{margin}ビット以上\
                 上回る必要があります。",
                link.0, link.1, review.0, review.1
            ),
        )
    }

    fn trained(&self) -> String {
        let lines = self.input.trained_lines;
        let language = self.input.language;
        if lines == 0 {
            language.pick("not trained: prior model", "学習なし（事前の値）").to_owned()
        } else {
            language.pick(
                format!("trained on {} lines", grouped(lines)),
                format!("{}行で学習", grouped(lines)),
            )
        }
    }
}
