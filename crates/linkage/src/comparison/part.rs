//! Parts of names: a family name or a given name, as written and as read; and where the two sides have no view in common,
//! the reading of the one against the readings that the register knows of what the other writes.

use renkei_japanese::name::WILDCARD;

use super::level::{Across, PART_LEVELS, READ_AS_OTHERS, Read, Written, across_level, part_level};
use crate::forms::NONE;
use crate::forms::names::Names;
use crate::forms::parts::{Parts, Views};
use crate::forms::readings::{self, NamePart};
use crate::kernel::{jaro_winkler, within_one_edit};

/// The level of two parts.
pub(crate) fn level(names: &Names, part: NamePart, a: Views, b: Views) -> u8 {
    match (written(names, a.written, b.written), read(names, a.kana, b.kana)) {
        (Written::Missing, Read::Missing) if a.written == NONE => {
            across_level(across(names, part, b.written, a.kana))
        }
        (Written::Missing, Read::Missing) => across_level(across(names, part, a.written, b.kana)),
        (Written::Missing, Read::Similar | Read::Different)
            if reads_as_others(names, part, a, b) =>
        {
            READ_AS_OTHERS
        }
        (written, read) => part_level(written, read),
    }
}

/// What one side writes against what the other reads.
fn across(names: &Names, part: NamePart, written: u32, kana: u32) -> Across {
    if written == NONE || kana == NONE {
        return Across::Unknown;
    }
    let known = names.readings().of(part, written, &names.written_parts);
    let mut near = false;
    for reading in known {
        match read(names, reading.kana, kana) {
            Read::Equal if reading.is_usual => return Across::Usual,
            Read::Equal => return Across::Rare,
            Read::Near | Read::Similar => near = true,
            Read::Missing | Read::Different => {}
        }
    }
    match near {
        true => Across::Near,
        false if readings::are_enough(known) => Across::Other,
        false => Across::Unknown,
    }
}

/// Whether one side gives a reading alone that is a known one of what the other side writes: 裕美 is ヒロミ to one who fills in
/// a form and ユミ to another.
fn reads_as_others(names: &Names, part: NamePart, a: Views, b: Views) -> bool {
    let (written, kana) = if a.written == NONE { (b.written, a.kana) } else { (a.written, b.kana) };
    matches!(across(names, part, written, kana), Across::Usual | Across::Rare)
}

fn written(names: &Names, a: u32, b: u32) -> Written {
    if a == NONE || b == NONE {
        return Written::Missing;
    }
    if a == b {
        return Written::Equal;
    }
    let parts = &names.written_parts;
    if parts.glance(a).is_far_from(parts.glance(b)) {
        return Written::Different;
    }
    written_letters(parts, a, b)
}

/// The same of two parts, letter by letter.
fn written_letters(parts: &Parts, a: u32, b: u32) -> Written {
    let (x, y) = (parts.letters(a), parts.letters(b));
    if x.iter().chain(y).all(char::is_ascii) {
        return written_in_latin(x, y);
    }
    if parts.loose(a) == parts.loose(b) {
        return Written::Near;
    }
    if fits_lost_letters(x, y) || cut_off(x, y) {
        Written::Near
    } else if x.len().max(y.len()) >= 2 && within_one_edit(x, y) {
        if x.len().min(y.len()) >= 4 { Written::Near } else { Written::Similar }
    } else {
        Written::Different
    }
}

/// Thresholds for alphabetic names: above 0.92 nearly all pairs differ by one slip; below 0.80 hardly any do.
fn written_in_latin(x: &[char], y: &[char]) -> Written {
    let similarity = jaro_winkler(x, y);
    if similarity >= 0.92 || (x.len().min(y.len()) >= 4 && within_one_edit(x, y)) {
        Written::Near
    } else if similarity >= 0.80 || cut_off(x, y) {
        Written::Similar
    } else {
        Written::Different
    }
}

/// Equal where no letter was lost, and some letter was not.
fn fits_lost_letters(x: &[char], y: &[char]) -> bool {
    x.len() == y.len()
        && x.iter().zip(y).all(|(&a, &b)| a == b || a == WILDCARD || b == WILDCARD)
        && x.iter().zip(y).any(|(a, b)| a == b)
        || x.len() == y.len() && x.len() == 1 && (x[0] == WILDCARD || y[0] == WILDCARD)
}

/// One is the beginning of the other.
fn cut_off(x: &[char], y: &[char]) -> bool {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    !short.is_empty() && long.starts_with(short)
}

