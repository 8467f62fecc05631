//! Looking up who shares a key, in an index larger than the caches.
//!
//! Every answer has to fetch a place of the directory and a bucket. So the floor is two reads at random places of as many
//! bytes: independent of each other where the engine asks for many keys at a time, each waiting for the one before where it
//! asks one by one.

use std::hint::black_box;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::{Contest, Group};

#[path = "../../crates/linkage/src/blocking/buckets.rs"]
#[expect(dead_code, reason = "the engine's own file, of which lookups are measured")]
mod buckets;

use buckets::{Buckets, Keyed, record};

/// Lookups of one round.
const LOOKUPS: usize = 500_000;
/// Keys of a rule in one round.
const AT_A_TIME: usize = 32_768;
/// Records that share a key, on average.
const RECORDS_PER_KEY: u64 = 2;
/// One in so many lookups finds nobody.
const STRANGERS: u64 = 4;

/// An index, and what it is measured with.
pub(crate) struct Index {
    buckets: Buckets,
    entries: usize,
    /// The same keys in a hash table: where the records of each begin, and how many they are.
    table: HashMap<u64, (u32, u32)>,
    /// Memory of the size of the directory, and of that of the buckets.
    directory: Vec<u32>,
    places: Vec<u64>,
    asked: Vec<u64>,
}

/// Spreads numbers over 64 bits, as a hash does.
fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A place among so many, by the first bits of a key.
fn place(key: u64, places: usize) -> usize {
    ((u128::from(key) * places as u128) >> 64) as usize
}

impl Index {
    pub(crate) fn build(entries: usize) -> Self {
        let keys = (entries as u64 / RECORDS_PER_KEY).max(1);
        let mut keyed = Keyed::with_capacity(entries);
        let mut table: HashMap<u64, (u32, u32)> = HashMap::with_capacity(keys as usize);
        for row in 0..u32::try_from(entries).unwrap_or(u32::MAX) {
            let key = spread(spread(u64::from(row)) % keys);
            keyed.push(key, row);
            table.entry(key).or_insert((row, 0)).1 += 1;
        }
        let ask = |number: u64| {
            let stranger = number.is_multiple_of(STRANGERS);
            spread(spread(number << 32) % keys + if stranger { keys } else { 0 })
        };
        let buckets = Buckets::sort(&[keyed]);
        let directory = (entries / 4).next_power_of_two().max(2);
        Self {
            buckets,
            entries,
            table,
            directory: (0..directory as u64).map(|number| spread(number) as u32).collect(),
            places: (0..entries as u64).map(spread).collect(),
            asked: (0..LOOKUPS as u64).map(ask).collect(),
        }
    }

    fn bytes(&self) -> usize {
        self.directory.len() * 4 + self.entries * 8
    }

    /// As the engine asks: a round of keys in the order in which they lie, which is a part of the work.
    fn many_at_a_time(&self) -> u64 {
        let mut sum = 0;
        let mut round = Vec::with_capacity(AT_A_TIME);
        for keys in self.asked.chunks(AT_A_TIME) {
            round.clear();
            round.extend_from_slice(keys);
            round.sort_unstable();
            for &key in &round {
                let block = self.buckets.block(key);
                sum += block.iter().map(|&entry| u64::from(record(entry))).sum::<u64>();
            }
        }
        sum
    }

    /// Each key is known only once the answer before it is.
    fn one_by_one(&self) -> u64 {
        let mut sum = 0;
        for &key in &self.asked {
            let block = self.buckets.block(key ^ nothing(sum));
            sum += block.iter().map(|&entry| u64::from(record(entry))).sum::<u64>();
        }
        sum
    }

    fn table_many_at_a_time(&self) -> u64 {
        self.asked
            .iter()
            .map(|key| self.table.get(key).map_or(0, |&(_, many)| u64::from(many)))
            .sum()
    }

    fn table_one_by_one(&self) -> u64 {
        let mut sum = 0;
        for &key in &self.asked {
            let found = self.table.get(&(key ^ nothing(sum)));
            sum += found.map_or(0, |&(_, many)| u64::from(many));
        }
        sum
    }

    fn reads_many_at_a_time(&self) -> u64 {
        let read = |&key: &u64| {
            let start = self.directory[place(key, self.directory.len())];
            u64::from(start) ^ self.places[place(key, self.places.len())]
        };
        self.asked.iter().map(read).fold(0, u64::wrapping_add)
    }

    fn reads_one_by_one(&self) -> u64 {
        let mut sum = 0;
        for &key in &self.asked {
            let start = u64::from(self.directory[place(key ^ nothing(sum), self.directory.len())]);
            let found = self.places[place(key ^ nothing(start), self.places.len())];
            sum = found ^ start;
        }
        sum
    }
}

/// Zero, which the processor knows only once it has the value.
fn nothing(value: u64) -> u64 {
    black_box(value) & black_box(0)
}

pub(crate) fn group(index: &Index) -> Group<'_> {
    let index = Rc::new(index);
    let over = |run: fn(&Index) -> u64| {
        let index = Rc::clone(&index);
        move || run(&index)
    };
    let (reads, table) = ("two random reads", "hash table");
    let contests = vec![
        Contest::new("many keys at a time", LOOKUPS, over(Index::many_at_a_time))
            .beside(reads, over(Index::reads_many_at_a_time))
            .beside(table, over(Index::table_many_at_a_time)),
        Contest::new("each after the answer before it", LOOKUPS, over(Index::one_by_one))
            .beside(reads, over(Index::reads_one_by_one))
            .beside(table, over(Index::table_one_by_one)),
    ];
    Group {
        title: "Looking up a blocking key",
        about: format!(
            "An index of {} records, {} MB, in random order; one key in {STRANGERS} is nobody's. The random reads go \
             over as many bytes. The hash table finds how many records have a key, and has yet to fetch them.",
            index.entries,
            index.bytes() / 1_000_000
        ),
        contests,
    }
}
