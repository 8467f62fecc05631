//! How long reading one value takes, for every reader a list goes through.
//!
//! A register of a million residents has some three million distinct values to read, so a microsecond each is three
//! seconds of a run. Run with `cargo run --release -p renkei-japanese --example reading_speed`, and a word behind `--` for
//! some of the lines only.
//! The values are made here from a few words and counters, in the notations of registers and of lists.

// An example measures: that is what clocks and standard output are for.
#![allow(clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use renkei_japanese::address::Address;
use renkei_japanese::date::{self, DateOrder};
use renkei_japanese::name::{KanaName, WrittenName};
use renkei_japanese::postal::PostalCode;
use renkei_japanese::{kanji, text};

/// Values of each notation.
const VALUES: usize = 4_000;
/// Rounds over the values; the fastest counts.
const ROUNDS: usize = 15;

const FAMILIES: [(&str, &str); 8] = [
    ("谷口", "タニグチ"),
    ("渡邊", "ワタナベ"),
    ("髙橋", "タカハシ"),
    ("佐々木", "ササキ"),
    ("長谷川", "ハセガワ"),
    ("東", "アズマ"),
    ("山﨑", "ヤマザキ"),
    ("清水", "シミズ"),
];
const GIVENS: [(&str, &str); 8] = [
    ("光弘", "ミツヒロ"),
    ("裕子", "ユウコ"),
    ("翔太", "ショウタ"),
    ("めぐみ", "メグミ"),
    ("淳", "ジュン"),
    ("美咲", "ミサキ"),
    ("健太郎", "ケンタロウ"),
    ("京", "キョウ"),
];
const TOWNS: [&str; 6] = ["緑ヶ丘", "寿町", "大字上野", "西栄町", "三条", "北日の出"];
const BUILDINGS: [&str; 4] = ["ハイツ緑", "メゾン南", "県営団地１号棟", "グランドハイツ北"];

fn main() {
    let names = |gap: &'static str| {
        made(move |index| {
            format!("{}{gap}{}", pick(&FAMILIES, index).0, pick(&GIVENS, index / 8).0)
        })
    };
    measure("written name, as registered", &names("　"), |name| {
        WrittenName::read(name).map_or(0, |name| name.full.len())
    });
    measure("written name, in a list", &names(""), |name| {
        WrittenName::read(name).map_or(0, |name| name.full.len())
    });
    let kana = |gap: &'static str| {
        made(move |index| {
            format!("{}{gap}{}", pick(&FAMILIES, index).1, pick(&GIVENS, index / 8).1)
        })
    };
    let read_kana = |name: &str| KanaName::read(name).map_or(0, |name| name.exact.len());
    measure("kana name, as registered", &kana("　"), read_kana);
    let half: Vec<String> = kana(" ")
        .iter()
        .map(|name| renkei_japanese::zengin::to_zengin(name).unwrap_or_default())
        .collect();
    measure("kana name, half width", &half, read_kana);

    let day = |index: usize| (1930 + index % 90, 1 + index % 12, 1 + index % 28);
    let read_date = |text: &str| match date::read(text, DateOrder::Ymd) {
        date::DateReading::Read(date) => date.day_number().unwrap_or(0) as usize,
        date::DateReading::Missing | date::DateReading::Unreadable(_) => 0,
    };
    for (what, write) in DATES {
        measure(what, &made(|index| write(day(index))), read_date);
    }

    let read_address = |text: &str| Address::read(text, "").map_or(0, |address| address.town.len());
    measure(
        "address, as registered",
        &made(|index| {
            let (block, number) = (wide(index % 99 + 1), wide(index % 31 + 1));
            format!("千葉県若葉市{}{block}番{number}号", pick(&TOWNS, index))
        }),
        read_address,
    );
    measure(
        "address and room, as registered",
        &made(|index| {
            let (block, room) = (wide(index % 4_000 + 1), wide(101 + index % 900));
            let (town, building) = (pick(&TOWNS, index), pick(&BUILDINGS, index / 6));
            format!("千葉県若葉市{town}{block}番地 {building}{room}号室")
        }),
        read_address,
    );
    measure(
        "address, in a list",
        &made(|index| {
            let (chome, block, room) = (index % 7 + 1, index % 45 + 1, index % 900 + 101);
            format!("若葉市{}{chome}-{block}-12 ﾊｲﾂ緑{room}", pick(&TOWNS, index))
        }),
        read_address,
    );
    measure(
        "address, in kanji numerals",
        &made(|index| {
            format!("若葉市{}三丁目二十{}番五", pick(&TOWNS, index), ["一", "四", "八"][index % 3])
        }),
        read_address,
    );

    measure(
        "address, of an unknown town",
        &made(|index| {
            let (chome, block, room) = (index % 7 + 1, index % 45 + 1, index % 900 + 101);
            format!("若葉市{}{chome}-{block}-12 ﾊｲﾂ緑{room}", pick(&TOWNS, index))
        }),
        |text| Address::read_knowing(text, "", |town| town.is_empty()).map_or(0, |_| 1),
    );

    let read_postal = |text: &str| PostalCode::read(text).map_or(0, |code| code.number as usize);
    measure(
        "postal code",
        &made(|index| format!("0{:02}-{:04}", index % 90 + 10, index)),
        read_postal,
    );
    measure(
        "postal code, full width",
        &made(|index| format!("〒{}－{}", wide(260 + index % 9), wide(1000 + index))),
        read_postal,
    );

    let folded: Vec<String> = names("　");
    measure("folding text", &folded, |name| text::fold(name).len());
    measure("folding variants", &folded, |name| kanji::fold_variants(name).len());
}

/// Writes a year, a month and a day.
type WriteDate = fn((usize, usize, usize)) -> String;

/// Notations of dates.
const DATES: [(&str, WriteDate); 6] = [
    ("date, as registered", |(year, month, day)| format!("{year}-{month:02}-{day:02}")),
    ("date, eight digits", |(year, month, day)| format!("{year}{month:02}{day:02}")),
    ("date, slashes", |(year, month, day)| format!("{year}/{month}/{day}")),
    ("date, era letter", |(year, month, day)| format!("S{}.{month:02}.{day:02}", year % 60 + 2)),
    ("date, era", |(year, month, day)| format!("昭和{}年{month}月{day}日", year % 60 + 2)),
    ("date, era code", |(year, month, day)| format!("3{:02}{month:02}{day:02}", year % 60 + 2)),
];

fn pick<T>(words: &[T], index: usize) -> &T {
    &words[index % words.len()]
}

fn made(write: impl Fn(usize) -> String) -> Vec<String> {
    (0..VALUES).map(write).collect()
}

fn wide(number: usize) -> String {
    number.to_string().chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect()
}

fn measure(what: &str, values: &[String], read: impl Fn(&str) -> usize) {
    if std::env::args().nth(1).is_some_and(|wanted| !what.contains(&wanted)) {
        return;
    }
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let sum: usize = values.iter().map(|value| read(black_box(value))).sum();
        black_box(sum);
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    println!("{what:32} {:7.0} ns", fastest * 1e9 / values.len() as f64);
}
