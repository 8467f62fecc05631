//! The invented city: prefecture, towns, postal codes, and how its addresses are spelled in the register.
//!
//! The prefecture is a real word, city and towns are put together from neutral parts; a seed chooses which. One town per
//! 600 residents. Numbers follow one of the two laws: 住居表示 (番 and 号) or land register (番地 and 枝番).

use std::collections::BTreeSet;

use crate::chance::{Chance, Weights};
use crate::place::Place;

/// Prefectures with the first three digits of their codes; two of them begin with the zero that spreadsheets lose.
const PREFECTURES: [(&str, u32); 6] =
    [("千葉県", 27), ("埼玉県", 34), ("静岡県", 42), ("岩手県", 2), ("兵庫県", 66), ("青森県", 3)];

const CITIES: [&str; 8] =
    ["美空市", "風見市", "星浜市", "緑野市", "花里市", "雲居市", "青波市", "朝凪市"];

const PREFIXES: [&str; 12] = ["", "", "", "東", "西", "南", "北", "中", "上", "下", "新", "元"];

const STEMS: [&str; 88] = [
    "若松",
    "大和",
    "寿",
    "平和",
    "中央",
    "白山",
    "日の出",
    "緑ヶ丘",
    "桜ヶ丘",
    "富士見",
    "神明",
    "広尾",
    "鶴見",
    "亀有",
    "栄",
    "渡辺",
    "国府",
    "塩浜",
    "泉ヶ丘",
    "ひばりが丘",
    "旭",
    "青葉",
    "曙",
    "朝日",
    "浅間",
    "池之端",
    "石神",
    "稲荷",
    "岩瀬",
    "梅ヶ枝",
    "浦島",
    "榎",
    "扇",
    "大沢",
    "鏡ヶ浦",
    "霞",
    "霧ヶ峰",
    "楠",
    "熊野",
    "栗林",
    "小島",
    "桜木",
    "笹塚",
    "里見",
    "沢田",
    "汐見",
    "清水",
    "新川",
    "末広",
    "杉並木",
    "関根",
    "千代",
    "高砂",
    "滝ノ沢",
    "竹園",
    "月見",
    "常盤",
    "戸崎",
    "中島",
    "長沼",
    "鳴瀬",
    "錦",
    "西浜",
    "野沢",
    "萩",
    "花園",
    "浜崎",
    "春日",
    "日吉",
    "藤見",
    "星ヶ丘",
    "細田",
    "堀之内",
    "松ヶ崎",
    "水沢",
    "三ツ木",
    "宮前",
    "室",
    "柳",
    "八重洲",
    "山吹",
    "夕日ヶ丘",
    "弓",
    "吉沢",
    "四ツ谷",
    "蓮沼",
    "竜ヶ崎",
    "鈴掛",
];

const SUFFIXES: [&str; 14] =
    ["", "", "", "", "町", "町", "台", "野", "原", "通", "新田", "本町", "浦", "東"];

/// How a town numbers its houses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// 丁目, 番, 号
    ChomeBanGo,
    /// 番, 号
    BanGo,
    /// 丁目, 番地, 枝番
    ChomeBanchi,
    /// 番地, 枝番
    Banchi,
}

impl Numbering {
    /// Whether the addresses name a 丁目.
    pub(crate) fn has_chome(self) -> bool {
        match self {
            Self::ChomeBanGo | Self::ChomeBanchi => true,
            Self::BanGo | Self::Banchi => false,
        }
    }

    /// Whether the numbers are 番 and 号.
    pub(crate) fn is_residential(self) -> bool {
        match self {
            Self::ChomeBanGo | Self::BanGo => true,
            Self::ChomeBanchi | Self::Banchi => false,
        }
    }
}

/// One town.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) name: String,
    pub(crate) numbering: Numbering,
    /// Seven digits without a hyphen.
    pub(crate) postal: String,
    chome: u32,
}

/// The invented city.
#[derive(Debug)]
pub(crate) struct City {
    pub(crate) prefecture: &'static str,
    pub(crate) name: &'static str,
    pub(crate) towns: Vec<Town>,
    weights: Weights,
}

