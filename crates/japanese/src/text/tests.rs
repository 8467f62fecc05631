//! What folding makes of one letter, of every letter, and of any text.

use proptest::prelude::*;

use super::*;

#[test]
fn folding_makes_widths_and_selectors_one() {
    for (written, folded) in [
        ("山田　太郎", "山田 太郎"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ"),
        ("ｳﾞｧﾝ ﾌﾟﾘ", "ヴァン プリ"),
        ("ＳＯＵＺＡ　ａｎａ", "SOUZA ana"),
        ("葛\u{e0100}城", "葛城"),
        ("辻\u{fe00}\u{200b}", "辻"),
        ("\u{feff}神", "神"),
        ("㈱①㍻", "(株)1平成"),
        ("か\u{3099}", "が"),
        ("髙﨑", "髙﨑"),
    ] {
        assert_eq!(fold(written), folded, "{written}");
    }
}

#[test]
fn plain_text_is_not_copied() {
    assert!(matches!(fold("山田 たろう 12-3"), Cow::Borrowed(_)));
    assert!(matches!(fold_dashes("12-3"), Cow::Borrowed(_)));
}

#[test]
fn short_ways_agree_with_the_definition_for_every_letter() {
    for letter in '\0'..=char::MAX {
        let alone = letter.to_string();
        let once = fold(&alone);
        assert_eq!(once, fold_general(&alone), "{}", letter.escape_unicode());
        assert_eq!(fold(&once), once, "{}", letter.escape_unicode());
    }
}

#[test]
fn marks_compose_where_normalisation_composes() {
    for base in ('ぁ'..='ヿ').chain('ｦ'..='ﾝ') {
        for mark in ['ﾞ', 'ﾟ'] {
            let pair = String::from_iter([base, mark]);
            assert_eq!(fold(&pair), fold_general(&pair), "{pair}");
        }
    }
}

#[test]
fn dashes_of_every_keyboard_are_one() {
    assert_eq!(fold_dashes("1-2‐3‑4–5—6―7−8ー9ｰ10－11"), "1-2-3-4-5-6-7-8-9-10-11");
    assert!(!is_dash('一') && !is_dash('〜'));
}

#[test]
fn values_that_say_nothing_are_placeholders() {
    for text in [
        "",
        "  ",
        "　",
        "不明",
        "不　明",
        "不詳",
        "該当なし",
        "なし",
        "-",
        "－",
        "ー",
        "---",
        "N/A",
        "ｎ／ａ",
        "na",
        "NULL",
        "null",
        "None",
        "#N/A",
        "#REF!",
        "#VALUE!",
        "空白",
        "未記入",
        "未設定",
        "＊＊＊＊",
        "??",
        "…",
        "(不明)",
    ] {
        assert!(is_placeholder(text), "{text}");
    }
    for text in ["梨", "山田", "NAM", "A", "0", "一", "不明瞭", "無量小路", "〇", "#1"]
    {
        assert!(!is_placeholder(text), "{text}");
    }
}

#[test]
fn private_use_and_lost_letters_are_told_apart() {
    assert!(is_gaiji('\u{e000}') && is_gaiji('\u{f8ff}') && is_gaiji('\u{10fffd}'));
    assert!(!is_gaiji('\u{fa11}') && !is_gaiji('\u{20bb7}'));
    assert!(is_lost_letter('?') && is_lost_letter('〓') && is_lost_letter('\u{fffd}'));
    assert!(!is_lost_letter('・') && !is_lost_letter('〇'));
}

proptest! {
    #[test]
    fn folding_follows_its_definition(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(&once, &fold_general(&text));
        prop_assert_eq!(fold(&once), once.clone());
    }

    #[test]
    fn folding_japanese_follows_its_definition(
        text in "[ァ-ヿｦ-ﾟ\u{3099}\u{309a}゛か-も亜-旱　 Ａ-Ｚ\u{fe00}\u{200b}]{0,12}"
    ) {
        let once = fold(&text);
        prop_assert_eq!(&once, &fold_general(&text));
        prop_assert_eq!(fold(&once), once.clone());
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = (fold_dashes(&text), is_placeholder(&text));
    }
}
