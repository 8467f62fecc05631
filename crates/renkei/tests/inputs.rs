//! The same content in every form of file gives the same result.

mod support;

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use support::people::{Pair, lines, list, register, town};
use support::{Folder, Sheet, cp932, renkei, with_bom};

/// Register and list of a small town, and what linking them gives.
struct Town {
    register: Sheet,
    list: Sheet,
    digest: Value,
    links: Sheet,
}

fn the_town() -> &'static Town {
    static TOWN: OnceLock<Town> = OnceLock::new();
    TOWN.get_or_init(|| {
        let people = town(240);
        let mut asking = lines(&people, 3);
        // Some of them write as people do.
        for line in asking.iter_mut().step_by(5) {
            line.address = line.address.replace("丁目", "-").replace("番", "-").replace('号', "");
            line.kanji = line.kanji.replace('　', "");
        }
        let (register, list) = (register(&people), list(&asking));
        let pair = Pair::of(&register, &list);
        let digest = pair.link(&[]).exits(0).json()["result_digest"].clone();
        let links = pair.links();
        let linked = links.cells("outcome").iter().filter(|&&outcome| outcome == "LINKED").count();
        assert!(linked > 60, "{linked}");
        Town { register, list, digest, links }
    })
}

/// Expects the links of the town from a pair of files that hold it.
#[track_caller]
fn assert_same(pair: &Pair, more: &[&str]) {
    let town = the_town();
    let run = pair.link(more).exits(0);
    assert_eq!(pair.links(), town.links);
    assert_eq!(run.json()["result_digest"], town.digest);
    assert_eq!(run.json()["outcomes"]["REJECTED_INPUT"]["lines"], 0);
}

#[test]
fn encodings_and_byte_order_marks_change_nothing() {
    let Town { register, list, .. } = the_town();
    let (register, list) = (register.csv(), list.csv());
    assert_same(&Pair::bytes(cp932(&register), cp932(&list)), &[]);
    assert_same(&Pair::bytes(with_bom(&register), with_bom(&list)), &[]);
    assert_same(&Pair::bytes(with_bom(&register), cp932(&list)), &[]);
    assert_same(&Pair::bytes(cp932(&register), list.as_bytes()), &[]);
}

#[test]
fn line_ends_change_nothing() {
    let Town { register, list, .. } = the_town();
    let (crlf, lf) = ("\r\n", "\n");
    assert_same(&Pair::bytes(register.csv_ending(crlf), list.csv_ending(crlf)), &[]);
    assert_same(&Pair::bytes(cp932(&register.csv_ending(crlf)), list.csv_ending(lf)), &[]);
    // The last line of a file may have no end.
    assert_same(&Pair::bytes(register.csv().trim_end(), list.csv_ending(crlf).trim_end()), &[]);
}

#[test]
fn quotes_change_nothing() {
    let quoted = |sheet: &Sheet| {
        let mut sheet = sheet.clone();
        for cell in sheet.rows.iter_mut().chain([&mut sheet.header]).flatten() {
            *cell = format!("\"{cell}\"");
        }
        sheet.csv()
    };
    let Town { register, list, .. } = the_town();
    assert_same(&Pair::bytes(quoted(register), quoted(list)), &[]);
}

