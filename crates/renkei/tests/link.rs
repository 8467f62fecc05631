//! Linking the sample: what is written, what is counted, how good it is, and every option of `link`.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use renkei_tables::{ReadOptions, TableReader};
use serde_json::Value;
use support::sample::{self, data, payments, residents, truth};
use support::{Folder, Run, Sheet, assert_keys, assert_sums, cp932, keys, renkei, shared_folder};

const COLUMNS: [&str; 6] =
    ["list_id", "register_id", "outcome", "probability", "match_weight", "reason"];

/// The sample, linked once by four threads.
struct Linked {
    folder: PathBuf,
    run: Run,
    links: Sheet,
}

impl Linked {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn digest(&self) -> Value {
        self.run.json()["result_digest"].clone()
    }
}

fn linked() -> &'static Linked {
    static LINKED: OnceLock<Linked> = OnceLock::new();
    LINKED.get_or_init(|| {
        let folder = shared_folder("link-sample");
        let run = link(&folder, "links.csv", &residents(), &payments(), |run| {
            run.option("--candidates", folder.join("candidates.csv"));
            run.option("--save-model", folder.join("model.toml"));
            run.option("--report", folder.join("report.html"));
            run.option("--threads", "4");
        })
        .exits(0);
        let links = Sheet::read(&folder.join("links.csv"));
        Linked { folder, run, links }
    })
}

/// Arguments as they are collected.
struct Arguments(Vec<std::ffi::OsString>);

