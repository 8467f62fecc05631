//! Kana keys: one that decides and one that only finds candidates.
//!
//! A resident register writes ショウコ, an older system シヨウコ, a bank ｼﾖｳｺ, a form しょうこ. [`kana_exact`]
//! makes these one and keeps everything that tells two names apart. [`kana_fuzzy`] follows the search rule of the
//! resident system, under which ナガタ, ナカダ and ナカタ meet.
//! Invariant: both are idempotent, and `kana_fuzzy(kana_exact(x)) == kana_fuzzy(x)`. Words: see [`crate::name`].

use std::borrow::Cow;

use crate::name::{WILDCARD, is_accent, latin_letters};
use crate::text::{self, Mark};

/// The key that decides: large katakana without spaces, `ヂヅヲヰヱ` as `ジズオイエ`, every long mark as `ー`.
///
/// Letters that are not kana stay, Latin ones in upper case without accents; a lost letter becomes [`WILDCARD`].
pub fn kana_exact(text: &str) -> String {
    ExactKey::read(&prepared(text), |_| ()).letters
}

/// The key that finds candidates: [`kana_exact`] without voicing marks and long marks, `コウ` as `コオ`, `ワ` as `ハ`.
///
/// Ignoring the marks makes チ equal ヂ, and ヂ equals ジ, so シジチヂ are one letter here, and スズツヅ are.
pub fn kana_fuzzy(text: &str) -> String {
    loosen(&kana_exact(text), None).0
}

/// Hiragana, katakana of either width, and the long mark.
pub fn is_kana(letter: char) -> bool {
    matches!(
        letter,
        'ぁ'..='ゖ' | 'ゝ'..='ゟ' | 'ァ'..='ヺ' | 'ー'..='ヿ' | 'ｦ'..='ﾟ' | 'ㇰ'..='ㇿ'
    )
}

/// A text whose letters can be read one by one: as it is, when all have a rule of their own, and else folded.
pub(crate) fn prepared(text: &str) -> Cow<'_, str> {
    let has_rule =
        |letter: char| text::simple(letter).is_some() || matches!(letter, '･'..='ﾟ' | '゛' | '゜');
    if text.chars().all(has_rule) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text::fold_marks(text))
    }
}

/// A key under construction.
pub(crate) struct ExactKey {
    /// The key so far.
    pub(crate) letters: String,
    /// The last letter of `letters`.
    last: Option<char>,
    /// Whether a lost letter was met.
    pub(crate) lost: bool,
    /// Whether every letter so far is a large katakana, which nothing folds any further.
    plain: bool,
}

impl ExactKey {
    /// Reads a [`prepared`] text; `separator` is told the length of the key wherever a space or middle dot stood.
    pub(crate) fn read(text: &str, mut separator: impl FnMut(usize)) -> ExactKey {
        let mut key = ExactKey::with_capacity(text.len());
        text.chars().for_each(|letter| key.letter(letter, &mut separator));
        if key.plain {
            return key;
        }
        if let Some(changed) = text::unstable(&key.letters) {
            key = ExactKey { lost: key.lost, ..ExactKey::with_capacity(changed.len()) };
            changed.chars().for_each(|letter| key.letter(letter, &mut |_| ()));
        }
        key
    }

    /// The key of a text of plain kana and their marks, each of which means the same whatever stands around the text.
    pub(crate) fn read_plain(text: &str) -> Option<String> {
        let mut key = ExactKey::with_capacity(text.len());
        for letter in text.chars() {
            if plain(letter).is_none() && !matches!(letter, 'ﾞ' | 'ﾟ' | '゛' | '゜') {
                return None;
            }
            key.letter(letter, &mut |_| ());
        }
        Some(key.letters)
    }

    fn with_capacity(bytes: usize) -> ExactKey {
        ExactKey { letters: String::with_capacity(bytes), last: None, lost: false, plain: true }
    }

