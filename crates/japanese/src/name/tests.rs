//! Known answers in the notations of payment lists, and the laws the keys follow. All names are invented.

use proptest::prelude::*;

use super::*;

const LOST: &str = "\u{f8ff}";

/// Field, its words as they stand in the key, and the script.
const WRITTEN: [(&str, &[&str], Script); 56] = [
    ("谷口　光弘", &["谷口", "光弘"], Script::Han),
    ("谷口 光弘", &["谷口", "光弘"], Script::Han),
    ("谷口　　光弘", &["谷口", "光弘"], Script::Han),
    ("谷口光弘", &["谷口光弘"], Script::Han),
    ("　谷口　光弘　", &["谷口", "光弘"], Script::Han),
    ("谷口\t光弘\r\n", &["谷口", "光弘"], Script::Han),
    ("清水　", &["清水"], Script::Han),
    ("渡邊　裕子", &["渡辺", "裕子"], Script::Han),
    ("渡邉\u{e0101}　裕子", &["渡辺", "裕子"], Script::Han),
    ("髙橋　𠮷平", &["高橋", "吉平"], Script::Han),
    ("山﨑　敦子", &["山崎", "敦子"], Script::Han),
    ("葛\u{e0100}城　香織", &["葛城", "香織"], Script::Han),
    ("福\u{fa19}　明", &["福神", "明"], Script::Han),
    ("佐々木　明", &["佐々木", "明"], Script::Han),
    ("谷口　光弘　様", &["谷口", "光弘"], Script::Han),
    ("谷口光弘 殿", &["谷口光弘"], Script::Han),
    ("谷口 光弘 樣", &["谷口", "光弘"], Script::Han),
    ("王　君", &["王", "君"], Script::Han),
    ("國部 めぐみ", &["国部", "めぐみ"], Script::Mixed),
    ("神内　ハル", &["神内", "ハル"], Script::Mixed),
    ("ワタナベ　ミミ", &["ワタナベ", "ミミ"], Script::Kana),
    ("ﾜﾀﾅﾍﾞ ﾐﾐ", &["ワタナベ", "ミミ"], Script::Kana),
    ("マリア・ロペス", &["マリア", "ロペス"], Script::Kana),
    ("サント-ス　アナ", &["サントース", "アナ"], Script::Kana),
    ("田中・マリア", &["田中", "マリア"], Script::Mixed),
    ("?田 智子", &["\u{f8ff}田", "智子"], Script::Han),
    ("渡？　裕子", &["渡\u{f8ff}", "裕子"], Script::Han),
    ("●部　　葉夏", &["\u{f8ff}部", "葉夏"], Script::Han),
    ("福坂美■子", &["福坂美\u{f8ff}子"], Script::Han),
    ("堀野　美〓子", &["堀野", "美\u{f8ff}子"], Script::Han),
    ("渡・裕子", &["渡\u{f8ff}裕子"], Script::Han),
    ("渡・　裕子", &["渡\u{f8ff}", "裕子"], Script::Han),
    ("FERREIRA GABRIELA", &["FERREIRA", "GABRIELA"], Script::Latin),
    ("ＳＯＵＺＡ　ＭＡＲＣＯＳ　ＲＯＢＥＲＴＯ", &["SOUZA", "MARCOS", "ROBERTO"], Script::Latin),
    ("Nguyen Thi Thu Ha", &["NGUYEN", "THI", "THU", "HA"], Script::Latin),
    ("NGUYỄN THỊ ĐÀO", &["NGUYEN", "THI", "DAO"], Script::Latin),
    ("Nguye\u{302}\u{303}n Ha", &["NGUYEN", "HA"], Script::Latin),
    ("SMITH, JOHN", &["SMITH", "JOHN"], Script::Latin),
    ("Smith,John", &["SMITH", "JOHN"], Script::Latin),
    ("O'BRIEN MARY-JANE", &["OBRIEN", "MARYJANE"], Script::Latin),
    ("O’Brien J. R.", &["OBRIEN", "J", "R"], Script::Latin),
    ("STRAUß Jörg", &["STRAUSS", "JORG"], Script::Latin),
    ("ＣＯＳＴＡＬＵＣＡＳ", &["COSTALUCAS"], Script::Latin),
    ("LOPEZ・MARIA", &["LOPEZ", "MARIA"], Script::Latin),
    ("REYES ANNA LIZA（槙原　達也）", &["REYES", "ANNA", "LIZA"], Script::Latin),
    ("ＳＡＮＴＯＳ　ＲＯＷＥＮＡ（關　大樹）", &["SANTOS", "ROWENA"], Script::Latin),
    ("ZHANG YULIN 張 玉蓮 （チャン ユウリン）", &["ZHANG", "YULIN"], Script::Latin),
    ("山田（旧姓田中）花子", &["山田", "花子"], Script::Han),
    ("（山田　花子）", &["山田", "花子"], Script::Han),
    ("山田　花子（", &["山田", "花子"], Script::Han),
    ("楊　霞", &["楊", "霞"], Script::Han),
    ("TANAKA 太郎", &["TANAKA", "太郎"], Script::Mixed),
    ("ＫＣ　ＡＮＩＴＡ", &["KC", "ANITA"], Script::Latin),
    ("ИВАНОВ ИВАН", &["ИВАНОВ", "ИВАН"], Script::Mixed),
    ("김 민수", &["김", "민수"], Script::Mixed),
    ("安藤 \u{e000}斗", &["安藤", "\u{e000}斗"], Script::Han),
];

