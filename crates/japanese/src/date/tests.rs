//! Known answers, and laws that hold for every day.

use proptest::prelude::*;

use super::calendar::{self, Era};
use super::{DateOrder, DateReading, PartialDate, read};
use crate::number;

fn describe(reading: DateReading) -> (String, String, String) {
    let part = |value: Option<i32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    match reading {
        DateReading::Missing => ("missing".to_owned(), String::new(), String::new()),
        DateReading::Unreadable(why) => (why.to_string(), String::new(), String::new()),
        DateReading::Read(date) => (
            format!(
                "{}-{}-{}",
                part(date.year),
                part(date.month.map(i32::from)),
                part(date.day.map(i32::from))
            ),
            format!("{:?}", date.form),
            format!(
                "{}{}",
                if date.approximate { "a" } else { "" },
                if date.repaired { "r" } else { "" }
            ),
        ),
    }
}

#[test]
fn known_notations_are_read() {
    let mut wrong = Vec::new();
    for line in include_str!("known.tsv").lines().filter(|line| !line.starts_with("# ")) {
        let cells: Vec<&str> = line.split('\t').collect();
        let order = match cells[1] {
            "Ymd" => DateOrder::Ymd,
            "Dmy" => DateOrder::Dmy,
            _ => DateOrder::Mdy,
        };
        let found = describe(read(cells[0], order));
        let expected = (cells[2].to_owned(), cells[3].to_owned(), cells[4].to_owned());
        if found != expected {
            wrong.push(format!("{:?}: {found:?}, expected {expected:?}", cells[0]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn date_of(text: &str) -> PartialDate {
    match read(text, DateOrder::Ymd) {
        DateReading::Read(date) => date,
        other @ (DateReading::Missing | DateReading::Unreadable(_)) => panic!("{text}: {other:?}"),
    }
}

#[test]
fn day_numbers_exist_only_for_whole_real_days() {
    assert_eq!(date_of("1970-01-01").day_number(), Some(0));
    assert_eq!(date_of("1969-12-31").day_number(), Some(-1));
    assert_eq!(date_of("2000-03-01").day_number(), Some(11_017));
    assert_eq!(date_of("1981-02-29").day_number(), None);
    assert_eq!(date_of("1981-02").day_number(), None);
    // Lunisolar.
    assert_eq!(date_of("明治5年1月3日").day_number(), None);
    assert!(date_of("1872-01-03").day_number().is_some());
}

#[test]
fn both_spellings_of_a_border_day_are_one_day() {
    assert_eq!(date_of("明治45年7月30日").day_number(), date_of("大正元年7月30日").day_number());
    assert_eq!(date_of("大正15年12月25日").day_number(), date_of("昭和元年12月25日").day_number());
}

#[test]
fn unknown_parts_are_not_after_anything() {
    let year = date_of("1980");
    assert!(year.is_after(1979, 12, 31));
    assert!(!year.is_after(1980, 1, 1));
    assert!(date_of("1980-02").is_after(1980, 1, 31));
    assert!(!date_of("1980-02").is_after(1980, 2, 1));
    assert!(date_of("1980-02-02").is_after(1980, 2, 1));
    assert!(!date_of("1980-02-02").is_after(1980, 2, 2));
    assert!(!date_of("5月3日").is_after(1900, 1, 1));
}

/// The era with a day in it that began last, its letter, name and code.
fn era_of(date: PartialDate) -> (Era, &'static str, &'static str, u32) {
    let eras = [
        (Era::Reiwa, "R", "令和", 5),
        (Era::Heisei, "H", "平成", 4),
        (Era::Showa, "S", "昭和", 3),
        (Era::Taisho, "T", "大正", 2),
        (Era::Meiji, "M", "明治", 1),
    ];
    let covers = |era: Era| era.covers(date.year.unwrap(), date.month, date.day);
    eras.into_iter().find(|(era, ..)| covers(*era)).unwrap()
}

fn wide(text: &str) -> String {
    let wide =
        |c: char| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c };
    text.chars().map(wide).collect()
}

#[test]
fn every_day_from_1868_to_2040_reads_back_in_every_notation() {
    let first = calendar::day_number(1868, 1, 1);
    let last = calendar::day_number(2040, 12, 31);
    for day_number in first..=last {
        let date = PartialDate::from_day_number(day_number);
        assert_eq!(date.day_number(), Some(day_number));
        let (y, m, d) = (date.year.unwrap(), date.month.unwrap(), date.day.unwrap());
        let kanji = |value: u8| number::to_kanji(value.into());
        let (era, letter, name, code) = era_of(date);
        let n = u8::try_from(y - era.first_year() + 1).unwrap();
        let first_or = |text: String| if n == 1 { "元".to_owned() } else { text };
        let western = [
            format!("{y}-{m:02}-{d:02}"),
            format!("{y}/{m}/{d}"),
            format!("{y}{m:02}{d:02}"),
            format!("{y}年{m}月{d}日"),
            wide(&format!("{y}.{m}.{d}")),
            format!("{y}-{m:02}-{d:02} 00:00:00"),
        ];
        let in_era = [
            format!("{letter}{n}.{m}.{d}"),
            format!("{letter}{n:02}{m:02}{d:02}"),
            format!("{code}{n:02}{m:02}{d:02}"),
            format!("0{code}{n:02}{m:02}{d:02}"),
            format!("{name}{}年{m}月{d}日", first_or(n.to_string())),
            wide(&format!("{name}{n}年{m}月{d}日")),
            format!("{name}{}年{}月{}日", first_or(kanji(n)), kanji(m), kanji(d)),
        ];
        for (text, lunisolar) in western
            .iter()
            .map(|text| (text, false))
            .chain(in_era.iter().map(|text| (text, y < 1873)))
        {
            // Before 1873 an era date is lunisolar, so a 31st or 30 February has no counterpart there.
            if lunisolar && d == 31 {
                continue;
            }
            // A spreadsheet's day 0: in western digits it is an empty cell.
            if (y, m, d) == (1899, 12, 30) && western.contains(text) {
                continue;
            }
            // Compare what can be compared: the form differs by design.
            let read = date_of(text);
            let parts = (read.year, read.month, read.day, read.approximate);
            assert_eq!(parts, (Some(y), Some(m), Some(d), lunisolar), "{text}");
        }
        let serial = day_number + 25_569;
        if (10_000..=60_000).contains(&serial) {
            assert_eq!(date_of(&serial.to_string()).day_number(), Some(day_number));
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        for order in [DateOrder::Ymd, DateOrder::Dmy, DateOrder::Mdy] {
            let _ = read(&text, order);
        }
    }

    #[test]
    fn no_text_of_date_letters_panics(text in "[0-9０-９年月日元昭和平SHTR令一二十〇○.()/: -Tー〜不詳頃上旬春]{0,20}") {
        for order in [DateOrder::Ymd, DateOrder::Dmy, DateOrder::Mdy] {
            if let DateReading::Read(date) = read(&text, order) {
                let day = date.day_number().map(PartialDate::from_day_number);
                prop_assert!(day.is_none_or(|day| (day.year, day.month, day.day) == (date.year, date.month, date.day)));
            }
        }
    }

    #[test]
    fn a_written_iso_date_reads_back(day_number in -60_000_i32..80_000) {
        // A spreadsheet's day 0 is an empty cell.
        prop_assume!(day_number != -25_569);
        let date = PartialDate::from_day_number(day_number);
        let text = format!("{:04}-{:02}-{:02}", date.year.unwrap(), date.month.unwrap(), date.day.unwrap());
        prop_assert_eq!(read(&text, DateOrder::Ymd), DateReading::Read(date));
        // The fast way and the general way agree.
        prop_assert_eq!(read(&format!(" {text}"), DateOrder::Ymd), DateReading::Read(date));
    }

    #[test]
    fn any_day_number_is_safe(day_number in proptest::num::i32::ANY) {
        let _ = PartialDate::from_day_number(day_number);
    }
}
