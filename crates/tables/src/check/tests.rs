use super::*;
use crate::damage::Severity;
use crate::encoding::encode_cp932;
use crate::layout::Layout;
use jiff::civil::date;

fn options() -> CheckOptions {
    CheckOptions {
        read: ReadOptions::default(),
        schema: None,
        side: None,
        today: date(2026, 11, 21),
    }
}

fn checked(bytes: impl Into<Vec<u8>>) -> CheckReport {
    let bytes = bytes.into();
    let options = options();
    check(&|| TableReader::from_bytes(bytes.clone(), "f.csv", &options.read), &options, None)
        .expect("a report")
}

fn found(report: &CheckReport, class: Class) -> Vec<u64> {
    report.findings.iter().filter(|f| f.class == class).map(|f| f.line).collect()
}

/// Checks and repairs; answers the report and the repaired text.
fn repaired(text: &str) -> (CheckReport, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("repaired.csv");
    let bytes = text.as_bytes().to_vec();
    let options = options();
    let report = check(
        &|| TableReader::from_bytes(bytes.clone(), "f.csv", &options.read),
        &options,
        Some(&target),
    )
    .expect("a report");
    let is_written = matches!(report.repair, Repair::Written { .. });
    let files = fs_err::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, usize::from(is_written));
    (report, fs_err::read_to_string(&target).unwrap_or_default())
}

#[test]
fn a_list_as_excel_leaves_it_has_its_totals_and_its_damage() {
    let report = checked(include_bytes!("../../testdata/payments.csv"));
    assert_eq!((report.rows, report.side), (300, Some(Side::List)));
    assert_eq!(report.totals.yen, Some(Yen(19_890_000)));
    assert_eq!(found(&report, Class::AddressDate), [171, 268]);
    assert_eq!(found(&report, Class::LetterLost), [56, 59, 65, 138, 159, 186, 216, 231, 232, 260]);
    assert!(report.findings.iter().all(|finding| finding.severity < Severity::Error));
}

#[test]
fn a_sound_register_has_no_damage() {
    let report = checked(include_bytes!("../../testdata/residents.csv"));
    assert_eq!((report.rows, report.side), (300, Some(Side::Register)));
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Info));
}

