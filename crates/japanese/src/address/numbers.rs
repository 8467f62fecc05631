//! The numbers of an address in place, without an allocation.

use std::fmt;

/// More numbers than any address has: 丁目, 番, 号 and three 枝番.
const NUMBERS_MAX: usize = 6;

/// Up to six numbers, in order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Numbers {
    /// Zero from `count` on, so that derived comparison compares numbers only.
    values: [u32; NUMBERS_MAX],
    count: u8,
}

impl Numbers {
    /// The numbers in order.
    pub fn as_slice(&self) -> &[u32] {
        &self.values[..usize::from(self.count)]
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Adds a number; `false` when there is no place for it.
    pub(crate) fn push(&mut self, value: u32) -> bool {
        let Some(place) = self.values.get_mut(usize::from(self.count)) else { return false };
        *place = value;
        self.count += 1;
        true
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}
