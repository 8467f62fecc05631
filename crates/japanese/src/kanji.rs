//! Variant kanji: which letters are the same letter, for keys only.
//!
//! 渡邊, 渡邉 and 渡辺 are one family name on three forms. The table `data/kanji_variants.tsv` says which letters
//! collapse, which pairs are good only for finding candidates, and which look alike and are different names.
//! Invariant: every folding is idempotent and maps a connected class of letters to one member; a pair the table calls
//! `never` is never joined, however the chains run. Text is folded elsewhere ([`crate::text::fold`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The letter that stands for its class in keys that decide: old forms, registered variants, radicals.
pub fn fold_variant(letter: char) -> char {
    TABLE.get(letter).map_or(letter, |folds| folds.variant)
}

/// [`fold_variant`] over a text; the number of letters stays.
pub fn fold_variants(text: &str) -> Cow<'_, str> {
    let table = &*TABLE;
    let variant = |letter| table.get(letter).map_or(letter, |folds| folds.variant);
    if text.chars().all(|letter| variant(letter) == letter) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(variant).collect())
}

/// A wider class (斉 with 斎, 坂 with 阪), only to find candidates: these are different names.
pub fn fold_weak(letter: char) -> char {
    TABLE.get(letter).map_or(letter, |folds| folds.weak)
}

/// The widest class, for address text only: spellings of one place such as ヶ and が, ノ and 之.
pub fn fold_address(letter: char) -> char {
    TABLE.get(letter).map_or(letter, |folds| folds.address)
}

/// Whether two different letters are easily mistaken for each other although they make different names (大 and 太).
pub fn is_look_alike(one: char, other: char) -> bool {
    let (one, other) = (fold_variant(one), fold_variant(other));
    TABLE.look_alikes.contains(&(one.min(other), one.max(other)))
}

/// Place-name spellings the table does not list: 霞が関 and 霞ヶ関, 三ッ沢 and 三つ沢, 乃木坂 and 之.
const ADDRESS_SPELLINGS: [(char, char); 13] = [
    ('埠', 'ふ'),
    ('舟', '船'),
    ('ガ', 'ケ'),
    ('が', 'ケ'),
    ('ゖ', 'ケ'),
    ('け', 'ケ'),
    ('っ', 'ツ'),
    ('つ', 'ツ'),
    ('乃', 'の'),
    ('か', 'カ'),
    ('ゕ', 'カ'),
    ('え', 'エ'),
    ('ゑ', 'エ'),
];

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../data/kanji_variants.tsv")));

/// What the three foldings make of one letter.
#[derive(Clone, Copy)]
struct Folds {
    variant: char,
    weak: char,
    address: char,
}

/// Letters to foldings in two steps, by block of 256 letters: 1,300 letters in some 190 blocks.
struct Table {
    /// Block of a letter; 0 is the block without entries.
    blocks: Vec<u16>,
    /// Entry of a letter within its block; 0 is no entry.
    entries: Vec<[u16; 256]>,
    folds: Vec<Folds>,
    look_alikes: BTreeSet<(char, char)>,
}

impl Table {
    fn get(&self, letter: char) -> Option<&Folds> {
        let code = u32::from(letter) as usize;
        let block = usize::from(*self.blocks.get(code >> 8)?);
        let entry = self.entries.get(block)?[code & 0xff];
        if entry == 0 { None } else { self.folds.get(usize::from(entry)) }
    }

    fn read(rows: &str) -> Table {
        let rows: Vec<Row<'_>> = rows.lines().filter_map(Row::read).collect();
        let never: Vec<(char, char)> = rows
            .iter()
            .filter(|row| row.class == "X")
            .map(|row| (row.variant, row.canonical))
            .collect();
        let pairs = |wanted: &[&str]| -> Vec<(char, char)> {
            rows.iter()
                .filter(|row| wanted.contains(&row.rule))
                .map(|row| (row.variant, row.canonical))
                .collect()
        };
        let mut classes = Classes { joined: BTreeMap::new(), never: &never };
        classes.join_all(&pairs(&["match", "nfkc"]));
        let variant = classes.clone();
        classes.join_all(&pairs(&["weak"]));
        let weak = classes.clone();
        classes.join_all(&pairs(&["address"]));
        classes.join_all(&ADDRESS_SPELLINGS);
        Table::build(&variant, &weak, &classes, &never)
    }

