//! Reading the numbers, one after another, with what joins them.

use super::{Unit, dates, is_building_word, no_number, unit};
use crate::address::letters::{
    at, is_block_letter, is_dash, is_kanji, is_kanji_numeral, is_no, is_numeral, numeral,
    numeral_end, starts,
};
use crate::address::numbers::Numbers;
use crate::{kanji, text};

/// What the numbers of an address say.
#[derive(Default)]
pub(crate) struct NumberPart {
    /// The numbers in order.
    pub(crate) numbers: Numbers,
    /// Block letters and words in place of a number.
    pub(crate) block: String,
    /// A room written as the last number.
    pub(crate) room: String,
    /// Whether a lost letter was taken for a dash.
    pub(crate) lost_dash: bool,
    /// Whether a date or a wrong dash was undone.
    pub(crate) repaired: bool,
    /// Where reading stopped.
    pub(crate) end: usize,
}

/// How a number is joined to the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// It is the first.
    Start,
    /// By its unit alone: 5番3.
    Unit,
    /// By a dash, or a letter lost in its place.
    Dash,
    /// By の.
    No,
    /// By a space.
    Space,
}

/// Reads the numbers that begin the letters.
pub(crate) fn read(letters: &[char]) -> NumberPart {
    let mut reader = Reader {
        letters,
        index: 0,
        part: NumberPart::default(),
        unit: Unit::None,
        chome: false,
        go: false,
        in_kanji: false,
    };
    reader.read();
    reader.part.end = reader.index;
    reader.part
}