    fn letter(&mut self, letter: char, separator: &mut impl FnMut(usize)) {
        if let Some(large) = plain(letter) {
            return self.push(large);
        }
        if text::is_space(letter) {
            return separator(self.letters.len());
        }
        if let Some(mark) = Mark::read(letter) {
            // A mark on a letter that cannot carry it (ア゛) has no half-width spelling to agree with, so it goes.
            if let Some(voiced) = self.last.and_then(|base| mark.compose(base)) {
                self.letters.pop();
                self.push(large(voiced));
            }
            return;
        }
        let letter = text::simple(letter).unwrap_or(letter);
        if matches!(letter, ',' | '.' | '、') || text::is_space(letter) || is_middle_dot(letter) {
            return separator(self.letters.len());
        }
        self.plain = false;
        match letter {
            'ゝ' | 'ヽ' => self.push(self.repeated()),
            'ゞ' | 'ヾ' => {
                let base = unvoiced(self.repeated());
                self.push(Mark::Voiced.compose(base).map_or(base, large));
            }
            _ if text::is_dash(letter) => {
                // Banks write the long mark as a hyphen; between Latin letters it is one.
                let mark = letter == 'ー' || self.last.is_some_and(is_kana);
                self.push(if mark { 'ー' } else { '-' });
            }
            _ if text::is_lost_letter(letter) || letter == WILDCARD => {
                self.lost = true;
                self.push(WILDCARD);
            }
            _ if is_kana(letter) => self.push(large(katakana(letter))),
            // Accents belong to Latin letters, which lose them.
            _ if is_accent(letter) => {}
            _ => latin_letters(letter, |latin| self.push(latin)),
        }
    }

    /// The kana an iteration mark repeats; without one the mark stands for itself.
    fn repeated(&self) -> char {
        self.last.filter(|last| is_kana(*last) && *last != 'ー').unwrap_or('ヽ')
    }

    fn push(&mut self, letter: char) {
        self.letters.push(letter);
        self.last = Some(letter);
    }
}

/// The large katakana of a kana of any width that has one whatever stands beside it, or of the long mark.
fn plain(letter: char) -> Option<char> {
    let letter = text::half_width_kana(letter).unwrap_or(letter);
    let place = (u32::from(letter) as usize).checked_sub(FIRST_KANA)?;
    PLAIN.get(place).copied().filter(|large| *large != '\0')
}

/// Where the blocks of hiragana and katakana begin.
const FIRST_KANA: usize = 0x3040;

/// The large katakana of the letters from [`FIRST_KANA`] on; NUL where there is none.
const PLAIN: [char; 0xc0] = {
    let mut plain = ['\0'; 0xc0];
    let mut place = 0;
    while place < plain.len() {
        if let Some(letter @ ('ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー')) =
            char::from_u32((FIRST_KANA + place) as u32)
        {
            plain[place] = large(katakana(letter));
        }
        place += 1;
    }
    plain
};

/// Dots that separate the words of foreign names.
pub(crate) fn is_middle_dot(letter: char) -> bool {
    matches!(letter, '・' | '･' | '·' | '•' | '‧' | '∙' | '⋅' | '\u{387}')
}

/// The katakana of a hiragana; other letters stay.
pub(crate) const fn katakana(letter: char) -> char {
    match letter {
        'ぁ'..='ゖ' => match char::from_u32(letter as u32 + 0x60) {
            Some(katakana) => katakana,
            None => letter,
        },
        _ => letter,
    }
}

/// The large katakana for a small or old one, with ヂ and ヅ as they sound.
const fn large(letter: char) -> char {
    match letter {
        'ヂ' => 'ジ',
        'ヅ' => 'ズ',
        'ヷ' => 'ワ',
        'ヸ' => 'イ',
        'ヹ' => 'エ',
        'ヺ' => 'オ',
        _ => unsmall(letter),
    }
}

/// The large katakana a bank writes for a small or old one.
const fn unsmall(letter: char) -> char {
    const AINU: [char; 16] = [
        'ク', 'シ', 'ス', 'ト', 'ヌ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'ム', 'ラ', 'リ', 'ル', 'レ',
        'ロ',
    ];
    match letter {
        'ァ' => 'ア',
        'ィ' | 'ヰ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' | 'ヱ' => 'エ',
        'ォ' | 'ヲ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ㇰ'..='ㇿ' => AINU[letter as usize - 0x31f0],
        _ => letter,
    }
}

