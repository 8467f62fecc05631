//! `renkei dedupe`: one file in, the person of each record out.

use std::path::Path;

use renkei_linkage::{DedupeOptions, Deduplication, IndexTimes, dedupe};
use renkei_tables::{Column, TableWriter};
use serde_json::{Value, json};

use super::weight_texts::{WeightText, WeightTexts};
use super::{distinct_files, read_model, repeated_fields, threads, write_text};
use crate::arguments::DedupeArguments;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json::{self, rounded};
use crate::progress::{JobProgress, Progress};
use crate::resources::Resources;
use crate::stage_seconds::StageSeconds;
use crate::table_input::{Loaded, LoadedInput};

pub(crate) fn run(arguments: &DedupeArguments, environment: &Environment) -> Result<Exit, Failure> {
    let inputs = [
        Some(&arguments.input),
        arguments.schema.as_ref(),
        arguments.layout.as_ref(),
        arguments.model.as_ref(),
    ];
    let outputs =
        [Some(&arguments.output), arguments.pairs.as_ref(), arguments.save_model.as_ref()];
    distinct_files(
        inputs.into_iter().flatten().map(|path| path.as_path()),
        outputs.into_iter().flatten().map(|path| path.as_path()),
    )?;
    let model = arguments.model.as_deref().map(read_model).transpose()?;
    threads(arguments.threads)?.install(|| {
        let mut times = StageSeconds::start(environment);
        let LoadedInput { input, records } =
            LoadedInput::read(arguments, model.as_ref(), environment)?;
        times.mark("read");
        times.mark("normalise");
        times.index(records.index().times(), IndexTimes::default());
        repeated_fields::warn(records.index(), environment);
        let options = DedupeOptions { model, join_at: arguments.threshold };
        let progress = JobProgress::new(environment);
        let found = dedupe(records, options, &environment.clock, &progress)?;
        drop(progress);
        times.stages(&found.times);
        Job { arguments, environment, input, found }.write(times)
    })
}

/// A finished job and everything that is written about it.
struct Job<'a> {
    arguments: &'a DedupeArguments,
    environment: &'a Environment,
    input: Loaded,
    found: Deduplication,
}

/// What came out, in numbers.
struct Counts {
    records: u64,
    clusters: u64,
    /// Records that share their cluster with another.
    records_with_duplicates: u64,
    largest_cluster: u64,
    pairs: Option<u64>,
}

impl Job<'_> {
    fn write(&self, mut times: StageSeconds<'_>) -> Result<Exit, Failure> {
        let mut counts = self.write_clusters()?;
        if let Some(path) = &self.arguments.pairs {
            counts.pairs = Some(self.write_pairs(path)?);
        }
        if let Some(path) = &self.arguments.save_model {
            write_text(path, &self.found.model.to_toml())?;
        }
        times.mark("write");
        if self.environment.json {
            json::print(&self.json(&counts, &times));
        } else {
            self.tell(&counts);
        }
        self.input.warn_of_rejections(self.environment);
        let too_common = self.found.too_common;
        if too_common > 0 {
            self.environment.warn(
                &format!("{too_common} records share what they say with too many others to be compared; give more fields"),
                &format!("{too_common} 件の記録は、同じ値の記録が多すぎるため比べていません。項目を増やしてください"),
            );
        }
        let rejected = !self.input.admitted.rejections().is_empty();
        Ok(if rejected && self.arguments.strict { Exit::FoundWrong } else { Exit::Done })
    }

    /// One row a record, in the file's order. A record without an id cannot be named; any other rejected record stands
    /// alone.
    fn write_clusters(&self) -> Result<Counts, Failure> {
        let columns = ["record_id", "cluster_id"].map(Column::text);
        let mut writer = TableWriter::create(&self.arguments.output, &columns)?;
        let clusters = &self.found.clusters;
        let progress = self.progress("writing", "書き出し", clusters.len());
        let mut sizes = vec![0u64; clusters.len()];
        for (row, &cluster) in (0u32..).zip(clusters) {
            let id = self.found.id(row);
            if !id.is_empty() {
                writer.row([id, self.found.id(cluster)])?;
                sizes[cluster as usize] += 1;
            }
            if row % 4096 == 0 {
                progress.set(u64::from(row));
            }
        }
        writer.finish()?;
        Ok(Counts {
            records: sizes.iter().sum(),
            clusters: sizes.iter().filter(|&&size| size > 0).count() as u64,
            records_with_duplicates: sizes.iter().filter(|&&size| size > 1).sum(),
            largest_cluster: sizes.iter().copied().max().unwrap_or(0),
            pairs: None,
        })
    }

    fn write_pairs(&self, path: &Path) -> Result<u64, Failure> {
        let ids = ["id_a", "id_b"].map(Column::text);
        let numbers = ["probability", "match_weight"].map(Column::float);
        let columns: Vec<Column> = ids.into_iter().chain(numbers).collect();
        let mut writer = TableWriter::create(path, &columns)?;
        let mut written = 0;
        let mut weights = WeightTexts::default();
        for pair in self.found.pairs() {
            let WeightText { probability, match_weight } = weights.of(Some(pair.weight));
            writer.row([
                self.found.id(pair.a),
                self.found.id(pair.b),
                probability,
                match_weight,
            ])?;
            written += 1;
        }
        writer.finish()?;
        Ok(written)
    }

    fn progress(&self, english: &str, japanese: &str, lines: usize) -> Progress {
        Progress::lines(self.environment, english, japanese, lines as u64)
    }

    fn json(&self, counts: &Counts, times: &StageSeconds<'_>) -> Value {
        let resources = Resources::of_process();
        json!({
            "records": counts.records,
            "clusters": counts.clusters,
            "records_with_duplicates": counts.records_with_duplicates,
            "largest_cluster": counts.largest_cluster,
            "rejected": self.input.admitted.rejections().len(),
            "too_common": self.found.too_common,
            "candidate_pairs": self.found.candidate_pairs,
            "pairs": counts.pairs,
            "seconds": times.json(),
            "cpu_seconds": rounded(resources.cpu_seconds),
            "peak_rss_bytes": resources.peak_rss_bytes,
            "model_digest": self.found.model.digest().to_string(),
            "result_digest": self.found.result_digest().to_string(),
        })
    }

    fn tell(&self, counts: &Counts) {
        let Counts { records, clusters, records_with_duplicates, largest_cluster, .. } = counts;
        let environment = self.environment;
        print_line!(
            "{}",
            environment.say(
                &format!(
                    "{records} records are {clusters} persons; {records_with_duplicates} records share their person \
                     with another, {largest_cluster} at most"
                ),
                &format!(
                    "{records} 件の記録は {clusters} 人分です。{records_with_duplicates} 件が他の記録と同じ人です\
                     （一人あたり最大 {largest_cluster} 件）"
                ),
            )
        );
        let output = self.arguments.output.display();
        environment.note(&format!("clusters: {output}"), &format!("名寄せ結果: {output}"));
    }
}
