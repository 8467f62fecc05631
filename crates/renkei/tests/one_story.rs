//! One pair, one story: `explain`, the report and a broker show the same numbers, to the thousandth of a bit.

mod support;

use serde_json::Value;
use support::broker::Broker;
use support::{Sheet, renkei};

/// Thousandths of a bit.
#[track_caller]
fn millibits(value: &Value) -> i64 {
    let bits = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    #[expect(clippy::cast_possible_truncation, reason = "weights are small")]
    let millibits = (bits * 1_000.0).round() as i64;
    millibits
}

/// Every number of a pair, with the names of what is compared.
fn numbers(pair: &Value) -> Vec<(String, i64)> {
    let single = ["prior", "relatives", "rivals", "match_weight"];
    let single = single.map(|key| (key.to_owned(), millibits(&pair[key])));
    let terms = pair["terms"].as_array().expect("terms").iter().flat_map(|term| {
        let name = format!("{} {} {}", term["comparison"], term["view"], term["level"]);
        [(name.clone(), millibits(&term["weight"])), (name, millibits(&term["frequency"]))]
    });
    single.into_iter().chain(terms).collect()
}

#[test]
fn a_broker_the_report_and_explain_tell_one_story() {
    let broker = Broker::start();
    let (residents, payments) =
        (broker.town("files/residents.csv"), broker.town("files/payments.csv"));
    let (residents, payments) =
        (residents.to_str().expect("a path"), payments.to_str().expect("a path"));
    let programme = broker.programme("one-story");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "wave-1"]);
    let text = |value: &Value, key: &str| value[key].as_str().expect("a text").to_owned();
    let (list, upload) = (text(&opened, "list_id"), text(&opened, "upload_id"));
    broker.done("payments", &["list", "seal", &upload, payments]);
    let register = broker.register();
    let both = ["--list", &list, "--dataset", &register];
    let created = broker.done("payments", &[&["job", "create"][..], &both].concat());
    let job = text(&created, "job_id");
    broker.as_client("payments", &["job", "watch", &job]).exits(0);
    // The model that the list trains is the job's.
    let model = broker.folder.path("model.toml");
    let model = model.to_str().expect("a path");
    let train = [&["model", "train", "--output", model][..], &both].concat();
    broker.done("payments", &train);

    let links = broker.folder.path("links.csv");
    let report = broker.folder.path("report.html");
    let files = ["--register", residents, "--list", payments, "--model", model];
    let link = ["link", "--output"].map(Into::into).into_iter();
    let link = link.chain([links.clone().into_os_string(), "--report".into()]);
    let link = link.chain([report.clone().into_os_string()]);
    renkei(link.chain(files.map(Into::into)).collect::<Vec<std::ffi::OsString>>()).exits(0);
    let links = Sheet::read(&links);
    let explain = |line: &str| {
        renkei([&["explain", "--json", line][..], &files].concat()).exits(0).json()["pair"].clone()
    };

    // A file is read as a whole, a line at a broker alone: few lines are read differently.
    let (mut same, mut asked) = (0, 0);
    for line in links.cells("list_id").iter().take(16) {
        let of_broker = broker.done("payments", &["job", "explain", &job, line]);
        let of_files = explain(line);
        if of_broker["pair"].is_null() || of_files.is_null() {
            continue;
        }
        asked += 1;
        let of_broker = &of_broker["pair"];
        if of_broker["register_id"] == of_files["register_id"]
            && of_broker["match_weight"] == of_files["match_weight"]
        {
            assert_eq!(numbers(of_broker), numbers(&of_files), "{line}");
            same += 1;
        }
    }
    assert!(asked > 8 && same * 10 >= asked * 8, "{same} of {asked}");

    // The clear case of the report is the linked line of median weight.
    let weight = |row: usize| -> i64 {
        links.cell(row, "match_weight").replace('.', "").parse().expect("a weight")
    };
    let outcomes = links.cells("outcome");
    let mut linked: Vec<(i64, usize)> = (0..outcomes.len())
        .filter(|&row| outcomes[row] == "LINKED")
        .map(|row| (weight(row), row))
        .collect();
    linked.sort_unstable();
    let (_, clear) = linked[linked.len() / 2];
    let page = fs_err::read_to_string(report).expect("a report");
    for (name, millibits) in numbers(&explain(links.cell(clear, "list_id"))) {
        let shown = format!("{}.{:03}", millibits.abs() / 1_000, millibits.abs() % 1_000);
        assert!(page.contains(&shown), "{name}: {shown}");
    }
}
