//! Buckets: records sorted by a key of 64 bits, eight bytes each.
//!
//! A key's first bits say in which bucket it lies, so an entry needs but 32 more of them beside its record. Of a million
//! records 50 bits of each key are compared, and two unequal keys are taken for one about once in a thousand million
//! lookups; then a pair is compared for nothing. This file uses nothing of the crate, so that the benchmark of kernels can
//! take it in as it is.

/// The records of every key.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// 32 bits of the key, then the record.
    entries: Vec<u64>,
    /// Where the keys start whose first bits are the index.
    directory: Vec<u32>,
    shift: u32,
}

/// Entries of a bucket, on average.
const BUCKET_ENTRIES: usize = 4;

/// Entries of most buckets: two lines of a processor's cache.
const SHORT_BUCKET: usize = 16;

impl Buckets {
    /// Sorts records by their keys.
    pub(crate) fn sort(keyed: &[Keyed]) -> Self {
        let count: usize = keyed.iter().map(|part| part.keys.len()).sum();
        let buckets = (count / BUCKET_ENTRIES).next_power_of_two().max(2);
        let shift = 64 - buckets.trailing_zeros();
        let bucket = |key: u64| (key >> shift) as usize;
        let mut directory = vec![0u32; buckets + 1];
        for &key in keyed.iter().flat_map(|part| &part.keys) {
            directory[bucket(key) + 1] += 1;
        }
        for bucket in 1..directory.len() {
            directory[bucket] += directory[bucket - 1];
        }
        // Every bucket is filled from its end: afterwards its entry in the directory is where it starts.
        let mut entries = vec![0u64; count];
        let backwards = keyed.iter().rev();
        for (&key, &row) in backwards.flat_map(|part| part.keys.iter().zip(&part.rows).rev()) {
            let end = &mut directory[bucket(key) + 1];
            *end -= 1;
            entries[*end as usize] = entry(key, shift, row);
        }
        directory.remove(0);
        directory.push(u32::try_from(entries.len()).expect("fewer than 2^32 keys"));
        for bounds in directory.windows(2) {
            entries[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Self { entries, directory, shift }
    }

    /// The entries under a key.
    pub(crate) fn block(&self, key: u64) -> &[u64] {
        let (start, end) = self.bounds(key);
        self.between(start, end)
    }

    /// Where the entries under a key start and end.
    #[inline]
    pub(crate) fn bounds(&self, key: u64) -> (u32, u32) {
        let bucket = (key >> self.shift) as usize;
        let (from, to) = (self.directory[bucket], self.directory[bucket + 1]);
        let entries = self.between(from, to);
        let first = entry(key, self.shift, 0);
        let (before, equal) = (|other: u64| other < first, |other: u64| other >> 32 == first >> 32);
        let (start, len) = if entries.len() <= SHORT_BUCKET {
            // Counting all entries is faster than guessing where to stop.
            let mut counts = (0, 0);
            for &entry in entries {
                counts.0 += usize::from(before(entry));
                counts.1 += usize::from(equal(entry));
            }
            counts
        } else {
            let start = entries.partition_point(|&other| before(other));
            (start, entries[start..].partition_point(|&other| equal(other)))
        };
        let place = |offset: usize| from + u32::try_from(offset).expect("fewer than 2^32 entries");
        (place(start), place(start + len))
    }

    /// Brings to hand what looking up these keys will look at: first where their buckets lie, then the buckets. Asked for
    /// at one go, all of it is on its way at the same time.
    pub(crate) fn fetch(&self, keys: impl Iterator<Item = u64>, starts: &mut Vec<u32>) {
        starts.clear();
        starts.extend(keys.map(|key| self.directory[(key >> self.shift) as usize]));
        let entries = starts.iter().filter_map(|&start| self.entries.get(start as usize));
        std::hint::black_box(entries.fold(0, |seen, entry| seen ^ entry));
    }

    /// Some entries.
    pub(crate) fn between(&self, start: u32, end: u32) -> &[u64] {
        &self.entries[start as usize..end as usize]
    }

    /// The numbers of records that share a key.
    pub(crate) fn block_sizes(&self) -> impl Iterator<Item = u64> {
        let buckets = self.directory.windows(2);
        buckets.flat_map(|bounds| {
            let bucket = &self.entries[bounds[0] as usize..bounds[1] as usize];
            bucket.chunk_by(|a, b| a >> 32 == b >> 32).map(|block| block.len() as u64)
        })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Records with their keys, unsorted.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    pub(crate) keys: Vec<u64>,
    rows: Vec<u32>,
}

impl Keyed {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self { keys: Vec::with_capacity(keys), rows: Vec::with_capacity(keys) }
    }

    pub(crate) fn push(&mut self, key: u64, row: u32) {
        self.keys.push(key);
        self.rows.push(row);
    }
}

/// The entry of a record under a key.
fn entry(key: u64, shift: u32, record: u32) -> u64 {
    // What stands behind the bits that choose the bucket.
    let rest = key << (64 - shift);
    (rest >> 32 << 32) | u64::from(record)
}

/// Whether a block holds a record.
pub(crate) fn holds(block: &[u64], resident: u32) -> bool {
    block.binary_search_by_key(&resident, |&entry| record(entry)).is_ok()
}

/// The record of an entry.
pub(crate) fn record(entry: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the record")]
    let record = entry as u32;
    record
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Keys as hashes are: spread over all 64 bits.
    fn spread(number: u64) -> u64 {
        number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    proptest! {
        #[test]
        fn a_block_holds_the_records_that_have_its_key(
            // Few keys fill long buckets, many fill short ones.
            parts in prop_oneof![Just(3u64), Just(60)].prop_flat_map(|keys| {
                prop::collection::vec(prop::collection::vec(0..keys, 0..80), 0..4)
            }),
        ) {
            let mut keyed: Vec<Keyed> = Vec::new();
            let mut plain: Vec<(u64, u32)> = Vec::new();
            for part in &parts {
                let mut of_part = Keyed::with_capacity(part.len());
                for &number in part {
                    let row = u32::try_from(plain.len()).expect("few");
                    of_part.push(spread(number), row);
                    plain.push((number, row));
                }
                keyed.push(of_part);
            }
            let buckets = Buckets::sort(&keyed);
            prop_assert_eq!(buckets.len(), plain.len());
            for asked in 0..70 {
                let found: Vec<u32> =
                    buckets.block(spread(asked)).iter().map(|&entry| record(entry)).collect();
                let have = plain.iter().filter(|(number, _)| *number == asked);
                prop_assert_eq!(found, have.map(|&(_, row)| row).collect::<Vec<_>>());
            }
            let of_keys = |number| plain.iter().filter(|(other, _)| *other == number).count() as u64;
            let mut sizes: Vec<u64> = (0..60).map(of_keys).filter(|&size| size > 0).collect();
            let mut told: Vec<u64> = buckets.block_sizes().collect();
            sizes.sort_unstable();
            told.sort_unstable();
            prop_assert_eq!(told, sizes);
        }
    }
}