impl Arguments {
    fn flag(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn option(&mut self, name: &str, value: impl Into<std::ffi::OsString>) {
        self.0.extend([name.into(), value.into()]);
    }
}

/// Links into a file of the folder.
fn link(
    folder: &Path,
    output: &str,
    register: &Path,
    list: &Path,
    more: impl FnOnce(&mut Arguments),
) -> Run {
    let mut arguments = Arguments(vec!["link".into(), "--json".into()]);
    arguments.option("--register", register);
    arguments.option("--list", list);
    arguments.option("--output", folder.join(output));
    more(&mut arguments);
    renkei(arguments.0)
}

/// Links some lines of the sample into `links.csv` of a new folder.
fn link_some(lines: &Sheet, more: impl FnOnce(&mut Arguments, &Folder)) -> (Folder, Run) {
    let folder = Folder::new();
    let list = folder.write("some.csv", cp932(&lines.csv()));
    let place = folder.path("");
    let run = link(&place, "links.csv", &residents(), &list, |arguments| more(arguments, &folder));
    (folder, run)
}

fn evaluate(predictions: &Path) -> Value {
    renkei([
        "evaluate".as_ref(),
        "--json".as_ref(),
        "--predictions".as_ref(),
        predictions.as_os_str(),
        "--truth".as_ref(),
        truth().as_os_str(),
    ])
    .exits(0)
    .json()
}

/// Every so many-th line of the list that is no second application: cut out, it stands for itself.
fn cut(every: usize, lines: usize) -> Sheet {
    cut_from(0, every, lines)
}

/// The same from some row on.
fn cut_from(first: usize, every: usize, lines: usize) -> Sheet {
    let list = Sheet::read(&payments());
    let outcomes = linked().links.cells("outcome");
    let rows = (first..list.rows.len()).step_by(every);
    list.some(rows.filter(|&row| outcomes[row] != "DUPLICATE").take(lines))
}

/// Whether a text is a number with so many decimals.
fn has_decimals(text: &str, decimals: usize) -> bool {
    let fraction = text.split_once('.').map(|(_, fraction)| fraction.len());
    text.parse::<f64>().is_ok() && fraction == Some(decimals)
}

#[test]
fn every_line_of_the_sample_is_in_one_row_in_list_order() {
    let links = &linked().links;
    assert_eq!(links.header, COLUMNS);
    assert_eq!(links.cells("list_id"), Sheet::read(&payments()).cells("申請番号"));
    assert_eq!(links.map("list_id", "outcome").len(), 6_000);
}

#[test]
fn lines_and_yen_of_the_outcomes_add_up_to_those_of_the_list() {
    let json = linked().run.json();
    assert_sums(&json, sample::LINES, sample::YEN);
    assert_eq!(json["yen_unreadable"], 0);
    assert_eq!(json["register_records"], 20_000);
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in linked().links.cells("outcome") {
        *counted.entry(outcome).or_default() += 1;
    }
    for (outcome, total) in json["outcomes"].as_object().expect("outcomes") {
        let rows = counted.get(outcome.as_str()).copied().unwrap_or(0);
        assert_eq!(total["lines"], rows, "{outcome}");
    }
}

#[test]
fn the_json_of_a_link_has_the_keys_of_the_contract() {
    let json = linked().run.json();
    assert_keys(
        &json,
        &[
            "register_records",
            "list_lines",
            "candidate_pairs",
            "seconds",
            "cpu_seconds",
            "peak_rss_bytes",
            "outcomes",
            "yen_unreadable",
            "model_digest",
            "result_digest",
        ],
    );
    let stages = ["read", "normalise", "index", "train", "compare", "assign", "write", "total"];
    assert_keys(&json["seconds"], &stages);
    for stage in stages {
        assert!(json["seconds"][stage].as_f64().is_some_and(|seconds| seconds >= 0.0), "{stage}");
    }
    let names = [
        "AMBIGUOUS",
        "DUPLICATE",
        "LINKED",
        "LINKED_BY_CLERK",
        "NOT_FOUND",
        "REJECTED_INPUT",
        "REVIEW",
        "UNLINKABLE",
    ];
    assert_eq!(keys(&json["outcomes"]), names);
    for name in names {
        assert_keys(&json["outcomes"][name], &["lines", "yen"]);
    }
    for number in ["candidate_pairs", "peak_rss_bytes"] {
        assert!(json[number].as_u64().is_some_and(|number| number > 0), "{number}");
    }
    assert!(json["cpu_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    for digest in ["model_digest", "result_digest"] {
        assert!(json[digest].as_str().is_some_and(|digest| digest.len() >= 64), "{digest}");
    }
}

#[test]
fn numbers_have_the_decimals_of_the_contract_and_stand_where_a_person_is_named() {
    let links = &linked().links;
    for row in 0..links.rows.len() {
        let cells =
            ["register_id", "probability", "match_weight"].map(|name| links.cell(row, name));
        match links.cell(row, "outcome") {
            "NOT_FOUND" | "UNLINKABLE" | "REJECTED_INPUT" => assert_eq!(cells, [""; 3], "{row}"),
            _ => {
                assert_eq!(cells[0].len(), 15, "{row}");
                assert!(has_decimals(cells[1], 9) && has_decimals(cells[2], 3), "{cells:?}");
                let probability: f64 = cells[1].parse().expect("a number");
                let weight: f64 = cells[2].parse().expect("a number");
                let odds = weight.exp2();
                assert!((probability - odds / (1.0 + odds)).abs() < 0.001, "{cells:?}");
            }
        }
    }
}

#[test]
fn reasons_are_codes_and_name_a_line_only_where_one_is_meant() {
    let links = &linked().links;
    let ids = links.map("list_id", "outcome");
    let persons = links.map("list_id", "register_id");
    for row in 0..links.rows.len() {
        let (code, other) = match links.cell(row, "reason").split_once(':') {
            Some((code, other)) => (code, Some(other)),
            None => (links.cell(row, "reason"), None),
        };
        assert!(code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{code}");
        if links.cell(row, "outcome") == "DUPLICATE" {
            let holder = other.expect("the holder is named");
            assert_eq!(code, "HELD_BY_LINE");
            assert_eq!(ids[holder], "LINKED", "{holder}");
            assert_eq!(persons[holder], links.cell(row, "register_id"), "{holder}");
        } else {
            assert_eq!(other, None, "{code}");
        }
    }
}

#[test]
fn nobody_is_held_by_two_lines() {
    let links = &linked().links;
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, outcome) in links.cells("outcome").into_iter().enumerate() {
        if outcome == "LINKED" {
            let earlier = held.insert(links.cell(row, "register_id"), row);
            assert_eq!(earlier, None, "row {row}");
        }
    }
}

#[test]
fn the_sample_is_linked_nearly_without_error() {
    let links = &linked().links;
    let persons = sample::persons();
    let (mut right, mut wrong) = (0, Vec::new());
    for row in 0..links.rows.len() {
        if links.cell(row, "outcome") == "LINKED" {
            let line = links.cell(row, "list_id");
            if persons[line] == links.cell(row, "register_id") {
                right += 1;
            } else {
                wrong.push(line);
            }
        }
    }
    assert!(right + wrong.len() >= 5_000, "{right} right, {wrong:?} wrong");
    assert!(wrong.len() <= 10, "{wrong:?}");
}

#[test]
fn evaluate_says_how_well_the_sample_is_linked() {
    let json = evaluate(&linked().file("links.csv"));
    assert_eq!(json["lines"], 6_000);
    assert!(json["best"]["f1"].as_f64().is_some_and(|f1| f1 >= 0.98), "{json}");
    assert!(json["linked"]["precision"].as_f64().is_some_and(|p| p >= 0.998), "{json}");
    assert!(json["review_share"].as_f64().is_some_and(|share| share < 0.1), "{json}");
}

#[test]
fn candidates_are_ranked_from_one_above_the_floor_of_the_review_band() {
    let candidates = Sheet::read(&linked().file("candidates.csv"));
    assert_eq!(
        candidates.header,
        ["list_id", "register_id", "rank", "probability", "match_weight"]
    );
    let model = fs_err::read_to_string(linked().file("model.toml")).expect("a model");
    let floor: f64 = number_after(&model, "\nreview = ");
    let mut last: Option<(&str, u32, f64)> = None;
    let mut first_of: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for row in &candidates.rows {
        let [list_id, register_id, rank, probability, weight] = row.as_slice() else {
            panic!("five columns, not {}", row.len())
        };
        assert!(has_decimals(probability, 9) && has_decimals(weight, 3), "{row:?}");
        let (rank, weight_bits): (u32, f64) =
            (rank.parse().expect("a rank"), weight.parse().expect("a weight"));
        match last {
            Some((line, before, heavier)) if line == list_id => {
                assert_eq!(rank, before + 1, "{row:?}");
                assert!(weight_bits <= heavier, "{row:?}");
            }
            _ => {
                assert_eq!(rank, 1, "{row:?}");
                // What rivals take may put the others of a line below the floor, and only them.
                assert!(weight_bits >= floor - 1.0, "{row:?}");
                assert_eq!(first_of.insert(list_id, (register_id, weight)), None, "{row:?}");
            }
        }
        last = Some((list_id, rank, weight_bits));
    }
    // Who stands in the links is the first of the candidates.
    let links = &linked().links;
    for row in 0..links.rows.len() {
        let named = (links.cell(row, "register_id"), links.cell(row, "match_weight"));
        let first = first_of.get(links.cell(row, "list_id")).copied().unwrap_or_default();
        assert_eq!(named, first, "row {row}");
    }
}

/// The number behind a text.
fn number_after(text: &str, before: &str) -> f64 {
    let rest = text.split_once(before).expect("the number is there").1;
    rest.lines().next().and_then(|line| line.trim().parse().ok()).expect("a number")
}

#[test]
fn a_candidates_file_is_evaluated_without_outcomes() {
    let links = evaluate(&linked().file("links.csv"));
    let candidates = evaluate(&linked().file("candidates.csv"));
    for figure in ["linked", "with_review", "review_share"] {
        assert!(candidates[figure].is_null(), "{figure}");
        assert!(!links[figure].is_null(), "{figure}");
    }
    assert_eq!(candidates["best"], links["best"]);
    assert_eq!(candidates["recall_at_precision"], links["recall_at_precision"]);
}

#[test]
fn one_thread_and_four_give_the_same_bytes() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--candidates", folder.path("candidates.csv"));
        run.option("--threads", "1");
    })
    .exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    for name in ["links.csv", "candidates.csv"] {
        let (one, four) = (fs_err::read(folder.path(name)), fs_err::read(linked().file(name)));
        assert!(one.expect("written") == four.expect("written"), "{name} differs");
    }
}