/// A katakana of any size as a large unmarked one and its mark, as half-width letters write it.
pub(crate) fn voiced_pair(letter: char) -> (char, Option<Mark>) {
    let base = match letter {
        'ヷ' => 'ワ',
        'ヸ' => 'イ',
        'ヹ' => 'エ',
        'ヺ' => 'オ',
        _ => unvoiced(letter),
    };
    let mark = match letter {
        _ if base == letter => None,
        'パ' | 'ピ' | 'プ' | 'ペ' | 'ポ' => Some(Mark::HalfVoiced),
        _ => Some(Mark::Voiced),
    };
    (unsmall(base), mark)
}

/// The kana without its voicing mark.
fn unvoiced(letter: char) -> char {
    match letter {
        'ガ' => 'カ',
        'ギ' => 'キ',
        'グ' => 'ク',
        'ゲ' => 'ケ',
        'ゴ' => 'コ',
        'ザ' => 'サ',
        'ジ' => 'シ',
        'ズ' => 'ス',
        'ゼ' => 'セ',
        'ゾ' => 'ソ',
        'ダ' => 'タ',
        'ヂ' => 'チ',
        'ヅ' => 'ツ',
        'デ' => 'テ',
        'ド' => 'ト',
        'バ' | 'パ' => 'ハ',
        'ビ' | 'ピ' => 'ヒ',
        'ブ' | 'プ' => 'フ',
        'ベ' | 'ペ' => 'ヘ',
        'ボ' | 'ポ' => 'ホ',
        'ヴ' => 'ウ',
        _ => letter,
    }
}

/// The fuzzy key of an exact one, and where the byte offset `split` of the exact key lies in it.
pub(crate) fn loosen(exact: &str, split: Option<usize>) -> (String, Option<usize>) {
    let mut fuzzy = String::with_capacity(exact.len());
    let mut fuzzy_split = None;
    let mut before = None;
    let mut last = None;
    let mut katakana_only = true;
    for (offset, letter) in exact.char_indices() {
        katakana_only &= matches!(letter, 'ァ'..='ヾ');
        if split == Some(offset) {
            fuzzy_split = Some(fuzzy.len());
        }
        let merged = if before == Some('ヴ') { va_row(letter) } else { None };
        if merged.is_some() {
            fuzzy.pop();
        }
        let loose = match letter {
            // An iteration mark that repeats nothing would, once the long mark before it is gone.
            'ー' | 'ヽ' | 'ヾ' => None,
            'ウ' if last.is_some_and(is_o_row) => Some('オ'),
            _ => Some(merged.unwrap_or_else(|| loose(letter))),
        };
        if let Some(loose) = loose {
            fuzzy.push(loose);
            last = Some(loose);
        }
        before = Some(letter);
    }
    if !katakana_only && let Some(changed) = text::unstable(&fuzzy) {
        return (changed, None);
    }
    let inside = fuzzy_split.filter(|offset| *offset > 0 && *offset < fuzzy.len());
    (fuzzy, inside)
}

/// ヴァ is written バ as well; the vowel goes into the one letter.
fn va_row(vowel: char) -> Option<char> {
    match vowel {
        'ア' => Some('ハ'),
        'イ' => Some('ヒ'),
        'エ' => Some('ヘ'),
        'オ' => Some('ホ'),
        _ => None,
    }
}

fn loose(letter: char) -> char {
    match unvoiced(letter) {
        _ if letter == 'ヴ' => 'フ',
        'チ' => 'シ',
        'ツ' => 'ス',
        'ワ' => 'ハ',
        other => other,
    }
}

