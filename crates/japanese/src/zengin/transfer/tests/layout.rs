//! The written bytes against the layout that banks publish.

use super::*;

/// One field of the table.
struct Row {
    record: &'static str,
    from: usize,
    to: usize,
    digits: bool,
    title: &'static str,
    required: bool,
}

fn table() -> Vec<Row> {
    include_str!("../../../../data/zengin_transfer_layout.tsv")
        .lines()
        .take_while(|line| !line.starts_with("# part 2"))
        .filter(|line| !line.starts_with('#') && !line.starts_with("record\t"))
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |place: usize| cells[place].parse().expect("a position");
            assert_eq!(number(3), number(2) + 1 - number(1), "{line}");
            Row {
                record: cells[0],
                from: number(1),
                to: number(2),
                digits: cells[4] == "N",
                title: cells[5],
                required: cells[6] == "req",
            }
        })
        .collect()
}

/// What each field of the header, the first row, the trailer and the end must hold, in half-width letters; `None` for
/// fields that stay blank.
fn expected(record: &str, title: &str) -> Option<&'static str> {
    let text = match (record, title.split('(').next().unwrap_or(title)) {
        ("header", "データ区分") => "1",
        ("header", "種別コード") => "21",
        ("header", "コード区分") => "0",
        ("header", "振込依頼人コード") => "0012345678",
        ("header", "振込依頼人名") => "ﾂｷﾐｼ",
        ("header", "振込指定日") => "1215",
        ("header", "仕向銀行番号") => "0001",
        ("header", "仕向銀行名") => "ﾂｷﾐ",
        ("header", "仕向支店番号") => "003",
        ("header", "仕向支店名") => "ﾎﾝﾃﾝ",
        ("header", "預金種目") => "1",
        ("header", "口座番号") => "0000123",
        ("data", "データ区分") => "2",
        ("data", "被仕向銀行番号") => "0009",
        ("data", "被仕向支店番号") => "101",
        ("data", "手形交換所番号") => "0000",
        ("data", "預金種目") => "1",
        ("data", "口座番号") => "0012345",
        ("data", "受取人名") => "ﾔﾏﾀﾞ ﾊﾅｺ",
        ("data", "振込金額") => "0000030000",
        ("data", "新規コード") => "0",
        ("data", "顧客コード1 ") => "L-00000000",
        ("data", "顧客コード2 ") => "0000000001",
        ("data", "振込指定区分") => "7",
        ("data", "識別表示") => "Y",
        ("trailer", "データ区分") => "8",
        ("trailer", "合計件数") => "000001",
        ("trailer", "合計金額") => "000000030000",
        ("end", "データ区分") => "9",
        ("data", "被仕向銀行名" | "被仕向支店名") | (_, "ダミー") => return None,
        _ => panic!("the table has a field that this test does not know: {record} {title}"),
    };
    Some(text)
}

#[test]
fn every_field_stands_where_the_published_layout_says() {
    let row =
        Transfer::parse(TransferFields { customer_code: Some("L-000000000000000001"), ..ROWS[0] });
    let file = written(&order(), &[row.expect("a valid row")]);
    let mut checked = 0;
    for (record, name) in file.chunks(122).zip(["header", "data", "trailer", "end"]) {
        let mut next = 1;
        for row in table().iter().filter(|row| row.record == name) {
            assert_eq!(row.from, next, "{name} {}", row.title);
            next = row.to + 1;
            let cells = &record[row.from - 1..row.to];
            let text: String = cells.iter().map(|byte| half_width(*byte)).collect();
            let wanted = expected(name, row.title).unwrap_or_default();
            assert_eq!(text, format!("{wanted:0$}", cells.len()), "{name} {}", row.title);
            if row.digits {
                assert!(wanted.len() == cells.len() || row.title.starts_with("顧客"));
            }
            assert!(!row.required || !wanted.is_empty());
            checked += 1;
        }
        assert_eq!(next, RECORD_BYTES + 1, "{name}");
    }
    assert_eq!(checked, table().len());
}

/// JIS X 0201, as the table of the standard shows it: A1 is ｡, the first of the half-width forms of Unicode.
fn half_width(byte: u8) -> char {
    match byte {
        0xa1..=0xdf => char::from_u32(u32::from('｡') + u32::from(byte - 0xa1)).expect("a letter"),
        _ => char::from(byte),
    }
}

#[test]
fn the_core_set_takes_the_bytes_of_the_table() {
    for (payee, bytes) in [
        ("ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇ", (0xb1..=0xc7).collect::<Vec<u8>>()),
        ("ﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ", (0xc8..=0xdf).collect()),
        ("09 AZ ()-./", b"09 AZ ()-./".to_vec()),
    ] {
        let row = Transfer::parse(TransferFields { payee, ..ROWS[0] });
        let file = written(&order(), &[row.expect("core letters")]);
        assert_eq!(&file[122 + 50..][..bytes.len()], bytes);
    }
}