    fn build(
        variant: &Classes<'_>,
        weak: &Classes<'_>,
        address: &Classes<'_>,
        never: &[(char, char)],
    ) -> Table {
        let identity = Folds { variant: '\0', weak: '\0', address: '\0' };
        let mut table = Table {
            blocks: vec![0; 0x300],
            entries: vec![[0; 256]],
            folds: vec![identity],
            look_alikes: BTreeSet::new(),
        };
        for letter in address.joined.keys().copied() {
            let folds = Folds {
                variant: variant.head(letter),
                weak: weak.head(letter),
                address: address.head(letter),
            };
            table.insert(letter, folds);
        }
        for (one, other) in never {
            let (one, other) = (variant.head(*one), variant.head(*other));
            table.look_alikes.insert((one.min(other), one.max(other)));
        }
        table
    }

    fn insert(&mut self, letter: char, folds: Folds) {
        let code = u32::from(letter) as usize;
        let (Ok(entry), Ok(next)) =
            (u16::try_from(self.folds.len()), u16::try_from(self.entries.len()))
        else {
            return;
        };
        let Some(block) = self.blocks.get_mut(code >> 8) else { return };
        if *block == 0 {
            *block = next;
            self.entries.push([0; 256]);
        }
        self.entries[usize::from(*block)][code & 0xff] = entry;
        self.folds.push(folds);
    }
}

/// One row of the table.
struct Row<'a> {
    variant: char,
    canonical: char,
    class: &'a str,
    rule: &'a str,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Row<'a>> {
        let mut cells = line.split('\t');
        let variant = only(cells.next()?)?;
        let canonical = only(cells.next()?)?;
        Some(Row { variant, canonical, class: cells.next()?, rule: cells.next()? })
    }
}

/// The letter of a one-letter cell; comments and the header have longer ones.
fn only(cell: &str) -> Option<char> {
    let mut letters = cell.chars();
    letters.next().filter(|_| letters.next().is_none())
}

/// Disjoint classes of letters, each with one head, grown pair by pair.
#[derive(Clone)]
struct Classes<'a> {
    /// The head of every letter that was ever joined; heads point to themselves.
    joined: BTreeMap<char, char>,
    never: &'a [(char, char)],
}

