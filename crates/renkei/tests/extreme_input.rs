//! Files at the edge of what can be: nothing in them, too much in them, or everything alike.
//!
//! `link` and `dedupe` end soon, in little memory, with a right result or with words that say what is wrong.

mod support;

use std::fmt::Write as _;

use serde_json::Value;

use support::people::{Line, Pair, Person, lines, list, register, town};
use support::{Folder, Run, Sheet, assert_sums, renkei};

const MEMORY_MAX: u64 = 400 << 20;
const CPU_SECONDS_MAX: f64 = 120.0;

/// Expects that a job went through within bounds.
#[track_caller]
fn bounded(run: Run) -> Value {
    let json = run.exits(0).json();
    assert!(json["peak_rss_bytes"].as_u64().is_some_and(|bytes| bytes < MEMORY_MAX), "{json}");
    assert!(json["cpu_seconds"].as_f64().is_some_and(|cpu| cpu < CPU_SECONDS_MAX), "{json}");
    json
}

/// Deduplicates a file; answers the run and, where it went through, how many persons there are.
fn dedupe(file: impl AsRef<[u8]>, schema: Option<&str>) -> (Run, Option<usize>) {
    let folder = Folder::new();
    let (input, output) = (folder.write("input.csv", file), folder.path("people.csv"));
    let mut arguments = vec!["dedupe".into(), "--json".into(), "--input".into()];
    arguments.extend([input.into_os_string(), "--output".into(), output.clone().into_os_string()]);
    if let Some(schema) = schema {
        let schema = folder.write("schema.toml", schema);
        arguments.extend(["--schema".into(), schema.into_os_string()]);
    }
    let run = renkei(arguments);
    let persons = output.is_file().then(|| {
        let people = Sheet::read(&output);
        let mut clusters = people.cells("cluster_id");
        clusters.sort_unstable();
        clusters.dedup();
        clusters.len()
    });
    (run, persons)
}

/// Every one of these people under the same surname.
fn all_sato(mut people: Vec<Person>) -> Vec<Person> {
    for person in &mut people {
        for (name, surname) in [(&mut person.kanji, "佐藤"), (&mut person.kana, "サトウ")] {
            let given = name.split('　').nth(1).expect("a given name");
            *name = format!("{surname}　{given}");
        }
    }
    people
}

/// So many records of one person.
fn copies(count: usize) -> Vec<Person> {
    let person = town(1).remove(0);
    (0..count).map(|number| Person { id: format!("C{number:05}"), ..person.clone() }).collect()
}

#[test]
fn people_of_one_surname_are_told_apart() {
    let people = all_sato(town(400));
    let asking = lines(&people[..100], 1);
    let pair = Pair::of(&register(&people), &list(&asking));
    let json = bounded(pair.link(&[]));
    assert_sums(&json, 100, 100 * 50_000);
    let links = pair.links();
    let wrong = (0..100).filter(|&row| {
        links.cell(row, "outcome") == "LINKED" && links.cell(row, "register_id") != people[row].id
    });
    assert_eq!(wrong.count(), 0);
    assert!(json["outcomes"]["LINKED"]["lines"].as_u64().is_some_and(|lines| lines > 80), "{json}");
    let (run, persons) = dedupe(register(&people).csv(), None);
    bounded(run);
    assert_eq!(persons, Some(400));
}

#[test]
fn a_file_of_copies_is_one_person() {
    let (run, persons) = dedupe(register(&copies(5_000)).csv(), None);
    let json = bounded(run);
    assert_eq!((&json["records"], persons), (&5_000.into(), Some(1)));
}

#[test]
fn nobody_is_linked_where_all_residents_are_alike() {
    let people = copies(3_000);
    let pair = Pair::of(&register(&people), &list(&lines(&people[..50], 1)));
    let json = bounded(pair.link(&[]));
    assert_sums(&json, 50, 50 * 50_000);
    assert_eq!(json["outcomes"]["LINKED"]["lines"], 0);
}

#[test]
fn a_list_of_one_person_only_pays_once() {
    let people = town(200);
    let again = |number: usize| {
        let line = lines(&people[7..8], 1).remove(0);
        Line { id: format!("L{number:05}"), ..line }
    };
    let asking: Vec<Line> = (0..1_000).map(again).collect();
    let json = bounded(Pair::of(&register(&people), &list(&asking)).link(&[]));
    assert_sums(&json, 1_000, 1_000 * 50_000);
    assert_eq!(json["outcomes"]["LINKED"]["lines"], 1);
    assert_eq!(json["outcomes"]["DUPLICATE"]["lines"], 999);
}

