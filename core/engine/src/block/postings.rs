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

    /// The place of a reference in what is left.
    pub fn place_of(&self, reference: u32) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle)? < reference {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (self.get(low) == Some(reference)).then_some(low)
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
        fn a_reference_is_found_where_it_is(wanted in proptest::collection::btree_set(0u32..500, 0..100)) {
            let bytes: Vec<u8> = wanted.iter().flat_map(|r| r.to_be_bytes()).collect();
            let list = Postings::new(&bytes).unwrap();
            let wanted: Vec<u32> = wanted.into_iter().collect();
            for target in 0..520 {
                prop_assert_eq!(list.place_of(target), wanted.binary_search(&target).ok());
            }
            prop_assert_eq!(list.len(), wanted.len());
            prop_assert_eq!(list.collect::<Vec<_>>(), wanted);
        }
    }
}
