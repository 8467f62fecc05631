//! Which leaves may answer a question, found without reading them.
//!
//! A log of a million leaves has some 700 MB; reading it for a question takes ten seconds. So of each leaf is remembered
//! where it begins and which words it has: as bits over a block of 65,536 leaves where a word is common, as places where it
//! is rare. A question is a few words that a leaf must have all at once, so it is a few bit operations for each block.
//!
//! ```text
//! block 3   DENIED    0110010…   (more than 4,096 leaves: bits)        and
//!           person x  7, 90, 4411 (fewer: places)                       = candidates, which are then read
//! ```
//! Invariant: every leaf that fits is a candidate, in the order of the log. A candidate need not fit: words are kept as
//! 64-bit hashes and times for each 16th leaf, so whoever reads it holds it against the question again.

mod bits;
mod word;

use std::collections::BTreeMap;
use std::collections::HashMap;

use renkei_tlog::PlacedLeaves;

use self::bits::{Bits, PLACES, Places};
pub(crate) use self::word::{Facet, Word};
use self::word::{Words, words_of};

/// Leaves that one block is about.
const BLOCK_LEAVES: u64 = PLACES as u64;

/// Of so many leaves the time of the first is kept.
const TIMED_LEAVES: usize = 16;

/// A question: one word of each group, and when.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) groups: Vec<Vec<Word>>,
    /// In milliseconds since 1970, from the first to before the second.
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// Where a leaf stands: its index in the log, and the byte of its bundle at which it begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) index: u64,
    pub(crate) offset: u32,
}

/// What is remembered of up to 65,536 leaves that follow each other.
#[derive(Debug, Default)]
pub(crate) struct Block {
    words: HashMap<Word, Places>,
    offsets: Vec<u32>,
    next_offset: u32,
    /// Of every sixteenth leaf; and of the last leaf of all.
    times: Vec<u64>,
    last_time: u64,
}

impl Block {
    /// The block that a leaf belongs to.
    pub(crate) fn of(index: u64) -> u64 {
        index / BLOCK_LEAVES
    }

    /// Where a block begins.
    pub(crate) fn first(number: u64) -> u64 {
        number * BLOCK_LEAVES
    }

    /// Adds the next leaf.
    pub(crate) fn add(&mut self, leaf: &[u8]) {
        // A block is full before its places are used up.
        let Ok(place) = u16::try_from(self.offsets.len()) else { return };
        // What cannot be read as a leaf has no words, and nobody can ask for it but by leaving all open.
        let Words { words, time } = words_of(leaf);
        self.last_time = time.unwrap_or(self.last_time);
        if u64::from(place).is_multiple_of(PlacedLeaves::BUNDLE) {
            self.next_offset = 0;
        }
        if usize::from(place).is_multiple_of(TIMED_LEAVES) {
            self.times.push(self.last_time);
        }
        self.offsets.push(self.next_offset);
        self.next_offset = PlacedLeaves::offset_behind(self.next_offset, leaf);
        for word in words {
            self.words.entry(word).or_default().push(place);
        }
    }

    /// The places that may answer.
    fn candidates(&self, question: &Question) -> Option<Bits> {
        if self.last_time < question.from || self.times.first()? >= &question.until {
            return None;
        }
        let mut bits = Bits::below(self.offsets.len());
        for group in &question.groups {
            let mut any = Bits::none();
            for word in group {
                if let Some(places) = self.words.get(word) {
                    any.add(places);
                }
            }
            if !bits.keep(&any) {
                return None;
            }
        }
        let begins = self.times.partition_point(|time| *time < question.from);
        let ends = self.times.partition_point(|time| *time < question.until);
        bits.keep_within(begins.saturating_sub(1) * TIMED_LEAVES..ends * TIMED_LEAVES);
        Some(bits)
    }
}

/// The blocks of a log.
#[derive(Debug, Default)]
pub(crate) struct LeafIndex {
    blocks: BTreeMap<u64, Block>,
}

impl LeafIndex {
    /// Adds a leaf; those of a block come in their order.
    pub(crate) fn add(&mut self, index: u64, leaf: &[u8]) {
        self.blocks.entry(Block::of(index)).or_default().add(leaf);
    }

