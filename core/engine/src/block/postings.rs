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
        let (_, from) = self.bytes.split_at_checked(n.checked_mul(SIZE)?)?;
        from.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
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
