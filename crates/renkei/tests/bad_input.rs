//! Bad files: what is refused, what rejects a line, what is only no evidence, and what is said of it.
//!
//! Every message names the file, and line and column where there is one, and never a value: the resident whose line is
//! broken is called 金糸雀, and nothing like that may ever be said. Where the program goes on, lines and yen of the
//! outcomes are those of the file.

mod support;

use std::path::Path;

use support::people::{Line, Pair, Person, lines, list, register, town};
use support::{Run, Sheet, assert_sums, cp932, my_number, renkei, with_bom};

/// Rows of the canary, and its line in both files.
const AT: usize = 40;
const LINE: &str = "42";
const LINES: u64 = 120;
const YEN: u64 = 120 * 50_000;

/// Nothing of this may be said.
const CANARY: [&str; 6] = ["金糸雀", "カナリヤ", "ｶﾅﾘﾔ", "KANARIYA", "1977-07-07", "9番99号"];

fn canary() -> Person {
    Person {
        id: "KANARIYA77".to_owned(),
        household: "000000000770077".to_owned(),
        kanji: "山中　金糸雀".to_owned(),
        kana: "ヤマナカ　カナリヤ".to_owned(),
        birth: "1977-07-07".to_owned(),
        sex: "2",
        postal: "273-0777".to_owned(),
        address: "千葉県若葉市金糸雀町9丁目9番99号".to_owned(),
        building: String::new(),
    }
}

/// 200 residents and 120 lines; the canary is in row 40 of both.
struct Files {
    register: Sheet,
    list: Sheet,
}

fn files() -> Files {
    let mut people = town(200);
    people[AT] = canary();
    let mut asking: Vec<Line> = lines(&people[..120], 1);
    asking[AT].id = "KANARIYA7".to_owned();
    Files { register: register(&people), list: list(&asking) }
}

impl Files {
    fn pair(&self) -> Pair {
        Pair::of(&self.register, &self.list)
    }

    /// Links with this in the canary's line of the list.
    fn with(column: &str, value: &str) -> Linked {
        let mut files = files();
        files.list.set(AT, column, value);
        Linked::of(&files.pair())
    }
}

/// A job that went through.
struct Linked {
    run: Run,
    links: Sheet,
}

impl Linked {
    #[track_caller]
    fn of(pair: &Pair) -> Self {
        Self { run: pair.link(&[]).exits(0).hides(&CANARY), links: pair.links() }
    }

    /// Outcome and reason of a row.
    fn of_row(&self, row: usize) -> (&str, &str) {
        (self.links.cell(row, "outcome"), self.links.cell(row, "reason"))
    }

    /// Expects that the canary's line alone is rejected, and that it is said why and where.
    #[track_caller]
    fn rejected(self, reason: &str, yen: u64, yen_unreadable: u64) -> Self {
        assert_eq!(self.of_row(AT), ("REJECTED_INPUT", reason));
        let json = self.run.json();
        assert_sums(&json, LINES, yen);
        assert_eq!(json["yen_unreadable"], yen_unreadable);
        assert_eq!(json["outcomes"]["REJECTED_INPUT"]["lines"], 1);
        for word in ["list.csv", LINE, reason] {
            assert!(self.run.stderr.contains(word), "`{word}` is not in: {}", self.run.stderr);
        }
        self
    }

    /// Expects that no line is rejected, and that the canary's line is that of the canary.
    #[track_caller]
    fn accepted(self, yen: u64) -> Self {
        let json = self.run.json();
        assert_sums(&json, LINES, yen);
        assert_eq!(json["outcomes"]["REJECTED_INPUT"]["lines"], 0);
        assert_eq!(json["yen_unreadable"], 0);
        assert_eq!(self.links.cell(AT, "register_id"), "KANARIYA77");
        assert!(["LINKED", "REVIEW"].contains(&self.of_row(AT).0), "{:?}", self.of_row(AT));
        self
    }
}

