//! What is refused, and by which name.

use super::*;
use TransferErrorKind as Kind;
use TransferReadErrorKind as ReadKind;

fn row_error(fields: TransferFields<'_>) -> Option<(&'static str, Kind)> {
    Transfer::parse(fields).err().map(|error| (error.field, error.kind))
}

fn order_error(fields: OrderFields<'_>) -> Option<(&'static str, Kind)> {
    TransferOrder::parse(fields).err().map(|error| (error.field, error.kind))
}

#[test]
fn a_bad_part_of_a_row_is_named() {
    let row = ROWS[0];
    for (fields, field, kind) in [
        (TransferFields { bank_code: "", ..row }, "bank_code", Kind::Missing),
        (TransferFields { bank_code: "9", ..row }, "bank_code", Kind::WrongLength { digits: 4 }),
        (TransferFields { bank_code: "00O9", ..row }, "bank_code", Kind::NotDigits),
        (
            TransferFields { branch_code: "1", ..row },
            "branch_code",
            Kind::WrongLength { digits: 3 },
        ),
        (TransferFields { account_type: "", ..row }, "account_type", Kind::Missing),
        (TransferFields { account_type: "3", ..row }, "account_type", Kind::NotAnAccountType),
        (TransferFields { account_type: "定期", ..row }, "account_type", Kind::NotAnAccountType),
        (TransferFields { account_number: " ", ..row }, "account_number", Kind::Missing),
        (TransferFields { account_number: "12-3", ..row }, "account_number", Kind::NotDigits),
        (
            TransferFields { account_number: "00123456", ..row },
            "account_number",
            Kind::TooManyDigits { digits: 7 },
        ),
        (TransferFields { payee: "　", ..row }, "payee", Kind::Missing),
        (TransferFields { payee: "ヤマ田", ..row }, "payee", Kind::OutsideCoreSet { position: 2 }),
        (TransferFields { yen: 0, ..row }, "yen", Kind::AmountOutOfRange),
        (TransferFields { yen: YEN_MAX + 1, ..row }, "yen", Kind::AmountOutOfRange),
        (
            TransferFields { customer_code: Some("list_1"), ..row },
            "customer_code",
            Kind::OutsideCoreSet { position: 4 },
        ),
        (
            TransferFields { customer_code: Some("012345678901234567890"), ..row },
            "customer_code",
            Kind::TooLong { cells: 20 },
        ),
    ] {
        assert_eq!(row_error(fields), Some((field, kind)));
    }
}

#[test]
fn a_bad_part_of_an_order_is_named() {
    let long = "ア".repeat(CONSIGNOR_CELLS + 1);
    for (fields, field, kind) in [
        (
            OrderFields { consignor_code: "12345678", ..ORDER },
            "consignor_code",
            Kind::WrongLength { digits: 10 },
        ),
        (OrderFields { consignor_name: "", ..ORDER }, "consignor_name", Kind::Missing),
        (
            OrderFields { consignor_name: &long, ..ORDER },
            "consignor_name",
            Kind::TooLong { cells: 40 },
        ),
        (
            OrderFields { consignor_name: "月見市", ..ORDER },
            "consignor_name",
            Kind::OutsideCoreSet { position: 0 },
        ),
        (OrderFields { month: 0, ..ORDER }, "month", Kind::NoSuchDay),
        (OrderFields { month: 13, ..ORDER }, "month", Kind::NoSuchDay),
        (OrderFields { day: 0, ..ORDER }, "day", Kind::NoSuchDay),
        (OrderFields { month: 2, day: 30, ..ORDER }, "day", Kind::NoSuchDay),
        (OrderFields { month: 11, day: 31, ..ORDER }, "day", Kind::NoSuchDay),
        (OrderFields { account_type: "貯蓄", ..ORDER }, "account_type", Kind::NotAnAccountType),
        (OrderFields { bank_name: Some(&long), ..ORDER }, "bank_name", Kind::TooLong { cells: 15 }),
        (
            OrderFields { branch_name: Some("本店"), ..ORDER },
            "branch_name",
            Kind::OutsideCoreSet { position: 0 },
        ),
    ] {
        assert_eq!(order_error(fields), Some((field, kind)));
    }
    assert_eq!(order_error(OrderFields { month: 2, day: 29, ..ORDER }), None);
}

