//! Classes of letters, and numbers in a run of them.
//!
//! Everything is read from one `Vec<char>`, in which width is already folded; positions are indices of letters.

use crate::{number, text};

/// The letters of a text with their width folded; kanji variants wait until the parts are known.
pub(crate) fn of(text: &str) -> Vec<char> {
    text::fold_letters(text)
}

/// The letter at a position.
#[inline]
pub(crate) fn at(letters: &[char], index: usize) -> Option<char> {
    letters.get(index).copied()
}

/// Whether the letters from a position on begin with a word.
#[inline]
pub(crate) fn starts(letters: &[char], index: usize, word: &str) -> bool {
    let mut rest = letters.get(index..).unwrap_or_default().iter();
    word.chars().all(|c| rest.next() == Some(&c))
}

pub(crate) fn trim(letters: &[char]) -> &[char] {
    trim_where(letters, char::is_whitespace)
}

/// The letters without those at both ends that fit.
#[inline]
pub(crate) fn trim_where(mut letters: &[char], fits: impl Fn(char) -> bool) -> &[char] {
    while let [first, rest @ ..] = letters
        && fits(*first)
    {
        letters = rest;
    }
    while let [rest @ .., last] = letters
        && fits(*last)
    {
        letters = rest;
    }
    letters
}

/// Kanji an address number is written with; 万 is not among them because it begins town names (南万丁目).
pub(crate) fn is_kanji_numeral(c: char) -> bool {
    matches!(
        c,
        '〇' | '一'
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
    )
}

pub(crate) fn is_numeral(c: char) -> bool {
    c.is_ascii_digit() || is_kanji_numeral(c)
}

pub(crate) fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー')
}

pub(crate) fn is_kanji(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '々' | '〇')
}

/// A dash of any kind, also the long mark and waves; only for places between numbers.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(c, '-' | 'ー' | '~' | '〜') || text::is_dash(c)
}

/// A dash that cannot be a letter.
pub(crate) fn is_plain_dash(c: char) -> bool {
    is_dash(c) && c != 'ー'
}

/// の between numbers.
pub(crate) fn is_no(c: char) -> bool {
    matches!(c, 'の' | 'ノ' | '之' | '乃')
}

/// Letters that stand between parts and carry nothing.
pub(crate) fn is_filler(c: char) -> bool {
    c.is_whitespace() || is_plain_dash(c) || matches!(c, ',' | '.' | '、' | '。' | '・' | '#')
}

/// A letter that tells blocks apart when it stands alone: イロハ and 甲乙丙. ノ and ツ are left to names.
pub(crate) fn is_block_letter(c: char) -> bool {
    matches!(
        c,
        'イ' | 'ロ'
            | 'ハ'
            | 'ニ'
            | 'ホ'
            | 'ヘ'
            | 'ト'
            | 'チ'
            | 'リ'
            | 'ヌ'
            | 'ル'
            | 'ヲ'
            | 'ワ'
            | 'カ'
            | 'ヨ'
            | 'タ'
            | 'レ'
            | 'ソ'
            | 'ネ'
            | 'ナ'
            | 'ラ'
            | 'ム'
            | 'ウ'
            | 'ヰ'
            | 'オ'
            | 'ク'
            | 'ヤ'
            | 'マ'
            | 'ケ'
            | 'フ'
            | 'コ'
            | 'エ'
            | 'テ'
            | 'ア'
            | 'サ'
            | 'キ'
            | 'ユ'
            | 'メ'
            | 'ミ'
            | 'シ'
            | 'ヱ'
            | 'ヒ'
            | 'モ'
            | 'セ'
            | 'ス'
            | '甲'
            | '乙'
            | '丙'
            | '戊'
            | '己'
            | '庚'
            | '辛'
            | '壬'
            | '癸'
    )
}

/// Whether a text has no Japanese letter but some Latin ones.
pub(crate) fn is_latin(letters: &[char]) -> bool {
    let japanese = |c: char| is_kanji(c) || matches!(c, 'ぁ'..='ヿ');
    letters.iter().any(char::is_ascii_alphabetic) && !letters.iter().any(|&c| japanese(c))
}

