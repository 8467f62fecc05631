//! `renkei explain`: why a line was linked to a record, and why not.

use renkei_linkage::{Inquiry, Linkable, Linkage, Options, RankedCandidate, link};
use renkei_types::{Localised, Reason};
use serde_json::{Value, json};

use super::shown_pairs::{FieldValues, Files};
use super::weight_texts::probability;
use super::{cardinality, read_model, threads};
use crate::arguments::ExplainArguments;
use crate::environment::Environment;
use crate::explained::{self, ExplainedPair};
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::progress::JobProgress;
use crate::table_input::{LoadedPair, SealedPair};
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
        let loaded = LoadedPair::read(input, environment)?;
        let SealedPair { linkable, register, list, .. } = loaded.seal(environment);
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
        let inquiry = linkage.inquire(&linkable, line);
        let resident = asked.or_else(|| inquiry.candidates().first().map(|best| best.resident));
        let shown = Shown { linkable: &linkable, linkage: &linkage, line, inquiry };
        let pair = match resident {
            Some(resident) => {
                let files = Files { input, register: &register, list: &list, masked: false };
                let values = files.values(&[(line, resident)])?.into_iter().next();
                Some((shown.pair(resident), values.unwrap_or_default()))
            }
            None => None,
        };
        if environment.json {
            json::print(&shown.json(pair.as_ref(), environment));
        } else {
            shown.print(pair.as_ref(), environment);
        }
        Ok(Exit::Done)
    })
}

struct Shown<'a> {
    linkable: &'a Linkable,
    linkage: &'a Linkage,
    line: u32,
    inquiry: Inquiry<'a>,
}

/// A pair and its values by field.
type PairWithValues = (ExplainedPair, FieldValues);

impl Shown<'_> {
    fn pair(&self, resident: u32) -> ExplainedPair {
        let id = |resident: u32| self.linkable.register_id(resident).to_owned();
        let line_id = |line: u32| self.linkable.list_id(line).to_owned();
        ExplainedPair {
            list_id: self.linkable.list_id(self.line).to_owned(),
            register_id: id(resident),
            explanation: self.inquiry.explain(resident),
            thresholds: self.inquiry.model().thresholds,
            against: self
                .inquiry
                .obstacles(resident)
                .into_iter()
                .map(|obstacle| obstacle.named(id, line_id))
                .collect(),
        }
    }

    fn json(&self, pair: Option<&PairWithValues>, environment: &Environment) -> Value {
        let decision = self.inquiry.decision();
        let rival = |candidate: &RankedCandidate| {
            json!({
                "register_id": self.linkable.register_id(candidate.resident),
                "rank": candidate.rank,
                "match_weight": candidate.weight.bits(),
                "probability": candidate.weight.probability(),
            })
        };
        let value = |(field, line, record): &(String, String, String)| json!({"field": field, "list": line, "register": record});
        let pair = pair.map(|(pair, values)| {
            let mut object = pair.json(environment.language);
            if let Some(object) = object.as_object_mut() {
                let values = values.iter().map(value).collect();
                object.insert("values".to_owned(), Value::Array(values));
            }
            object
        });
        let thresholds = self.inquiry.model().thresholds;
        let candidates = self.inquiry.candidates();
        json!({
            "list_id": self.linkable.list_id(self.line),
            "outcome": decision.outcome.as_str(),
            "reason": self.linkage.reason_text(self.linkable, &decision),
            "thresholds": {
                "link": thresholds.link.bits(),
                "review": thresholds.review.bits(),
                "margin": thresholds.margin.bits(),
            },
            "candidates": candidates.iter().take(RIVALS_MAX).map(rival).collect::<Vec<_>>(),
            "rules": explained::search_json(&self.inquiry.search()),
            "pair": pair,
        })
    }

    fn print(&self, pair: Option<&PairWithValues>, environment: &Environment) {
        let decision = self.inquiry.decision();
        print_line!(
            "{}: {} — {}",
            self.linkable.list_id(self.line),
            decision.outcome,
            decision.reason.localised(environment.language)
        );
        if let Some((pair, values)) = pair {
            print_values(pair, values, environment);
            pair.print(environment);
        }
        if self.inquiry.candidates().is_empty() {
            if decision.reason != Reason::NoEvidence {
                explained::print_search(&self.inquiry.search(), environment);
            }
        } else {
            self.print_rivals(environment);
        }
    }

    fn print_rivals(&self, environment: &Environment) {
        let candidates = self.inquiry.candidates();
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
}

fn print_values(pair: &ExplainedPair, values: &FieldValues, environment: &Environment) {
    let header = vec![
        environment.say("field", "項目").to_owned(),
        pair.list_id.clone(),
        pair.register_id.clone(),
    ];
    let mut table = text_table(header, &[]);
    for (field, line, record) in values {
        let field = words::field(environment.language, field);
        table.add_row(vec![&field, line, record]);
    }
    print_line!("\n{table}\n");
}
