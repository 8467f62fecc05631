//! Every reader of files on any bytes: random ones, damaged files, and settings in all their words.

mod properties;

use std::path::PathBuf;

use proptest::prelude::*;
use renkei_tables::{Column, TableWriter};

/// Text with the letters that delimited files are made of.
fn delimited() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b",",
        b"\"",
        b"\r\n",
        b"\n",
        b"\t",
        b"\r",
        b" ",
        b"a",
        b"0012",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\x82\xa0",
        b"\xfb\xfc",
        b"\x81",
        b"\xf0\x40",
        "宛名番号".as_bytes(),
        b"resident_id",
        b"#N/A",
        b"1.23457E+11",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

/// Words of settings files, in any order.
fn settings() -> impl Strategy<Value = String> {
    let words = vec![
        "encoding = \"cp932\"\n",
        "record_length = ",
        "12",
        "-1",
        "9223372036854775807",
        "\n",
        "[[column]]\n",
        "[[field]]\n",
        "name = \"a\"\n",
        "start = 1\n",
        "length = 4\n",
        "kind = \"address\"\n",
        "id = { register = \"x\", list = \"x\" }\n",
        "register = [\"a\", \"b\"]\n",
        "list = \"a\"\n",
        "column = \"a\"\n",
        "date_order = \"DMY\"\n",
        "=",
        "\"",
        "#",
        "record_type = { at = 1, length = 1, data = \"2\" }\n",
    ];
    prop::collection::vec(prop::sample::select(words), 0..20).prop_map(|words| words.concat())
}

/// A file as the writer makes it.
fn written(ending: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join(format!("people.{ending}"));
    let columns = [Column::text("resident_id"), Column::text("name_kanji")];
    let mut writer = TableWriter::create(&path, &columns).expect("a writer");
    for row in [["0001", "谷口　光弘"], ["0002", "渡邊　裕子"]] {
        writer.row(row).expect("a row");
    }
    writer.finish().expect("a file");
    fs_err::read(&path).expect("the file")
}

/// A file with some bytes changed, and its end perhaps cut off.
fn damaged(ending: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    (changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(move |(changes, end, cut)| {
        let mut bytes = written(ending);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_text_file_is_read_or_refused(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), delimited()]) {
        properties::delimited(&bytes);
        properties::fixed_length(&bytes);
    }

    #[test]
    fn any_settings_are_read_or_refused(text in prop_oneof![any::<String>(), settings()]) {
        properties::layout(&text);
        properties::schema(&text);
    }

    #[test]
    fn a_damaged_workbook_is_read_or_refused(bytes in damaged("xlsx")) {
        properties::xlsx(&bytes);
    }

    #[test]
    fn a_damaged_parquet_file_is_read_or_refused(bytes in damaged("parquet")) {
        properties::parquet(&bytes);
    }
}
