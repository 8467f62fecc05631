//! Kanji that are mistaken for, written for, or read like another.
//!
//! Three relations, all symmetric: other forms of the same letter (高 髙), look-alikes of another letter (土 士), and
//! homophones among the parts of names (康司 康志).

use std::collections::BTreeMap;

use crate::chance::Chance;

const FORMS: &str = include_str!("../data/name_letters.tsv");

/// Pairs a hurried hand confuses; other letters, other names.
const LOOK_ALIKES: &str = "井丼 間問 土士 大太 矢失 宮官 己巳 徴微 堀掘 未末 郎朗 東束 柿杮 鳥烏 爪瓜 佑祐 裕祐 苗笛 菅管 綱網 萩荻 綿錦 田由 本木 木水 村材 林杯 川小 千干 石右 古吉 北比 今令 上土 中史 西酉 貝見 白自 日目 理埋 美実 恵患 和知 浩活 洋羊 孝考 幸辛 子了 広庄";

/// Simple kanji that a careless choice from a list leaves behind.
const CARELESS: [char; 16] = [
    '土', '人', '口', '右', '子', '正', '水', '山', '中', '本', '文', '之', '大', '未', '平', '立',
];

/// The relations between letters.
#[derive(Debug)]
pub(crate) struct Letters {
    forms: BTreeMap<char, Vec<char>>,
    look_alikes: BTreeMap<char, Vec<char>>,
    homophones: BTreeMap<char, Vec<char>>,
}

impl Letters {
    /// Reads the tables; `homophone_groups` are letters of one role with one reading.
    pub(crate) fn new(homophone_groups: &[Vec<char>]) -> Self {
        let mut forms = BTreeMap::new();
        for line in FORMS.lines().filter(|line| !line.starts_with('#')) {
            let group: Vec<char> = line.chars().filter(|letter| *letter != '\t').collect();
            relate(&mut forms, &group);
        }
        let mut look_alikes = BTreeMap::new();
        for pair in LOOK_ALIKES.split(' ') {
            relate(&mut look_alikes, &pair.chars().collect::<Vec<_>>());
        }
        let mut homophones = BTreeMap::new();
        for group in homophone_groups {
            relate(&mut homophones, group);
        }
        Self { forms, look_alikes, homophones }
    }

    /// Other forms of the same letter.
    pub(crate) fn forms(&self, letter: char) -> &[char] {
        self.forms.get(&letter).map_or(&[], Vec::as_slice)
    }

    /// Other letters with the same reading in names.
    pub(crate) fn homophones(&self, letter: char) -> &[char] {
        self.homophones.get(&letter).map_or(&[], Vec::as_slice)
    }

    /// What a typing error makes of a kanji: a look-alike where there is one, else anything.
    pub(crate) fn mistyped(&self, letter: char, chance: &mut Chance) -> char {
        match self.look_alikes.get(&letter) {
            Some(others) => chance.pick(others),
            None => {
                let other = chance.pick(&CARELESS);
                if other == letter { '木' } else { other }
            }
        }
    }

    /// Whether any letter of the text has another form.
    pub(crate) fn has_forms(&self, text: &str) -> bool {
        text.chars().any(|letter| self.forms.contains_key(&letter))
    }

    /// Whether any letter of the text has a homophone.
    pub(crate) fn has_homophones(&self, text: &str) -> bool {
        text.chars().any(|letter| self.homophones.contains_key(&letter))
    }
}

/// Whether the letter is a kanji (々 counts).
pub(crate) fn is_kanji(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ffff}' | '々')
}

fn relate(relation: &mut BTreeMap<char, Vec<char>>, group: &[char]) {
    for letter in group {
        let others = relation.entry(*letter).or_default();
        for other in group {
            if other != letter && !others.contains(other) {
                others.push(*other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_symmetric() {
        let letters = Letters::new(&[]);
        assert!(letters.forms('髙').contains(&'高'));
        assert!(letters.forms('辺').contains(&'邉') && letters.forms('邉').contains(&'邊'));
        assert!(letters.forms('山').is_empty());
    }

    #[test]
    fn a_typing_error_never_leaves_the_letter() {
        let letters = Letters::new(&[]);
        let mut chance = Chance::new(1, "typing");
        for letter in "土木本文之未田山".chars().cycle().take(500) {
            assert_ne!(letters.mistyped(letter, &mut chance), letter);
        }
    }
}