/// Expects that linking ends so, writes nothing, and says where but not what.
#[track_caller]
fn refused(pair: &Pair, code: i32, says: &[&str]) {
    let before = pair.folder.names();
    pair.link(&[]).exits(code).says(says).hides(&CANARY);
    assert_eq!(pair.folder.names(), before, "something was left behind");
}

/// The bytes of a text with the canary's given name broken.
fn broken(text: &[u8], name: &[u8]) -> Vec<u8> {
    let at = text.windows(name.len()).position(|bytes| bytes == name).expect("the canary");
    [&text[..at], b"\xFF\xFE\xFD", &text[at + name.len()..]].concat()
}

#[test]
fn bytes_that_are_no_text_refuse_a_register() {
    let Files { register, list } = files();
    for bytes in [
        broken(register.csv().as_bytes(), "金糸雀".as_bytes()),
        broken(&with_bom(&register.csv()), "金糸雀".as_bytes()),
        broken(&cp932(&register.csv()), &cp932("金糸雀")),
    ] {
        refused(&Pair::bytes(bytes, list.csv()), 3, &["register.csv", LINE, "氏名"]);
    }
}

#[test]
fn bytes_that_are_no_text_reject_a_line_of_a_list() {
    let Files { register, list } = files();
    for bytes in [
        broken(list.csv().as_bytes(), "金糸雀".as_bytes()),
        broken(&with_bom(&list.csv()), "金糸雀".as_bytes()),
        broken(&cp932(&list.csv()), &cp932("金糸雀")),
    ] {
        let pair = Pair::bytes(register.csv(), bytes);
        Linked::of(&pair).rejected("UNDECODABLE", YEN, 0);
    }
}

#[test]
fn bytes_that_are_no_text_in_more_than_one_line_of_a_hundred_refuse_a_list() {
    let Files { register, list } = files();
    let bytes = broken(list.csv().as_bytes(), "金糸雀".as_bytes());
    let bytes = broken(&bytes, "翔太".as_bytes());
    refused(&Pair::bytes(register.csv(), bytes), 3, &["list.csv", "2", "120"]);
    // One of a hundred is one in a hundred, one of ninety-nine is more.
    let Files { list, .. } = files();
    let one_of = |lines: usize| {
        let list = list.some(0..lines).csv();
        Pair::bytes(register.csv(), broken(list.as_bytes(), "金糸雀".as_bytes()))
    };
    let linked = Linked::of(&one_of(100));
    assert_eq!(linked.of_row(AT), ("REJECTED_INPUT", "UNDECODABLE"));
    assert_sums(&linked.run.json(), 100, 100 * 50_000);
    refused(&one_of(99), 3, &["list.csv", LINE, "99"]);
}

#[test]
fn a_header_of_another_file_is_told_with_the_columns_that_are_wanted() {
    let Files { register, mut list } = files();
    refused(&Pair::of(&list, &list), 2, &["register.csv", "宛名番号"]);
    refused(&Pair::of(&register, &register), 2, &["list.csv", "申請番号"]);
    let amount = list.column("支給額");
    list.header[amount] = "備考".to_owned();
    refused(&Pair::of(&register, &list), 2, &["list.csv", "支給額"]);
}

#[test]
fn a_file_without_a_header_is_not_shown() {
    let Files { register, list } = files();
    let headless = |sheet: &Sheet| {
        let rows: Vec<Vec<String>> =
            std::iter::once(sheet.rows[AT].clone()).chain(sheet.rows.clone()).collect();
        let (header, rows) =
            rows.split_first().map(|(h, r)| (h.clone(), r.to_vec())).unwrap_or_default();
        Sheet { header, rows }
    };
    refused(&Pair::of(&headless(&register), &list), 2, &["register.csv"]);
    refused(&Pair::of(&register, &headless(&list)), 2, &["list.csv"]);
}

