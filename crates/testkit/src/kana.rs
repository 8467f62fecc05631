//! Kana spellings: half-width, hiragana, large letters, voiced pairs, long vowels.
//!
//! The register writes full-width katakana; every other spelling of a list or a bank account is made here.

use std::sync::LazyLock;

/// Katakana and their half-width form, voiced letters in two cells.
const HALF_WIDTH: &str = "アｱ イｲ ウｳ エｴ オｵ カｶ キｷ クｸ ケｹ コｺ サｻ シｼ スｽ セｾ ソｿ タﾀ チﾁ ツﾂ テﾃ トﾄ ナﾅ ニﾆ ヌﾇ ネﾈ ノﾉ ハﾊ ヒﾋ フﾌ ヘﾍ ホﾎ マﾏ ミﾐ ムﾑ メﾒ モﾓ ヤﾔ ユﾕ ヨﾖ ラﾗ リﾘ ルﾙ レﾚ ロﾛ ワﾜ ヲｦ ンﾝ ァｧ ィｨ ゥｩ ェｪ ォｫ ャｬ ュｭ ョｮ ッｯ ーｰ ガｶﾞ ギｷﾞ グｸﾞ ゲｹﾞ ゴｺﾞ ザｻﾞ ジｼﾞ ズｽﾞ ゼｾﾞ ゾｿﾞ ダﾀﾞ ヂﾁﾞ ヅﾂﾞ デﾃﾞ ドﾄﾞ バﾊﾞ ビﾋﾞ ブﾌﾞ ベﾍﾞ ボﾎﾞ パﾊﾟ ピﾋﾟ プﾌﾟ ペﾍﾟ ポﾎﾟ ヴｳﾞ";

/// Unvoiced letters, then their voiced forms in the same order.
const UNVOICED: &str = "カキクケコサシスセソタチツテトハヒフヘホ";
const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボ";

/// Small letters, then their large forms in the same order.
const SMALL: &str = "ァィゥェォャュョッヮ";
const LARGE: &str = "アイウエオヤユヨツワ";

/// Letters of the O row and of the U row: the ones a following ウ (or オ) lengthens.
const O_ROW: &str = "オコソトノホモヨロゴゾドボポョヲ";
const U_ROW: &str = "ウクスツヌフムユルグズブュ";

/// Plain letters a typing error can put in place of another.
pub(crate) const PLAIN: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// Half-width katakana; letters without such a form stay.
pub(crate) fn half_width(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '　' => out.push(' '),
            _ => match half_width_of(letter) {
                Some(half) => out.push_str(half),
                None => out.push(letter),
            },
        }
        out
    })
}

/// Half-width forms by place in the katakana block, empty where there is none.
static HALF_WIDTH_BY_PLACE: LazyLock<[&str; 96]> = LazyLock::new(|| {
    let mut table = [""; 96];
    for entry in HALF_WIDTH.split(' ') {
        let mut letters = entry.chars();
        if let Some(slot) = letters.next().and_then(place_in_block).and_then(|at| table.get_mut(at))
        {
            *slot = letters.as_str();
        }
    }
    table
});

fn half_width_of(letter: char) -> Option<&'static str> {
    let half = HALF_WIDTH_BY_PLACE.get(place_in_block(letter)?)?;
    (!half.is_empty()).then_some(half)
}

fn place_in_block(letter: char) -> Option<usize> {
    u32::from(letter).checked_sub(0x30a0).map(|at| at as usize)
}

/// Hiragana; ヴ and the long mark stay as they are.
pub(crate) fn hiragana(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            'ァ'..='ン' => char::from_u32(u32::from(letter) - 0x60).unwrap_or(letter),
            _ => letter,
        })
        .collect()
}

/// Small kana written large, as older systems and banks do.
pub(crate) fn large(text: &str) -> String {
    text.chars().map(|letter| counterpart(letter, SMALL, LARGE).unwrap_or(letter)).collect()
}

/// Whether any kana is small.
pub(crate) fn has_small(text: &str) -> bool {
    text.chars().any(|letter| SMALL.contains(letter))
}

/// The letter with its voiced mark added or taken away, where it can have one.
pub(crate) fn voiced_counterpart(letter: char) -> Option<char> {
    counterpart(letter, UNVOICED, VOICED).or_else(|| counterpart(letter, VOICED, UNVOICED))
}

/// Whether `next` lengthens the vowel of `letter`: オ row + ウ or オ, U row + ウ, anything + ー.
pub(crate) fn is_long_vowel(letter: char, next: char) -> bool {
    match next {
        'ウ' => O_ROW.contains(letter) || U_ROW.contains(letter),
        'オ' => O_ROW.contains(letter),
        'ー' => true,
        _ => false,
    }
}

/// A bank account's spelling: half-width, large letters, `-` for the long mark, 30 cells.
pub(crate) fn bank(text: &str) -> String {
    half_width(&large(text)).replace('ｰ', "-").chars().take(30).collect()
}

fn counterpart(letter: char, from: &str, to: &str) -> Option<char> {
    from.chars().zip(to.chars()).find(|(one, _)| *one == letter).map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name() {
        assert_eq!(half_width("ヴァン　ジョージ"), "ｳﾞｧﾝ ｼﾞｮｰｼﾞ");
        assert_eq!(hiragana("キョウコ"), "きょうこ");
        assert_eq!(bank("ジョー　ケン"), "ｼﾞﾖ- ｹﾝ");
        assert_eq!(voiced_counterpart('ガ'), Some('カ'));
        assert_eq!(voiced_counterpart('マ'), None);
    }

    #[test]
    fn long_vowels_are_recognised() {
        assert!(
            is_long_vowel('ト', 'ウ') && is_long_vowel('オ', 'オ') && is_long_vowel('ュ', 'ウ')
        );
        assert!(!is_long_vowel('カ', 'ウ'));
    }
}