#[test]
fn unconverted_numbers_of_japan_post_are_refused() {
    let row = ROWS[1];
    let refused = |branch_code, account_number| {
        row_error(TransferFields { branch_code, account_number, ..row })
            .filter(|(_, kind)| *kind == Kind::JapanPostUnconverted)
            .map(|(field, _)| field)
    };
    assert_eq!(refused("058", "1992765"), None);
    assert_eq!(refused("０５９", "０００１２３４"), None);
    assert_eq!(refused("10530", "19927651"), Some("branch_code"));
    assert_eq!(refused("053", "1992765"), Some("branch_code"));
    assert_eq!(refused("058", "19927651"), Some("account_number"));
    assert_eq!(refused("058", "155431"), Some("account_number"));
}

#[test]
fn errors_never_repeat_a_value() {
    let error = Transfer::parse(TransferFields { account_number: "98765432", ..ROWS[0] });
    let told = error.expect_err("eight digits").to_string();
    assert_eq!(told, "account_number: at most 7 digits may stand here");
}

/// The hand-made file with some bytes of a record (counted from 1) replaced from a position (counted from 1) on.
fn changed(record: usize, from: usize, bytes: &[u8]) -> Result<TransferFile, TransferReadError> {
    let mut file = FILE.concat();
    let at = (record - 1) * 122 + from - 1;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    read_transfer_file(&file)
}

#[test]
fn a_damaged_file_is_refused_by_record_and_field() {
    for (record, from, bytes, field, kind) in [
        (1, 1, &b"2"[..], "record_kind", ReadKind::OutOfPlace),
        (1, 2, b"91", "type_code", ReadKind::NotSupported),
        (1, 4, b"1", "code_class", ReadKind::NotSupported),
        (1, 5, b" ", "consignor_code", Kind::NotDigits.into()),
        (1, 55, b"1315", "month", Kind::NoSuchDay.into()),
        (1, 96, b"4", "account_type", Kind::NotAnAccountType.into()),
        (2, 1, b"1", "record_kind", ReadKind::OutOfPlace),
        (2, 1, b"9", "record_kind", ReadKind::OutOfPlace),
        (2, 1, b"x", "record_kind", Kind::NotDigits.into()),
        (2, 44, b" ", "account_number", Kind::NotDigits.into()),
        (2, 53, b"\xaf", "payee", Kind::OutsideCoreSet { position: 2 }.into()),
        (2, 113, b" ", "customer_code", Kind::NotDigits.into()),
        (3, 21, b"053", "branch_code", Kind::JapanPostUnconverted.into()),
        (3, 81, b"0000000000", "yen", Kind::AmountOutOfRange.into()),
        (4, 60, b"\r\n", "record", ReadKind::WrongLength),
        (5, 2, b"000004", "total_rows", ReadKind::DiffersFromRows),
        (5, 8, b"010000129998", "total_yen", ReadKind::DiffersFromRows),
        (6, 1, b"8", "record_kind", ReadKind::OutOfPlace),
    ] {
        let error = changed(record, from, bytes).expect_err(field);
        assert_eq!(error, TransferReadError { record, field, kind });
    }
}

#[test]
fn a_changed_amount_does_not_pass_the_trailer() {
    let error = changed(2, 90, b"1").expect_err("one yen more");
    assert_eq!((error.record, error.field), (5, "total_yen"));
}

#[test]
fn a_file_that_ends_early_or_goes_on_is_refused() {
    let file = FILE.concat();
    let refused =
        |bytes: &[u8]| read_transfer_file(bytes).map(|_| ()).map_err(|e| (e.record, e.kind));
    assert_eq!(refused(b""), Err((1, ReadKind::Missing)));
    assert_eq!(refused(&file[..4 * 122]), Err((5, ReadKind::Missing)));
    assert_eq!(refused(&file[..5 * 122]), Err((6, ReadKind::Missing)));
    assert_eq!(refused(&file[..5 * 122 + 50]), Err((6, ReadKind::WrongLength)));
    assert_eq!(refused(&file[..6 * 122 - 2]), Ok(()));
    assert_eq!(refused(&file.repeat(2)), Err((7, ReadKind::OutOfPlace)));
    let line_feeds: Vec<u8> = file.iter().copied().filter(|byte| *byte != b'\r').collect();
    assert_eq!(refused(&line_feeds), Err((2, ReadKind::WrongLength)));
}
