//! Rows in the order of their ids by bytes.

/// The rows `0..` of some ids, in the order of the ids by bytes, equal ids by row.
pub(crate) fn by_id<'a>(rows: u32, id: impl Fn(u32) -> &'a str) -> Vec<u32> {
    // Comparing the ids themselves would read them from all over memory at every step.
    let mut beginnings: Vec<(u128, u32)> = (0..rows).map(|row| (beginning(id(row)), row)).collect();
    beginnings.sort_unstable();
    for same in beginnings.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        same.sort_unstable_by_key(|&(_, row)| (id(row), row));
    }
    beginnings.into_iter().map(|(_, row)| row).collect()
}

/// The first bytes of an id as a number: of two ids the lesser one has the lesser beginning, or an equal one.
fn beginning(id: &str) -> u128 {
    let mut bytes = [0; 16];
    let len = id.len().min(bytes.len());
    bytes[..len].copy_from_slice(&id.as_bytes()[..len]);
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_stand_in_the_order_of_their_ids(
            ids in prop::collection::vec("([0]{14})?[0-2\\x00あ]{0,4}", 0..40),
        ) {
            let rows = u32::try_from(ids.len()).expect("few");
            let mut expected: Vec<u32> = (0..rows).collect();
            expected.sort_by_key(|&row| ids[row as usize].as_str());
            prop_assert_eq!(by_id(rows, |row| &ids[row as usize]), expected);
        }
    }
}
