//! Tests of the transfer file against the published layout, a file made by hand, and the law that reading undoes
//! writing.

use proptest::prelude::*;

use super::record::RECORD_BYTES;
use super::*;
use crate::zengin::{cells, is_core, to_zengin, truncate};

mod layout;
mod refusals;

/// A file laid out by hand after the table: header, three rows, trailer, end. Each piece is one field or a few.
#[rustfmt::skip]
const FILE: &[&[u8]] = &[
    // header
    b"1210", b"0012345678", b"\xC2\xB7\xD0\xBC                                    ", b"1215", b"0001", b"\xC2\xB7\xD0            ", b"003", b"\xCE\xDD\xC3\xDD           ", b"1", b"0000123", b"                 ", b"\r\n",
    // row
    b"2", b"0009", b"               ", b"101", b"               ", b"0000", b"1", b"0012345", b"\xD4\xCF\xC0\xDE \xCA\xC5\xBA                      ", b"0000030000", b"0", b"L-000001            ", b"7", b"Y", b"       ", b"\r\n",
    // row
    b"2", b"9900", b"               ", b"058", b"               ", b"0000", b"4", b"1992765", b"\xBC\xD4\xB6\xDE-\xD9 \xB6\xDE\xB8                    ", b"0000100000", b"0", b"                    ", b"7", b" ", b"       ", b"\r\n",
    // row
    b"2", b"0310", b"               ", b"020", b"               ", b"0000", b"2", b"9999999", b"\xB6)\xC2\xB7\xD0\xC4\xDE\xB3                      ", b"9999999999", b"0", b"00000000000000000042", b"7", b"Y", b"       ", b"\r\n",
    // trailer
    b"8", b"000003", b"010000129999", b"                                                                                                     ", b"\r\n",
    // end
    b"9", b"                                                                                                                       ", b"\r\n",
];

/// The order of [`FILE`].
const ORDER: OrderFields<'_> = OrderFields {
    consignor_code: "0012345678",
    consignor_name: "ツキミシ",
    month: 12,
    day: 15,
    bank_code: "0001",
    bank_name: Some("つきみ"),
    branch_code: "003",
    branch_name: Some("ホンテン"),
    account_type: "普通",
    account_number: "123",
};

/// The rows of [`FILE`], as a list has them.
const ROWS: [TransferFields<'_>; 3] = [
    TransferFields {
        bank_code: "0009",
        branch_code: "１０１",
        account_type: "普通",
        account_number: "１２３４５",
        payee: "ヤマダ　ハナコ",
        yen: 30_000,
        customer_code: Some("l-000001"),
    },
    TransferFields {
        bank_code: "9900",
        branch_code: "058",
        account_type: "貯蓄預金",
        account_number: "1992765",
        payee: "シャガール・ガク",
        yen: 100_000,
        customer_code: None,
    },
    TransferFields {
        bank_code: "0310",
        branch_code: "020",
        account_type: "２",
        account_number: "9999999",
        payee: "カ）ツキミドウ",
        yen: YEN_MAX,
        customer_code: Some("00000000000000000042"),
    },
];

fn order() -> TransferOrder {
    TransferOrder::parse(ORDER).expect("a valid order")
}

fn rows() -> Vec<Transfer> {
    ROWS.into_iter().map(|row| Transfer::parse(row).expect("a valid row")).collect()
}

fn written(order: &TransferOrder, rows: &[Transfer]) -> Vec<u8> {
    let mut writer = TransferWriter::new(order, Vec::new()).expect("memory takes every byte");
    for row in rows {
        writer.row(row).expect("the row fits the trailer");
    }
    writer.finish().expect("memory takes every byte")
}

/// The payee of a row, or why there is none.
fn payee(text: &str) -> Result<String, TransferError> {
    Transfer::parse(TransferFields { payee: text, ..ROWS[0] }).map(|row| row.payee().to_owned())
}

#[test]
fn three_rows_are_written_as_the_file_made_by_hand() {
    let file = FILE.concat();
    assert_eq!(file.len(), 6 * 122);
    assert!(written(&order(), &rows()) == file);
}

