//! Letters of every kind: kept as they were sent, and refused where a file is not what its sender says.

mod town;

use encoding_rs::{EUC_JP, SHIFT_JIS, UTF_8};
use renkei_exchange::upload::FileEncoding;
use renkei_types::Reason;
use town::Town;

/// The first records of the town's register.
fn residents(town: &Town, records: usize) -> String {
    town.residents().split_inclusive('\n').take(records + 1).collect()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// D1. What fails without `encoding` in `seal::open_table`: the file is read in the encoding that it looks like.
#[test]
fn a_file_in_another_encoding_than_its_sender_says_is_refused_and_the_old_one_serves() {
    let town = Town::new();
    let text = residents(&town, 40);
    let before = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let cp932 = SHIFT_JIS.encode(&text).0.into_owned();
    let euc = EUC_JP.encode(&text).0.into_owned();
    for (bytes, said) in [
        (cp932.clone(), FileEncoding::Utf8),
        (euc.clone(), FileEncoding::Utf8),
        (utf_16(&text), FileEncoding::Utf8),
        (UTF_8.encode(&text).0.into_owned(), FileEncoding::Cp932),
        (euc, FileEncoding::Cp932),
    ] {
        let refused = town.try_snapshot(&bytes, said, 40).expect_err("another encoding");
        let reasons = [Reason::Undecodable, Reason::UnreadableFile, Reason::ColumnMissing];
        assert!(reasons.contains(&refused.reason), "{said:?}: {refused}");
        assert!(refused.field.is_none_or(|field| field.is_ascii()), "a value is told: {refused}");
    }
    let now = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    assert_eq!(now, before);
    // Said rightly, or not at all, it is taken.
    town.try_snapshot(&cp932, FileEncoding::Cp932, 40).expect("what it says");
    town.try_snapshot(&cp932, FileEncoding::Auto, 40).expect("what is found out");
}

/// Without `column_name` whoever sends a register has to guess which of its columns is meant.
#[test]
fn a_column_that_is_missing_stands_twice_or_was_not_announced_is_named() {
    let town = Town::new();
    let refused = |header: &str| {
        let text = format!("{header}\n1,a,b\n");
        let refused = town.try_snapshot(text.as_bytes(), FileEncoding::Utf8, 1);
        let refused = refused.expect_err("a header that does not fit");
        (refused.reason, refused.field)
    };
    assert_eq!(refused("宛名番号,氏名,氏名"), (Reason::HeaderInvalid, Some("name_kanji")));
    let unknown = refused("宛名番号,氏名,転入前住所");
    assert_eq!(unknown, (Reason::HeaderInvalid, Some("previous_address")));
    assert_eq!(refused("番,氏名,住所"), (Reason::ColumnMissing, Some("id")));
    assert_eq!(refused("宛名番号,郵便番号,住所"), (Reason::ColumnMissing, Some("name")));
}

/// D2. What fails without `write_file` in `seal::read`, and with any normal form in `RowsWriter::push`.
#[test]
fn letters_of_somebodys_own_making_and_marks_are_kept_as_they_were_sent() {
    let town = Town::new();
    let text = residents(&town, 40);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header: Vec<&str> = lines[0].split(',').map(str::trim).collect();
    let column = |name: &str| header.iter().position(|known| *known == name).expect("a column");
    let (kanji, kana) = (column("氏名"), column("氏名カナ"));
    // Gaiji, a variation selector, a letter beyond 16 bits, half-width kana with its mark apart, a combining mark.
    let names = [("\u{e000}\u{845b}\u{e0100}\u{20bb7}", "ﾔﾏﾀﾞ"), ("葛城", "か\u{3099}")];
    for (line, (name, reading)) in lines[1..].iter_mut().zip(names) {
        let mut cells: Vec<&str> = line.split(',').collect();
        (cells[kanji], cells[kana]) = (name, reading);
        *line = cells.join(",");
    }
    let file = lines.join("\n") + "\n";
    let sealed = town.try_snapshot(file.as_bytes(), FileEncoding::Utf8, 40).expect("a snapshot");
    let state = town.exchange.state();
    let snapshot = sealed.snapshot.expect("a register");
    let vault = town.exchange.vault();
    let rows = state.register_rows(snapshot).expect("rows");
    let (kanji, kana) = (rows.column("name_kanji"), rows.column("name_kana"));
    for (row, (name, reading)) in (0..).zip(names) {
        let record = rows.record(vault, row).expect("a record");
        assert_eq!(record[kanji.expect("a column")], name);
        assert_eq!(record[kana.expect("a column")], reading);
    }
    // And byte for byte, as the file was sent.
    let kept = state.snapshots.get(&snapshot).expect("the snapshot").file;
    let reader = vault.open_blob(&kept).expect("the file");
    let bytes = (0..kept.chunks).map(|chunk| reader.chunk(chunk).expect("a chunk").to_vec());
    assert_eq!(bytes.collect::<Vec<_>>().concat(), file.as_bytes());
}