#[test]
fn written_names_are_read_in_every_notation() {
    for (field, words, script) in WRITTEN {
        let name = WrittenName::read(field).expect(field);
        assert_eq!(name.full, words.concat(), "{field}");
        assert_eq!(name.tokens().collect::<Vec<_>>(), words, "{field}");
        assert_eq!(name.split, (words.len() > 1).then(|| words[0].len()), "{field}");
        assert_eq!(name.script, script, "{field}");
        assert_eq!(name.lost_letters, name.full.contains(LOST), "{field}");
        assert_eq!(name.gaiji, name.full.contains('\u{e000}'), "{field}");
    }
}

#[test]
fn exact_key_keeps_the_letters_that_were_written() {
    let name = WrittenName::read("髙橋　𠮷平").expect("a name");
    assert_eq!((name.exact.as_str(), name.full.as_str()), ("髙橋𠮷平", "高橋吉平"));
    assert_eq!(name.split.and_then(|split| name.full.get(split..)), Some("吉平"));
}

#[test]
fn fields_that_say_nothing_are_no_names() {
    for field in [
        "",
        " ",
        "　",
        "不明",
        "不　明",
        "-",
        "ー",
        "－",
        "N/A",
        "n.a.",
        "#N/A",
        "#NAME?",
        "NULL",
        "なし",
        "該当なし",
        "＊＊＊",
        "？？",
        "●　●",
        "（不明）",
        "()",
        "、",
        "・",
        "氏名不詳",
    ] {
        assert_eq!(WrittenName::read(field), None, "{field}");
    }
    for field in ["", "　", "ナシ", "ﾌﾒｲ", "-", "??", "該当なし", "#REF!", "・"] {
        assert_eq!(KanaName::read(field), None, "{field}");
    }
}

#[test]
fn brackets_hold_other_names() {
    let forms = Forms::read("ＳＡＮＴＯＳ　ＲＯＷＥＮＡ（關　大樹）");
    assert_eq!(forms.main, "ＳＡＮＴＯＳ　ＲＯＷＥＮＡ");
    assert_eq!(forms.others, [OtherForm { kind: FormKind::Unlabelled, text: "關　大樹" }]);

    let forms = Forms::read("山田（旧姓：田中）花子 [通称　山本花]");
    assert_eq!(forms.main, "山田 花子");
    let former = OtherForm { kind: FormKind::FormerFamilyName, text: "田中" };
    let alias = OtherForm { kind: FormKind::Alias, text: "山本花" };
    assert_eq!(forms.others, [former, alias]);

    let forms = Forms::read("ZHANG YULIN 張 玉蓮 （チャン ユウリン）");
    let texts: Vec<&str> = forms.others.iter().map(|form| form.text).collect();
    assert_eq!((forms.main.as_ref(), texts), ("ZHANG YULIN", vec!["張 玉蓮", "チャン ユウリン"]));

    let plain = Forms::read("谷口　光弘");
    assert!(
        matches!(plain.main, std::borrow::Cow::Borrowed("谷口　光弘")) && plain.others.is_empty()
    );
}

