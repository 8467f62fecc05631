//! A place: plot of land, and a building with a room on it where there is one.

use crate::chance::Chance;
use crate::city::Numbering;
use crate::names::full_width;

const BUILDINGS: [&str; 28] = [
    "ハイツ",
    "メゾン",
    "コーポ",
    "コーポラス",
    "ドミール",
    "レジデンス",
    "クレスト",
    "ベルメゾン",
    "プラザ",
    "ルミエール",
    "フォレスト",
    "シャトー",
    "ロイヤル",
    "サンハイツ",
    "グランドハイツ",
    "パークハイム",
    "グリーンハイツ",
    "エスポワール",
    "ヴィラ",
    "サニーコート",
    "カーサ",
    "リバーサイド",
    "さくら荘",
    "みどり荘",
    "ひまわり荘",
    "第一",
    "県営団地",
    "市営住宅",
];

const TAILS: [&str; 28] = [
    "",
    "",
    "青葉",
    "若葉",
    "富士",
    "本町",
    "朝日",
    "光",
    "緑",
    "桜",
    "泉",
    "東",
    "西",
    "南",
    "北",
    "中央",
    "高砂",
    "春日",
    "Ａ",
    "Ｂ",
    "Ｃ",
    "Ⅱ",
    "Ⅲ",
    "１号棟",
    "２号棟",
    "３号棟",
    "壱番館",
    "弐番館",
];

const FACILITIES: [&str; 8] = [
    "特別養護老人ホームやすらぎ苑",
    "特別養護老人ホームひだまりの里",
    "介護老人保健施設こもれび",
    "ケアハウスあおぞら",
    "グループホームすみれ",
    "有料老人ホーム花時計",
    "特別養護老人ホーム四季の家",
    "介護付ホームせせらぎ",
];

/// No building: a house of its own.
const NO_BUILDING: u16 = u16::MAX;
/// Facilities are numbered after all combinations of building and tail.
const FIRST_FACILITY: u16 = (BUILDINGS.len() * TAILS.len()) as u16;

/// Town, numbers, building and room; an index into the [`crate::city::City`] it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) town: u16,
    pub(crate) chome: u8,
    pub(crate) block: u16,
    /// 号 or 枝番; 0 where there is none.
    pub(crate) number: u16,
    building: u16,
    /// 0 where there is none.
    pub(crate) room: u16,
}

impl Place {
    /// A plot without a building.
    pub(crate) fn plot(town: u16, chome: u8, block: u16, number: u16) -> Self {
        Self { town, chome, block, number, building: NO_BUILDING, room: 0 }
    }

    /// The same plot with some block of flats on it.
    pub(crate) fn with_flats(self, chance: &mut Chance) -> Self {
        let building = chance.below(u32::from(FIRST_FACILITY)) as u16;
        Self { building, ..self }.with_room(chance)
    }

    /// The same building, some room.
    pub(crate) fn with_room(self, chance: &mut Chance) -> Self {
        Self { room: (chance.between(1, 11) * 100 + chance.between(1, 12)) as u16, ..self }
    }

    /// The same plot with a care home on it.
    pub(crate) fn with_facility(self, chance: &mut Chance) -> Self {
        let building = FIRST_FACILITY + chance.index(FACILITIES.len()) as u16;
        Self { building, room: 0, ..self }
    }

    /// The same place under another 番 or 番地.
    pub(crate) fn with_block(self, block: u16) -> Self {
        Self { block, ..self }
    }

    /// The same place under another 号 or 枝番.
    pub(crate) fn with_number(self, number: u16) -> Self {
        Self { number, ..self }
    }

    /// Whether there is a building with a name.
    pub(crate) fn has_building(&self) -> bool {
        self.building != NO_BUILDING
    }

    /// The building's name without the room.
    pub(crate) fn building_name(&self) -> String {
        if !self.has_building() {
            return String::new();
        }
        match self.building.checked_sub(FIRST_FACILITY) {
            Some(facility) => FACILITIES[usize::from(facility) % FACILITIES.len()].to_owned(),
            None => {
                let (name, tail) = (
                    usize::from(self.building) / TAILS.len(),
                    usize::from(self.building) % TAILS.len(),
                );
                format!("{}{}", BUILDINGS[name], TAILS[tail])
            }
        }
    }

    /// 方書 as the register spells it.
    pub(crate) fn register_building(&self) -> String {
        match self.room {
            0 => self.building_name(),
            room => format!("{}{}号室", self.building_name(), full_width(&room.to_string())),
        }
    }

    /// The numbers as the register spells them.
    pub(crate) fn register_numbers(&self, numbering: Numbering) -> String {
        full_width(&self.plain_numbers(numbering))
    }

    /// The numbers with all their words, in half-width digits.
    pub(crate) fn plain_numbers(&self, numbering: Numbering) -> String {
        let chome =
            if numbering.has_chome() { format!("{}丁目", self.chome) } else { String::new() };
        match (numbering.is_residential(), self.number) {
            (true, number) => format!("{chome}{}番{number}号", self.block),
            (false, 0) => format!("{chome}{}番地", self.block),
            (false, number) => format!("{chome}{}番地{number}", self.block),
        }
    }

    /// The numbers alone, outermost first.
    pub(crate) fn numbers(&self) -> Vec<u16> {
        [u16::from(self.chome), self.block, self.number]
            .into_iter()
            .filter(|number| *number > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spelled_like_a_register() {
        let place =
            Place { room: 802, building: 3 * TAILS.len() as u16 + 2, ..Place::plot(0, 3, 14, 5) };
        assert_eq!(place.register_numbers(Numbering::ChomeBanGo), "３丁目１４番５号");
        assert_eq!(Place::plot(0, 0, 886, 0).register_numbers(Numbering::Banchi), "８８６番地");
        assert_eq!(place.register_building(), "コーポラス青葉８０２号室");
        assert_eq!(place.numbers(), [3, 14, 5]);
    }

    #[test]
    fn every_building_has_a_name() {
        let mut chance = Chance::new(4, "places");
        for _ in 0..2000 {
            let plot = Place::plot(0, 0, 1, 0);
            assert!(!plot.with_flats(&mut chance).building_name().is_empty());
            assert!(!plot.with_facility(&mut chance).building_name().is_empty());
        }
    }
}
