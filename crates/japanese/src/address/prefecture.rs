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
    let as_written = |own: char, c: char| own == c;
    let folded = |own: char, c: char| kanji::fold_variant(own) == kanji::fold_variant(c);
    let found = behind(letters, as_written).or_else(|| behind(letters, folded));
    found.map_or((None, letters), |(name, rest)| (Some(name), letters::trim(rest)))
}

/// The prefecture whose letters are the same as the first ones, and the letters behind it.
fn behind(letters: &[char], same: fn(char, char) -> bool) -> Option<(&'static str, &[char])> {
    PREFECTURES.into_iter().find_map(|name| {
        let mut rest = letters.iter();
        let fits = name.chars().all(|c| rest.next().is_some_and(|&own| same(own, c)));
        fits.then_some((name, rest.as_slice()))
    })
}
