//! Buildings and rooms: ハイツ本町110, メゾン１号棟801号, B201, 2階.
//!
//! Invariant: the room is the last thing of the text that can be one; a floor, a wing or the number of a building is never
//! taken for it, and stays in the name.

use super::letters::{
    self, at, is_filler, is_kanji_numeral, is_katakana, is_plain_dash, starts, trim,
};
use crate::kanji;

/// More digits than a room has: a telephone number or a code.
const ROOM_DIGITS_MAX: usize = 5;

/// A building and a room in it; both may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Building {
    pub(crate) name: String,
    pub(crate) room: String,
}

/// Splits a text into building and room.
pub(crate) fn read(letters: &[char]) -> Building {
    let letters = trim_fillers(letters);
    let letters = match letters {
        ['(', inner @ .., ')'] if !inner.contains(&'(') => trim_fillers(inner),
        _ => letters,
    };
    if letters.is_empty() {
        return Building::default();
    }
    if let Some((before, room, after)) =
        at_end(letters).or_else(|| inside(letters)).or_else(|| in_front(letters))
    {
        let mut name = String::with_capacity(before.len() * 3);
        push_key(&mut name, trim_fillers(before));
        push_key(&mut name, trim_fillers(after));
        return Building { name, room };
    }
    let mut name = String::with_capacity(letters.len() * 3);
    push_key(&mut name, letters);
    Building { name, room: String::new() }
}

/// Splits what stands behind the numbers of an address; after a comma more numbers may follow, and no room.
pub(crate) fn read_behind_numbers(letters: &[char]) -> Building {
    if let [',' | '、', digit, ..] = letters
        && digit.is_ascii_digit()
    {
        let mut name = String::with_capacity(letters.len());
        push_key(&mut name, trim_fillers(letters));
        return Building { name, room: String::new() };
    }
    read(letters)
}

/// What stands before the room, the room, and what stands behind it.
type Cut<'a> = (&'a [char], String, &'a [char]);

/// A room at the end, with 号室, 号 or nothing behind it, or in brackets.
fn at_end(letters: &[char]) -> Option<Cut<'_>> {
    if let [before @ .., ')' | ']'] = letters {
        let open = before.iter().rposition(|c| matches!(c, '(' | '['))?;
        let room_only = at_end(trim(&before[open + 1..])).filter(|(rest, ..)| rest.is_empty());
        if let Some((_, room, _)) = room_only {
            return Some((&before[..open], room, &letters[..0]));
        }
        // Behind the room: ハイツ緑101(山田方).
        let (rest, room, _) = at_end(trim(&before[..open]))?;
        return Some((rest, room, &letters[open..]));
    }
    let (body, explicit) = match letters {
        [body @ .., '号', '室'] | [body @ .., '号'] | [body @ .., 'ゴ', 'ウ', 'シ', 'ツ'] => {
            (body, true)
        }
        [body @ .., '室'] if body.last().is_some_and(char::is_ascii_digit) => (body, true),
        _ => (letters, false),
    };
    let (before, room) = cut_room(trim(body), explicit)?;
    Some((before, room, &letters[..0]))
}

/// A room with 号室 behind it in the middle: ハイツ緑101号室 山田様方.
fn inside(letters: &[char]) -> Option<Cut<'_>> {
    let word = (1..letters.len()).find(|&index| starts(letters, index, "号室"))?;
    let (before, room) = cut_room(&letters[..word], true)?;
    Some((before, room, &letters[word + 2..]))
}