/// Writes the rows of a table in another order.
fn shuffled(folder: &Folder, path: &Path, step: usize) -> PathBuf {
    let sheet = Sheet::read(path);
    let rows = sheet.rows.len();
    // A step that shares no factor with the rows visits every one.
    let other = sheet.some((0..rows).map(|row| (row * step + 17) % rows));
    let (id, name) = (&other.header[0], other.column("氏名"));
    assert_eq!(other.map(id, &other.header[name]).len(), rows);
    folder.write("shuffled.csv", other.csv())
}

#[test]
fn the_order_of_lines_changes_nothing() {
    let folder = Folder::new();
    let list = shuffled(&folder, &payments(), 1_237);
    let run = link(&folder.path(""), "links.csv", &residents(), &list, |_| {}).exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
    let links = Sheet::read(&folder.path("links.csv"));
    assert_eq!(links.cells("list_id"), Sheet::read(&list).cells("申請番号"));
    let mut rows = [links.rows, linked().links.rows.clone()];
    rows.iter_mut().for_each(|rows| rows.sort_unstable());
    assert!(rows[0] == rows[1]);
}

#[test]
fn the_order_of_residents_changes_neither_links_nor_model() {
    let folder = Folder::new();
    let register = shuffled(&folder, &residents(), 7_919);
    let run = link(&folder.path(""), "links.csv", &register, &payments(), |_| {}).exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
}

