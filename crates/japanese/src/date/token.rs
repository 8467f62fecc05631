//! The words of a date: numbers, era names, units, and what people write around them.
//!
//! Invariant: every letter of the text ends up in a token or makes the whole text unreadable; only words that carry no
//! date (生, 西暦, 曜日) are passed over.

use super::calendar::Era;
use crate::number;

/// More tokens than any date with a time and a zone has.
const TOKENS_MAX: usize = 32;

/// One word of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A number and how many digits it was written with.
    Number(u64, u8),
    /// 元, the first year of an era.
    First,
    /// 不詳, `**`, ○: a part nobody knows.
    Unknown,
    /// An era; whether it was written in Latin letters.
    Era(Era, bool),
    /// 年, 月 or 日, as 0, 1 or 2.
    Unit(u8),
    /// A mark between parts.
    Separator,
    /// A space.
    Blank,
    /// Part of a time of day: a colon, T, 時, 午前.
    Time,
    /// An English month name, 1 to 12.
    Month(u8),
    /// 頃, 推定: what stands here is an estimate.
    About,
    /// 上旬, 末: some day of the month.
    PartOfMonth,
    /// 春: some month of the year.
    Season,
    /// から, 〜: the end of a range follows.
    Range,
}

/// The tokens of one text, without an allocation.
pub(crate) struct Tokens {
    items: [Token; TOKENS_MAX],
    count: usize,
}

impl Tokens {
    /// The tokens in order.
    pub(crate) fn as_slice(&self) -> &[Token] {
        &self.items[..self.count]
    }

    /// Splits folded text; `None` when a part of it is no word of a date.
    pub(crate) fn split(text: &str) -> Option<Self> {
        let mut tokens = Self { items: [Token::Blank; TOKENS_MAX], count: 0 };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (token, length) = tokens.next(rest, first)?;
            if let Some(token) = token {
                *tokens.items.get_mut(tokens.count)? = token;
                tokens.count += 1;
            }
            // Every length below counts whole letters of `rest`.
            rest = rest.get(length..)?;
        }
        Some(tokens)
    }

    /// The next token, if the word carries one, and its length in bytes.
    fn next(&self, rest: &str, first: char) -> Option<(Option<Token>, usize)> {
        let one = first.len_utf8();
        Some(match first {
            '0'..='9' => {
                let length = run(rest, |c| c.is_ascii_digit());
                let value = if length <= 14 { rest[..length].parse().ok()? } else { return None };
                // At most 14, which fits.
                (Some(Token::Number(value, length as u8)), length)
            }
            'a'..='z' | 'A'..='Z' => {
                let length = run(rest, |c| c.is_ascii_alphabetic());
                (self.latin(&rest[..length])?, length)
            }
            ' ' | '\t' | '\r' | '\n' => (Some(Token::Blank), run(rest, char::is_whitespace)),
            '/' | '.' | ',' | '、' | '・' | '．' => (Some(Token::Separator), one),
            ':' | '+' => (Some(Token::Time), one),
            '*' | '?' | '×' | '●' | '◯' | '△' | '□' | '_' | '〓' => {
                (Some(Token::Unknown), run(rest, |c| c == first))
            }
            '~' | '〜' | '∼' => (Some(Token::Range), one),
            'ー' | '一' if self.between_numbers(rest, one) => (Some(Token::Separator), one),
            _ if is_kanji_digit(first) => {
                let length = run(rest, is_kanji_digit);
                if rest[..length].chars().all(|c| matches!(c, '○' | '〇')) {
                    (Some(Token::Unknown), length)
                } else {
                    let value = u64::from(number::parse(&rest[..length])?);
                    // A u32 has at most ten digits, which fits.
                    let digits = (value.max(1).ilog10() + 1) as u8;
                    (Some(Token::Number(value, digits)), length)
                }
            }
            _ if crate::text::is_dash(first) => (Some(Token::Separator), one),
            _ if first.is_whitespace() => (Some(Token::Blank), one),
            _ => {
                let (word, token) = WORDS.iter().find(|(word, _)| rest.starts_with(word))?;
                (*token, word.len())
            }
        })
    }

    /// Whether a mark that is also a letter stands between two numbers, where it can only be a dash.
    fn between_numbers(&self, rest: &str, one: usize) -> bool {
        let before = self.as_slice().last();
        let digit_behind = rest[one..].starts_with(|c: char| c.is_ascii_digit());
        digit_behind && matches!(before, Some(Token::Number(..) | Token::First))
    }

    /// Reads a word in Latin letters.
    fn latin(&self, word: &str) -> Option<Option<Token>> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        const WEEKDAYS: [&str; 7] =
            ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        const ERAS: [(&str, Era); 10] = [
            ("m", Era::Meiji),
            ("t", Era::Taisho),
            ("s", Era::Showa),
            ("h", Era::Heisei),
            ("r", Era::Reiwa),
            ("meiji", Era::Meiji),
            ("taisho", Era::Taisho),
            ("showa", Era::Showa),
            ("heisei", Era::Heisei),
            ("reiwa", Era::Reiwa),
        ];
        let number_seen = self.as_slice().iter().any(|token| matches!(token, Token::Number(..)));
        if !number_seen
            && let Some((_, era)) = ERAS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))
        {
            return Some(Some(Token::Era(*era, true)));
        }
        let same = |other: &str| other.eq_ignore_ascii_case(word);
        let shortened = |name: &&str| {
            word.len() >= 3
                && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        if let Some(month) = MONTHS.iter().position(&shortened) {
            // A position among twelve, which fits.
            return Some(Some(Token::Month(month as u8 + 1)));
        }
        if same("sept") {
            return Some(Some(Token::Month(9)));
        }
        if ["t", "z", "am", "pm", "jst", "utc"].into_iter().any(same) {
            return Some(Some(Token::Time));
        }
        if word.bytes().all(|b| b.eq_ignore_ascii_case(&b'x')) {
            return Some(Some(Token::Unknown));
        }
        let silent = ["st", "nd", "rd", "th", "ad", "ce", "of"].into_iter().any(same);
        (silent || WEEKDAYS.iter().any(shortened)).then_some(None)
    }
}

