//! A postings list: ascending references of the series that have a label pair, read where they lie.

/// Bytes of a reference.
const SIZE: usize = 4;

/// A list, or what is left of it: big-endian references, four bytes each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Postings<'a> {
    bytes: &'a [u8],
}

impl<'a> Postings<'a> {
    /// A list over these bytes; `None` unless they are whole references.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() % SIZE == 0).then_some(Self { bytes })
    }

    /// References that are left.
    pub fn len(&self) -> usize {
        self.bytes.len() / SIZE
    }

    /// True when none is left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The n-th reference that is left; the first is the smallest.
    pub fn get(&self, n: usize) -> Option<u32> {
        let (_, from) = self.bytes.split_at_checked(SIZE * n)?;
        from.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Leave out what is smaller than `target`, and say what is then the first. Costs the logarithm of what is left out.
    pub fn seek(&mut self, target: u32) -> Option<u32> {
        let mut bound = 1;
        while self.is_smaller(bound - 1, target) {
            bound *= 2;
        }
        // The references before the last one that was tried are smaller, and the one before `bound` is not, if it is there.
        let place = self.smaller_than(bound / 2, (bound - 1).min(self.len()), target);
        self.bytes = self.bytes.get(SIZE * place..).unwrap_or_default();
        self.get(0)
    }

    /// The place of a reference in what is left.
    pub fn place_of(&self, reference: u32) -> Option<usize> {
        let place = self.smaller_than(0, self.len(), reference);
        (self.get(place) == Some(reference)).then_some(place)
    }

    fn is_smaller(&self, place: usize, target: u32) -> bool {
        self.get(place).is_some_and(|reference| reference < target)
    }

    /// How many references are smaller than `target`, which is known to be between `low` and `high`.
    fn smaller_than(&self, mut low: usize, mut high: usize, target: u32) -> usize {
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_smaller(middle, target) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Iterator for Postings<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (first, rest) = self.bytes.split_first_chunk::<SIZE>()?;
        self.bytes = rest;
        Some(u32::from_be_bytes(*first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl ExactSizeIterator for Postings<'_> {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn seeks_as_a_search_from_the_front_does(
            wanted in proptest::collection::btree_set(0u32..500, 0..100),
            targets in proptest::collection::vec(0u32..520, 0..20),
        ) {
            let bytes: Vec<u8> = wanted.iter().flat_map(|r| r.to_be_bytes()).collect();
            let mut list = Postings::new(&bytes).unwrap();
            let mut left: Vec<u32> = wanted.into_iter().collect();
            for target in targets {
                prop_assert_eq!(list.place_of(target), left.binary_search(&target).ok());
                left.retain(|reference| *reference >= target);
                prop_assert_eq!(list.seek(target), left.first().copied());
                prop_assert_eq!(list.len(), left.len());
            }
            prop_assert_eq!(list.collect::<Vec<_>>(), left);
        }
    }
}