#[test]
fn a_saved_model_links_as_the_job_that_saved_it() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--model", linked().file("model.toml"));
        run.option("--save-model", folder.path("again.toml"));
    })
    .exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
    let models = [folder.path("again.toml"), linked().file("model.toml")];
    let [again, saved] = models.map(|path| fs_err::read_to_string(path).expect("a model"));
    assert_eq!(again, saved);
}

#[test]
fn a_model_with_one_number_changed_is_refused() {
    let model = fs_err::read_to_string(linked().file("model.toml")).expect("a model");
    let lines: Vec<&str> = model.lines().collect();
    let is_number = |line: &&&str| {
        line.split_once(" = ").is_some_and(|(_, value)| value.parse::<f64>().is_ok())
    };
    // One of the weights, one of the thresholds and one of the first lines.
    let changed: Vec<&str> = ["link = ", "m = 0.", "match_rate = "]
        .into_iter()
        .map(|start| {
            let found = lines.iter().filter(is_number).find(|line| line.starts_with(start));
            *found.unwrap_or_else(|| panic!("no line begins with {start}"))
        })
        .collect();
    for line in changed {
        let digit = line.rfind(|c: char| c.is_ascii_digit()).expect("a digit");
        let other = if line.ends_with('1') { "2" } else { "1" };
        let damaged = model.replacen(line, &format!("{}{other}", &line[..digit]), 1);
        assert_ne!(damaged, model);
        let folder = Folder::new();
        let path = folder.write("model.toml", damaged);
        let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
            run.option("--model", &path);
        });
        run.exits(2).says(&["model"]);
        assert_eq!(folder.names(), ["model.toml"], "{line}");
    }
}

