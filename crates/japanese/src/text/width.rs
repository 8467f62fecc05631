//! Half-width kana and the voicing marks that stand behind them: ｶﾞ is two letters, ガ one.
//!
//! Invariant: a half-width letter and its full-width form lead to each other, and [`Mark::compose`] composes what
//! Unicode normalisation composes.

/// The full-width forms of ｦ to ﾝ, in their order.
const FULL: [char; 56] = [
    'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア', 'イ', 'ウ', 'エ', 'オ',
    'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ', 'テ', 'ト', 'ナ',
    'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ', 'ヤ', 'ユ',
    'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ン',
];

/// The half-width forms of the letters from U+30A0 on; NUL where there is none.
const HALF: [char; 96] = {
    let mut half = ['\0'; 96];
    let mut place = 0;
    while place < FULL.len() {
        if let Some(letter) = char::from_u32(0xff66 + place as u32) {
            half[FULL[place] as usize - 0x30a0] = letter;
        }
        place += 1;
    }
    half
};

/// The half-width form of a full-width katakana or long mark; voiced letters have none.
pub(crate) fn half_width(letter: char) -> Option<char> {
    let place = (u32::from(letter) as usize).checked_sub(0x30a0)?;
    HALF.get(place).copied().filter(|half| *half != '\0')
}

/// The full-width form of a half-width katakana or long mark, without its voicing mark.
pub(crate) fn half_width_kana(letter: char) -> Option<char> {
    match letter {
        'ｦ'..='ﾝ' => FULL.get(u32::from(letter) as usize - 0xff66).copied(),
        _ => None,
    }
}

/// A voicing mark that stands behind its kana as a letter of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// ゛ makes カ ガ.
    Voiced,
    /// ゜ makes ハ パ.
    HalfVoiced,
}

impl Mark {
    /// The half-width mark.
    pub(super) fn half_width(letter: char) -> Option<Mark> {
        match letter {
            'ﾞ' => Some(Mark::Voiced),
            'ﾟ' => Some(Mark::HalfVoiced),
            _ => None,
        }
    }

    /// A mark in any of its forms: half-width, spacing or combining.
    pub(crate) fn read(letter: char) -> Option<Mark> {
        match letter {
            'ﾞ' | '゛' | '\u{3099}' => Some(Mark::Voiced),
            'ﾟ' | '゜' | '\u{309a}' => Some(Mark::HalfVoiced),
            _ => None,
        }
    }

    /// The mark as a half-width letter.
    pub(crate) fn half(self) -> char {
        match self {
            Mark::Voiced => 'ﾞ',
            Mark::HalfVoiced => 'ﾟ',
        }
    }

    /// A spacing mark as a combining one; NFKC would put a space before it. Other letters stay.
    pub(crate) fn combining(letter: char) -> char {
        match letter {
            '゛' => '\u{3099}',
            '゜' => '\u{309a}',
            _ => letter,
        }
    }

    /// The kana with this mark, where Unicode has one letter for it.
    pub(crate) fn compose(self, base: char) -> Option<char> {
        let step = match (self, base) {
            (
                Mark::Voiced,
                'か' | 'き' | 'く' | 'け' | 'こ' | 'さ' | 'し' | 'す' | 'せ' | 'そ' | 'た' | 'ち'
                | 'つ' | 'て' | 'と' | 'は' | 'ひ' | 'ふ' | 'へ' | 'ほ' | 'ゝ' | 'カ' | 'キ' | 'ク'
                | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ' | 'チ' | 'ツ' | 'テ' | 'ト'
                | 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ' | 'ヽ',
            ) => 1,
            (Mark::Voiced, 'う' | 'ウ') => 0x4e,
            (Mark::Voiced, 'ワ' | 'ヰ' | 'ヱ' | 'ヲ') => 8,
            (
                Mark::HalfVoiced,
                'は' | 'ひ' | 'ふ' | 'へ' | 'ほ' | 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ',
            ) => 2,
            _ => return None,
        };
        char::from_u32(u32::from(base) + step)
    }
}
