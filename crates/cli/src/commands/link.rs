//! `renkei link`: two files in, one row a line out.

use std::borrow::Cow;
use std::path::Path;

use renkei_linkage::{
    Costs, Decision, HeldBack, Linkable, Linkage, Options, Outcome, OutcomeTotals, link,
};
use renkei_tables::{Column, TableReader, TableWriter};
use renkei_types::{Digest, Localised};
use serde_json::{Value, json};

use super::shown_pairs::{self, Files};
use super::weight_texts::WeightTexts;
use super::{cardinality, distinct_files, read_model, threads, write_text};
use crate::arguments::LinkArguments;
use crate::blocking_report;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json::{self, rounded};
use crate::progress::{JobProgress, Progress};
use crate::report::{self, FileSummary, ReportInput, Waterfall};
use crate::resources::Resources;
use crate::stage_seconds::StageSeconds;
use crate::table_input::{Loaded, LoadedPair, SealedPair};
use crate::text_table::text_table;

pub(crate) fn run(arguments: &LinkArguments, environment: &Environment) -> Result<Exit, Failure> {
    let input = &arguments.input;
    let inputs = [Some(&input.register), Some(&input.list), input.schema.as_ref()];
    let layouts =
        [input.register_layout.as_ref(), input.list_layout.as_ref(), arguments.model.as_ref()];
    let outputs = [
        Some(&arguments.output),
        arguments.candidates.as_ref(),
        arguments.save_model.as_ref(),
        arguments.report.as_ref(),
        arguments.blocking_report.as_ref(),
    ];
    distinct_files(
        inputs.into_iter().chain(layouts).flatten().map(|path| path.as_path()),
        outputs.into_iter().flatten().map(|path| path.as_path()),
    )?;
    let model = arguments.model.as_deref().map(read_model).transpose()?;
    threads(input.threads)?.install(|| {
        let mut times = StageSeconds::start(environment);
        let loaded = LoadedPair::read(input, environment)?;
        let of_register = loaded.index.times();
        times.mark("read");
        let sealed = loaded.seal(environment);
        times.mark("normalise");
        times.index(of_register, sealed.times);
        let SealedPair { linkable, register, list, .. } = sealed;
        let rejected = list.rejected();
        let costs = Costs {
            false_link: f64::from(arguments.false_link_cost),
            missed_link: f64::from(arguments.missed_link_cost),
        };
        let options = Options { cardinality: cardinality(input), model, costs };
        let progress = JobProgress::new(environment);
        let linkage = link(&linkable, &rejected, options, &environment.clock, &progress)?;
        drop(progress);
        times.stages(&linkage.times);
        let totals = totals(&linkage, &list)?;
        let job = Job { arguments, environment, linkable, linkage, register, list, totals };
        job.write(times)
    })
}

/// Lines and yen by outcome.
fn totals(linkage: &Linkage, list: &Loaded) -> Result<OutcomeTotals, Failure> {
    let mut totals = OutcomeTotals::default();
    let has_amounts = list.binding.amount.is_some();
    for (row, decision) in linkage.decisions.iter().enumerate() {
        let amount = if has_amounts { list.admitted.amount(row) } else { Some(Default::default()) };
        totals
            .add(decision.outcome, amount)
            .map_err(|error| CommandError::Plain(format!("{}: {error}", list.report.file)))?;
    }
    Ok(totals)
}

/// A finished linkage and everything that is written about it.
struct Job<'a> {
    arguments: &'a LinkArguments,
    environment: &'a Environment,
    linkable: Linkable,
    linkage: Linkage,
    register: Loaded,
    list: Loaded,
    totals: OutcomeTotals,
}

