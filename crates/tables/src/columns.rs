//! The built-in columns: how residents and payment lists are headed, in English and in Japanese.
//!
//! A header cell is compared after NFKC, without spaces and in lower case ([`fold`]), so that `ﾌﾘｶﾞﾅ`, `フリガナ` and
//! ` フリガナ ` are one name. Each column has a canonical English name; the names behind it are tried in order, so that a
//! file with both 氏名 and 名前 is read by 氏名.

use unicode_normalization::UnicodeNormalization as _;

/// A header name in the form in which names are compared.
pub fn fold(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace() && *c != '_').collect()
}

/// A built-in column and every name under which files carry it.
pub(crate) struct KnownColumn {
    /// The name of the contract, in English.
    pub(crate) name: &'static str,
    /// The names in files, the contract's Japanese name first.
    pub(crate) names: &'static [&'static str],
}

/// The names of a built-in column, the canonical one first; nothing for a name that is not built in.
pub(crate) fn names_of(column: &str) -> Option<impl Iterator<Item = &'static str>> {
    KNOWN
        .iter()
        .find(|known| known.name == column)
        .map(|known| std::iter::once(known.name).chain(known.names.iter().copied()))
}

/// The contract's Japanese name of a built-in column; nothing for a name that is not built in.
pub fn japanese_name(column: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.name == column)?.names.first().copied()
}

/// Where a built-in column stands in a header: under its first name that is there, the canonical one before the others.
/// Nothing where it is absent or its name stands twice.
pub fn built_in_column(header: &[String], column: &str) -> Option<usize> {
    let folded: Vec<String> = header.iter().map(|name| fold(name)).collect();
    names_of(column)?.find_map(|name| {
        let name = fold(name);
        let mut found = (0..folded.len()).filter(|&at| folded[at] == name);
        match (found.next(), found.next()) {
            (Some(at), None) => Some(at),
            _ => None,
        }
    })
}