impl Classes<'_> {
    fn head(&self, letter: char) -> char {
        self.joined.get(&letter).copied().unwrap_or(letter)
    }

    fn join_all(&mut self, pairs: &[(char, char)]) {
        for (variant, canonical) in pairs {
            self.join(*variant, *canonical);
        }
    }

    /// Puts two classes under the head of the second, unless that would join a `never` pair.
    fn join(&mut self, variant: char, canonical: char) {
        let (loses, wins) = (self.head(variant), self.head(canonical));
        let separate = |one: char, other: char| {
            let heads = (self.head(one), self.head(other));
            heads == (loses, wins) || heads == (wins, loses)
        };
        if loses != wins && self.never.iter().any(|(one, other)| separate(*one, *other)) {
            return;
        }
        for letter in [variant, canonical] {
            let head = self.head(letter);
            self.joined.insert(letter, head);
        }
        for head in self.joined.values_mut().filter(|head| **head == loses) {
            *head = wins;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Iterator<Item = Row<'static>> {
        include_str!("../data/kanji_variants.tsv").lines().filter_map(Row::read)
    }

    #[test]
    fn registered_variants_collapse() {
        for (written, key) in [
            ("渡邊", "渡辺"),
            ("渡邉", "渡辺"),
            ("髙橋", "高橋"),
            ("山﨑", "山崎"),
            ("𠮷田", "吉田"),
            ("齋藤", "斎藤"),
            ("齊藤", "斉藤"),
            ("濵田", "浜田"),
            ("濱田", "浜田"),
            ("小嶋", "小島"),
            ("冨田", "富田"),
            ("國部", "国部"),
            ("關", "関"),
            ("澤田", "沢田"),
            ("廣瀨", "広瀬"),
            ("⺠⻑⻄⻘", "民長西青"),
        ] {
            assert_eq!(fold_variants(written), key, "{written}");
        }
        assert!(matches!(fold_variants("高橋"), Cow::Borrowed(_)));
    }

    #[test]
    fn different_names_stay_apart() {
        assert_ne!(fold_variant('斎'), fold_variant('斉'));
        assert_ne!(fold_variant('凜'), fold_variant('凛'));
        assert_eq!(fold_weak('斎'), fold_weak('齊'));
        assert_eq!(fold_weak('渕'), fold_weak('渊'));
        assert!(is_look_alike('大', '太') && is_look_alike('太', '大'));
        assert!(is_look_alike('己', '巳') && !is_look_alike('大', '大'));
        assert!(!is_look_alike('佑', '裕'));
    }

    #[test]
    fn address_spellings_meet() {
        for class in ["ヶケがガ", "ッっツつ", "ノの之乃", "ヵカか", "ヱエえ"] {
            let keys: BTreeSet<char> = class.chars().map(fold_address).collect();
            assert_eq!(keys.len(), 1, "{class}");
        }
        assert_ne!(fold_address('ヶ'), fold_address('カ'));
        assert_eq!(fold_address('二'), '二');
        assert_eq!(fold_address('八'), '八');
    }

    #[test]
    fn every_row_does_what_it_says() {
        for row in rows() {
            let (one, other) = (row.variant, row.canonical);
            match row.rule {
                "match" | "nfkc" => {
                    assert_eq!(fold_variant(one), fold_variant(other), "{one}{other}")
                }
                "weak" => {
                    assert_eq!(fold_weak(one), fold_weak(other), "{one}{other}");
                    assert_ne!(fold_variant(one), fold_variant(other), "{one}{other}");
                }
                "address" => assert_eq!(fold_address(one), fold_address(other), "{one}{other}"),
                "never" => {
                    assert!(is_look_alike(one, other), "{one}{other}");
                    assert_ne!(fold_variant(one), fold_variant(other), "{one}{other}");
                    assert_ne!(fold_weak(one), fold_weak(other), "{one}{other}");
                    assert_ne!(fold_address(one), fold_address(other), "{one}{other}");
                }
                _ => {}
            }
        }
    }

    #[test]
    fn match_rows_lead_to_the_letter_the_table_names() {
        for row in rows().filter(|row| row.rule == "match") {
            assert_eq!(fold_variant(row.variant), row.canonical);
            assert_eq!(fold_variant(row.canonical), row.canonical);
        }
    }

    #[test]
    fn foldings_are_idempotent_and_nested_for_every_letter() {
        for letter in '\0'..=char::MAX {
            let (variant, weak, address) =
                (fold_variant(letter), fold_weak(letter), fold_address(letter));
            assert_eq!(fold_variant(variant), variant);
            assert_eq!(fold_weak(weak), weak);
            assert_eq!(fold_address(address), address);
            assert_eq!(fold_weak(variant), weak);
            assert_eq!(fold_address(weak), address);
        }
    }

    #[test]
    fn chains_never_join_a_forbidden_pair() {
        let never = [('甲', '乙')];
        let mut classes = Classes { joined: BTreeMap::new(), never: &never };
        classes.join_all(&[('甲', '丙'), ('乙', '丁'), ('丙', '丁'), ('戊', '丁'), ('丁', '戊')]);
        assert_eq!(classes.head('甲'), '丙');
        assert_eq!(classes.head('乙'), '丁');
        assert_eq!(classes.head('戊'), '丁');
    }

    proptest! {
        #[test]
        fn letters_are_neither_lost_nor_added(text in any::<String>()) {
            let folded = fold_variants(&text);
            prop_assert_eq!(folded.chars().count(), text.chars().count());
            prop_assert_eq!(&fold_variants(&folded), &folded);
        }
    }
}
