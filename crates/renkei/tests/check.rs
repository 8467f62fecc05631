//! Examining files: every planted damage is found at its line, and what can be repaired is.

mod support;

use std::path::Path;

use serde_json::Value;
use support::people::{Pair, lines, list, register, town};
use support::{Folder, Run, Sheet, assert_keys, cp932, renkei};

fn check(file: &Path, more: &[&str]) -> Run {
    let arguments = ["check".as_ref(), "--json".as_ref(), file.as_os_str()];
    renkei(arguments.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
}

/// Where a class was found: line and column.
fn found(json: &Value, class: &str) -> Vec<(u64, String)> {
    let findings = json["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter(|finding| finding["class"] == class)
        .map(|finding| {
            let column = finding["column"].as_str().unwrap_or_default().to_owned();
            (finding["line"].as_u64().expect("a line"), column)
        })
        .collect()
}

/// A list of 100 lines with a bank account each, and a resident number of fifteen digits.
fn sound() -> Sheet {
    let people = town(200);
    let mut sheet = list(&lines(&people, 2));
    sheet.header.extend(["銀行コード", "口座番号", "世帯番号"].map(str::to_owned));
    for (number, row) in sheet.rows.iter_mut().enumerate() {
        row.push(format!("{:04}", 1 + number * 31 % 900));
        row.push(format!("{:07}", 123_456 + number * 7_001));
        row.push(format!("{:012}", 40_000_000 + number * 123_457));
    }
    sheet
}

/// The same with every damage that a spreadsheet does, one a line.
fn damaged() -> Sheet {
    let mut sheet = sound();
    let planted = [
        (3, "口座番号", "12345"),
        (4, "住所", "千葉県若葉市北町9月23日"),
        (5, "生年月日", "28856"),
        (6, "世帯番号", "1.23E+11"),
        (7, "郵便番号", "600001"),
        (8, "生年月日", "1980-02-30"),
        (9, "生年月日", "2199-01-01"),
        (10, "支給額", "１００，０００円"),
        (11, "支給額", "五万"),
        (12, "氏名", "?橋　翔太"),
        (13, "住所", "#REF!"),
        (14, "氏名カナ", " サトウ　ヒロシ "),
        (15, "氏名", "山\u{E000}　浩"),
    ];
    for (row, column, value) in planted {
        sheet.set(row, column, value);
    }
    sheet
}

/// The line of a row.
fn line(row: u64) -> u64 {
    row + 2
}

#[test]
fn a_sound_list_is_reported_as_sound() {
    let folder = Folder::new();
    let file = folder.write("sound.csv", cp932(&sound().csv()));
    let run = check(&file, &[]).exits(0);
    let json = run.json();
    assert_keys(&json, &["file", "encoding", "bom", "rows", "findings", "totals"]);
    assert_keys(&json["totals"], &["lines", "yen"]);
    assert_eq!(json["rows"], 100);
    assert_eq!(
        (&json["totals"]["lines"], &json["totals"]["yen"]),
        (&100.into(), &5_000_000.into())
    );
    assert!(json["file"].as_str().is_some_and(|file| file.ends_with("sound.csv")));
    assert_eq!(json["bom"], false);
    let findings = json["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|finding| finding["severity"] == "info"), "{json}");
}

#[test]
fn every_planted_damage_is_found_at_its_line() {
    let folder = Folder::new();
    let file = folder.write("damaged.csv", damaged().csv());
    let json = check(&file, &[]).exits(1).json();
    for finding in json["findings"].as_array().expect("findings") {
        assert_keys(finding, &["class", "severity", "line", "column"]);
    }
    let planted = [
        ("address_date", 4, "住所"),
        ("date_serial", 5, "生年月日"),
        ("scientific_notation", 6, "世帯番号"),
        ("date_impossible", 8, "生年月日"),
        ("date_future", 9, "生年月日"),
        ("full_width_digits", 10, "支給額"),
        ("amount_unreadable", 11, "支給額"),
        ("letter_lost", 12, "氏名"),
        ("error_value", 13, "住所"),
        ("outer_space", 14, "氏名カナ"),
        ("gaiji", 15, "氏名"),
    ];
    for (class, row, column) in planted {
        assert_eq!(found(&json, class), [(line(row), column.to_owned())], "{class}");
    }
    let zeros = found(&json, "zeros_lost");
    assert_eq!(zeros, [(line(3), "口座番号".to_owned()), (line(7), "郵便番号".to_owned())]);
    assert_eq!(json["totals"]["lines"], 100);
    assert_eq!(json["totals"]["yen"], 98 * 50_000 + 100_000);
}

#[test]
fn a_damaged_file_is_told_of_without_its_values() {
    let folder = Folder::new();
    let file = folder.write("damaged.csv", damaged().csv());
    let run = renkei(["check".as_ref(), file.as_os_str()]).exits(1);
    let run = run.hides(&["五万", "12345", "9月23日", "28856", "1.23E+11", "600001", "翔太"]);
    for word in ["damaged.csv", "address_date", "口座番号"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
}

#[test]
fn a_my_number_column_is_found_by_name_and_by_its_check_digits() {
    let folder = Folder::new();
    let mut named = sound();
    named.header.push("個人番号".to_owned());
    named.rows.iter_mut().for_each(|row| row.push(String::new()));
    let file = folder.write("named.csv", named.csv());
    let json = check(&file, &[]).exits(1).json();
    assert_eq!(found(&json, "my_number"), [(0, "個人番号".to_owned())]);

    let mut unnamed = sound();
    unnamed.header.push("備考".to_owned());
    for (number, row) in unnamed.rows.iter_mut().enumerate() {
        row.push(support::my_number(20_000_000_000 + number as u64 * 7_654_321));
    }
    let file = folder.write("unnamed.csv", unnamed.csv());
    let run = check(&file, &[]).exits(1).hides(&[&unnamed.rows[5][12], &unnamed.rows[99][12]]);
    let of_file = found(&run.json(), "my_number").into_iter().filter(|(line, _)| *line == 0);
    assert_eq!(of_file.collect::<Vec<_>>(), [(0, "備考".to_owned())]);
}

#[test]
fn lines_that_would_be_rejected_are_errors() {
    let folder = Folder::new();
    let mut sheet = sound();
    let id = sheet.cell(20, "申請番号").to_owned();
    sheet.set(30, "申請番号", &id);
    sheet.set(40, "申請番号", "");
    sheet.rows[50].pop();
    sheet.set(60, "支給額", "-1");
    let file = folder.write("rejected.csv", sheet.csv());
    let json = check(&file, &[]).exits(1).json();
    let lines_of = |class: &str| -> Vec<u64> {
        found(&json, class).into_iter().map(|(line, _)| line).collect()
    };
    assert_eq!(lines_of("id_repeated"), [line(20), line(30)]);
    assert_eq!(lines_of("id_missing"), [line(40)]);
    assert_eq!(lines_of("field_count"), [line(50)]);
    assert_eq!(lines_of("amount_unreadable"), [line(60)]);
    for finding in json["findings"].as_array().expect("findings") {
        let class = finding["class"].as_str().expect("a class");
        if ["id_repeated", "id_missing", "field_count", "amount_unreadable"].contains(&class) {
            assert_eq!(finding["severity"], "error", "{class}");
        }
    }
}

#[test]
fn a_repaired_copy_checks_cleaner_and_has_every_name_as_it_was() {
    let folder = Folder::new();
    let damaged = damaged();
    let file = folder.write("damaged.csv", cp932(&without_gaiji(&damaged).csv()));
    let copy = folder.path("repaired.csv");
    let before = check(&file, &["--repair", copy.to_str().expect("UTF-8")]).exits(1).json();
    let after = check(&copy, &[]).json();
    for class in ["zeros_lost", "address_date", "date_serial", "full_width_digits"] {
        assert!(!found(&before, class).is_empty(), "{class}");
        assert_eq!(found(&after, class), [], "{class}");
    }
    // What cannot be known is not guessed.
    for class in ["scientific_notation", "date_impossible", "amount_unreadable", "letter_lost"] {
        assert_eq!(found(&after, class), found(&before, class), "{class}");
    }
    let (was, is) = (without_gaiji(&damaged), Sheet::read(&copy));
    assert_eq!(is.header, was.header);
    for name in ["氏名", "氏名カナ", "口座名義カナ", "申請番号"] {
        assert_eq!(is.cells(name), was.cells(name), "{name}");
    }
    assert_eq!(is.cell(3, "口座番号"), "0012345");
    assert_eq!(is.cell(4, "住所"), "千葉県若葉市北町9-23");
    assert_eq!(is.cell(5, "生年月日"), "1979-01-01");
    assert_eq!(is.cell(7, "郵便番号"), "0600001");
    // The damaged file is as it was.
    assert_eq!(fs_err::read(&file).expect("still there"), cp932(&was.csv()));
    // No other cell differs.
    let differing = was.rows.iter().zip(&is.rows).flat_map(|(was, is)| was.iter().zip(is));
    assert_eq!(differing.filter(|(was, is)| was != is).count(), 5);
}

/// CP932 has no private letters that every reader knows.
fn without_gaiji(sheet: &Sheet) -> Sheet {
    let mut sheet = sheet.clone();
    sheet.set(15, "氏名", "山田　浩");
    sheet
}

#[test]
fn a_file_that_cannot_be_copied_whole_is_not_repaired() {
    let folder = Folder::new();
    let mut sheet = sound();
    sheet.rows[50].pop();
    let file = folder.write("short.csv", sheet.csv());
    let copy = folder.path("repaired.csv");
    check(&file, &["--repair", copy.to_str().expect("UTF-8")]).exits(1).says(&["52"]);
    assert_eq!(folder.names(), ["short.csv"]);
    check(&file, &["--repair", file.to_str().expect("UTF-8")]).exits(3);
    assert_eq!(fs_err::read_to_string(&file).expect("still there"), sheet.csv());
}

#[test]
fn workbooks_and_parquet_are_checked_too() {
    let folder = Folder::new();
    for name in ["damaged.xlsx", "damaged.parquet"] {
        let file = folder.path(name);
        damaged().write(&file);
        let json = check(&file, &[]).exits(1).json();
        assert_eq!(json["rows"], 100, "{name}");
        assert!(json["encoding"].is_null(), "{name}");
        assert_eq!(found(&json, "address_date").len(), 1, "{name}");
        assert_eq!(found(&json, "amount_unreadable").len(), 1, "{name}");
    }
}

#[test]
fn a_schema_says_what_the_columns_of_a_strange_file_are() {
    let folder = Folder::new();
    let schema = folder.write(
        "schema.toml",
        "id = { register = \"key\", list = \"key\" }\n\
         [[field]]\nname = \"born\"\nkind = \"date\"\nregister = \"born\"\nlist = \"born\"\n",
    );
    let file = folder.write("strange.csv", "key,born\n1,1980-02-30\n2,1980-02-03\n");
    let schema = schema.to_str().expect("UTF-8");
    let json = check(&file, &["--schema", schema]).exits(1).json();
    assert_eq!(found(&json, "date_impossible"), [(2, "born".to_owned())]);
    let list = folder.write("list.csv", list(&lines(&town(40), 2)).csv());
    check(&list, &["--schema", "payment-list"]).exits(0);
    check(&list, &["--schema", "resident"]).exits(2).says(&["list.csv"]);
    let pair = Pair::of(&register(&town(40)), &sound());
    check(&pair.register, &["--schema", "resident"]).exits(0);
}

#[test]
fn the_sample_is_free_of_errors() {
    for (file, rows) in [("residents.csv", 20_000), ("payments.csv", 6_000)] {
        let json = check(&support::sample::data(file), &[]).json();
        assert_eq!(json["rows"], rows);
        let findings = json["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|finding| finding["severity"] != "error"), "{file}");
    }
    let json = check(&support::sample::payments(), &[]).json();
    assert_eq!(json["totals"]["yen"], support::sample::YEN);
    assert_eq!(json["totals"]["lines"], support::sample::LINES);
}
