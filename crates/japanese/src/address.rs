//! Addresses: one place, many notations, one set of keys.
//!
//! ```text
//! 千葉県若葉市緑ヶ丘２１番１１号 + メゾン南１００６号室 │ prefecture 千葉県, town 若葉市緑ケ丘, numbers [21, 11],
//! 若葉市緑が丘21-11 ﾒｿﾞﾝ南1006                         │ building メゾン南, room 1006; the second and third lack
//! 緑ガ丘二十一番十一 1006                              │ the prefecture, the third municipality and building
//! ```
//!
//! There is no gazetteer here: what is a town and what a number follows from the letters alone, so that two notations of
//! one place give equal town names, numbers and rooms, which is all that matching needs; who knows the towns of a register
//! can have an address read with them ([`Address::read_knowing`]). Towns are compared by their
//! ends, because the municipality is often left out ([`Address::town_name`]).
//! Invariant: every letter of the text is in some part, markers (大字, 字, 丁目, 番地, 号) and separators aside; and a key
//! is never text to print. Whether two addresses are the same place is decided by the linkage.

mod building;
mod dates;
mod half;
mod known_town;
mod letters;
mod municipality;
mod number_part;
mod numbers;
mod prefecture;
mod street;
mod town;

#[cfg(test)]
mod tests;

pub use dates::numbers_of_day_number;
pub use half::{AddressHalf, divide};
pub use numbers::Numbers;

/// An address in parts, folded for comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// The prefecture, if it was written.
    pub prefecture: Option<&'static str>,
    /// Everything between the prefecture and the first number: municipality, if written, and town. Kanji variants and
    /// spellings of place names are folded, 大字 and 字 and spaces dropped, digits that belong to a name (北1条) in kanji.
    pub town: String,
    /// Where in `town` the municipality probably ends, in bytes; 0 when none is seen.
    pub municipality_end: usize,
    /// 丁目, 番 or 番地, 号, 枝番 and so on, in order.
    pub numbers: Numbers,
    /// Letters that tell blocks apart (イ38, 甲12, A番), and words in place of a number (無番地, 番外地, 地先).
    pub block: String,
    /// Building name without spaces and room, in capital letters.
    pub building: String,
    /// Room: letters and digits, without 号室 and leading zeros.
    pub room: String,
    /// Kyoto street name with its direction: 寺町通御池上る.
    pub street: String,
    /// Whether a letter lost in conversion (`?`) between two numbers was taken for a dash.
    pub lost_dash: bool,
    /// Whether a date made of the numbers by a spreadsheet, or a dash typed as 一, was undone.
    pub repaired: bool,
}

impl Address {
    /// Reads an address and its 方書, which may be empty or stand at the end of `address` instead.
    ///
    /// `None` means that neither says anything: both empty, or spellings of "unknown".
    pub fn read(address: &str, building: &str) -> Option<Self> {
        let letters = letters::of(address);
        let letters = letters::without_postal_code(&letters);
        let own = letters::of(building);
        let own = if letters::is_placeholder(&own) { &[] } else { letters::trim(&own) };
        if letters::is_placeholder(letters) {
            if own.is_empty() {
                return None;
            }
            let mut read = Self::default();
            read.set_building(&[], own);
            return Some(read);
        }
        let mut read = Self::default();
        let rest = read.read_place(letters);
        read.set_building(rest, own);
        Some(read)
    }

    /// Whether the address has any of its parts before the building.
    pub fn has_place(&self) -> bool {
        !(self.town.is_empty() && self.numbers.is_empty() && self.block.is_empty())
    }

    /// The town without the municipality.
    pub fn town_name(&self) -> &str {
        self.town.get(self.municipality_end..).unwrap_or(&self.town)
    }

    /// Whether two towns can be the same.
    ///
    /// Both with a municipality must have the same town, and one municipality must be the end of the other, because a
    /// county or a city with wards may be left out. Where one lacks the municipality, its text must be the end of the
    /// other and no shorter than the other's town: 平和 is not 若葉市北平和.
    pub fn same_town(&self, other: &Self) -> bool {
        if self.town == other.town {
            return true;
        }
        let (long, short) = if self.municipality_end >= other.municipality_end {
            (self, other)
        } else {
            (other, self)
        };
        let name = long.town_name();
        if long.municipality_end == 0 {
            return false;
        }
        if name.is_empty() {
            // 小豆郡土庄町甲559: there is no town, and what the other has is the municipality without its county.
            return long.town.ends_with(short.town.as_str())
                && short.town.ends_with(['市', '町', '村', '区']);
        }
        let ends = long.town.ends_with(short.town.as_str());
        if short.municipality_end > 0 {
            ends && short.town_name() == name
        } else {
            ends && short.town.len() >= name.len()
        }
    }

    /// The digits of the room alone: 201 for `B201`.
    ///
    /// Whether a letter before them belongs to the building (ハイツB 201) or to the room (ハイツ B201) is often only a
    /// matter of spacing.
    pub fn room_digits(&self) -> &str {
        self.room.trim_start_matches(|c: char| !c.is_ascii_digit())
    }

    /// Reads everything up to the numbers and the numbers; what is left is building.
    fn read_place<'a>(&mut self, letters: &'a [char]) -> &'a [char] {
        let (prefecture, behind) = prefecture::strip(letters);
        self.prefecture = prefecture;
        if letters::is_latin(behind) {
            return self.read_latin(behind);
        }
        let street_end = street::end(behind, prefecture);
        let start = number_part::find(behind, street_end);
        let name = match start {
            Some(start) => &behind[..start],
            None => behind,
        };
        let split = town::split(name, street_end, prefecture.is_some());
        (self.town, self.municipality_end, self.street) =
            (split.town, split.municipality_end, split.street);
        let Some(start) = start else { return &[] };
        self.take_numbers(&behind[start..])
    }

    fn take_numbers<'a>(&mut self, letters: &'a [char]) -> &'a [char] {
        let part = number_part::read(letters);
        self.numbers = part.numbers;
        self.block = part.block;
        self.room = part.room;
        self.lost_dash = part.lost_dash;
        self.repaired = part.repaired;
        &letters[part.end..]
    }

    /// An address in Latin letters: the town is the text before the first number, or all the rest when that comes first.
    fn read_latin<'a>(&mut self, letters: &'a [char]) -> &'a [char] {
        let digits = letters.iter().position(char::is_ascii_digit).unwrap_or(letters.len());
        let rest = self.take_numbers(&letters[digits..]);
        let key = |part: &[char]| {
            let kept = part.iter().filter(|c| !letters::is_filler(**c));
            kept.map(char::to_ascii_lowercase).collect::<String>()
        };
        self.town = key(&letters[..digits]);
        if !self.town.is_empty() {
            return rest;
        }
        self.town = key(rest);
        &[]
    }

    /// Joins what stands behind the numbers with the building's own field.
    fn set_building(&mut self, rest: &[char], own: &[char]) {
        let (rest, own) = (building::read_behind_numbers(rest), building::read(own));
        self.building = rest.name;
        if self.building.is_empty() {
            self.building = own.name;
        } else if !own.name.is_empty() && !self.building.ends_with(&own.name) {
            self.building.push_str(&own.name);
        }
        // Three places may hold the room; the building's own field is the best, and no other one is lost.
        let mut room = own.room;
        for other in [rest.room, std::mem::take(&mut self.room)] {
            if room.is_empty() {
                room = other;
            } else if !other.is_empty() && other != room {
                self.building.push_str(&other);
            }
        }
        self.room = room;
    }
}
