//! What the tour came to: one table for people, one object for programs, and whether all is well.

use renkei_api::v1::{Job, Totals};
use renkei_linkage::{Outcome, OutcomeTotals};
use renkei_types::{Digest, Localised as _, Yen};
use serde_json::{Value, json};

use super::audit::Audited;
use super::counter::Answered;
use super::linkage::Results;
use super::money::{Reconciled, Step};
use super::review::Decided;
use super::stages::Stages;
use crate::broker::step_name;
use crate::commands::evaluate::figures;
use crate::environment::Environment;
use crate::json::{self, rounded};
use crate::resources::Resources;
use crate::text_table::text_table;

/// Everything that the tour found.
pub(super) struct Closing {
    pub(super) register_records: u64,
    /// What the list was sealed with.
    pub(super) declared: Totals,
    pub(super) job: Job,
    /// What the engine decided.
    pub(super) before: Results,
    /// The same after the clerks.
    pub(super) after: Results,
    pub(super) decided: Decided,
    pub(super) lines_already_paid: u64,
    pub(super) certified: Totals,
    /// As the receiver counted.
    pub(super) delivered: Totals,
    /// As the bank's file says.
    pub(super) transferred: Totals,
    pub(super) answered: Answered,
    pub(super) reconciled: Reconciled,
    pub(super) audited: Audited,
}

impl Closing {
    /// Whether the receiver and the bank's file have what was certified.
    pub(super) fn money_agrees(&self) -> bool {
        self.certified == self.delivered && self.certified == self.transferred
    }

    /// Whether the log is what was signed.
    pub(super) fn verified(&self) -> bool {
        self.audited.verification.ok
    }

    pub(super) fn is_well(&self) -> bool {
        self.reconciled.balanced && self.money_agrees() && self.verified()
    }

    /// The root of the log, or nothing where its checkpoint cannot be relied on.
    pub(super) fn root(&self) -> Option<String> {
        self.audited.verification.root.map(|root| root.to_string())
    }

    /// As the machine contract names it.
    pub(super) fn json(&self, stages: &Stages<'_>) -> Value {
        let resources = Resources::of_process();
        let step = |step: &Step| json!({"step": step.step, "lines": step.totals.lines, "yen": step.totals.yen});
        let totals = |totals: Totals| json!({"lines": totals.lines, "yen": totals.yen});
        json!({
            "register_records": self.register_records,
            "list_lines": self.declared.lines,
            "candidate_pairs": Value::Null,
            "seconds": stages.json(),
            "cpu_seconds": rounded(resources.cpu_seconds),
            "peak_rss_bytes": resources.peak_rss_bytes,
            "outcomes": json::outcomes(&self.before.totals),
            // An amount that cannot be read would have refused the seal.
            "yen_unreadable": 0,
            "model_digest": digest(&self.job.model_digest),
            "result_digest": digest(&self.job.result_digest),
            "verified": self.verified(),
            "log": {"leaves": self.audited.verification.size, "root": self.root()},
            "reconcile": self.reconciled.all().map(step).collect::<Vec<_>>(),
            "evaluation": figures(&self.before.evaluation, self.before.expectation),
            "balanced": self.reconciled.balanced,
            "outcomes_after_review": json::outcomes(&self.after.totals),
            "evaluation_after_review": figures(&self.after.evaluation, self.after.expectation),
            "review": {
                "linked": self.decided.linked,
                "nobody": self.decided.nobody,
                "duplicate": self.decided.duplicate,
                "set_aside": self.decided.set_aside,
            },
            "declared": totals(self.declared),
            "certified": totals(self.certified),
            "lines_already_paid": self.lines_already_paid,
            "delivered": totals(self.delivered),
            "transferred": totals(self.transferred),
            "identify": {
                "questions": self.answered.questions,
                "right": self.answered.right,
                "median_ms": rounded(self.answered.median.as_secs_f64() * 1000.0),
            },
        })
    }

