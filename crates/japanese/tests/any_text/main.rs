//! Every reader on any text: random ones, ones of the letters that have rules, and very long ones.

mod properties;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use properties::PROPERTIES;

/// Letters and words with rules of their own somewhere, so that random strings of them go deep.
const PIECES: [&str; 64] = [
    "1",
    "12",
    "2004",
    "０",
    "５",
    "一",
    "十",
    "百",
    "千",
    "万",
    "〇",
    "壱",
    "-",
    "－",
    "ー",
    "の",
    "ノ",
    "丁目",
    "番",
    "番地",
    "号",
    "号室",
    "条",
    "線",
    "地割",
    "第",
    "字",
    "大字",
    "市",
    "区",
    "町",
    "村",
    "郡",
    "京都市",
    "通",
    "上る",
    "東",
    "西入",
    "月",
    "日",
    "年",
    "元",
    "昭和",
    "S",
    "H",
    "R",
    "平",
    "明治",
    "不詳",
    "/",
    ".",
    ":",
    "(",
    ")",
    "・",
    "?",
    "ｶ",
    "ﾞ",
    "゛",
    "渡邊",
    "\u{e0101}",
    " ",
    "　",
    "階",
];

/// Anything, and strings of pieces.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..16)
            .prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_reader_keeps_its_laws_for_any_text(text in texts()) {
        for (_, property) in PROPERTIES {
            property(&text);
        }
    }

    #[test]
    fn any_bytes_are_a_transfer_file_or_are_refused(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            prop::collection::vec(prop::sample::select(b"1289 0123\r\n\xb1".to_vec()), 100..400),
        ]
    ) {
        properties::zengin_records(&bytes);
    }
}

/// With a search that starts over at every letter this would take hours.
#[test]
fn long_texts_of_one_letter_are_read_in_a_straight_line() {
    const MEBIBYTE: usize = 1 << 20;
    let lengths = [("一", 10 * MEBIBYTE)].into_iter();
    let letters = ["1", "ー", "町", "ﾞ", "?", " ", "(", "A", "条"];
    let texts: Vec<_> = lengths.chain(letters.map(|letter| (letter, MEBIBYTE / 2))).collect();
    let (done, wait) = mpsc::channel();
    for (_, property) in PROPERTIES {
        let (done, texts) = (done.clone(), texts.clone());
        thread::spawn(move || {
            for (letter, bytes) in texts {
                property(&letter.repeat(bytes / letter.len()));
                if done.send(letter).is_err() {
                    return;
                }
            }
        });
    }
    for finished in 0..PROPERTIES.len() * texts.len() {
        let next = wait.recv_timeout(Duration::from_secs(300));
        assert!(next.is_ok(), "a reader panicked or does not end; {finished} texts were read");
    }
}