#[test]
fn kana_names_are_read_in_every_notation() {
    let cases: [(&str, &[&str], &str); 17] = [
        ("タニグチ　コウヒロ", &["タニグチ", "コウヒロ"], "タニクシコオヒロ"),
        ("ﾀﾆｸﾞﾁ ｺｳﾋﾛ", &["タニグチ", "コウヒロ"], "タニクシコオヒロ"),
        ("たにぐちこうひろ", &["タニグチコウヒロ"], "タニクシコオヒロ"),
        ("ヤマダ　　タロウ", &["ヤマダ", "タロウ"], "ヤマタタロオ"),
        ("ﾔｶﾜ ｼﾞﾕﾝｷ", &["ヤカワ", "ジユンキ"], "ヤカハシユンキ"),
        ("ヤカワジュンキ", &["ヤカワジユンキ"], "ヤカハシユンキ"),
        (
            "ソウザ　マルコス　ロベルト",
            &["ソウザ", "マルコス", "ロベルト"],
            "ソオサマルコスロヘルト",
        ),
        ("ｻﾝﾄｽ ﾙ-ｶｽ ｹﾝｼﾞ", &["サントス", "ルーカス", "ケンジ"], "サントスルカスケンシ"),
        ("マリア・ロペス", &["マリア", "ロペス"], "マリアロヘス"),
        ("ｵﾘｳﾞｴｲﾗ ﾊﾟﾄﾘｼｱ", &["オリヴエイラ", "パトリシア"], "オリヘイラハトリシア"),
        ("ミノ　ウメ", &["ミノ", "ウメ"], "ミノオメ"),
        ("シミズ　", &["シミズ"], "シミス"),
        ("だん　?あん　なむ", &["ダン", "\u{f8ff}アン", "ナム"], "タン\u{f8ff}アンナム"),
        ("ﾛﾍﾟｽ MARIA", &["ロペス", "MARIA"], "ロヘスMARIA"),
        ("ケーシー　アニタ", &["ケーシー", "アニタ"], "ケシアニタ"),
        ("ケーシー（イワモト　ケン）", &["ケーシー"], "ケシ"),
        ("イマムラ ー", &["イマムラ", "ー"], "イマムラ"),
    ];
    for (field, words, fuzzy) in cases {
        let name = KanaName::read(field).expect(field);
        assert_eq!(name.exact, words.concat(), "{field}");
        assert_eq!(name.tokens().collect::<Vec<_>>(), words, "{field}");
        assert_eq!(name.fuzzy, fuzzy, "{field}");
        assert!(!name.truncated, "{field}");
        assert_eq!(name.lost_letters, name.exact.contains(LOST), "{field}");
    }
    let name = KanaName::read("ｵﾘｳﾞｴｲﾗ ﾊﾟﾄﾘｼｱ").expect("a name");
    assert_eq!(name.split_fuzzy.and_then(|split| name.fuzzy.get(split..)), Some("ハトリシア"));
}

#[test]
fn thirty_cells_may_be_a_cut_name() {
    let thirty = "ﾌｴﾚｲﾗ ﾏﾙｺｽ ﾛﾍﾞﾙﾄ ﾀﾞ ｼﾙﾊﾞ ﾛﾍﾟｽｱ";
    assert_eq!(cells(thirty), 30);
    assert!(KanaName::read(thirty).is_some_and(|name| name.truncated));
    assert!(KanaName::read(&format!("{thirty}  ")).is_some_and(|name| name.truncated));
    assert!(KanaName::read(&format!("{thirty}ｱ")).is_some_and(|name| !name.truncated));
    assert!(
        KanaName::read("フェレイラ マルコス ロベルト ダ シルバ ロペスア")
            .is_some_and(|name| name.truncated)
    );
}

#[test]
fn every_letter_alone_is_read_stably() {
    // The planes left out hold only ideographs without a rule and private-use letters.
    let letters =
        ('\0'..='\u{1ffff}').chain('\u{2f800}'..='\u{2fa1f}').chain('\u{e0000}'..='\u{e01ff}');
    for letter in letters {
        let field = format!("田{letter}A{letter}");
        let name = WrittenName::read(&field).expect("a name");
        let again = WrittenName::read(&name.full).expect("a name");
        assert_eq!(again.full, name.full, "{}", letter.escape_unicode());
    }
}

/// Anything, and strings of the letters that have rules of their own.
fn fields() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[田辺邊𠮷様殿ァ-ヾｦ-ﾟあ-ん゛A-Cc-fÀ-ÿ\u{300}-\u{302}\u{e0100}\u{e000} 　・,.'?●()（）ー#/-]{0,12}",
        "[亜-熙]{1,3}[ 　]{0,2}[亜-熙]{1,3}( 様)?",
    ]
}

