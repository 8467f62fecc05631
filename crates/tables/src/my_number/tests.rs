use super::*;

fn numbers(count: u64, fitting: impl Fn(u64) -> bool) -> Vec<String> {
    (0..count)
        .map(|index| {
            let base = format!("{:011}", 20_000_000_000 + index * 7_654_321);
            let right = (0..10u8)
                .find(|check| {
                    let digits = format!("{base}{check}");
                    fits_my_number(digits.as_bytes().try_into().expect("twelve digits"))
                })
                .expect("a check digit");
            let check = if fitting(index) { right } else { (right + 1) % 10 };
            format!("{base}{check}")
        })
        .collect()
}

fn verdict(cells: &[String]) -> Result<Vec<(usize, usize)>, MyNumberColumn> {
    let mut batch = Batch::with_columns(1);
    for (line, cell) in cells.iter().enumerate() {
        batch.lines.push(line as u64 + 2);
        batch.columns[0].push(cell);
    }
    let mut firewall = Firewall::new(1, None);
    firewall.observe(&batch, 0, |_, _| {});
    firewall.finish()
}

#[test]
fn columns_are_known_by_name_in_any_width_and_language() {
    for name in [
        "個人番号",
        "個人番号（12桁）",
        "マイナンバー",
        "ﾏｲﾅﾝﾊﾞｰ",
        "My Number",
        "my_number",
        "MY-NUMBER",
        "MyNumber",
        "Individual Number",
        "住民票コード",
    ] {
        assert!(names_my_number(name), "{name}");
    }
    for name in [
        "宛名番号",
        "申請番号",
        "マイナンバーカード有無",
        "個人番号カード交付状況",
        "番号",
        "number",
    ] {
        assert!(!names_my_number(name), "{name}");
    }
}

#[test]
fn a_column_of_fitting_numbers_refuses_the_file() {
    for count in [3, 10, 100, 5_000] {
        assert_eq!(verdict(&numbers(count, |_| true)), Err(MyNumberColumn(0)), "{count}");
    }
    assert_eq!(verdict(&numbers(100, |index| index % 10 < 6)), Err(MyNumberColumn(0)));
}

#[test]
fn numbers_are_known_in_full_width_and_in_groups() {
    let grouped: Vec<String> = numbers(20, |_| true)
        .iter()
        .map(|number| format!("{}-{} {}", &number[..4], &number[4..8], &number[8..]))
        .collect();
    assert_eq!(verdict(&grouped), Err(MyNumberColumn(0)));
    let wide: Vec<String> = numbers(20, |_| true)
        .iter()
        .map(|number| {
            number
                .chars()
                .map(|c| char::from_u32(u32::from(c) - 0x30 + 0xFF10).expect("a digit"))
                .collect()
        })
        .collect();
    assert_eq!(verdict(&wide), Err(MyNumberColumn(0)));
}

#[test]
fn ids_that_fit_by_chance_pass() {
    for count in [1, 2, 11, 1_000, 100_000] {
        let ids: Vec<String> =
            (0..count).map(|index| format!("{}", 300_000_000_000u64 + index)).collect();
        assert_eq!(verdict(&ids), Ok(Vec::new()), "{count}");
    }
    assert_eq!(verdict(&numbers(1, |_| true)), Ok(Vec::new()));
    assert_eq!(verdict(&numbers(1_000, |index| index % 10 == 0)), Ok(Vec::new()));
}

#[test]
fn padded_serial_numbers_with_the_same_check_digit_pass() {
    let padded: Vec<String> = (0..2_000u64)
        .map(|index| {
            let base = format!("{index:011}");
            let check = (0..10u8)
                .find(|check| {
                    fits_my_number(format!("{base}{check}").as_bytes().try_into().expect("twelve"))
                })
                .expect("a check digit");
            format!("{base}{check}")
        })
        .collect();
    assert_eq!(verdict(&padded), Ok(Vec::new()));
}

#[test]
fn ids_of_other_lengths_are_never_looked_at() {
    let ids: Vec<String> = (0..1_000).map(|index| format!("{index:015}")).collect();
    assert_eq!(verdict(&ids), Ok(Vec::new()));
    let ids: Vec<String> = (0..1_000).map(|index| format!("B{index:09}")).collect();
    assert_eq!(verdict(&ids), Ok(Vec::new()));
}

#[test]
fn a_single_number_among_remarks_is_found() {
    let mut cells: Vec<String> = (0..50).map(|index| format!("備考{index}")).collect();
    cells[7] = numbers(1, |_| true).remove(0);
    assert_eq!(verdict(&cells), Ok(vec![(7, 0)]));
}

