//! `renkei dedupe` as its users run it: one file in, the person of each record out.

mod support;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use support::people::{register, town};
use support::{Folder, Run, Sheet, assert_keys, renkei, renkei_in};

/// A town in which residents 10 and 20 are registered a second time.
fn town_with_duplicates() -> Sheet {
    let mut people = town(200);
    let (mut again, mut once_more) = (people[10].clone(), people[20].clone());
    again.id = "900000000000001".to_owned();
    again.kana = again.kana.replace('　', "");
    again.birth = again.birth.replace('-', "/");
    once_more.id = "900000000000002".to_owned();
    once_more.building = String::new();
    people.extend([again, once_more]);
    register(&people)
}

/// A folder with the file and what became of it.
struct Job {
    folder: Folder,
}

impl Job {
    fn of(file: impl AsRef<[u8]>) -> Self {
        let folder = Folder::new();
        folder.write("input.csv", file);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    fn arguments(&self, more: &[&OsStr]) -> Vec<OsString> {
        let own = [
            "dedupe".into(),
            "--input".into(),
            self.path("input.csv").into_os_string(),
            "--output".into(),
            self.path("people.csv").into_os_string(),
        ];
        own.into_iter().chain(more.iter().map(OsString::from)).collect()
    }

    fn run(&self, more: &[&str]) -> Run {
        renkei(self.arguments(&more.iter().map(OsStr::new).collect::<Vec<_>>()))
    }

    /// With `--pairs`.
    fn run_with_pairs(&self) -> Run {
        let pairs = self.path("pairs.csv");
        renkei(self.arguments(&["--json".as_ref(), "--pairs".as_ref(), pairs.as_os_str()]))
    }

    /// Records that are not the least of their cluster.
    fn joined(&self) -> Vec<(String, String)> {
        let people = Sheet::read(&self.path("people.csv"));
        assert_eq!(people.header, ["record_id", "cluster_id"]);
        let rows = people.rows.into_iter().map(|row| (row[0].clone(), row[1].clone()));
        rows.filter(|(record, cluster)| record != cluster).collect()
    }
}

#[test]
fn residents_who_are_registered_twice_are_found_with_the_built_in_schema() {
    let input = town_with_duplicates();
    let job = Job::of(input.csv());
    let run = job.run_with_pairs().exits(0);
    let (first, second) = (input.cell(10, "宛名番号"), input.cell(20, "宛名番号"));
    let wanted = [("900000000000001", first), ("900000000000002", second)];
    let wanted = wanted.map(|(record, cluster)| (record.to_owned(), cluster.to_owned()));
    assert_eq!(job.joined(), wanted);
    let people = Sheet::read(&job.path("people.csv"));
    assert_eq!(people.cells("record_id"), input.cells("宛名番号"), "every record, in its order");

    let pairs = Sheet::read(&job.path("pairs.csv"));
    assert_eq!(pairs.header, ["id_a", "id_b", "probability", "match_weight"]);
    let of_pair = |a: &str, b: &str| {
        let ids = |row: &usize| pairs.cell(*row, "id_a") == a && pairs.cell(*row, "id_b") == b;
        (0..pairs.rows.len()).filter(ids).count()
    };
    assert_eq!((of_pair(first, "900000000000001"), of_pair("900000000000001", first)), (1, 0));
    for row in 0..pairs.rows.len() {
        let number = |column: &str| -> f64 { pairs.cell(row, column).parse().expect("a number") };
        let probability = 1.0 / (1.0 + (-number("match_weight")).exp2());
        assert!((probability - number("probability")).abs() < 1e-6);
        assert!(pairs.cell(row, "id_a") < pairs.cell(row, "id_b"));
    }

    let json = run.json();
    assert_keys(
        &json,
        &["records", "clusters", "candidate_pairs", "pairs", "seconds", "cpu_seconds"],
    );
    assert_keys(&json, &["peak_rss_bytes", "model_digest", "result_digest"]);
    assert_eq!((&json["records"], &json["clusters"]), (&202.into(), &200.into()));
    assert_eq!(json["pairs"], pairs.rows.len());
    assert_eq!(json["records_with_duplicates"], 4);
}

#[test]
fn the_order_of_the_file_and_the_number_of_threads_change_nothing() {
    let input = town_with_duplicates();
    let job = Job::of(input.csv());
    let digest = |run: Run| run.exits(0).json()["result_digest"].clone();
    let wanted = digest(job.run(&["--json", "--threads", "1"]));
    assert_eq!(digest(job.run(&["--json", "--threads", "3"])), wanted);
    let reversed = Job::of(input.some((0..input.rows.len()).rev()).csv());
    assert_eq!(digest(reversed.run(&["--json"])), wanted);
}

#[test]
fn a_saved_model_is_used_as_it_is_and_one_of_another_schema_is_refused() {
    let job = Job::of(town_with_duplicates().csv());
    let model = job.path("model.toml");
    let save = renkei(job.arguments(&["--json".as_ref(), "--save-model".as_ref(), model.as_ref()]));
    let saved = save.exits(0).json();
    let uses = |job: &Job, more: &[&OsStr]| {
        let model: [&OsStr; 3] = ["--json".as_ref(), "--model".as_ref(), model.as_ref()];
        renkei(job.arguments(&[&model, more].concat()))
    };
    let used = uses(&job, &[]).exits(0).json();
    for key in ["model_digest", "result_digest"] {
        assert_eq!(used[key], saved[key], "{key}");
    }
    let schema = job.folder.write(
        "schema.toml",
        "id = { input = \"宛名番号\" }\n[[field]]\nname = \"住所\"\nkind = \"free_text\"\ncolumn = \"住所\"\n",
    );
    uses(&job, &["--schema".as_ref(), schema.as_os_str()]).exits(2).says(&["name order"]);
}

#[test]
fn a_higher_threshold_joins_no_more() {
    let job = Job::of(town_with_duplicates().csv());
    job.run(&[]).exits(0);
    assert_eq!(job.joined().len(), 2);
    job.run(&["--threshold", "0.999999"]).exits(0);
    assert!(job.joined().len() < 2, "{:?}", job.joined());
    for unusable in ["0", "1", "1.5", "-0.1", "NaN", "half"] {
        job.run(&[&format!("--threshold={unusable}")]).exits(2);
    }
}

#[test]
fn rejected_records_stand_alone_and_are_told() {
    let mut input = town_with_duplicates();
    input.rows[10].pop();
    input.set(30, "宛名番号", "");
    let job = Job::of(input.csv());
    job.run(&[]).exits(0).says(&["FIELD_COUNT", "line 12", "ID_MISSING", "line 32"]);
    let people = Sheet::read(&job.path("people.csv"));
    assert_eq!(people.rows.len(), 201, "a record without an id cannot be named");
    assert_eq!(people.map("record_id", "cluster_id")["900000000000001"], "900000000000001");
    job.run(&["--strict"]).exits(1);
}

#[test]
fn a_repeated_id_refuses_the_file() {
    let mut input = town_with_duplicates();
    let id = input.cell(3, "宛名番号").to_owned();
    input.set(7, "宛名番号", &id);
    let job = Job::of(input.csv());
    job.run(&[]).exits(3).says(&["input.csv", "5", "9", "宛名番号"]).hides(&[&id]);
    assert_eq!(job.folder.names(), ["input.csv"]);
}

#[test]
fn an_output_that_is_the_input_is_refused() {
    let job = Job::of(town_with_duplicates().csv());
    let (input, output) = (job.path("input.csv"), job.path("people.csv"));
    let run = |output: &Path, more: &[&OsStr]| {
        let own: [&OsStr; 5] = [
            "dedupe".as_ref(),
            "--input".as_ref(),
            input.as_ref(),
            "--output".as_ref(),
            output.as_ref(),
        ];
        renkei([&own, more].concat())
    };
    run(&input, &[]).exits(3).says(&["input.csv"]);
    run(&output, &["--pairs".as_ref(), output.as_ref()]).exits(3).says(&["people.csv"]);
    run(&output, &["--save-model".as_ref(), input.as_ref()]).exits(3).says(&["input.csv"]);
}

#[test]
fn people_are_told_in_their_language() {
    let job = Job::of(town_with_duplicates().csv());
    let said = renkei_in("ja_JP.UTF-8", job.arguments(&[])).exits(0);
    assert!(said.stdout.contains("202 件の記録は 200 人分です"), "{}", said.stdout);
    let said = job.run(&[]).exits(0);
    assert!(said.stdout.contains("202 records are 200 persons"), "{}", said.stdout);
}
