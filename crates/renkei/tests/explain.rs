//! Why a line is linked, and why not.

mod support;

use std::path::PathBuf;

use serde_json::Value;
use support::people::{Pair, lines, list, register, town};
use support::{Run, Sheet, assert_keys, renkei};

/// A town of 200, its links and its model.
struct Linked {
    pair: Pair,
    model: PathBuf,
    links: Sheet,
}

impl Linked {
    /// Most lines are without error; one has several, one is rejected, one is a stranger's.
    fn new() -> Self {
        let mut people = town(200);
        // The wife of the fifth who asks was born on his day.
        people[17].birth = people[16].birth.clone();
        let mut asking = lines(&people, 4);
        asking[7].kanji = asking[7].kanji.replace('　', "");
        asking[7].birth = String::new();
        asking[7].address = "千葉県若葉市".to_owned();
        asking[9].amount = "五万".to_owned();
        asking[11].kanji = "山中　金糸雀".to_owned();
        asking[11].kana = "ヤマナカ　カナリヤ".to_owned();
        asking[11].birth = "1901-01-01".to_owned();
        asking[11].address = "北海道札幌市中央区北一条西2丁目5番".to_owned();
        asking[11].postal = "060-0001".to_owned();
        let pair = Pair::of(&register(&people), &list(&asking));
        let model = pair.folder.path("model.toml");
        pair.link(&["--save-model", model.to_str().expect("UTF-8")]).exits(0);
        let links = pair.links();
        Self { pair, model, links }
    }

