//! The 47 prefectures.

use super::letters;
use crate::kanji;

/// In the order of their codes.
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// The prefecture at the start, if there is one, and the letters behind it.
pub(crate) fn strip(letters: &[char]) -> (Option<&'static str>, &[char]) {
    let letters = letters::trim(letters);
    // Every name ends at its third or fourth letter, which is cheap to ask first.
    let ends = |c: Option<&char>| matches!(c, Some('県' | '縣' | '都' | '府' | '道'));
    if !(ends(letters.get(2)) || ends(letters.get(3))) {
        return (None, letters);
    }
    for name in PREFECTURES {
        let mut rest = letters.iter();
        let same = |c: char| {
            rest.next()
                .is_some_and(|&own| own == c || kanji::fold_variant(own) == kanji::fold_variant(c))
        };
        if name.chars().all(same) {
            return (Some(name), letters::trim(rest.as_slice()));
        }
    }
    (None, letters)
}