#[test]
fn a_header_that_names_a_column_twice_is_refused() {
    let Files { register, mut list } = files();
    let sex = list.column("性別");
    list.header[sex] = "支給額".to_owned();
    refused(&Pair::of(&register, &list), 2, &["list.csv", "支給額"]);
}

#[test]
fn a_line_with_a_cell_too_few_or_too_many_is_rejected_without_its_yen() {
    for change in [
        (|row: &mut Vec<String>| drop(row.pop())) as fn(&mut Vec<String>),
        |row| row.push("金糸雀".to_owned()),
        |row| row.insert(1, "金糸雀".to_owned()),
    ] {
        let mut files = files();
        change(&mut files.list.rows[AT]);
        Linked::of(&files.pair()).rejected("FIELD_COUNT", YEN - 50_000, 1);
    }
}

#[test]
fn a_resident_with_a_cell_too_few_takes_no_part() {
    let mut files = files();
    files.register.rows[AT].pop();
    let pair = files.pair();
    let linked = Linked::of(&pair);
    assert!(!linked.links.cells("register_id").contains(&"KANARIYA77"));
    assert_eq!(linked.links.cell(AT, "outcome"), "NOT_FOUND");
    assert_sums(&linked.run.json(), LINES, YEN);
    linked.run.says(&["register.csv", LINE, "FIELD_COUNT"]);
}

#[test]
fn days_that_do_not_exist_or_have_not_come_are_no_evidence() {
    for birth in ["1977-02-30", "2199-07-07", "昭和52年2月30日", "不明", "0000-00-00"] {
        Files::with("生年月日", birth).accepted(YEN).run.hides(&[birth]);
    }
}

#[test]
fn a_day_that_became_a_number_of_days_does_not_reject_its_line() {
    // 28313 is 1977-07-07.
    for birth in ["28313", "28313.0"] {
        Files::with("生年月日", birth).accepted(YEN).run.hides(&[birth]);
    }
}

#[test]
fn scientific_notation_in_an_id_rejects_the_lines_that_it_makes_equal() {
    let mut files = files();
    for row in [AT, AT + 1, AT + 2] {
        files.list.set(row, "申請番号", "1.23E+11");
    }
    let linked = Linked::of(&files.pair());
    for row in [AT, AT + 1, AT + 2] {
        assert_eq!(linked.of_row(row), ("REJECTED_INPUT", "ID_REPEATED"));
    }
    assert_sums(&linked.run.json(), LINES, YEN);
    linked.run.says(&["list.csv", LINE, "ID_REPEATED"]).hides(&["1.23E+11"]);
    for row in [AT, AT + 1] {
        files.register.set(row, "宛名番号", "1.23E+11");
    }
    let pair = files.pair();
    refused(&pair, 3, &["register.csv", LINE, "43", "宛名番号"]);
    pair.link(&[]).hides(&["1.23E+11"]);
}

#[test]
fn scientific_notation_elsewhere_does_not_reject_a_line() {
    for column in ["郵便番号", "住所", "口座名義カナ"] {
        Files::with(column, "1.23E+11").accepted(YEN).run.hides(&["1.23E+11"]);
    }
}

#[test]
fn lost_zeros_do_not_reject_a_line() {
    let mut files = files();
    files.register.set(AT, "郵便番号", "060-0001");
    files.list.set(AT, "郵便番号", "600001");
    Linked::of(&files.pair()).accepted(YEN).run.hides(&["600001"]);
    // Ids without their zeros are other ids, and stay as they are.
    let mut files = self::files();
    for row in 0..files.register.rows.len() {
        let id = files.register.cell(row, "宛名番号").trim_start_matches('0').to_owned();
        files.register.set(row, "宛名番号", &id);
    }
    let linked = Linked::of(&files.pair()).accepted(YEN);
    assert!(linked.links.cells("register_id").iter().all(|id| !id.starts_with('0')));
}