    fn explain(&self, more: &[&str]) -> Run {
        let arguments = [
            "explain".as_ref(),
            "--register".as_ref(),
            self.pair.register.as_os_str(),
            "--list".as_ref(),
            self.pair.list.as_os_str(),
            "--model".as_ref(),
            self.model.as_os_str(),
        ];
        renkei(arguments.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
    }

    /// The row of a line.
    fn row(&self, line: &str) -> usize {
        self.links.cells("list_id").iter().position(|&id| id == line).expect("the line")
    }
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_terms_add_up_to_the_weight_that_the_job_wrote() {
    let linked = Linked::new();
    for line in ["B0001", "B0008", "B0023", "B0050"] {
        let json = linked.explain(&["--json", line]).exits(0).json();
        let row = linked.row(line);
        let pair = &json["pair"];
        assert_eq!(json["list_id"], line);
        assert_eq!(json["outcome"], linked.links.cell(row, "outcome"));
        assert_eq!(json["reason"], linked.links.cell(row, "reason"));
        assert_eq!(pair["register_id"], linked.links.cell(row, "register_id"));
        let terms = pair["terms"].as_array().expect("terms");
        assert!(terms.len() >= 5, "{pair}");
        let of_terms: f64 = terms
            .iter()
            .map(|term| {
                assert_keys(term, &["comparison", "view", "level", "weight"]);
                number(&term["weight"]) + number(&term["frequency"])
            })
            .sum();
        let sum = number(&pair["prior"]) + of_terms + number(&pair["relatives"]);
        #[expect(clippy::cast_precision_loss, reason = "terms are few")]
        let tolerance = 0.001 * terms.len() as f64;
        let weight = number(&pair["match_weight"]);
        assert!((sum - weight).abs() <= tolerance, "{line}: {sum} is not {weight}");
        let written: f64 =
            linked.links.cell(row, "match_weight").parse().expect("the weight of the job");
        assert!((weight - written).abs() < 0.000_5, "{line}: {weight} is not {written}");
        let probability: f64 =
            linked.links.cell(row, "probability").parse().expect("the probability");
        assert!((number(&pair["probability"]) - probability).abs() < 1e-8, "{line}");
    }
}

#[test]
fn words_for_people_show_both_records_and_every_term() {
    let linked = Linked::new();
    let row = linked.row("B0005");
    let register_id = linked.links.cell(row, "register_id");
    let json = linked.explain(&["--json", "B0005"]).exits(0).json();
    let run = linked.explain(&["B0005"]).exits(0);
    for word in ["B0005", "LINKED", register_id, linked.links.cell(row, "match_weight")] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    for term in json["pair"]["terms"].as_array().expect("terms") {
        let name = term["comparison"].as_str().expect("a name");
        assert!(run.stdout.contains(name), "{name}: {}", run.stdout);
    }
    for value in json["pair"]["values"].as_array().expect("values") {
        let text = value["register"].as_str().expect("a text");
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}

#[test]
fn a_rival_is_told_who_fits_better() {
    let linked = Linked::new();
    let register = Sheet::read(&linked.pair.register);
    let (husband, wife) = (register.cell(16, "宛名番号"), register.cell(17, "宛名番号"));
    let json = linked.explain(&["--json", "B0005"]).exits(0).json();
    assert_eq!(json["pair"]["register_id"], husband);
    let candidates = json["candidates"].as_array().expect("candidates");
    let ids: Vec<&Value> = candidates.iter().map(|candidate| &candidate["register_id"]).collect();
    assert_eq!(ids[..2], [husband, wife]);
    let json = linked.explain(&["--json", "B0005", wife]).exits(0).json();
    assert_eq!(json["pair"]["register_id"], wife);
    assert_eq!(json["outcome"], "LINKED");
    let why_not = json["pair"]["why_not"].as_str().expect("words");
    assert!(why_not.contains(husband) && why_not.contains("better"), "{why_not}");
    assert!(number(&json["pair"]["match_weight"]) < number(&candidates[0]["match_weight"]));
}

#[test]
fn a_pair_that_was_never_compared_says_so() {
    let linked = Linked::new();
    let register = Sheet::read(&linked.pair.register);
    // Another household, in another part of the town.
    let stranger = register.cell(101, "宛名番号");
    let json = linked.explain(&["--json", "B0001", stranger]).exits(0).json();
    let why_not = json["pair"]["why_not"].as_str().expect("words");
    assert!(why_not.contains("never compared"), "{why_not}");
    assert_eq!(json["pair"]["blocking_rules"], Value::Array(Vec::new()));
    let run = linked.explain(&["B0001", stranger]).exits(0);
    assert!(run.stdout.contains("never compared"), "{}", run.stdout);
}

#[test]
fn every_rule_that_missed_a_pair_is_told_with_the_part_that_missed() {
    let linked = Linked::new();
    let register = Sheet::read(&linked.pair.register);
    let stranger = register.cell(101, "宛名番号");
    let json = linked.explain(&["--json", "B0001", stranger]).exits(0).json();
    let obstacles = json["pair"]["obstacles"].as_array().expect("obstacles");
    assert_eq!(obstacles[0]["code"], "NOT_COMPARED");
    let rules = obstacles[0]["rules"].as_array().expect("rules");
    assert!(rules.len() >= 10, "{rules:?}");
    for rule in rules {
        assert_keys(rule, &["rule", "why", "parts"]);
        let parts = rule["parts"].as_array().expect("parts");
        assert!(
            !parts.is_empty()
                || ["BLOCK_TOO_LARGE", "NOT_ASKED"]
                    .contains(&rule["why"].as_str().unwrap_or_default()),
            "{rule}"
        );
    }
    let run = linked.explain(&["--lang", "ja", "B0001", stranger]).exits(0);
    assert!(run.stdout.contains("生年月日"), "{}", run.stdout);
    assert!(run.stdout.contains("が異なる"), "{}", run.stdout);
    // The birthday is missing from this line.
    let json = linked.explain(&["--json", "B0008", stranger]).exits(0).json();
    let of_birthday: Vec<&Value> = json["pair"]["obstacles"][0]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter(|rule| rule["rule"].as_str().is_some_and(|rule| rule.starts_with("birth_date")))
        .collect();
    assert!(!of_birthday.is_empty());
    for rule in of_birthday {
        assert_eq!(rule["why"], "LINE_HAS_NONE", "{rule}");
        assert_eq!(rule["parts"][0], "birth_date");
    }
}

#[test]
fn a_linked_pair_has_no_obstacle_and_a_rival_has_two() {
    let linked = Linked::new();
    let register = Sheet::read(&linked.pair.register);
    let (husband, wife) = (register.cell(16, "宛名番号"), register.cell(17, "宛名番号"));
    let json = linked.explain(&["--json", "B0005"]).exits(0).json();
    assert_eq!(json["pair"]["obstacles"], Value::Array(Vec::new()));
    let json = linked.explain(&["--json", "B0005", wife]).exits(0).json();
    let obstacles = json["pair"]["obstacles"].as_array().expect("obstacles");
    let codes: Vec<&Value> = obstacles.iter().map(|obstacle| &obstacle["code"]).collect();
    assert_eq!(codes, ["RIVAL", "SHORT"]);
    assert_eq!(obstacles[0]["register_id"], husband);
    // What is missing to the threshold is counted before rivals take anything.
    let pair = &json["pair"];
    let alone = number(&pair["match_weight"]) - number(&pair["rivals"]);
    let missing = number(&json["thresholds"]["link"]) - alone;
    assert!((number(&obstacles[1]["of_link"]) - missing).abs() < 1e-9);
}

#[test]
fn a_line_that_fits_nobody_is_explained_too() {
    let linked = Linked::new();
    assert_eq!(linked.links.cell(linked.row("B0012"), "outcome"), "NOT_FOUND");
    let json = linked.explain(&["--json", "B0012"]).exits(0).json();
    assert_eq!(json["outcome"], "NOT_FOUND");
    linked.explain(&["B0012"]).exits(0);
}

#[test]
fn ids_that_are_in_neither_file_cannot_be_explained() {
    let linked = Linked::new();
    linked.explain(&["B9999"]).exits(2).says(&["list.csv"]);
    linked.explain(&["B0001", "000000000000000"]).exits(2).says(&["register.csv"]);
    // A line that was rejected took no part.
    linked.explain(&["B0010"]).exits(2).says(&["list.csv", "AMOUNT_UNREADABLE"]);
}

#[test]
fn an_explanation_speaks_japanese_if_asked_to() {
    let linked = Linked::new();
    let run = linked.explain(&["--lang", "ja", "B0001"]).exits(0);
    for word in ["一致度", "リンクしきい値", "事前"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    let english = linked.explain(&["B0001"]).exits(0);
    for word in ["一致度", "しきい値", "候補"] {
        assert!(!english.stdout.contains(word), "{word}: {}", english.stdout);
    }
    let json = linked.explain(&["--lang", "ja", "--json", "B0001", "--threads", "1"]);
    let why_not = json.exits(0).json()["pair"]["why_not"].as_str().expect("words").to_owned();
    assert!(why_not.contains("リンク"), "{why_not}");
}