    /// Adds a block that was made elsewhere.
    pub(crate) fn put(&mut self, number: u64, block: Block) {
        self.blocks.insert(number, block);
    }

    /// Leaves that may answer, from an index on and so many at most.
    pub(crate) fn candidates(&self, question: &Question, from: u64, most: usize) -> Vec<Place> {
        let mut found = Vec::new();
        for (number, block) in self.blocks.range(Block::of(from)..) {
            let Some(bits) = block.candidates(question) else { continue };
            let first = Block::first(*number);
            let begin = usize::try_from(from.saturating_sub(first)).unwrap_or(PLACES);
            for place in bits.from(begin).take(most - found.len()) {
                let index = first + place as u64;
                found.push(Place { index, offset: block.offsets[place] });
            }
            if found.len() >= most {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Vec<u8> {
        let (op, res) = (
            if n.is_multiple_of(3) { "DELIVER" } else { "ACK" },
            if n == 70_000 { "DENIED" } else { "OK" },
        );
        let t = 1_000 + n / 2;
        format!(r#"{{"clk":"ok","id":"event_{n}","op":"{op}","res":"{res}","t":{t},"v":1}}"#)
            .into_bytes()
    }

    fn ask(groups: &[&[(Facet, &str)]]) -> Question {
        let words = |group: &&[(Facet, &str)]| {
            group.iter().map(|(facet, text)| Word::new(*facet, text)).collect()
        };
        Question { groups: groups.iter().map(words).collect(), from: 0, until: u64::MAX }
    }

    fn found(index: &LeafIndex, question: &Question, from: u64, most: usize) -> Vec<u64> {
        index.candidates(question, from, most).iter().map(|place| place.index).collect()
    }

    #[test]
    fn words_are_found_in_every_block_common_ones_and_rare_ones() {
        let mut index = LeafIndex::default();
        (0..140_000).for_each(|n| index.add(n, &leaf(n)));
        let denied: &[_] = &[(Facet::Result, "DENIED")];
        let acked: &[_] = &[(Facet::Operation, "ACK")];
        let either: &[_] = &[(Facet::Operation, "ACK"), (Facet::Operation, "DELIVER")];
        let nobody: &[_] = &[(Facet::Actor, "nobody")];
        assert_eq!(found(&index, &ask(&[denied]), 0, 9), [70_000]);
        assert_eq!(found(&index, &ask(&[denied, acked]), 0, 9), [70_000]);
        assert_eq!(found(&index, &ask(&[denied, nobody]), 0, 9), [0; 0]);
        assert_eq!(found(&index, &ask(&[denied]), 70_001, 9), [0; 0]);
        assert_eq!(found(&index, &ask(&[acked]), 65_535, 3), [65_536, 65_537, 65_539]);
        assert_eq!(found(&index, &ask(&[either]), 0, usize::MAX).len(), 140_000);
        assert_eq!(found(&index, &ask(&[]), 139_999, 9), [139_999]);
    }

    #[test]
    fn times_leave_out_what_is_sixteen_leaves_away_and_never_what_fits() {
        let mut index = LeafIndex::default();
        (0..70_000).for_each(|n| index.add(n, &leaf(n)));
        let question = Question { from: 11_000, until: 11_010, ..ask(&[]) };
        let found = found(&index, &question, 0, usize::MAX);
        let fitting: Vec<u64> = (20_000..20_020).collect();
        assert!(fitting.iter().all(|n| found.contains(n)));
        assert!(found.len() <= fitting.len() + 32, "{}", found.len());
    }

    #[test]
    fn what_is_no_leaf_keeps_its_place() {
        let mut index = LeafIndex::default();
        for (n, bytes) in [leaf(0), b"no leaf".to_vec(), leaf(3)].iter().enumerate() {
            index.add(n as u64, bytes);
        }
        let place = index.candidates(&ask(&[&[(Facet::Operation, "DELIVER")]]), 1, 9);
        let offset = u32::try_from(2 + leaf(0).len() + 2 + "no leaf".len()).expect("small");
        assert_eq!(place, [Place { index: 2, offset }]);
    }
}