/// Kanji and kana words with their tokens; `None` where the word carries no date. Longer words come first.
const WORDS: &[(&str, Option<Token>)] = &[
    ("年", Some(Token::Unit(0))),
    ("月", Some(Token::Unit(1))),
    ("日", Some(Token::Unit(2))),
    ("昭和", Some(Token::Era(Era::Showa, false))),
    ("平成", Some(Token::Era(Era::Heisei, false))),
    ("令和", Some(Token::Era(Era::Reiwa, false))),
    ("大正", Some(Token::Era(Era::Taisho, false))),
    ("明治", Some(Token::Era(Era::Meiji, false))),
    ("昭", Some(Token::Era(Era::Showa, false))),
    ("平", Some(Token::Era(Era::Heisei, false))),
    ("令", Some(Token::Era(Era::Reiwa, false))),
    ("大", Some(Token::Era(Era::Taisho, false))),
    ("明", Some(Token::Era(Era::Meiji, false))),
    ("元", Some(Token::First)),
    ("不詳", Some(Token::Unknown)),
    ("不明", Some(Token::Unknown)),
    ("未詳", Some(Token::Unknown)),
    ("不祥", Some(Token::Unknown)),
    ("頃", Some(Token::About)),
    ("ころ", Some(Token::About)),
    ("ごろ", Some(Token::About)),
    ("推定", Some(Token::About)),
    ("およそ", Some(Token::About)),
    ("約", Some(Token::About)),
    ("くらい", Some(Token::About)),
    ("ぐらい", Some(Token::About)),
    ("以前", Some(Token::About)),
    ("以後", Some(Token::About)),
    ("以降", Some(Token::About)),
    ("上旬", Some(Token::PartOfMonth)),
    ("中旬", Some(Token::PartOfMonth)),
    ("下旬", Some(Token::PartOfMonth)),
    ("初旬", Some(Token::PartOfMonth)),
    ("初め", Some(Token::PartOfMonth)),
    ("末", Some(Token::PartOfMonth)),
    ("春", Some(Token::Season)),
    ("夏", Some(Token::Season)),
    ("秋", Some(Token::Season)),
    ("冬", Some(Token::Season)),
    ("から", Some(Token::Range)),
    ("または", Some(Token::Range)),
    ("又は", Some(Token::Range)),
    ("ないし", Some(Token::Range)),
    ("乃至", Some(Token::Range)),
    ("まで", None),
    ("の間", None),
    ("時", Some(Token::Time)),
    ("分", Some(Token::Time)),
    ("秒", Some(Token::Time)),
    ("午前", Some(Token::Time)),
    ("午後", Some(Token::Time)),
    ("西暦", None),
    ("生まれ", None),
    ("生", None),
    ("誕", None),
    ("火曜日", None),
    ("水曜日", None),
    ("木曜日", None),
    ("金曜日", None),
    ("土曜日", None),
    ("\u{feff}", None),
    ("'", None),
];

/// Kanji digits a date is written with; formal ones too.
fn is_kanji_digit(c: char) -> bool {
    matches!(
        c,
        '〇' | '○'
            | '一'
            | '二'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '十'
            | '百'
            | '千'
            | '壱'
            | '弐'
            | '参'
            | '拾'
            | '廿'
            | '卅'
            | '零'
    )
}

/// Length in bytes of the letters at the start that fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}