#[test]
fn a_number_beside_its_name_is_found_inside_text() {
    let number = numbers(1, |_| true).remove(0);
    let wrong = numbers(1, |_| false).remove(0);
    for text in [
        format!("個人番号:{number}"),
        format!("マイナンバーは {} {} {} です", &number[..4], &number[4..8], &number[8..]),
        format!("ﾏｲﾅﾝﾊﾞｰ {number}"),
        format!("my number {number}"),
    ] {
        assert!(is_beside_its_name(&text), "{text}");
    }
    for text in
        [format!("個人番号:{wrong}"), format!("受付 {number}"), "マイナンバーカードあり".to_owned()]
    {
        assert!(!is_beside_its_name(&text), "{text}");
    }
}

#[test]
fn chance_is_weighed_in_small_files() {
    for (filled, fitting, refused) in [
        (1, 1, false),
        (2, 2, false),
        (3, 3, true),
        (4, 3, false),
        (4, 4, true),
        (6, 4, false),
        (7, 5, true),
        (20, 12, true),
        (100, 59, false),
        (100, 60, true),
    ] {
        assert_eq!(is_my_number_column(filled, fitting), refused, "{fitting} of {filled}");
    }
}

#[test]
fn a_number_inside_a_text_is_found_in_any_width_and_in_groups() {
    let number = "123456789018";
    let wide = "１２３４５６７８９０１８";
    for text in [
        format!("若葉市平和１－２－３　{wide}"),
        format!("若葉市平和1-2-3 {number}"),
        format!("受付{number}番"),
        "平和1-2-3 1234-5678-9018".to_owned(),
        "平和1-2-3 1234 5678 9018 谷口".to_owned(),
        "平和１２３４－５６７８－９０１８".to_owned(),
    ] {
        assert!(digits_if_many(&text) >= 12, "{text}");
        assert_eq!(inside(&text), Inside::Fitting, "{text}");
    }
    for text in [
        "平和 1234567890187",
        "平和 0123456789018",
        "平和 1234-5678-9018-1234",
        "平和 1234-1234-5678-9018",
        "平和 1234--5678-9018",
        "平和 12345-678-9018",
        "平和1-2-3 090-1234-5678",
    ] {
        assert_eq!(inside(text), Inside::Nothing, "{text}");
    }
    for text in ["平和 123456789017", "平和 1234-5678-9017", "平和 000000000000"] {
        assert_eq!(inside(text), Inside::Unfitting, "{text}");
    }
    assert!(digits_if_many("若葉市平和1-2-3 090-1234") < 12);
}

#[test]
fn texts_of_unknown_meaning_are_searched_and_codes_are_not() {
    let mut remarks: Vec<String> = (0..5).map(|index| format!("備考{index}")).collect();
    remarks[3] = "連絡済 １２３４５６７８９０１８".to_owned();
    assert_eq!(verdict(&remarks), Ok(vec![(3, 0)]));
    let coded = |prefix: &str, fitting: fn(u64) -> bool| -> Vec<String> {
        numbers(500, fitting).iter().map(|number| format!("{prefix}{number}")).collect()
    };
    assert_eq!(verdict(&coded("B", |_| true)), Ok(Vec::new()));
    assert_eq!(verdict(&coded("第", |index| index % 10 == 0)), Ok(Vec::new()));
}

#[test]
fn a_number_is_found_wherever_it_begins_in_a_long_remark() {
    let number = numbers(1, |_| true).remove(0);
    // Bytes are counted in parts of 255: the number lies before, across and behind their border.
    for before in (240..270).chain(500..520) {
        let remark = format!("{}。{number}様", "x".repeat(before));
        assert!(holds_my_number(&remark), "behind {before} letters");
    }
}

#[test]
fn half_width_kana_are_no_digits() {
    assert!(digits_if_many("ｲｶﾞﾗｼ ｲｻﾑ ﾖｺﾊﾏｼ ﾅｶｸ") < 12);
}