#[test]
fn an_address_that_became_a_date_does_not_reject_its_line() {
    for address in ["9月9日", "千葉県若葉市金糸雀町9月9日", "2009/9/9", "2009-09-09 00:00:00"]
    {
        Files::with("住所", address).accepted(YEN).run.hides(&[address]);
    }
}

#[test]
fn amounts_may_have_full_width_digits_commas_and_yen() {
    for amount in ["１００，０００円", "１０００００", "100,000", "100,000円", " 100000 "]
    {
        let linked = Files::with("支給額", &format!("\"{amount}\"")).accepted(YEN + 50_000);
        linked.run.hides(&[amount]);
    }
    Files::with("支給額", "0").accepted(YEN - 50_000);
}

#[test]
fn an_amount_that_cannot_be_read_rejects_its_line_and_is_counted() {
    let unreadable = [
        "五万",
        "-50000",
        "+50000",
        "50000.0",
        "50000.5",
        "\"50,00\"",
        "\"5,0000\"",
        "5E+04",
        "△50000",
        "50000円也",
        "0x10",
        "18446744073709551615",
        "99999999999999999999999",
        "",
    ];
    for amount in unreadable {
        let linked = Files::with("支給額", amount).rejected("AMOUNT_UNREADABLE", YEN - 50_000, 1);
        if amount.len() > 2 {
            linked.run.hides(&[amount]);
        }
    }
}

#[test]
fn a_column_named_as_my_numbers_refuses_the_file() {
    for name in ["個人番号", "マイナンバー", "my_number", "住民票コード"] {
        for of_register in [true, false] {
            let mut files = files();
            let sheet = if of_register { &mut files.register } else { &mut files.list };
            sheet.header.push(name.to_owned());
            // Empty: the name is enough.
            sheet.rows.iter_mut().for_each(|row| row.push(String::new()));
            let file = if of_register { "register.csv" } else { "list.csv" };
            refused(&files.pair(), 3, &[file, name]);
        }
    }
}

#[test]
fn a_column_of_my_numbers_under_another_name_refuses_the_file() {
    for of_register in [true, false] {
        let mut files = files();
        let sheet = if of_register { &mut files.register } else { &mut files.list };
        sheet.header.push("連携用番号".to_owned());
        let mut numbers = Vec::new();
        for (row, number) in sheet.rows.iter_mut().zip(0u64..) {
            numbers.push(my_number(30_000_000_000 + number * 7_654_321));
            row.extend(numbers.last().cloned());
        }
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let file = if of_register { "register.csv" } else { "list.csv" };
        let pair = files.pair();
        refused(&pair, 3, &[file, "連携用番号"]);
        pair.link(&[]).hides(&numbers);
    }
}

#[test]
fn my_numbers_as_ids_refuse_the_file() {
    let mut files = files();
    for row in 0..files.list.rows.len() {
        files.list.set(row, "申請番号", &my_number(30_000_000_000 + row as u64 * 7_654_321));
    }
    refused(&files.pair(), 3, &["list.csv", "申請番号"]);
}

#[test]
fn a_my_number_in_a_text_rejects_its_line() {
    let number = my_number(34_567_890_123);
    for (column, value) in [
        ("住所", number.clone()),
        ("氏名", format!("山中 個人番号{number}")),
        ("口座名義カナ", format!("{}-{}-{}", &number[..4], &number[4..8], &number[8..])),
    ] {
        let linked = Files::with(column, &value).rejected("MY_NUMBER", YEN, 0);
        assert!(!linked.links.csv().contains(&number));
        linked.run.hides(&[&number, &value]);
    }
}

#[test]
fn a_repeated_id_rejects_every_line_that_has_it() {
    let mut files = files();
    files.list.set(7, "申請番号", "KANARIYA7");
    files.list.set(119, "申請番号", "KANARIYA7");
    let linked = Linked::of(&files.pair());
    for row in [7, AT, 119] {
        assert_eq!(linked.of_row(row), ("REJECTED_INPUT", "ID_REPEATED"));
        assert_eq!(linked.links.cell(row, "list_id"), "KANARIYA7");
    }
    let json = linked.run.json();
    assert_sums(&json, LINES, YEN);
    assert_eq!(json["outcomes"]["REJECTED_INPUT"]["lines"], 3);
    linked.run.says(&["list.csv", "3", "9", "ID_REPEATED"]);
}

