//! Pairs of numbers, each once and in order.

use super::NONE;

/// The pairs, each once, in ascending order. The first numbers of pairs are below so many, or [`NONE`]: there are far fewer
/// of them than pairs, so the pairs fall into groups that are sorted for themselves.
pub(super) fn each_once_in_order(
    firsts: usize,
    pairs: impl Iterator<Item = (u32, u32)> + Clone,
) -> Vec<(u32, u32)> {
    // Whoever has no first number stands last.
    let group = |first: u32| if first == NONE { firsts } else { first as usize };
    let mut starts = vec![0u32; firsts + 2];
    pairs.clone().for_each(|(first, _)| starts[group(first) + 1] += 1);
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut seconds = vec![0; starts[firsts + 1] as usize];
    let mut free = starts.clone();
    for (first, second) in pairs {
        let place = &mut free[group(first)];
        seconds[*place as usize] = second;
        *place += 1;
    }
    let mut ordered = Vec::new();
    for (at, bounds) in starts.windows(2).enumerate() {
        let seconds = &mut seconds[bounds[0] as usize..bounds[1] as usize];
        seconds.sort_unstable();
        let first = u32::try_from(at).expect("fewer than 2^32 halves");
        let first = if at == firsts { NONE } else { first };
        ordered.extend(seconds.chunk_by(u32::eq).map(|same| (first, same[0])));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_stand_as_sorting_them_would_leave_them(
            pairs in prop::collection::vec((prop_oneof![0u32..7, Just(NONE)], prop_oneof![0u32..5, Just(NONE)]), 0..60),
        ) {
            let mut expected = pairs.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(each_once_in_order(7, pairs.iter().copied()), expected);
        }
    }
}
