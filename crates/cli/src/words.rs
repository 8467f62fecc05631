//! The engine's names of fields, comparisons, levels and blocking rules in Japanese.
//!
//! The engine speaks English, so that model files mean the same everywhere. What this table does not know stays as it
//! is: a field of somebody's own schema already has the name they gave it.

use renkei_tables::japanese_name;
use renkei_types::Language;

/// English as the engine says it, and Japanese.
const WORDS: &[(&str, &str)] = &[
    // Fields of the built-in schemas.
    ("name_kanji", "氏名"),
    ("name_kana", "氏名カナ"),
    ("birth_date", "生年月日"),
    ("sex", "性別"),
    ("postal_code", "郵便番号"),
    ("address", "住所"),
    ("building", "方書"),
    ("former_name", "旧氏"),
    ("alias", "通称名"),
    ("previous_address", "転入前住所"),
    ("amount", "支給額"),
    ("account_holder_kana", "口座名義カナ"),
    ("postal code", "郵便番号"),
    // Comparisons and parts of blocking rules.
    ("name order", "姓名の並び"),
    ("family name", "姓"),
    ("given name", "名"),
    ("family name as written", "姓の表記"),
    ("family name as read", "姓の読み"),
    ("given name as written", "名の表記"),
    ("given name as read", "名の読み"),
    ("whole name as written", "氏名の表記"),
    ("whole name as read", "氏名の読み"),
    ("town", "町名"),
    ("town and house number", "町名と番地"),
    // Levels; those of two halves are put together from these.
    ("missing", "値なし"),
    ("equal", "一致"),
    ("near", "近い"),
    ("similar", "似ている"),
    ("different", "異なる"),
    ("reading equal", "読みが一致"),
    ("reading near", "読みが近い"),
    ("reading similar", "読みが似ている"),
    ("reading different", "読みが異なる"),
    ("written equal", "表記が一致"),
    ("written near", "表記が近い"),
    ("written similar", "表記が似ている"),
    ("written different", "表記が異なる"),
    ("both equal", "表記・読みとも一致"),
    ("both near", "表記・読みとも近い"),
    ("both different", "表記・読みとも異なる"),
    ("usual reading of the written", "表記のよくある読みと一致"),
    ("rare reading of the written", "表記のまれな読みと一致"),
    ("near a reading of the written", "表記の読みに近い"),
    ("no reading of the written", "表記の知られた読みと異なる"),
    ("reading known of the same letters", "同じ表記の別の読み"),
    ("as registered", "台帳どおり"),
    ("family and given exchanged", "姓と名が逆"),
    ("former name or alias", "旧氏または通称名"),
    ("read as the account holder is", "口座名義の読みによる"),
    ("given name of the account holder alone", "名は口座名義だけ、それと一致"),
    ("other given name than the account holder's", "名は口座名義だけ、それと異なる"),
    ("day and month exchanged", "月と日が逆"),
    ("year slipped by an era or a generation", "元号または一世代ぶんの年のずれ"),
    ("a generation apart", "一世代ほど年が違う"),
    ("year slipped", "年の取り違え"),
    ("one digit of the year off", "年の一字違い"),
    ("one digit of month or day off", "月日の一字違い"),
    ("equal as far as known", "分かる範囲で一致"),
    ("placeholder of the year", "年のみ一致（月日は仮の値）"),
    ("another day of the month", "同じ年月の別の日"),
    ("another year", "月日は同じで年が異なる"),
    ("year and day equal", "年と日が一致"),
    ("same place", "同じ住所"),
    ("same building", "同じ建物"),
    ("room missing", "部屋番号なし"),
    ("other room", "部屋番号が異なる"),
    ("same town", "同じ町"),
    ("numbers near", "番地が近い"),
    ("same numbers", "番地が同じ"),
    ("town unlike", "町名が異なる"),
    ("same postal code", "同じ郵便番号"),
    ("former place", "前の住所"),
    ("repaired", "表計算で壊れた値を復元"),
    ("one edit off", "一字違い"),
];

fn known(english: &str) -> Option<&'static str> {
    WORDS.iter().find(|(word, _)| *word == english).map(|(_, japanese)| *japanese)
}

fn word(english: &str) -> String {
    known(english).unwrap_or(english).to_owned()
}

/// A field, by the name that the engine or the contract gives it.
pub(crate) fn field(language: Language, name: &str) -> String {
    match language {
        Language::English => name.to_owned(),
        Language::Japanese => {
            known(name).or_else(|| japanese_name(name)).unwrap_or(name).to_owned()
        }
    }
}

/// A comparison: a field, fields of an address, or a part of a name with its fields in brackets.
pub(crate) fn comparison(language: Language, name: &str) -> String {
    if language == Language::English {
        return name.to_owned();
    }
    if let Some((part, fields)) = name.strip_suffix(')').and_then(|name| name.split_once(" (")) {
        let fields: Vec<String> = fields.split('+').map(word).collect();
        return format!("{}（{}）", word(part), fields.join("・"));
    }
    match name.strip_suffix(" and postal code") {
        Some(address) => format!("{}・{}", word(address), word("postal code")),
        None => word(name),
    }
}

/// A level, of one or two halves.
pub(crate) fn level(language: Language, name: &str) -> String {
    match language {
        Language::English => name.to_owned(),
        Language::Japanese => name.split(", ").map(word).collect::<Vec<_>>().join("、"),
    }
}

/// A blocking rule: parts that must agree.
pub(crate) fn rule(language: Language, rule: &str) -> String {
    if language == Language::English {
        return rule.to_owned();
    }
    let part = |part: &str| {
        if let Some(date) = part.strip_prefix("year of ") {
            format!("{}の年", word(date))
        } else if let Some(date) = part.strip_prefix("month and day of ") {
            format!("{}の月日", word(date))
        } else {
            word(part)
        }
    };
    rule.split(" + ").map(part).collect::<Vec<_>>().join(" ＋ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_the_engine_has_japanese() {
        let source = include_str!("../../linkage/src/comparison/level.rs");
        let names: Vec<&str> =
            source.split("level(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() > 60, "the engine's table has moved");
        for name in names {
            for half in name.split(", ") {
                assert!(known(half).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn compound_names_are_translated_part_by_part() {
        let ja = Language::Japanese;
        assert_eq!(comparison(ja, "family name (name_kanji+name_kana)"), "姓（氏名・氏名カナ）");
        assert_eq!(comparison(ja, "address and postal code"), "住所・郵便番号");
        assert_eq!(level(ja, "written equal, reading near"), "表記が一致、読みが近い");
        assert_eq!(
            rule(ja, "whole name as read + year of birth_date"),
            "氏名の読み ＋ 生年月日の年"
        );
    }

    #[test]
    fn fields_that_only_the_register_has_are_told_in_japanese_too() {
        let ja = Language::Japanese;
        for (name, told) in [
            ("resident_id", "宛名番号"),
            ("household_id", "世帯番号"),
            ("date_of_event", "異動日"),
            ("protected", "支援措置"),
            ("account_number", "口座番号"),
            ("town_council", "town_council"),
        ] {
            assert_eq!(field(ja, name), told);
        }
        assert_eq!(field(Language::English, "household_id"), "household_id");
    }

    #[test]
    fn unknown_words_stay_as_they_are() {
        assert_eq!(comparison(Language::Japanese, "町内会番号"), "町内会番号");
        assert_eq!(rule(Language::English, "town + sex"), "town + sex");
    }
}