#[test]
fn lost_zeros_are_found_by_the_width_of_their_column() {
    let report = checked(
        "宛名番号,氏名,郵便番号,銀行コード\n0001234,a,0600001,0009\n1235,b,600001,9\n0001236,c,100-0001,0010\n",
    );
    let findings: Vec<(u64, &str)> = report
        .findings
        .iter()
        .filter(|f| f.class == Class::ZerosLost)
        .map(|f| (f.line, f.column.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(findings, [(3, "宛名番号"), (3, "郵便番号"), (3, "銀行コード")]);
}

#[test]
fn numbers_in_sequence_have_lost_no_zeros() {
    let mut text = "申請番号,氏名,支給額\n".to_owned();
    for n in 1..=1_200 {
        text.push_str(&format!("{n},名{n},30000\n"));
    }
    assert_eq!(found(&checked(text), Class::ZerosLost), []);
}

#[test]
fn sparse_numbers_of_many_lengths_have_lost_zeros() {
    let mut text = "宛名番号,氏名\n".to_owned();
    for n in 1..200u64 {
        let number = 100_000_000_000 + n * 4_000_000_007;
        text.push_str(&format!("{number},名{n}\n"));
    }
    text.push_str("98765432,名\n");
    assert_eq!(found(&checked(text), Class::ZerosLost), [201]);
}

#[test]
fn what_rejects_a_line_is_an_error_of_the_check() {
    let report = checked(
        "申請番号,氏名,住所,支給額\nB1,a,b,1\nB1,a2,b,2\n,c,d,3\nB4,d\nB5,e,f,-1\nB6,f,123456789018,7\n合計,,,8\n",
    );
    assert_eq!(found(&report, Class::IdRepeated), [2, 3]);
    assert_eq!(found(&report, Class::IdMissing), [4]);
    assert_eq!(found(&report, Class::FieldCount), [5]);
    assert_eq!(found(&report, Class::AmountUnreadable), [6]);
    assert_eq!(found(&report, Class::MyNumber), [7]);
    assert_eq!(found(&report, Class::FooterTotal), [8]);
    assert_eq!(report.totals, Totals { lines: 7, yen: Some(Yen(21)), yen_unreadable: 2 });
}

#[test]
fn a_register_with_repeated_ids_is_reported_not_refused() {
    let report = checked("宛名番号,氏名\n1,a\n1,b\n2,c\n");
    assert_eq!(report.side, Some(Side::Register));
    assert_eq!(found(&report, Class::IdRepeated), [2, 3]);
    assert_eq!(report.totals.yen, None);
}

#[test]
fn a_my_number_column_is_reported_by_name() {
    let report = checked("宛名番号,氏名,個人番号\n1,a,\n");
    assert_eq!(found(&report, Class::MyNumber), [0]);
    assert_eq!(report.findings[0].column.as_deref(), Some("個人番号"));
}

#[test]
fn one_amount_as_large_as_all_others_together_is_found() {
    let mut text = "申請番号,氏名,支給額\nB0,田口,46200000\n".to_owned();
    for n in 1..=462 {
        text.push_str(&format!("B{n},名{n},100000\n"));
    }
    assert_eq!(found(&checked(text.clone()), Class::AmountIsTotal), [2]);
    // The total of all 463 households, paid to one of them.
    assert_eq!(found(&checked(text.replace("46200000", "46300000")), Class::AmountIsTotal), [2]);
    assert_eq!(found(&checked(text.replace("46200000", "100000")), Class::AmountIsTotal), []);
}

#[test]
fn a_line_equal_but_for_its_id_is_found() {
    let report = checked("申請番号,氏名,住所,支給額\nB1,a,b,1\nB2,a,b,2\nB3,a,b,1\n");
    assert_eq!(found(&report, Class::RowRepeated), [4]);
}

#[test]
fn an_empty_kana_column_is_found() {
    let mut text = "宛名番号,氏名,氏名カナ\n".to_owned();
    for n in 1..=20 {
        text.push_str(&format!("{n},名{n},\n"));
    }
    assert_eq!(found(&checked(text), Class::KanaEmpty), [0]);
}

#[test]
fn the_row_limit_of_a_spreadsheet_is_noticed() {
    let mut text = "宛名番号,氏名\n".to_owned();
    for n in 2..=65_536 {
        text.push_str(&format!("{n},名{n}\n"));
    }
    assert_eq!(found(&checked(text.clone()), Class::RowLimit), [65_536]);
    text.push_str("65537,名\n");
    assert_eq!(found(&checked(text), Class::RowLimit), []);
}

#[test]
fn a_header_that_is_none_is_noticed() {
    let report = checked("1,谷口,1980-04-24\n2,山田,1981-01-01\n");
    assert_eq!(found(&report, Class::HeaderUnknown), [0]);
    // What may be somebody's data is not told as the name of a column.
    let report = checked("1,谷口　1-2,1980-04-24\n2,山田　1-2,3:1\n,,\n");
    let named = report.findings.iter().filter_map(|finding| finding.column.as_deref());
    assert!(named.into_iter().all(|name| name.starts_with('#')));
    assert_eq!(report.side, None);
    let report = checked("宛名番号,氏名,備考,備考,\n1,a,,,\n");
    assert_eq!(found(&report, Class::HeaderRepeated), [0]);
    assert_eq!(found(&report, Class::HeaderEmpty), [0]);
}

#[test]
fn faults_are_reported_without_a_schema_too() {
    let mut bytes = encode_cp932("甲,乙\n1,谷口\n2\n3,").expect("letters");
    bytes.extend(b"\x91\n");
    let report = checked(bytes);
    assert_eq!(found(&report, Class::FieldCount), [3]);
    assert_eq!(found(&report, Class::Undecodable), [4]);
}

#[test]
fn safe_repairs_are_made_and_listed() {
    let (report, text) = repaired(
        "宛名番号,氏名,生年月日,郵便番号,住所\n0012, 谷口 ,29335,600001,若葉市平和9月23日\n34,山田,1980-04-24,060-0001,若葉市平和1-2 \n００５６,佐藤,,,\n",
    );
    assert_eq!(
        text,
        "宛名番号,氏名,生年月日,郵便番号,住所\n0012, 谷口 ,1980-04-24,0600001,若葉市平和9-23\n0034,山田,1980-04-24,060-0001,若葉市平和1-2\n0056,佐藤,,,\n"
    );
    let listed: Vec<(&str, u64, &str)> = report
        .findings
        .iter()
        .filter(|f| f.class.as_str().starts_with("repaired_"))
        .map(|f| (f.class.as_str(), f.line, f.column.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        listed,
        [
            ("repaired_date_serial", 2, "生年月日"),
            ("repaired_zeros_lost", 2, "郵便番号"),
            ("repaired_address_date", 2, "住所"),
            ("repaired_zeros_lost", 3, "宛名番号"),
            ("repaired_outer_space", 3, "住所"),
            ("repaired_full_width_digits", 4, "宛名番号"),
        ]
    );
    assert_eq!(report.repair, Repair::Written { cells: 6 });
}

#[test]
fn a_repaired_copy_needs_no_further_repair() {
    let (_, text) =
        repaired("宛名番号,氏名,生年月日,住所\n0012,a,29335,平和2004/2/10\n7,b, ３１ ,平和\n");
    let (report, again) = repaired(&text);
    assert_eq!(again, text);
    assert_eq!(report.repair, Repair::Written { cells: 0 });
}

#[test]
fn a_file_that_cannot_all_be_read_is_not_copied() {
    let (report, text) = repaired("宛名番号,氏名\n1,a\n2\n3,c\n");
    assert_eq!(report.repair, Repair::NotPossible { line: 3 });
    assert_eq!(text, "");
}

#[test]
fn a_file_with_my_numbers_is_not_copied() {
    for (text, line) in [
        // A column by name, by content, and one that is empty.
        ("宛名番号,氏名,個人番号\n1,a,\n2,b,123456789018\n", 3),
        ("宛名番号,氏名,番号\n1,a,123456789018\n2,b,123456789018\n3,c,123456789018\n", 2),
        ("宛名番号,氏名,個人番号\n1,a,\n", 1),
        // A single number, as a cell and inside one.
        ("宛名番号,氏名,住所\n1,a,b\n2,b,123456789018\n", 3),
        ("宛名番号,氏名,住所\n1,a,b\n2,b,平和1-2　１２３４５６７８９０１８\n", 3),
        // Columns that nobody knows.
        ("あ,い\n1,x\n2,平和 123456789018\n", 3),
    ] {
        let (report, copy) = repaired(text);
        assert_eq!(report.repair, Repair::NotPossible { line }, "{text}");
        assert_eq!(copy, "", "{text}");
    }
}

#[test]
fn a_schema_and_a_layout_are_followed() {
    let schema = Schema::parse(
        "id = { input = \"no\" }\n[[field]]\nname = \"born\"\nkind = \"date\"\ncolumn = \"born\"\n",
        "s.toml",
    )
    .expect("a schema");
    let layout = Layout::parse(
        "encoding = \"utf-8\"\nrecord_length = 12\nline_ending = \"lf\"\n[[column]]\nname = \"no\"\nstart = 1\nlength = 2\n[[column]]\nname = \"born\"\nstart = 3\nlength = 10\n",
        "l.toml",
    )
    .expect("a layout");
    let mut options = options();
    options.schema = Some(schema);
    options.read.layout = Some(layout);
    let bytes = b"011980-02-30\n022099-01-01\n".to_vec();
    let open = || TableReader::from_bytes(bytes.clone(), "f.dat", &options.read);
    let report = check(&open, &options, None).expect("a report");
    assert_eq!(found(&report, Class::DateImpossible), [1]);
    assert_eq!(found(&report, Class::DateFuture), [2]);
    options.schema = Some(Schema::resident_payment());
    let open = || TableReader::from_bytes(bytes.clone(), "f.dat", &options.read);
    assert!(matches!(check(&open, &options, None), Err(CheckError::Schema(_))));
}

#[test]
fn class_names_are_distinct_and_in_snake_case() {
    let mut names: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Class::ALL.len());
}
