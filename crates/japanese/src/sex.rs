//! Sex as it is written in registers and lists.
//!
//! Codes and words of both scripts become one of two values. Invariant: whatever is not one of the known spellings is
//! [`SexReading::Unreadable`], never a guess; "not stated" spellings are [`SexReading::Missing`].

/// One of the two values a resident register knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sex {
    /// 男, code 1.
    Male,
    /// 女, code 2.
    Female,
}

/// What a cell for the sex says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SexReading {
    /// Empty, or one of the spellings for "not stated": 0, 9, 不明, 空白.
    Missing,
    /// Something is written, and it is not a known spelling.
    Unreadable,
    /// A known spelling.
    Read(Sex),
}

/// Longest known spelling in letters, with a code in front; longer text is unreadable.
const LETTERS_MAX: usize = 12;

/// Reads one cell: digits, kanji, kana or Latin, any width, also `1:男` and `女(2)`.
///
/// A code and a word that contradict each other are unreadable.
pub fn read(text: &str) -> SexReading {
    match text.as_bytes() {
        b"1" => return SexReading::Read(Sex::Male),
        b"2" => return SexReading::Read(Sex::Female),
        b"" => return SexReading::Missing,
        _ => {}
    }
    let mut letters = ['\0'; LETTERS_MAX];
    let mut count = 0;
    for c in crate::text::fold(text).chars() {
        if c.is_whitespace() {
            continue;
        }
        if count == LETTERS_MAX {
            return SexReading::Unreadable;
        }
        // Katakana words are compared as hiragana, Latin ones in small letters.
        letters[count] = match c {
            'ァ'..='ヶ' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            _ => c.to_ascii_lowercase(),
        };
        count += 1;
    }
    read_parts(&letters[..count])
}

/// Reads parts such as code and word; all that say something must say the same.
fn read_parts(letters: &[char]) -> SexReading {
    let separator = |c: &char| matches!(c, ':' | '.' | ',' | '-' | '(' | ')' | '・' | '、' | '=');
    let mut found = SexReading::Missing;
    for part in letters.split(separator) {
        let (code, word) = match part.first() {
            Some(c) if c.is_ascii_digit() && part.len() > 1 => part.split_at(1),
            _ => (part, &part[..0]),
        };
        for piece in [code, word] {
            match (found, read_word(piece)) {
                (_, SexReading::Unreadable) => return SexReading::Unreadable,
                (_, SexReading::Missing) => {}
                (SexReading::Read(a), SexReading::Read(b)) if a != b => {
                    return SexReading::Unreadable;
                }
                (_, SexReading::Read(sex)) => found = SexReading::Read(sex),
            }
        }
    }
    found
}

fn read_word(letters: &[char]) -> SexReading {
    const MALE: &[&str] =
        &["1", "01", "男", "男性", "男子", "m", "male", "man", "おとこ", "だんせい"];
    const FEMALE: &[&str] =
        &["2", "02", "女", "女性", "女子", "f", "female", "woman", "おんな", "じょせい"];
    const MISSING: &[&str] = &[
        "",
        "0",
        "00",
        "9",
        "99",
        "不明",
        "不詳",
        "未記入",
        "未回答",
        "未入力",
        "無回答",
        "空白",
        "なし",
        "無",
        "*",
        "?",
        "ー",
        "―",
        "null",
        "none",
        "nan",
        "n/a",
        "#n/a",
        "unknown",
        "回答しない",
    ];
    let is = |word: &&str| word.chars().eq(letters.iter().copied());
    if MALE.iter().any(is) {
        SexReading::Read(Sex::Male)
    } else if FEMALE.iter().any(is) {
        SexReading::Read(Sex::Female)
    } else if MISSING.iter().any(is) {
        SexReading::Missing
    } else {
        SexReading::Unreadable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_spellings_are_read() {
        for text in [
            "1",
            "１",
            "男",
            "男性",
            "M",
            "m",
            "Ｍ",
            "male",
            "MALE",
            "おとこ",
            "オトコ",
            "ｵﾄｺ",
            "1:男",
            "１：男",
            "1 男",
            "男(1)",
            "01",
            "1男",
        ] {
            assert_eq!(read(text), SexReading::Read(Sex::Male), "{text}");
        }
        for text in [
            "2",
            "２",
            "女",
            "女性",
            "F",
            "ｆ",
            "Female",
            "おんな",
            "オンナ",
            "2.女",
            "女　",
            "2-女性",
        ] {
            assert_eq!(read(text), SexReading::Read(Sex::Female), "{text}");
        }
    }

    #[test]
    fn not_stated_is_missing_and_the_rest_unreadable() {
        for text in ["", " ", "　", "0", "9", "９", "不明", "空白", "-", "―", "9:不明", "0 不明"]
        {
            assert_eq!(read(text), SexReading::Missing, "{text}");
        }
        for text in ["3", "1:女", "男女", "男か女", "x", "あ", "12", "男男男男男男男男男男男男男男"]
        {
            assert_eq!(read(text), SexReading::Unreadable, "{text}");
        }
    }
}