/// The state of reading.
struct Reader<'a> {
    letters: &'a [char],
    index: usize,
    part: NumberPart,
    /// The unit of the last number.
    unit: Unit,
    /// Whether 丁目 was written.
    chome: bool,
    /// Whether 号 was written.
    go: bool,
    /// Whether the last number was written in kanji.
    in_kanji: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        if starts(self.letters, 0, "第") {
            self.index = 1;
        }
        self.block_letter();
        self.word_for_number();
        let mut link = Link::Start;
        while self.date(link) || self.number(link) {
            self.block_letter();
            match self.link() {
                Some((next, start)) => (link, self.index) = (next, start),
                None => return,
            }
        }
    }

    /// Takes numbers that a spreadsheet made a date of: all of them, or those behind 丁目.
    fn date(&mut self, link: Link) -> bool {
        if link != Link::Start && self.unit != Unit::Chome {
            return false;
        }
        let Some((numbers, end)) = dates::undo(&self.letters[self.index..]) else { return false };
        for number in numbers.into_iter().flatten() {
            self.part.numbers.push(number);
        }
        self.part.repaired = true;
        self.unit = Unit::None;
        self.index += end;
        true
    }

    /// Takes the number at the position; `false` when reading ends there.
    fn number(&mut self, link: Link) -> bool {
        let Some((value, end)) = numeral(self.letters, self.index) else { return false };
        let first = link == Link::Start;
        if is_building_word(self.letters, end) {
            return false;
        }
        let (unit, behind) = unit(self.letters, end);
        let in_kanji = is_kanji_numeral(self.letters[self.index]);
        if in_kanji && !first && !self.kanji_fits(link, unit, end) {
            return false;
        }
        let digits = if self.letters[self.index].is_ascii_digit() {
            end - self.index
        } else {
            value.max(1).ilog10() as usize + 1
        };
        let room_word = starts(self.letters, end, "号室") || at(self.letters, end) == Some('室');
        if room_word || !first && self.is_room(link, digits, unit, end) {
            // A number that more numbers follow is read with the building: 2-201.
            let alone = match unit {
                Unit::None | Unit::Go => !(is_joint(self.letters, behind)),
                Unit::Chome | Unit::Ban | Unit::Banchi | Unit::Bangaichi | Unit::Line => false,
            };
            if !alone || link == Link::Space {
                return false;
            }
            self.part.room = value.to_string();
            self.index = match (room_word, at(self.letters, end)) {
                (true, Some('室')) => end + 1,
                (true, _) => end + 2,
                (false, _) => behind,
            };
            return false;
        }
        if !self.part.numbers.push(value) {
            return false;
        }
        self.unit = unit;
        self.in_kanji = in_kanji;
        self.chome |= unit == Unit::Chome;
        self.go |= unit == Unit::Go;
        self.index = behind;
        if unit == Unit::Bangaichi {
            self.part.block.push_str("番外地");
        }
        if matches!(unit, Unit::Ban | Unit::Banchi) && at(self.letters, behind) == Some('先') {
            self.part.block.push_str("地先");
            self.index += 1;
        }
        true
    }

    /// Whether a number is the room.
    ///
    /// - Behind 号 a number joined by a dash or directly is the room, one joined by の is a 枝番.
    /// - A fourth number is the room, unless it is written as a 号 of two digits or more numbers follow.
    /// - Without 丁目 a third number of three digits is the room: 1260-10-203.
    /// - Behind 番 or 番地, a number of three digits without 号 is the room, and behind 番地 also one with 号.
    /// - Behind a space a number is the room, unless a unit shows that the address goes on.
    fn is_room(&self, link: Link, digits: usize, unit: Unit, end: usize) -> bool {
        let count = self.part.numbers.len();
        let more = unit == Unit::None && is_joint(self.letters, end);
        let ends = matches!(unit, Unit::None | Unit::Go);
        match link {
            Link::Start => false,
            Link::No => count >= 3 && digits >= 3 && ends,
            Link::Space => match (self.unit, unit) {
                (Unit::Chome | Unit::Line, _) => false,
                (Unit::Ban, Unit::None | Unit::Go) => digits >= 3 || self.go,
                (Unit::Banchi, Unit::Go) => digits >= 3,
                (Unit::None, Unit::Ban | Unit::Banchi) => false,
                _ => true,
            },
            Link::Unit => match self.unit {
                Unit::Go => true,
                Unit::Banchi => digits >= 3 && ends && !more,
                Unit::Ban => digits >= 3 && unit == Unit::None && !more,
                Unit::None | Unit::Chome | Unit::Bangaichi | Unit::Line => false,
            },
            Link::Dash if self.go => true,
            Link::Dash if count >= 3 => !more && ends && (unit == Unit::None || digits >= 3),
            Link::Dash if count == 2 => !self.chome && digits >= 3 && ends && !more,
            Link::Dash => false,
        }
    }

    /// Whether kanji numerals behind other numbers are a number and not the start of a building's name: in 5番三井ビル they
    /// are a name, but in 五番三県営団地 the numbers before them were written in kanji as well.
    fn kanji_fits(&self, link: Link, unit: Unit, end: usize) -> bool {
        match at(self.letters, end) {
            Some(c) if unit == Unit::None && !starts(self.letters, end, "号室") => {
                is_numeral(c) || !is_kanji(c) || self.in_kanji && link != Link::Space
            }
            _ => true,
        }
    }

    /// How the next number is joined, and where it begins; `None` at the end of the numbers.
    fn link(&mut self) -> Option<(Link, usize)> {
        let letters = self.letters;
        let start = self.index;
        let c = at(letters, start)?;
        let behind_digit = start > 0 && letters[start - 1].is_ascii_digit();
        let before_digit = |index: usize| at(letters, index).is_some_and(|c| c.is_ascii_digit());
        if c == '一' && behind_digit && before_digit(start + 1) {
            self.part.repaired = true;
            return Some((Link::Dash, start + 1));
        }
        if is_numeral(c) {
            let directly = self.unit != Unit::None || !self.part.block.is_empty();
            return directly.then_some((Link::Unit, start));
        }
        if is_no(c) {
            let next = skip_spaces(letters, start + 1);
            return at(letters, next).is_some_and(is_numeral).then_some((Link::No, next));
        }
        if behind_digit && before_digit(start + 1) {
            if text::is_lost_letter(c) {
                self.part.lost_dash = true;
                return Some((Link::Dash, start + 1));
            }
            if matches!(c, '.' | '・' | '/') {
                return Some((Link::Dash, start + 1));
            }
        }
        if let Some(number) = self.named_part() {
            return Some((Link::Unit, number));
        }
        let spaces_end = skip_spaces(letters, start);
        if at(letters, spaces_end).is_some_and(is_dash) {
            let mut next = spaces_end;
            while at(letters, next).is_some_and(is_dash) {
                next += 1;
            }
            let next = skip_spaces(letters, next);
            return at(letters, next).is_some_and(is_numeral).then_some((Link::Dash, next));
        }
        if spaces_end > start && at(letters, spaces_end).is_some_and(is_numeral) {
            let link = if self.unit == Unit::Chome { Link::Unit } else { Link::Space };
            return Some((link, spaces_end));
        }
        None
    }

    /// Takes the name of a part of a 地割 or 線, as a block, when more numbers follow: 第35地割字西62番地, 西12線北34番地.
    /// What it gives is where they begin.
    fn named_part(&mut self) -> Option<usize> {
        const NAME_LETTERS_MAX: usize = 4;
        if self.unit != Unit::Line {
            return None;
        }
        let letters = self.letters;
        let start = self.index + usize::from(at(letters, self.index) == Some('字'));
        let is_name = |c: &&char| is_kanji(**c) && !is_numeral(**c) && !matches!(c, '荘' | '館');
        let length = letters[start..].iter().take_while(is_name).count();
        let end = start + length;
        let numbered = at(letters, end).is_some_and(is_numeral);
        if !(1..=NAME_LETTERS_MAX).contains(&length) || !numbered {
            return None;
        }
        self.part.block.extend(letters[start..end].iter().map(|&c| kanji::fold_address(c)));
        Some(end)
    }

    /// Takes a letter that tells blocks apart, before or between numbers or at their end.
    fn block_letter(&mut self) {
        let letters = self.letters;
        let numbered = !self.part.numbers.is_empty();
        let joined = at(letters, self.index).is_some_and(|c| is_dash(c) || is_no(c)) && numbered;
        let index = self.index + usize::from(joined);
        let Some(c) = at(letters, index) else { return };
        let behind = at(letters, index + 1);
        let latin = c.is_ascii_alphabetic();
        if !(latin || is_block_letter(c)) {
            return;
        }
        let fits = match behind {
            // A letter alone behind a dash at the end is a room when it is Latin.
            None => !(latin && joined),
            // A Latin letter directly before digits is a room behind a number, and a block before one.
            Some(d) if d.is_ascii_digit() => !(latin && numbered),
            Some(d) if is_kanji_numeral(d) => !latin && !numbered,
            Some(' ') => !latin,
            Some('番') => true,
            Some('号') => {
                at(letters, index + 2) != Some('室') && at(letters, index + 2) != Some('棟')
            }
            Some(d) if is_dash(d) && d != 'ー' || is_no(d) => {
                at(letters, index + 2).is_some_and(is_numeral)
            }
            Some(_) => false,
        };
        if !fits {
            return;
        }
        self.part.block.push(c.to_ascii_uppercase());
        self.index = index + 1;
        if numbered {
            self.unit = Unit::None;
            return;
        }
        // The unit or joint behind the letter: A番5号, 甲の12.
        let (_, end) = unit(letters, self.index);
        let joint = at(letters, end).is_some_and(|c| is_dash(c) || is_no(c));
        self.index = end + usize::from(joint);
    }

    /// Takes 無番地 and its relatives.
    fn word_for_number(&mut self) {
        if let Some((says, end)) = no_number(self.letters, self.index) {
            self.part.block.push_str(says);
            self.index = end;
        }
    }
}

/// Whether a dash or の with another number behind it stands at a position.
fn is_joint(letters: &[char], index: usize) -> bool {
    let index = skip_spaces(letters, index);
    let joint = at(letters, index).is_some_and(|c| is_dash(c) || is_no(c));
    joint && numeral_end(letters, index + 1) > index + 1
}

fn skip_spaces(letters: &[char], mut index: usize) -> usize {
    while at(letters, index).is_some_and(char::is_whitespace) {
        index += 1;
    }
    index
}