/// End of the digits, or of the kanji numerals, that begin at a position.
pub(crate) fn numeral_end(letters: &[char], start: usize) -> usize {
    let digits = at(letters, start).is_some_and(|c| c.is_ascii_digit());
    let fits = |c: &char| if digits { c.is_ascii_digit() } else { is_kanji_numeral(*c) };
    start + letters.get(start..).unwrap_or_default().iter().take_while(|c| fits(c)).count()
}

/// The number that begins at a position and its end; `None` for more digits than a number in an address has.
pub(crate) fn numeral(letters: &[char], start: usize) -> Option<(u32, usize)> {
    let end = numeral_end(letters, start);
    let run = letters.get(start..end)?;
    if run.is_empty() || run.len() > 12 {
        return None;
    }
    if run[0].is_ascii_digit() {
        if run.len() > 9 {
            return None;
        }
        let (value, thousands) = (value_of(run), thousands(letters, start, end));
        return Some(match thousands {
            Some(group) => (value * 1_000 + value_of(group), end + 4),
            None => (value, end),
        });
    }
    let mut buffer = [0_u8; 64];
    let mut length = 0;
    for c in run {
        length += c.encode_utf8(&mut buffer[length..]).len();
    }
    let value = number::parse(std::str::from_utf8(&buffer[..length]).ok()?)?;
    Some((value, end))
}

/// The value of at most nine ASCII digits: no overflow.
fn value_of(digits: &[char]) -> u32 {
    digits.iter().fold(0, |value, &c| value * 10 + u32::from(c) - u32::from('0'))
}

/// The three digits behind a comma that a spreadsheet put between thousands: 2,060番地; but 12,13 are two numbers.
fn thousands(letters: &[char], start: usize, end: usize) -> Option<&[char]> {
    let group = letters.get(end + 1..end + 4)?;
    let fits = at(letters, end) == Some(',')
        && (1..=3).contains(&(end - start))
        && letters[start] != '0'
        && group.iter().all(char::is_ascii_digit)
        && !at(letters, end + 4).is_some_and(|c| c.is_ascii_digit());
    fits.then_some(group)
}

/// Whether the letters say that there is no address.
pub(crate) fn is_placeholder(letters: &[char]) -> bool {
    const PLACEHOLDERS: [&str; 18] = [
        "不明",
        "不詳",
        "なし",
        "無し",
        "無",
        "未記入",
        "未入力",
        "住所不明",
        "住所不詳",
        "空白",
        "同上",
        "〃",
        "々",
        "null",
        "none",
        "nan",
        "n/a",
        "#n/a",
    ];
    let letters = trim(letters);
    if letters.len() > 8 {
        return letters.iter().all(|&c| !(is_kanji(c) || c.is_alphanumeric()));
    }
    let same = |word: &str| word.chars().eq(letters.iter().map(char::to_ascii_lowercase));
    letters.iter().all(|&c| !c.is_alphanumeric() && c != '〇' || c == 'ー')
        || PLACEHOLDERS.into_iter().any(same)
}

/// The letters behind a postal code: one that begins with 〒, or 275-5375 with a name behind it.
pub(crate) fn without_postal_code(letters: &[char]) -> &[char] {
    let letters = trim(letters);
    let [first, rest @ ..] = letters else { return letters };
    if first.is_ascii_digit() {
        return without_bare_postal_code(letters).unwrap_or(letters);
    }
    if *first != '〒' {
        return letters;
    }
    let mut digits = 0;
    let end = rest.iter().position(|&c| {
        digits += usize::from(c.is_ascii_digit());
        digits > 7 || !(c.is_ascii_digit() || is_dash(c) || c.is_whitespace())
    });
    trim(&rest[end.unwrap_or(rest.len())..])
}

/// Behind three digits, a dash and four digits, where a name follows.
fn without_bare_postal_code(letters: &[char]) -> Option<&[char]> {
    let (code, rest) = letters.split_at_checked(8)?;
    let fits = is_dash(code[3]) && numeral_end(code, 0) == 3 && numeral_end(code, 4) == 8;
    let rest = trim(rest);
    let named = match rest {
        ['番' | '号' | '丁', ..] => false,
        // 室町 is a name; 1棟 and 101室A are numbers.
        ['棟' | '室' | '階', behind @ ..] => behind.first().is_some_and(|&c| is_kanji(c)),
        _ => rest.first().is_some_and(|&c| is_kanji(c)),
    };
    (fits && named).then_some(rest)
}
