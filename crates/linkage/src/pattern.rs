//! Agreement patterns: the levels of all comparisons of a pair as one number.
//!
//! A few hundred to a few thousand patterns stand for millions of pairs, so training and scoring work on patterns
//! (Enamorado, Fifield, Imai, "Using a Probabilistic Model to Assist Merging of Large-Scale Administrative Records",
//! APSR 2019).

/// The levels of a pair in mixed radix.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Pattern(pub(crate) u64);

/// How levels are packed into a pattern.
#[derive(Clone, Debug)]
pub(crate) struct Radix(Vec<u64>);

impl Radix {
    /// For comparisons with these numbers of levels.
    ///
    /// # Errors
    /// The product of the numbers exceeds 64 bits: too many comparisons.
    pub(crate) fn new(levels: impl Iterator<Item = usize>) -> Result<Self, TooManyFields> {
        let sizes: Vec<u64> = levels.map(|count| count as u64).collect();
        let mut products = sizes.iter().scan(1u64, |product, &size| {
            *product = product.checked_mul(size)?;
            Some(*product)
        });
        let fit = products.by_ref().count();
        if fit < sizes.len() {
            return Err(TooManyFields { comparisons: sizes.len(), fit });
        }
        Ok(Self(sizes))
    }

    pub(crate) fn pack(&self, levels: &[u8]) -> Pattern {
        Pattern(
            self.0
                .iter()
                .zip(levels)
                .fold(0, |code, (&size, &level)| code * size + u64::from(level)),
        )
    }

    pub(crate) fn unpack(&self, pattern: Pattern) -> Vec<u8> {
        let mut code = pattern.0;
        let mut levels: Vec<u8> = self
            .0
            .iter()
            .rev()
            .map(|&size| {
                #[expect(clippy::cast_possible_truncation, reason = "a comparison has few levels")]
                let level = (code % size) as u8;
                code /= size;
                level
            })
            .collect();
        levels.reverse();
        levels
    }
}

/// More comparisons than a pattern can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "too many fields to compare: they make {comparisons} comparisons, and about {fit} of this kind fit; leave out those that say least"
)]
pub struct TooManyFields {
    /// How many there are; a name counts three times.
    pub comparisons: usize,
    /// How many of them, from the first on, would fit.
    pub fit: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_unpacks_to_its_levels() {
        let radix = Radix::new([5, 20, 20, 9, 3, 10].into_iter()).expect("small");
        let levels = vec![4, 19, 0, 8, 2, 9];
        assert_eq!(radix.unpack(radix.pack(&levels)), levels);
        let too_many = Radix::new(std::iter::repeat_n(20, 16)).expect_err("20^15 is above 2^64");
        assert_eq!(too_many, TooManyFields { comparisons: 16, fit: 14 });
    }

    proptest! {
        #[test]
        fn any_levels_come_back_from_their_pattern(
            sized in prop::collection::vec((1usize..=20).prop_flat_map(|size| (Just(size), 0..size)), 0..14),
        ) {
            let radix = Radix::new(sized.iter().map(|&(size, _)| size)).expect("20^14 is below 2^64");
            let levels: Vec<u8> =
                sized.iter().map(|&(_, level)| u8::try_from(level).expect("below 20")).collect();
            prop_assert_eq!(radix.unpack(radix.pack(&levels)), levels);
        }
    }
}