const KNOWN: &[KnownColumn] = &[
    KnownColumn {
        name: "resident_id",
        names: &["宛名番号", "住民番号", "宛名コード", "住民コード", "個人宛名番号", "person_id"],
    },
    KnownColumn {
        name: "benefit_id",
        names: &[
            "申請番号",
            "申請書番号",
            "申請受付番号",
            "整理番号",
            "照会番号",
            "受付番号",
            "管理番号",
            "支給番号",
            "支給対象者番号",
            "対象者番号",
            "通知番号",
            "お問い合わせ番号",
            "問合せ番号",
            "application_id",
            "list_id",
            "line_id",
            "通番",
            "連番",
        ],
    },
    KnownColumn { name: "household_id", names: &["世帯番号", "世帯コード", "世帯ID"] },
    KnownColumn {
        name: "name_kanji",
        names: &[
            "氏名",
            "氏名漢字",
            "漢字氏名",
            "氏名(漢字)",
            "氏名_優先",
            "対象者氏名",
            "申請者氏名",
            "申請・受給者氏名",
            "支給対象者氏名",
            "受給者氏名",
            "本人氏名",
            "お名前",
            "名前",
            "full_name",
            "name",
        ],
    },
    KnownColumn {
        name: "name_kana",
        names: &[
            "氏名カナ",
            "カナ氏名",
            "氏名フリガナ",
            "フリガナ",
            "ふりがな",
            "氏名(カナ)",
            "氏名(フリガナ)",
            "氏名(ふりがな)",
            "氏名かな",
            "氏名ふりがな",
            "氏名_フリガナ_優先",
            "対象者氏名カナ",
            "対象者カナ氏名",
            "申請者氏名カナ",
            "申請者フリガナ",
            "シメイ",
            "カナ",
            "よみがな",
            "kana",
        ],
    },
    KnownColumn {
        name: "birth_date",
        names: &[
            "生年月日",
            "生年月日(西暦)",
            "生年月日(和暦)",
            "対象者生年月日",
            "申請者生年月日",
            "誕生日",
            "date_of_birth",
            "birthdate",
            "birthday",
            "dob",
        ],
    },
    KnownColumn {
        name: "sex", names: &["性別", "性別コード", "性別表記", "男女", "gender"]
    },
    KnownColumn {
        name: "postal_code",
        names: &["郵便番号", "住所_郵便番号", "〒", "郵便", "zip_code", "zip", "postcode"],
    },
    KnownColumn {
        name: "address",
        names: &[
            "住所",
            "現住所",
            "住民票住所",
            "住民登録地",
            "対象者住所",
            "申請者住所",
            "居住地",
            "住所1",
            "住所(漢字)",
        ],
    },
    KnownColumn {
        name: "building",
        names: &[
            "方書",
            "住所_方書",
            "方書き",
            "建物名",
            "建物名等",
            "建物",
            "マンション名",
            "住所2",
        ],
    },
    KnownColumn { name: "former_name", names: &["旧氏", "旧姓", "旧氏名", "maiden_name"] },
    KnownColumn { name: "alias", names: &["通称名", "通称", "氏名_通称"] },
    KnownColumn { name: "previous_address", names: &["転入前住所", "前住所", "旧住所"] },
    KnownColumn { name: "date_of_event", names: &["異動日", "異動年月日"] },
    KnownColumn { name: "date_processed", names: &["処理日", "処理年月日"] },
    KnownColumn {
        name: "protected", names: &["支援措置", "支援措置フラグ", "支援措置対象"]
    },
    KnownColumn {
        name: "amount",
        names: &[
            "支給額",
            "支給予定額",
            "支給金額",
            "支給決定額",
            "給付額",
            "給付金額",
            "交付額",
            "支払額",
            "支払金額",
            "振込額",
            "振込金額",
            "金額",
            "支給額(円)",
            "金額(円)",
            "yen",
        ],
    },
    KnownColumn {
        name: "account_holder_kana",
        names: &[
            "口座名義カナ",
            "口座名義人カナ",
            "口座名義(カナ)",
            "口座名義人(カナ)",
            "口座名義フリガナ",
            "口座名義人フリガナ",
            "名義人カナ",
            "名義カナ",
            "口座名義人",
            "口座名義",
            "預金者名",
            "受取人名",
            "account_holder",
        ],
    },
    KnownColumn {
        name: "bank_code",
        names: &["銀行コード", "金融機関コード", "銀行番号", "金融機関番号"],
    },
    KnownColumn {
        name: "branch_code",
        names: &["支店コード", "店番", "店番号", "支店番号", "本支店コード"],
    },
    KnownColumn {
        name: "account_type", names: &["預金種目", "口座種別", "預金種別", "口座種目"]
    },
    KnownColumn { name: "account_number", names: &["口座番号", "記号番号"] },
];

/// Whether a header name is one of any built-in column: the sign by which a header row is told from a title row.
pub(crate) fn is_known(name: &str) -> bool {
    let folded = fold(name);
    KNOWN.iter().any(|known| {
        fold(known.name) == folded || known.names.iter().any(|name| fold(name) == folded)
    })
}

/// The canonical name of a built-in column that a header names, if it names one.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    let folded = fold(name);
    KNOWN
        .iter()
        .find(|known| {
            fold(known.name) == folded || known.names.iter().any(|name| fold(name) == folded)
        })
        .map(|known| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_built_in_columns_share_a_name() {
        let mut names: Vec<(String, &str)> = KNOWN
            .iter()
            .flat_map(|known| {
                std::iter::once(known.name)
                    .chain(known.names.iter().copied())
                    .map(move |name| (fold(name), known.name))
            })
            .collect();
        names.sort();
        names.dedup();
        for pair in names.windows(2) {
            assert_ne!(pair[0].0, pair[1].0, "{} and {}", pair[0].1, pair[1].1);
        }
    }

    #[test]
    fn width_space_and_case_do_not_matter_in_a_header() {
        for name in ["氏名_フリガナ", "ﾌﾘｶﾞﾅ", " フリガナ　", "氏名（カナ）", "Name_Kana"]
        {
            assert_eq!(canonical(name), Some("name_kana"), "{name}");
        }
        assert!(!is_known("住民票コード"));
    }
}
