//! Names of foreign residents: Latin names in passport order, and Chinese and Korean names in kanji.
//!
//! A name in kanji has two readings, the home language's and the Sino-Japanese one; registers hold either.

use std::sync::LazyLock;

use super::WrittenName;
use crate::chance::Chance;

const TABLE: &str = include_str!("../../data/foreign_names.tsv");

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Nation {
    China,
    Vietnam,
    Nepal,
    Philippines,
    Brazil,
    America,
    Indonesia,
}

const NATIONS: [(u32, Nation); 7] = [
    (40, Nation::China),
    (20, Nation::Vietnam),
    (11, Nation::Nepal),
    (11, Nation::Philippines),
    (8, Nation::Brazil),
    (4, Nation::America),
    (6, Nation::Indonesia),
];

/// Names of one nation: letters and readings separated by colons.
#[derive(Debug, Default)]
struct Lists {
    families: Vec<&'static str>,
    givens: Vec<&'static str>,
}

/// The table, a row per nation in the order of [`Nation`].
static LISTS: LazyLock<[Lists; NATIONS.len()]> = LazyLock::new(|| {
    let mut lists: [Lists; NATIONS.len()] = Default::default();
    let rows = TABLE.lines().filter(|row| !row.starts_with('#'));
    for (nation, row) in lists.iter_mut().zip(rows) {
        let mut cells = row.split('\t').skip(1).map(|cell| cell.split(',').collect());
        *nation = Lists {
            families: cells.next().unwrap_or_default(),
            givens: cells.next().unwrap_or_default(),
        };
    }
    lists
});

/// One foreign name: indices into its nation's lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForeignName {
    pub(crate) nation: Nation,
    pub(crate) family: u8,
    pub(crate) given: u8,
    /// Kanji names: registered with the Sino-Japanese reading.
    pub(crate) sino_japanese: bool,
    /// Latin names: registered in full-width letters.
    pub(crate) full_width: bool,
}

impl Nation {
    /// A nation, by its share among foreign residents.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        chance.weighted(&NATIONS)
    }

    fn lists(self) -> &'static Lists {
        &LISTS[self as usize]
    }
}

impl ForeignName {
    /// A name of the nation, with the family name given or drawn.
    pub(crate) fn draw(nation: Nation, family: Option<u8>, chance: &mut Chance) -> Self {
        let drawn = chance.index(nation.lists().families.len()) as u8;
        let given = chance.index(nation.lists().givens.len()) as u8;
        let (sino_japanese, full_width) = (chance.percent(35), chance.percent(30));
        Self { nation, family: family.unwrap_or(drawn), given, sino_japanese, full_width }
    }

    /// Whether the name is written in Latin letters.
    pub(crate) fn is_latin(self) -> bool {
        self.nation != Nation::China
    }

    /// The name as registered.
    pub(crate) fn written(self) -> WrittenName {
        let entry =
            |list: &[&'static str], at: u8| list.get(usize::from(at)).copied().unwrap_or("");
        let (family, family_kana) = self.spelled(entry(&self.nation.lists().families, self.family));
        let (given, given_kana) = self.spelled(entry(&self.nation.lists().givens, self.given));
        WrittenName { family, given, family_kana, given_kana }
    }

    /// The name with its other reading, for names in kanji.
    pub(crate) fn other_reading(self) -> Option<Self> {
        (!self.is_latin()).then_some(Self { sino_japanese: !self.sino_japanese, ..self })
    }

    fn spelled(self, entry: &str) -> (String, String) {
        let mut cells = entry.split(':');
        let letters = cells.next().unwrap_or("");
        let home = cells.next().unwrap_or("");
        let kana = if self.sino_japanese { cells.next().unwrap_or(home) } else { home };
        let letters = if self.is_latin() && self.full_width {
            full_width(letters)
        } else {
            letters.to_owned()
        };
        (letters, kana.replace(' ', "　"))
    }
}

/// Latin letters and spaces in full width.
pub(crate) fn full_width(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            ' ' => '　',
            '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
            _ => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_passport_order_with_kana() {
        let name = ForeignName {
            nation: Nation::Nepal,
            family: 0,
            given: 1,
            sino_japanese: false,
            full_width: false,
        };
        let written = name.written();
        assert_eq!((written.family.as_str(), written.given.as_str()), ("TAMANG", "RAM BAHADUR"));
        assert_eq!(written.kana(), "タマン　ラム　バハドゥル");
        assert_eq!(full_width("KC A"), "ＫＣ　Ａ");
    }

    #[test]
    fn kanji_names_have_two_readings() {
        let name = ForeignName {
            nation: Nation::China,
            family: 1,
            given: 0,
            sino_japanese: false,
            full_width: true,
        };
        assert_eq!(name.written().kana(), "リー　ウェイ");
        assert_eq!(name.other_reading().unwrap().written().kana(), "リ　イ");
    }
}