#[test]
fn workbooks_and_parquet_hold_the_rows_of_the_csv_with_ids_as_text() {
    let lines = cut(20, 300);
    let links: Vec<(Folder, PathBuf)> = ["links.csv", "links.xlsx", "links.parquet"]
        .into_iter()
        .map(|name| {
            let folder = Folder::new();
            let list = folder.write("some.csv", cp932(&lines.csv()));
            let place = folder.path("");
            link(&place, name, &residents(), &list, |run| {
                run.option("--model", linked().file("model.toml"));
            })
            .exits(0);
            let path = folder.path(name);
            (folder, path)
        })
        .collect();
    let csv = Sheet::read(&links[0].1);
    assert_eq!(csv.rows.len(), lines.rows.len());
    let number = |text: &str| (!text.is_empty()).then(|| text.parse::<f64>().expect("a number"));
    for (_, path) in &links[1..] {
        let other = Sheet::read(path);
        assert_eq!(other.header, csv.header);
        assert_eq!(other.rows.len(), csv.rows.len());
        for (row, (left, right)) in csv.rows.iter().zip(&other.rows).enumerate() {
            for column in ["list_id", "register_id", "outcome", "reason"] {
                let column = csv.column(column);
                assert_eq!(left[column], right[column], "{} row {row}", path.display());
            }
            for column in ["probability", "match_weight"] {
                let column = csv.column(column);
                assert_eq!(number(&left[column]), number(&right[column]), "{}", path.display());
            }
        }
        let reader = TableReader::open(path, &ReadOptions::default()).expect("a table");
        let format = reader.report().format.as_str();
        assert_eq!(path.extension().and_then(|ending| ending.to_str()), Some(format));
    }
    // With their zeros: fifteen digits.
    assert!(csv.cells("register_id").iter().any(|id| id.starts_with("000000")));
}

#[test]
fn the_lists_own_columns_stand_behind_the_links_if_asked_for() {
    let lines = cut(150, 40);
    let (folder, run) = link_some(&lines, |run, _| {
        run.option("--model", linked().file("model.toml"));
        run.flag("--keep-columns");
    });
    run.exits(0);
    let links = Sheet::read(&folder.path("links.csv"));
    assert_eq!(links.header[..6], COLUMNS);
    assert_eq!(links.header[6..], lines.header);
    for (link, line) in links.rows.iter().zip(&lines.rows) {
        assert_eq!(link[6..], *line);
        assert_eq!(link[0], line[0]);
    }
    assert_eq!(links.rows.len(), lines.rows.len());
}

#[test]
fn many_lines_may_have_one_person_if_asked_for() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--model", linked().file("model.toml"));
        run.flag("--many-to-one");
    })
    .exits(0);
    let outcomes = &run.json()["outcomes"];
    assert_sums(&run.json(), sample::LINES, sample::YEN);
    assert_eq!(outcomes["DUPLICATE"]["lines"], 0);
    let of_one_to_one = &linked().run.json()["outcomes"];
    let linked_lines = |outcomes: &Value| outcomes["LINKED"]["lines"].as_u64().expect("a number");
    assert!(of_one_to_one["DUPLICATE"]["lines"].as_u64().is_some_and(|lines| lines > 100));
    assert!(linked_lines(outcomes) > linked_lines(of_one_to_one) + 100);
    let links = Sheet::read(&folder.path("links.csv"));
    assert!(!links.cells("outcome").contains(&"DUPLICATE"));
}

#[test]
fn a_report_is_one_file_that_needs_nothing_else() {
    let report = fs_err::read_to_string(linked().file("report.html")).expect("a report");
    assert!(report.contains("<html") && report.contains("<svg"));
    for outside in ["http", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!report.contains(outside), "{outside}");
    }
}

#[test]
fn a_report_shows_nobody() {
    let report = fs_err::read_to_string(linked().file("report.html")).expect("a report");
    assert!(report.contains("＊"), "no value is masked");
    for value in values(&residents()).into_iter().chain(values(&payments())) {
        assert!(!report.contains(&value), "{value}");
    }
}

#[test]
fn a_report_shows_values_if_asked_for() {
    let (folder, run) = link_some(&cut(60, 90), |run, folder| {
        run.option("--report", folder.path("report.html"));
        run.flag("--with-records");
    });
    run.exits(0);
    let report = fs_err::read_to_string(folder.path("report.html")).expect("a report");
    let shown = |path: &Path| values(path).iter().any(|value| report.contains(value.as_str()));
    assert!(shown(&residents()) && shown(&folder.path("some.csv")));
}

/// Names and kana that stand in a file.
fn values(path: &Path) -> Vec<String> {
    let sheet = Sheet::read(path);
    let columns = ["氏名", "氏名カナ"].map(|name| sheet.column(name));
    let cells = sheet.rows.iter().flat_map(|row| columns.map(|column| row[column].as_str()));
    let mut values: Vec<String> =
        cells.filter(|cell| cell.chars().count() > 3).map(str::to_owned).collect();
    values.sort_unstable();
    values.dedup();
    assert!(values.len() > 50, "{}", path.display());
    values
}

