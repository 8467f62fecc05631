//! Known answers, and laws that hold for every notation.

use proptest::prelude::*;

use super::Address;
use crate::{kanji, number};

fn folded(town: &str) -> String {
    town.chars().map(kanji::fold_address).collect()
}

#[test]
fn known_notations_are_read() {
    let mut wrong = Vec::new();
    for line in include_str!("known.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default().trim_matches(|c| c == '\r');
        let (address, building) = (cell(), cell());
        let read = Address::read(address, building).unwrap();
        let (municipality, name) = read.town.split_at(read.municipality_end);
        let numbers: Vec<String> = read.numbers.as_slice().iter().map(u32::to_string).collect();
        let flags = format!(
            "{}{}",
            if read.lost_dash { "d" } else { "" },
            if read.repaired { "r" } else { "" }
        );
        let found = [
            read.prefecture.unwrap_or_default().to_owned(),
            municipality.to_owned(),
            name.to_owned(),
            numbers.join(" "),
            read.block.clone(),
            read.building.clone(),
            read.room.clone(),
            read.street.clone(),
            flags,
        ];
        let expected = [
            cell().trim().to_owned(),
            folded(cell()),
            folded(cell()),
            cell().to_owned(),
            cell().to_owned(),
            cell().to_owned(),
            cell().to_owned(),
            folded(cell()),
            cell().to_owned(),
        ];
        if found != expected {
            wrong.push(format!(
                "{address} | {building}\n  found    {found:?}\n  expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn towns_are_read_back_unchanged() {
    for line in include_str!("known.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let (address, building) = (cells.next().unwrap(), cells.next().unwrap());
        let read = Address::read(address, building).unwrap();
        if let Some(again) = Address::read(&read.town, "") {
            assert_eq!(again.town, read.town, "{address}");
        }
    }
}

#[test]
fn nothing_written_is_nothing_read() {
    for text in ["", " ", "　", "-", "ー", "不明", "住所不明", "NULL", "#N/A", "〒", "***"]
    {
        assert_eq!(Address::read(text, ""), None, "{text}");
        assert_eq!(Address::read(text, "　"), None, "{text}");
    }
}

#[test]
fn one_place_has_one_key_in_all_notations() {
    let register = Address::read("千葉県若葉市緑ヶ丘２１番１１号", "メゾン南１００６号室").unwrap();
    for text in [
        "若葉市緑が丘21-11 ﾒｿﾞﾝ南1006",
        "緑ガ丘二十一番十一 1006",
        "千葉県 若葉市 緑ケ丘21の11-1006",
        "若葉市緑ヶ丘21番地ノ11メゾン南1006号",
        "若葉市緑ヶ丘21?11 1006",
    ] {
        let list = Address::read(text, "").unwrap();
        assert!(register.same_town(&list), "{text}: {list:?}");
        assert_eq!((register.numbers, &register.room), (list.numbers, &list.room), "{text}");
    }
}

#[test]
fn towns_differ_when_only_a_prefix_is_shared() {
    let read = |text| Address::read(text, "").unwrap();
    assert!(!read("若葉市平和1").same_town(&read("若葉市北平1")));
    assert!(!read("若葉市北平和1").same_town(&read("若葉市平和1")));
    assert!(!read("静岡県下田市2丁目").same_town(&read("若葉市寿町2丁目")));
    assert!(!read("若葉市寿町1").same_town(&read("青葉市寿町1")));
    assert!(!read("若葉市寿町1").same_town(&read("平和1")));
    assert!(!read("若葉市北平和1").same_town(&read("平和1")));
}

#[test]
fn a_municipality_may_be_left_out_wholly_or_in_part() {
    let read = |text| Address::read(text, "").unwrap();
    for (long, short) in [
        ("千葉県若葉市北平和1", "北平和1"),
        ("東京都西多摩郡瑞穂町大字箱根ケ崎1", "瑞穂町箱根ヶ崎1"),
        ("東京都西多摩郡瑞穂町大字箱根ケ崎1", "瑞穂町大字箱根ヶ崎1"),
        ("東京都西多摩郡瑞穂町大字箱根ケ崎1", "箱根ヶ崎1"),
        ("札幌市中央区北一条西二丁目", "中央区北１条西２丁目"),
    ] {
        assert!(read(long).same_town(&read(short)), "{long} {short}");
        assert!(read(short).same_town(&read(long)), "{short} {long}");
    }
}

#[test]
fn the_digits_of_a_room_do_not_depend_on_spacing() {
    let digits = |building| Address::read("", building).unwrap().room_digits().to_owned();
    assert_eq!(digits("ハイツB201"), digits("ハイツ B201"));
    assert_eq!(digits("ハイツ緑"), "");
}

/// Town names of every kind of letter, none of which is a number.
const TOWNS: [&str; 16] = [
    "緑ヶ丘",
    "三条",
    "八丁堀",
    "千代田",
    "五日市",
    "二宮",
    "一色",
    "寿町",
    "北日の出",
    "渡辺通",
    "西栄町",
    "ニュータウン",
    "十文字町",
    "百人町",
    "中ひばりが丘",
    "六本木",
];

/// The numbers of an address in each notation that means 丁目, 番, 号.
fn notations(chome: u32, ban: u32, go: u32) -> Vec<String> {
    let kanji = number::to_kanji;
    let wide =
        |text: String| -> String {
            text.chars()
                .map(|c| {
                    if c.is_ascii_graphic() {
                        char::from_u32(c as u32 + 0xfee0).unwrap()
                    } else {
                        c
                    }
                })
                .collect()
        };
    vec![
        format!("{chome}丁目{ban}番{go}号"),
        wide(format!("{chome}丁目{ban}番{go}号")),
        format!("{}丁目{ban}番{go}号", kanji(chome)),
        format!("{}丁目{}番{}号", kanji(chome), kanji(ban), kanji(go)),
        format!("{}丁目{}番{}", kanji(chome), kanji(ban), kanji(go)),
        format!("{chome}丁目{ban}番地の{go}"),
        format!("{chome}丁目{ban}番地ノ{go}"),
        format!("{chome}丁目{ban}番地-{go}"),
        format!("{chome}丁目 {ban}番 {go}号"),
        format!("{chome}丁目{ban}-{go}"),
        format!("{chome}-{ban}-{go}"),
        wide(format!("{chome}-{ban}-{go}")),
        format!("{chome}ー{ban}ー{go}"),
        format!("{chome}−{ban}‐{go}"),
        format!("{chome}の{ban}の{go}"),
        format!("{chome}ノ{ban}ノ{go}"),
        format!("{chome}?{ban}?{go}"),
        format!("{chome} - {ban} - {go}"),
        format!("{}-{}-{}", kanji(chome), kanji(ban), kanji(go)),
        format!("{chome}丁{ban}番{go}号"),
    ]
}

proptest! {
    #[test]
    fn every_notation_of_a_place_has_the_same_keys(
        town in 0_usize..TOWNS.len(),
        chome in 1_u32..=12,
        ban in 1_u32..=99,
        go in 1_u32..=99,
        room in 101_u32..=1299,
    ) {
        let town = TOWNS[town];
        let first = Address::read(&format!("千葉県若葉市{town}{chome}丁目{ban}番{go}号"), "").unwrap();
        prop_assert_eq!(first.town_name(), folded(town));
        prop_assert_eq!(first.numbers.as_slice(), &[chome, ban, go][..]);
        for numbers in notations(chome, ban, go) {
            for head in ["千葉県若葉市", "若葉市", "", "千葉県 若葉市 "] {
                for tail in [
                    String::new(), format!(" {room}"), format!("-{room}"), format!("　ハイツ緑{room}号室"),
                    format!("ﾊｲﾂ緑{room}"), format!(" ハイツ緑 {room}号"),
                ] {
                    let text = format!("{head}{town}{numbers}{tail}");
                    let read = Address::read(&text, "").unwrap();
                    prop_assert!(first.same_town(&read), "{} {:?}", text, read);
                    prop_assert_eq!(read.numbers, first.numbers, "{}", text);
                    let expected = if tail.is_empty() { String::new() } else { room.to_string() };
                    prop_assert_eq!(&read.room, &expected, "{}", text);
                }
            }
        }
    }

    #[test]
    fn every_notation_of_a_lot_has_the_same_keys(lot in 1_u32..=9999, branch in 1_u32..=99, room in 101_u32..=1299) {
        let kanji = number::to_kanji;
        for numbers in [
            format!("{lot}番地{branch}"), format!("{lot}番地の{branch}"), format!("{lot}-{branch}"), format!("{lot}番{branch}"),
            format!("{lot}番{branch}号"), format!("{}番{}", kanji(lot), kanji(branch)),
            format!("{}番地{}", kanji(lot), kanji(branch)), format!("{lot}ノ{branch}"), format!("{lot}番地-{branch}"),
        ] {
            for tail in [String::new(), format!(" {room}"), format!("-{room}"), format!(" 第二緑{room}号")] {
                let text = format!("若葉市大和{numbers}{tail}");
                let read = Address::read(&text, "").unwrap();
                prop_assert_eq!(read.numbers.as_slice(), &[lot, branch][..], "{}", text);
                let expected = if tail.is_empty() { String::new() } else { room.to_string() };
                prop_assert_eq!(&read.room, &expected, "{}", text);
            }
        }
    }

    #[test]
    fn no_text_panics(address in "\\PC{0,40}", building in "\\PC{0,20}") {
        let _ = Address::read(&address, &building);
    }

    #[test]
    fn no_text_of_address_letters_panics(
        address in "[0-9一二十百千丁目番地号のノー? /年月日条線割ABｲイ甲市区町村郡京都府上る東入通字大無外先棟階室()〒-]{0,30}",
        building in "[0-9一二十号室棟階BF() ーー-]{0,12}",
    ) {
        if let Some(read) = Address::read(&address, &building) {
            prop_assert!(read.town.is_char_boundary(read.municipality_end));
        }
    }

    #[test]
    fn numbers_of_a_building_are_no_postal_code(number in 1_u32..=9999, behind in "[棟室階][AB]?") {
        let read = Address::read(&format!("123-{number:04}{behind}"), "").unwrap();
        prop_assert_eq!(read.numbers.as_slice().first(), Some(&123), "{:?}", read);
    }

    #[test]
    fn no_digit_is_lost(address in "(若葉市)?[0-9]{1,5}([-番号の ]|番地|号棟|階)?[0-9]{1,4}[-号室棟 ]?[ABハイツ]{0,3}[0-9]{0,4}") {
        let read = Address::read(&address, "").unwrap();
        let mut places: Vec<String> = read.numbers.as_slice().iter().map(u32::to_string).collect();
        places.extend([read.town.clone(), read.building.clone(), read.room.clone(), read.block.clone()]);
        let kept = places.concat();
        // A room written twice is kept once, so digits are looked for, not counted.
        for digit in address.chars().filter(|c| ('1'..='9').contains(c)) {
            let kanji = number::to_kanji(u32::from(digit) - u32::from('0'));
            prop_assert!(kept.contains(digit) || kept.contains(&kanji), "{}: {:?}", address, read);
        }
    }
}