fn read(names: &Names, a: u32, b: u32) -> Read {
    if a == NONE || b == NONE {
        return Read::Missing;
    }
    if a == b {
        return Read::Equal;
    }
    let parts = &names.kana_parts;
    if parts.glance(a).is_far_from(parts.glance(b)) {
        return Read::Different;
    }
    read_letters(parts, a, b)
}

/// The same of two parts, letter by letter.
fn read_letters(parts: &Parts, a: u32, b: u32) -> Read {
    let (x, y) = (parts.letters(a), parts.letters(b));
    if parts.loose(a) == parts.loose(b) || lengthened_alike(x, y) {
        return Read::Near;
    }
    if x.len().min(y.len()) >= 2 && (within_one_edit(x, y) || cut_off(x, y)) {
        Read::Similar
    } else {
        Read::Different
    }
}

/// Equal but for long marks where the other has the vowel: ゴトー and ゴトウ.
fn lengthened_alike(x: &[char], y: &[char]) -> bool {
    let lengthens =
        |mark: char, vowel: char| mark == 'ー' && matches!(vowel, 'ア' | 'イ' | 'ウ' | 'エ' | 'オ');
    x.len() == y.len()
        && x.first() == y.first()
        && x.iter().zip(y).all(|(&a, &b)| a == b || lengthens(a, b) || lengthens(b, a))
}

/// How strongly a level speaks for the same person; orders the ways in which two people's names can be laid side by
/// side before any model is known.
pub(crate) const STRENGTH: [i8; PART_LEVELS] = {
    let by_written: [[i8; 5]; 5] = [
        // reading: missing, equal, near, similar, different
        [0, 7, 5, 2, -4],
        [8, 10, 9, 9, 7],
        [5, 8, 6, 5, 2],
        [1, 6, 4, 1, -2],
        [-5, 4, 0, -3, -6],
    ];
    let mut table = [0; PART_LEVELS];
    table[across_level(Across::Usual) as usize] = 6;
    table[across_level(Across::Rare) as usize] = 5;
    table[across_level(Across::Near) as usize] = 5;
    table[across_level(Across::Other) as usize] = -3;
    table[READ_AS_OTHERS as usize] = 3;
    let mut index = 0;
    while index < 25 {
        table[index] = by_written[index / 5][index % 5];
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part_of(letters: &'static str) -> impl Strategy<Value = String> {
        prop::collection::vec(letters, 1..7).prop_map(|letters| letters.concat())
    }

    /// A part, and the same after some damage, or another part.
    fn two(letters: &'static str) -> impl Strategy<Value = (String, String)> {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..5, letters), 0..3);
        let damaged = (part_of(letters), edits).prop_map(|(text, edits)| {
            let mut other: Vec<char> = text.chars().collect();
            for (place, edit, letters) in edits {
                let (at, letter) = (place.index(other.len()), letters.chars().next());
                match edit {
                    0 => other.extend(letter),
                    1 => other[at] = letter.unwrap_or(WILDCARD),
                    2 => other[at] = WILDCARD,
                    3 => other.swap(at, place.index(at + 1)),
                    _ => other.truncate(at + 1),
                }
            }
            (text, other.into_iter().collect())
        });
        prop_oneof![damaged, (part_of(letters), part_of(letters))]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn parts_that_are_far_apart_at_a_glance_are_different_letter_by_letter(
            (written, other_written) in prop_oneof![two("[佐斎齋藤髙高山a]"), two("[a-e]")],
            (read, other_read) in two("[ア-オカガキーッツャヤ]"),
        ) {
            let mut names = Names::default();
            let weak = |text: &str| text.chars().map(renkei_japanese::kanji::fold_weak).collect();
            let fuzzy = renkei_japanese::kana::kana_fuzzy;
            let a = names.written_parts.intern(&written, weak);
            let b = names.written_parts.intern(&other_written, weak);
            if a != b {
                let letters = written_letters(&names.written_parts, a, b);
                prop_assert_eq!(self::written(&names, a, b), letters, "{} {}", written, other_written);
            }
            let a = names.kana_parts.intern(&read, fuzzy);
            let b = names.kana_parts.intern(&other_read, fuzzy);
            if a != b {
                let letters = read_letters(&names.kana_parts, a, b);
                prop_assert_eq!(self::read(&names, a, b), letters, "{} {}", read, other_read);
            }
        }
    }
}