impl Job<'_> {
    fn write(&self, mut times: StageSeconds<'_>) -> Result<Exit, Failure> {
        self.check_sum()?;
        self.write_links()?;
        if let Some(path) = &self.arguments.candidates {
            self.write_candidates(path)?;
        }
        if let Some(path) = &self.arguments.save_model {
            write_text(path, &self.linkage.model_with_report(&self.linkable).to_toml())?;
        }
        let result_digest = self.linkage.result_digest(&self.linkable);
        times.mark("write");
        if let Some(path) = &self.arguments.report {
            write_text(path, &self.report(&times, result_digest)?)?;
        }
        if let Some(path) = &self.arguments.blocking_report {
            blocking_report::write(path, &self.linkable, &self.linkage)?;
        }
        if self.environment.json {
            json::print(&self.json(&times, result_digest));
        } else {
            self.print_totals();
        }
        self.warn();
        let rejected = self.totals.of(Outcome::RejectedInput).lines > 0;
        Ok(if rejected && self.arguments.strict { Exit::FoundWrong } else { Exit::Done })
    }

    fn write_links(&self) -> Result<(), Failure> {
        let columns = ["list_id", "register_id", "outcome"].map(Column::text);
        let numbers = ["probability", "match_weight"].map(Column::float);
        let mut columns: Vec<Column> = columns.into_iter().chain(numbers).collect();
        columns.push(Column::text("reason"));
        let mut kept = self.arguments.keep_columns.then(|| self.kept_columns()).transpose()?;
        if let Some(kept) = &kept {
            let own: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
            columns.extend(kept.header.iter().map(|name| {
                let taken = own.contains(name);
                Column::text(if taken { format!("list.{name}") } else { name.clone() })
            }));
        }
        let mut writer = TableWriter::create(&self.arguments.output, &columns)?;
        let progress = self.progress("writing", "書き出し");
        let mut weights = WeightTexts::default();
        for (line, decision) in self.linkage.lines_with_decisions(&self.linkable) {
            let register_id =
                decision.best.map_or("", |(resident, _)| self.linkable.register_id(resident));
            let weight = weights.of(decision.best.map(|(_, weight)| weight));
            let reason = self.reason(decision);
            let row = [
                self.linkable.list_id(line),
                register_id,
                decision.outcome.as_str(),
                &weight.probability,
                &weight.match_weight,
                &reason,
            ];
            match &mut kept {
                None => writer.row(row)?,
                Some(kept) => {
                    let cells = kept.next_row()?;
                    let cells = cells.iter().map(String::as_str);
                    writer.row(row.into_iter().chain(cells).collect::<Vec<_>>())?;
                }
            }
            if line % 4096 == 0 {
                progress.set(u64::from(line));
            }
        }
        Ok(writer.finish()?)
    }

    /// The reason's code, put together with a list id only where one is meant.
    fn reason(&self, decision: &Decision) -> Cow<'static, str> {
        match decision.holder {
            Some(_) => Cow::Owned(self.linkage.reason_text(&self.linkable, decision)),
            None => Cow::Borrowed(decision.reason.as_str()),
        }
    }

    /// The list's own columns, read from the file again: holding them all the while would cost more memory than
    /// everything else.
    fn kept_columns(&self) -> Result<KeptColumns, Failure> {
        let reader = TableReader::open(&self.arguments.input.list, &self.list.options)?;
        let file = self.list.report.file.clone();
        if reader.header() != self.list.header {
            return Err(CommandError::Changed { file }.into());
        }
        Ok(KeptColumns { header: self.list.header.clone(), reader, batch: None, at: 0, file })
    }

    fn write_candidates(&self, path: &Path) -> Result<(), Failure> {
        let mut columns: Vec<Column> = ["list_id", "register_id"].map(Column::text).into();
        columns.push(Column::integer("rank"));
        columns.extend(["probability", "match_weight"].map(Column::float));
        let mut writer = TableWriter::create(path, &columns)?;
        let floor = self.linkage.model.thresholds.review;
        let progress = self.progress("writing candidates", "候補の書き出し");
        let mut weights = WeightTexts::default();
        for (line, decision) in self.linkage.lines_with_decisions(&self.linkable) {
            if decision.outcome != Outcome::RejectedInput {
                for candidate in self.linkage.candidates(&self.linkable, line, floor) {
                    let rank = candidate.rank.to_string();
                    let weight = weights.of(Some(candidate.weight));
                    let list_id = self.linkable.list_id(line);
                    let register_id = self.linkable.register_id(candidate.resident);
                    writer.row([
                        list_id,
                        register_id,
                        &rank,
                        &weight.probability,
                        &weight.match_weight,
                    ])?;
                }
            }
            if line % 4096 == 0 {
                progress.set(u64::from(line));
            }
        }
        Ok(writer.finish()?)
    }

    fn progress(&self, english: &str, japanese: &str) -> Progress {
        Progress::lines(self.environment, english, japanese, self.linkage.decisions.len() as u64)
    }

    /// Lines and yen over the outcomes equal those of the file; a difference would be a fault of this program.
    fn check_sum(&self) -> Result<(), Failure> {
        let sum = self.totals.sum().map_err(|error| CommandError::Plain(error.to_string()))?;
        let admitted = &self.list.admitted;
        let has_amounts = self.list.binding.amount.is_some();
        if sum.lines != admitted.lines() || (has_amounts && sum.yen != admitted.yen()) {
            let message =
                "lines or yen over the outcomes differ from the file's; please report this";
            return Err(CommandError::Plain(message.to_owned()).into());
        }
        Ok(())
    }

    fn json(&self, times: &StageSeconds<'_>, result_digest: Digest) -> Value {
        let resources = Resources::of_process();
        let unreadable =
            if self.list.binding.amount.is_some() { self.totals.yen_unreadable() } else { 0 };
        json!({
            "register_records": self.linkable.register_records(),
            "list_lines": self.linkable.list_lines(),
            "candidate_pairs": self.linkage.candidate_pairs,
            "seconds": times.json(),
            "cpu_seconds": rounded(resources.cpu_seconds),
            "peak_rss_bytes": resources.peak_rss_bytes,
            "outcomes": json::outcomes(&self.totals),
            "yen_unreadable": unreadable,
            "model_digest": self.linkage.model.digest().to_string(),
            "result_digest": result_digest.to_string(),
        })
    }

    fn print_totals(&self) {
        let environment = self.environment;
        let header = vec![
            environment.say("outcome", "判定"),
            environment.say("lines", "件数"),
            environment.say("yen", "金額（円）"),
            "",
        ];
        let mut table = text_table(header, &[1, 2]);
        let mut add = |name: String, total: renkei_linkage::Total, words: String| {
            table.add_row(vec![name, total.lines.to_string(), total.yen.to_string(), words]);
        };
        for outcome in Outcome::ALL {
            let total = self.totals.of(outcome);
            if total.lines > 0 {
                add(outcome.to_string(), total, outcome.localised(environment.language));
            }
        }
        if let Ok(sum) = self.totals.sum() {
            add(environment.say("total", "合計").to_owned(), sum, String::new());
        }
        print_line!("{table}");
        environment.note(
            &format!("links: {}", self.arguments.output.display()),
            &format!("照合結果: {}", self.arguments.output.display()),
        );
    }

    fn warn(&self) {
        let environment = self.environment;
        self.register.warn_of_rejections(environment);
        self.list.warn_of_rejections(environment);
        self.warn_of_rules();
        self.warn_of_lines_held_back();
        let left_out: u64 = self.linkage.blocking.iter().map(|rule| rule.blocks_left_out).sum();
        if left_out > 0 {
            environment.warn(
                &format!("{left_out} blocks were too large for their rule and left to the other rules (see --blocking-report)"),
                &format!("{left_out} 個のブロックは大きすぎるため他の規則に任せました（--blocking-report 参照）"),
            );
        }
    }

    fn warn_of_lines_held_back(&self) {
        let Some(HeldBack { lines, one_wrong_in }) = self.linkage.held_back() else { return };
        self.environment.warn(
            &format!("{lines} lines are more than 95 % certain and go to a clerk all the same, since with them about one link in {one_wrong_in} would be wrong, which is more than wrong links may cost. Give the list a column that tells people apart, above all the date of birth, or accept it with --false-link-cost {one_wrong_in} and without --model"),
            &format!("{lines} 件は 95 % 以上確実ですが要確認としました。一致とすると約 {one_wrong_in} 件に 1 件が誤りとなり、許容する費用を超えるためです。生年月日など本人を見分けられる列を一覧に加えるか、許容できる場合は --model を使わずに --false-link-cost {one_wrong_in} を指定してください"),
        );
    }

    fn warn_of_rules(&self) {
        let left_out = self.linkage.rules_left_out;
        if left_out > 0 {
            self.environment.warn(
                &format!("{left_out} blocking rules of three fields were left out because there would be too many; leave fields that say little out of the schema"),
                &format!("三つの項目を組み合わせる規則が多すぎるため {left_out} 個を使いませんでした。役に立たない項目をスキーマから外してください"),
            );
        }
    }

    fn waterfalls(&self) -> Result<Vec<Waterfall>, Failure> {
        let files = Files {
            input: &self.arguments.input,
            register: &self.register,
            list: &self.list,
            masked: !self.arguments.with_records,
        };
        shown_pairs::waterfalls(&self.linkable, &self.linkage, &files)
    }

    fn report(&self, times: &StageSeconds<'_>, result_digest: Digest) -> Result<String, Failure> {
        let summary = |loaded: &Loaded, rows: usize| FileSummary {
            name: loaded.report.file.clone(),
            format: loaded.format(),
            rows,
        };
        Ok(report::render(&ReportInput {
            language: self.environment.language,
            masked: !self.arguments.with_records,
            register: summary(&self.register, self.linkable.register_records()),
            list: summary(&self.list, self.linkable.list_lines()),
            totals: &self.totals,
            thresholds: self.linkage.model.thresholds,
            decisions: &self.linkage.decisions,
            blocking: &self.linkage.blocking,
            candidate_pairs: self.linkage.candidate_pairs,
            waterfalls: self.waterfalls()?,
            seconds: times.named(self.environment),
            peak_rss_bytes: Resources::of_process().peak_rss_bytes,
            model_digest: self.linkage.model.digest(),
            result_digest,
            trained_lines: self.linkage.model.trained_lines,
        }))
    }
}

/// The rows of the list, a second time.
struct KeptColumns {
    header: Vec<String>,
    reader: TableReader,
    batch: Option<renkei_tables::Batch>,
    at: usize,
    file: String,
}

impl KeptColumns {
    fn next_row(&mut self) -> Result<Vec<String>, Failure> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.rows()) {
            self.at = 0;
            self.batch = self.reader.next_batch()?;
            if self.batch.is_none() {
                return Err(CommandError::Changed { file: self.file.clone() }.into());
            }
        }
        let cells = self.batch.as_ref().map_or_else(Vec::new, |batch| {
            (0..self.header.len()).map(|column| batch.cell(column, self.at).to_owned()).collect()
        });
        self.at += 1;
        Ok(cells)
    }
}
