use super::*;
use crate::encoding::encode_cp932;
use crate::read::ReadOptions;
use crate::schema::Schema;
use renkei_types::{Classify as _, Kind, Language, Localised as _};

fn admit(bytes: impl Into<Vec<u8>>, side: Side) -> Result<Admitted, AdmissionError> {
    let mut reader = TableReader::from_bytes(bytes.into(), "file.csv", &ReadOptions::default())
        .expect("a table");
    let binding = reader.bind(&Schema::resident_payment(), side).expect("a binding");
    let mut admission = Admission::of(&reader, &binding)?;
    while let Some(batch) = reader.next_batch().expect("rows") {
        admission.observe(&batch)?;
    }
    admission.finish()
}

fn reasons(admitted: &Admitted) -> Vec<(u64, Reason)> {
    admitted.rejections().iter().map(|rejection| (rejection.line, rejection.reason)).collect()
}

const HEADER: &str = "申請番号,氏名,住所,支給額\n";

fn list(lines: &str) -> Admitted {
    admit(format!("{HEADER}{lines}"), Side::List).expect("a list")
}

#[test]
fn a_sound_list_is_admitted_whole_with_its_totals() {
    let bytes = include_bytes!("../../testdata/payments.csv");
    let admitted = admit(bytes, Side::List).expect("a list");
    assert_eq!((admitted.lines(), admitted.yen()), (300, Yen(19_890_000)));
    assert_eq!((admitted.yen_unreadable(), admitted.rejections().len()), (0, 0));
    let admitted =
        admit(include_bytes!("../../testdata/residents.csv"), Side::Register).expect("a register");
    assert_eq!((admitted.lines(), admitted.rejections().len()), (300, 0));
}

#[test]
fn a_column_too_few_rejects_only_its_line() {
    let admitted =
        list("B1,谷口,千葉県,100\nB2,山田,200\nB3,佐藤,平和,300\nB4,鈴木,平和,1746,400\n");
    assert_eq!(reasons(&admitted), [(3, Reason::FieldCount), (5, Reason::FieldCount)]);
    // Nobody knows which of the shifted cells is the amount.
    assert_eq!((admitted.lines(), admitted.yen(), admitted.yen_unreadable()), (4, Yen(400), 2));
    assert_eq!(admitted.reason(0), None);
    assert_eq!(admitted.reason(1), Some(Reason::FieldCount));
}

#[test]
fn a_missing_id_rejects_its_line_and_its_yen_still_count() {
    let admitted = list("B1,谷口,千葉県,100\n,山田,若葉市,200\n　,佐藤,平和,300\n");
    assert_eq!(reasons(&admitted), [(3, Reason::IdMissing), (4, Reason::IdMissing)]);
    assert_eq!((admitted.yen(), admitted.yen_unreadable()), (Yen(600), 0));
}

/// Such an id would be in every table that is handed out, and no workbook could hold it.
#[test]
fn an_id_with_control_characters_or_of_absurd_length_rejects_its_line_and_its_yen_still_count() {
    let (longest, longer) = ("9".repeat(256), "9".repeat(257));
    let admitted = list(&format!(
        "B1,a,b,1\nB\u{0}2,c,d,2\n\"B\t3\",e,f,4\nB\u{85}4,g,h,8\n{longest},i,j,16\n{longer},k,l,32\n{longer},k,l,64\n"
    ));
    let refused = [3, 4, 5, 7, 8].map(|line| (line, Reason::IdUnusable));
    assert_eq!(reasons(&admitted), refused);
    assert_eq!((admitted.lines(), admitted.yen(), admitted.yen_unreadable()), (7, Yen(127), 0));
    // Letters that share a byte with control characters are letters; white space around an id is none of it.
    assert_eq!(reasons(&list("B¡1,a,b,1\n\tB2\u{3000},a,b,1\n=1+1,c,d,2\n")), []);
    let register = admit("宛名番号,氏名\n1,a\n2\u{7f},b\n", Side::Register).expect("a register");
    assert_eq!(reasons(&register), [(3, Reason::IdUnusable)]);
}

