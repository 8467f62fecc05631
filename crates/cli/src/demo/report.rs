//! The report of a demo: one HTML page that needs nothing else, in the form of the linkage report.
//!
//! Invariant: it shows sums, seconds and digests only; nothing of it is about a person, made up or not.

use askama::Template;
use renkei_linkage::evaluation::Accuracy;
use renkei_types::{Language, Yen};

use super::closing::Closing;
use super::stages::Stages;
use crate::report::chart::Chart;
use crate::report::number::{self, Count, as_length};
use crate::report::outcomes;

/// The page.
#[derive(Debug, Template)]
#[template(path = "demo.html")]
struct Page {
    language: Language,
    summary: String,
    well: bool,
    lines: Count,
    yen: Yen,
    before: Vec<outcomes::Row>,
    after: Vec<outcomes::Row>,
    yen_bar: Option<Chart>,
    steps: Vec<StepRow>,
    accuracies: Vec<AccuracyRow>,
    questions: String,
    /// Stage, seconds, bar.
    stages: Vec<(String, String, Chart)>,
    seconds: String,
    entries: Count,
    root: String,
    verified: &'static str,
}

/// A step of the reconciliation.
#[derive(Debug)]
struct StepRow {
    step: String,
    lines: Count,
    yen: Count,
    bar: Chart,
}

/// How good links are.
#[derive(Debug)]
struct AccuracyRow {
    name: &'static str,
    precision: String,
    recall: String,
    f1: String,
    links: Count,
    false_links: Count,
}

/// The page as text.
pub(super) fn render(closing: &Closing, language: Language, stages: &Stages<'_>) -> String {
    // Unwrap safety: a template fails only where a value's `Display` does, and none here can.
    Page::new(closing, language, stages).render().expect("every value of the page can be displayed")
}

impl Page {
    /// Outcomes before and after review, each with its title.
    fn outcome_tables(&self) -> [(String, &[outcomes::Row]); 2] {
        let before = self.language.pick("Decided by the engine", "自動判定");
        let after = self.language.pick("After review", "職員の確認後");
        [(before.to_owned(), &self.before), (after.to_owned(), &self.after)]
    }

    fn new(closing: &Closing, language: Language, stages: &Stages<'_>) -> Self {
        let declared = closing.declared;
        let step = |step: &super::money::Step| {
            let part = as_length(step.totals.yen) / as_length(declared.yen.max(1));
            StepRow {
                step: step.step.clone(),
                lines: Count(step.totals.lines),
                yen: Count(step.totals.yen),
                bar: Chart::cell([(100.0 * part, "pairs")]),
            }
        };
        let named = stages.named();
        let longest = named.iter().map(|(_, seconds)| *seconds).fold(1e-9, f64::max);
        let stage = |(name, seconds): (String, f64)| {
            let bar = Chart::cell([(100.0 * seconds / longest, "pairs")]);
            (name, number::seconds(seconds), bar)
        };
        let accuracies = [
            (language.pick("Decided by the engine", "自動判定"), closing.before.evaluation.linked),
            (language.pick("After review", "職員の確認後"), closing.after.evaluation.linked),
        ];
        Self {
            language,
            summary: summary(closing, language),
            well: closing.is_well(),
            lines: Count(declared.lines),
            yen: Yen(declared.yen),
            before: outcomes::rows(&closing.before.totals, language),
            after: outcomes::rows(&closing.after.totals, language),
            yen_bar: outcomes::yen_bar(&closing.after.totals, language),
            steps: closing.reconciled.all().map(step).collect(),
            accuracies: accuracies
                .into_iter()
                .filter_map(|(name, found)| Some(AccuracyRow::new(name, found?)))
                .collect(),
            questions: questions(closing, language),
            stages: named.into_iter().map(stage).collect(),
            seconds: number::seconds(stages.total()),
            entries: Count(closing.audited.verification.size),
            root: closing.root().unwrap_or_default(),
            verified: match closing.verified() {
                true => language.pick("yes", "はい"),
                false => language.pick("no", "いいえ"),
            },
        }
    }

    /// The text of the reader's language.
    fn say<'t>(&self, english: &'t str, japanese: &'t str) -> &'t str {
        self.language.pick(english, japanese)
    }

    fn language_tag(&self) -> &'static str {
        self.language.pick("en", "ja")
    }
}

impl AccuracyRow {
    fn new(name: &'static str, found: Accuracy) -> Self {
        let share = |value: f64| format!("{value:.6}");
        Self {
            name,
            precision: share(found.precision),
            recall: share(found.recall),
            f1: share(found.f1),
            links: Count(found.links),
            false_links: Count(found.links - found.right),
        }
    }
}

fn summary(closing: &Closing, language: Language) -> String {
    let (lines, yen) = (Count(closing.declared.lines), Yen(closing.declared.yen));
    let (paid, sum) = (Count(closing.certified.lines), Yen(closing.certified.yen));
    let decided = Count(closing.decided.total());
    language.pick(
        format!(
            "A list of {lines} lines ({yen} yen) went through a broker: clerks looked at {decided} lines, two people \
             certified {paid} lines ({sum} yen), and the treasury received them."
        ),
        format!(
            "{lines}件（{yen}円）のリストを連携サーバーで処理しました。職員が{decided}件を確認し、2人が{paid}件\
             （{sum}円）の支給を確定し、会計課が受領しました。"
        ),
    )
}

fn questions(closing: &Closing, language: Language) -> String {
    let answered = &closing.answered;
    let (right, questions) = (answered.right, answered.questions);
    let median = answered.median.as_secs_f64() * 1000.0;
    language.pick(
        format!("At the counter, {right} of {questions} questions named the person; the median answer took {median:.1} ms, with its entry in the log already durable."),
        format!("窓口での照会は{questions}件中{right}件で本人を特定しました。回答時間の中央値は{median:.1}ミリ秒で、回答前に監査ログへ記録されています。"),
    )
}