#[test]
fn a_rejected_line_is_a_failure_only_under_strict() {
    let mut lines = cut(600, 10);
    lines.set(3, "支給額", "五万");
    let model = linked().file("model.toml");
    let (_folder, lenient) = link_some(&lines, |run, _| run.option("--model", &model));
    let lenient = lenient.exits(0).says(&["warning", "some.csv", "AMOUNT_UNREADABLE"]);
    assert_eq!(lenient.json()["outcomes"]["REJECTED_INPUT"]["lines"], 1);
    let (folder, strict) = link_some(&lines, |run, _| {
        run.option("--model", &model);
        run.flag("--strict");
    });
    let strict = strict.exits(1);
    assert_eq!(strict.json()["result_digest"], lenient.json()["result_digest"]);
    assert_eq!(Sheet::read(&folder.path("links.csv")).rows.len(), 10);
    let (_folder, sound) = link_some(&cut(600, 10), |run, _| {
        run.option("--model", &model);
        run.flag("--strict");
    });
    sound.exits(0);
}

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays() {
    let folder = Folder::new();
    let lines = folder.write("some.csv", cp932(&cut(600, 10).csv()));
    let bytes = fs_err::read(&lines).expect("written");
    let place = folder.path("");
    for option in ["--output", "--candidates", "--save-model", "--report", "--blocking-report"] {
        let mut arguments = Arguments(vec!["link".into()]);
        arguments.option("--register", residents());
        arguments.option("--list", &lines);
        if option != "--output" {
            arguments.option("--output", place.join("links.csv"));
        }
        // The same file under another name.
        arguments.option(option, place.join(".").join("some.csv"));
        renkei(arguments.0).exits(3).says(&["some.csv"]);
        assert_eq!(fs_err::read(&lines).expect("still there"), bytes, "{option}");
        assert_eq!(folder.names(), ["some.csv"], "{option}");
    }
}

#[test]
fn two_outputs_of_one_name_are_refused() {
    let folder = Folder::new();
    let list = folder.write("some.csv", cp932(&cut(600, 10).csv()));
    fs_err::create_dir_all(folder.path("sub")).expect("a folder");
    // Neither is there yet, and a file has many names.
    for other in ["links.csv", "./links.csv", "sub/../links.csv"] {
        let run = link(&folder.path(""), "links.csv", &residents(), &list, |run| {
            run.option("--candidates", folder.path(other));
        });
        run.exits(3).says(&["links.csv"]);
        assert_eq!(folder.names(), ["some.csv", "sub"], "{other}");
    }
}

#[test]
fn a_few_lines_are_judged_as_they_are_among_thousands() {
    let persons = sample::persons();
    let among = linked().links.map("list_id", "outcome");
    for (first, lines) in [(0, 10), (77, 10), (1_234, 10), (0, 1), (2_500, 1), (5_999, 1)] {
        let lines = cut_from(first, 419, lines);
        let (folder, run) = link_some(&lines, |_, _| {});
        run.exits(0);
        let few = Sheet::read(&folder.path("links.csv"));
        let mut other = Vec::new();
        for row in 0..few.rows.len() {
            let (line, outcome) = (few.cell(row, "list_id"), few.cell(row, "outcome"));
            if outcome != among[line] {
                other.push((line, outcome, among[line]));
            }
            if outcome == "LINKED" {
                assert_eq!(few.cell(row, "register_id"), persons[line], "{line}");
            }
        }
        assert_eq!(few.rows.len(), lines.rows.len());
        assert!(other.len() <= lines.rows.len() / 10, "from row {first}: {other:?}");
    }
}

#[test]
fn a_file_without_names_is_no_register() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &data("truth.csv"), &payments(), |_| {});
    run.exits(2).says(&["truth.csv"]);
    assert!(folder.names().is_empty());
}