#[test]
fn records_that_say_nothing_are_nobody_s_duplicates() {
    let mut sheet = register(&town(300));
    for column in sheet.header.clone() {
        if column != "宛名番号" {
            (0..300).for_each(|row| sheet.set(row, &column, ""));
        }
    }
    let (run, persons) = dedupe(sheet.csv(), None);
    bounded(run);
    assert_eq!(persons, Some(300));
    let (run, persons) = dedupe(register(&[]).csv(), None);
    bounded(run);
    assert_eq!(persons, Some(0));
}

#[test]
fn records_that_are_too_alike_to_compare_are_told() {
    let mut people = copies(6_000);
    for (number, person) in people.iter_mut().enumerate() {
        let _ = write!(person.address, "{number}");
    }
    let (run, _) = dedupe(register(&people).csv(), None);
    let said = run.says(&["too many others"]);
    assert!(bounded(said)["too_common"].as_u64().is_some_and(|records| records > 5_000));
}

#[test]
fn a_cell_of_ten_mebibytes_ends_dedupe_with_its_place() {
    let mut sheet = register(&town(20));
    sheet.set(3, "住所", &"町".repeat((10 << 20) / 3));
    let (run, persons) = dedupe(sheet.csv(), None);
    run.exits(2).says(&["input.csv", "line 5"]);
    assert_eq!(persons, None);
}

#[test]
fn two_encodings_in_one_file_end_dedupe_with_their_place() {
    let sheet = register(&town(20));
    let mut bytes = sheet.some(0..10).csv().into_bytes();
    let rest = support::cp932(&sheet.some(10..20).csv());
    let header = rest.iter().position(|&byte| byte == b'\n').expect("lines");
    bytes.extend(&rest[header + 1..]);
    let (run, persons) = dedupe(bytes, None);
    run.exits(3).says(&["input.csv", "line 12"]);
    assert_eq!(persons, None);
}

/// Two files of so many columns more, in which every cell of them is alike.
fn with_columns(sheet: &Sheet, columns: usize) -> Sheet {
    let mut sheet = sheet.clone();
    sheet.header.extend((0..columns).map(|column| format!("c{column}")));
    sheet.rows.iter_mut().for_each(|row| row.extend((0..columns).map(|_| "x".to_owned())));
    sheet
}

fn schema_of_columns(columns: usize) -> String {
    let mut schema =
        "id = { register = \"宛名番号\", list = \"申請番号\", input = \"宛名番号\" }\n".to_owned();
    for column in 0..columns {
        let _ = writeln!(
            schema,
            "[[field]]\nname = \"c{column}\"\nkind = \"category\"\nregister = \"c{column}\"\nlist = \"c{column}\"\ncolumn = \"c{column}\""
        );
    }
    schema
}

#[test]
fn ten_thousand_columns_that_mean_nothing_change_nothing() {
    let people = town(100);
    let (narrow, asking) = (register(&people), list(&lines(&people[..30], 1)));
    let digest = |register: &Sheet, list: &Sheet| {
        bounded(Pair::of(register, list).link(&[]))["result_digest"].clone()
    };
    let wide = with_columns(&narrow, 10_000);
    assert_eq!(digest(&wide, &with_columns(&asking, 10_000)), digest(&narrow, &asking));
    let (run, persons) = dedupe(wide.csv(), None);
    bounded(run);
    assert_eq!(persons, Some(100));
}

#[test]
fn ten_thousand_fields_are_refused() {
    let people = town(50);
    let wide = with_columns(&register(&people), 10_000);
    let schema = schema_of_columns(10_000);
    let pair = Pair::of(&wide, &with_columns(&list(&lines(&people[..20], 1)), 10_000));
    let file = pair.folder.write("schema.toml", &schema).display().to_string();
    pair.link(&["--schema", &file]).exits(2).says(&["too many fields", "about 40"]);
    let (run, persons) = dedupe(wide.csv(), Some(&schema));
    run.exits(2).says(&["too many fields"]);
    assert_eq!(persons, None);
}