/// Letters of the fuzzy key that end in the vowel o.
fn is_o_row(letter: char) -> bool {
    matches!(letter, 'オ' | 'コ' | 'ソ' | 'ト' | 'ノ' | 'ホ' | 'モ' | 'ヨ' | 'ロ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_in_every_notation_has_one_exact_key() {
        for (notations, key) in [
            (
                &["ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ　タロウ", "やまだ たろう", "ヤマタ゛タロウ", "ﾔﾏﾀﾞﾀﾛｳ"][..],
                "ヤマダタロウ",
            ),
            (&["ショウコ", "シヨウコ", "ｼｮｳｺ", "ｼﾖｳｺ", "しょうこ"], "シヨウコ"),
            (&["ワヅカ", "ワズカ", "ﾜﾂﾞｶ", "わづか"], "ワズカ"),
            (&["ヂュン", "ジュン", "ｼﾞﾕﾝ"], "ジユン"),
            (&["カヲリ", "カオリ", "ｶｦﾘ", "ｶｵﾘ"], "カオリ"),
            (&["ヰサ", "イサ", "ゐさ"], "イサ"),
            (
                &["メアリー　グレース", "ﾒｱﾘ- ｸﾞﾚ-ｽ", "メアリ－・グレ−ス", "ﾒｱﾘｰ･ｸﾞﾚｰｽ"],
                "メアリーグレース",
            ),
            (&["フェレイラ", "ﾌｴﾚｲﾗ"], "フエレイラ"),
            (&["オリヴェイラ", "ｵﾘｳﾞｴｲﾗ", "おりゔぇいら"], "オリヴエイラ"),
            (&["みすゞ", "ミスズ", "ﾐｽｽﾞ"], "ミスズ"),
            (&["ヶ", "ケ", "ゖ"], "ケ"),
            (&["マリアJosé", "マリアＪＯＳＥ"], "マリアJOSE"),
        ] {
            for notation in notations {
                assert_eq!(kana_exact(notation), key, "{notation}");
            }
        }
    }

    #[test]
    fn fuzzy_key_follows_the_search_rule_of_the_resident_system() {
        for (one, other) in [
            ("ヂ", "ジ"),
            ("ズ", "ヅ"),
            ("ワ", "ハ"),
            ("ヴァ", "バ"),
            ("ヴィ", "ビ"),
            ("ヴ", "ブ"),
            ("オ", "ヲ"),
            ("ヒ", "ピ"),
            ("リッカ", "リツカ"),
            ("ナガタ", "ナカダ"),
            ("ナガイ", "ナカイ"),
            ("コウノ", "コオノ"),
            ("リョウ", "リヨオ"),
            ("サトー", "サト"),
            ("カヅカ", "カツカ"),
            ("ワタナベ ミウ", "ワタナヘミウ"),
        ] {
            assert_eq!(kana_fuzzy(one), kana_fuzzy(other), "{one} {other}");
        }
        for (one, other) in
            [("ウエダ", "オエダ"), ("オノ", "オオノ"), ("カイ", "カエ"), ("ユウ", "ユオ")]
        {
            assert_ne!(kana_fuzzy(one), kana_fuzzy(other), "{one} {other}");
        }
    }

    #[test]
    fn hyphen_is_a_long_mark_only_behind_kana() {
        assert_eq!(kana_exact("ﾙ-ｶｽ A-1"), "ルーカスA-1");
        assert_eq!(kana_exact("-ア"), "-ア");
    }

    #[test]
    fn kana_are_told_from_other_letters() {
        assert!("あァｱﾞーゝヽヴゔㇷ".chars().all(is_kana));
        assert!(!"亜A1・　-一".chars().any(is_kana));
    }

    proptest! {
        #[test]
        fn keys_are_idempotent(
            text in prop_oneof![any::<String>(), "[ぁ-ゟァ-ヿｦ-ﾟㇰ-ㇿ゛゜\u{3099}\u{309a} 　・･A-zÀ-ÿ\u{301}.,?亜一ー-]{0,12}"]
        ) {
            let exact = kana_exact(&text);
            let fuzzy = kana_fuzzy(&text);
            prop_assert_eq!(&kana_exact(&exact), &exact);
            prop_assert_eq!(&kana_fuzzy(&fuzzy), &fuzzy);
            prop_assert_eq!(&kana_fuzzy(&exact), &fuzzy);
        }

        #[test]
        fn folding_first_changes_nothing(text in "[ぁ-ゖァ-ヺｦ-ﾟ 　ーＡ-Ｚ]{0,12}") {
            prop_assert_eq!(kana_exact(&text::fold(&text)), kana_exact(&text));
        }
    }
}