#[test]
fn english_headers_mean_what_japanese_ones_mean() {
    let Town { register, list, .. } = the_town();
    let (mut register, mut list) = (register.clone(), list.clone());
    register.header = [
        "resident_id",
        "household_id",
        "name_kanji",
        "name_kana",
        "birth_date",
        "sex",
        "postal_code",
        "address",
        "building",
    ]
    .map(str::to_owned)
    .to_vec();
    list.header = [
        "benefit_id",
        "name_kanji",
        "name_kana",
        "birth_date",
        "sex",
        "postal_code",
        "address",
        "amount",
        "account_holder_kana",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_same(&Pair::of(&register, &list), &[]);
}

#[test]
fn the_order_of_columns_changes_nothing() {
    let reversed = |sheet: &Sheet| {
        let mut sheet = sheet.clone();
        sheet.rows.iter_mut().chain([&mut sheet.header]).for_each(|cells| cells.reverse());
        sheet
    };
    let Town { register, list, .. } = the_town();
    assert_same(&Pair::of(&reversed(register), &reversed(list)), &[]);
}

#[test]
fn workbooks_and_parquet_are_read_as_csv_is() {
    let Town { register, list, .. } = the_town();
    for (of_register, of_list) in [("xlsx", "xlsx"), ("parquet", "parquet"), ("xlsx", "parquet")] {
        let folder = Folder::new();
        let pair = Pair {
            register: folder.path(&format!("register.{of_register}")),
            list: folder.path(&format!("list.{of_list}")),
            folder,
        };
        register.write(&pair.register);
        list.write(&pair.list);
        assert_same(&pair, &[]);
    }
}

/// Records of a fixed number of bytes in CP932, and the layout that says so.
fn fixed(sheet: &Sheet, line_end: &str, header_and_trailer: bool) -> (Vec<u8>, String) {
    let widths: Vec<usize> = (0..sheet.header.len())
        .map(|column| sheet.rows.iter().map(|row| cp932(&row[column]).len()).max().unwrap_or(0) + 2)
        .collect();
    let length = 1 + widths.iter().sum::<usize>();
    let mut layout = format!("encoding = \"cp932\"\nrecord_length = {length}\n");
    layout += match line_end {
        "" => "line_ending = \"none\"\n",
        "\r\n" => "line_ending = \"crlf\"\n",
        _ => "line_ending = \"lf\"\n",
    };
    layout += "record_type = { at = 1, length = 1, data = \"2\" }\n";
    let mut start = 2;
    for (name, width) in sheet.header.iter().zip(&widths) {
        layout += &format!("\n[[column]]\nname = \"{name}\"\nstart = {start}\nlength = {width}\n");
        start += width;
    }
    let mut bytes = Vec::new();
    let other = |kind: u8| {
        let mut record = vec![b' '; length];
        record[0] = kind;
        [record.as_slice(), line_end.as_bytes()].concat()
    };
    if header_and_trailer {
        bytes.extend(other(b'1'));
    }
    for row in &sheet.rows {
        bytes.push(b'2');
        for (cell, width) in row.iter().zip(&widths) {
            let mut cell = cp932(cell);
            cell.resize(*width, b' ');
            bytes.extend(cell);
        }
        bytes.extend(line_end.as_bytes());
    }
    if header_and_trailer {
        bytes.extend(other(b'8'));
    }
    (bytes, layout)
}

#[test]
fn fixed_length_records_are_read_by_their_layout() {
    let Town { register, list, .. } = the_town();
    for (line_end, header_and_trailer) in [("", true), ("\r\n", false), ("\n", true)] {
        let (register, register_layout) = fixed(register, line_end, header_and_trailer);
        let (list, list_layout) = fixed(list, line_end, header_and_trailer);
        let pair = Pair::bytes(register, list);
        let text = |path: PathBuf| path.into_os_string().into_string().expect("a name in UTF-8");
        let register_layout = text(pair.folder.write("register.toml", register_layout));
        let list_layout = text(pair.folder.write("list.toml", list_layout));
        assert_same(&pair, &["--register-layout", &register_layout, "--list-layout", &list_layout]);
    }
}

#[test]
fn encoding_and_byte_order_mark_are_reported() {
    let folder = Folder::new();
    let list = the_town().list.csv();
    let cases = [
        ("cp932.csv", cp932(&list), "cp932", false),
        ("utf8.csv", list.clone().into_bytes(), "utf-8", false),
        ("bom.csv", with_bom(&list), "utf-8", true),
    ];
    for (name, bytes, encoding, bom) in cases {
        let path = folder.write(name, bytes);
        let run = renkei(["check".as_ref(), "--json".as_ref(), path.as_os_str()]).exits(0);
        let json = run.json();
        let found = json["encoding"].as_str().map(str::to_ascii_lowercase);
        assert_eq!((found.as_deref(), json["bom"].as_bool()), (Some(encoding), Some(bom)));
    }
}