#[test]
fn the_file_made_by_hand_reads_with_and_without_line_ends() {
    let with = FILE.concat();
    let without: Vec<u8> =
        with.chunks(122).flat_map(|record| &record[..RECORD_BYTES]).copied().collect();
    for bytes in [with, without] {
        let file = read_transfer_file(&bytes).expect("a valid file");
        assert_eq!(file.order, order());
        assert!(file.rows == rows());
        assert_eq!((file.totals.rows(), file.totals.yen()), (3, 10_000_129_999));
    }
}

#[test]
fn every_record_has_120_bytes_of_single_byte_code_and_a_line_end() {
    for record in written(&order(), &rows()).chunks(122) {
        let (cells, line_end) = record.split_at(RECORD_BYTES);
        assert_eq!(line_end, b"\r\n");
        assert!(cells.iter().all(|byte| matches!(byte, b' '..=b'Z' | 0xb1..=0xdf)));
    }
}

#[test]
fn names_are_written_in_the_letters_of_the_core_set() {
    for (text, name) in [
        ("ガ", "ｶﾞ"),
        ("キャッツ", "ｷﾔﾂﾂ"),
        ("ｷｬｯﾂ", "ｷﾔﾂﾂ"),
        ("ペーター", "ﾍﾟ-ﾀ-"),
        ("ﾍﾟｰﾀｰ", "ﾍﾟ-ﾀ-"),
        ("　ヤマダ　タロウ　", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("ヴァーツ", "ｳﾞｱ-ﾂ"),
    ] {
        assert_eq!(payee(text).as_deref(), Ok(name), "{text}");
    }
}

#[test]
fn a_payee_that_does_not_fit_is_cut_before_a_kana_whose_mark_would_be_lost() {
    assert_eq!(payee(&format!("{}ガ", "ア".repeat(28))), Ok(format!("{}ｶﾞ", "ｱ".repeat(28))));
    assert_eq!(payee(&format!("{}ガ", "ア".repeat(29))), Ok("ｱ".repeat(29)));
    assert_eq!(payee(&"パ".repeat(20)), Ok("ﾊﾟ".repeat(15)));
    assert_eq!(payee(&format!("{} アア", "ア".repeat(29))), Ok("ｱ".repeat(29)));
}

#[test]
fn letters_that_only_some_banks_write_are_read() {
    let mut file = FILE.concat();
    let payee_at = 122 + 50;
    // ｶｦﾙ ﾍﾟｰﾀ,ｱ\｢｣
    let name = b"\xb6\xa6\xd9 \xcd\xdf\xb0\xc0,\xb1\\\xa2\xa3 ";
    file[payee_at..payee_at + name.len()].copy_from_slice(name);
    let read = read_transfer_file(&file).expect("a valid file");
    assert_eq!(read.rows[0].payee(), "ｶｵﾙ ﾍﾟ-ﾀ ｱ");
}

#[test]
fn two_customer_codes_of_digits_are_read_as_they_stand() {
    let mut file = FILE.concat();
    let code_at = 122 + 91;
    file[code_at..code_at + 22].copy_from_slice(b"000000012300000000007 ");
    let read = read_transfer_file(&file).expect("a valid file");
    assert_eq!(read.rows[0].customer_code(), Some("00000001230000000000"));
    file[code_at..code_at + 22].copy_from_slice(b"000000000000000000007 ");
    let read = read_transfer_file(&file).expect("a valid file");
    assert_eq!(read.rows[0].customer_code(), None);
}

#[test]
fn the_trailer_is_the_sum_of_the_rows() {
    let rows = rows();
    let mut writer = TransferWriter::new(&order(), Vec::new()).expect("memory takes every byte");
    let (mut count, mut yen) = (0, 0);
    for row in rows.iter().cycle().take(50) {
        writer.row(row).expect("the row fits the trailer");
        count += 1;
        yen += row.yen();
        assert_eq!((writer.totals().rows(), writer.totals().yen()), (count, yen));
    }
    let bytes = writer.finish().expect("memory takes every byte");
    let trailer = &bytes[bytes.len() - 2 * 122..];
    assert_eq!(&trailer[..19], format!("8{count:06}{yen:012}").as_bytes());
}

#[test]
fn rows_that_the_trailer_cannot_say_are_refused_and_the_file_stays_whole() {
    let rows = rows();
    let mut writer = TransferWriter::new(&order(), Vec::new()).expect("memory takes every byte");
    writer.totals = TransferTotals::starting_at(ROWS_MAX, 5);
    assert!(matches!(writer.row(&rows[0]), Err(TransferWriteError::TooManyRows)));
    writer.totals = TransferTotals::starting_at(7, TOTAL_YEN_MAX - 30_000);
    assert!(matches!(writer.row(&rows[1]), Err(TransferWriteError::SumTooLarge)));
    writer.row(&rows[0]).expect("exactly as much as fits");
    let totals = writer.totals();
    assert_eq!((totals.rows(), totals.yen()), (8, TOTAL_YEN_MAX));
    let bytes = writer.finish().expect("memory takes every byte");
    assert_eq!(bytes.len(), 4 * 122);
    assert_eq!(&bytes[2 * 122..][..19], b"8000008999999999999");
}

/// An output that takes a number of writes and then breaks.
struct Breaking(usize);

impl std::io::Write for Breaking {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| std::io::Error::other("the disk is full"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failed_write_ends_the_file() {
    let rows = rows();
    let mut writer = TransferWriter::new(&order(), Breaking(2)).expect("the header is taken");
    writer.row(&rows[0]).expect("the first row is taken");
    assert!(matches!(writer.row(&rows[1]), Err(TransferWriteError::Output(_))));
    assert_eq!(writer.totals().rows(), 1);
    assert!(matches!(writer.row(&rows[1]), Err(TransferWriteError::Incomplete)));
    assert!(matches!(writer.finish(), Err(TransferWriteError::Incomplete)));
}

#[test]
fn debug_prints_show_no_account_and_no_payee() {
    let shown = format!("{:?} {:?}", rows()[0], rows()[0].account());
    assert!(!shown.contains("12345") && !shown.contains('ﾔ'), "{shown}");
}

fn transfers() -> impl Strategy<Value = Transfer> {
    (
        prop_oneof![Just("9900".to_owned()), "[0-8][0-9]{3}"],
        "[0-9]{2}[89]",
        prop_oneof![Just("1"), Just("当座"), Just("４"), Just("その他")],
        "[0-9]{7}",
        "[ァ-ヺA-Za-zぁ-ゖ][ァ-ヺー 　A-Z0-9()./-]{0,40}",
        1..=YEN_MAX,
        prop::option::of("[A-Z0-9][A-Z0-9. /-]{0,19}"),
    )
        .prop_map(|(bank, branch, kind, number, payee, yen, code)| {
            Transfer::parse(TransferFields {
                bank_code: &bank,
                branch_code: &branch,
                account_type: kind,
                account_number: &number,
                payee: &payee,
                yen,
                customer_code: code.as_deref(),
            })
            .expect("every part is valid")
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(rows in prop::collection::vec(transfers(), 0..12)) {
        let file = read_transfer_file(&written(&order(), &rows)).expect("a written file is valid");
        prop_assert!(file.order == order() && file.rows == rows);
        prop_assert_eq!(usize::try_from(file.totals.rows()), Ok(rows.len()));
        prop_assert_eq!(file.totals.yen(), rows.iter().map(Transfer::yen).sum::<u64>());
    }

    #[test]
    fn a_cut_payee_is_a_beginning_that_fits(text in "[ァ-ヺガパｱﾞﾟー 　]{0,60}") {
        if let Ok(name) = payee(&text) {
            let whole = to_zengin(&text).expect("the payee was written");
            let whole = whole.trim_matches(' ');
            prop_assert!(whole.starts_with(&name) && name.chars().all(is_core));
            prop_assert!(cells(&name) <= 30);
            prop_assert_eq!(name.as_str(), truncate(whole, 30).trim_end_matches(' '));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        at in 0_usize..6 * 122,
    ) {
        let _ = read_transfer_file(&bytes);
        let mut file = FILE.concat();
        let end = file.len().min(at + bytes.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        let _ = read_transfer_file(&file);
    }
}