    /// One table.
    pub(super) fn print(&self, environment: &Environment, stages: &Stages<'_>) {
        let say = |english: &str, japanese: &str| environment.say(english, japanese).to_owned();
        let header =
            vec![String::new(), say("lines", "件数"), say("yen", "金額（円）"), String::new()];
        let mut table = text_table(header, &[1, 2]);
        let mut group = |title: String, rows: Vec<[String; 4]>| {
            table.add_row(vec![title]);
            for [name, lines, yen, words] in rows {
                table.add_row(vec![format!("  {name}"), lines, yen, words]);
            }
        };
        group(say("decided by the engine", "自動判定"), outcomes(&self.before.totals, environment));
        group(say("after review", "職員の確認後"), outcomes(&self.after.totals, environment));
        let language = environment.language;
        let row = |name: &str, totals: Totals| {
            let words = match step_name(name, language) {
                words if words == name => String::new(),
                words => words.to_owned(),
            };
            [name.to_owned(), totals.lines.to_string(), Yen(totals.yen).to_string(), words]
        };
        let steps = self.reconciled.arrival.iter().chain(&self.reconciled.steps);
        let mut steps: Vec<_> = steps.map(|step| row(&step.step, step.totals)).collect();
        steps.push(row(&say("bank file", "振込データ"), self.transferred));
        group(say("step by step", "段階別"), steps);
        let figure = |name: String, value: String| [name, value, String::new(), String::new()];
        let accuracy = self.before.evaluation.linked.unwrap_or_default();
        let share = |value: f64| format!("{value:.6}");
        group(
            say("the engine against the truth", "自動判定と正解の比較"),
            vec![
                figure(say("precision", "適合率"), share(accuracy.precision)),
                figure(say("recall", "再現率"), share(accuracy.recall)),
                figure("F1".to_owned(), share(accuracy.f1)),
            ],
        );
        let total = (say("total", "合計"), stages.total());
        let seconds = stages.named().into_iter().chain([total]);
        let seconds = seconds.map(|(name, seconds)| figure(name, format!("{seconds:.2}")));
        group(say("seconds", "所要秒数"), seconds.collect());
        let well = if self.verified() { say("yes", "はい") } else { say("no", "いいえ") };
        let size = self.audited.verification.size.to_string();
        let log =
            vec![figure(say("entries", "件数"), size), figure(say("verified", "検証済み"), well)];
        group(say("log", "監査ログ"), log);
        print_line!("{table}");
        print_line!("{}: {}", say("root of the log", "ルート"), self.root().unwrap_or_default());
    }

    /// Tells what is not well.
    pub(super) fn warn(&self, environment: &Environment) {
        if !self.reconciled.balanced {
            environment.warn(
                "lines or yen do not add up to what was declared",
                "件数または金額が申告値と一致しません",
            );
        }
        if !self.money_agrees() {
            environment.warn(
                "what was delivered or written for the bank is not what was certified",
                "配信または振込データが確定した内容と一致しません",
            );
        }
        if let Some(bad) = &self.audited.verification.first_bad {
            let what = bad.localised(environment.language);
            environment.warn(
                &format!("the log does not verify: {what}"),
                &format!("監査ログを検証できません: {what}"),
            );
        }
    }
}

fn digest(bytes: &[u8]) -> Value {
    let bytes: Result<[u8; 32], _> = bytes.try_into();
    bytes.map_or(Value::Null, |bytes| json!(Digest::from_bytes(bytes).to_string()))
}

/// The outcomes that occur.
fn outcomes(totals: &OutcomeTotals, environment: &Environment) -> Vec<[String; 4]> {
    let row = |outcome: Outcome| {
        let total = totals.of(outcome);
        let words = outcome.localised(environment.language);
        [outcome.to_string(), total.lines.to_string(), total.yen.to_string(), words]
    };
    let occurs = |outcome: &Outcome| totals.of(*outcome).lines > 0;
    Outcome::ALL.into_iter().filter(occurs).map(row).collect()
}
