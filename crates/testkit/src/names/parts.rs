//! The parts from which names are composed.

use std::collections::BTreeMap;

const TABLE: &str = include_str!("../../data/name_parts.tsv");

/// One part: kanji and readings, the usual one first.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) kanji: &'static str,
    pub(crate) readings: Vec<&'static str>,
}

/// Parts by role.
#[derive(Debug)]
pub(crate) struct Parts {
    roles: BTreeMap<&'static str, Vec<Part>>,
}

impl Parts {
    /// Reads the table.
    pub(crate) fn read() -> Self {
        let roles = TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
            .map(|(role, parts)| (role, parts.split(' ').map(part).collect()))
            .collect();
        Self { roles }
    }

    /// The parts of one role, in order of use; empty for a role the table does not have.
    pub(crate) fn of(&self, role: &str) -> &[Part] {
        self.roles.get(role).map_or(&[], Vec::as_slice)
    }
}

/// Letters of one role and one usual reading: the ones a clerk exchanges.
pub(crate) fn homophone_groups(parts: &Parts) -> Vec<Vec<char>> {
    let mut groups: BTreeMap<(&str, &str), Vec<char>> = BTreeMap::new();
    for (role, parts) in &parts.roles {
        // Generations share their readings: 正 (old) and 雅 (mid) are both マサ.
        let position =
            role.trim_end_matches("_old").trim_end_matches("_mid").trim_end_matches("_new");
        for part in parts {
            let mut letters = part.kanji.chars();
            if let (Some(letter), None) = (letters.next(), letters.next()) {
                for reading in &part.readings {
                    let group = groups.entry((position, reading)).or_default();
                    if !group.contains(&letter) {
                        group.push(letter);
                    }
                }
            }
        }
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

fn part(text: &'static str) -> Part {
    let (kanji, readings) = text.split_once(':').unwrap_or((text, ""));
    Part { kanji, readings: readings.split('/').collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_katakana_reading() {
        let parts = Parts::read();
        for (role, parts) in parts.roles.iter().filter(|(role, _)| !role.starts_with("table_")) {
            assert!(parts.len() > 10, "{role}");
            for part in parts {
                assert!(
                    part.readings.iter().all(|reading| !reading.is_empty()
                        && reading.chars().all(|kana| ('ァ'..='ー').contains(&kana))),
                    "{role} {part:?}"
                );
            }
        }
    }

    #[test]
    fn homophones_share_a_reading() {
        let groups = homophone_groups(&Parts::read());
        assert!(groups.iter().any(|group| group.contains(&'之') && group.contains(&'行')));
    }
}