#[test]
fn a_repeated_id_refuses_a_register() {
    let mut files = files();
    files.register.set(150, "宛名番号", "KANARIYA77");
    refused(&files.pair(), 3, &["register.csv", LINE, "152", "宛名番号"]);
}

#[test]
fn a_line_without_an_id_is_rejected() {
    for id in ["", " ", "　"] {
        let linked = Files::with("申請番号", id).rejected("ID_MISSING", YEN, 0);
        assert_eq!(linked.links.rows.len(), 120);
    }
}

#[test]
fn a_line_whose_id_cannot_be_one_is_rejected_and_the_id_is_written_nowhere() {
    for id in ["KANARIYA\u{0}7", "KANARIYA\u{1b}[2J", "KANARI\u{85}YA7", &"7".repeat(200_000)] {
        let linked = Files::with("申請番号", id).rejected("ID_UNUSABLE", YEN, 0);
        assert_eq!(linked.links.rows.len(), 120);
        assert_eq!(linked.links.cell(AT, "list_id"), "");
    }
    // What programs join results by is exact.
    let linked = Files::with("申請番号", "=1+1").accepted(YEN);
    assert_eq!(linked.links.cell(AT, "list_id"), "=1+1");
}

#[test]
fn an_empty_file_is_refused() {
    let Files { register, list } = files();
    for empty in ["", "\u{FEFF}", "\n\n\r\n"] {
        refused(&Pair::bytes(empty, list.csv()), 2, &["register.csv"]);
        refused(&Pair::bytes(register.csv(), empty), 2, &["list.csv"]);
    }
}

#[test]
fn a_register_without_residents_finds_nobody() {
    let Files { register, mut list } = files();
    for column in ["氏名", "氏名カナ", "生年月日", "性別", "郵便番号", "住所", "口座名義カナ"]
    {
        list.set(AT, column, "");
    }
    let linked = Linked::of(&Pair::of(&register.some([]), &list));
    let json = linked.run.json();
    assert_sums(&json, LINES, YEN);
    assert_eq!((&json["register_records"], &json["candidate_pairs"]), (&0.into(), &0.into()));
    assert_eq!(linked.of_row(AT), ("UNLINKABLE", "NO_EVIDENCE"));
    for row in (0..120).filter(|&row| row != AT) {
        assert_eq!(linked.of_row(row), ("NOT_FOUND", "NO_CANDIDATE"));
        assert_eq!(linked.links.cell(row, "register_id"), "");
    }
}

#[test]
fn a_list_without_lines_is_done_at_once() {
    let Files { register, list } = files();
    // With and without an end to the only line.
    for header in [list.some([]).csv(), list.header.join(",")] {
        let linked = Linked::of(&Pair::bytes(register.csv(), header));
        assert_sums(&linked.run.json(), 0, 0);
        assert_eq!(linked.links.rows.len(), 0);
        assert_eq!(linked.links.header.len(), 6);
    }
    let linked = Linked::of(&Pair::of(&register.some([]), &list.some([])));
    assert_sums(&linked.run.json(), 0, 0);
}

#[test]
fn a_line_of_nothing_but_an_id_and_an_amount_is_unlinkable() {
    let mut files = files();
    for column in ["氏名", "氏名カナ", "生年月日", "性別", "郵便番号", "住所", "口座名義カナ"]
    {
        files.list.set(AT, column, "");
    }
    let linked = Linked::of(&files.pair());
    assert_eq!(linked.of_row(AT), ("UNLINKABLE", "NO_EVIDENCE"));
    assert_sums(&linked.run.json(), LINES, YEN);
    let json = linked.run.json();
    assert_eq!(json["outcomes"]["UNLINKABLE"]["yen"], 50_000);
}

