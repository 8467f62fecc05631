//! `renkei explain`: why a line was linked to a record, and why not.

use renkei_linkage::{
    Decision, Explanation, Linkable, Linkage, MatchWeight, Options, WhyNot, link,
};
use renkei_types::Localised;
use serde_json::{Value, json};

use super::link::probability;
use super::shown_pairs::{FieldValues, Files};
use super::{cardinality, read_model, threads};
use crate::arguments::ExplainArguments;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::progress::JobProgress;
use crate::table_input::LoadedPair;
use crate::text_table::text_table;
use crate::words;

/// How many rivals are listed.
const RIVALS_MAX: usize = 5;

pub(crate) fn run(
    arguments: &ExplainArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let input = &arguments.input;
    let model = read_model(&arguments.model)?;
    threads(input.threads)?.install(|| {
        let (linkable, register, list) = LoadedPair::read(input, environment)?.seal();
        let list_file = || input.list.display().to_string();
        let line = linkable
            .list_row(&arguments.list_id)
            .ok_or_else(|| CommandError::UnknownLine { file: list_file() })?;
        let rejected = list.rejected();
        if let Some(&reason) = rejected.get(&line) {
            return Err(CommandError::RejectedLine { file: list_file(), reason }.into());
        }
        let asked = arguments
            .register_id
            .as_deref()
            .map(|id| {
                linkable.register_row(id).ok_or_else(|| CommandError::UnknownRecord {
                    file: input.register.display().to_string(),
                })
            })
            .transpose()?;
        let options =
            Options { cardinality: cardinality(input), model: Some(model), ..Options::default() };
        let progress = JobProgress::new(environment);
        let linkage = link(&linkable, &rejected, options, &environment.clock, &progress)?;
        drop(progress);
        let rivals = linkage.candidates(&linkable, line, MatchWeight::NEVER);
        let resident = asked.or_else(|| rivals.first().map(|best| best.resident));
        let pair = match resident {
            Some(resident) => {
                let files = Files { input, register: &register, list: &list, masked: false };
                let values = files.values(&[(line, resident)])?.into_iter().next();
                Some(PairShown {
                    resident,
                    explanation: linkage.explain(&linkable, line, resident),
                    why_not: linkage.why_not(&linkable, line, resident),
                    values: values.unwrap_or_default(),
                })
            }
            None => None,
        };
        let shown = Shown { linkable: &linkable, linkage: &linkage, line, pair };
        if environment.json {
            json::print(&shown.json(environment));
        } else {
            shown.print(environment);
        }
        Ok(Exit::Done)
    })
}

struct PairShown {
    resident: u32,
    explanation: Explanation,
    why_not: WhyNot,
    values: FieldValues,
}

struct Shown<'a> {
    linkable: &'a Linkable,
    linkage: &'a Linkage,
    line: u32,
    pair: Option<PairShown>,
}

