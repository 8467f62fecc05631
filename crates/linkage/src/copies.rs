//! Copies: records of one file that are equal in every value.
//!
//! They are compared with others once, as one record, and their values are counted once. So a file of nothing but copies
//! costs no more than its distinct records, and no block grows by them. The original of some copies is the one with the
//! least id, so it does not depend on the order of the file.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::forms::NONE;
use crate::hash;
use crate::id_order::by_id;
use crate::intake::{RawColumn, RawRecords};

/// Which records are copies of which, and the order of all ids.
#[derive(Debug)]
pub(crate) struct Copies {
    /// For each row, the row that stands for it; its own where it is no copy.
    original: Vec<u32>,
    /// For each row, its place in the order of ids by bytes.
    rank: Vec<u32>,
    /// The row at each place.
    row: Vec<u32>,
    /// For each row, whether it is left out.
    left_out: Vec<bool>,
    /// For each original with copies: itself and its copies, by their ids.
    groups: BTreeMap<u32, Vec<u32>>,
}

impl Copies {
    pub(crate) fn find(raw: &RawRecords, left_out: &[usize]) -> Self {
        let rows = u32::try_from(raw.ids.len()).expect("fewer than 2^32 records");
        let row = by_id(rows, |row| raw.ids.get(row));
        let mut rank = vec![0; row.len()];
        for (place, &row) in (0u32..).zip(&row) {
            rank[row as usize] = place;
        }
        let mut is_left_out = vec![false; row.len()];
        left_out.iter().for_each(|&row| is_left_out[row] = true);

        let columns: Vec<&RawColumn> =
            raw.columns.iter().filter(|column| !column.rows.is_empty()).collect();
        let has_values = |row: u32| columns.iter().any(|column| column.rows[row as usize] != NONE);
        let by_values = |a: u32, b: u32| {
            let orders = columns.iter().map(|column| column.value(a).cmp(&column.value(b)));
            orders.fold(Ordering::Equal, Ordering::then)
        };
        let hash = |row: u32| {
            let cells = columns.iter().map(|column| column.value(row));
            cells.fold(0, |key, (first, rest)| {
                hash::mix(key, u64::from(first) << 32 | u64::from(rest))
            })
        };
        let taking_part = (0..rows).into_par_iter();
        let taking_part = taking_part.filter(|&row| !is_left_out[row as usize] && has_values(row));
        // Equal rows have equal hashes, which are compared faster than rows.
        let mut sorted: Vec<(u64, u32)> = taking_part.map(|row| (hash(row), row)).collect();
        sorted.par_sort_unstable();
        let mut original: Vec<u32> = (0..rows).collect();
        let mut groups = BTreeMap::new();
        for alike in sorted.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            alike.sort_unstable_by_key(|&(_, row)| rank[row as usize]);
            let are_equal =
                |rows: &[(u64, u32)]| by_values(rows[0].1, rows[1].1) == Ordering::Equal;
            if !alike.windows(2).all(are_equal) {
                alike.sort_by(|&(_, a), &(_, b)| by_values(a, b));
            }
            for equal in alike.chunk_by(|a, b| by_values(a.1, b.1) == Ordering::Equal) {
                let equal: Vec<u32> = equal.iter().map(|&(_, row)| row).collect();
                equal.iter().for_each(|&row| original[row as usize] = equal[0]);
                if equal.len() > 1 {
                    groups.insert(equal[0], equal);
                }
            }
        }
        Self { original, rank, row, left_out: is_left_out, groups }
    }

    /// How many records there are, copies and left out ones included.
    pub(crate) fn len(&self) -> usize {
        self.row.len()
    }

    /// The rows that are neither copies nor left out.
    pub(crate) fn originals(&self) -> impl Iterator<Item = u32> + '_ {
        let rows = (0u32..).zip(self.original.iter().zip(&self.left_out));
        rows.filter(|&(row, (&original, &left_out))| row == original && !left_out)
            .map(|(row, _)| row)
    }

    /// How many records are different and take part.
    pub(crate) fn distinct(&self) -> usize {
        self.originals().count()
    }

    /// The rows that are copies or left out.
    pub(crate) fn silent(&self) -> Vec<usize> {
        let silent = |&row: &usize| self.original[row] as usize != row || self.left_out[row];
        (0..self.len()).filter(silent).collect()
    }

    /// The originals that have copies.
    pub(crate) fn copied(&self) -> impl Iterator<Item = u32> + '_ {
        self.groups.keys().copied()
    }

    /// An original and its copies, by their ids.
    pub(crate) fn equal_to(&self, original: u32) -> &[u32] {
        match self.groups.get(&original) {
            Some(equal) => equal,
            None => std::slice::from_ref(&self.row[self.rank[original as usize] as usize]),
        }
    }

    /// All rows in the order of their ids.
    pub(crate) fn by_id(&self) -> impl Iterator<Item = u32> + '_ {
        self.row.iter().copied()
    }

    /// The row that stands for this one.
    pub(crate) fn original(&self, row: u32) -> u32 {
        self.original[row as usize]
    }

    /// The place of a row in the order of ids.
    pub(crate) fn rank(&self, row: u32) -> u32 {
        self.rank[row as usize]
    }

    /// The row at a place in the order of ids.
    pub(crate) fn row(&self, rank: u32) -> u32 {
        self.row[rank as usize]
    }

    /// Two rows, the one of the lesser id first.
    pub(crate) fn in_order(&self, a: u32, b: u32) -> (u32, u32) {
        if self.rank(a) <= self.rank(b) { (a, b) } else { (b, a) }
    }
}
