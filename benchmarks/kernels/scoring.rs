//! Levels into patterns, and odds into odds: what is done for every candidate pair once it is compared.

use std::rc::Rc;

use renkei_linkage::MatchWeight;

use crate::{Contest, Group};

#[path = "../../crates/linkage/src/pattern.rs"]
#[allow(dead_code, unreachable_pub, reason = "the engine's own file, of which packing is measured")]
mod pattern;

use pattern::Radix;

/// Levels of arrangement, family name, given name, date, sex, place: what a payment list is compared by.
const SIZES: [u8; 6] = [7, 25, 25, 14, 3, 11];
const PAIRS: usize = 200_000;

/// Numbers without a pattern that a processor could learn.
fn numbers() -> impl Iterator<Item = u32> {
    let mut state = 1_u64;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    })
}

pub(crate) fn group() -> Group<'static> {
    let mut random = numbers();
    let mut level = |size: u8| (random.next().unwrap_or_default() % u32::from(size)) as u8;
    let levels: Rc<Vec<u8>> = Rc::new((0..PAIRS).flat_map(|_| SIZES.map(&mut level)).collect());
    let radix = Radix::new(SIZES.iter().map(|&size| usize::from(size)));
    let to_pack = Rc::clone(&levels);
    let pack = move || {
        let pairs = to_pack.chunks_exact(SIZES.len());
        radix
            .as_ref()
            .map_or(0, |radix| pairs.map(|levels| radix.pack(levels).0).fold(0, u64::wrapping_add))
    };
    let read = move || levels.iter().map(|&level| u64::from(level)).sum();

    let weight = |number: u32| MatchWeight::from_millibits((number % 40_000) as i32 - 20_000);
    let weights: Rc<Vec<(MatchWeight, MatchWeight)>> = Rc::new(
        (0..PAIRS)
            .map(|_| {
                let mut next = || weight(random.next().unwrap_or_default());
                (next(), next())
            })
            .collect(),
    );
    let over = |of_two: fn(MatchWeight, MatchWeight) -> i32| {
        let weights = Rc::clone(&weights);
        move || weights.iter().map(|&(a, b)| i64::from(of_two(a, b))).sum::<i64>() as u64
    };
    let formula = |a: MatchWeight, b: MatchWeight| {
        MatchWeight::log2(libm::exp2(a.bits()) + libm::exp2(b.bits())).millibits()
    };
    Group {
        title: "Scoring, for each pair",
        about:
            "Levels as one number, and the odds of either of two causes; the floor is reading both."
                .to_owned(),
        contests: vec![
            Contest::new("levels into a pattern", PAIRS, pack).beside("reading", read),
            Contest::new("either of two causes", PAIRS, over(|a, b| a.or(b).millibits()))
                .beside("reading", over(|a, b| a.millibits() ^ b.millibits()))
                .beside("by logarithms", over(formula)),
        ],
    }
}