impl Shown<'_> {
    fn decision(&self) -> &Decision {
        &self.linkage.decisions[self.line as usize]
    }

    fn json(&self, environment: &Environment) -> Value {
        let decision = self.decision();
        let rival = |candidate: &renkei_linkage::RankedCandidate| {
            json!({
                "register_id": self.linkable.register_id(candidate.resident),
                "rank": candidate.rank,
                "match_weight": candidate.weight.bits(),
                "probability": candidate.weight.probability(),
            })
        };
        let candidates = self.linkage.candidates(self.linkable, self.line, MatchWeight::NEVER);
        let pair = self.pair.as_ref().map(|pair| {
            let explanation = &pair.explanation;
            let term = |term: &renkei_linkage::Term| {
                json!({
                    "comparison": term.comparison,
                    "level": term.level,
                    "m": term.m,
                    "u": term.u,
                    "weight": term.weight.bits(),
                    "frequency": term.frequency.bits(),
                })
            };
            let value = |(field, line, record): &(String, String, String)| {
                json!({"field": field, "list": line, "register": record})
            };
            json!({
                "register_id": self.linkable.register_id(pair.resident),
                "prior": explanation.prior.bits(),
                "terms": explanation.terms.iter().map(term).collect::<Vec<_>>(),
                "relatives": explanation.relatives.bits(),
                "rivals": explanation.rivals.bits(),
                "match_weight": explanation.weight.bits(),
                "probability": explanation.weight.probability(),
                "blocking_rules": explanation.rules,
                "values": pair.values.iter().map(value).collect::<Vec<_>>(),
                "why_not": self.why_not(&pair.why_not, environment),
            })
        });
        json!({
            "list_id": self.linkable.list_id(self.line),
            "outcome": decision.outcome.as_str(),
            "reason": self.linkage.reason_text(self.linkable, decision),
            "thresholds": {
                "link": self.linkage.model.thresholds.link.bits(),
                "review": self.linkage.model.thresholds.review.bits(),
                "margin": self.linkage.model.thresholds.margin.bits(),
            },
            "candidates": candidates.iter().take(RIVALS_MAX).map(rival).collect::<Vec<_>>(),
            "pair": pair,
        })
    }

    fn print(&self, environment: &Environment) {
        let decision = self.decision();
        print_line!(
            "{}: {} — {}",
            self.linkable.list_id(self.line),
            decision.outcome,
            decision.reason.localised(environment.language)
        );
        let Some(pair) = &self.pair else {
            return;
        };
        self.print_values(pair, environment);
        self.print_waterfall(pair, environment);
        print_line!("{}", self.why_not(&pair.why_not, environment));
        if pair.explanation.rules.is_empty() {
            print_line!(
                "{}",
                environment.say(
                    "no blocking rule brings the two together",
                    "どのブロッキング規則でも候補になりません"
                )
            );
        } else {
            print_line!("{}:", environment.say("found by", "候補にした規則"));
            for rule in &pair.explanation.rules {
                print_line!("     {}", words::rule(environment.language, rule));
            }
        }
        self.print_rivals(environment);
    }

    fn print_values(&self, pair: &PairShown, environment: &Environment) {
        let header = vec![
            environment.say("field", "項目").to_owned(),
            self.linkable.list_id(self.line).to_owned(),
            self.linkable.register_id(pair.resident).to_owned(),
        ];
        let mut table = text_table(header, &[]);
        for (field, line, record) in &pair.values {
            let field = words::field(environment.language, field);
            table.add_row(vec![&field, line, record]);
        }
        print_line!("\n{table}\n");
    }

    fn print_waterfall(&self, pair: &PairShown, environment: &Environment) {
        let explanation = &pair.explanation;
        let header = vec![
            environment.say("term", "項"),
            environment.say("level", "段階"),
            "m",
            "u",
            environment.say("bits", "ビット"),
            environment.say("sum", "累計"),
            "",
        ];
        let mut table = text_table(header, &[2, 3, 4, 5]);
        let mut sum = MatchWeight::ZERO;
        let mut add =
            |name: &str, level: &str, chances: Option<(f64, f64)>, weight: MatchWeight| {
                let before = sum;
                sum += weight;
                let chance = |value: Option<f64>| {
                    value.map_or_else(String::new, |value| format!("{value:.2e}"))
                };
                table.add_row(vec![
                    name.to_owned(),
                    level.to_owned(),
                    chance(chances.map(|chances| chances.0)),
                    chance(chances.map(|chances| chances.1)),
                    weight.to_string(),
                    sum.to_string(),
                    bar(before, sum),
                ]);
            };
        add(environment.say("before any evidence", "事前"), "", None, explanation.prior);
        for term in &explanation.terms {
            let name = words::comparison(environment.language, &term.comparison);
            let level = words::level(environment.language, &term.level);
            add(&name, &level, Some((term.m, term.u)), term.weight);
            if term.frequency != MatchWeight::ZERO {
                add(
                    "",
                    environment.say("  frequency of the value", "  値の頻度"),
                    None,
                    term.frequency,
                );
            }
        }
        if explanation.relatives != MatchWeight::ZERO {
            let name = environment.say("relatives and namesakes", "家族・同姓同名");
            add(name, "", None, explanation.relatives);
        }
        if explanation.rivals != MatchWeight::ZERO {
            add(environment.say("rivals", "他の候補"), "", None, explanation.rivals);
        }
        print_line!("{table}");
        let thresholds = self.linkage.model.thresholds;
        print_line!(
            "{} {} ({} {}), {} {}, {} {}\n",
            environment.say("match weight", "一致度"),
            explanation.weight,
            environment.say("probability", "確率"),
            probability(explanation.weight),
            environment.say("link at", "リンクしきい値"),
            thresholds.link,
            environment.say("review at", "確認しきい値"),
            thresholds.review,
        );
    }

    fn print_rivals(&self, environment: &Environment) {
        let candidates = self.linkage.candidates(self.linkable, self.line, MatchWeight::NEVER);
        print_line!("\n{}", environment.say("candidates, best first:", "候補（良い順）:"));
        for candidate in candidates.iter().take(RIVALS_MAX) {
            let id = self.linkable.register_id(candidate.resident);
            print_line!(
                "{:>3}  {id}  {:>9}  {}",
                candidate.rank,
                candidate.weight,
                probability(candidate.weight)
            );
        }
        if candidates.len() > RIVALS_MAX {
            let more = candidates.len() - RIVALS_MAX;
            print_line!(
                "     {}",
                environment.language.pick(format!("and {more} more"), format!("ほか {more} 件"))
            );
        }
    }

    fn why_not(&self, why_not: &WhyNot, environment: &Environment) -> String {
        let id = |resident: u32| self.linkable.register_id(resident).to_owned();
        let (english, japanese) = match why_not {
            WhyNot::Linked => {
                ("linked: nothing stands against it".to_owned(), "リンク済み".to_owned())
            }
            WhyNot::NotCompared => (
                "not linked: the two were never compared".to_owned(),
                "リンクなし: 候補として比較されていません".to_owned(),
            ),
            WhyNot::Short(bits) => (
                format!("not linked: {bits} bits short of the link threshold"),
                format!("リンクなし: しきい値に {bits} ビット不足"),
            ),
            WhyNot::Rival { resident, by } if *by == MatchWeight::ZERO => (
                format!("not linked: {} fits exactly as well", id(*resident)),
                format!("リンクなし: {} が全く同程度に一致", id(*resident)),
            ),
            WhyNot::Rival { resident, by } => (
                format!("not linked: {} fits better by {by} bits", id(*resident)),
                format!("リンクなし: {} の方が {by} ビット良く一致", id(*resident)),
            ),
            WhyNot::SmallMargin { resident, short } => (
                format!(
                    "not linked: {} is too close, the margin is {short} bits short",
                    id(*resident)
                ),
                format!("リンクなし: {} との差が {short} ビット不足", id(*resident)),
            ),
            WhyNot::Other(reason) => (
                format!("not linked: {reason}"),
                format!("リンクなし: {}", reason.localised(environment.language)),
            ),
        };
        environment.language.pick(english, japanese)
    }
}

/// From one sum to the next on a line from -40 to +40 bits.
fn bar(from: MatchWeight, to: MatchWeight) -> String {
    const WIDTH: i32 = 40;
    let place = |weight: MatchWeight| {
        let bits = (weight.millibits() / 2_000 + WIDTH / 2).clamp(0, WIDTH);
        usize::try_from(bits).unwrap_or(0)
    };
    let (low, high) = (place(from.min(to)), place(from.max(to)));
    let letter = if to >= from { '█' } else { '░' };
    let filled: String = std::iter::repeat_n(letter, (high - low).max(1)).collect();
    format!("{}{filled}", " ".repeat(low))
}