#[test]
fn a_cell_of_ten_mebibytes_is_refused_with_its_line_and_column() {
    let long = "金糸雀".repeat((10 << 20) / 9);
    for cell in [long.clone(), format!("\"{long}\"")] {
        let mut files = files();
        files.list.set(AT, "住所", &cell);
        // The address is the seventh column.
        refused(&files.pair(), 2, &["list.csv", LINE, "7"]);
        let mut files = self::files();
        files.register.set(AT, "住所", &cell);
        refused(&files.pair(), 2, &["register.csv", LINE, "8"]);
    }
}

#[test]
fn a_quote_that_is_never_closed_is_refused_with_its_line() {
    let mut files = files();
    files.list.set(AT, "住所", "\"千葉県若葉市金糸雀町");
    refused(&files.pair(), 2, &["list.csv", LINE, "7"]);
    let mut files = self::files();
    files.register.set(AT, "氏名", "\"山中　金糸雀");
    refused(&files.pair(), 2, &["register.csv", LINE, "3"]);
    // In the very last cell of the file.
    let mut files = self::files();
    files.list.set(119, "口座名義カナ", "\"カナリヤ");
    refused(&files.pair(), 2, &["list.csv", "121", "9"]);
}

/// Lines are read thousands at a time, and several of these batches are taken together.
#[test]
fn of_two_faults_in_a_long_register_the_first_is_told() {
    let Files { mut register, list } = files();
    let resident = register.rows[0].clone();
    for row in register.rows.len()..20_000 {
        let mut resident = resident.clone();
        resident[0] = format!("LANG{row:06}");
        register.rows.push(resident);
    }
    register.set(19_000, "氏名", "\"山中　金糸雀");
    refused(&Pair::of(&register, &list), 2, &["register.csv", "19002"]);
    // The canary stands thousands of lines before.
    let both = broken(register.csv().as_bytes(), "山中　金糸雀".as_bytes());
    refused(&Pair::bytes(both, list.csv()), 3, &["register.csv", LINE, "bytes that are no text"]);
}

#[test]
fn a_surname_that_all_share_stops_nothing() {
    let same = |name: &str, family: &str| {
        format!("{family}　{}", name.split('　').next_back().unwrap_or_default())
    };
    let Files { mut register, mut list } = files();
    for sheet in [&mut register, &mut list] {
        for row in 0..sheet.rows.len() {
            let (kanji, kana) = (sheet.cell(row, "氏名"), sheet.cell(row, "氏名カナ"));
            let (kanji, kana) = (same(kanji, "比嘉"), same(kana, "ヒガ"));
            sheet.set(row, "氏名", &kanji);
            sheet.set(row, "氏名カナ", &kana);
        }
    }
    let linked = Linked::of(&Pair::of(&register, &list));
    assert_sums(&linked.run.json(), LINES, YEN);
    let mut right = 0;
    for row in 0..120 {
        if linked.links.cell(row, "outcome") == "LINKED" {
            // Line and resident stand in the same row.
            assert_eq!(linked.links.cell(row, "register_id"), register.cell(row, "宛名番号"));
            right += 1;
        }
    }
    assert!(right >= 100, "{right}");
}

#[test]
fn a_file_that_is_not_there_or_is_a_directory_is_named() {
    let pair = files().pair();
    let (nowhere, folder) = (pair.folder.path("nowhere.csv"), pair.folder.path("folder.csv"));
    fs_err::create_dir_all(&folder).expect("a folder");
    for bad in [&nowhere, &folder] {
        let name = bad.file_name().and_then(|name| name.to_str()).expect("a name");
        link(bad, &pair.list, &pair.output()).exits(2).says(&[name]);
        link(&pair.register, bad, &pair.output()).exits(2).says(&[name]);
        renkei(["check".as_ref(), bad.as_os_str()]).exits(2).says(&[name]);
        let bad_option = bad.to_str().expect("UTF-8");
        for option in ["--model", "--schema", "--list-layout", "--register-layout"] {
            pair.link(&[option, bad_option]).exits(2).says(&[name]);
        }
    }
    assert_eq!(pair.folder.names(), ["folder.csv", "list.csv", "register.csv"]);
}