/// Ways in which twelve digits are written.
fn notations(number: &str) -> Vec<String> {
    let groups = |size: usize| -> Vec<&str> {
        (0..12).step_by(size).map(|at| &number[at..at + size]).collect()
    };
    let wide = |text: &str| -> String {
        let letter = |c: char| match c {
            '0'..='9' => char::from_u32(u32::from(c) - 0x30 + 0xFF10).expect("a digit"),
            ' ' => '\u{3000}',
            other => other,
        };
        text.chars().map(letter).collect()
    };
    let mut all = vec![number.to_owned()];
    for separator in [
        "-", "－", "‐", "\u{2011}", "–", "—", "―", "−", "ー", "ｰ", " ", "\u{3000}", "\u{a0}",
        " - ", "\t",
    ] {
        for size in [1, 2, 3, 4, 6] {
            all.push(groups(size).join(separator));
        }
    }
    for mark in [".", "．", ",", "，", "/", "／", "_", "・", "･", "~"] {
        all.extend([groups(4).join(mark), groups(3).join(mark)]);
    }
    for nothing in ["\u{200b}", "\u{ad}", "\u{feff}"] {
        all.push(groups(4).join(nothing));
    }
    all.extend(all.clone().iter().map(|text| wide(text)));
    all
}

/// Held by `inside`: without its chains all that is grouped passes, without `is_mark` and `is_invisible` some of it.
#[test]
fn no_number_in_a_field_for_text_passes_however_it_is_written() {
    for number in numbers(40, |_| true) {
        for written in notations(&number) {
            for text in [
                written.clone(),
                format!(" {written} "),
                format!("若葉市平和町 {written}"),
                format!("山田 花子（{written}）"),
                format!("転入 R8.4.1 {written} 確認済"),
                format!("{written}様"),
            ] {
                let mut batch = Batch::with_columns(1);
                batch.lines.push(2);
                batch.columns[0].push(&text);
                let mut firewall = Firewall::new(1, None);
                firewall.columns[0].place = Place::Text;
                let mut found = Vec::new();
                firewall.observe(&batch, 0, |row, column| found.push((row, column)));
                assert_eq!(found, [(0, 0)], "a number that is written as {written:?} passes");
            }
        }
    }
}

/// Held by `is_beside_its_name`, which knows no columns.
#[test]
fn no_number_beside_its_name_passes_in_any_column() {
    for number in numbers(40, |_| true) {
        for written in notations(&number) {
            for text in [
                format!("個人番号{written}"),
                format!("マイナンバー：{written}"),
                format!("{written}（個人番号）"),
                format!("ﾏｲﾅﾝﾊﾞｰ {written} 2026/04/01 届"),
                format!("My Number is {written}."),
                format!("マイナ番号=【{written}】"),
            ] {
                assert!(is_beside_its_name(&text), "{text:?}");
            }
        }
    }
}

/// Held by `twelve_digits` and the share in `finish`.
#[test]
fn no_column_of_numbers_passes_whatever_it_is_called() {
    let all = numbers(60, |_| true);
    for at in 0..notations(&all[0]).len() {
        let cells: Vec<String> =
            all.iter().map(|number| notations(number).swap_remove(at)).collect();
        assert_eq!(verdict(&cells), Err(MyNumberColumn(0)), "{:?}", cells[0]);
    }
}

#[test]
fn numbers_of_everyday_life_are_not_taken_for_one() {
    for text in [
        "03-1234-5678",
        "090 1234 5678",
        "090・1234・5678",
        "2026/04/01-2027/03/31",
        "2026.4.1〜2027.3.31",
        "0001-001-1234567",
        "100-0001 若葉市平和町1-2-3-405",
        "1234-5678-9012-3456",
        "11,000円 22,000円",
        "T1234567890123",
    ] {
        assert_eq!(inside(text), Inside::Nothing, "{text}");
        assert_eq!(twelve_digits(text), None, "{text}");
    }
}

/// Held by the share of `Place::Code` in `finish`.
#[test]
fn a_number_that_strayed_among_ids_of_another_length_is_found() {
    let judge = |ids: &[String]| {
        let mut batch = Batch::with_columns(1);
        for (line, id) in ids.iter().enumerate() {
            batch.lines.push(line as u64 + 2);
            batch.columns[0].push(id);
        }
        let mut firewall = Firewall::new(1, None);
        firewall.columns[0].place = Place::Code;
        firewall.observe(&batch, 0, |_, _| {});
        firewall.finish()
    };
    let mut ids: Vec<String> = (0..500).map(|index| format!("B{index:09}")).collect();
    ids[77] = numbers(1, |_| true).remove(0);
    assert_eq!(judge(&ids), Ok(vec![(77, 0)]));
    ids[77] = numbers(1, |_| false).remove(0);
    assert_eq!(judge(&ids), Ok(Vec::new()));
    // Where such ids are usual, one in ten fits by chance.
    assert_eq!(judge(&numbers(500, |index| index % 10 == 0)), Ok(Vec::new()));
}
