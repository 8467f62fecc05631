//! Damage to addresses: another address, lost parts, and the many ways to write numbers and buildings.

use super::Damage;
use super::notation::{half_width_latin, kanji_number};
use crate::city::{City, Numbering};
use crate::kana::half_width;
use crate::names::full_width;
use crate::place::Place;
use crate::rates::Class;

/// Notations of the numbers of an address.
#[derive(Clone, Copy)]
enum Notation {
    /// 3-14-5 with some dash, digits in one width or the other.
    Dashes { dash: &'static str, wide: bool },
    /// 3丁目14番5号
    Words,
    /// 3丁目14-5
    ChomeAndDash,
    /// 三丁目十四番五
    Kanji,
    /// 番地の5, 番地ノ5, 番地-5
    Banchi(&'static str),
    /// 番 and 号 where it is 番地, or the other way round.
    OtherLaw,
}

const NOTATIONS: [(u32, Notation); 16] = [
    (30, Notation::Dashes { dash: "-", wide: false }),
    (13, Notation::Dashes { dash: "－", wide: true }),
    (9, Notation::Dashes { dash: "－", wide: false }),
    (2, Notation::Dashes { dash: "ー", wide: false }),
    (2, Notation::Dashes { dash: "―", wide: false }),
    (2, Notation::Dashes { dash: "‐", wide: false }),
    (2, Notation::Dashes { dash: "ｰ", wide: false }),
    // The en dash is not in CP932: the list shows a question mark.
    (2, Notation::Dashes { dash: "–", wide: false }),
    (2, Notation::Dashes { dash: "ノ", wide: false }),
    (11, Notation::Words),
    (9, Notation::ChomeAndDash),
    (9, Notation::Kanji),
    (2, Notation::Banchi("の")),
    (2, Notation::Banchi("ノ")),
    (2, Notation::Banchi("-")),
    (6, Notation::OtherLaw),
];

impl Damage<'_> {
    /// Address and postal code as they stand on the line.
    pub(super) fn address_and_postal(&mut self) -> (String, String) {
        let population = self.population;
        let missing = self.strikes(Class::AddressMissing, true);
        let (mut city, mut place) = (&population.city, self.subject.place);
        if self.strikes(Class::AddressMoved, !missing) {
            if self.chance.percent(15) {
                city = &population.elsewhere;
            }
            place = city.plot(self.chance);
            if self.chance.percent(35) {
                place = place.with_flats(self.chance);
            }
        }
        let postal = city.town(&place).map_or("", |town| town.postal.as_str());
        let postal = self.postal(postal);
        if missing {
            return (String::new(), postal);
        }
        let address = self.address(city, place);
        let length = address.chars().count();
        if self.strikes(Class::AddressTruncated, length > 8) {
            let kept = self.chance.between(length as u32 / 3, length as u32 - 2);
            return (address.chars().take(kept as usize).collect(), postal);
        }
        (address, postal)
    }

    fn address(&mut self, city: &City, mut place: Place) -> String {
        let Some(town) = city.town(&place) else { return String::new() };
        if self.strikes(Class::AddressNumberTypo, true) {
            place = self.wrong_number(place);
        }
        let variants = self.town_variants(&town.name);
        let town_name = match self.strikes(Class::TownVariant, !variants.is_empty()) {
            true => variants[self.chance.index(variants.len())].clone(),
            false => town.name.clone(),
        };
        let without_prefecture = self.strikes(Class::PrefectureOmitted, true);
        let without_city = self.strikes(Class::CityOmitted, true);
        let head = match (without_prefecture, without_city) {
            (_, true) => String::new(),
            (true, false) => city.name.to_owned(),
            (false, false) if self.chance.percent(3) => {
                format!("{} {}", city.prefecture, city.name)
            }
            (false, false) => format!("{}{}", city.prefecture, city.name),
        };
        let numbers = self.numbers(place, town.numbering);
        let building =
            self.building(place, numbers.ends_with(|letter: char| letter.is_ascii_digit()));
        format!("{head}{town_name}{numbers}{building}")
    }

    fn numbers(&mut self, place: Place, numbering: Numbering) -> String {
        let dated = place.number > 0 && place.block <= 12 && place.number <= 31;
        if self.strikes(Class::AddressExcelDate, dated) {
            let (month, day) = (place.block, place.number);
            return match (numbering.has_chome(), self.chance.percent(70)) {
                (true, true) => format!("20{:02}/{month}/{day}", place.chome),
                (true, false) => format!("{}/{month}/{day}", place.chome),
                (false, _) => format!("{month}月{day}日"),
            };
        }
        if !self.strikes(Class::AddressNotation, true) {
            return place.register_numbers(numbering);
        }
        let notation = self.chance.weighted(&NOTATIONS);
        written(place, numbering, notation)
    }

    /// The building with what is before it.
    fn building(&mut self, place: Place, after_digit: bool) -> String {
        if !place.has_building() || self.strikes(Class::BuildingOmitted, true) {
            return String::new();
        }
        let room = place.room;
        if self.strikes(Class::RoomOnly, room > 0) {
            let dashed = after_digit && self.chance.percent(50);
            return if dashed { format!("-{room}") } else { format!(" {room}") };
        }
        let gap = self.chance.weighted(&[(45, "　"), (35, " "), (20, "")]);
        let name = place.building_name();
        let name = if self.chance.percent(20) { half_width(&name) } else { name };
        let room = match (room, self.chance.below(10)) {
            (0, _) => String::new(),
            (room, 0..2) => full_width(&format!("{room}号室")),
            (room, 2..4) => format!("{room}号室"),
            (room, 4..6) => format!("{room}号"),
            (room, 6..8) => full_width(&room.to_string()),
            (room, _) => room.to_string(),
        };
        format!("{gap}{name}{room}")
    }

    fn wrong_number(&mut self, place: Place) -> Place {
        let in_block = place.number == 0 || self.chance.percent(55);
        let right = if in_block { place.block } else { place.number };
        let wrong = loop {
            let wrong = match self.chance.below(4) {
                0 => right + 1,
                1 => right.saturating_sub(1),
                2 => right + 10,
                _ => right / 10 * 10 + self.chance.below(10) as u16,
            };
            if wrong != right && wrong > 0 {
                break wrong;
            }
        };
        if in_block { place.with_block(wrong) } else { place.with_number(wrong) }
    }

    /// Spellings of a town's name other than the register's.
    fn town_variants(&self, name: &str) -> Vec<String> {
        let mut variants = Vec::new();
        for (small, others) in
            [('ヶ', ['ケ', 'が', 'ガ']), ('が', ['ヶ', 'ケ', 'ガ']), ('ツ', ['ッ', 'つ', 'っ'])]
        {
            if name.contains(small) {
                variants.extend(others.iter().map(|other| name.replace(small, &other.to_string())));
            }
        }
        if let Some(bare) = name.strip_prefix("大字").or_else(|| name.strip_prefix('字')) {
            variants.push(bare.to_owned());
        }
        let letters = &self.population.books.letters;
        for (at, letter) in name.char_indices() {
            for form in letters.forms(letter) {
                let rest = &name[at + letter.len_utf8()..];
                variants.push(format!("{}{form}{rest}", &name[..at]));
            }
        }
        variants
    }
}

fn written(place: Place, numbering: Numbering, notation: Notation) -> String {
    let residential = numbering.is_residential();
    let joined = |numbers: &[u16], dash: &str| {
        numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(dash)
    };
    let below_chome: Vec<u16> =
        [place.block, place.number].into_iter().filter(|number| *number > 0).collect();
    let chome =
        if numbering.has_chome() { format!("{}丁目", place.chome) } else { String::new() };
    match notation {
        Notation::Dashes { dash, wide } => {
            let text = joined(&place.numbers(), dash);
            if wide { full_width(&text) } else { text }
        }
        Notation::Words => half_width_latin(&place.plain_numbers(numbering)),
        Notation::ChomeAndDash => format!("{chome}{}", joined(&below_chome, "-")),
        Notation::Kanji => {
            let chome = match numbering.has_chome() {
                true => format!("{}丁目", kanji_number(u16::from(place.chome))),
                false => String::new(),
            };
            let (block, number) = (kanji_number(place.block), kanji_number(place.number));
            let word = if residential || place.block.is_multiple_of(2) { "番" } else { "番地" };
            format!("{chome}{block}{word}{number}")
        }
        Notation::Banchi(joint) => match place.number {
            0 => format!("{chome}{}番地", place.block),
            number => format!("{chome}{}番地{joint}{number}", place.block),
        },
        Notation::OtherLaw => match (residential, place.number) {
            (true, number) => format!("{chome}{}番地{number}", place.block),
            (false, 0) => format!("{chome}{}番", place.block),
            (false, number) => format!("{chome}{}番{number}号", place.block),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_several_notations() {
        let place = Place::plot(0, 3, 14, 5);
        let chome = |notation| written(place, Numbering::ChomeBanGo, notation);
        assert_eq!(chome(Notation::Dashes { dash: "－", wide: true }), "３－１４－５");
        assert_eq!(chome(Notation::ChomeAndDash), "3丁目14-5");
        assert_eq!(chome(Notation::Kanji), "三丁目十四番五");
        assert_eq!(chome(Notation::OtherLaw), "3丁目14番地5");
        let plain = Place::plot(0, 0, 886, 0);
        assert_eq!(written(plain, Numbering::Banchi, Notation::Banchi("の")), "886番地");
        assert_eq!(written(plain, Numbering::Banchi, Notation::Words), "886番地");
    }
}