fn link(register: &Path, list: &Path, output: &Path) -> Run {
    renkei([
        "link".as_ref(),
        "--register".as_ref(),
        register.as_os_str(),
        "--list".as_ref(),
        list.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
    ])
}

#[test]
fn an_output_that_cannot_be_written_is_named_and_leaves_nothing() {
    let pair = files().pair();
    let before = pair.folder.names();
    for name in ["links.txt", "links", "nowhere/links.csv", "list.csv/links.csv"] {
        let last = name.rsplit('/').next().unwrap_or_default();
        pair.link_to(name, &[]).exits(2).says(&[last]).hides(&CANARY);
        assert_eq!(pair.folder.names(), before, "{name}");
    }
}

#[test]
fn a_second_output_that_cannot_be_written_is_named() {
    let pair = files().pair();
    for option in ["--candidates", "--save-model", "--report"] {
        let path = pair.folder.path("nowhere/other.csv");
        let path = path.to_str().expect("UTF-8");
        pair.link(&[option, path]).exits(2).says(&["nowhere/other.csv"]).hides(&CANARY);
    }
    let path = pair.folder.path("candidates.txt");
    pair.link(&["--candidates", path.to_str().expect("UTF-8")]).exits(2).says(&["candidates.txt"]);
}

#[test]
fn a_file_that_only_looks_like_a_workbook_or_parquet_is_refused() {
    let Files { register, list } = files();
    let canary = "山中　金糸雀".as_bytes();
    let starts: [&[u8]; 3] = [b"PK\x03\x04", b"PAR1", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"];
    for start in starts {
        let bytes = [start, canary].concat();
        refused(&Pair::bytes(&bytes, list.csv()), 2, &["register.csv"]);
        refused(&Pair::bytes(register.csv(), &bytes), 2, &["list.csv"]);
    }
}

#[test]
fn a_schema_or_layout_that_is_wrong_is_named_with_its_line() {
    let pair = files().pair();
    let schema = "id = { register = \"a\", list = \"b\" }\n";
    let layout = "encoding = \"cp932\"\nrecord_length = 10\n";
    let cases = [
        ("--schema", format!("{schema}[[field]]\nname = \"x\"\nkind = \"colour\"\n"), "4"),
        ("--schema", "\n\nid = { register = \"a\"\n".to_owned(), "3"),
        ("--schema", format!("{schema}weights = 3\n"), "2"),
        ("--list-layout", layout.replace("cp932", "ebcdic"), "1"),
        ("--register-layout", format!("{layout}colour = 1\n"), "3"),
    ];
    for (option, text, line) in cases {
        let file = pair.folder.write("wrong.toml", text);
        let run = pair.link(&[option, file.to_str().expect("UTF-8")]);
        run.exits(2).says(&["wrong.toml", &format!("line {line}")]);
    }
}

#[test]
fn a_model_that_is_none_is_named() {
    let pair = files().pair();
    for text in ["this is no model", "format = \"renkei-model-0\"\n", ""] {
        let file = pair.folder.write("wrong.toml", text);
        pair.link(&["--model", file.to_str().expect("UTF-8")]).exits(2).says(&["wrong.toml"]);
    }
}

#[test]
fn a_file_of_people_in_the_place_of_a_configuration_is_not_shown() {
    let pair = files().pair();
    // Nothing but the canary's line.
    let lines = files().list.rows[AT].join(",");
    let file = pair.folder.write("people.csv", lines);
    let file = file.to_str().expect("UTF-8");
    for option in ["--model", "--schema", "--list-layout", "--register-layout"] {
        pair.link(&[option, file]).exits(2).hides(&CANARY);
    }
    let list = pair.list.as_os_str();
    for option in ["--schema", "--layout"] {
        let run = renkei(["check".as_ref(), option.as_ref(), file.as_ref(), list]);
        run.exits(2).hides(&CANARY);
    }
}

/// Saves a model and links with it.
#[track_caller]
fn assert_model_is_read_again(pair: &Pair, more: &[&str]) {
    let model = pair.folder.path("model.toml");
    let model = model.to_str().expect("UTF-8");
    let saved = pair.link(&[&["--save-model", model], more].concat()).exits(0);
    let read = pair.link(&[&["--model", model], more].concat()).exits(0);
    assert_eq!(read.json()["result_digest"], saved.json()["result_digest"]);
}

#[test]
fn a_model_of_empty_files_can_be_read_again() {
    let Files { register, list } = files();
    let (nobody, nothing) = (register.some([]), list.some([]));
    for (of_register, of_list) in [(&register, &nothing), (&nobody, &list), (&nobody, &nothing)] {
        assert_model_is_read_again(&Pair::of(of_register, of_list), &[]);
    }
}

#[test]
fn a_model_of_a_few_records_can_be_read_again() {
    let Files { register, list } = files();
    let schema = "id = { register = \"宛名番号\", list = \"申請番号\" }\n\
         [[field]]\nname = \"postcode\"\nkind = \"identifier\"\n\
         register = \"郵便番号\"\nlist = \"郵便番号\"\n";
    for people in [1, 2, 3, 10] {
        let pair = Pair::of(&register.some(0..people), &list.some(0..people));
        assert_model_is_read_again(&pair, &[]);
        let schema = pair.folder.write("schema.toml", schema);
        assert_model_is_read_again(&pair, &["--schema", schema.to_str().expect("UTF-8")]);
    }
}

#[test]
fn a_report_on_empty_files_can_be_written() {
    let Files { register, list } = files();
    let (nobody, nothing) = (register.some([]), list.some([]));
    for (of_register, of_list) in [(&register, &nothing), (&nobody, &list), (&nobody, &nothing)] {
        let pair = Pair::of(of_register, of_list);
        let report = pair.folder.path("report.html");
        pair.link(&["--report", report.to_str().expect("UTF-8")]).exits(0);
        let report = fs_err::read_to_string(report).expect("a report");
        assert!(report.contains("</html>") && !report.contains("NaN"));
    }
}

#[test]
fn records_of_another_length_than_their_layout_says_are_rejected() {
    let layout = "encoding = \"cp932\"\nrecord_length = 30\nline_ending = \"crlf\"\n\
         [[column]]\nname = \"申請番号\"\nstart = 1\nlength = 10\n\
         [[column]]\nname = \"氏名\"\nstart = 11\nlength = 12\n\
         [[column]]\nname = \"支給額\"\nstart = 23\nlength = 8\n";
    let record = |id: &str, amount: &str| format!("{id:10}山中金糸雀  {amount:>8}\r\n");
    // The second lacks a byte.
    let text =
        record("B1", "50000") + &record("B2", "50000").replacen(' ', "", 1) + &record("B3", "1");
    let pair = Pair::bytes(files().register.csv(), cp932(&text));
    let layout = pair.folder.write("layout.toml", layout);
    let run =
        pair.link(&["--list-layout", layout.to_str().expect("UTF-8")]).exits(0).hides(&CANARY);
    assert_sums(&run.json(), 3, 50_001);
    assert_eq!(run.json()["yen_unreadable"], 1);
    let links = pair.links();
    assert_eq!(
        (links.cell(1, "outcome"), links.cell(1, "reason")),
        ("REJECTED_INPUT", "FIELD_COUNT")
    );
    run.says(&["list.csv", "2", "FIELD_COUNT"]);
}