/// A room in front of the building: 201 ハイツ緑, 201ハイツ緑.
fn in_front(letters: &[char]) -> Option<Cut<'_>> {
    let digits = letters::numeral_end(letters, 0);
    let named = at(letters, digits).is_some_and(|c| is_katakana(c) && c != 'ー');
    if (3..=ROOM_DIGITS_MAX).contains(&digits) && letters[0].is_ascii_digit() && named {
        return Some((&letters[..0], without_zeros(&letters[..digits]), &letters[digits..]));
    }
    let space = letters.iter().position(|c| c.is_whitespace())?;
    let first = &letters[..space];
    let digits = first.strip_suffix(&['号']).unwrap_or(first);
    let fits =
        (2..=ROOM_DIGITS_MAX).contains(&digits.len()) && digits.iter().all(char::is_ascii_digit);
    fits.then(|| (&letters[..0], without_zeros(digits), &letters[space + 1..]))
}

/// Cuts the room off the end of a text; `explicit` when a word for room stood behind it.
fn cut_room(body: &[char], explicit: bool) -> Option<(&[char], String)> {
    let start = body.iter().rposition(|c| !c.is_ascii_digit()).map_or(0, |last| last + 1);
    let (before, digits) = body.split_at(start);
    if digits.is_empty() {
        return cut_lettered_room(body, explicit);
    }
    if digits.len() > ROOM_DIGITS_MAX {
        return None;
    }
    let last = before.last().copied();
    let apart = last.is_none_or(is_filler);
    // 03-1234-5678 is a telephone number.
    let groups = before.rsplit(|&c| is_plain_dash(c)).skip(1);
    let joined = groups.take_while(|group| group.last().is_some_and(char::is_ascii_digit)).count();
    if joined >= 2 && last.is_some_and(is_plain_dash) {
        return None;
    }
    // ハイツ5 is a name, ハイツ5号 and ハイツ 5 are rooms; 第2 is never one.
    if digits.len() == 1 && !explicit && !apart || last == Some('第') {
        return None;
    }
    let mut room = String::with_capacity(digits.len() + 1);
    let mut name = before;
    // B201 and B-201 are rooms when nothing but a space precedes the letter; ハイツB201 is room 201 of ハイツB.
    let undashed = match before {
        [rest @ .., dash] if is_plain_dash(*dash) => rest,
        _ => before,
    };
    if let [rest @ .., letter] = undashed
        && letter.is_ascii_alphabetic()
        && rest.last().is_none_or(|&c| is_filler(c))
    {
        room.push(letter.to_ascii_uppercase());
        name = rest;
    }
    room.push_str(&without_zeros(digits));
    Some((trim_fillers(name), room))
}

/// A room of a letter alone (A号室) or in kanji (一〇一号室).
fn cut_lettered_room(body: &[char], explicit: bool) -> Option<(&[char], String)> {
    let [before @ .., letter] = body else { return None };
    if letter.is_ascii_alphabetic() {
        let apart = before.last().is_none_or(|&c| is_filler(c));
        let room = apart && (explicit || before.is_empty());
        return room.then(|| (before, letter.to_ascii_uppercase().to_string()));
    }
    if !explicit || !is_kanji_numeral(*letter) {
        return None;
    }
    let start = body.iter().rposition(|&c| !is_kanji_numeral(c)).map_or(0, |last| last + 1);
    let (value, _) = letters::numeral(body, start)?;
    Some((&body[..start], value.to_string()))
}

fn without_zeros(digits: &[char]) -> String {
    let zeros = digits.iter().take_while(|&&c| c == '0').count();
    digits[zeros.min(digits.len() - 1)..].iter().collect()
}

/// Folds a name for comparison: no spaces, variants folded, capitals, dashes for long marks made long marks.
fn push_key(name: &mut String, part: &[char]) {
    for (index, &c) in part.iter().enumerate() {
        if c.is_whitespace() {
            continue;
        }
        let behind_kana = index > 0 && is_katakana(part[index - 1]);
        let before_kana = at(part, index + 1).is_none_or(is_katakana);
        let long_mark = is_plain_dash(c) && behind_kana && before_kana;
        name.push(if long_mark { 'ー' } else { kanji::fold_variant(c.to_ascii_uppercase()) });
    }
}

fn trim_fillers(letters: &[char]) -> &[char] {
    letters::trim_where(letters, is_filler)
}
