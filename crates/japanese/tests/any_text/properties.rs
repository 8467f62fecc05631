//! What holds of every reader for every text: none panics, keys read back as they are, and nothing grows without bound.
//!
//! Tests try random and awkward texts with these, and the fuzzer (`fuzz/`) tries to break them: both read this file, so a
//! law is written once.

use renkei_japanese::address::Address;
use renkei_japanese::date::{self, DateOrder, DateReading};
use renkei_japanese::kana::{kana_exact, kana_fuzzy};
use renkei_japanese::name::{Forms, KanaName, WrittenName};
use renkei_japanese::postal::PostalCode;
use renkei_japanese::zengin::transfer::read_transfer_file;
use renkei_japanese::zengin::{cells, is_core, to_zengin, truncate};
use renkei_japanese::{code, kanji, number, sex, text};

/// A reader that takes any text.
pub(crate) type Property = fn(&str);

/// All of them, by name.
pub(crate) const PROPERTIES: [(&str, Property); 8] = [
    ("written_name", written_name),
    ("kana_name", kana_name),
    ("date", any_date),
    ("address", address),
    ("postal_code", postal_code),
    ("number", any_number),
    ("zengin", zengin),
    ("folding", folding),
];

/// The most letters NFKC makes of one (U+FDFA).
const EXPANSION_MAX: usize = 18;

/// A key has no more letters than its text can become.
fn assert_bounded(key: &str, text: &str) {
    assert!(
        key.chars().count() <= EXPANSION_MAX * text.chars().count() + 8,
        "a key outgrew its text"
    );
}

/// A name in a name field.
pub(crate) fn written_name(field: &str) {
    let forms = Forms::read(field);
    assert!(forms.main.chars().count() <= field.chars().count() + 1);
    let Some(name) = WrittenName::read(field) else { return };
    assert_bounded(&name.full, field);
    assert_eq!(name.exact.chars().count(), name.full.chars().count());
    assert_eq!(name.tokens().collect::<String>(), name.full);
    for key in [&name.full, &name.exact] {
        assert_eq!(WrittenName::read(key).map(|again| again.full), Some(name.full.clone()));
    }
}

/// A name in a kana field.
pub(crate) fn kana_name(field: &str) {
    let (exact, fuzzy) = (kana_exact(field), kana_fuzzy(field));
    assert_eq!(kana_exact(&exact), exact);
    assert_eq!((kana_fuzzy(&fuzzy), kana_fuzzy(&exact)), (fuzzy.clone(), fuzzy));
    let Some(name) = KanaName::read(field) else { return };
    assert_bounded(&name.exact, field);
    assert_eq!(name.tokens().collect::<String>(), name.exact);
    let again = KanaName::read(&name.exact).expect("a key is a name");
    assert_eq!((again.exact, again.fuzzy), (name.exact, name.fuzzy));
}

/// A date, in every order of its parts.
pub(crate) fn any_date(cell: &str) {
    for order in [DateOrder::Ymd, DateOrder::Dmy, DateOrder::Mdy] {
        let DateReading::Read(read) = date::read(cell, order) else { continue };
        assert!(read.month.is_none_or(|month| (1..=12).contains(&month)));
        assert!(read.day.is_none_or(|day| (1..=31).contains(&day)));
        assert!(read.year.is_none_or(|year| (1000..=2199).contains(&year)));
        assert!(read.year.is_some() || read.month.is_some() || read.day.is_some());
        let (Some(number), Some(year), Some(month), Some(day)) =
            (read.day_number(), read.year, read.month, read.day)
        else {
            continue;
        };
        let same = date::from_day_number(number);
        assert_eq!((same.year, same.month, same.day), (read.year, read.month, read.day));
        let written = format!("{year:04}-{month:02}-{day:02}");
        // What means "no date" (1899-12-30) is never read as one.
        let DateReading::Read(again) = date::read(&written, DateOrder::Ymd) else { continue };
        assert_eq!(again.day_number(), Some(number));
    }
    let _ = sex::read(cell);
}

/// An address, with and without a building of its own, and with towns that are known.
pub(crate) fn address(text: &str) {
    let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(middle, _)| middle);
    let (front, back) = text.split_at(half);
    let known = |town: &str| town.len().is_multiple_of(2);
    for read in [
        Address::read(text, ""),
        Address::read("", text),
        Address::read(front, back),
        Address::read_knowing(text, "", known),
    ]
    .into_iter()
    .flatten()
    {
        assert!(read.town.is_char_boundary(read.municipality_end));
        assert!(read.town.ends_with(read.town_name()));
        assert!(read.same_town(&read));
        for key in [&read.town, &read.block, &read.building, &read.room, &read.street] {
            // Digits of a name are written in kanji, which takes up to twice as many letters.
            assert!(key.chars().count() <= 2 * EXPANSION_MAX * text.chars().count() + 16);
        }
        assert!(read.room.ends_with(read.room_digits()));
    }
}

/// A postal code.
pub(crate) fn postal_code(cell: &str) {
    let Some(code) = PostalCode::read(cell) else { return };
    let again = PostalCode::read(&code.to_string()).expect("a code reads back");
    assert_eq!((again.number, again.repaired), (code.number, false));
}

/// A number in digits or kanji, and check digits.
pub(crate) fn any_number(text: &str) {
    if let Some(value) = number::parse(text) {
        assert_eq!(number::parse(&number::to_kanji(value)), Some(value));
    }
    if code::looks_like_my_number(text) {
        assert!(text.chars().count() >= 12);
    }
    let _ = code::corporate_number_is_valid(text);
    let _ = code::municipality_code_is_valid(text);
    assert!(code::reference_number_check_digit(text).is_none_or(|digit| digit < 10));
}

/// A name for a bank file, and the records of one.
pub(crate) fn zengin(text: &str) {
    for width in [0, 1, 15, 30] {
        let cut = truncate(text, width);
        assert!(cells(cut) <= width && text.starts_with(cut));
    }
    if let Ok(written) = to_zengin(text) {
        assert!(written.chars().all(is_core));
        assert_eq!(to_zengin(&written).as_ref(), Ok(&written));
    }
    zengin_records(text.as_bytes());
}

/// The bytes of a transfer file.
pub(crate) fn zengin_records(bytes: &[u8]) {
    if let Ok(file) = read_transfer_file(bytes) {
        let sum: u64 = file.rows.iter().map(|transfer| transfer.yen()).sum();
        assert_eq!(u32::try_from(file.rows.len()), Ok(file.totals.rows()));
        assert_eq!(sum, file.totals.yen());
    }
}

/// Widths, dashes, variants and placeholders.
pub(crate) fn folding(raw: &str) {
    let folded = text::fold(raw);
    assert_bounded(&folded, raw);
    assert_eq!(text::fold(&folded), folded);
    for fold in [text::fold_dashes, kanji::fold_variants] {
        let once = fold(raw);
        assert_eq!(once.chars().count(), raw.chars().count());
        assert_eq!(fold(&once), once);
    }
    let _ = text::is_placeholder(raw);
}