#[test]
fn a_repeated_id_rejects_every_line_that_has_it() {
    let admitted = list("B1,a,b,1\nB2,a,b,2\nB1 ,c,d,3\nB3,a,b,4\nB1,e,f,5\n");
    assert_eq!(
        reasons(&admitted),
        [(2, Reason::IdRepeated), (4, Reason::IdRepeated), (6, Reason::IdRepeated)]
    );
    assert_eq!(admitted.yen(), Yen(15));
}

#[test]
fn a_repeated_id_is_found_across_batches() {
    let mut lines: String = (0..30_000).map(|n| format!("B{n:09},名,所,1\n")).collect();
    lines.push_str("B000000007,名,所,1\n");
    let admitted = list(&lines);
    assert_eq!(reasons(&admitted), [(9, Reason::IdRepeated), (30_002, Reason::IdRepeated)]);
    assert_eq!((admitted.lines(), admitted.yen()), (30_001, Yen(30_001)));
}

#[test]
fn ids_that_differ_by_zeros_in_front_alone_are_told_and_reject_nobody() {
    let of = |ids: &str| {
        let rows: String = ids.split(' ').map(|id| format!("{id},a\n")).collect();
        let admitted = admit(format!("宛名番号,氏名\n{rows}"), Side::Register).expect("a file");
        assert_eq!(reasons(&admitted), []);
        admitted.zeros_differ()
    };
    assert_eq!(of("00123 123"), Some(3));
    assert_eq!(of("7 9 123 8 00123 09"), Some(6), "the first line that is a second one");
    assert_eq!(of("0 000"), Some(3));
    assert_eq!(of("1 10 100 0101 A1 0A1"), Some(7));
    assert_eq!(of("1 10 100 00101 A1 B01"), None, "zeros within or behind tell apart");
}

#[test]
fn a_list_of_one_id_is_rejected_line_by_line() {
    let lines: String = (0..50_000).map(|n| format!("B1,名{n},所,1\n")).collect();
    let admitted = list(&lines);
    assert_eq!((admitted.rejections().len(), admitted.yen()), (50_000, Yen(50_000)));
}

#[test]
fn an_unreadable_amount_rejects_its_line_and_is_counted() {
    let admitted = list(
        "B1,a,b,\"１，０００円\"\nB2,a,b,-5\nB3,a,b,\nB4,a,b,1.5\nB5,a,b,\"2,000\"\nB6,a,b,99999999999999999999\n",
    );
    assert_eq!(reasons(&admitted), [3, 4, 5, 7].map(|line| (line, Reason::AmountUnreadable)));
    assert_eq!((admitted.yen(), admitted.yen_unreadable()), (Yen(3_000), 4));
    assert_eq!(admitted.rejections()[0].column, Some(3));
}

#[test]
fn undecodable_bytes_reject_a_line_of_a_list() {
    let mut bytes = encode_cp932(HEADER).expect("letters");
    for n in 0..200 {
        bytes.extend(encode_cp932(&format!("B{n},谷口,千葉県,100\n")).expect("letters"));
    }
    bytes.extend(b"B200,\x91,x,100\n");
    let admitted = admit(bytes.clone(), Side::List).expect("less than 1 %");
    assert_eq!(reasons(&admitted), [(202, Reason::Undecodable)]);
    assert_eq!((admitted.lines(), admitted.yen()), (201, Yen(20_100)));
    bytes.extend(b"B201,\x91,x,100\nB202,\x91,\x91,100\n");
    let error = admit(bytes, Side::List).expect_err("over 1 %");
    assert!(
        matches!(&error, AdmissionError::TooManyUndecodable { line: 202, undecodable: 3, lines: 203, column: Some(column), .. } if column == "氏名"),
        "{error:?}"
    );
}