impl City {
    /// A city with room for so many residents.
    pub(crate) fn invent(residents: usize, chance: &mut Chance) -> Self {
        let (prefecture, zone) = chance.pick(&PREFECTURES);
        let count = (residents / 600).clamp(12, 6_000);
        let mut city = Self {
            prefecture,
            name: chance.pick(&CITIES),
            towns: Vec::new(),
            weights: Weights::default(),
        };
        let (mut names, mut postals) = (BTreeSet::new(), BTreeSet::new());
        while city.towns.len() < count {
            let name = town_name(chance);
            let postal = format!("{zone:02}{:05}", chance.below(100_000));
            if !names.insert(name.clone()) || !postals.insert(postal.clone()) {
                continue;
            }
            let numbering = chance.weighted(&[
                (40, Numbering::Banchi),
                (35, Numbering::ChomeBanGo),
                (15, Numbering::BanGo),
                (10, Numbering::ChomeBanchi),
            ]);
            // A 大字 is land-register country.
            let numbering = match name.starts_with('大') && name.starts_with("大字")
                || name.starts_with('字')
            {
                true => Numbering::Banchi,
                false => numbering,
            };
            let chome = if numbering.has_chome() { chance.between(2, 8) } else { 0 };
            city.weights.push(
                u64::from(chance.between(20, 200)) * 1000 / (city.towns.len() as u64 / 4 + 20),
            );
            city.towns.push(Town { name, numbering, postal, chome });
        }
        city
    }

    /// A plot of land in some town, without a building.
    pub(crate) fn plot(&self, chance: &mut Chance) -> Place {
        let town = self.weights.draw(chance).min(self.towns.len().saturating_sub(1));
        let (numbering, chome) = self
            .towns
            .get(town)
            .map_or((Numbering::Banchi, 0), |town| (town.numbering, town.chome));
        let chome = if chome == 0 { 0 } else { chance.between(1, chome) as u8 };
        let (block, number) = match numbering {
            Numbering::ChomeBanGo | Numbering::BanGo => {
                (chance.between(1, 45), chance.between(1, 35))
            }
            Numbering::ChomeBanchi | Numbering::Banchi => {
                let branch = if chance.percent(75) { chance.between(1, 40) } else { 0 };
                (chance.between(1, 2600), branch)
            }
        };
        Place::plot(town as u16, chome, block as u16, number as u16)
    }

    /// The town of a place.
    pub(crate) fn town(&self, place: &Place) -> Option<&Town> {
        self.towns.get(usize::from(place.town))
    }

    /// The address as the register spells it, without the building.
    pub(crate) fn register_address(&self, place: &Place) -> String {
        match self.town(place) {
            Some(town) => format!(
                "{}{}{}{}",
                self.prefecture,
                self.name,
                town.name,
                place.register_numbers(town.numbering)
            ),
            None => String::new(),
        }
    }

    /// The postal code as the register spells it.
    pub(crate) fn register_postal(&self, place: &Place) -> String {
        self.town(place).map_or_else(String::new, |town| hyphened(&town.postal))
    }
}

/// Seven digits with the hyphen after the third.
pub(crate) fn hyphened(postal: &str) -> String {
    match postal.split_at_checked(3) {
        Some((head, tail)) => format!("{head}-{tail}"),
        None => postal.to_owned(),
    }
}

fn town_name(chance: &mut Chance) -> String {
    let stem = chance.pick(&STEMS);
    let prefix = chance.pick(&PREFIXES);
    let suffix = chance.pick(&SUFFIXES);
    let prefix = if stem.starts_with(prefix) { "" } else { prefix };
    // 緑ヶ丘町 exists nowhere, 緑ヶ丘 everywhere; one-letter stems need a suffix.
    let suffix = if stem.ends_with('丘') || stem.ends_with('町') { "" } else { suffix };
    let suffix = if suffix.is_empty() && stem.chars().count() == 1 { "町" } else { suffix };
    let rural = chance.weighted(&[(86, ""), (9, "大字"), (5, "字")]);
    format!("{rural}{prefix}{stem}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_grow_with_the_register_and_have_codes_of_their_own() {
        let city = City::invent(20_000, &mut Chance::new(1, "city"));
        assert_eq!(city.towns.len(), 33);
        let postals: BTreeSet<&str> = city.towns.iter().map(|town| town.postal.as_str()).collect();
        assert_eq!(postals.len(), 33);
        assert!(postals.iter().all(|postal| postal.len() == 7));
        assert_eq!(City::invent(3_000_000, &mut Chance::new(1, "city")).towns.len(), 5_000);
    }

    #[test]
    fn register_addresses_use_full_width_digits() {
        let mut chance = Chance::new(2, "city");
        let city = City::invent(20_000, &mut chance);
        for _ in 0..200 {
            let address = city.register_address(&city.plot(&mut chance));
            assert!(address.starts_with(city.prefecture));
            assert!(!address.chars().any(|letter| letter.is_ascii()), "{address}");
        }
    }
}