proptest! {
    #[test]
    fn reading_a_written_key_gives_the_same_key(field in fields()) {
        if let Some(name) = WrittenName::read(&field) {
            let again = WrittenName::read(&name.full);
            prop_assert_eq!(again.map(|again| again.full), Some(name.full.clone()));
            let again = WrittenName::read(&name.exact);
            prop_assert_eq!(again.map(|again| again.exact), Some(name.exact.clone()));
            prop_assert_eq!(name.exact.chars().count(), name.full.chars().count());
            prop_assert_eq!(name.tokens().collect::<String>(), name.full.as_str());
            prop_assert!(!name.full.chars().any(crate::text::is_space));
            if let Some(split) = name.split {
                prop_assert!(split > 0 && split < name.full.len() && name.full.is_char_boundary(split));
            }
        }
    }

    #[test]
    fn plain_names_are_read_as_any_others(
        field in "([\u{4e00}-\u{9fff}々ァ-ヿぁ-ゟ 　]|様|殿|不明|なし|無|さま|さん){0,8}",
    ) {
        prop_assert_eq!(WrittenName::read(&field), WrittenName::read_any(&field));
    }

    #[test]
    fn reading_a_kana_key_gives_the_same_key(field in fields()) {
        if let Some(name) = KanaName::read(&field) {
            let again = KanaName::read(&name.exact);
            prop_assert_eq!(again.as_ref().map(|again| &again.exact), Some(&name.exact));
            prop_assert_eq!(again.as_ref().map(|again| &again.fuzzy), Some(&name.fuzzy));
            prop_assert_eq!(&crate::kana::kana_fuzzy(&name.exact), &name.fuzzy);
            prop_assert_eq!(name.tokens().collect::<String>(), name.exact.as_str());
            for (key, split) in [(&name.exact, name.split_exact), (&name.fuzzy, name.split_fuzzy)] {
                if let Some(split) = split {
                    prop_assert!(split > 0 && split < key.len() && key.is_char_boundary(split));
                }
            }
        }
    }

    #[test]
    fn spaces_do_not_change_the_key(family in "[亜-熙]{1,3}", given in "[亜-熙あ-ん]{1,3}") {
        let apart = WrittenName::read(&format!("{family}　{given}")).map(|name| name.full);
        let joined = WrittenName::read(&format!("{family}{given}")).map(|name| name.full);
        prop_assert!(apart == joined || ["様", "樣", "殿", "氏", "さま"].contains(&given.as_str()));
    }

    #[test]
    fn forms_hold_no_brackets(field in "[山田AB 　()（）〔〕【】旧姓通称：]{0,16}") {
        let forms = Forms::read(&field);
        for part in std::iter::once(forms.main.as_ref()).chain(forms.others.iter().map(|form| form.text)) {
            prop_assert!(!part.contains(['(', ')', '（', '）', '〔', '〕', '【', '】']));
        }
    }
}

/// Letters and halves that stand in plain names, and some that make a half more than it seems.
const HALVES: &str =
    "([谷渡邊髙不明無様樣氏殿空白々]{1,3}|[ぁ-ゖァ-ヺｦ-ﾟー゛゜ﾞﾟ]{1,5}|ナシ|フ|メイ|A|ー)";

proptest! {
    #[test]
    fn two_halves_read_apart_are_the_name_read_as_a_whole(
        first in HALVES, second in HALVES, space in "[ \u{3000}]",
    ) {
        let field = format!("{first}{space}{second}");
        let (one, other) = divide(&field).expect("one space divides it");
        prop_assert_eq!((one, other), (first.as_str(), &field[first.len()..]));
        if let Some((one, other)) = written_half(one).zip(written_half(other)) {
            let name = WrittenName::read(&field).expect("a name of two plain halves");
            prop_assert_eq!((&name.full, name.split), (&format!("{one}{other}"), Some(one.len())));
            prop_assert_eq!((name.tokens().count(), name.script), (2, Script::Han));
            prop_assert_eq!(Forms::read(&field).others.len(), 0);
        }
        if let Some((one, other)) = kana_half(one).zip(kana_half(other)) {
            let name = KanaName::read(&field).expect("a reading of two plain halves");
            prop_assert_eq!(
                (&name.exact, name.split_exact),
                (&format!("{one}{other}"), Some(one.len()))
            );
            prop_assert_eq!(name.tokens().count(), 2);
        }
    }
}

#[test]
fn halves_that_mean_more_in_company_are_not_read_alone() {
    for half in ["不", "　様", "國樣", "無", "谷口（", "A", "めぐみ", "", "谷?"] {
        assert_eq!(written_half(half).is_some(), half == "國樣", "{half}");
    }
    for half in ["フ", "ナ", "ーア", "゛ア", "谷", "ア-", "アA", "ｰ", "ヽ"] {
        assert_eq!(kana_half(half), None, "{half}");
    }
    assert_eq!(written_half("　髙橋").as_deref(), Some("高橋"));
    assert_eq!(kana_half(" ﾜﾀﾅﾍﾞ").as_deref(), Some("ワタナベ"));
    for field in ["谷口光弘", " 谷口", "谷口　", "谷口 光弘 様", "谷口\t光弘"] {
        assert_eq!(divide(field), None, "{field}");
    }
}