#[test]
fn one_broken_byte_refuses_a_register() {
    let mut bytes = "宛名番号,氏名\n1,谷口\n2,山田\n3,佐藤\n".as_bytes().to_vec();
    let position = bytes.len() - 4;
    bytes[position] = 0xFF;
    let error = admit(bytes, Side::Register).expect_err("undecodable");
    assert!(matches!(error, AdmissionError::Undecodable { line: 4, .. }), "{error}");
    assert_eq!(error.kind(), Kind::Refused);
}

#[test]
fn repeated_ids_refuse_a_register_and_an_input() {
    for side in [Side::Register, Side::Input] {
        let error = admit("宛名番号,氏名\n1,a\n2,b\n1,c\n1,d\n2,e\n", side).expect_err("repeated");
        assert_eq!(
            error,
            AdmissionError::IdsRepeated {
                file: "file.csv".into(),
                column: "宛名番号".into(),
                first: 2,
                second: 4,
                lines: 5
            }
        );
    }
}

#[test]
fn a_register_needs_no_amount_and_may_have_lines_without_id() {
    let admitted = admit("宛名番号,氏名,金額\n1,a,x\n,b,y\n", Side::Register).expect("a register");
    assert_eq!(reasons(&admitted), [(3, Reason::IdMissing)]);
    assert_eq!((admitted.yen(), admitted.yen_unreadable()), (Yen(0), 0));
}

#[test]
fn a_column_named_my_number_refuses_the_file_even_when_empty() {
    let error =
        admit("申請番号,氏名,支給額,マイナンバー\nB1,a,1,\n", Side::List).expect_err("refused");
    assert!(
        matches!(&error, AdmissionError::MyNumberColumn { column, .. } if column == "マイナンバー")
    );
    assert_eq!((error.kind(), error.reason()), (Kind::Refused, Reason::MyNumber));
}

#[test]
fn a_column_of_my_numbers_refuses_the_file_whatever_its_name() {
    let mut text = "申請番号,氏名,支給額,備考\n".to_owned();
    for n in 0..20u64 {
        let base: Vec<u8> =
            format!("{:011}", 31_415_926_535 + n * 271_828).bytes().map(|b| b - b'0').collect();
        let check =
            renkei_japanese::code::my_number_check_digit(&base.clone().try_into().expect("eleven"));
        let number: String = base.iter().chain([&check]).map(|d| d.to_string()).collect();
        text.push_str(&format!("B{n},名,1,{number}\n"));
    }
    let error = admit(text, Side::List).expect_err("refused");
    for language in [Language::English, Language::Japanese] {
        let said = error.localised(language);
        assert!(said.contains("備考") && !said.contains("314159"), "{said}");
    }
}

#[test]
fn a_my_number_in_an_address_rejects_only_its_line() {
    // 123456789018 fits.
    let admitted = list(
        "B1,a,千葉県,1\nB2,b,123456789018,2\nB3,c,個人番号 1234-5678-9018,3\nB4,d,123456789017,4\n",
    );
    assert_eq!(reasons(&admitted), [(3, Reason::MyNumber), (4, Reason::MyNumber)]);
    assert_eq!(admitted.yen(), Yen(10));
}

#[test]
fn an_amount_of_more_than_twelve_digits_rejects_its_line_alone() {
    let admitted = admit(format!("{HEADER}B1,a,b,1000000000000\nB2,a,b,1\n"), Side::List)
        .expect("one line is wrong, not the list");
    assert_eq!(admitted.reason(0), Some(Reason::AmountUnreadable));
    assert_eq!((admitted.yen(), admitted.yen_unreadable()), (Yen(1), 1));
}

#[test]
fn a_header_alone_admits_nothing_and_refuses_nothing() {
    let admitted = admit(HEADER, Side::List).expect("an empty list");
    assert_eq!((admitted.lines(), admitted.yen()), (0, Yen(0)));
}
